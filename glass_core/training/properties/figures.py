"""Figures of the heads that tell properties, and what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics.agreement import auroc, average_precision, spearman
from glass_core.metrics.functions import Calling, calling
from glass_core.training.evaluation.statistics import Metric, with_interval

Vector = NDArray[np.float64]
BINS = (30, 40, 50, 70, 95)
"""Percent identity to the training proteins, below which proteins are told apart."""
FEWEST_OF_KIND = 40
"""Proteins that a kind needs to have a figure of its own."""
FEWEST_DECOYS = 3
"""Of a target whose ranks count."""


def class_figures(
    chance: NDArray[np.floating],
    label: NDArray[np.floating],
    group: NDArray[Any],
    nearness: Vector | None = None,
    structured: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """F-max of all proteins, every one counting once.

    And of those below each identity to the training proteins, and of those with a structure.
    """
    called = calling(chance, label)
    asked: dict[str, NDArray[np.bool_]] = {"f_max": np.ones(len(label), dtype=bool)}
    if nearness is not None:
        asked |= {f"f_max below {bin_}%": nearness <= bin_ for bin_ in BINS}
    if structured is not None and structured.any():
        asked["f_max with a structure"] = structured
    found = {}
    for name, mask in asked.items():
        rows = np.flatnonzero(mask)
        if len(rows):
            found[name] = with_interval(_best(called, rows), group[rows])
    return found


def number_figures(
    told: Vector, measured: Vector, group: NDArray[Any], kind: Sequence[str] = ()
) -> dict[str, Any]:
    """Spearman's correlation of all and of each kind of protein, and the median error."""
    kinds = np.array(kind, dtype=object)
    found = {
        "spearman": with_interval(lambda rows, weight: spearman(told[rows], measured[rows]), group),
        "median error": with_interval(
            lambda rows, weight: float(np.median(np.abs(told[rows] - measured[rows]))), group
        ),
    }
    for name in sorted(set(kind)):
        rows = np.flatnonzero(kinds == name)
        if len(rows) >= FEWEST_OF_KIND:
            found[f"spearman, {name}"] = with_interval(
                _correlation(told[rows], measured[rows]), group[rows]
            )
    return found


def ranking_figures(told: Vector, gdt: Vector, target: NDArray[Any]) -> dict[str, Any]:
    """Spearman's correlation within each target, mean over targets, and over all decoys."""
    names = np.unique(target)
    within = {}
    for name in names:
        rows = target == name
        if rows.sum() >= FEWEST_DECOYS:
            within[name] = spearman(told[rows], gdt[rows])
    each = np.array([within.get(name, np.nan) for name in names])
    return {
        "spearman within a target": with_interval(
            lambda rows, weight: float(np.nanmean(each[rows])), names
        ),
        "spearman over all": with_interval(
            lambda rows, weight: spearman(told[rows], gdt[rows]), target
        ),
    }


def binding_figures(told: Vector, measured: Vector, group: NDArray[Any]) -> dict[str, Any]:
    """How well changes of binding are told: stronger from weaker, in order, and in size."""
    stronger = (measured < 0).astype(float)
    return {
        "auroc": with_interval(lambda r, w: auroc(-told[r], stronger[r]), group),
        "average precision": with_interval(
            lambda r, w: average_precision(-told[r], stronger[r]), group
        ),
        "spearman": with_interval(lambda r, w: spearman(told[r], measured[r]), group),
        "median error": with_interval(
            lambda r, w: float(np.median(np.abs(told[r] - measured[r]))), group
        ),
    }


def _best(called: Calling, rows: NDArray[np.int64]) -> Metric:
    return lambda drawn, weight: called.best(rows[drawn]).value


def _correlation(told: Vector, measured: Vector) -> Metric:
    return lambda drawn, weight: spearman(told[drawn], measured[drawn])


def within(told: Vector, measured: Vector, share: float = 0.9) -> float:
    """Distance within which a share of the measurements lies, with a sample's correction."""
    error = np.sort(np.abs(told - measured))
    place = min(int(np.ceil(share * (len(error) + 1))) - 1, len(error) - 1)
    return float(error[place])


def noise_of(differences: Sequence[float], share: float = 0.95) -> float:
    """What conservative substitutions change an answer by, at most, in a share of cases."""
    known = np.abs(np.asarray(differences, dtype=float))
    return float(np.quantile(known, share)) if len(known) else 0.0
