"""`Structure` and `Protein` to plain values and back, without loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from glass_core.protein import Protein
from glass_core.structure import Structure
from glass_core.structure_file import read_structure, write_structure


def structure_dict(structure: Structure | None) -> dict[str, Any] | None:
    """Name, origin, notes and the atoms as mmCIF."""
    if structure is None:
        return None
    return {
        "name": structure.name,
        "origin": structure.origin,
        "notes": list(structure.notes),
        "mmcif": write_structure(structure, "mmcif", with_ligands=True),
    }


def structure_from(content: Mapping[str, Any] | None) -> Structure | None:
    """Inverse of `structure_dict`."""
    if content is None:
        return None
    read = read_structure(content["mmcif"].encode(), name=content["name"])
    return Structure(
        read.atoms, content["name"], content["origin"], tuple(content["notes"]), read.ligands
    )


def protein_dict(protein: Protein) -> dict[str, Any]:
    """Sequence, name, structure and which residue of it each position is."""
    return {
        "sequence": protein.sequence,
        "name": protein.name,
        "structure": structure_dict(protein.structure),
        "structure_index": [int(i) for i in protein.structure_index],
    }


def protein_from(content: Mapping[str, Any]) -> Protein:
    """Inverse of `protein_dict`."""
    return Protein(
        content["sequence"], content["name"], structure_from(content["structure"]),
        np.array(content["structure_index"], dtype=int),
    )
