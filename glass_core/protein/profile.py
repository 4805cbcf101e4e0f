"""What an alignment of homologues says about each position of a protein.

The score of a substitution is the oldest there is: how much rarer than the wild type's residue
the new one is in its column of the alignment (Ng & Henikoff, Genome Res. 11, 863 (2001);
Hopf et al., Nat. Biotechnol. 35, 128 (2017), call it the independent model).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.sequence import STANDARD, check_residues
from glass_core.protein.substitutions import no_substitution
from glass_core.records import from_nullable, frozen_array, require, to_nullable

MIN_NEFF = 20.0
"""Effective number of sequences below which columns are too thin to tell rare from absent."""
MIN_COVERED = 20
"""Well filled positions (all of a shorter wild type) below which there is nothing to go by."""
WELL_FILLED = 0.5
"""Occupancy from which on a column counts as covering its position."""
PSEUDOCOUNT = 1.0
"""Added to the weighted count of each of the 20 letters of a column."""
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class AlignmentProfile:
    """What is kept of an alignment of homologues: counts of residues by position.

    Attributes
    ----------
    wild_type : str
        The protein; its positions are the rows of `counts`.
    name : str
        Of the file.
    sha256 : str
        Of the file's content, decompressed; 64 hexadecimal digits.
    depth : int
        Rows that were used, the query among them.
    rows_in_file : int
        Rows with letters that the file holds.
    neff : float
        Effective number of sequences: each row counts as one divided by the number of rows,
        itself included, that equal it in at least 80 % of its residues.
    counts : ndarray, shape=(L, 20), dtype=float
        Rows that have each letter at each position, weighted as for `neff`; letters in the
        order of `STANDARD`. NaN throughout for a position that no column stands for.
    notes : tuple of str
        Sentences on what was decided while it was read.

    Examples
    --------
    >>> import numpy as np
    >>> from glass_core.protein.profile import AlignmentProfile
    >>> counts = np.zeros((1, 20))
    >>> counts[0, 0] = 30.0  # thirty rows, all with alanine
    >>> profile = AlignmentProfile("A", "file.a3m", "0" * 64, 30, 30, 30.0, counts)
    >>> round(float(profile.log_odds[0, 1]), 3)  # of A1C: log 1/31
    -3.434
    """

    wild_type: str
    name: str
    sha256: str
    depth: int
    rows_in_file: int
    neff: float
    counts: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_residues(self.wild_type, "wild_type")
        require(bool(re.fullmatch(r"[0-9a-f]{64}", self.sha256)), "sha256", "has 64 hex digits")
        require(1 <= self.depth <= self.rows_in_file, "depth", "is at least 1 and rows_in_file")
        require(0 < self.neff <= self.depth + _TOLERANCE, "neff", "is above 0, at most the depth")
        counts = frozen_array(self.counts, (len(self.wild_type), len(STANDARD)), "counts")
        known = counts[~np.isnan(counts).all(axis=1)]
        require(bool((known >= 0).all()), "counts", "is 0 or more, or NaN all along a position")
        most = self.neff * (1 + _TOLERANCE)
        require(bool((known.sum(axis=1) <= most).all()), "counts", "sums to no more than neff")
        object.__setattr__(self, "counts", counts)

    @cached_property
    def occupancy(self) -> NDArray[np.float64]:
        """Weighted share of the rows that have a residue, shape=(L,); NaN without a column."""
        return frozen_array(self.counts.sum(axis=1) / self.neff, (None,), "occupancy")

    @property
    def coverage(self) -> float:
        """Share of all positions whose column has a residue in at least half of the rows."""
        return self._covered / len(self.wild_type)

    @property
    def usable(self) -> bool:
        """Whether the alignment is deep and wide enough to be counted as evidence."""
        return not self.why_not_used

    @property
    def why_not_used(self) -> str:
        """One sentence on why the alignment is told of and not counted; '' where it is."""
        if self.neff < MIN_NEFF:
            rows = "one row counts" if self.depth == 1 else f"{self.depth} rows count"
            return (
                f"The alignment is too shallow: its {rows} as {self.neff:.1f} different "
                f"sequences, and at least {MIN_NEFF:.0f} are needed."
            )
        least = min(MIN_COVERED, len(self.wild_type))
        if self._covered < least:
            return (
                f"The alignment covers too little: at {self._covered} of {len(self.wild_type)} "
                f"positions half of its rows have a residue, and at least {least} are needed."
            )
        return ""

    @cached_property
    def log_odds(self) -> NDArray[np.float64]:
        """Natural log f(mutant) - log f(wild type), shape=(L, 20); negative = rarer.

        f is the weighted frequency among the 20 letters of a column, with one pseudocount for
        each of them. NaN for the wild type's own letter, where that is none of the 20, and
        without a column.
        """
        own = np.array([STANDARD.find(letter) for letter in self.wild_type])
        logs = np.log(self._frequencies)
        odds = logs - np.take_along_axis(logs, np.maximum(own, 0)[:, None], axis=1)
        hidden = no_substitution(self.wild_type)
        return frozen_array(np.where(hidden, np.nan, odds), odds.shape, "log_odds")

    @cached_property
    def conservation(self) -> NDArray[np.float64]:
        """1 - entropy / log 20 of the frequencies behind `log_odds`, shape=(L,).

        0 where all letters are as frequent, 1 where there is one only, which pseudocounts keep
        it from; NaN without a column.
        """
        entropy = -(self._frequencies * np.log(self._frequencies)).sum(axis=1)
        kept = np.clip(1 - entropy / np.log(len(STANDARD)), 0.0, 1.0)
        return frozen_array(kept, (None,), "conservation")

    @property
    def _covered(self) -> int:
        return int((self.occupancy >= WELL_FILLED).sum())  # NaN is not

    @cached_property
    def _frequencies(self) -> NDArray[np.float64]:
        """With pseudocounts, shape=(L, 20); NaN without a column."""
        raised = self.counts + PSEUDOCOUNT
        return raised / raised.sum(axis=1, keepdims=True)


def profile_dict(profile: AlignmentProfile | None) -> dict[str, Any] | None:
    """Plain values, without loss; ``None`` for NaN."""
    if profile is None:
        return None
    return {
        "wild_type": profile.wild_type,
        "name": profile.name,
        "sha256": profile.sha256,
        "depth": profile.depth,
        "rows_in_file": profile.rows_in_file,
        "neff": profile.neff,
        "counts": to_nullable(profile.counts),
        "notes": list(profile.notes),
    }


def profile_from(content: Mapping[str, Any] | None) -> AlignmentProfile | None:
    """Inverse of `profile_dict`."""
    if content is None:
        return None
    return AlignmentProfile(
        **{**content, "counts": from_nullable(content["counts"]), "notes": tuple(content["notes"])}
    )
