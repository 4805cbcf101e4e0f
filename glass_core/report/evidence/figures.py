"""Figures on how good a model is at variants, drawn from its evaluation records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from glass_core.models.evaluation import MODEL, Evaluation
from glass_core.report import style
from glass_core.report.evidence.names import (
    BLOSUM,
    SAME_SEQUENCE,
    figure_name,
    lead,
    predictor_name,
    predictors,
    role,
)

_PROBABILITY = "probability"
"""The column of a clinical record's rows that holds the model's own chance."""
_LONGEST = 32
"""Letters of a name beside an axis; longer ones are broken."""


def intervals(record: Evaluation) -> go.Figure:
    """Every predictor's Spearman or AUROC with its 95% interval."""
    name = figure_name(record)
    figure = go.Figure()
    named = {who: predictor_name(record, who) for who in predictors(record)}
    for title, roles in (("model", ("model", "")), ("baselines", ("baseline",))):
        chosen = {who: words for who, words in named.items() if role(who) in roles}
        colour = style.FLOOR if title == "baselines" else style.EVALUATED
        figures = record.content["figures"]
        found = {words: figures[who][name] for who, words in chosen.items()}
        figure.add_trace(_with_error(found, title, colour, "circle"))
    order = list(named.values())
    what = "AUROC" if name == "auroc" else "Spearman, mean over groups"
    return _by_predictor(figure, order, "All predictors, 95% intervals", what)


def change_intervals(record: Evaluation) -> go.Figure:
    """Spearman with the distance change, of substitutions and of one sequence twice."""
    order = [predictor_name(record, who) for who in predictors(record)]
    figure = go.Figure()
    for title, figures, colour, symbol in (
        ("with substitutions", record.content["figures"], style.EVALUATED, "circle"),
        (
            "same sequence twice",
            record.content.get(SAME_SEQUENCE, {}).get("figures", {}),
            style.BESIDE,
            "diamond-open",
        ),
    ):
        found = {predictor_name(record, w): v["distance_change"] for w, v in figures.items()}
        figure.add_trace(_with_error(found, title, colour, symbol))
    what = "Spearman within a protein with the distance change"
    return _by_predictor(figure, order, "Where two structures differ, 95% intervals", what)


def _with_error(
    found: Mapping[str, Mapping[str, float | None]], name: str, colour: str, symbol: str
) -> go.Scatter:
    value, low, high = (
        track([one[end] for one in found.values()]) for end in ("value", "low", "high")
    )
    return go.Scatter(
        x=value,
        y=[_broken(words) for words in found],
        error_x={"type": "data", "array": high - value, "arrayminus": value - low, "width": 3},
        mode="markers",
        name=name,
        marker={"color": colour, "size": 9, "symbol": symbol},
    )


def _by_predictor(figure: go.Figure, order: Sequence[str], title: str, what: str) -> go.Figure:
    figure = finish(figure, title, what, "")
    figure.update_yaxes(
        categoryorder="array", categoryarray=[_broken(w) for w in order[::-1]], automargin=True
    )
    return figure.update_layout(height=34 * len(order) + 150, legend={"y": -0.32})


def _broken(words: str) -> str:
    """On two lines where it is long."""
    middle = words.find(" ", len(words) // 2)
    if len(words) <= _LONGEST or middle < 0:
        return words
    return f"{words[:middle]}<br>{words[middle + 1 :]}"


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
    height = max(300, 18 * len(rows) + 150)
    return figure.update_layout(height=height, legend={"y": -70 / (height - 120)})


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
            go.Scatter(
                x=ends,
                y=-ends,
                mode="lines",
                name="no bias",
                line={"color": style.FLOOR, "dash": "dot", "width": 1},
            ),
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
    title = "A change and its reverse (Ssym)"
    return finish(
        figure, title, "predicted ΔΔG (kcal/mol)", "predicted ΔΔG of the reverse (kcal/mol)"
    )


def roc_curves(record: Evaluation) -> go.Figure:
    """ROC of the clinical labels, of everything that the record holds row by row."""
    rows = record.content["rows"]
    label = np.array(rows["label"], dtype=float)
    colours = {_PROBABILITY: style.EVALUATED, BLOSUM: style.FLOOR}
    figure = go.Figure()
    for column in sorted(set(rows) - {"label"}, key=lambda name: name != _PROBABILITY):
        who, scores = MODEL if column == _PROBABILITY else column, track(rows[column])
        if who not in record.content["figures"]:
            continue
        order = np.argsort(-scores, kind="stable")
        hits, misses = np.cumsum(label[order]), np.cumsum(1 - label[order])
        last = np.append(np.diff(scores[order]) != 0, True)
        figure.add_trace(
            go.Scatter(
                x=np.append(0, misses[last] / misses[-1]),
                y=np.append(0, hits[last] / hits[-1]),
                mode="lines",
                name=f"{predictor_name(record, who)}, AUROC "
                f"{record.figure(who, 'auroc').value:.3f}",
                line={"color": colours.get(column, style.BESIDE), "width": 2},
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            name="random order",
            line={"color": style.FLOOR, "dash": "dot", "width": 1},
        )
    )
    return finish(figure, "ROC on clinical labels", "false positive rate", "true positive rate")


def calibration_curve(record: Evaluation, bins: int = 10) -> go.Figure:
    """How often a label is 'damaging' among variants given each probability."""
    rows = record.content["rows"]
    chance, label = track(rows["probability"]), np.array(rows["label"], dtype=float)
    index = np.minimum((chance * bins).astype(int), bins - 1)
    told, seen, count = [], [], []
    for b in range(bins):
        inside = index == b
        if inside.any():
            told.append(float(chance[inside].mean()))
            seen.append(float(label[inside].mean()))
            count.append(int(inside.sum()))
    figure = go.Figure(
        [
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                mode="lines",
                name="perfect",
                line={"color": style.FLOOR, "dash": "dot", "width": 1},
            ),
            go.Scatter(
                x=told,
                y=seen,
                mode="lines+markers",
                name=predictor_name(record, MODEL),
                customdata=count,
                line={"color": style.EVALUATED, "width": 2},
                hovertemplate="predicted %{x:.2f}, seen %{y:.2f}, n %{customdata}",
            ),
        ]
    )
    return finish(figure, "Calibration", "predicted chance", "share labelled damaging")


def finish(figure: go.Figure, title: str, x: str, y: str) -> go.Figure:
    """A title, named axes and a legend beneath, as all figures of this page have them."""
    legend = {"orientation": "h", "y": -0.22, "x": 0}
    figure.update_layout(title=title, **style.layout(height=340, legend=legend))
    figure.update_xaxes(title_text=x, **style.AXIS)
    figure.update_yaxes(title_text=y, **style.AXIS)
    return figure


def track(values: Sequence[Any]) -> NDArray[np.float64]:
    """Numbers of a record, NaN for None."""
    return np.array([np.nan if v is None else v for v in values], dtype=float)
