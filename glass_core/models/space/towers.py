"""Two towers into one space: a sequence, or a stretch of it, and its structure lie close there.

After CLSS (Yanai et al., bioRxiv 2025), over frozen encoders: what is read of either goes through
an adapter to a few dimensions, and vectors have length 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.records import of_fields, require_sizes

SPACE_DIM = 32
"""Of CLSS."""


@dataclass(frozen=True)
class SpaceConfig:
    """Shape of both towers.

    Attributes
    ----------
    sequence_dim, structure_dim : int
        Numbers that are read of either.
    dim : int
        Dimensions Z of the space.
    hidden : int
        Width of both adapters.
    """

    sequence_dim: int
    structure_dim: int
    dim: int = SPACE_DIM
    hidden: int = 512

    def __post_init__(self) -> None:
        require_sizes(self, ("sequence_dim", "structure_dim", "dim", "hidden"))

    def to_dict(self) -> dict[str, int]:
        """The fields by name, as a card holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SpaceConfig:
        """Inverse of `to_dict`; a field that is missing or unknown is a `ModelError`."""
        return of_fields(cls, values, "The space")


class Tower(nn.Sequential):
    """What is read of sequences, or of structures, to their places."""

    def __init__(self, inputs: int, config: SpaceConfig) -> None:
        super().__init__(
            nn.LayerNorm(inputs),
            nn.Linear(inputs, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, config.dim),
        )

    def forward(self, read: Tensor) -> Tensor:
        """Places of what is read, (B, inputs) -> unit vectors, (B, Z)."""
        return F.normalize(super().forward(read), dim=-1)


class Towers(nn.Module):
    """Both towers."""

    def __init__(self, config: SpaceConfig) -> None:
        super().__init__()
        self.config = config
        self.sequences = Tower(config.sequence_dim, config)
        self.structures = Tower(config.structure_dim, config)


def pooled(residues: Tensor) -> Tensor:
    """Mean and standard deviation over residues, (L, D) -> (2 D)."""
    return torch.cat([residues.mean(dim=0), residues.std(dim=0, correction=0)])
