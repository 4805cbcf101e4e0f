"""What a model says about a variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import VariantError
from glass_core.records import frozen_array, require

if TYPE_CHECKING:
    from glass_core.protein.protein import Protein
    from glass_core.protein.variant import Variant


LDDT_TRAINED_ABOVE = 0.7
"""The loss trains lDDT only where TM >= 0.7 (paper, section 2.3)."""
MIN_COVERAGE = 0.7
OTHERS_AT_SITE = 19


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
    structure_embedder : str
        What read the structure; '' where nothing did.
    """

    name: str
    version: str
    sha256: str
    embedder: str
    device: str
    dtype: str
    max_length: int | None = None
    structure_embedder: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def stamp(self) -> str:
        """Name, version and the start of the SHA-256, for tables."""
        return f"{self} ({self.sha256[:12]})"


def require_variants_of(protein: Protein, variants: Sequence[Variant]) -> None:
    """Hold that all `variants` are of the sequence of `protein`.

    Raises
    ------
    VariantError
        One is of another wild type.
    """
    if any(variant.wild_type != protein.sequence for variant in variants):
        raise VariantError("predict: all variants must be of the protein's sequence.")


class Table(Protocol):
    """What a head says of every single substitution of one wild type."""

    @property
    def tracks(self) -> Mapping[str, NDArray[np.float64]]:
        """Values per position, shape=(L,), by name; NaN = no value."""
        ...

    def told(self, variant: Variant) -> dict[str, float]:
        """What is told of `variant` by column; empty where the head can say nothing."""
        ...


@runtime_checkable
class VariantTable(Table, Protocol):
    """A table that also tells of every position what one variant does to it."""

    def tracks_of(self, variant: Variant) -> Mapping[str, NDArray[np.float64]]:
        """Values per position, shape=(L,), by name; empty where nothing can be told."""
        ...


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of a mutant against its wild type.

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
    told : mapping
        What the model's further heads say, by column (`models.heads.kinds.told_columns`);
        a column that is not there has no value.
    tracks : mapping
        What they say per position, shape=(L,), by name; NaN = no value.
    """

    tm_score: float
    lddt: NDArray[np.float64]
    model: ModelInfo
    flags: tuple[str, ...] = ()
    told: Mapping[str, float] = field(default_factory=dict)
    tracks: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(-1 <= self.tm_score <= 1, "tm_score", "is a cosine")
        lddt = frozen_array(self.lddt, (None,), "lddt")
        known = lddt[~np.isnan(lddt)]
        require(bool((np.abs(known) <= 1).all()), "lddt", "holds cosines")
        object.__setattr__(self, "lddt", lddt)
        for column, value in self.told.items():
            require(bool(np.isfinite(value)), column, "is finite")
        tracks = {n: frozen_array(t, (len(lddt),), n) for n, t in self.tracks.items()}
        object.__setattr__(self, "tracks", tracks)
