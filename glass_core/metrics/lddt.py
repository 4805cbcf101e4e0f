"""C-alpha lDDT: superposition-free local agreement of two structures.

The inverse-cubic form is Algorithm 2 of the GLASS paper (bioRxiv
2025.10.27.684815); the uniform form is the C-alpha lDDT of Mariani et al.,
Bioinformatics 29, 2722 (2013).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics.distances import distance_matrix, neighbour_mask
from glass_core.records import require

INCLUSION_RADIUS = 15.0
"""Å; neighbours of a residue are those within it in the reference."""
THRESHOLDS = (0.5, 1.0, 2.0, 4.0)
"""Å; a difference equal to a threshold counts as kept."""

Weight = Literal["inverse_cubic", "uniform"]


def lddt(
    reference: NDArray[np.floating],
    subject: NDArray[np.floating],
    *,
    weight: Weight = "inverse_cubic",
    inclusion_radius: float = INCLUSION_RADIUS,
    thresholds: tuple[float, ...] = THRESHOLDS,
) -> NDArray[np.float64]:
    """Per-residue C-alpha lDDT of `subject` against `reference`.

    For reference residue i with neighbours N(i) = {j != i : d_ij <= radius},
    the weighted fraction of distances d_ij kept within a threshold, averaged
    over the thresholds; weights are d_ij^-3 or 1. Not symmetric: neighbours
    and weights come from the reference.

    Parameters
    ----------
    reference, subject : ndarray, shape=(n, 3), dtype=float
        C-alpha coordinates in Å. Row i of the subject is the partner of row i
        of the reference (`place_on_reference`); a NaN row is a residue without
        coordinates or without partner, and is nobody's neighbour.

    Returns
    -------
    ndarray, shape=(n,), dtype=float
        0 to 1; NaN where the residue has no partner or no neighbour.

    Examples
    --------
    >>> import numpy as np
    >>> from glass_core.metrics.lddt import lddt
    >>> reference = np.array([[0.0, 0, 0], [3.8, 0, 0], [7.6, 0, 0]])
    >>> lddt(reference, reference + 5)  # no superposition is needed
    array([1., 1., 1.])
    >>> lddt(reference, 2 * reference, weight="uniform")
    array([0.125, 0.25 , 0.125])
    """
    require(np.shape(reference) == np.shape(subject), "subject", "has the reference's shape")
    reference_distance = distance_matrix(reference)
    shift = distance_matrix(subject)
    np.subtract(reference_distance, shift, out=shift)
    np.abs(shift, out=shift)
    mask = neighbour_mask(reference_distance, inclusion_radius) & ~np.isnan(shift)
    return _kept_fraction(reference_distance, shift, mask, weight, thresholds)


def _kept_fraction(
    reference_distance: NDArray[np.float64],
    shift: NDArray[np.float64],
    mask: NDArray[np.bool_],
    weight: Weight,
    thresholds: tuple[float, ...],
) -> NDArray[np.float64]:
    """Average over thresholds of the weighted fraction of neighbours with ``shift <= t``."""
    n = len(mask)
    row, column = np.nonzero(mask)
    distance = reference_distance[row, column]
    weights = distance**-3 if weight == "inverse_cubic" else np.ones_like(distance)
    moved = shift[row, column]
    passed = np.zeros_like(moved)
    for threshold in thresholds:
        passed += moved <= threshold
    total = np.bincount(row, weights, minlength=n)
    kept = np.bincount(row, weights * passed, minlength=n)
    has_neighbour = np.bincount(row, minlength=n) > 0
    score = np.full(n, np.nan)
    np.divide(kept, total * len(thresholds), out=score, where=has_neighbour)
    return score
