"""What the head of local change is given: a structure's geometry, and how near the site is.

Everything is read off C-alphas, letters and the vectors of `embedders.mpnn`; other chains
are seen by the latter alone.

Shape notation: n residues with coordinates, G numbers of geometry, K ways to fade with the
distance, U things that are told of a substitution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics.distances import distance_matrix
from glass_core.metrics.flexibility import ElasticNetwork
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.backbone import CA_STEP
from glass_core.protein.substitutions import no_substitution

Array = NDArray[np.float64]

NEAR, AROUND = 8.0, 15.0
"""Å within which a residue's neighbours are averaged; the second is where changes are measured."""
FADING = (4.0, 8.0, 16.0, 30.0)
"""Å over which what a substitution adds falls to a third: K."""
TOLD_OF_SITE = 4
"""One, how much worse ProteinMPNN likes the new letter, how buried the site is and how loose: U."""
GEOMETRY = 41
"""G."""
_CROWDS = (8.0, 10.0, 12.0, 15.0)
_STEPS = (2, 3, 4)
_SMALLEST = 1e-6


def geometry(ca: NDArray[np.floating], letters: str) -> Array:
    """Geometry of each residue, shape=(n, G).

    Two elastic networks say how far a residue moves, and against its neighbours; then come
    crowding, ends and gaps of the chain, distances along it, and the letter.

    Parameters
    ----------
    ca : ndarray, shape=(n, 3), dtype=float
        In Å, without NaN.
    letters : str
    """
    n, distance = len(ca), distance_matrix(ca)
    columns: list[Array] = []
    loose = []
    for network in (ElasticNetwork.gaussian(ca), ElasticNetwork.without_cutoff(ca)):
        own, against = (
            np.log(np.maximum(np.nan_to_num(values), _SMALLEST))
            for values in (network.fluctuation, network.distance_change(AROUND))
        )
        columns += [_standard(own), _standard(against)]
        loose.append(own)
    apart = np.where(distance > 0, distance, np.inf)
    columns += [*loose, _standard((apart**-2).sum(axis=1))]
    columns += [(apart <= radius).sum(axis=1) / radius**3 for radius in _CROWDS]
    place = np.arange(n)
    end = np.minimum(place, n - 1 - place)
    broken = np.flatnonzero(np.linalg.norm(np.diff(ca, axis=0), axis=1) > CA_STEP)
    sides = np.concatenate([broken, broken + 1])
    gap = np.abs(place[:, None] - sides).min(axis=1) if len(sides) else np.full(n, n)
    columns += [np.exp(-end / 3), np.exp(-end / 10), np.exp(-gap / 3), np.full(n, np.log(n / 150))]
    for step in _STEPS:
        columns += [
            distance[place, np.minimum(place + step, n - 1)] / 10,
            distance[place, np.maximum(place - step, 0)] / 10,
        ]
    columns += [np.array([letter == own for own in letters], float) for letter in STANDARD]
    return np.stack(columns, axis=1)


def neighbour_means(values: Array, distance: Array) -> Array:
    """Values of each residue, and their means over its neighbours: (n, D) -> (n, 3 D)."""
    parts = [values]
    for radius in (NEAR, AROUND):
        mask = (distance <= radius).astype(float)
        np.fill_diagonal(mask, 0.0)
        parts.append(mask @ values / np.maximum(mask.sum(axis=1, keepdims=True), 1))
    return np.concatenate(parts, axis=1)


def sites(log_probabilities: Array, letters: str, geometry_of: Array) -> Array:
    """What is told of every substitution, shape=(n, 20, U).

    Parameters
    ----------
    log_probabilities : ndarray, shape=(n, 20)
        Of ProteinMPNN with every other letter visible.
    letters : str
    geometry_of : ndarray, shape=(n, G)

    Returns
    -------
    ndarray, dtype=float
        NaN for a residue's own letter, and where that is none of the 20.
    """
    n = len(letters)
    own = np.array([STANDARD.find(letter) for letter in letters])
    worse = log_probabilities[np.arange(n), own][:, None] - log_probabilities
    worse[no_substitution(letters)] = np.nan
    crowded, loose = geometry_of[:, 8] * 100 - 1.5, geometry_of[:, 3]
    told = np.ones((n, len(STANDARD), TOLD_OF_SITE))
    told[..., 1] = np.tanh(worse / 4)
    told[..., 2], told[..., 3] = crowded[:, None], loose[:, None]
    return np.where(np.isnan(worse)[..., None], np.nan, told)


def faded(distance: Array) -> Array:
    """How much of what a substitution adds is left at a distance in Å: (...) -> (..., K)."""
    return np.exp(-distance[..., None] / np.array(FADING))


def _standard(values: Array) -> Array:
    """Within the structure: mean 0, deviation 1."""
    return (values - values.mean()) / (values.std() + _SMALLEST)
