"""A neighbour's structure laid on the protein's, for the 3D view."""

from __future__ import annotations

import numpy as np

from glass_core.errors import InputError
from glass_core.metrics.tmalign import StructuralAlignment
from glass_core.protein.protein import Protein
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure
from glass_core.report import style
from glass_core.report.colouring import Colouring
from glass_core.report.scene import Scene, SceneModel
from glass_core.report.viewer import by_position

_BEYOND = 9000
"""Residues of the neighbour that face none are numbered from here on."""


def neighbour_scene(
    protein: Protein,
    other: Structure,
    found: StructuralAlignment,
    site: int | None = None,
    name: str = "neighbour",
) -> Scene:
    """Both chains; facing residues have one number, and those of the site are drawn in full.

    Parameters
    ----------
    found : StructuralAlignment
        Of `other` onto the structure of `protein`.
    site : int, optional
        1-based position of the protein.

    Raises
    ------
    InputError
        The protein has no structure.
    """
    structure = protein.structure
    if structure is None:
        raise InputError("superposition: the protein has no structure; give a structure file.")
    models = (
        SceneModel("wild", "your protein", by_position(protein, structure), style.WILD),
        SceneModel("neighbour", name, _laid_on(protein, other, found), style.NEIGHBOUR),
    )
    length = len(protein)
    plain = Colouring(
        "chain",
        "by chain",
        np.full(length, np.nan),
        (style.WILD,) * length,
        keys=((style.WILD, "your protein"), (style.NEIGHBOUR, name)),
    )
    facing = _facing(protein, other, found)
    sites = () if site is None else (site,)
    return Scene(
        view=f"{protein.short_name} {name}",
        models=models,
        colourings=(plain,),
        colour="chain",
        sites=sites,
        site_labels=tuple(protein.named(one) for one in sites),
        near=(),
        contacts=(),
        residues=tuple(protein.named(one) for one in range(1, length + 1)),
        values=(("faces", tuple(facing.get(one) for one in range(1, length + 1))),),
        stem=f"glass-{name}",
        hint="Point at a residue to see what faces it.",
    )


def _laid_on(protein: Protein, other: Structure, found: StructuralAlignment) -> str:
    """PDB text of the neighbour, on the protein's structure and numbered by what it faces."""
    number_of = {b: protein.position_of_residue.get(a) for a, b in found.pairs.tolist()}
    atoms = other.atoms.copy()
    atoms.coord = found.onto_reference(atoms.coord).astype(np.float32)
    residue = other.residue_of_atom
    atoms.res_id = np.array([number_of.get(int(j)) or min(_BEYOND + int(j), 9999) for j in residue])
    atoms.ins_code[:], atoms.chain_id[:] = "", "B"
    return write_structure(Structure.from_atoms(atoms, other.name), "pdb")


def _facing(protein: Protein, other: Structure, found: StructuralAlignment) -> dict[int, str]:
    """Position -> residue of the neighbour that faces it, by its author's number."""
    named = {}
    for a, b in found.pairs.tolist():
        position = protein.position_of_residue.get(a)
        if position is not None:
            named[position] = f"{other.sequence[b]}{other.residue_numbers[b]}"
    return named
