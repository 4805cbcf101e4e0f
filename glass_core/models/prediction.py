"""What a model says about a variant, from sequences alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.models.effect_prediction import EffectScore
from glass_core.records import frozen_array, require

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
