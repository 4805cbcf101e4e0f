"""The paper's Algorithm 2 as it is printed, to hold the vectorised lDDT against."""

from __future__ import annotations

import numpy as np


def algorithm_2(
    reference: np.ndarray,
    subject: np.ndarray,
    radius: float = 15.0,
    thresholds: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0),
) -> np.ndarray:
    """Inverse-cubic lDDT, transcribed line by line as a double loop."""
    n = len(reference)
    scores = [float("nan")] * n
    for i in range(n):
        kept = [0.0] * len(thresholds)
        total = 0.0
        for j in range(n):
            if j == i or np.isnan(subject[i]).any() or np.isnan(subject[j]).any():
                continue
            before = float(np.sqrt(((reference[i] - reference[j]) ** 2).sum()))
            if before > radius:
                continue
            after = float(np.sqrt(((subject[i] - subject[j]) ** 2).sum()))
            weight = before**-3
            total += weight
            for k, threshold in enumerate(thresholds):
                if abs(before - after) <= threshold:
                    kept[k] += weight
        if total > 0:
            scores[i] = sum(part / total for part in kept) / len(thresholds)
    return np.array(scores)
