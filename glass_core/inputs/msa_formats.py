"""The rows of a file with a multiple sequence alignment, as a stream, whatever its format.

A3M, A2M, aligned FASTA, Stockholm and Clustal, each also compressed by gzip. What a file is
stands in its content; its name is not asked.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from glass_core.errors import InputError, one_line, shown

MAX_BYTES = 500_000_000
"""Largest file, after decompression, that is read."""
FORMATS = "A3M, A2M, aligned FASTA, Stockholm or Clustal"
_LONGEST_LINE = 1_000_000
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CLUSTAL = ("clustal", "muscle", "probcons", "msaprobs", "t-coffee", "kalign", "biopython")
"""How the first line begins where a program writes Clustal's format."""
_NO_SEQUENCES = frozenset({"ss_pred", "ss_conf", "ss_dssp", "sa_dssp"})
"""What HH-suite calls the rows of its A3M files that are no sequences."""


@dataclass(frozen=True)
class Row:
    """One row: its name, or its number where it has none, and its letters with gaps, ASCII."""

    name: str
    letters: bytes


@dataclass(frozen=True)
class AlignmentFile:
    """A file of rows that can be read as often as wanted; build with `checked`.

    Attributes
    ----------
    source : Path or bytes
        The file, or its content.
    name : str
        For messages.
    sha256 : str
        Of the content, decompressed.
    """

    source: Path | bytes
    name: str
    sha256: str

    @staticmethod
    def checked(source: Path | bytes, name: str) -> AlignmentFile:
        """Read through the content once, so that later readings need not fear it.

        Raises
        ------
        InputError
            It cannot be opened, is empty, too large, or damaged gzip.
        """
        digest, size, blank = hashlib.sha256(), 0, True
        with _opened(source, name) as stream:
            try:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    if size > MAX_BYTES:
                        raise InputError(
                            f"{name}: is larger than {MAX_BYTES // 10**6} MB; thin the alignment, "
                            "such as with hhfilter, and give that."
                        )
                    digest.update(chunk)
                    blank = blank and not chunk.strip()
            except (OSError, EOFError, zlib.error) as error:
                raise InputError(
                    f"{name}: is damaged ({one_line(error)}); fetch the file again."
                ) from error
        if blank:
            raise InputError(f"{name}: is empty; give an alignment in {FORMATS}.")
        return AlignmentFile(source, name, digest.hexdigest())

    def rows(self) -> Iterator[Row]:
        """All rows, in the file's order; those without a letter have no letters.

        Raises
        ------
        InputError
            The content is no alignment.
        """
        with _opened(self.source, self.name) as stream:
            wide = stream.read(2) in _WIDE
            stream.seek(0)
            text = io.TextIOWrapper(stream, "utf-16" if wide else "utf-8-sig", errors="replace")
            lines = self._lines(text)
            first = next(lines, "")
            start = first.lstrip().lower()
            if start.startswith("# stockholm"):
                yield from self._interleaved(lines, stockholm=True)
            elif start.startswith(_CLUSTAL):
                yield from self._interleaved(lines, stockholm=False)
            elif start.startswith((">", "#")):
                yield from self._one_by_one(first, lines)
            else:
                raise self._no_alignment(start)

    def _lines(self, text: IO[str]) -> Iterator[str]:
        """All lines with something in them."""
        while line := text.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise InputError(
                    f"{self.name}: has a line of {_LONGEST_LINE:,} letters or more, as no "
                    f"alignment has; give {FORMATS}."
                )
            if line.strip():
                yield line

    def _one_by_one(self, first: str, lines: Iterator[str]) -> Iterator[Row]:
        """The records of A3M, A2M and FASTA; lines with ``#`` may stand before them."""
        number, name, parts = 0, "", list[str]()
        line: str | None = first
        while line is not None:
            if line.startswith(">"):
                if number and name not in _NO_SEQUENCES:
                    yield Row(name, _letters(parts))
                number, parts = number + 1, []
                name = next(iter(line[1:].split()), f"row {number}")
            elif number:
                parts.append(line)
            elif not line.startswith("#"):
                raise InputError(
                    f"{self.name}: has text before its first '>' ({shown(line, 30)}); "
                    f"give {FORMATS}."
                )
            line = next(lines, None)
        if number and name not in _NO_SEQUENCES:
            yield Row(name, _letters(parts))

    def _interleaved(self, lines: Iterator[str], stockholm: bool) -> Iterator[Row]:
        """The rows of Stockholm and Clustal, each of which may stand in several blocks."""
        rows: dict[str, list[str]] = {}
        ended = False
        for line in lines:
            if stockholm and line.startswith("//"):
                ended = True
            elif ended:
                raise InputError(
                    f"{self.name}: holds several alignments; give a file with one of them."
                )
            elif not line.startswith("#") and not line[0].isspace():
                name, *parts = line.split()
                if parts and parts[-1].isdigit():
                    parts.pop()
                rows.setdefault(name, []).extend(parts)
        for name, parts in rows.items():
            yield Row(name, _letters(parts))

    def _no_alignment(self, start: str) -> InputError:
        if start.startswith("<"):
            return InputError(
                f"{self.name}: is a web page or XML, not an alignment; download the file itself."
            )
        if any(not (letter.isprintable() or letter.isspace()) for letter in start):
            return InputError(
                f"{self.name}: is a binary file, not an alignment; give {FORMATS}, as text or "
                "compressed by gzip."
            )
        return InputError(
            f"{self.name}: is text but no alignment ({shown(start, 30)}); give {FORMATS}."
        )


@contextmanager
def _opened(source: Path | bytes, name: str) -> Iterator[IO[bytes]]:
    """The content, decompressed."""
    with io.BytesIO(source) if isinstance(source, bytes) else _file(source, name) as raw:
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        if not packed:
            yield raw
            return
        with gzip.open(raw) as unpacked:
            yield cast(IO[bytes], unpacked)


def _file(path: Path, name: str) -> IO[bytes]:
    if not path.is_file():
        raise InputError(f"{name}: there is no such file; check the path.")
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{name}: cannot be opened ({error.strerror}).") from error


def _letters(parts: list[str]) -> bytes:
    return "".join("".join(parts).split()).encode("ascii", "replace")
