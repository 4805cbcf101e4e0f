"""The atoms of a structure file: told by its content, checked, decompressed, parsed."""

from __future__ import annotations

import gzip
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glass_core.errors import StructureError, one_line
from glass_core.protein.structure.guard import check_binary, check_text
from glass_core.protein.structure.structure import Origin

if TYPE_CHECKING:
    from biotite.structure import AtomArray

Format = Literal["mmcif", "pdb", "bcif"]

Neighbours = Literal["unit", "assembly"]
"""The chains of a file as it is, or of its first biological assembly."""
MAX_ASSEMBLY_ATOMS = 3_000_000
"""Larger assemblies are not built."""
MAX_BYTES = 200_000_000
"""Largest file, after decompression, that is read."""
_PDB_RECORDS = (
    b"HEADER",
    b"ATOM  ",
    b"HETATM",
    b"REMARK",
    b"TITLE ",
    b"MODEL ",
    b"CRYST1",
    b"EXPDTA",
    b"COMPND",
    b"SEQRES",
    b"AUTHOR",
    b"DBREF ",
    b"OBSLTE",
    b"PARENT",
)
_LABELS: dict[Format, str] = {"mmcif": "mmCIF", "pdb": "PDB", "bcif": "BinaryCIF"}
_READING: dict[str, Any] = {"model": 1, "altloc": "occupancy"}
_FIELDS = ["b_factor", "occupancy"]
_SIFTS = ["pdbx_sifts_xref_db_acc", "pdbx_sifts_xref_db_num"]
"""Fields of PDBe's updated mmCIF files: UniProt accession and position of each atom."""
_BROKEN = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    EOFError,
    MemoryError,
    struct.error,
    RecursionError,
    NotImplementedError,
    AssertionError,
)
"""What a file reader raises on a broken file."""


@dataclass(frozen=True, eq=False)
class ParsedFile:
    """What a structure file holds.

    Attributes
    ----------
    name : str
        For messages.
    atoms : AtomArray
        All of the first model.
    origin : {"experiment", "alphafold", "model", "remodelled", "unknown"}
    assembly : AtomArray or None
        Atoms of the first biological assembly, symmetry copies marked by a prime; None where
        it was not asked for, or cannot be built.
    """

    name: str
    atoms: AtomArray
    origin: Origin
    assembly: AtomArray | None = None


def load_atoms(
    source: Path | bytes, name: str | None, neighbours: Neighbours = "unit"
) -> ParsedFile:
    """Read a file; its assembly is built where `neighbours` asks for it.

    Raises
    ------
    StructureError
        Not a structure file, or a damaged one.
    """
    if isinstance(source, bytes):
        name, content = name or "structure", source
    else:
        name = name or source.name
        content = _read_bytes(source, name)
    content = _decompress(content, name)
    file_format = _detect(content, name)
    if file_format == "mmcif":
        check_text(content, name)
    elif file_format == "bcif":
        check_binary(content, name)
    try:
        return _parse(content, name, file_format, neighbours == "assembly")
    except StructureError:
        raise
    except _BROKEN as error:
        raise StructureError(
            f"{name}: cannot be read as {_LABELS[file_format]}, it may be truncated or damaged "
            f"({one_line(error)}); fetch the file again."
        ) from error


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise StructureError(f"{name}: there is no such file; check the path.") from None
    except OSError as error:
        raise StructureError(f"{name}: cannot be opened ({error.strerror}).") from error


def _decompress(content: bytes, name: str) -> bytes:
    if content[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(content)) as stream:
                content = stream.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise StructureError(
                f"{name}: is a damaged gzip file ({one_line(error)}); fetch the file again."
            ) from error
    if len(content) > MAX_BYTES:
        raise StructureError(f"{name}: is larger than {MAX_BYTES // 10**6} MB; cut out one chain.")
    if not content.strip():
        raise StructureError(f"{name}: is empty; fetch the file again.")
    return content


def _detect(content: bytes, name: str) -> Format:
    start = content[:4000].lstrip()
    lowered = start[:200].lower()
    if lowered.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        raise StructureError(
            f"{name}: is a web page, not a structure file; download the file itself."
        )
    lines = start.splitlines()
    if any(line.startswith(b"data_") for line in lines):
        return "mmcif"
    if any(line.ljust(6).startswith(_PDB_RECORDS) for line in lines):
        return "pdb"
    if b"\x00" in content[:4000] or not _is_text(start):
        if b"dataBlocks" in content or b"encoder" in content[:4000]:
            return "bcif"
        raise StructureError(
            f"{name}: is a binary file of another kind; give mmCIF, PDB or BinaryCIF."
        )
    raise StructureError(
        f"{name}: is text but neither mmCIF nor PDB; give a file that starts with 'data_' or "
        "with PDB records."
    )


