"""The effect head that reads the structure too: scores and chances of every substitution.

It looks at one position at a time, with what the encoder of sequences and, where there are
coordinates, ProteinMPNN make of it and its surroundings. It tells what `effect` tells, and
where a model has both it is this head that is told of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.models.heads.base import Embedded
from glass_core.models.heads.effect import EffectTable
from glass_core.models.heads.residue_network import (
    ResidueConfig,
    ResidueInputs,
    against_wild,
    members,
    wild_letters,
)
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import no_substitution
from glass_core.records import require


@dataclass(frozen=True)
class StructureEffectConfig(ResidueConfig):
    """Shape of the head, and the calibration of its chances.

    Attributes
    ----------
    scale, offset : float
        What turns logits into those of calibrated chances where the structure was read.
    sequence_scale, sequence_offset : float
        The same for positions known by sequence alone.
    """

    scale: float = 1.0
    offset: float = 0.0
    sequence_scale: float = 1.0
    sequence_offset: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("scale", "offset", "sequence_scale", "sequence_offset"):
            require(math.isfinite(getattr(self, name)), name, "is finite")

    def chance(
        self, damaging: NDArray[np.floating], known: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Calibrated chances from logits, shape=(L, 20).

        Parameters
        ----------
        damaging : ndarray, shape=(L, 20)
        known : ndarray, shape=(L,), dtype=bool
            Where the structure was read.
        """
        scale = np.where(known, self.scale, self.sequence_scale)[:, None]
        offset = np.where(known, self.offset, self.sequence_offset)[:, None]
        return np.asarray(1 / (1 + np.exp(-(scale * damaging + offset))))


class StructureEffectHead(nn.Module):
    """Vectors of the wild type's residues to scores and logits of their substitutions."""

    def __init__(self, config: StructureEffectConfig) -> None:
        super().__init__()
        self.config = config
        self.members = members(config, 2 * len(STANDARD))

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
        known = inputs.known.numpy()
        chance = self.config.chance(damaging, known)
        hidden = no_substitution(protein.sequence)
        return EffectTable(
            protein.sequence,
            np.where(hidden, np.nan, score),
            np.where(hidden, np.nan, chance),
            known,
        )


CONFIG, NETWORK = StructureEffectConfig, StructureEffectHead
