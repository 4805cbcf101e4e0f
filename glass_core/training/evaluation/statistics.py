"""Figures with 95% intervals: every split group counts once, and is what is resampled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, ttest_ind_from_stats

Vector = NDArray[np.float64]
Metric = Callable[[NDArray[np.int64], Vector], float]
"""Row numbers (drawn with repetition) and their weights to a figure; NaN = none."""
RESAMPLES, SEED = 1000, 0
_DIGITS = 4


def weighted_mean(values: Vector, weight: Vector) -> float:
    """Mean over the values that are not NaN."""
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    return float(np.average(values[known], weights=weight[known]))


def mean_of(values: Vector) -> Metric:
    """The metric that averages one value per row."""
    return lambda rows, weight: weighted_mean(values[rows], weight)


def weighted_correlation(x: Vector, y: Vector, weight: Vector) -> float:
    """Pearson correlation with weights; NaN when either is constant."""
    x, y = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
    scale = np.sqrt(np.average(x**2, weights=weight) * np.average(y**2, weights=weight))
    return float(np.average(x * y, weights=weight) / scale) if scale > 1e-12 else float("nan")


def weighted_spearman(x: Vector, y: Vector, weight: Vector) -> float:
    """Correlation of ranks with weights; NaN when either is constant."""
    return weighted_correlation(rankdata(x), rankdata(y), weight)


def group_weights(group: NDArray[Any]) -> Vector:
    """Of each row 1 / (rows of its group): every group counts once."""
    _, which, rows = np.unique(group, return_inverse=True, return_counts=True)
    return np.asarray(1 / rows[which])


def with_interval(metric: Metric, group: NDArray[Any]) -> dict[str, float | None]:
    """``value``, ``low`` and ``high`` of a metric; rows weigh as `group_weights` says."""
    weight = group_weights(group)
    members = [np.flatnonzero(group == g) for g in np.unique(group)]
    spread = np.array([metric(rows, weight[rows]) for rows in _resamples(members)])
    spread = spread[~np.isnan(spread)]
    value = rounded(metric(np.arange(len(group)), weight))
    if value is None:
        return {"value": None, "low": None, "high": None}
    return {
        "value": value,
        "low": rounded(float(np.quantile(spread, 0.025))) if len(spread) else None,
        "high": rounded(float(np.quantile(spread, 0.975))) if len(spread) else None,
    }


def welch(errors: Vector, baseline_errors: Vector, group: NDArray[Any]) -> float | None:
    """p-value of Welch's t-test on the groups' mean errors; None with under 3 groups."""
    means = [
        np.array([e[group == g].mean() for g in np.unique(group)])
        for e in (errors, baseline_errors)
    ]
    if len(means[0]) < 3:
        return None
    a, b = ((m.mean(), m.std(ddof=1), len(m)) for m in means)
    if a[1] == 0 and b[1] == 0:
        return None
    return rounded(float(ttest_ind_from_stats(*a, *b, equal_var=False).pvalue), 6)


def label_draws(group: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Row numbers of whole groups drawn again, 500 times."""
    members = {g: np.flatnonzero(group == g) for g in np.unique(group)}
    rng = np.random.default_rng(SEED)
    return [
        np.concatenate([members[g] for g in rng.choice(list(members), len(members))])
        for _ in range(500)
    ]


def label_interval(
    metric: Callable[[Vector, Vector], float], values: Vector, label: Vector, draws: list[Any]
) -> dict[str, float | None]:
    """A figure over all labels, its interval from `label_draws`.

    The interval is drawn out to hold the figure: a calibration error is larger in most draws
    than over all labels.
    """
    value = metric(values, label)
    spread = [metric(values[rows], label[rows]) for rows in draws]
    low, high = np.nanquantile(spread, 0.025), np.nanquantile(spread, 0.975)
    return {
        "value": rounded(value),
        "low": rounded(float(np.fmin(low, value))),
        "high": rounded(float(np.fmax(high, value))),
    }


def rounded(value: float, digits: int = _DIGITS) -> float | None:
    """For JSON: None where there is no value."""
    return None if np.isnan(value) else round(float(value), digits)


def _resamples(groups: list[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(SEED)
    for _ in range(RESAMPLES):
        yield np.concatenate([groups[k] for k in rng.integers(len(groups), size=len(groups))])
