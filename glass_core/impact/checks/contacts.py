"""What else the residue touches: other chains, ligands, metals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glass_core.impact.checks.base import Rule
from glass_core.impact.checks.site import Site, Verdict
from glass_core.impact.checks.templates import BACKBONE
from glass_core.protein.structure.bonds import COORDINATION, metal_sites
from glass_core.protein.structure.residues import WATER
from glass_core.protein.structure.structure import CONTACT

if TYPE_CHECKING:
    from biotite.structure import AtomArray

LIGAND = 4.0
"""Å between heavy atoms of a residue and of a ligand that touch."""
HOLDERS = "CDEHKMNQRSTWY"
"""Residues whose side chain has an atom that can hold a metal."""


def interface_contact(site: Site) -> Verdict:
    """A residue at another chain."""
    chains = site.protein.contacts(site.position - 1)
    if chains:
        return True, f"{site.label} touches chain {', '.join(chains.split())}."
    return False, f"{site.label} touches no other chain of the file."


def ligand_contact(site: Site) -> Verdict:
    """A residue at something bound; water does not count, crystallisation agents do."""
    from scipy.spatial.distance import cdist

    ligands = _ligands(site)
    own = site.around.coord[site.around.structure.residue_of_atom == site.place]
    nearest = cdist(own, ligands.coord).min(axis=0)
    best = int(nearest.argmin())
    if nearest[best] > LIGAND:
        return False, f"{site.label} touches no ligand."
    name = f"{ligands.res_name[best]} {ligands.res_id[best]}"
    return True, f"{site.label} touches the ligand {name} ({nearest[best]:.1f} Å)."


def metal_ligand_lost(site: Site) -> Verdict:
    """A side chain that holds a metal."""
    structure = site.around.structure
    for metal in metal_sites(structure):
        for row in metal.atoms:
            side = str(structure.atoms.atom_name[row]) not in BACKBONE
            if side and structure.residue_of_atom[row] == site.place:
                atom = structure.atoms.atom_name[row]
                return True, f"{site.label} holds the metal {metal.metal} by its {atom}."
    return False, f"The side chain of {site.label} holds no metal."


def _ligands(site: Site) -> AtomArray:
    """Heavy atoms bound to the chain, water left out; there may be none."""
    ligands = site.around.structure.ligands
    if ligands is None:
        return site.around.structure.atoms[:0]
    left_out = np.isin(ligands.element, ("H", "D")) | np.isin(ligands.res_name, sorted(WATER))
    return ligands[~left_out & np.isfinite(ligands.coord).all(axis=1)]


def _has_ligands(site: Site) -> bool:
    return len(_ligands(site)) > 0


RULES = (
    Rule(
        "interface_contact",
        f"heavy atoms at most {CONTACT:.0f} Å apart",
        "the structure file's other chains",
        lambda site: any(site.around.structure.contacts),
        interface_contact,
    ),
    Rule(
        "ligand_contact",
        f"heavy atoms at most {LIGAND:.0f} Å apart",
        "the structure file's ligands",
        _has_ligands,
        ligand_contact,
    ),
    Rule(
        "metal_ligand_lost",
        f"an N, O or S of the side chain at most {COORDINATION} Å from a metal that another atom "
        "holds too",
        "the structure file's metals",
        lambda site: site.wild in HOLDERS and _has_ligands(site),
        metal_ligand_lost,
    ),
)
