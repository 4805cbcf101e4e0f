"""Figures on how good a model is, drawn from its evaluation records."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from glass_core.models.evaluation import MODEL, Evaluation
from glass_core.report import style

_INTERVALS = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0001))


def error_histograms(record: Evaluation) -> go.Figure:
    """The paper's Figure 4 for our set: TM errors and mean lDDT errors of the model."""
    rows = record.content["rows"]
    figure = go.Figure()
    for values, name, colour in (
        (np.abs(_track(rows["predicted_tm"]) - _track(rows["tm"])), "TM error", style.EVALUATED),
        (_track(rows["lddt_error"]), "mean lDDT error", style.BESIDE),
    ):
        figure.add_trace(
            go.Histogram(
                x=values[~np.isnan(values)],
                name=name,
                opacity=0.65,
                marker_color=colour,
                xbins={"start": 0, "size": 0.02},
            )
        )
    return _finish(figure, "Errors", "absolute error", "pairs").update_layout(barmode="overlay")


def boxes_by_tm(record: Evaluation) -> go.Figure:
    """The paper's Figure 5 for our set: predicted against measured TM-score by interval."""
    rows = record.content["rows"]
    true, predicted = _track(rows["tm"]), _track(rows["predicted_tm"])
    figure = _boxes_by_interval(true, predicted, style.EVALUATED, boxpoints="outliers")
    return _finish(figure, "Predicted TM-score by measured", "measured TM-score", "predicted")


def errors_by_tm(record: Evaluation) -> go.Figure:
    """The paper's Figure 6 for our set: TM error by interval of the measured TM-score."""
    rows = record.content["rows"]
    true = _track(rows["tm"])
    error = np.abs(_track(rows["predicted_tm"]) - true)
    figure = _boxes_by_interval(true, error, style.BESIDE, boxpoints=False)
    return _finish(figure, "TM error by measured TM-score", "measured TM-score", "error")


def _boxes_by_interval(
    true: NDArray[np.float64], values: NDArray[np.float64], colour: str, boxpoints: str | bool
) -> go.Figure:
    """One box of the values for each interval of the measured TM-score that holds any."""
    figure = go.Figure()
    for low, high in _INTERVALS:
        inside = (true >= low) & (true < high)
        if inside.any():
            figure.add_trace(
                go.Box(
                    y=values[inside],
                    name=f"{low:.1f} to {min(high, 1.0):.1f} (n {inside.sum()})",
                    marker_color=colour,
                    boxpoints=boxpoints,
                    showlegend=False,
                )
            )
    return figure


def error_against(record: Evaluation, what: str) -> go.Figure:
    """TM error against ``length``, ``identity`` or ``coverage``, with a running median."""
    rows = record.content["rows"]
    x = _track(rows[what])
    error = np.abs(_track(rows["predicted_tm"]) - _track(rows["tm"]))
    figure = go.Figure(
        go.Scattergl(
            x=x,
            y=error,
            mode="markers",
            name="pair",
            marker={"size": 4, "color": style.EVALUATED, "opacity": 0.4},
        )
    )
    edges = np.unique(np.quantile(x, np.linspace(0, 1, 9)))
    middle, median = [], []
    for low, high in pairwise(edges):
        inside = (x >= low) & (x <= high)
        if inside.any():
            middle.append(float(np.median(x[inside])))
            median.append(float(np.median(error[inside])))
    figure.add_trace(
        go.Scatter(
            x=middle,
            y=median,
            mode="lines+markers",
            name="median",
            line={"color": style.BESIDE, "width": 2},
        )
    )
    return _finish(figure, f"TM error by {what}", what, "TM error")


def assay_bars(record: Evaluation) -> go.Figure:
    """Spearman of every assay, the model beside BLOSUM62."""
    rows = sorted(record.content["rows"], key=lambda r: float(_track([r["spearman"][MODEL]])[0]))
    names = [r["assay"].removeprefix("Tsuboyama2022_dG_") for r in rows]
    figure = go.Figure()
    for who, colour in ((MODEL, style.EVALUATED), ("BLOSUM62", style.FLOOR)):
        figure.add_trace(
            go.Scatter(
                x=[r["spearman"][who] for r in rows],
                y=names,
                mode="markers",
                name=who,
                marker={"color": colour, "size": 8},
            )
        )
    figure = _finish(figure, "Spearman by assay", "Spearman", "")
    return figure.update_layout(height=max(340, 18 * len(rows) + 90))


def roc_curve(record: Evaluation) -> go.Figure:
    """ROC of the clinical labels: the model's probability and BLOSUM62."""
    rows = record.content["rows"]
    label = np.array(rows["label"], dtype=float)
    figure = go.Figure()
    for name, scores, colour in (
        (MODEL, _track(rows["probability"]), style.EVALUATED),
        ("BLOSUM62", _track(rows["BLOSUM62"]), style.FLOOR),
    ):
        order = np.argsort(-scores, kind="stable")
        hits, misses = np.cumsum(label[order]), np.cumsum(1 - label[order])
        last = np.append(np.diff(scores[order]) != 0, True)
        figure.add_trace(
            go.Scatter(
                x=np.append(0, misses[last] / misses[-1]),
                y=np.append(0, hits[last] / hits[-1]),
                mode="lines",
                name=f"{name}, AUROC {record.figure(name, 'auroc').value:.3f}",
                line={"color": colour, "width": 2},
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            name="chance",
            line={"color": style.FLOOR, "dash": "dot", "width": 1},
        )
    )
    return _finish(figure, "ROC on clinical labels", "false positive rate", "true positive rate")


def calibration_curve(record: Evaluation, bins: int = 10) -> go.Figure:
    """How often a label is 'damaging' among variants given each probability."""
    rows = record.content["rows"]
    chance, label = _track(rows["probability"]), np.array(rows["label"], dtype=float)
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
                name=MODEL,
                customdata=count,
                line={"color": style.EVALUATED, "width": 2},
                hovertemplate="predicted %{x:.2f}, seen %{y:.2f}, n %{customdata}",
            ),
        ]
    )
    return _finish(figure, "Calibration", "predicted probability", "share labelled damaging")


def _finish(figure: go.Figure, title: str, x: str, y: str) -> go.Figure:
    legend = {"orientation": "h", "y": -0.22, "x": 0}
    figure.update_layout(title=title, **style.layout(height=340, legend=legend))
    figure.update_xaxes(title_text=x, **style.AXIS)
    figure.update_yaxes(title_text=y, **style.AXIS)
    return figure


def _track(values: list[Any]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in values], dtype=float)
