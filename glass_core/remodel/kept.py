"""What the chain's structure is held by besides its peptide bonds, as OpenMM is to keep it.

Works on OpenMM's objects without importing it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from glass_core.protein.structure.bonds import metal_sites
from glass_core.protein.structure.structure import Structure

CAPS = ("ACE", "NME")
"""Residues that close a chain where it is broken."""
DISULFIDE = 3.0
"""Å between two SG atoms of a disulfide bond."""


def join_disulfides(wild: Structure, topology: Any) -> None:
    """Bond the cysteines that the wild type bonds, also where one was built anew."""
    from scipy.spatial import cKDTree

    sulfur = np.flatnonzero((wild.atoms.atom_name == "SG") & (wild.atoms.res_name == "CYS"))
    if len(sulfur) < 2:
        return
    place = wild.residue_of_atom[sulfur]
    residues = [r for r in topology.residues() if r.name not in CAPS]
    bonded = {frozenset((a.index, b.index)) for a, b in topology.bonds()}
    for i, j in sorted(cKDTree(wild.atoms.coord[sulfur]).query_pairs(DISULFIDE)):
        pair = [
            atom
            for k in (i, j)
            for atom in residues[place[k]].atoms()
            if atom.name == "SG" and atom.residue.name == "CYS"
        ]
        if len(pair) == 2 and frozenset(a.index for a in pair) not in bonded:
            topology.addBond(*pair)


def close_cycle(modeller: Any) -> None:
    """Bond the chain's end to its beginning, without what free ends have more."""
    residues = list(modeller.topology.residues())
    ends = residues[0], residues[-1]
    extra = [atom for atom in ends[0].atoms() if atom.name in ("H2", "H3")]
    extra += [atom for atom in ends[1].atoms() if atom.name in ("OXT", "HXT")]
    modeller.delete(extra)
    residues = list(modeller.topology.residues())
    head = next(atom for atom in residues[0].atoms() if atom.name == "N")
    tail = next(atom for atom in residues[-1].atoms() if atom.name == "C")
    modeller.topology.addBond(tail, head)


def metal_histidines(wild: Structure) -> dict[int, str]:
    """Protonation of the histidines that hold a metal: the nitrogen that does is bare."""
    atoms = wild.atoms
    bare = {"ND1": "HIE", "NE2": "HID"}
    return {
        int(wild.residue_of_atom[i]): bare[str(atoms.atom_name[i])]
        for site in metal_sites(wild)
        for i in site.atoms
        if atoms.res_name[i] == "HIS" and atoms.atom_name[i] in bare
    }


def metal_pairs(wild: Structure, residues: list[Any]) -> Iterator[tuple[int, int, float]]:
    """Atoms that hold a metal together, as far as they are still there, and their distance in Å.

    The metal itself has no parameters; its holders stay as if it were there.
    """
    for site in metal_sites(wild):
        held = []
        for index in site.atoms:
            residue = residues[int(wild.residue_of_atom[index])]
            name = str(wild.atoms.atom_name[index])
            same = residue.name == wild.atoms.res_name[index]
            held += [(index, a.index) for a in residue.atoms() if same and a.name == name]
        for (i, first), (j, second) in itertools.combinations(held, 2):
            yield first, second, float(np.linalg.norm(wild.atoms.coord[i] - wild.atoms.coord[j]))
