"""Which C-alpha distances of the template are held, and how firmly.

A relaxed vacuum structure would forget the experiment; restraints on template
distances keep it, as in comparative modelling (Šali & Blundell, J. Mol. Biol.
234, 779 (1993)). A mutation may move its surroundings, so they are soft near
the mutated residues and stiffen with distance from them. Constants were chosen
by measurement: see ``docs/remodel-notes.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.records import frozen_array

PAIR_RADIUS = 12.0
"""Å; C-alpha pairs closer than this in the template are restrained."""
STIFFNESS = 20.0
"""kJ/mol/Å^2 far from every site."""
SOFT_RADIUS = 12.0
"""Å from a site at which full stiffness is reached."""
SOFT_POWER = 4
SOFTEST = 0.05
"""Smallest fraction of `STIFFNESS`, at the site itself."""
_FIRST_SEPARATION = 2
"""Neighbours in sequence are held by the peptide bond."""


@dataclass(frozen=True, eq=False)
class Restraints:
    """Harmonic restraints 0.5 k (d - d0)^2 on C-alpha distances.

    Attributes
    ----------
    pairs : ndarray, shape=(n, 2), dtype=int
        0-based residue indices.
    distance : ndarray, shape=(n,), dtype=float
        d0 in Å.
    stiffness : ndarray, shape=(n,), dtype=float
        k in kJ/mol/Å^2.
    """

    pairs: NDArray[np.int64]
    distance: NDArray[np.float64]
    stiffness: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.pairs)
        object.__setattr__(self, "pairs", frozen_array(self.pairs, (n, 2), "pairs", np.int64))
        for field in ("distance", "stiffness"):
            object.__setattr__(self, field, frozen_array(getattr(self, field), (n,), field))


def site_distance(ca: NDArray[np.floating], sites: list[int]) -> NDArray[np.float64]:
    """Å from each C-alpha to the nearest site's, shape=(n,).

    Parameters
    ----------
    ca : ndarray, shape=(n, 3), dtype=float
        In Å.
    sites : list of int
        0-based indices, at least one.
    """
    ca = np.asarray(ca, dtype=float)
    return np.asarray(np.linalg.norm(ca[:, None] - ca[sites][None], axis=-1).min(axis=1))


def template_restraints(ca: NDArray[np.floating], sites: list[int]) -> Restraints:
    """Restraints to the distances of a template.

    Parameters
    ----------
    ca : ndarray, shape=(n, 3), dtype=float
        The template's C-alpha coordinates in Å.
    sites : list of int
        0-based indices of the mutated residues.
    """
    from scipy.spatial import cKDTree

    ca = np.asarray(ca, dtype=float)
    pairs = cKDTree(ca).query_pairs(PAIR_RADIUS, output_type="ndarray")
    pairs = pairs[np.abs(pairs[:, 1] - pairs[:, 0]) >= _FIRST_SEPARATION]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    distance = np.linalg.norm(ca[pairs[:, 0]] - ca[pairs[:, 1]], axis=1)
    firmness = np.clip((site_distance(ca, sites) / SOFT_RADIUS) ** SOFT_POWER, SOFTEST, 1.0)
    return Restraints(pairs, distance, STIFFNESS * firmness[pairs].min(axis=1))
