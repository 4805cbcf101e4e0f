"""Structures as text: mmCIF that says what is polymer, and PDB where the chain fits it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glass_core.errors import StructureError
from glass_core.protein.structure.structure import Structure

if TYPE_CHECKING:
    from biotite.structure import AtomArray

_PDB_NUMBERS, _PDB_ATOMS = (-999, 9_999), 99_999


def write_structure(
    structure: Structure, file_format: Literal["mmcif", "pdb"], *, with_ligands: bool = False
) -> str:
    """The text of an mmCIF or PDB file with the structure's own numbering.

    Raises
    ------
    StructureError
        PDB was asked for and the chain does not fit it; see `why_no_pdb`.
    """
    atoms = structure.atoms
    if with_ligands and structure.ligands is not None:
        atoms = atoms + structure.ligands
    return write_atoms(atoms, file_format)


def write_atoms(atoms: AtomArray, file_format: Literal["mmcif", "pdb"]) -> str:
    """The text of a file of any atoms; see `write_structure`."""
    from biotite.structure.io import pdb, pdbx

    text = io.StringIO()
    if file_format == "mmcif":
        cif = pdbx.CIFFile()
        pdbx.set_structure(cif, atoms, data_block="glass")
        _tell_polymers(cif, atoms)
        cif.write(text)
        return text.getvalue()
    reason = why_no_pdb(atoms)
    if reason:
        raise StructureError(f"chain '{atoms.chain_id[0]}': {reason}")
    file = pdb.PDBFile()
    pdb.set_structure(file, atoms)
    file.write(text)
    return text.getvalue()


def why_no_pdb(atoms: AtomArray) -> str:
    """Why the atoms do not fit the PDB format; '' where they do."""
    lowest, highest = _PDB_NUMBERS
    chains = sorted(set(map(str, atoms.chain_id)))
    if max(map(len, chains)) > 1:
        return f"the PDB format has one letter for a chain, this is '{chains[-1]}'; use mmCIF."
    if atoms.res_id.min() < lowest or atoms.res_id.max() > highest:
        return f"the PDB format has residue numbers from {lowest} to {highest:,}; use mmCIF."
    if len(atoms) > _PDB_ATOMS:
        return f"the PDB format holds {_PDB_ATOMS:,} atoms at most; use mmCIF."
    return ""


def _tell_polymers(cif: Any, atoms: AtomArray) -> None:
    """Say which atoms are a polymer's and at which place, so that readers need not guess."""
    import biotite.structure as struc
    from biotite.structure.io import pdbx

    polymer = ~np.asarray(atoms.hetero, dtype=bool)
    starts = struc.get_residue_starts(atoms)
    of_polymer = polymer[starts]
    chain = atoms.chain_id[starts]
    place = np.zeros(len(starts), dtype=int)
    for name in np.unique(chain):
        own = of_polymer & (chain == name)
        place[own] = np.arange(1, own.sum() + 1)
    place = place[struc.get_all_residue_positions(atoms)]
    table = cif.block["atom_site"]
    table["label_seq_id"] = pdbx.CIFColumn(
        pdbx.CIFData(np.where(polymer, place, 1)),
        pdbx.CIFData(np.where(polymer, 0, 1).astype(np.uint8)),
    )
    table["label_entity_id"] = np.where(polymer, "1", "2")
    kinds = [("1", "polymer"), ("2", "non-polymer")]
    present = kinds if not polymer.all() else kinds[:1]
    cif.block["entity"] = pdbx.CIFCategory(
        {"id": [i for i, _ in present], "type": [kind for _, kind in present]}
    )
