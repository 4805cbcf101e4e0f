"""What every embedder offers: per-residue vectors of protein sequences."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import nn

from glass_core.errors import UnavailableError
from glass_core.progress import Count
from glass_core.records import require
from glass_core.settings import Settings


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


@dataclass(frozen=True)
class Luggage:
    """What a model brings along for its embedder.

    Attributes
    ----------
    folder : Path
        The model's.
    label : str
        Its name and version.
    content : mapping
        Its card.
    """

    folder: Path
    label: str
    content: Mapping[str, Any]


class Embedder(ABC):
    """A named source of per-residue embeddings.

    Padding, batching and bucketing change no number: `embed` gives for each
    sequence what it gives for that sequence alone, to 1e-5 in fp32.

    Attributes
    ----------
    kind : str
        What cards and commands call it; see `embedders.kinds`.
    name : str
        Name with revision, as provenance records it.
    dim : int
        Width D of the embedding.
    device : torch.device
    dtype : torch.dtype
    side_heads : frozenset of str
        Properties of residues that it tells by itself; see `tell`.
    encoder : nn.Module or None
        Its network, where mutants may be computed by their differences to the wild type
        (`models.differences`).
    """

    kind: str
    name: str
    dim: int
    device: torch.device
    dtype: torch.dtype
    side_heads: frozenset[str] = frozenset()
    encoder: nn.Module | None = None

    @abstractmethod
    def embed(self, sequences: Sequence[str], progress: Count | None = None) -> list[Embedding]:
        """Embed `sequences`, in the order given."""

    @abstractmethod
    def cost(self, length: int) -> float:
        """About how many multiplications and additions a sequence of `length` residues takes."""

    def tell(self, side_head: str, sequence: str) -> torch.Tensor:
        """What one of `side_heads` says of each residue, shape=(L, n).

        Raises
        ------
        UnavailableError
            It has no such head.
        """
        raise UnavailableError(f"{self.name}: does not tell {side_head}.")

    def pack(self, folder: Path) -> dict[str, Any]:
        """Put into a new model's folder what `of_model` needs; returns entries for its card."""
        return {}


class InstalledEmbedder(Embedder):
    """An embedder that is loaded by its kind, for a model or alone."""

    @classmethod
    @abstractmethod
    def of_model(cls, luggage: Luggage | None, settings: Settings, device: torch.device) -> Self:
        """Load it for a model; `luggage` is None where no model is at hand.

        Raises
        ------
        UnavailableError, ModelError
            Its weights are missing, or damaged.
        """

    @staticmethod
    def unavailable_reason(settings: Settings) -> str | None:
        """Why it cannot be used here whatever a model brings, and the cure; None when it can."""
        return None


def matrix_products(module: nn.Module) -> int:
    """Additions and multiplications per token in the weights of a module; attention aside."""
    return 2 * sum(p.numel() for p in module.parameters() if p.ndim > 1)
