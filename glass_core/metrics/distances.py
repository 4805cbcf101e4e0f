"""C-alpha distance matrices and what is read straight off them. All in Å, NaN = no value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BURIAL_RADIUS = 10.0
"""Å between C-alpha within which a residue counts as a neighbour that buries another."""


def place_on_reference(
    subject: NDArray[np.floating], pairs: NDArray[np.integer], reference_length: int
) -> NDArray[np.float64]:
    """Subject coordinates in the order of the reference.

    Parameters
    ----------
    subject : ndarray, shape=(m, 3), dtype=float
        Coordinates in Å.
    pairs : ndarray, shape=(k, 2), dtype=int
        Index pairs (reference, subject).
    reference_length : int

    Returns
    -------
    ndarray, shape=(reference_length, 3), dtype=float
        NaN rows where the reference residue has no partner.
    """
    placed = np.full((reference_length, 3), np.nan)
    placed[pairs[:, 0]] = np.asarray(subject, dtype=float)[pairs[:, 1]]
    return placed


def distance_matrix(coord: NDArray[np.floating]) -> NDArray[np.float64]:
    """All pairwise distances in Å, shape=(n, n); NaN where a residue has no coordinates."""
    from scipy.spatial.distance import cdist

    coord = np.ascontiguousarray(coord, dtype=np.float64)
    return cdist(coord, coord)


def neighbour_mask(distance: NDArray[np.floating], radius: float) -> NDArray[np.bool_]:
    """Pairs (i, j), i != j, at most `radius` Å apart; False where the distance is NaN."""
    mask = distance <= radius
    np.fill_diagonal(mask, False)
    return mask


def neighbour_counts(
    coord: NDArray[np.floating], radius: float = BURIAL_RADIUS
) -> NDArray[np.float64]:
    """How many other residues lie within `radius` Å of each, shape (n, 3) -> (n,); a burial.

    NaN where a residue has no coordinates.
    """
    distance = distance_matrix(coord)
    count = neighbour_mask(distance, radius).sum(axis=1).astype(float)
    return np.where(np.isnan(np.diagonal(distance)), np.nan, count)


def difference_matrix(
    reference: NDArray[np.floating], subject: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Subject minus reference distances in Å, shape=(n, n).

    Row i of the subject is the partner of row i of the reference; NaN where
    either has no value. Positive: the pair moved apart.
    """
    return distance_matrix(subject) - distance_matrix(reference)


def local_distance_difference(
    reference: NDArray[np.floating], subject: NDArray[np.floating], radius: float
) -> NDArray[np.float64]:
    """Mean |d_ij - d'_ij| in Å over the neighbours of i in the reference, shape=(n,).

    NaN where the residue has no partner or no neighbour with one.
    """
    shift = np.abs(difference_matrix(reference, subject))
    mask = neighbour_mask(distance_matrix(reference), radius) & ~np.isnan(shift)
    count = mask.sum(axis=1)
    result = np.full(len(mask), np.nan)
    np.divide(np.where(mask, shift, 0.0).sum(axis=1), count, out=result, where=count > 0)
    return result
