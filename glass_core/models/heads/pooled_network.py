"""What heads that tell a property of a whole protein share: residues pooled, members averaged.

Shape notation: B proteins in a batch, L residues of one, D width of the embedder, J width of the
joint encoder of structure and sequence, M members.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.records import frozen_array, require, require_sizes

FEWEST_KNOWN = 5
"""Residues with coordinates that a structure needs to be read."""


@dataclass(frozen=True, eq=False)
class Read:
    """What the encoders make of the residues of one protein.

    Attributes
    ----------
    sequence : Tensor, shape=(L, D)
        By the embedder of sequences.
    joint : Tensor, shape=(L, J), or None
        By the joint encoder; None without a structure.
    known : ndarray, shape=(L,), dtype=bool
        Which residues have coordinates; the others' joint vectors mean nothing.
    """

    sequence: Tensor
    joint: Tensor | None
    known: NDArray[np.bool_]

    def __post_init__(self) -> None:
        length = len(self.sequence)
        object.__setattr__(self, "known", frozen_array(self.known, (length,), "known", bool))
        if self.joint is not None:
            require(len(self.joint) == length, "joint", "has a row for each residue")
            require(int(self.known.sum()) >= FEWEST_KNOWN, "known", "are enough to be read")


@dataclass(frozen=True)
class PooledConfig:
    """Shape of a head.

    Attributes
    ----------
    embedding_dim, joint_dim : int
        Widths D and J of what it reads; 0 = it does not read it.
    hidden : int
        Width inside.
    members : int
        Networks trained apart, whose answers are averaged.
    dropout : float
        Training only.
    noise : float
        What a conservative substitution changes its answer by, at most, 95 times in 100, times the
        residues of the protein: of a mean over more residues each changes less.
    """

    embedding_dim: int = 0
    joint_dim: int = 0
    hidden: int = 256
    members: int = 5
    dropout: float = 0.5
    noise: float = 0.0

    def __post_init__(self) -> None:
        require_sizes(self, ("hidden", "members"))
        require(min(self.embedding_dim, self.joint_dim) >= 0, "embedding_dim", "is a width")
        require(self.embedding_dim + self.joint_dim > 0, "embedding_dim", "or joint_dim is read")
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")
        require(self.noise >= 0, "noise", "is not negative")

    @property
    def width(self) -> int | None:
        """Width of the embedding of the sequence that the head takes; None where it takes none."""
        return self.embedding_dim or None

    @property
    def inputs(self) -> int:
        """Numbers that are made of a protein."""
        return 2 * self.embedding_dim + (2 * self.joint_dim + 1 if self.joint_dim else 0)

    def noise_of(self, residues: int) -> float:
        """The noise for a protein; a difference within it cannot be told from none."""
        return self.noise / max(residues, 1)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class PooledNetwork(nn.Module):
    """Numbers of a protein to outputs, by several networks."""

    centre: Tensor
    spread: Tensor

    def __init__(self, config: PooledConfig, outputs: int) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("centre", torch.zeros(config.inputs))
        self.register_buffer("spread", torch.ones(config.inputs))
        self.members = nn.ModuleList(
            nn.Sequential(
                nn.Linear(config.inputs, config.hidden),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Linear(config.hidden, config.hidden),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Linear(config.hidden, outputs),
            )
            for _ in range(config.members)
        )

    def scaled(self, numbers: Tensor) -> Tensor:
        """Numbers as its members take them, (B, inputs) -> (B, inputs).

        Those of a structure that is not there stay 0.
        """
        found: Tensor = ((numbers - self.centre) / self.spread).clamp(-8, 8)
        if not self.config.joint_dim:
            return found
        first = 2 * self.config.embedding_dim
        return torch.cat([found[:, :first], found[:, first:] * numbers[:, -1:]], dim=1)

    def forward(self, numbers: Tensor) -> Tensor:
        """Answers of every member, (B, inputs) -> (M, B, outputs)."""
        inner = self.scaled(numbers)
        return torch.stack([member(inner) for member in self.members])


def numbers_of(read: Read, config: PooledConfig) -> Tensor:
    """What a head takes of a protein, shape=(inputs,): means and spreads over its residues.

    Without a structure those of the joint encoder are zeros, and the last number says so.
    """
    parts = []
    if config.embedding_dim:
        parts.append(_pooled(read.sequence))
    if config.joint_dim:
        if read.joint is None:
            parts.append(torch.zeros(2 * config.joint_dim + 1, device=read.sequence.device))
        else:
            known = read.joint[torch.from_numpy(read.known.copy())]
            parts += [_pooled(known), torch.ones(1, device=known.device)]
    return torch.cat(parts)


def _pooled(residues: Tensor) -> Tensor:
    residues = residues.float()
    return torch.cat([residues.mean(dim=0), residues.var(dim=0, correction=0).add(1e-12).sqrt()])
