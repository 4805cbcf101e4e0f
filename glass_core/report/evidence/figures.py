"""Figures on how good a model is at variants, drawn from its evaluation records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from glass_core.metrics.agreement import calls, reliability
from glass_core.models.evaluation import BLOSUM, MODEL, Evaluation
from glass_core.report import style
from glass_core.report.evidence.names import (
    SAME_SEQUENCE,
    figure_name,
    lead,
    predictor_name,
    predictors,
    role,
)

_PROBABILITY = "probability"
"""The column of a clinical record's rows that holds the chance that leads, see `_chance`."""


def intervals(record: Evaluation) -> go.Figure:
    """Every predictor's Spearman or AUROC with its 95% interval."""
    name, figures = figure_name(record), record.content["figures"]
    own = {who: found[name] for who, found in figures.items() if role(who) != "baseline"}
    baselines = {who: found[name] for who, found in figures.items() if role(who) == "baseline"}
    what = "AUROC" if name == "auroc" else "Spearman, mean over groups"
    return _by_predictor(
        record,
        "All predictors, 95% intervals",
        what,
        _Series("model", own, style.EVALUATED),
        _Series("baselines", baselines, style.FLOOR),
    )


def change_intervals(record: Evaluation) -> go.Figure:
    """Spearman with the distance change, of substitutions and of one sequence twice."""
    of_mutants, of_twins = (
        {who: found["distance_change"] for who, found in figures.items()}
        for figures in (
            record.content["figures"],
            record.content.get(SAME_SEQUENCE, {}).get("figures", {}),
        )
    )
    return _by_predictor(
        record,
        "Where two structures differ, 95% intervals",
        "Spearman within a protein with the distance change",
        _Series("with substitutions", of_mutants, style.EVALUATED, shift=-0.15),
        _Series("same sequence twice", of_twins, style.BESIDE, "diamond", shift=0.15),
    )


@dataclass(frozen=True)
class _Series:
    """Figures of predictors, and how they are drawn; `shift` is down, in rows."""

    name: str
    figures: Mapping[str, Mapping[str, float | None]]
    colour: str
    symbol: str = "circle"
    shift: float = 0.0


def _by_predictor(record: Evaluation, title: str, what: str, *series: _Series) -> go.Figure:
    """Values with intervals, one predictor per row."""
    order = predictors(record)
    figure = go.Figure()
    for one in series:
        value, low, high = (
            track([found[end] for found in one.figures.values()])
            for end in ("value", "low", "high")
        )
        figure.add_trace(
            go.Scatter(
                x=value,
                y=[order.index(who) + one.shift for who in one.figures],
                error_x={"array": high - value, "arrayminus": value - low, "width": 3},
                mode="markers",
                name=one.name,
                marker={"color": one.colour, "size": 9, "symbol": one.symbol},
                hovertemplate="%{x:.3f}",
            )
        )
    figure = finish(figure, title, what, "")
    named = [predictor_name(record, who) for who in order]
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=named,
        range=[len(order) - 0.5, -0.5],
        automargin=True,
    )
    return _tall(figure, 34 * len(order))


def _tall(figure: go.Figure, rows: int) -> go.Figure:
    """Of this height in pixels between title and axis, the legend beneath."""
    rows = max(rows, 160)
    return figure.update_layout(height=rows + 160, legend={"y": -75 / rows})


def assay_dots(record: Evaluation) -> go.Figure:
    """Spearman of every assay: what the set is there for, without what it adds, BLOSUM62."""
    own, beside = lead(record)
    rows = sorted(record.content["rows"], key=lambda r: track([r["spearman"][own]])[0])
    names = [_assay(r["assay"]) for r in rows]
    figure = go.Figure()
    for who, colour, symbol in (
        (BLOSUM, style.FLOOR, "circle"),
        (beside, style.EVALUATED, "circle-open"),
        (own, style.EVALUATED, "circle"),
    ):
        if who is None or who not in record.content["figures"]:
            continue
        figure.add_trace(
            go.Scatter(
                x=[r["spearman"][who] for r in rows],
                y=names,
                mode="markers",
                name=predictor_name(record, who),
                marker={"color": colour, "size": 8, "symbol": symbol},
                customdata=[[r["variants"], r["length"]] for r in rows],
                hovertemplate="%{y}: %{x:.2f}, %{customdata[0]} variants, "
                "%{customdata[1]} residues",
            )
        )
    figure = finish(figure, "One by one", "Spearman", "")
    figure.update_yaxes(automargin=True, dtick=1)
    return _tall(figure, 18 * len(rows))


