"""Residues of sequences, as training takes them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glass_core.embedders.base import Embedder

_PAD_TO = 64


def embed_fixed(embedder: Embedder, sequences: Sequence[str]) -> list[Tensor]:
    """Residues of `sequences`, without gradients, the residues of a repeated one shared."""
    distinct = sorted(set(sequences))
    # Outside any autocast: what is cached must not depend on the precision of the training.
    with torch.autocast("cpu", enabled=False):
        by_sequence = {e.sequence: e.residues for e in embedder.embed(distinct)}
    return [by_sequence[s] for s in sequences]


def pad_residues(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Rows of shape=(L, D) as one Tensor of shape=(B, longest, D), and its mask.

    Lengths are padded to a multiple of 64: a CPU compiles its kernels anew for every
    shape, so few shapes are fast ones.
    """
    longest = max(len(row) for row in rows)
    longest += -longest % _PAD_TO
    padded = rows[0].new_zeros((len(rows), longest, rows[0].shape[1]))
    mask = torch.zeros((len(rows), longest), dtype=torch.bool, device=padded.device)
    for k, row in enumerate(rows):
        padded[k, : len(row)] = row
        mask[k, : len(row)] = True
    return padded, mask
