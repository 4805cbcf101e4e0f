"""Which letters of an alignment's rows stand in columns, and which are insertions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError, shown
from glass_core.inputs.msa_formats import FORMATS, Row
from glass_core.protein.sequence import STANDARD

GAP_CODE = len(STANDARD)
"""Code of a gap, and of any letter outside the 20."""
_GAPS = b"-.~*"
_INSERTED = ascii_lowercase.encode() + b"."
_KNOWN = (ascii_lowercase + ascii_uppercase).encode() + _GAPS
_CODES = bytes(
    code if (code := STANDARD.find(chr(letter).upper())) >= 0 else GAP_CODE for letter in range(256)
)
_IS_INSERTED = bytes(letter in _INSERTED for letter in range(256))


@dataclass(frozen=True)
class Layout:
    """How the rows of one alignment are read.

    Attributes
    ----------
    rows, empty : int
        Rows with letters, and without any.
    width : int
        Columns, insertions aside.
    marks : bool
        Whether lower case and ``.`` mark insertions, as in A3M, A2M and the files of Pfam.
    """

    rows: int
    empty: int
    width: int
    marks: bool

    def codes(self, row: Row) -> bytes:
        """Index of each column's letter in `STANDARD`; `GAP_CODE` where it is none of the 20."""
        return row.letters.translate(_CODES, _INSERTED if self.marks else b"")

    def residues(self, row: Row) -> tuple[str, NDArray[np.int64]]:
        """All residues of a row in upper case, and the column of each; -1 for an insertion."""
        letters = np.frombuffer(row.letters, dtype=np.uint8)
        inserted = np.isin(letters, list(_INSERTED)) & self.marks
        column = np.where(inserted, -1, np.cumsum(~inserted) - 1)
        return residue_letters(row).decode(), column[~np.isin(letters, list(_GAPS))]


def residue_letters(row: Row) -> bytes:
    """All residues of a row in upper case, insertions too, without gaps."""
    return row.letters.translate(None, _GAPS).upper()


def find_layout(rows: Iterable[Row], name: str) -> Layout:
    """Look through all rows once and hold that they have one length.

    Lower case and ``.`` are insertions where all rows then have as many columns. Where they
    have not, or where ``.`` stands at places of its own in each of rows of one length, they
    are residues and gaps like others.

    Raises
    ------
    InputError
        There are no rows, one has a letter that is neither residue nor gap, or their lengths
        differ; names the row.
    """
    seen = empty = 0
    upper = dots = False
    same_places = True
    first: Row | None = None
    other_length: Row | None = None
    other_width: Row | None = None
    for row in rows:
        if strange := row.letters.translate(None, _KNOWN):
            raise InputError(
                f"{name}: row '{shown(row.name)}' holds '{shown(chr(strange[0]))}', which is "
                f"neither residue nor gap; give {FORMATS}."
            )
        if not row.letters:
            empty += 1
            continue
        seen += 1
        upper = upper or row.letters != row.letters.lower()
        dots = dots or b"." in row.letters
        width, places = _width(row), row.letters.translate(_IS_INSERTED)
        if first is None:
            first, first_width, first_places = row, width, places
        if len(row.letters) != len(first.letters):
            other_length = other_length or row
        if width != first_width:
            other_width = other_width or row
        same_places = same_places and places == first_places
    if first is None:
        raise InputError(f"{name}: holds no rows of letters; give {FORMATS}.")
    padded = dots and other_length is None
    if upper and other_width is None and (same_places or not padded):
        return Layout(seen, empty, first_width, marks=True)
    if other_length is None:
        return Layout(seen, empty, len(first.letters), marks=False)
    odd = other_width or other_length
    raise InputError(
        f"{name}: row '{shown(odd.name)}' has {_width(odd)} columns, insertions aside, where the "
        f"first has {first_width}; align the sequences, and give {FORMATS}."
    )


def _width(row: Row) -> int:
    return len(row.letters.translate(None, _INSERTED))
