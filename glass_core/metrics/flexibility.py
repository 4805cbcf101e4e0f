"""Elastic networks: how far a structure lets each residue move, before any mutation.

Gaussian network model of Bahar, Atilgan & Erman, Fold. Des. 2, 173 (1997): residues are
beads, neighbours are joined by springs of one strength, and the pseudo-inverse of the
Kirchhoff matrix holds how residues move and move together. Without a cut-off, springs that
weaken with a power of the distance: Yang, Song & Jernigan, PNAS 106, 12347 (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics.distances import distance_matrix, neighbour_mask
from glass_core.metrics.lddt import INCLUSION_RADIUS
from glass_core.records import require

CUTOFF = 7.0
"""Å between C-alphas within which the Gaussian network has a spring."""
POWER = 4.0
"""Of the distance with which springs weaken where there is no cut-off."""
_SMALLEST = 1e-8
"""Modes softer than that, by the stiffest, move parts that no spring joins: left out."""


@dataclass(frozen=True, eq=False)
class ElasticNetwork:
    """How the residues of a structure fluctuate and move together.

    Build with `gaussian` or `without_cutoff`.

    Attributes
    ----------
    distance : ndarray, shape=(n, n), dtype=float
        Between C-alphas, in Å; NaN where a residue has no coordinates.
    covariance : ndarray, shape=(n, n), dtype=float
        Of displacements, in units that no one knows: compare within one structure. NaN
        where a residue has no coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> from glass_core.metrics.flexibility import ElasticNetwork
    >>> line = np.array([[0.0, 0, 0], [3.8, 0, 0], [7.6, 0, 0]])
    >>> ElasticNetwork.gaussian(line, cutoff=4.0).fluctuation.round(3)  # the ends are loose
    array([0.556, 0.222, 0.556])
    """

    distance: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @staticmethod
    def gaussian(ca: NDArray[np.floating], cutoff: float = CUTOFF) -> ElasticNetwork:
        """Springs of one strength between residues within `cutoff` Å; `ca` is (n, 3) in Å."""
        require(cutoff > 0, "cutoff", "is positive")
        distance = distance_matrix(ca)
        return _network(distance, neighbour_mask(distance, cutoff).astype(float))

    @staticmethod
    def without_cutoff(ca: NDArray[np.floating], power: float = POWER) -> ElasticNetwork:
        """Springs between all residues that weaken with `power` of their distance."""
        require(power > 0, "power", "is positive")
        distance = distance_matrix(ca)
        apart = distance > 0  # residues in one place would need a spring without end
        return _network(distance, np.where(apart, np.where(apart, distance, 1.0) ** -power, 0.0))

    @property
    def fluctuation(self) -> NDArray[np.float64]:
        """Mean square displacement of each residue, shape=(n,); NaN without coordinates."""
        return np.diagonal(self.covariance)

    def correlation(self, index: int) -> NDArray[np.float64]:
        """Correlation of every residue's motion with that of residue `index`, shape=(n,).

        -1 to 1; NaN where either has no coordinates or does not move.
        """
        scale = np.sqrt(self.fluctuation * self.fluctuation[index])
        return np.divide(
            self.covariance[:, index], scale, out=np.full(len(scale), np.nan), where=scale > 0
        )

    def distance_change(self, radius: float = INCLUSION_RADIUS) -> NDArray[np.float64]:
        """How far a residue and its neighbours are expected to move against each other.

        Root mean square of the relative displacement, averaged over the neighbours within
        `radius` Å: what the network says of `distances.local_distance_difference`.

        Returns
        -------
        ndarray, shape=(n,), dtype=float
            NaN where the residue has no coordinates or no neighbour.
        """
        own = self.fluctuation
        relative = np.sqrt(np.maximum(own[:, None] + own[None] - 2 * self.covariance, 0))
        mask = neighbour_mask(self.distance, radius)
        count = mask.sum(axis=1)
        result = np.full(len(mask), np.nan)
        np.divide(np.where(mask, relative, 0.0).sum(axis=1), count, out=result, where=count > 0)
        return result


def _network(distance: NDArray[np.float64], springs: NDArray[np.float64]) -> ElasticNetwork:
    """The network of `springs`, shape=(n, n): pseudo-inverse of their Kirchhoff matrix."""
    known = ~np.isnan(np.diagonal(distance))
    inside = np.ix_(known, known)
    kirchhoff = -springs[inside]
    np.fill_diagonal(kirchhoff, 0.0)
    np.fill_diagonal(kirchhoff, -kirchhoff.sum(axis=1))
    covariance = np.full(distance.shape, np.nan)
    if known.any():
        value, mode = np.linalg.eigh(kirchhoff)
        moves = value > _SMALLEST * max(value[-1], 1e-300)
        covariance[inside] = (mode[:, moves] / value[moves]) @ mode[:, moves].T
    return ElasticNetwork(distance, covariance)
