"""What is read of a sequence for the tower of sequences: a frozen model, pooled over residues."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glass_core.models.predictor import SiamesePredictor
from glass_core.models.space.base import Told, untold
from glass_core.models.space.towers import pooled

_TOGETHER = 256


class SequenceReader:
    """Reads sequences by a model: mean and spread of the embeddings of their residues.

    Attributes
    ----------
    name : str
        As cards have it.
    dim : int
        Numbers that it reads of a sequence.
    """

    def __init__(self, predictor: SiamesePredictor) -> None:
        self._predictor = predictor
        info = predictor.info
        self.name = f"{info.name} {info.version}"
        self.dim = 2 * predictor.embedder.dim

    @property
    def sha256(self) -> str:
        """Of the weights that read, in hex."""
        return self._predictor.pooling.sha256

    def read(self, sequences: Sequence[str], told: Told = untold) -> Tensor:
        """What it reads of each, shape=(n, dim), dtype=float32, on the CPU.

        Raises
        ------
        SequenceError
            One is empty or holds a letter that is no residue.
        """
        found = torch.empty(len(sequences), self.dim)
        for begin in range(0, len(sequences), _TOGETHER):
            some = self._predictor.embedder.embed(sequences[begin : begin + _TOGETHER])
            found[begin : begin + len(some)] = torch.stack([pooled(one.residues) for one in some])
            told(begin + len(some))
        return found
