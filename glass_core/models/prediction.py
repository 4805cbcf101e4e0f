"""What a model says about a variant, from sequences alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.sequence import STANDARD
from glass_core.records import frozen_array, require

if TYPE_CHECKING:
    from glass_core.protein.variant import Variant


LDDT_TRAINED_ABOVE = 0.7
"""The loss trains lDDT only where TM >= 0.7 (paper, section 2.3)."""
MIN_COVERAGE = 0.7


@dataclass(frozen=True)
class ModelInfo:
    """Which model gave a number.

    Attributes
    ----------
    name, version : str
    sha256 : str
        Of the weights, in hex.
    embedder : str
        Name and revision of the embedder.
    device, dtype : str
    max_length : int or None
        Longest sequence seen in training, where known.
    """

    name: str
    version: str
    sha256: str
    embedder: str
    device: str
    dtype: str
    max_length: int | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def stamp(self) -> str:
        """Name, version and the start of the SHA-256, for tables."""
        return f"{self} ({self.sha256[:12]})"


@dataclass(frozen=True, eq=False)
class EffectScore:
    """How damaging a variant is predicted to be, from the wild type's sequence alone.

    Attributes
    ----------
    score : float
        Effect score, higher = more damaging; the sum over the substitutions. It has no
        unit and is comparable within one protein.
    probability : float
        Calibrated chance that a clinical database would call it damaging; for several
        substitutions that at least one of them is, taken as independent.
    site_rank : int or None
        Rank among the 19 substitutions of the site, 1 = most damaging; None for several.
    percentile : float or None
        Percent of all single substitutions of the protein with a lower score; None for
        several substitutions.
    sensitivity : ndarray, shape=(L,), dtype=float
        Mean score of the 19 substitutions of each position; NaN where the wild-type
        residue is none of the 20.
    """

    score: float
    probability: float
    site_rank: int | None
    percentile: float | None
    sensitivity: NDArray[np.float64]

    def __post_init__(self) -> None:
        require(np.isfinite(self.score), "score", "is finite")
        require(0 <= self.probability <= 1, "probability", "lies in [0, 1]")
        track = frozen_array(self.sensitivity, (None,), "sensitivity")
        object.__setattr__(self, "sensitivity", track)


@dataclass(frozen=True, eq=False)
class EffectTable:
    """Every single substitution of one wild type.

    Attributes
    ----------
    wild_type : str
    score, probability : ndarray, shape=(L, 20), dtype=float
        Letters in the order of `STANDARD`; NaN for the wild type's own letter and
        where it is none of the 20.
    """

    wild_type: str
    score: NDArray[np.float64]
    probability: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = (len(self.wild_type), len(STANDARD))
        for name in ("score", "probability"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), shape, name))

    def of(self, variant: Variant) -> EffectScore | None:
        """What the table says of `variant`; None with gaps or residues outside the 20."""
        if variant.wild_type != self.wild_type or not variant.only_substitutions:
            return None
        places = [(change.position - 1, STANDARD.find(change.mutant)) for change in variant.changes]
        if any(letter < 0 or np.isnan(self.score[index, letter]) for index, letter in places):
            return None
        score = float(sum(self.score[place] for place in places))
        spared = float(np.prod([1 - self.probability[place] for place in places]))
        rank = percentile = None
        if len(places) == 1:
            site = self.score[places[0][0]]
            rank = 1 + int((site > score).sum())
            percentile = 100 * float(np.mean(self._known_scores < score))
        return EffectScore(score, 1 - spared, rank, percentile, self.sensitivity)

    @cached_property
    def _known_scores(self) -> NDArray[np.float64]:
        return self.score[~np.isnan(self.score)]

    @cached_property
    def sensitivity(self) -> NDArray[np.float64]:
        """Mean score of the substitutions of each position; see `EffectScore`."""
        known = (~np.isnan(self.score)).sum(axis=1)
        total = np.nansum(self.score, axis=1)
        return np.where(known > 0, total / np.maximum(known, 1), np.nan)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted scores of a mutant against its wild type.

    Attributes
    ----------
    tm_score : float
        Cosine of the pooled embeddings, at most 1; 1 for identical sequences
        by construction.
    lddt : ndarray, shape=(L,), dtype=float
        Cosine of the residue embeddings per wild-type position; NaN where the
        residue is deleted.
    model : ModelInfo
    flags : tuple of str
        Reasons to doubt these numbers, one sentence each.
    effect : EffectScore or None
        Of the model's effect head; None where it has none, and for variants with gaps.
    """

    tm_score: float
    lddt: NDArray[np.float64]
    model: ModelInfo
    flags: tuple[str, ...] = ()
    effect: EffectScore | None = None

    def __post_init__(self) -> None:
        require(-1 <= self.tm_score <= 1, "tm_score", "is a cosine")
        lddt = frozen_array(self.lddt, (None,), "lddt")
        known = lddt[~np.isnan(lddt)]
        require(bool((np.abs(known) <= 1).all()), "lddt", "holds cosines")
        object.__setattr__(self, "lddt", lddt)
