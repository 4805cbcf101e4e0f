"""How well a screen's rankings agree with what came with the input, and where to cut them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.metrics.agreement import (
    Calls,
    auroc,
    average_precision,
    calls,
    precision_cut_off,
    spearman,
    youden_cut_off,
)
from glass_core.metrics.resampling import interval
from glass_core.models.evaluation import Figure
from glass_core.records import nullable
from glass_core.report.screen.tables import ranking_values, rankings_told
from glass_core.screen.columns import RANKINGS

Vector = NDArray[np.float64]
CHANCES = ("p_combined", "p_damaging")
"""Rankings that are chances, and can be held against how often a label is 'damaging'."""


@dataclass(frozen=True)
class Agreement:
    """How well a ranking agrees with what came with the input.

    Attributes
    ----------
    ranking : str
        One of `RANKINGS`.
    auroc, average_precision : float
        Against the labels; NaN without labels of both kinds.
    labels : int
        Rows with a label and a value of the ranking.
    spearman : float
        Against the measured values; NaN with fewer than three.
    values : int
        Rows with a measured value and one of the ranking.
    """

    ranking: str
    auroc: float
    average_precision: float
    labels: int
    spearman: float
    values: int


@dataclass(frozen=True)
class CutOff:
    """From which value of a ranking on to call variants damaging.

    Attributes
    ----------
    rule : str
        By what it was chosen, in words.
    value : Figure
        On the ranking's own scale, with its interval; None where the rule cannot be met.
    called : int
        Labelled variants that are called then.
    sensitivity, specificity, precision : float
        Of the labelled variants; NaN where the rule cannot be met.
    """

    rule: str
    value: Figure
    called: int
    sensitivity: float
    specificity: float
    precision: float


@dataclass(frozen=True)
class LabelAgreement:
    """One ranking against the labels of the input, with 95% intervals.

    Attributes
    ----------
    ranking : str
        One of `RANKINGS`.
    labels, damaging : int
        Labelled variants with a value, and how many of them are damaging.
    auroc, average_precision : Figure
        The second is the share of the damaging for a random order.
    cut_off : CutOff
    """

    ranking: str
    labels: int
    damaging: int
    auroc: Figure
    average_precision: Figure
    cut_off: CutOff


def agreements(frame: pd.DataFrame) -> list[Agreement]:
    """`Agreement` of every ranking with the input's labels and values; empty without any."""
    label, measured = _column(frame, "label"), _column(frame, "measured_value")
    if np.isnan(label).all() and np.isnan(measured).all():
        return []
    by_ranking = []
    for ranking in rankings_told(frame):
        predicted = ranking_values(frame, ranking).to_numpy()
        known = ~np.isnan(predicted)
        labelled, valued = known & ~np.isnan(label), known & ~np.isnan(measured)
        by_ranking.append(
            Agreement(
                ranking,
                auroc(predicted[labelled], label[labelled]),
                average_precision(predicted[labelled], label[labelled]),
                int(labelled.sum()),
                spearman(predicted[valued], measured[valued]),
                int(valued.sum()),
            )
        )
    return by_ranking


def agreement_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """`agreements` as a table; empty without labels and values."""
    found = agreements(frame)
    columns: dict[str, list[Any]] = {"ranking": [RANKINGS[a.ranking].title for a in found]}
    if any(not np.isnan(a.auroc) for a in found):
        columns["AUROC"] = [a.auroc for a in found]
        columns["average precision"] = [a.average_precision for a in found]
        columns["labels"] = [a.labels for a in found]
    if any(not np.isnan(a.spearman) for a in found):
        columns["Spearman"] = [a.spearman for a in found]
        columns["values"] = [a.values for a in found]
    return pd.DataFrame(columns) if len(columns) > 1 else pd.DataFrame()


def labelled(frame: pd.DataFrame, ranking: str) -> tuple[Vector, Vector]:
    """The ranking's values and the labels, 1 damaging, of the variants that have both."""
    values, label = ranking_values(frame, ranking).to_numpy(), _column(frame, "label")
    known = ~(np.isnan(values) | np.isnan(label))
    return values[known], label[known]


def label_agreement(
    frame: pd.DataFrame, ranking: str, precision: float | None = None
) -> LabelAgreement | None:
    """A ranking against the labels; None without labels of both kinds.

    Intervals are over the labelled variants drawn again; see `resampling.interval`.

    Parameters
    ----------
    precision : float, optional
        Suggest the lowest cut-off with this precision; by default that of Youden's index.
    """
    values, label = labelled(frame, ranking)
    made = calls(values, label)
    if made is None:
        return None

    def told(figure: Callable[[Vector, Vector], float]) -> Figure:
        low, high = interval(lambda rows: figure(values[rows], label[rows]), len(label))
        return Figure(nullable(figure(values, label)), nullable(low), nullable(high))

    cut = told(lambda score, labels: _cut(calls(score, labels), precision))
    return LabelAgreement(
        ranking,
        len(label),
        int(label.sum()),
        told(auroc),
        told(average_precision),
        _cut_off(made, cut, precision),
    )


def value_agreement(frame: pd.DataFrame, ranking: str) -> Figure:
    """Spearman of a ranking with the input's measured values, with its interval."""
    values, measured = ranking_values(frame, ranking).to_numpy(), _column(frame, "measured_value")
    known = ~(np.isnan(values) | np.isnan(measured))
    values, measured = values[known], measured[known]
    low, high = interval(lambda rows: spearman(values[rows], measured[rows]), len(values))
    return Figure(nullable(spearman(values, measured)), nullable(low), nullable(high))


def label_table(found: LabelAgreement) -> pd.DataFrame:
    """The figures of a ranking against labels, a line each."""
    cut = found.cut_off
    lines = [
        ("AUROC", found.auroc),
        ("average precision", found.average_precision),
        ("share of damaging labels", Figure(found.damaging / found.labels, None, None)),
        (f"cut-off by {cut.rule}", cut.value),
        ("sensitivity there", Figure(nullable(cut.sensitivity), None, None)),
        ("specificity there", Figure(nullable(cut.specificity), None, None)),
        ("precision there", Figure(nullable(cut.precision), None, None)),
    ]
    return pd.DataFrame(
        [(name, one.value, one.low, one.high) for name, one in lines],
        columns=["figure", "value", "from", "to"],
    ).astype({"value": float, "from": float, "to": float})


def _cut(made: Calls | None, precision: float | None) -> float:
    if made is None:
        return float("nan")
    return youden_cut_off(made) if precision is None else precision_cut_off(made, precision)


def _cut_off(made: Calls, value: Figure, precision: float | None) -> CutOff:
    rule = "Youden's index" if precision is None else f"a precision of {precision:.0%}"
    if value.value is None:
        return CutOff(rule, value, 0, float("nan"), float("nan"), float("nan"))
    at = int(np.flatnonzero(made.threshold >= value.value)[-1])
    return CutOff(
        rule,
        value,
        int(made.true[at] + made.false[at]),
        float(made.true_rate[at]),
        float(1 - made.false_rate[at]),
        float(made.precision[at]),
    )


def _column(frame: pd.DataFrame, name: str) -> Vector:
    return frame[name].astype("float64").to_numpy()
