"""Alignments of two sequences by how alike their residues are.

Affine gaps, local or global, over any matrix of similarities, by Biopython's pairwise aligner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError
from glass_core.records import frozen_array, require, require_one_of

Mode = Literal["local", "global"]
MODES: tuple[Mode, ...] = ("local", "global")
MOST_RESIDUES, MOST_CELLS = 8_000, 6_000_000
"""Of both sequences together, of which Biopython holds a square in memory (512 MB), and pairs of
residues, for each of which an aligner may hold some dozens of numbers."""


@dataclass(frozen=True)
class Gaps:
    """What gaps cost, in units of similarity.

    Attributes
    ----------
    opening : float
        The first residue of a gap.
    extension : float
        Each further one.
    mode : {"local", "global"}
        Whether the ends may be left out; in the global one they are aligned, but gaps there
        are free.
    """

    opening: float
    extension: float
    mode: Mode = "global"

    def __post_init__(self) -> None:
        require(
            self.opening >= self.extension >= 0,
            "opening",
            "is not below extension, nor that below 0",
        )
        require_one_of(self.mode, MODES, "mode")


@dataclass(frozen=True, eq=False)
class Alignment:
    """Which residues of two sequences face each other.

    Attributes
    ----------
    query, target : str
    pairs : ndarray, shape=(k, 2), dtype=int64
        0-based indices of facing residues, rising.
    confidence : ndarray, shape=(k,)
        Of each pair: how likely it is, 0 to 1, where the aligner says so, else how alike its
        residues are.
    score : float
        Of the whole alignment, gaps taken off.
    """

    query: str
    target: str
    pairs: NDArray[np.int64]
    confidence: NDArray[np.float64]
    score: float

    def __post_init__(self) -> None:
        pairs = frozen_array(self.pairs, (None, 2), "pairs", np.int64)
        object.__setattr__(self, "pairs", pairs)
        confidence = frozen_array(self.confidence, (len(pairs),), "confidence")
        object.__setattr__(self, "confidence", confidence)
        require(bool((np.diff(pairs, axis=0) > 0).all()), "pairs", "rises")

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def normalised_score(self) -> float:
        """`score` by the length of the query, as TM-scores are, so that targets can be compared."""
        return self.score / len(self.query)

    @property
    def identity(self) -> float:
        """Share of the facing residues that are the same; NaN where none face."""
        if not len(self):
            return float("nan")
        same = [self.query[a] == self.target[b] for a, b in self.pairs]
        return float(np.mean(same))

    @property
    def coverage(self) -> float:
        """Share of the query's residues that face one."""
        return len(self) / len(self.query)

    @property
    def query_range(self) -> tuple[int, int] | None:
        """First and last position of the query that face one, from 1; None without any."""
        return _range(self.pairs[:, 0])

    @property
    def target_range(self) -> tuple[int, int] | None:
        """The same of the target."""
        return _range(self.pairs[:, 1])

    @property
    def rows(self) -> tuple[str, str]:
        """Both sequences with gaps, from the first to the last pair."""
        top, bottom = [], []
        before: tuple[int, int] | None = None
        for a, b in self.pairs.tolist():
            if before is not None:
                skipped, missed = self.query[before[0] + 1 : a], self.target[before[1] + 1 : b]
                top += [skipped, "-" * len(missed)]
                bottom += ["-" * len(skipped), missed]
            top.append(self.query[a])
            bottom.append(self.target[b])
            before = a, b
        return "".join(top), "".join(bottom)

    def facing(self, index: int) -> int | None:
        """The target's residue that faces the query's `index`, 0-based; None for none."""
        found = np.flatnonzero(self.pairs[:, 0] == index)
        return int(self.pairs[found[0], 1]) if len(found) else None

    def confidence_at(self, index: int) -> float:
        """`confidence` of the pair at the query's `index`, 0-based; NaN where none faces."""
        found = self.confidence[self.pairs[:, 0] == index]
        return float(found[0]) if len(found) else float("nan")


def can_be_aligned(first: int, second: int) -> bool:
    """Whether sequences of these lengths are short enough."""
    return first + second <= MOST_RESIDUES and first * second <= MOST_CELLS


def align(
    query: str,
    target: str,
    alike: NDArray[np.floating],
    gaps: Gaps,
    likely: NDArray[np.floating] | None = None,
) -> Alignment:
    """The best alignment of two sequences.

    Parameters
    ----------
    alike : ndarray, shape=(N, M)
        Similarity of each residue of the query to each of the target; the alignment's pairs
        have the highest sum, gaps taken off.
    likely : ndarray, shape=(N, M), optional
        Confidence of each pair; by default `alike`.

    Raises
    ------
    InputError
        They are too long, see `can_be_aligned`.
    """
    from Bio.Align import PairwiseAligner

    n, m = alike.shape
    require_alignable(n, m)
    square = np.zeros((n + m, n + m))
    square[:n, n:] = alike
    aligner = PairwiseAligner(mode=gaps.mode)
    aligner.substitution_matrix = square
    aligner.open_gap_score, aligner.extend_gap_score = -gaps.opening, -gaps.extension
    if gaps.mode == "global":
        aligner.end_gap_score = 0.0
    numbers = np.arange(n + m, dtype=np.int32)
    found = aligner.align(numbers[:n], numbers[n:])
    if found.score <= 0:  # nothing is alike: no alignment is the best one
        return Alignment(query, target, np.empty((0, 2), np.int64), np.empty(0), 0.0)
    best = found[0]
    pairs = np.concatenate(
        [
            np.stack([np.arange(*a), np.arange(*b)], axis=1)
            for a, b in zip(*best.aligned, strict=True)
        ]
    )
    sure = (alike if likely is None else likely)[pairs[:, 0], pairs[:, 1]]
    return Alignment(query, target, pairs, sure, float(best.score))


def require_alignable(first: int, second: int) -> None:
    """Hold that sequences of these lengths can be aligned.

    Raises
    ------
    InputError
        They cannot.
    """
    if not can_be_aligned(first, second):
        raise InputError(
            f"sequences of {first:,} and {second:,} residues are too long to be aligned: at most "
            f"{MOST_RESIDUES:,} together, and {MOST_CELLS:,} pairs of residues; give the domains."
        )


def _range(indices: NDArray[np.int64]) -> tuple[int, int] | None:
    return (int(indices[0]) + 1, int(indices[-1]) + 1) if len(indices) else None
