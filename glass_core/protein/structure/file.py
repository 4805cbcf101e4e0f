"""Structure files: mmCIF, PDB and BinaryCIF, each also gzip'd, to one chain of them."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from glass_core.errors import StructureError, one_line
from glass_core.protein.sequence import ONE_LETTER
from glass_core.protein.structure.chains import ProteinChain, protein_chains
from glass_core.protein.structure.cif import read_cif
from glass_core.protein.structure.cif_columns import binary_blocks, text_blocks
from glass_core.protein.structure.content import LABELS, Format, detect, read_content
from glass_core.protein.structure.pdb import read_pdb
from glass_core.protein.structure.residues import parent
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.table import FileContent

if TYPE_CHECKING:
    from biotite.structure import AtomArray

Neighbours = Literal["unit", "assembly"]
"""The chains of a file as it is, or of its first biological assembly."""
MAX_ASSEMBLY_ATOMS = 3_000_000
"""Larger assemblies are not built."""
_RENAMED_ATOMS = {("MSE", "SE"): ("SD", "S")}
_BROKEN = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    AssertionError,
)
"""What the readers raise on a broken file; RuntimeError has RecursionError among others."""


@dataclass(frozen=True)
class Chain:
    """A protein chain found in a file: its author identifier and residues."""

    id: str
    sequence: str

    def __str__(self) -> str:
        return f"{self.id or '(blank)'} ({len(self.sequence)} residues)"


def read_structure(
    source: Path | bytes,
    *,
    chain: str | None = None,
    name: str | None = None,
    neighbours: Neighbours = "unit",
) -> Structure:
    """Read one protein chain.

    First model; of alternative locations the one with the highest occupancy; residues bonded
    into the chain, modified ones as their parents; author numbering is kept. What was passed
    over or decided is in the structure's notes.

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
    file, chains = _read(source, name)
    chosen = _chosen(chains, chain, file.name)
    if neighbours == "assembly":
        partners = _assembly(file, chains, chosen)
    else:
        partners = _unit(file, [other for other in chains if other is not chosen])
    return _structure(file, chosen, partners)


def list_chains(source: Path | bytes, *, name: str | None = None) -> tuple[Chain, ...]:
    """The protein chains of a file, in file order.

    Raises
    ------
    StructureError
        Not a structure file, or one without protein.
    """
    return tuple(Chain(one.id, one.sequence) for one in _read(source, name)[1])


def _read(source: Path | bytes, name: str | None) -> tuple[FileContent, tuple[ProteinChain, ...]]:
    """A file and its protein chains, of which there is at least one."""
    if name is None:
        name = "structure" if isinstance(source, bytes) else source.name
    content = read_content(source, name)
    file_format = detect(content, name)
    try:
        with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
            # Fields that a file leaves out and the reader replaces are no news to the user.
            warnings.simplefilter("ignore", UserWarning)
            file = _parse(content, name, file_format)
            chains = protein_chains(file)
    except StructureError:
        raise
    except _BROKEN as error:
        raise StructureError(
            f"{name}: cannot be read as {LABELS[file_format]}, it may be truncated or damaged "
            f"({one_line(error)}); fetch the file again."
        ) from error
    if not chains:
        raise StructureError(f"{name}: has no protein residue with a C-alpha atom.")
    return file, chains


def _parse(content: bytes, name: str, file_format: Format) -> FileContent:
    from biotite.file import DeserializationError, InvalidFileError

    if file_format == "pdb":
        return read_pdb(content, name)
    try:
        blocks = text_blocks if file_format == "mmcif" else binary_blocks
        return read_cif(list(blocks(content, name)), name)
    except (InvalidFileError, DeserializationError) as error:
        raise ValueError(str(error)) from error


def _chosen(chains: Sequence[ProteinChain], chain: str | None, name: str) -> ProteinChain:
    listed = [Chain(one.id, one.sequence) for one in chains]
    more = f" and {len(listed) - 12} more" if len(listed) > 12 else ""
    listing = ", ".join(map(str, listed[:12])) + more
    if chain is None:
        if len(chains) > 1:
            raise StructureError(
                f"{name}: has {len(chains)} protein chains; choose one: {listing}."
            )
        return chains[0]
    found = next((one for one in chains if one.id == chain), None)
    if found is None:
        raise StructureError(f"{name}: has no protein chain '{chain}'; it has {listing}.")
    return found


def _unit(file: FileContent, chains: Sequence[ProteinChain]) -> AtomArray:
    """Atoms of some chains as the file has them."""
    rows = [chain.rows for chain in chains]
    names = [np.full(len(own), chain.id) for own, chain in zip(rows, chains, strict=True)]
    if not rows:
        return file.atoms.array(np.zeros(0, dtype=np.int64), "")
    return file.atoms.array(np.concatenate(rows), np.concatenate(names))


def _assembly(file: FileContent, chains: Sequence[ProteinChain], chosen: ProteinChain) -> AtomArray:
    """Atoms of the first assembly but for the chain itself; a prime marks symmetry copies."""
    total = sum(len(chain.rows) for chain in chains)
    if not file.assembly or len(file.assembly) * total > MAX_ASSEMBLY_ATOMS:
        raise StructureError(
            f"{file.name}: describes no biological assembly that can be built; choose the chains "
            "of the file."
        )
    rows, names, coords = [], [], []
    for copy in file.assembly:
        of = file.atoms.subchain if copy.of_subchains else file.atoms.chain
        for chain in chains:
            if copy.is_original and chain is chosen:
                continue
            own = chain.rows[np.isin(of[chain.rows], sorted(copy.chains))]
            rows.append(own)
            names.append(np.full(len(own), chain.id + ("" if copy.is_original else "'")))
            coords.append(file.atoms.coord[own] @ copy.rotation.T + copy.shift)
    return file.atoms.array(np.concatenate(rows), np.concatenate(names), np.concatenate(coords))


def _structure(file: FileContent, chain: ProteinChain, partners: AtomArray) -> Structure:
    protein = file.atoms.array(chain.rows, chain.id)
    ligands = file.atoms.array(chain.ligands, chain.id)
    notes = [*file.notes, *chain.notes]
    for original in sorted({residue.name for residue in chain.residues}):
        new = parent(original)
        count = sum(residue.name == original for residue in chain.residues)
        if new not in ONE_LETTER:
            notes.append(f"{count} {original} residue(s) read as unknown (X).")
        if new == original:
            continue
        notes.append(f"{count} {original} residue(s) read as {new}.")
        for (residue_name, atom), (new_atom, element) in _RENAMED_ATOMS.items():
            if residue_name == original:
                renamed = (protein.res_name == original) & (protein.atom_name == atom)
                protein.atom_name[renamed], protein.element[renamed] = new_atom, element
        protein.res_name[protein.res_name == original] = new
    protein.hetero[:] = False
    ligands.hetero[:] = True
    return Structure.from_atoms(
        protein, file.name, file.origin, tuple(notes), ligands if len(ligands) else None, partners
    )
