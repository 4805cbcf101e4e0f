"""Structure files: mmCIF, PDB and BinaryCIF, each also gzip'd, in; mmCIF and PDB out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from glass_core.errors import StructureError
from glass_core.protein.sequence import ONE_LETTER, STANDARD, THREE_LETTER, UNKNOWN
from glass_core.protein.structure.parse import Neighbours, load_atoms
from glass_core.protein.structure.structure import Origin, Structure

if TYPE_CHECKING:
    from biotite.structure import AtomArray

_PARENTS = {
    "MSE": "MET",
    "SEP": "SER",
    "TPO": "THR",
    "PTR": "TYR",
    "CSO": "CYS",
    "CME": "CYS",
    "CSD": "CYS",
    "OCS": "CYS",
    "CSX": "CYS",
    "CAS": "CYS",
    "SMC": "CYS",
    "HYP": "PRO",
    "MLY": "LYS",
    "M3L": "LYS",
    "MLZ": "LYS",
    "KCX": "LYS",
    "ALY": "LYS",
    "LLP": "LYS",
    "PCA": "GLU",
    "CGU": "GLU",
    "TYS": "TYR",
    "HIC": "HIS",
    "NEP": "HIS",
    "FME": "MET",
    "MHO": "MET",
    "SAC": "SER",
    "TRN": "TRP",
    "FTR": "TRP",
    "AGM": "ARG",
    "MEN": "ASN",
    "HSD": "HIS",
    "HSE": "HIS",
    "HSP": "HIS",
    "HID": "HIS",
    "HIE": "HIS",
    "HIP": "HIS",
    "CYX": "CYS",
    "CYM": "CYS",
    "ASH": "ASP",
    "GLH": "GLU",
    "LYN": "LYS",
}
"""Modified residues and force-field names whose parent the chemical dictionary does not give."""
_RENAMED_ATOMS = {("MSE", "SE"): ("SD", "S")}


@dataclass(frozen=True)
class Chain:
    """A protein chain found in a file: its author identifier and residues."""

    id: str
    sequence: str

    def __str__(self) -> str:
        return f"{self.id} ({len(self.sequence)} residues)"


def read_structure(
    source: Path | bytes,
    *,
    chain: str | None = None,
    name: str | None = None,
    neighbours: Neighbours = "unit",
) -> Structure:
    """Read one protein chain.

    First model; of alternative locations the one with the highest occupancy;
    modified residues become their parents; author numbering is kept.

    Parameters
    ----------
    source : Path or bytes
        A file or its content; the format is told by the content.
    chain : str, optional
        Author chain identifier; needed when there are several protein chains.
    name : str, optional
        What to call the file in messages.
    neighbours : {"unit", "assembly"}
        Whether contacts are with the chains of the file or of its first biological assembly.

    Raises
    ------
    StructureError
        Not such a file, truncated, no protein, no such chain, or several
        chains and none chosen; the message lists them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tmtools.testing import get_pdb_path
    >>> from glass_core import read_structure
    >>> structure = read_structure(Path(get_pdb_path("2gtl")), chain="A")
    >>> len(structure), structure.sequence[:8], structure.ca.shape
    (147, 'DCCSYEDR', (147, 3))
    """
    file = load_atoms(source, name, neighbours)
    name, atoms, others = file.name, file.atoms, file.assembly
    chains = _protein_chains(atoms, name)
    ids = [c.id for c in chains]
    listing = ", ".join(map(str, chains[:12])) + (", ..." if len(chains) > 12 else "")
    if chain is None:
        if len(chains) > 1:
            raise StructureError(
                f"{name}: has {len(chains)} protein chains; choose one: {listing}."
            )
        chain = ids[0]
    elif chain not in ids:
        raise StructureError(f"{name}: has no protein chain '{chain}'; it has {listing}.")
    if others is not None:
        partners = others[_is_residue(others) & (others.chain_id != chain)]
    elif neighbours == "assembly":
        raise StructureError(
            f"{name}: describes no biological assembly that can be built; choose the chains of "
            "the file."
        )
    else:
        partners = atoms[_is_residue(atoms) & (atoms.chain_id != chain)]
    return _one_chain(atoms[atoms.chain_id == chain], name, file.origin, partners)


def list_chains(source: Path | bytes, *, name: str | None = None) -> tuple[Chain, ...]:
    """The protein chains of a file, in file order.

    Raises
    ------
    StructureError
        Not a structure file, or one without protein.
    """
    file = load_atoms(source, name)
    return _protein_chains(file.atoms, file.name)


def write_structure(
    structure: Structure, file_format: Literal["mmcif", "pdb"], *, with_ligands: bool = False
) -> str:
    """The text of an mmCIF or PDB file with the structure's own numbering.

    Raises
    ------
    StructureError
        PDB was asked for and the chain does not fit it (over 99,999 atoms,
        residue numbers over 9,999, a chain identifier of several letters).
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
        cif.write(text)
        return text.getvalue()
    chains = sorted(set(map(str, atoms.chain_id)))
    if max(map(len, chains)) > 1 or np.abs(atoms.res_id).max() > 9999 or len(atoms) > 99_999:
        raise StructureError(f"chain '{chains[0]}': does not fit the PDB format; use mmCIF.")
    file = pdb.PDBFile()
    pdb.set_structure(file, atoms)
    file.write(text)
    return text.getvalue()


