"""The effect head that reads the structure too: scores and chances of every substitution.

It looks at one position at a time, with what the encoder of sequences and, where there are
coordinates, ProteinMPNN make of it and its surroundings. It tells what `effect` tells, and
where a model has both it is this head that is told of.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from glass_core.models.heads.base import Embedded
from glass_core.models.heads.effect import EffectTable
from glass_core.models.heads.residue_network import (
    UNKNOWN_LETTER,
    ResidueInputs,
    ResidueNetwork,
    against_wild,
    wild_letters,
)
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.records import MAX_LAYERS, require, require_sizes


@dataclass(frozen=True)
class StructureEffectConfig:
    """Shape of the head, and the calibration of its chances.

    Attributes
    ----------
    members : int
        Networks that are averaged.
    scale, offset : float
        What turns logits into those of calibrated chances where the structure was read.
    sequence_scale, sequence_offset : float
        The same for positions known by sequence alone.
    """

    embedding_dim: int
    hidden_dim: int = 256
    steps: int = 1
    members: int = 4
    dropout: float = 0.2
    input_dropout: float = 0.5
    scale: float = 1.0
    offset: float = 0.0
    sequence_scale: float = 1.0
    sequence_offset: float = 0.0

    def __post_init__(self) -> None:
        require_sizes(self, ("embedding_dim", "hidden_dim", "members"))
        require_sizes(self, ("steps",), MAX_LAYERS)
        for name in ("dropout", "input_dropout"):
            require(0 <= getattr(self, name) < 1, name, "lies in [0, 1)")
        for name in ("scale", "offset", "sequence_scale", "sequence_offset"):
            require(math.isfinite(getattr(self, name)), name, "is finite")

    @property
    def width(self) -> int:
        """Width of the embedding that the head takes."""
        return self.embedding_dim

    def to_dict(self) -> dict[str, int | float]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class StructureEffectHead(nn.Module):
    """Vectors of the wild type's residues to scores and logits of their substitutions."""

    def __init__(self, config: StructureEffectConfig) -> None:
        super().__init__()
        self.config = config
        self.members = nn.ModuleList(
            ResidueNetwork(
                config.embedding_dim,
                config.hidden_dim,
                config.steps,
                2 * len(STANDARD),
                config.dropout,
                config.input_dropout,
            )
            for _ in range(config.members)
        )

    def forward(self, inputs: ResidueInputs) -> tuple[Tensor, Tensor]:
        """Of every member.

        Returns
        -------
        score : Tensor, shape=(members, L, 20)
            Effect score, higher = more damaging; 0 for the wild type's letter.
        damaging : Tensor, shape=(members, L, 20)
            Logit of being damaging, not yet calibrated.
        """
        told = torch.stack([member(inputs) for member in self.members])
        score, damaging = told.split(len(STANDARD), -1)
        return against_wild(score, inputs.wild.expand(len(self.members), -1)), damaging

    @torch.inference_mode()
    def table(self, protein: Protein, embedded: Embedded) -> EffectTable:
        """Scores and calibrated chances of every single substitution."""
        device = next(self.parameters()).device
        wild = wild_letters(protein.sequence)
        inputs = ResidueInputs.of(embedded.sequence.residues, embedded.structure, wild)
        score, damaging = (t.mean(0).double().cpu().numpy() for t in self(inputs.to(device)))
        config, known = self.config, inputs.known.numpy()[:, None]
        scale = np.where(known, config.scale, config.sequence_scale)
        offset = np.where(known, config.offset, config.sequence_offset)
        chance = 1 / (1 + np.exp(-(scale * damaging + offset)))
        own = np.arange(len(STANDARD))[None] == wild.numpy()[:, None]
        hidden = own | (wild.numpy() == UNKNOWN_LETTER)[:, None]
        return EffectTable(
            protein.sequence,
            np.where(hidden, np.nan, score),
            np.where(hidden, np.nan, chance),
            inputs.known.numpy(),
        )


CONFIG, NETWORK = StructureEffectConfig, StructureEffectHead
