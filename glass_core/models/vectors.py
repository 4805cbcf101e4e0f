"""One vector of a sequence: padded batches in, unit vectors out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glass_core.embedders.base import Embedding
from glass_core.embedders.batching import length_buckets

_TOKEN_BUDGET = 8_000


@dataclass(frozen=True)
class Pooling:
    """What makes one vector of a sequence; only vectors of the same can be compared.

    Attributes
    ----------
    name : str
        Such as ``fold head``.
    sha256 : str
        Of the weights behind it, those of no other head among them.
    """

    name: str
    sha256: str

    def __str__(self) -> str:
        return self.name


def padded_batches(
    embeddings: Sequence[Embedding], device: torch.device
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Embeddings in batches of sequences that are alike in length.

    Yields
    ------
    rows : list of int
        Which of `embeddings`.
    residues : Tensor, shape=(B, L, D)
        Padded with zeros, on `device`.
    mask : Tensor, shape=(B, L), dtype=bool
        True at real residues.
    """
    lengths = [len(e.sequence) for e in embeddings]
    for rows in length_buckets(lengths, _TOKEN_BUDGET):
        residues = torch.nn.utils.rnn.pad_sequence(
            [embeddings[row].residues for row in rows], batch_first=True
        ).to(device)
        length = torch.tensor([lengths[row] for row in rows], device=device)
        mask = torch.arange(residues.shape[1], device=device) < length[:, None]
        yield rows, residues, mask


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vectors`, shape=(n, Z), each divided by its length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)
