"""Figures of how a screen's ranking agrees with the labels that came with the input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.stats import binomtest

from glass_core.metrics.agreement import ReliabilityBin, calls, reliability
from glass_core.report import style
from glass_core.report.evidence.figures import finish, ideal
from glass_core.report.screen.agreement import LabelAgreement, Vector, labelled
from glass_core.report.screen.figures import ranking_colour
from glass_core.screen.columns import RANKINGS


def roc_curve(frame: pd.DataFrame, found: LabelAgreement) -> go.Figure:
    """True against false positive rate, with the suggested cut-off marked."""
    made = calls(*labelled(frame, found.ranking))
    figure = go.Figure([ideal([0, 1], [0, 1], "random order")])
    if made is not None:
        _curve(
            figure,
            found,
            np.append(0, made.false_rate),
            np.append(0, made.true_rate),
            np.append(np.inf, made.threshold),
            "linear",
        )
    cut = found.cut_off
    _mark(figure, cut.value.value, 1 - cut.specificity, cut.sensitivity)
    return finish(figure, f"ROC, AUROC {found.auroc}", "false positive rate", "true positive rate")


def precision_recall_curve(frame: pd.DataFrame, found: LabelAgreement) -> go.Figure:
    """Precision against recall; a random order has the share of the damaging throughout."""
    made = calls(*labelled(frame, found.ranking))
    share = found.damaging / found.labels
    figure = go.Figure([ideal([0, 1], [share, share], "random order")])
    if made is not None:
        _curve(figure, found, made.true_rate, made.precision, made.threshold, "vh")
    cut = found.cut_off
    _mark(figure, cut.value.value, cut.sensitivity, cut.precision)
    title = f"Precision and recall, average {found.average_precision}"
    figure = finish(figure, title, "recall (share of the damaging found)", "precision")
    return figure.update_yaxes(range=[0, 1.03])


def reliability_diagram(frame: pd.DataFrame, ranking: str) -> go.Figure:
    """How often variants given a chance are labelled damaging; counts at the points.

    Bars are 95% intervals of the share (Wilson, J. Am. Stat. Assoc. 22, 209 (1927)).
    """
    found = reliability(*labelled(frame, ranking))
    ends = np.array([_wilson(one) for one in found]).reshape(-1, 2)
    share = np.array([one.share for one in found])
    figure = go.Figure(
        [
            ideal([0, 1], [0, 1], "perfect"),
            go.Scatter(
                x=[one.chance for one in found],
                y=share,
                mode="markers+text",
                name=RANKINGS[ranking].title,
                text=[f"{one.number:,}" for one in found],
                textposition="middle right",
                error_y={"array": ends[:, 1] - share, "arrayminus": share - ends[:, 0], "width": 3},
                marker={"color": ranking_colour(ranking), "size": 9},
                hovertemplate="predicted %{x:.2f}, labelled damaging %{y:.2f}, of %{text}"
                "<extra></extra>",
            ),
        ]
    )
    figure = finish(
        figure, "Calibration on your labels", "predicted chance", "share labelled damaging"
    )
    return figure.update_yaxes(range=[-0.05, 1.05]).update_xaxes(range=[-0.02, 1.08])


def reliability_table(frame: pd.DataFrame, ranking: str) -> pd.DataFrame:
    """The points of `reliability_diagram`, a line each."""
    found = reliability(*labelled(frame, ranking))
    return pd.DataFrame(
        [(one.chance, one.share, *_wilson(one), one.number) for one in found],
        columns=["mean predicted chance", "share labelled damaging", "from", "to", "variants"],
    )


def _wilson(one: ReliabilityBin) -> tuple[float, float]:
    found = binomtest(round(one.share * one.number), one.number).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def _curve(
    figure: go.Figure, found: LabelAgreement, x: Vector, y: Vector, cut: Vector, shape: str
) -> None:
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            name=RANKINGS[found.ranking].title,
            line={"color": ranking_colour(found.ranking), "width": 2, "shape": shape},
            customdata=cut,
            hovertemplate="%{x:.2f}, %{y:.2f} from %{customdata:.3g} on<extra></extra>",
        )
    )


def _mark(figure: go.Figure, cut: float | None, x: float, y: float) -> None:
    if cut is None:
        return
    figure.add_trace(
        go.Scatter(
            x=[x],
            y=[y],
            mode="markers+text",
            name="suggested cut-off",
            text=[f"{cut:.3g}"],
            textposition="bottom right",
            marker={"color": style.SELECTED, "size": 11, "symbol": "diamond"},
            hovertemplate="cut-off %{text}<extra></extra>",
        )
    )