def _is_text(start: bytes) -> bool:
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(start) - 4
    return True


def _parse(content: bytes, name: str, file_format: Format, assembly: bool) -> ParsedFile:
    from biotite.file import DeserializationError, InvalidFileError
    from biotite.structure import BadStructureError

    try:
        with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
            # Fields that a file leaves out and the reader replaces are no news to the user.
            warnings.simplefilter("ignore", UserWarning)
            if file_format == "pdb":
                return _parse_pdb(content, name, assembly)
            return _parse_cif(content, name, file_format, assembly)
    except (InvalidFileError, DeserializationError, BadStructureError) as error:
        raise ValueError(str(error)) from error


def _parse_pdb(content: bytes, name: str, assembly: bool) -> ParsedFile:
    from biotite.structure.io import pdb

    text = content.decode("ascii", errors="replace").replace("\ufffd", "?")
    file = pdb.PDBFile.read(io.StringIO(text))
    whole = _assembly(file, pdb.list_assemblies, pdb.get_assembly) if assembly else None
    atoms = file.get_structure(**_READING, extra_fields=_FIELDS)
    return ParsedFile(name, atoms, _origin_from_text(text[:20_000]), whole)


def _parse_cif(content: bytes, name: str, file_format: Format, assembly: bool) -> ParsedFile:
    from biotite.structure.io import pdbx

    if file_format == "mmcif":
        text = io.StringIO(content.decode("utf-8", errors="replace"))
        cif: Any = pdbx.CIFFile.read(text)
    else:
        cif = pdbx.BinaryCIFFile.read(io.BytesIO(content))
    mapped = set(_SIFTS) <= set(cif.block["atom_site"].keys())
    fields = _FIELDS + _SIFTS if mapped else _FIELDS
    atoms = pdbx.get_structure(cif, use_author_fields=True, **_READING, extra_fields=fields)
    whole = None
    if assembly:
        operations = cif.block.get("pdbx_struct_oper_list")
        count = 0 if operations is None else operations.row_count
        if 0 < count * len(atoms) <= MAX_ASSEMBLY_ATOMS:
            whole = _assembly(cif, pdbx.list_assemblies, pdbx.get_assembly)
    atoms = _with_uniprot(atoms) if mapped else atoms
    return ParsedFile(name, atoms, _origin_from_cif(cif.block), whole)


def _assembly(
    file: Any, ids: Callable[[Any], Iterable[str]], build: Callable[..., AtomArray]
) -> AtomArray | None:
    """The first biological assembly, symmetry copies marked by a prime; None without one."""
    from biotite.file import InvalidFileError

    try:
        first = next(iter(ids(file)), None)
    except (InvalidFileError, KeyError):
        return None
    if first is None:
        return None
    atoms = build(file, assembly_id=first, **_READING)
    copies = getattr(atoms, "sym_id", np.zeros(len(atoms), dtype=int))
    names = np.where(
        copies > 0, np.char.add(np.asarray(atoms.chain_id, dtype=str), "'"), atoms.chain_id
    )
    # Six letters, for the annotation itself holds four and would cut the prime off.
    atoms.del_annotation("chain_id")
    atoms.set_annotation("chain_id", names.astype("U6"))
    return atoms


def _with_uniprot(atoms: AtomArray) -> AtomArray:
    """SIFTS' accession and position of each atom as annotations; '' and -1 where none."""
    names, numbers = (np.asarray(atoms.get_annotation(field), dtype=str) for field in _SIFTS)
    decimal = np.char.isdecimal(numbers) & (np.char.str_len(numbers) < 7)
    atoms.set_annotation("uniprot_accession", np.where(decimal, names, ""))
    atoms.set_annotation("uniprot_position", np.where(decimal, numbers, "-1").astype(int))
    for field in _SIFTS:
        atoms.del_annotation(field)
    return atoms


def _origin_from_text(text: str) -> Origin:
    upper = text.upper()
    if "ALPHAFOLD" in upper:
        return "alphafold"
    if "EXPDTA" in upper:
        return "model" if "THEORETICAL MODEL" in upper else "experiment"
    return "unknown"


def _origin_from_cif(block: Any) -> Origin:
    categories = set(block.keys())
    if "ma_qa_metric_local" in categories or "ma_qa_metric" in categories:
        text = " ".join(
            str(block[c].serialize())
            for c in ("entry", "software", "struct", "ma_software_group")
            if c in categories
        )
        return "alphafold" if "AF-" in text or "alphafold" in text.lower() else "model"
    if "exptl" in categories:
        method = str(block["exptl"]["method"].as_array()[0]).upper()
        return "model" if "THEORETICAL" in method else "experiment"
    return "unknown"
