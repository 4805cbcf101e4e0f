"""Effective strain: how much a residue's neighbourhood deforms, beyond rigid motion.

McBride, Polev, Abdirasulov, Reinharz, Grzybowski & Tlusty, "AlphaFold2 Can
Predict Single-Mutation Effects", Phys. Rev. Lett. 131, 218401 (2023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics.distances import distance_matrix, neighbour_mask
from glass_core.records import require

NEIGHBOUR_RADIUS = 13.0
"""Å, in the reference."""
_BLOCK = 256
"""Residues handled at once: bounds memory to a few hundred MB for long chains."""


def effective_strain(
    reference: NDArray[np.floating], subject: NDArray[np.floating], radius: float = NEIGHBOUR_RADIUS
) -> NDArray[np.float64]:
    """Per-residue effective strain of `subject` against `reference`.

    For residue i the vectors to its reference neighbours, r_ij, and to the
    same residues in the subject, r'_ij, are superposed by the best rotation R;
    the strain is the mean of |R r'_ij - r_ij| / |r_ij|.

    Parameters
    ----------
    reference, subject : ndarray, shape=(n, 3), dtype=float
        C-alpha coordinates in Å, row i facing row i; NaN rows have no value.

    Returns
    -------
    ndarray, shape=(n,), dtype=float
        0 for rigid motion, dimensionless; NaN without partner or neighbour.
    """
    require(np.shape(reference) == np.shape(subject), "subject", "has the reference's shape")
    reference, subject = np.asarray(reference, float), np.asarray(subject, float)
    present = ~(np.isnan(reference).any(axis=1) | np.isnan(subject).any(axis=1))
    mask = neighbour_mask(distance_matrix(reference), radius) & present & present[:, None]
    before: NDArray[np.float64] = np.nan_to_num(reference)
    after: NDArray[np.float64] = np.nan_to_num(subject)
    strain = np.full(len(before), np.nan)
    for start in range(0, len(before), _BLOCK):
        rows = np.flatnonzero(mask[start : start + _BLOCK].any(axis=1)) + start
        if len(rows):
            strain[rows] = _strain_of(rows, before, after, mask[rows])
    return strain


def _strain_of(
    rows: NDArray[np.int64],
    reference: NDArray[np.float64],
    subject: NDArray[np.float64],
    mask: NDArray[np.bool_],
) -> NDArray[np.float64]:
    weight = mask[..., None]
    before = (reference[None] - reference[rows, None]) * weight
    after = (subject[None] - subject[rows, None]) * weight
    rotation = _best_rotation(np.einsum("ijk,ijl->ikl", after, before))
    moved = np.linalg.norm(after @ rotation - before, axis=-1)
    length = np.linalg.norm(before, axis=-1)
    relative = np.divide(moved, length, out=np.zeros_like(moved), where=mask & (length > 0))
    return np.asarray(relative.sum(axis=1) / mask.sum(axis=1))


def _best_rotation(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Proper rotations R, shape=(n, 3, 3), so that ``after @ R`` best matches `before`.

    Kabsch, Acta Cryst. A 32, 922 (1976).
    """
    u, _, vt = np.linalg.svd(covariance)
    sign = np.sign(np.linalg.det(u @ vt))
    u[:, :, -1] *= sign[:, None]
    return u @ vt
