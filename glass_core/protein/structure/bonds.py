"""Bonds beyond the chain's own: cycles, cross-links, and what holds metals and ligands.

Told by distance between atoms that form such bonds; close contacts of other atoms, which old
and predicted structures have in numbers, are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.structure.polymer import PEPTIDE_BOND
from glass_core.protein.structure.structure import Structure

if TYPE_CHECKING:
    from biotite.structure import AtomArray

COORDINATION = 2.9
"""Å between a metal and the atoms that hold it at most; sodium's and potassium's are longest."""
_FEWEST_HOLDERS = 2
"""An ion that one atom touches holds nothing together."""
_LIGAND_BOND = 2.0
_LIGAND_BOND_OF_SULFUR = 2.3
_METALS = frozenset(
    (
        "LI",
        "NA",
        "K",
        "RB",
        "CS",
        "MG",
        "CA",
        "SR",
        "BA",
        "AL",
        "V",
        "CR",
        "MN",
        "FE",
        "CO",
        "NI",
        "CU",
        "ZN",
        "Y",
        "MO",
        "RU",
        "RH",
        "PD",
        "AG",
        "CD",
        "PT",
        "AU",
        "HG",
        "W",
        "PB",
        "TB",
        "YB",
        "SM",
        "EU",
        "GD",
        "LA",
        "CE",
    )
)
_CARBONYLS = (("ASP", "CG"), ("ASN", "CG"), ("GLU", "CD"), ("GLN", "CD"))
_CROSS_LINKS = (
    ("isopeptide bond", (("LYS", "NZ"),), _CARBONYLS, 1.7),
    ("ester", (("SER", "OG"), ("THR", "OG1")), _CARBONYLS, 1.7),
    ("thioester", (("CYS", "SG"),), _CARBONYLS, 2.1),
    (
        "thioether",
        (("CYS", "SG"),),
        tuple(
            (residue, atom)
            for residue, atoms in (
                ("TYR", "CD1 CD2 CE1 CE2"),
                ("TRP", "CD1 CE3 CZ2 CZ3 CH2"),
                ("HIS", "CD2 CE1"),
                ("SER", "CB"),
                ("THR", "CB"),
                ("ALA", "CB"),
            )
            for atom in atoms.split()
        ),
        2.1,
    ),
    (
        "bond between side chains",
        (("TYR", "CE1"), ("TYR", "CE2"), ("TRP", "CH2")),
        (("HIS", "NE2"), ("HIS", "ND1"), ("TYR", "CE1"), ("TYR", "CE2")),
        1.7,
    ),
)
"""Name, atoms of one side, atoms of the other, most Å between them."""


@dataclass(frozen=True)
class CrossLink:
    """A bond between two residues that are no neighbours, in words."""

    kind: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.kind} between {self.first} and {self.second}"


@dataclass(frozen=True)
class MetalSite:
    """A metal ion and the protein's atoms that hold it.

    Attributes
    ----------
    metal : str
        Such as ``ZN 301``.
    atoms : tuple of int
        Indices into the structure's atoms, at least two.
    """

    metal: str
    atoms: tuple[int, ...]


def is_cyclic(structure: Structure) -> bool:
    """Whether a peptide bond closes the chain head to tail."""
    atoms, residue = structure.atoms, structure.residue_of_atom
    last = len(structure) - 1
    head = atoms.coord[(residue == 0) & (atoms.atom_name == "N")]
    tail = atoms.coord[(residue == last) & (atoms.atom_name == "C")]
    if last < 2 or not len(head) or not len(tail):
        return False
    return bool(np.linalg.norm(head[0] - tail[0]) <= PEPTIDE_BOND)


def cross_links(structure: Structure) -> tuple[CrossLink, ...]:
    """Isopeptide bonds, esters and other bonds between side chains or with an end of the chain.

    Disulfides, which force fields describe, are not among them.
    """
    atoms, residue, last = structure.atoms, structure.residue_of_atom, len(structure) - 1
    found = []
    for kind, ones, others, longest in _CROSS_LINKS:
        first, second = _these(atoms, ones), _these(atoms, others)
        found += [(kind, *pair) for pair in _near(atoms, first, atoms, second, longest)]
    # Lassos: an end of the chain bonded to a side chain.
    head = np.flatnonzero((residue == 0) & (atoms.atom_name == "N"))
    tail = np.flatnonzero((residue == last) & (atoms.atom_name == "C"))
    for end, partners in ((head, _CARBONYLS), (tail, (("LYS", "NZ"),))):
        found += [
            ("isopeptide bond", *pair)
            for pair in _near(atoms, end, atoms, _these(atoms, partners), 1.7)
        ]
    return tuple(
        CrossLink(kind, _label(structure, i), _label(structure, j))
        for kind, i, j in found
        if residue[i] != residue[j]
    )


def metal_sites(structure: Structure) -> tuple[MetalSite, ...]:
    """The metals among the chain's ligands that two or more of its atoms hold."""
    ligands = structure.ligands
    if ligands is None:
        return ()
    holders = np.flatnonzero(np.isin(structure.atoms.element, ("N", "O", "S")))
    sites = []
    for metal in np.flatnonzero(np.isin(ligands.element, sorted(_METALS))):
        pairs = _near(ligands, np.array([metal]), structure.atoms, holders, COORDINATION)
        held = tuple(sorted(atom for _, atom in pairs))
        if len(held) >= _FEWEST_HOLDERS:
            sites.append(MetalSite(f"{ligands.res_name[metal]} {ligands.res_id[metal]}", held))
    return tuple(sites)


def bonded_ligands(structure: Structure) -> tuple[str, ...]:
    """Ligands with a covalent bond to the chain, such as ``HEM 154 (Cys14)``."""
    ligands = structure.ligands
    if ligands is None:
        return ()
    organic = np.flatnonzero(~np.isin(ligands.element, [*sorted(_METALS), "H", "D"]))
    everything = np.arange(len(structure.atoms))
    found: dict[str, None] = {}
    for i, j in _near(ligands, organic, structure.atoms, everything, _LIGAND_BOND_OF_SULFUR):
        length = np.linalg.norm(ligands.coord[i] - structure.atoms.coord[j])
        if length <= _LIGAND_BOND or "S" in (ligands.element[i], structure.atoms.element[j]):
            name = f"{ligands.res_name[i]} {ligands.res_id[i]}"
            found[f"{name} ({_label(structure, j)})"] = None
    return tuple(found)


def _these(atoms: AtomArray, kinds: tuple[tuple[str, str], ...]) -> NDArray[np.int64]:
    """Indices of the atoms of the given residue and name."""
    return np.flatnonzero(
        np.any([(atoms.res_name == r) & (atoms.atom_name == a) for r, a in kinds], axis=0)
    )


def _near(
    one: AtomArray,
    first: NDArray[np.int64],
    other: AtomArray,
    second: NDArray[np.int64],
    longest: float,
) -> Iterator[tuple[int, int]]:
    """Pairs of the indexed atoms within `longest` Å."""
    from scipy.spatial import cKDTree

    if not len(first) or not len(second):
        return
    hits = cKDTree(other.coord[second]).query_ball_point(one.coord[first], longest)
    for i, near in zip(first.tolist(), hits, strict=True):
        for j in sorted(near):
            yield i, int(second[j])


def _label(structure: Structure, atom: int) -> str:
    """Residue and author number of an atom, such as ``Lys23``."""
    place = int(structure.residue_of_atom[atom])
    name = str(structure.atoms.res_name[atom]).capitalize()
    return f"{name}{structure.residue_numbers[place]}"
