"""Whether the new side chain finds room."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.checks.base import Rule
from glass_core.impact.checks.rotamers import FRAME, placed, side_chain_names
from glass_core.impact.checks.site import Site, Surroundings, Verdict
from glass_core.impact.checks.templates import BACKBONE, radius
from glass_core.protein.sequence import THREE_LETTER

OVERLAP = 1.0
"""Å by which two atoms may overlap before they clash.

Of 20,380 wild-type residues of 200 X-ray chains, built anew as if they were mutants, 0.06 %
clash; of buried Ala turned to Phe, 85 %.
"""
POLAR_ALLOWANCE = 0.6
"""Å that N and O come closer than their radii where they share a hydrogen bond."""
NO_BACKBONE = "the structure lacks N, CA or C here"
_FARTHEST = 4.0
"""Å; no two atoms farther apart overlap."""


@dataclass(frozen=True, eq=False)
class Fit:
    """How a side chain fits in the rotamer that fits best.

    Attributes
    ----------
    overlap : float
        Å of its worst pair of atoms; 0 where none overlap.
    distance : float
        Å between the two; NaN where none overlap.
    atom : str
        The side chain's atom of the pair; '' likewise.
    neighbour : int
        Index of the other into the structure's atoms; -1 likewise.
    side_chain : ndarray, shape=(m, 3)
        Where that rotamer's atoms are, in the order of `side_chain_names`, in Å; none of Gly.
    """

    overlap: float
    distance: float = float("nan")
    atom: str = ""
    neighbour: int = -1
    side_chain: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))


def frame(around: Surroundings, place: int) -> NDArray[np.float64] | None:
    """N, CA and C of a residue, shape=(3, 3), in Å; None where one is missing."""
    found = [around.atom(place, name) for name in FRAME]
    return None if any(atom is None for atom in found) else np.array(found)


def best_fit(around: Surroundings, place: int, letter: str) -> Fit | None:
    """How well the side chain of `letter` fits at a residue; None without its backbone.

    Every rotamer is set against the chain's heavy atoms but those of the residue itself and
    the backbone of the two beside it, which phi and psi are to judge. Ligands, metals and
    other chains are left out, and nothing gives way: what is there stays where it is.
    """
    from scipy.spatial.distance import cdist

    own = frame(around, place)
    if own is None:
        return None
    made = placed(letter, own)
    if not made.size:
        return Fit(0.0)
    centre = own[1]
    reach = float(np.linalg.norm(made - centre, axis=-1).max()) + _FARTHEST
    near = np.array(sorted(around.tree.query_ball_point(centre, reach)), dtype=int)
    near = near[~_left_out(around, place, near)]
    if not len(near):
        return Fit(0.0, side_chain=made[0])
    names = side_chain_names(letter)
    distance = cdist(made.reshape(-1, 3), around.coord[near]).reshape(*made.shape[:2], len(near))
    overlap = _contact(around, letter, near)[None] - distance
    best = int(overlap.max(axis=(1, 2)).argmin())
    atom, neighbour = np.unravel_index(overlap[best].argmax(), overlap[best].shape)
    worst = float(overlap[best, atom, neighbour])
    if worst <= 0:
        return Fit(0.0, side_chain=made[best])
    pair = float(distance[best, atom, neighbour])
    return Fit(worst, pair, names[atom], int(near[neighbour]), made[best])


def _left_out(around: Surroundings, place: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which atoms a side chain at `place` is not set against."""
    atoms = around.structure.atoms[rows]
    residue = around.structure.residue_of_atom[rows]
    beside = np.abs(residue - place) == 1
    return np.asarray((residue == place) | (beside & np.isin(atoms.atom_name, BACKBONE)))


def _contact(around: Surroundings, letter: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Å at which the side chain's atoms and others just touch, shape=(m, len(rows))."""
    names = side_chain_names(letter)
    own = np.array([radius(THREE_LETTER[letter].upper(), name) for name in names])
    touch = own[:, None] + around.radii[rows][None]
    elements = around.structure.atoms.element[rows]
    polar = np.array([name[0] in "NO" for name in names])
    touch -= POLAR_ALLOWANCE * (polar[:, None] & np.isin(elements, ("N", "O"))[None])
    sulfur = np.array([name == "SG" for name in names])
    bond = sulfur[:, None] & (around.structure.atoms.atom_name[rows] == "SG")[None]
    return np.where(bond, 0.0, touch)  # two cysteines may bond


def clash(site: Site) -> Verdict:
    """A side chain that no rotamer finds room for."""
    fit = best_fit(site.around, site.place, site.mutant)
    if fit is None:
        return site.untold(NO_BACKBONE)
    holds = fit.overlap > OVERLAP
    if fit.neighbour < 0:
        return False, f"{site.mutant} finds room at {site.label}."
    atoms = site.around.structure.atoms
    other = site.name_of(int(site.around.structure.residue_of_atom[fit.neighbour]))
    met = f"its {fit.atom} {fit.distance:.1f} Å from {atoms.atom_name[fit.neighbour]} of {other}"
    lead = (
        f"No rotamer of {site.mutant} finds room at {site.label}; the best has"
        if holds
        else f"{site.mutant} finds room at {site.label}; the tightest contact has"
    )
    return holds, f"{lead} {met} (overlap {fit.overlap:.2f} Å)."


def _new_atoms(site: Site) -> bool:
    """Whether the mutant has side-chain atoms to place that the wild type may lack.

    Proline, whose ring the backbone holds, has rules of its own.
    """
    return site.mutant not in "GP" and (site.mutant != "A" or site.wild == "G")


RULES = (
    Rule(
        "clash",
        f"overlap over {OVERLAP} Å in every rotamer, with a chain that does not give way",
        "as Missense3D (Ittisoponpisan et al., J. Mol. Biol. 431, 2197 (2019)), by an own measure "
        "whose threshold is set by the wild types of 200 X-ray chains",
        _new_atoms,
        clash,
    ),
)
