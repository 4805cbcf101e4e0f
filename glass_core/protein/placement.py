"""Where the residues of a chain stand in a whole sequence, with the chain's breaks as evidence.

An alignment by letters alone puts a residue beside a loop on either side of it. Here a gap
opens at a break of the chain for nothing and elsewhere dearly, and the author's numbers say
how long it is. Global alignment with affine gaps (Gotoh, J. Mol. Biol. 162, 705 (1982)), one
row at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import SequenceError
from glass_core.protein.alignment import blosum62_letters, blosum62_matrix

_SKIP_OPEN, _SKIP_EXTEND = 18.0, 0.5
"""Residues of the sequence left out where the chain is whole."""
_EXTRA_OPEN, _EXTRA_EXTEND = 14.0, 1.0
"""Residues of the chain that the sequence lacks."""
_ACROSS_BREAK = 1.0
"""Cost of no gap at a break."""
_NUMBERED = 8.0
"""Gain of a gap as long as the author's numbers have it: some two letters' worth."""
_NUMBERED_IN_CHAIN = -2.0
"""The same where the chain looks whole: numbers may jump for other reasons."""
_UNKNOWN_PAIR = 1.0
"""Of two unknown residues, which BLOSUM62 would rather leave out."""
_OWN_NUMBER = 0.5
"""Gain of beginning where the author's number says: decides between repeats."""
_MAX_CELLS = 60_000_000
_FAR = -1e9


@dataclass(frozen=True)
class ChainResidues:
    """What a chain tells of its residues.

    Attributes
    ----------
    letters : str
    breaks : tuple of int
        Indices of residues whose next one is not bonded to them.
    numbers : tuple of int
        Author numbers, without insertion codes; empty where they are not known.
    """

    letters: str
    breaks: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()

    def step(self, index: int) -> int:
        """How far the number rises from the residue before; 0 where that tells nothing."""
        return self.numbers[index] - self.numbers[index - 1] if self.numbers and index else 0


def place_residues(chain: ChainResidues, sequence: str) -> NDArray[np.int64]:
    """Index pairs (of `sequence`, of the chain), shape=(n, 2), of residues that face each other.

    Ends of either that the other lacks are left out for nothing.

    Raises
    ------
    SequenceError
        The two are too long to align in reasonable memory.

    Examples
    --------
    >>> from glass_core.protein.placement import ChainResidues, place_residues
    >>> chain = ChainResidues("PSGR", breaks=(1,), numbers=(12, 13, 15, 16))
    >>> place_residues(chain, "GPSSGRP")[:, 0].tolist()
    [1, 2, 4, 5]
    """
    if chain.letters == sequence:
        everything = np.arange(len(sequence))
        return np.stack([everything, everything], axis=1)
    numbered = _by_numbers(chain, sequence)
    if numbered is not None:
        return numbered
    if len(chain.letters) * len(sequence) > _MAX_CELLS:
        raise SequenceError(
            f"A chain of {len(chain.letters)} residues and a sequence of {len(sequence)} are too "
            "long to align; cut both to the domain of interest."
        )
    return _aligned(chain, sequence)


def _by_numbers(chain: ChainResidues, sequence: str) -> NDArray[np.int64] | None:
    """The pairs where the author's numbers, shifted, fit every letter; None where they do not."""
    if not chain.numbers or not chain.breaks:
        return None
    offsets = np.array(chain.numbers) - chain.numbers[0]
    rising = np.diff(offsets)
    broken = np.zeros(len(rising), dtype=bool)
    broken[list(chain.breaks)] = True
    if not ((rising[broken] > 1).all() and (rising[~broken] == 1).all()):
        return None
    first = chain.letters[: chain.breaks[0] + 1]
    starts = [chain.numbers[0] - 1, *_occurrences(first, sequence)]
    letters = np.frombuffer(chain.letters.encode(), dtype=np.uint8)
    whole = np.frombuffer(sequence.encode(), dtype=np.uint8)
    for start in starts:
        places = offsets + start
        if start >= 0 and places[-1] < len(whole) and (whole[places] == letters).all():
            return np.stack([places, np.arange(len(letters))], axis=1)
    return None


