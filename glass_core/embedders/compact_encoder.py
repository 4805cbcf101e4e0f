"""The embedded encoder: small enough to live in the repository, ours from the first weight.

Token embedding, two residual convolutions, pre-norm transformer layers with
rotary positions (Su et al., arXiv 2104.09864), a final layer norm. Linear side
heads go with it, one per residue property it was trained to tell (`SIDE_HEADS`).

Shape notation: B sequences in a batch, L residues of the longest, D width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.protein.sequence import STANDARD, UNKNOWN, for_embedding
from glass_core.records import MAX_LAYERS, of_fields, require, require_sizes

UNKNOWN_TOKEN = len(STANDARD)
MASK_TOKEN = UNKNOWN_TOKEN + 1
PAD_TOKEN = MASK_TOKEN + 1
N_TOKENS = PAD_TOKEN + 1
SECONDARY_STATES = "HEC"
"""Helix, strand, coil: the order of the secondary structure head."""
SIDE_HEADS = {
    "letters": len(STANDARD),
    "secondary": len(SECONDARY_STATES),
    "conservation": 9,
    "disorder": 1,
    "burial": 1,
}
"""Outputs per residue: logits of the hidden letter, of the secondary structure and of the
conservation class (1 variable .. 9 conserved), logit of being disordered, and the number of
C-alpha within 10 Å, standardised."""

_TOKEN = {letter: index for index, letter in enumerate(STANDARD)} | {UNKNOWN: UNKNOWN_TOKEN}
_ROTARY_BASE = 10_000.0


@dataclass(frozen=True)
class CompactConfig:
    """Shape of the encoder.

    Attributes
    ----------
    dim : int
        Width D of the per-residue vectors.
    layers, heads, feedforward : int
        Transformer layers, attention heads, hidden width of the feed-forward.
    conv_layers, conv_width : int
        Residual convolutions before the transformer, and how many residues each sees.
    dropout : float
        Training only.
    window : int
        Longest sequence encoded at once, as in training; see `windows`.
    """

    dim: int = 256
    layers: int = 6
    heads: int = 4
    feedforward: int = 768
    conv_layers: int = 2
    conv_width: int = 5
    dropout: float = 0.0
    window: int = 320

    def __post_init__(self) -> None:
        require_sizes(self, ("dim", "heads", "feedforward", "conv_width", "window"))
        require_sizes(self, ("layers", "conv_layers"), MAX_LAYERS)
        require(self.dim % (2 * self.heads) == 0, "dim", "is an even multiple of heads")
        require(self.conv_width % 2 == 1, "conv_width", "is odd")
        require(self.window >= 8, "window", "is at least 8")
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")

    def to_dict(self) -> dict[str, int | float]:
        """The fields by name, as the card holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CompactConfig:
        """Inverse of `to_dict`; a field that is missing or unknown is a `ModelError`."""
        return of_fields(cls, values, "The encoder's configuration")


class _Convolution(nn.Module):
    """Residual convolution along the sequence; what is outside the mask counts as zero."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.dim)
        self.conv = nn.Conv1d(
            config.dim, config.dim, config.conv_width, padding=config.conv_width // 2
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        inner = self.norm(x).masked_fill(~mask[..., None], 0.0)
        return x + F.gelu(self.conv(inner.transpose(1, 2)).transpose(1, 2))

    def of_windows(self, x: Tensor, mask: Tensor) -> Tensor:
        """The same for single residues, each with its surroundings.

        Parameters
        ----------
        x : Tensor, shape=(R, conv_width, D)
        mask : Tensor, shape=(R, conv_width), dtype=bool

        Returns
        -------
        Tensor, shape=(R, D)
        """
        inner = self.norm(x).masked_fill(~mask[..., None], 0.0)
        weight = self.conv.weight.transpose(1, 2).flatten(1)
        middle = x[:, x.shape[1] // 2]
        return middle + F.gelu(F.linear(inner.flatten(1), weight, self.conv.bias))


class _Layer(nn.Module):
    """Pre-norm self-attention with rotary positions, then a feed-forward."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.dropout = config.dropout
        self.norm_attention = nn.LayerNorm(config.dim)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.attention_out = nn.Linear(config.dim, config.dim)
        self.norm_feedforward = nn.LayerNorm(config.dim)
        self.expand = nn.Linear(config.dim, config.feedforward)
        self.contract = nn.Linear(config.feedforward, config.dim)

    def forward(self, x: Tensor, keys: Tensor | None, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, dim = x.shape
        qkv = self.qkv(self.norm_attention(x))
        qkv = qkv.view(batch, length, 3, self.heads, dim // self.heads)
        turned, value = rotate(qkv[:, :, :2].permute(2, 0, 3, 1, 4), cos, sin), qkv[:, :, 2]
        query, key = turned
        rate = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value.transpose(1, 2), attn_mask=keys)
        attended = attended.transpose(1, 2).reshape(batch, length, dim)
        x = x + F.dropout(self.attention_out(attended), rate, training=self.training)
        inner = F.gelu(self.expand(self.norm_feedforward(x)))
        return x + F.dropout(self.contract(inner), rate, training=self.training)


def rotary_tables(length: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotation at each position, each of shape=(length, width / 2)."""
    step = torch.arange(0, width, 2, device=device, dtype=torch.float32) / width
    position = torch.arange(length, device=device, dtype=torch.float32)
    angle = position[:, None] * _ROTARY_BASE**-step
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the halves of the last axis of `x`, shape=(..., L, width), by position."""
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    left, right = x.chunk(2, dim=-1)
    return torch.cat(
        [torch.addcmul(left * cos, right, sin, value=-1), torch.addcmul(left * sin, right, cos)],
        dim=-1,
    )


class CompactEncoder(nn.Module):
    """Tokens in, one vector per residue out."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(N_TOKENS, config.dim)
        self.convolutions = nn.ModuleList(_Convolution(config) for _ in range(config.conv_layers))
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.dim)
        self.side = nn.ModuleDict(
            {name: nn.Linear(config.dim, size) for name, size in SIDE_HEADS.items()}
        )
        nn.init.normal_(self.embedding.weight, std=0.5)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Encode a padded batch.

        Parameters
        ----------
        tokens : Tensor, shape=(B, L), dtype=int64
        mask : Tensor, shape=(B, L), dtype=bool
            True at real residues; every row holds at least one.

        Returns
        -------
        Tensor, shape=(B, L, D)
            Rows outside the mask are meaningless.
        """
        x = self.embedding(tokens)
        for convolution in self.convolutions:
            x = convolution(x, mask)
        width = self.config.dim // self.config.heads
        cos, sin = rotary_tables(tokens.shape[1], width, tokens.device)
        keys = None if bool(mask.all()) else mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, keys, cos, sin)
        return self.norm(x)

    def tell(self, name: str, residues: Tensor) -> Tensor:
        """The side head `name` on encoded residues, shape (..., D) -> (..., SIDE_HEADS[name])."""
        answer: Tensor = self.side[name](residues)
        return answer


def tokenise(sequences: Sequence[str], device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Tokens and mask, both of shape=(B, L), of checked sequences; ``U O B Z J`` are X."""
    length = max(len(s) for s in sequences)
    tokens = torch.full((len(sequences), length), PAD_TOKEN, dtype=torch.long)
    for row, sequence in zip(tokens, sequences, strict=True):
        row[: len(sequence)] = torch.tensor([_TOKEN[c] for c in for_embedding(sequence)])
    tokens = tokens.to(device)
    return tokens, tokens != PAD_TOKEN