def _assay(name: str) -> str:
    """An assay's name as short as it stays clear."""
    return name.removeprefix("Tsuboyama2022_dG_").replace(".pdb", "")


def reverse_scatter(record: Evaluation) -> go.Figure:
    """ddG of held-out changes against that of their reverse; one is minus the other, ideally."""
    rows = [r for r in record.content["rows"] if r["side"] == record.side]
    direct, reverse = (track([r[name] for r in rows]) for name in ("direct", "reverse"))
    ends = np.array([min(direct.min(), -reverse.max()), max(direct.max(), -reverse.min())])
    figure = go.Figure(
        [
            ideal(ends, -ends, "no bias"),
            go.Scatter(
                x=direct,
                y=reverse,
                mode="markers",
                name="variant",
                marker={"color": style.EVALUATED, "size": 6, "opacity": 0.7},
                customdata=[[r["mutant"], r["measured"]] for r in rows],
                hovertemplate="%{customdata[0]}: %{x:.1f}, reverse %{y:.1f}, "
                "measured %{customdata[1]:.1f}",
            ),
        ]
    )
    figure = finish(
        figure,
        "A change and its reverse (Ssym)",
        "predicted ΔΔG (kcal/mol)",
        "of the reverse (kcal/mol)",
    )
    return figure.update_layout(height=420, legend={"y": -0.2})


def roc_curves(record: Evaluation) -> go.Figure:
    """ROC of the clinical labels, of everything that the record holds row by row."""
    rows = record.content["rows"]
    label = np.array(rows["label"], dtype=float)
    colours = {_PROBABILITY: style.EVALUATED, BLOSUM: style.FLOOR}
    figure = go.Figure()
    for column, values in rows.items():
        who = _chance(record) if column == _PROBABILITY else column
        scores = track(values)
        if who not in record.content["figures"]:  # the labels themselves
            continue
        made = calls(scores, label)
        if made is None:
            continue
        figure.add_trace(
            go.Scatter(
                x=np.append(0, made.false_rate),
                y=np.append(0, made.true_rate),
                mode="lines",
                name=f"{predictor_name(record, who)}, AUROC "
                f"{record.figure(who, 'auroc').value:.3f}",
                line={"color": colours.get(column, style.BESIDE), "width": 2},
            )
        )
    figure.add_trace(ideal([0, 1], [0, 1], "random order"))
    return finish(figure, "ROC on clinical labels", "false positive rate", "true positive rate")


def _chance(record: Evaluation) -> str:
    """Whose chances a clinical record holds label by label."""
    return str(record.content.get("chance", MODEL))


def calibration_curve(record: Evaluation, bins: int = 10) -> go.Figure:
    """How often a label is 'damaging' among variants given each probability."""
    rows = record.content["rows"]
    chance, label = track(rows["probability"]), np.array(rows["label"], dtype=float)
    found = reliability(chance, label, bins)
    figure = go.Figure(
        [
            ideal([0, 1], [0, 1], "perfect"),
            go.Scatter(
                x=[one.chance for one in found],
                y=[one.share for one in found],
                mode="lines+markers",
                name=predictor_name(record, _chance(record)),
                customdata=[one.number for one in found],
                line={"color": style.EVALUATED, "width": 2},
                hovertemplate="predicted %{x:.2f}, seen %{y:.2f}, n %{customdata}",
            ),
        ]
    )
    return finish(figure, "Calibration", "predicted chance", "share labelled damaging")


def ideal(x: ArrayLike, y: ArrayLike, name: str) -> go.Scatter:
    """A thin dotted line to compare with."""
    line = {"color": style.FLOOR, "dash": "dot", "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", name=name, line=line)


def finish(figure: go.Figure, title: str, x: str, y: str) -> go.Figure:
    """A title, named axes and a legend beneath, as all figures of this page have them."""
    legend = {"orientation": "h", "y": -0.28, "x": 0}
    figure.update_layout(title=title, **style.layout(height=340, legend=legend))
    figure.update_xaxes(title_text=x, **style.AXIS)
    figure.update_yaxes(title_text=y, **style.AXIS)
    return figure


def track(values: Sequence[Any]) -> NDArray[np.float64]:
    """Numbers of a record, NaN for None."""
    return np.array([np.nan if v is None else v for v in values], dtype=float)
