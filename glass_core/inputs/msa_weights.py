"""Weights of the rows of an alignment: relatives that are nearly the same count as one.

Hopf et al., Nat. Biotechnol. 35, 128 (2017), with 80 % identity.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.sequence import STANDARD

MAX_ROWS = 20_000
"""Most rows that are compared with each other."""
_MAX_WORK = MAX_ROWS**2 * 300
"""Rows by rows by columns above which comparing them takes longer than a user waits."""
_BLOCK_ROWS, _BLOCK_COLUMNS = 2000, 100
"""Of the blocks that are compared: 16 MB as one-hot rows, and as equal letters of all pairs."""
_SAME, _OF = 4, 5
"""Four fifths of a row's residues make a neighbour; whole numbers, so that ties are exact."""
_ONE_HOT = np.eye(len(STANDARD) + 1, len(STANDARD), dtype=np.float32)
"""A letter's row of zeros and a one; a gap's has zeros alone."""


def most_rows(columns: int) -> int:
    """Rows of so many columns that are compared in reasonable time."""
    return min(MAX_ROWS, isqrt(_MAX_WORK // max(columns, 1)))


def row_weights(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """One divided by the number of a row's neighbours, itself included.

    Parameters
    ----------
    codes : ndarray, shape=(N, C), dtype=uint8
        Letters as indices into `STANDARD`; 20 is a gap.

    Returns
    -------
    ndarray, shape=(N,), dtype=float
        A row's neighbours equal it in at least 80 % of the columns where it has a residue, so
        a fragment may be the neighbour of a row that is none of its own.
    """
    starts = range(0, len(codes), _BLOCK_ROWS)
    needed = _SAME * (codes < len(STANDARD)).sum(axis=1, dtype=np.float32)
    neighbours = np.zeros(len(codes), dtype=np.int64)
    for a in starts:
        for b in starts[a // _BLOCK_ROWS :]:
            these, others = slice(a, a + _BLOCK_ROWS), slice(b, b + _BLOCK_ROWS)
            equal = _OF * _equal_letters(codes[these], codes[others])
            neighbours[these] += (equal >= needed[these, None]).sum(axis=1)
            if b > a:
                neighbours[others] += (equal >= needed[others]).sum(axis=0)
    return 1.0 / neighbours


def weighted_counts(codes: NDArray[np.uint8], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the weights of the rows that have each letter in each column, shape=(C, 20)."""
    counts = np.zeros((codes.shape[1], len(STANDARD)))
    for start in range(0, len(codes), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        for letter in range(len(STANDARD)):
            counts[:, letter] += weights[block] @ (codes[block] == letter)
    return counts


def _equal_letters(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Columns in which two rows have the same letter, shape=(n, m), dtype=float32.

    They are the product of the one-hot rows, exact as a sum of ones.
    """
    equal = np.zeros((len(first), len(second)), dtype=np.float32)
    for start in range(0, first.shape[1], _BLOCK_COLUMNS):
        columns = slice(start, start + _BLOCK_COLUMNS)
        one, other = (
            _ONE_HOT[codes[:, columns]].reshape(len(codes), -1) for codes in (first, second)
        )
        equal += one @ other.T
    return equal
