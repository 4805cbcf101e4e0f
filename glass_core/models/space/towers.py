"""Two towers into one space: a sequence, or a stretch of it, and its structure lie close there.

After CLSS (Yanai et al., bioRxiv 2025): each tower ends in an adapter to a few dimensions, and
vectors have length 1.

Shape notation: B sequences or structures, L residues of the longest, Z dimensions of the space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.embedders.compact_encoder import CompactConfig, CompactEncoder
from glass_core.errors import ModelError
from glass_core.records import require_sizes

SPACE_DIM = 32
"""Of CLSS."""


@dataclass(frozen=True)
class SpaceConfig:
    """Shape of both towers.

    Attributes
    ----------
    structure_dim : int
        Numbers that are read of a structure.
    structure_reader : str
        What reads them, see `structures.READERS`.
    dim : int
        Dimensions Z of the space.
    hidden : int
        Width of both adapters.
    """

    structure_dim: int
    structure_reader: str
    dim: int = SPACE_DIM
    hidden: int = 512

    def __post_init__(self) -> None:
        require_sizes(self, ("structure_dim", "dim", "hidden"))

    def to_dict(self) -> dict[str, int | str]:
        """The fields by name, as a card holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SpaceConfig:
        """Inverse of `to_dict`; a field that is missing or unknown is a `ModelError`."""
        wanted = {f.name for f in fields(cls)}
        if set(values) != wanted:
            odd = ", ".join(sorted(wanted ^ set(values)))
            raise ModelError(f"The space has missing or unknown fields: {odd}.")
        return cls(**values)


def _adapter(inputs: int, config: SpaceConfig) -> nn.Module:
    return nn.Sequential(
        nn.LayerNorm(inputs),
        nn.Linear(inputs, config.hidden),
        nn.GELU(),
        nn.Linear(config.hidden, config.dim),
    )


class SequenceTower(nn.Module):
    """A sequence's place: the mean of its residues through an adapter."""

    def __init__(self, encoder: CompactConfig, config: SpaceConfig) -> None:
        super().__init__()
        self.encoder = CompactEncoder(encoder)
        self.adapter = _adapter(encoder.dim, config)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Place sequences, (B, L) and (B, L) -> unit vectors, (B, Z)."""
        return self.placed(self.encoder(tokens, mask), mask)

    def placed(self, residues: Tensor, mask: Tensor) -> Tensor:
        """The same of residues that are encoded already, (B, L, D) and (B, L) -> (B, Z)."""
        shown = mask[..., None].to(residues.dtype)
        mean = (residues * shown).sum(1) / shown.sum(1)
        return F.normalize(self.adapter(mean).float(), dim=-1)


class StructureTower(nn.Module):
    """A structure's place, of what a frozen encoder reads of it."""

    def __init__(self, config: SpaceConfig) -> None:
        super().__init__()
        self.adapter = _adapter(config.structure_dim, config)

    def forward(self, read: Tensor) -> Tensor:
        """Place structures, (B, structure_dim) -> unit vectors, (B, Z)."""
        return F.normalize(self.adapter(read).float(), dim=-1)


class Space(nn.Module):
    """Both towers."""

    def __init__(self, encoder: CompactConfig, config: SpaceConfig) -> None:
        super().__init__()
        self.config = config
        self.sequences = SequenceTower(encoder, config)
        self.structures = StructureTower(config)


def pooled(residues: Tensor) -> Tensor:
    """Mean and standard deviation over residues, (L, D) -> (2 D)."""
    spread = residues.std(dim=0, correction=0)
    return torch.cat([residues.mean(dim=0), spread])
