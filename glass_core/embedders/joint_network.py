"""One encoder of structure and sequence: attention over residues that knows how they lie.

What a language model makes of the sequence goes in before the structure is read (serial),
stands beside it (parallel), or both attend to each other at the end (cross), as in
ESM-GearNet (Zhang et al., arXiv 2303.06275); or one of the two stands alone. Whatever moves the
whole structure changes nothing.

Shape notation: B proteins in a batch, L residues of the longest, K neighbours of each, D width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.embedders.joint_geometry import (
    PAIR_FEATURES,
    TORSIONS,
    backbone_torsions,
    gathered,
    nearest,
    pair_features,
)
from glass_core.records import MAX_LAYERS, of_fields, require, require_sizes

Fusion = Literal["serial", "parallel", "cross", "structure", "sequence"]
FUSIONS: tuple[Fusion, ...] = get_args(Fusion)
CHIS = 4
"""Torsions of a side chain that are read."""
_FARTHEST = 32
"""Neighbours further apart along the chain look alike, and so do those of other chains."""


@dataclass(frozen=True)
class JointConfig:
    """Shape of the encoder.

    Attributes
    ----------
    sequence_dim : int
        Width of the embedding of the sequence.
    dim, pair_dim : int
        Width D of what it tells of a residue; of a pair.
    layers, heads, neighbours : int
        Layers over the structure, attention heads, residues that one attends to.
    fusion : {"serial", "parallel", "cross", "structure", "sequence"}
        How sequence and structure come together, or which of the two stands alone.
    dropout : float
        Training only.
    """

    sequence_dim: int = 256
    dim: int = 192
    pair_dim: int = 64
    layers: int = 6
    heads: int = 8
    neighbours: int = 30
    fusion: Fusion = "serial"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        require_sizes(self, ("sequence_dim", "dim", "pair_dim", "heads", "neighbours"))
        require_sizes(self, ("layers",), MAX_LAYERS)
        require(self.dim % self.heads == 0, "dim", "is a multiple of heads")
        require(self.fusion in FUSIONS, "fusion", f"is one of {', '.join(FUSIONS)}")
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")

    @property
    def reads_sequence(self) -> bool:
        """Whether the embedding of the sequence is needed."""
        return self.fusion != "structure"

    @property
    def reads_structure(self) -> bool:
        """Whether coordinates are needed."""
        return self.fusion != "sequence"

    def to_dict(self) -> dict[str, int | float | str]:
        """The fields by name, as a card holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> JointConfig:
        """Inverse of `to_dict`; a field that is missing or unknown is a `ModelError`."""
        return of_fields(cls, values, "The joint encoder")


@dataclass(frozen=True, eq=False)
class Placed:
    """Residues of proteins with their coordinates, padded to one length.

    Attributes
    ----------
    mask : Tensor, shape=(B, L), dtype=bool
        True at real residues.
    known : Tensor, shape=(B, L), dtype=bool
        Those that have N, CA and C.
    coordinates : Tensor, shape=(B, L, 3, 3), dtype=float32
        N, CA, C in Å; zeros where they are not known.
    number : Tensor, shape=(B, L), dtype=int64
        Place along the chain: one more than the residue before where that is its neighbour.
    chain : Tensor, shape=(B, L), dtype=int64
    chi : Tensor, shape=(B, L, 4, 2), dtype=float32
        Sine and cosine of the side chain's torsions; zeros where there is none.
    """

    mask: Tensor
    known: Tensor
    coordinates: Tensor
    number: Tensor
    chain: Tensor
    chi: Tensor

    def at(self, coordinates: Tensor) -> Placed:
        """The same residues at other places."""
        return Placed(self.mask, self.known, coordinates, self.number, self.chain, self.chi)


class _Layer(nn.Module):
    """Pre-norm attention to the nearest residues, seen with how they lie; then a feed-forward."""

    def __init__(self, config: JointConfig) -> None:
        super().__init__()
        dim = config.dim
        self.heads, self.dropout = config.heads, config.dropout
        self.norm_attention, self.norm_feedforward = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.pair_bias = nn.Linear(config.pair_dim, config.heads, bias=False)
        self.out = nn.Linear(dim + config.heads * config.pair_dim, dim)
        self.expand, self.contract = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor, pairs: Tensor, near: Tensor, seen: Tensor) -> Tensor:
        inner = self.norm_attention(x)
        both = gathered(self.key_value(inner), near)
        key, value = both.unflatten(-1, (2, self.heads, -1)).unbind(3)
        query = self.query(inner).unflatten(-1, (1, self.heads, -1))
        logits = (query * key).sum(-1) * query.shape[-1] ** -0.5 + self.pair_bias(pairs)
        weight = logits.masked_fill(~seen[..., None], -torch.inf).softmax(dim=2)
        weight = weight.to(pairs.dtype)
        of_residues = (weight[..., None] * value).sum(2).flatten(2)
        of_pairs = (weight.transpose(2, 3) @ pairs).flatten(2)
        x = x + self._dropped(self.out(torch.cat([of_residues, of_pairs], dim=-1)))
        return x + self._dropped(self.contract(F.gelu(self.expand(self.norm_feedforward(x)))))

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, training=self.training)


