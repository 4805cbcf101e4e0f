"""How well a score agrees with measured values and with labels."""

from __future__ import annotations

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
