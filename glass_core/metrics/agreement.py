"""How well a score agrees with measured values and with labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr


def spearman(predicted: NDArray[np.floating], true: NDArray[np.floating]) -> float:
    """Spearman correlation where both have values; NaN when either is constant."""
    known = ~(np.isnan(predicted) | np.isnan(true))
    if known.sum() < 3 or np.ptp(predicted[known]) < 1e-9 or np.ptp(true[known]) < 1e-9:
        return float("nan")
    return float(spearmanr(predicted[known], true[known]).statistic)


def auroc(score: NDArray[np.floating], label: NDArray[np.floating]) -> float:
    """Area under the ROC curve; NaN with one class only."""
    positive = int((label > 0.5).sum())
    negative = len(label) - positive
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(score)[label > 0.5].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * negative))


@dataclass(frozen=True)
class ReliabilityBin:
    """Variants that were given about the same chance, and how many of them are damaging.

    Attributes
    ----------
    chance : float
        Mean that was given.
    share : float
        Labelled damaging, 0 to 1.
    number : int
        Of variants.
    """

    chance: float
    share: float
    number: int


def reliability(
    chance: NDArray[np.floating], label: NDArray[np.floating], bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """The bins of equal width that hold a variant, from low to high chance.

    Parameters
    ----------
    chance, label : ndarray, shape=(n,)
        0 to 1, and 0 or 1; no NaN.
    """
    index = np.minimum((chance * bins).astype(int), bins - 1)
    return tuple(
        ReliabilityBin(float(chance[inside].mean()), float(label[inside].mean()), int(inside.sum()))
        for b in range(bins)
        if (inside := index == b).any()
    )


def calibration_error(
    chance: NDArray[np.floating], label: NDArray[np.floating], bins: int = 10
) -> float:
    """Expected calibration error: mean gap of chance and frequency over equal-width bins."""
    found = reliability(chance, label, bins)
    return float(sum(one.number / len(chance) * abs(one.chance - one.share) for one in found))


@dataclass(frozen=True, eq=False)
class Calls:
    """What calling everything from a threshold on damaging leads to, threshold by threshold.

    Attributes
    ----------
    threshold : ndarray, shape=(k,)
        The distinct scores, from high to low.
    true, false : ndarray, shape=(k,)
        Number called that are damaging, and that are not.
    """

    threshold: NDArray[np.float64]
    true: NDArray[np.float64]
    false: NDArray[np.float64]

    @property
    def true_rate(self) -> NDArray[np.float64]:
        """Share of the damaging that are called: sensitivity, recall."""
        return self.true / self.true[-1]

    @property
    def false_rate(self) -> NDArray[np.float64]:
        """Share of the others that are called: 1 - specificity."""
        return self.false / self.false[-1]

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of the called that are damaging."""
        return self.true / (self.true + self.false)


def calls(score: NDArray[np.floating], label: NDArray[np.floating]) -> Calls | None:
    """The calls at every threshold; None with one class only.

    Parameters
    ----------
    score, label : ndarray, shape=(n,)
        Higher = more damaging, and 0 or 1; no NaN.
    """
    positive = label > 0.5
    if positive.all() or not positive.any():
        return None
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    true, false = (np.cumsum(of[order])[last].astype(float) for of in (positive, ~positive))
    return Calls(np.asarray(score[order][last], dtype=float), true, false)


def average_precision(score: NDArray[np.floating], label: NDArray[np.floating]) -> float:
    """Area under precision against recall, as a step at each score; NaN with one class only."""
    made = calls(score, label)
    if made is None:
        return float("nan")
    return float(np.sum(np.diff(made.true_rate, prepend=0.0) * made.precision))


def youden_cut_off(made: Calls) -> float:
    """The threshold with the largest sensitivity + specificity - 1; of equal ones the highest.

    Youden, Cancer 3, 32 (1950).
    """
    return float(made.threshold[np.argmax(made.true_rate - made.false_rate)])


def precision_cut_off(made: Calls, precision: float) -> float:
    """The lowest threshold from which on at least this share of the called is damaging.

    NaN where no threshold reaches it.
    """
    enough = np.flatnonzero(made.precision >= precision)
    return float(made.threshold[enough[-1]]) if len(enough) else float("nan")
