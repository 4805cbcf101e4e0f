"""The row of an alignment that is the wild type, found by its residues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError, shown
from glass_core.inputs.msa_formats import Row
from glass_core.inputs.msa_layout import Layout, residue_letters
from glass_core.protein.alignment import aligned_pairs, anchored, global_alignment

MIN_IDENTITY = 0.9
"""Below this identity over the aligned residues a row is another protein's."""
MIN_ALIGNED = 20
"""Aligned residues (all of a shorter wild type) below which identity means nothing."""
_CANDIDATES = 10
"""Rows that are aligned with the wild type: those that share most words with it."""
_WORD, _BITS = 4, 5


@dataclass(frozen=True, eq=False)
class Query:
    """A row, and where its residues lie in the wild type.

    Attributes
    ----------
    number : int
        1-based, among the rows with letters.
    row : Row
    positions, columns : ndarray, shape=(n,), dtype=int
        0-based positions of the wild type and the alignment's columns that stand for them.
    equal : int
        Columns where the row has the wild type's residue.
    inserted : int
        Positions whose residue the file marks as an insertion; they have no column.
    """

    number: int
    row: Row
    positions: NDArray[np.int64]
    columns: NDArray[np.int64]
    equal: int
    inserted: int

    @property
    def identity(self) -> float:
        """Share of the columns with the wild type's residue; 0 where there are none."""
        return self.equal / max(len(self.columns), 1)


def find_query(
    rows: Callable[[], Iterator[Row]], layout: Layout, wild_type: str, name: str
) -> Query:
    """The row that stands for most of the wild type, the earliest of several.

    Parameters
    ----------
    rows : callable
        Gives all rows with letters from the first one on; called anew for each reading.
    layout : Layout
        Of these rows.
    wild_type : str
    name : str
        Of the file, for the message.

    Raises
    ------
    InputError
        No row is this protein; names the one that comes nearest.
    """
    first = _placed(1, next(rows()), layout, wild_type)
    if first.equal == len(wild_type):
        return first
    words = _words_of(wild_type)
    numbered = enumerate(rows(), start=1)
    nearest = nlargest(_CANDIDATES, numbered, key=lambda one: _shared_words(one[1], words))
    others = [_placed(number, row, layout, wild_type) for number, row in nearest if number > 1]
    candidates = [first, *sorted(others, key=lambda query: query.number)]
    least = min(MIN_ALIGNED, len(wild_type))
    fitting = [
        one for one in candidates if one.identity >= MIN_IDENTITY and len(one.columns) >= least
    ]
    if fitting:
        return max(fitting, key=lambda query: query.equal)
    best = max(candidates, key=lambda query: query.equal)
    raise InputError(
        f"{name}: is an alignment of another protein: its best row, '{shown(best.row.name)}', "
        f"equals the wild type in {100 * best.identity:.0f} % of {len(best.columns)} residues, "
        f"where {100 * MIN_IDENTITY:.0f} % of at least {least} are needed; give an alignment made "
        "for this protein."
    )


def _placed(number: int, row: Row, layout: Layout, wild_type: str) -> Query:
    residues, column = layout.residues(row)
    pairs = np.empty((0, 2), dtype=np.int64)
    if residues:
        pairs = aligned_pairs(*global_alignment(wild_type, residues, free_ends=True))
    pairs = anchored(pairs, wild_type, residues)
    columned = column[pairs[:, 1]] >= 0
    equal = sum(wild_type[i] == residues[j] for i, j in pairs[columned])
    positions, columns = pairs[columned, 0], column[pairs[columned, 1]]
    return Query(number, row, positions, columns, equal, int((~columned).sum()))


def _words_of(sequence: str) -> NDArray[np.bool_]:
    """Which words of `_WORD` letters occur, shape=(32**4,)."""
    found = np.zeros(1 << _WORD * _BITS, dtype=bool)
    found[_codes(sequence.encode())] = True
    return found


def _shared_words(row: Row, words: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(words[_codes(residue_letters(row))]))


def _codes(letters: bytes) -> NDArray[np.int32]:
    """The words of a sequence as numbers, shape=(n - 3,); none of one that is too short."""
    values = np.frombuffer(letters, dtype=np.uint8).astype(np.int32) & 31
    count = max(len(values) - _WORD + 1, 0)
    codes = np.zeros(count, dtype=np.int32)
    for k in range(_WORD):
        codes = codes << _BITS | values[k : k + count]
    return codes
