"""Layers of self-attention as PyTorch has them, in memory that grows with the length alone."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

# PyTorch's shortcut for encoder layers holds a square of the length for every head: 30,000
# residues killed the process. Without it attention is computed piece by piece, and no slower.
torch.backends.mha.set_fastpath_enabled(False)


def through(layers: Iterable[nn.Module], x: Tensor, mask: Tensor) -> Tensor:
    """`x`, shape=(B, L, D), through encoder layers; `mask`, shape=(B, L), is of real residues."""
    hidden = None if bool(mask.all()) else ~mask
    for layer in layers:
        x = layer(x, src_key_padding_mask=hidden)
    return x