class _Cross(nn.Module):
    """One block in which residues of both kinds attend to each other."""

    def __init__(self, config: JointConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.dim)
        self.attention = nn.MultiheadAttention(config.dim, config.heads, batch_first=True)

    def forward(self, left: Tensor, right: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        both = torch.cat([left, right], dim=1)
        inner = self.norm(both)
        hidden = ~torch.cat([mask, mask], dim=1)
        attended, _ = self.attention(
            inner, inner, inner, key_padding_mask=hidden, need_weights=False
        )
        first, second = (both + attended).chunk(2, dim=1)
        return first, second


class JointEncoder(nn.Module):
    """Residues with coordinates and an embedding of the sequence in, one vector each out."""

    def __init__(self, config: JointConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        if config.reads_sequence:
            self.norm_sequence = nn.LayerNorm(config.sequence_dim)
            self.sequence = nn.Linear(config.sequence_dim, dim)
        if config.reads_structure:
            self.geometry = nn.Linear(2 * TORSIONS + 3 * CHIS + 1, dim)
            self.offset = nn.Embedding(2 * _FARTHEST + 2, config.pair_dim)
            self.pairs = nn.Sequential(
                nn.Linear(PAIR_FEATURES, config.pair_dim),
                nn.GELU(),
                nn.Linear(config.pair_dim, config.pair_dim),
            )
            self.norm_pairs = nn.LayerNorm(config.pair_dim)
            self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        if config.fusion == "cross":
            self.cross = _Cross(config)
        if config.fusion in ("parallel", "cross"):
            self.join = nn.Linear(2 * dim, dim)
        self.norm = nn.LayerNorm(dim)

    def neighbours(self, placed: Placed) -> Tensor:
        """Whom each residue attends to, shape=(B, L, K)."""
        return nearest(placed.coordinates, placed.known, self.config.neighbours)

    def forward(
        self, placed: Placed, sequence: Tensor | None, near: Tensor | None = None
    ) -> Tensor:
        """Encode a padded batch.

        Parameters
        ----------
        placed : Placed
        sequence : Tensor, shape=(B, L, sequence_dim), optional
            Embedding of each residue; not needed where the structure stands alone.
        near : Tensor, shape=(B, L, K), dtype=int64, optional
            Whom each residue attends to; the nearest, where it is not given.

        Returns
        -------
        Tensor, shape=(B, L, D)
            Rows outside the mask are meaningless.
        """
        told = None if sequence is None else self._of_sequence(sequence)
        fusion = self.config.fusion
        if fusion == "sequence":
            return self._normed(_needed(told))
        if near is None:
            near = self.neighbours(placed)
        x = self._structure(placed, near, _needed(told) if fusion == "serial" else None)
        if fusion in ("parallel", "cross"):
            left, right = x, _needed(told)
            if fusion == "cross":
                left, right = self.cross(left, right, placed.mask)
            x = self.join(torch.cat([left, right], dim=-1))
        return self._normed(x)

    def _of_sequence(self, sequence: Tensor) -> Tensor | None:
        if not self.config.reads_sequence:
            return None
        found: Tensor = self.sequence(self.norm_sequence(sequence))
        return found

    def _normed(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(x)
        return found

    def _structure(self, placed: Placed, near: Tensor, told: Tensor | None) -> Tensor:
        """The layers over the structure, begun with its own features and what is told."""
        number, chain = placed.number, placed.chain
        joined = (number[:, 1:] - number[:, :-1] == 1) & (chain[:, 1:] == chain[:, :-1])
        bonded = joined & placed.known[:, 1:] & placed.known[:, :-1]
        there = placed.chi.square().sum(-1).clamp(max=1.0)
        x: Tensor = self.geometry(
            torch.cat(
                [
                    backbone_torsions(placed.coordinates, bonded),
                    placed.chi.flatten(2),
                    there,
                    placed.known[..., None],
                ],
                dim=-1,
            )
        )
        if told is not None:
            x = x + told
        offset = (gathered(number, near) - number[:, :, None]).clamp(-_FARTHEST, _FARTHEST)
        same = gathered(chain, near) == chain[:, :, None]
        kind = torch.where(same, offset + _FARTHEST, 2 * _FARTHEST + 1)
        itself = near == torch.arange(near.shape[1], device=near.device)[:, None]
        seen = (gathered(placed.known, near) & placed.known[:, :, None]) | itself
        features = pair_features(placed.coordinates, near) * seen[..., None]
        pairs = self.norm_pairs(self.pairs(features) + self.offset(kind))
        for layer in self.layers:
            x = layer(x, pairs, near, seen)
        return x


def _needed(told: Tensor | None) -> Tensor:
    if told is None:
        raise ValueError("this fusion needs an embedding of the sequence")
    return told