def _occurrences(part: str, sequence: str) -> list[int]:
    found, at = [], sequence.find(part)
    while at >= 0:
        found.append(at)
        at = sequence.find(part, at + 1)
    return found


def _aligned(chain: ChainResidues, sequence: str) -> NDArray[np.int64]:
    table = np.array(blosum62_matrix(), dtype=float)
    table[(_codes("X")[0],) * 2] = _UNKNOWN_PAIR
    own, others = _codes(chain.letters), _codes(sequence)
    count, width = len(chain.letters), len(sequence)
    breaks = frozenset(chain.breaks)
    places = np.arange(width)
    # Where the residue before stands: its place, plus `width` after extra ones, -1 at the start;
    # and whether an extra residue follows another one.
    came = np.full((count, width), -1, dtype=np.int32)
    extended = np.zeros((count, width), dtype=bool)
    facing = np.full(width, _FAR)
    extra = np.full(width, _FAR)
    best, end = _FAR, (0, 0)
    for row in range(count):
        start = np.zeros(width)
        if chain.numbers and 1 <= chain.numbers[row] <= width:
            start[chain.numbers[row] - 1] = _OWN_NUMBER
        total, source = start, np.full(width, -1)
        if row:
            broken = (row - 1) in breaks
            for candidate, origin in _sources(facing, extra, broken, chain.step(row), places):
                better = candidate > total
                total, source = np.where(better, candidate, total), np.where(better, origin, source)
        opened, longer = facing - _EXTRA_OPEN, extra - _EXTRA_EXTEND
        extended[row] = longer > opened
        extra = np.maximum(opened, longer)
        facing = total + table[own[row], others]
        came[row] = source
        top = int(facing.argmax())
        if facing[top] > best:
            best, end = float(facing[top]), (row, top)
    return _traced(came, extended, *end)


def _sources(
    facing: NDArray[np.float64],
    extra: NDArray[np.float64],
    broken: bool,
    step: int,
    places: NDArray[np.int64],
) -> Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """What may come before a residue at each place: score and where it stands, best first."""
    width = len(places)
    found = [(_moved(facing, 1) - (_ACROSS_BREAK if broken else 0.0), places - 1)]
    if step > 1:
        gain = _NUMBERED if broken else _NUMBERED_IN_CHAIN
        found.insert(0, (_moved(facing, step) + gain, places - step))
    found.append((_moved(extra, 1), places - 1 + width))
    cost, extend = (0.0, 0.0) if broken else (_SKIP_OPEN, _SKIP_EXTEND)
    rising = facing + extend * places
    leader = np.maximum.accumulate(rising)
    # The last place at which the running maximum was reached anew.
    where = np.maximum.accumulate(np.where(rising >= leader, places, 0))
    found.append((_moved(leader, 2) - cost - extend * (places - 1), _moved(where, 2, 0)))
    return found


def _moved(values: NDArray, by: int, empty: float = _FAR) -> NDArray:
    """`values` moved right, so that a place holds what stood `by` before it."""
    made = np.full(len(values), empty, dtype=values.dtype)
    if by < len(values):
        made[by:] = values[: len(values) - by]
    return made


def _traced(
    came: NDArray[np.int32], extended: NDArray[np.bool_], row: int, place: int
) -> NDArray[np.int64]:
    width = came.shape[1]
    pairs = []
    while True:
        pairs.append((place, row))
        before = int(came[row, place])
        if before < 0:
            break
        row -= 1
        if before >= width:  # this and perhaps more residues are extra
            place = before - width
            while extended[row, place]:
                row -= 1
            row -= 1
        else:
            place = before
    return np.array(pairs[::-1], dtype=np.int64)


def _codes(letters: str) -> NDArray[np.int64]:
    """Rows of BLOSUM62 that the letters have."""
    alphabet = str(blosum62_matrix().alphabet)
    return np.array([alphabet.index(letter) for letter in blosum62_letters(letters)])
