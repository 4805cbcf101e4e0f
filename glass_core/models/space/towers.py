"""Two towers into one space: a sequence, or a stretch of it, and its structure lie close there.

After CLSS (Yanai et al., bioRxiv 2025), over frozen encoders: what is read of either goes through
an adapter to a few dimensions, and vectors have length 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.errors import ModelError
from glass_core.records import MAX_LAYERS, require, require_sizes

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
    hidden, layers : int
        Width and depth of both adapters.
    dropout : float
        Training only.
    """

    sequence_dim: int
    structure_dim: int
    dim: int = SPACE_DIM
    hidden: int = 512
    layers: int = 1
    dropout: float = 0.2

    def __post_init__(self) -> None:
        require_sizes(self, ("sequence_dim", "structure_dim", "dim", "hidden"))
        require_sizes(self, ("layers",), MAX_LAYERS)
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")

    def to_dict(self) -> dict[str, int | float]:
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


class Tower(nn.Module):
    """What is read of sequences, or of structures, to their places.

    Attributes
    ----------
    centre, scale : Tensor, shape=(inputs,)
        Mean and spread of what is read, over the training chains.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, inputs: int, config: SpaceConfig) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        hidden = config.hidden
        self.first = nn.Linear(inputs, hidden)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(hidden),
                nn.Linear(hidden, hidden),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Linear(hidden, hidden),
            )
            for _ in range(config.layers - 1)
        )
        self.last = nn.Sequential(
            nn.GELU(), nn.Dropout(config.dropout), nn.Linear(hidden, config.dim)
        )

    def centre_on(self, read: Tensor) -> None:
        """Take mean and spread of what is read, shape=(n, inputs)."""
        self.centre.copy_(read.mean(dim=0))
        self.scale.copy_(read.std(dim=0) + 1e-4)

    def forward(self, read: Tensor) -> Tensor:
        """Places of what is read, (B, inputs) -> unit vectors, (B, Z)."""
        x = self.first((read - self.centre) / self.scale)
        for layer in self.layers:
            x = x + layer(x)
        return F.normalize(self.last(x), dim=-1)


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
