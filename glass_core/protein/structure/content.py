"""The content of a structure file: read, decompressed, and its format told by what stands in it."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import Literal

from glass_core.errors import StructureError, one_line

Format = Literal["mmcif", "pdb", "bcif"]
LABELS: dict[Format, str] = {"mmcif": "mmCIF", "pdb": "PDB", "bcif": "BinaryCIF"}
MAX_BYTES = 200_000_000
"""Largest file, after decompression, that is read."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PDB_RECORDS = (
    b"HEADER",
    b"ATOM",
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


def read_content(source: Path | bytes, name: str) -> bytes:
    """The bytes of a file or of its content, decompressed, without a byte order mark.

    Raises
    ------
    StructureError
        It cannot be opened, is empty, too large, or damaged gzip.
    """
    content = _decompress(source if isinstance(source, bytes) else _read_bytes(source, name), name)
    return content.removeprefix(_BYTE_ORDER_MARK)


def detect(content: bytes, name: str) -> Format:
    """The format of a structure file.

    Raises
    ------
    StructureError
        It is none of them; the message says what it looks like.
    """
    start = content[:4000].lstrip()
    lowered = start[:200].lower()
    if lowered.startswith(b"<?xml"):
        raise StructureError(f"{name}: is XML, such as PDBML; give mmCIF, PDB or BinaryCIF.")
    if lowered.startswith((b"<!doctype", b"<html", b"<head", b"<body")):
        raise StructureError(
            f"{name}: is a web page, not a structure file; download the file itself."
        )
    lines = start.splitlines()
    if any(line.lower().lstrip().startswith(b"data_") for line in lines) or _only_comments(lines):
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


def _only_comments(lines: list[bytes]) -> bool:
    """A CIF may begin with more comments than were looked at."""
    return len(lines) > 1 and all(line.startswith(b"#") or not line.strip() for line in lines[:-1])


def _is_text(start: bytes) -> bool:
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(start) - 4
    return True
