"""What the side chains at a substituted site touch, with coordinates, so that it can be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.checks.bonds import disulphide, hydrogen_bonds, salt_bridges
from glass_core.impact.checks.packing import OVERLAP, best_fit
from glass_core.impact.checks.rotamers import side_chain_names
from glass_core.impact.checks.site import Site, Surroundings
from glass_core.records import frozen_array, require_one_of

ContactKind = Literal["hydrogen bond", "salt bridge", "disulphide", "clash"]
CONTACT_KINDS = ("hydrogen bond", "salt bridge", "disulphide", "clash")
NEAR = 5.0
"""Å from a heavy atom of the residue within which another residue is drawn with it."""


@dataclass(frozen=True, eq=False)
class SiteContact:
    """Two atoms, one of them of the side chain at the site.

    Attributes
    ----------
    kind : {"hydrogen bond", "salt bridge", "disulphide", "clash"}
    start, end : ndarray, shape=(3,)
        Å; the site's atom, and the other.
    partner : int
        0-based index of the other residue into the structure.
    """

    kind: ContactKind
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    partner: int

    def __post_init__(self) -> None:
        require_one_of(self.kind, CONTACT_KINDS, "kind")
        for name in ("start", "end"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), (3,), name))

    @property
    def distance(self) -> float:
        """Å."""
        return float(np.linalg.norm(self.start - self.end))


@dataclass(frozen=True, eq=False)
class NewSideChain:
    """The mutant's side chain in the rotamer that fits best, nothing else moved.

    It is a picture of where the residue would go, and no remodel.

    Attributes
    ----------
    letter : str
    names : tuple of str
        Of its heavy atoms.
    coordinates : ndarray, shape=(m, 3)
        Å, on the backbone of the wild type's structure.
    clash : SiteContact or None
        Its worst contact, where that counts as a clash.
    """

    letter: str
    names: tuple[str, ...]
    coordinates: NDArray[np.float64]
    clash: SiteContact | None


def side_chain_contacts(around: Surroundings, place: int) -> tuple[SiteContact, ...]:
    """Bonds of the side chain of the residue at `place`, each pair of atoms once.

    A pair that is a salt bridge is not listed as a hydrogen bond as well.
    """
    return tuple({tuple(c.start) + tuple(c.end): c for c in _contacts(around, place)}.values())


def _contacts(around: Surroundings, place: int) -> Iterator[SiteContact]:
    residue = around.structure.residue_of_atom
    for row, partner in hydrogen_bonds(around, place):
        yield SiteContact(
            "hydrogen bond", around.coord[row], around.coord[partner.row], int(residue[partner.row])
        )
    for row, partner in salt_bridges(around, place):
        yield SiteContact(
            "salt bridge", around.coord[row], around.coord[partner.row], int(residue[partner.row])
        )
    own = around.atom(place, "SG") if around.structure.sequence[place] == "C" else None
    bonded = None if own is None else disulphide(around, place)
    if own is not None and bonded is not None:
        yield SiteContact("disulphide", own, around.coord[bonded.row], int(residue[bonded.row]))


def new_side_chain(site: Site) -> NewSideChain | None:
    """The mutant's side chain at a site; None without a backbone to put it on, and for glycine."""
    if site.gap or not site.is_standard or site.mutant == "G":
        return None
    fit = best_fit(site.around, site.place, site.mutant)
    if fit is None or not len(fit.side_chain):
        return None
    names, clash = side_chain_names(site.mutant), None
    if fit.overlap > OVERLAP and fit.neighbour >= 0:
        other = int(site.around.structure.residue_of_atom[fit.neighbour])
        start = fit.side_chain[names.index(fit.atom)]
        clash = SiteContact("clash", start, site.around.coord[fit.neighbour], other)
    return NewSideChain(site.mutant, names, fit.side_chain, clash)


def near_residues(around: Surroundings, place: int) -> tuple[int, ...]:
    """0-based indices of the other residues within `NEAR` Å of a heavy atom of the residue."""
    own = around.coord[around.structure.residue_of_atom == place]
    found = around.tree.query_ball_point(own, NEAR)
    rows = np.unique(np.concatenate([np.array(each, dtype=int) for each in found]))
    near = np.unique(around.structure.residue_of_atom[rows])
    return tuple(int(i) for i in near if i != place)