def _protein_chains(atoms: AtomArray, name: str) -> tuple[Chain, ...]:
    atoms = atoms[_is_residue(atoms)]
    ca = atoms[(atoms.atom_name == "CA") & (atoms.element != "CA")]
    if not len(ca):
        raise StructureError(f"{name}: has no protein residue with a C-alpha atom.")
    order = dict.fromkeys(str(c) for c in ca.chain_id)
    return tuple(
        Chain(
            c,
            "".join(
                ONE_LETTER.get(_parent(str(r)), UNKNOWN) for r in ca.res_name[ca.chain_id == c]
            ),
        )
        for c in order
    )


def _one_chain(atoms: AtomArray, name: str, origin: Origin, partners: AtomArray) -> Structure:
    residue = _is_residue(atoms)
    protein, ligands = atoms[residue], atoms[~residue]
    notes: list[str] = []
    for original in sorted(set(map(str, protein.res_name))):
        parent = _parent(original)
        if parent == original:
            continue
        count = int(((protein.res_name == original) & (protein.atom_name == "CA")).sum())
        notes.append(f"{count} {original} residue(s) read as {parent}.")
        for (residue_name, atom), (new_atom, element) in _RENAMED_ATOMS.items():
            if residue_name == original:
                renamed = (protein.res_name == original) & (protein.atom_name == atom)
                protein.atom_name[renamed], protein.element[renamed] = new_atom, element
        protein.res_name[protein.res_name == original] = parent
    protein.hetero[:] = False
    kept = ligands[~np.isin(ligands.res_name, ("HOH", "DOD", "WAT"))]
    return Structure.from_atoms(
        protein, name, origin, tuple(notes), kept if len(kept) else None, partners
    )


def _is_residue(atoms: AtomArray) -> np.ndarray:
    """Atoms of amino-acid residues of a chain: standard, known modified, or with a backbone."""
    import biotite.structure as struc

    if not len(atoms):
        return np.zeros(0, dtype=bool)
    names = {str(n) for n in np.unique(atoms.res_name)}
    known = {n for n in names if _parent(n) in ONE_LETTER and _parent(n) != "XAA"}
    by_name = np.isin(atoms.res_name, sorted(known))
    backbone = np.all(
        [
            struc.apply_residue_wise(
                atoms, (atoms.atom_name == name) & (atoms.element == name[0]), np.any
            )
            for name in ("N", "CA", "C")
        ],
        axis=0,
    )
    spread = struc.spread_residue_wise(atoms, backbone)
    # A free amino acid bound as a ligand is no part of the chain: it is hetero and standard.
    free = atoms.hetero & np.isin(atoms.res_name, [THREE_LETTER[s].upper() for s in STANDARD])
    return np.asarray((by_name | spread) & ~free, dtype=bool)


def _parent(name: str) -> str:
    """The standard residue a modified one derives from, or `name` itself."""
    if name in ONE_LETTER:
        return name
    if name in _PARENTS:
        return _PARENTS[name]
    from biotite.structure.info import one_letter_code

    letter = one_letter_code(name)
    return THREE_LETTER[letter].upper() if letter and letter in STANDARD else name
