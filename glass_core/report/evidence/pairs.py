"""Tables and figures on how good a model is at pairs of structures."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from glass_core.models.evaluation import MODEL, Evaluation
from glass_core.report import style
from glass_core.report.evidence.figures import finish, track
from glass_core.report.evidence.names import in_order, set_name
from glass_core.report.evidence.tables import number

PUBLISHED = {
    "TM-Vec set": {"TM MAE": 0.0741, "lDDT MAE": 0.0788},
    "VIPUR set": {"TM MAE": 0.0583, "lDDT MAE": 0.0038},
}
"""bioRxiv 2025.10.27.684815; other sets and another embedder than the ones shown here."""
_INTERVALS = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0001))


def tm_table(records: Mapping[str, Evaluation]) -> pd.DataFrame:
    """TM-scores of every set of pairs: the model beside the best and the constant baseline."""
    rows = []
    for record in in_order(records, "pairs"):
        best = best_baseline(record, "tm_mae")
        p = record.content["welch_p"].get(best)
        rows.append(
            {
                **_set(record),
                "TM MAE": str(record.figure(MODEL, "tm_mae")),
                "best baseline": f"{best}: {record.figure(best, 'tm_mae')}",
                "constant 1": str(record.figure("constant 1", "tm_mae")),
                "Welch p": "< 0.0001" if p is not None and p < 1e-4 else number(p, 4),
                "Spearman": str(record.figure(MODEL, "tm_spearman")),
            }
        )
    return pd.DataFrame(rows)


def lddt_table(records: Mapping[str, Evaluation]) -> pd.DataFrame:
    """lDDT of every set of pairs: the model beside the best and the constant baseline."""
    rows = []
    for record in in_order(records, "pairs"):
        best = best_baseline(record, "lddt_mae")
        rows.append(
            {
                **_set(record),
                "lDDT MAE": str(record.figure(MODEL, "lddt_mae")),
                "best baseline": f"{best}: {record.figure(best, 'lddt_mae')}",
                "constant 1": str(record.figure("constant 1", "lddt_mae")),
                "Spearman within a protein": str(record.figure(MODEL, "lddt_within_spearman")),
            }
        )
    return pd.DataFrame(rows)


def _set(record: Evaluation) -> dict[str, str]:
    return {
        "set": set_name(record.set),
        "pairs (groups)": f"{record.content['pairs']} ({record.content['groups']})",
    }


def best_baseline(record: Evaluation, error: str) -> str:
    """The baseline with the lowest error on these rows."""
    return min(
        (who for who in record.content["figures"] if who != MODEL),
        key=lambda who: _or_infinite(record.figure(who, error).value),
    )


def _or_infinite(value: float | None) -> float:
    return float("inf") if value is None else value


def published_table() -> pd.DataFrame:
    """The paper's own figures, on its own sets."""
    return pd.DataFrame(
        [
            {"set of the paper": name, **{k: f"{v:.4f}" for k, v in figures.items()}}
            for name, figures in PUBLISHED.items()
        ]
    )


def error_histograms(record: Evaluation) -> go.Figure:
    """The paper's Figure 4 for our set: TM errors and mean lDDT errors of the model."""
    rows = record.content["rows"]
    figure = go.Figure()
    for values, name, colour in (
        (np.abs(track(rows["predicted_tm"]) - track(rows["tm"])), "TM error", style.EVALUATED),
        (track(rows["lddt_error"]), "mean lDDT error", style.BESIDE),
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
    return finish(figure, "Errors", "absolute error", "pairs").update_layout(barmode="overlay")


def boxes_by_tm(record: Evaluation) -> go.Figure:
    """The paper's Figure 5 for our set: predicted against measured TM-score by interval."""
    rows = record.content["rows"]
    true, predicted = track(rows["tm"]), track(rows["predicted_tm"])
    figure = _boxes_by_interval(true, predicted, style.EVALUATED, boxpoints="outliers")
    return finish(figure, "Predicted TM-score by measured", "measured TM-score", "predicted")


def errors_by_tm(record: Evaluation) -> go.Figure:
    """The paper's Figure 6 for our set: TM error by interval of the measured TM-score."""
    rows = record.content["rows"]
    true = track(rows["tm"])
    error = np.abs(track(rows["predicted_tm"]) - true)
    figure = _boxes_by_interval(true, error, style.BESIDE, boxpoints=False)
    return finish(figure, "TM error by measured TM-score", "measured TM-score", "error")


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
    x = track(rows[what])
    error = np.abs(track(rows["predicted_tm"]) - track(rows["tm"]))
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
    return finish(figure, f"TM error by {what}", what, "TM error")
