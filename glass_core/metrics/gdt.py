"""GDT_TS: how much of a model lies on the reference, at best, within 1, 2, 4 and 8 Å.

Zemla, Nucleic Acids Res. 31, 3370 (2003). As in LGA, the best superposition for each
threshold is looked for from many fragments, and what is found is a lower bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.records import require

THRESHOLDS = (1.0, 2.0, 4.0, 8.0)
"""Å."""
_ROUNDS = 12
_SHORTEST, _STARTS = 4, 12
"""Residues of the shortest fragment, and fragments of each length."""


def gdt_ts(reference: NDArray[np.floating], subject: NDArray[np.floating]) -> float:
    """Mean share of the reference's residues that can be laid within 1, 2, 4 and 8 Å.

    Parameters
    ----------
    reference, subject : ndarray, shape=(n, 3), dtype=float
        C-alpha coordinates in Å, residue for residue. NaN in `subject` is a residue that the
        model lacks, which lies nowhere; the reference is whole.

    Returns
    -------
    float
        0 to 1; NaN with fewer than three residues in common.

    Examples
    --------
    >>> import numpy as np
    >>> from glass_core.metrics.gdt import gdt_ts
    >>> line = np.array([[3.8 * k, 0.0, k % 2] for k in range(20)])
    >>> gdt_ts(line, line + 7)
    1.0
    """
    reference, subject = np.asarray(reference, float), np.asarray(subject, float)
    require(reference.shape == subject.shape, "subject", "has a row for each of the reference")
    there = np.isfinite(subject).all(axis=1)
    own, other = reference[there], subject[there]
    if len(own) < 3:
        return float("nan")
    starts = _fragments(len(own))
    return float(np.mean([_most(own, other, starts, t) for t in THRESHOLDS]) / len(reference))


def _fragments(n: int) -> NDArray[np.bool_]:
    """Stretches to begin with, shape=(starts, n)."""
    found, length = [np.ones(n, dtype=bool)], n // 2
    while length >= min(_SHORTEST, n):
        for begin in np.unique(np.linspace(0, n - length, _STARTS).round().astype(int)):
            mask = np.zeros(n, dtype=bool)
            mask[begin : begin + length] = True
            found.append(mask)
        length //= 2
    return np.stack(found)


def _most(
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    starts: NDArray[np.bool_],
    threshold: float,
) -> int:
    """Residues that one superposition brings within a threshold, at most."""
    chosen, best = starts, 0
    for _ in range(_ROUNDS):
        distance = _distances(own, other, chosen)
        within = distance <= threshold
        best = max(best, int(within.sum(axis=1).max()))
        nearest = np.sort(distance, axis=1)[:, min(_SHORTEST, len(own)) - 1, None]
        again = distance <= np.maximum(threshold, nearest)
        if (again == chosen).all():
            break
        chosen = np.unique(again, axis=0)
    return best


def _distances(
    own: NDArray[np.float64], other: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Å between all residues, once those chosen are superposed (Kabsch), shape=(starts, n)."""
    weight = chosen / chosen.sum(axis=1, keepdims=True)
    centre, centre_other = weight @ own, weight @ other
    covariance = np.einsum("sn,ni,nj->sij", weight, other, own, optimize=True)
    covariance -= centre_other[:, :, None] * centre[:, None, :]
    left, _, right = np.linalg.svd(covariance)
    flip = np.sign(np.linalg.det(left @ right))
    left[:, :, 2] *= flip[:, None]
    turned = (other - centre_other[:, None]) @ (left @ right)
    found: NDArray[np.float64] = np.linalg.norm(turned - (own - centre[:, None]), axis=2)
    return found
