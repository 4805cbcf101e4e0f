"""Global sequence alignment and alignment rows (strings of equal length with ``-`` for gaps).

Needleman & Wunsch, J. Mol. Biol. 48, 443 (1970), by Biopython, with BLOSUM62
(Henikoff & Henikoff, PNAS 89, 10915 (1992)).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import SequenceError
from glass_core.records import require

GAP = "-"
_GAP_OPEN, _GAP_EXTEND = -11.0, -1.0
_LACKED = str.maketrans("UOJ", "XXX")
_ANCHOR = 3
"""Equal residues in a row that hold the ends of an alignment."""
_MAX_CELLS = 150_000_000
"""Product of the two lengths above which an alignment would take minutes."""


@cache
def blosum62_matrix() -> Any:
    """Biopython's BLOSUM62, indexed by pairs of letters; read from its file once."""
    from Bio.Align import substitution_matrices

    return substitution_matrices.load("BLOSUM62")


def blosum62_letters(sequence: str) -> str:
    """The sequence in letters that BLOSUM62 has: X, its 'any residue', for the three it lacks."""
    return sequence.translate(_LACKED)


def global_alignment(first: str, second: str, *, free_ends: bool = False) -> tuple[str, str]:
    """Align two sequences end to end.

    Parameters
    ----------
    first, second : str
        Residue letters; any of the 20 and ``X B Z J U O``.
    free_ends : bool
        Do not penalise gaps at the ends of either sequence: right when one is
        a part of the other (a crystal construct against its full sequence).

    Returns
    -------
    tuple of str
        The two rows, of equal length.

    Raises
    ------
    SequenceError
        The pair is too long to align in reasonable time.

    Examples
    --------
    >>> from glass_core.protein.alignment import global_alignment
    >>> global_alignment("MKTAYIAK", "MKTYIAK")
    ('MKTAYIAK', 'MKT-YIAK')
    """
    from Bio.Align import PairwiseAligner

    if len(first) * len(second) > _MAX_CELLS:
        raise SequenceError(
            f"Sequences of {len(first)} and {len(second)} residues are too long to align; "
            "cut both to the domain of interest."
        )
    aligner = PairwiseAligner(mode="global", substitution_matrix=blosum62_matrix())
    aligner.open_gap_score, aligner.extend_gap_score = _GAP_OPEN, _GAP_EXTEND
    if free_ends:
        aligner.end_gap_score = 0.0
    best = aligner.align(blosum62_letters(first), blosum62_letters(second))[0]
    rows: tuple[list[str], list[str]] = ([], [])
    for i, j in best.indices.T:
        rows[0].append(first[i] if i >= 0 else GAP)
        rows[1].append(second[j] if j >= 0 else GAP)
    return "".join(rows[0]), "".join(rows[1])


def aligned_pairs(first_row: str, second_row: str) -> NDArray[np.int64]:
    """Index pairs, shape=(n, 2), of the columns where both rows hold a residue."""
    first = np.frombuffer(first_row.encode(), dtype=np.uint8) != ord(GAP)
    second = np.frombuffer(second_row.encode(), dtype=np.uint8) != ord(GAP)
    both = first & second
    return np.stack([np.cumsum(first)[both] - 1, np.cumsum(second)[both] - 1], axis=1)


def anchored(pairs: NDArray[np.int64], first: str, second: str) -> NDArray[np.int64]:
    """The index pairs of an alignment with free ends, shape=(n, 2), without unlike ends.

    A tag before one sequence must not pass for the residues before the other: pairs before
    the first and after the last run of `_ANCHOR` equal residues are left out.
    """
    if not len(pairs):
        return pairs
    alike = np.array([first[i] == second[j] for i, j in pairs], dtype=int)
    runs = np.flatnonzero(np.convolve(alike, np.ones(_ANCHOR, dtype=int), "valid") == _ANCHOR)
    return pairs[runs[0] : runs[-1] + _ANCHOR] if len(runs) else pairs[:0]


def check_rows(*rows: str) -> None:
    """Raise `RecordError` unless all rows have the same length."""
    require(len({len(row) for row in rows}) == 1, "alignment", "has rows of equal length")
