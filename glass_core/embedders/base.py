"""What every embedder offers: per-residue vectors of protein sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from glass_core.progress import Count
from glass_core.records import require


@dataclass(frozen=True, eq=False)
class Embedding:
    """The per-residue embedding of one sequence.

    Attributes
    ----------
    sequence : str
        The sequence as given; letters outside the 20 were read as X.
    residues : torch.Tensor, shape=(L, D), dtype=float32, on the CPU
        One row per residue; no row for padding or an end token.
    """

    sequence: str
    residues: torch.Tensor

    def __post_init__(self) -> None:
        require(
            self.residues.ndim == 2 and len(self.residues) == len(self.sequence),
            "residues",
            "has one row per residue",
        )
        require(bool(torch.isfinite(self.residues).all()), "residues", "is finite")


class Embedder(Protocol):
    """A named source of per-residue embeddings.

    Padding, batching and bucketing change no number: `embed` gives for each
    sequence what it gives for that sequence alone, to 1e-5 in fp32.
    """

    name: str
    """Name with revision, as provenance records it."""
    dim: int
    """Width D of the embedding."""
    device: torch.device
    dtype: torch.dtype

    def embed(self, sequences: Sequence[str], progress: Count | None = None) -> list[Embedding]:
        """Embed `sequences`, in the order given; `progress` counts them."""
        ...
