"""The estimate head: what the model would predict of every single substitution.

A predicted TM-score or lDDT needs the embedding of the mutant, one pass over a network for each.
This head has learnt from such predictions to tell them of all mutants from the one embedding of
the wild type (distillation: Hinton et al. 2015, arXiv 1503.02531). What it tells is an estimate
of a prediction and never called one.

Shape notation: L residues, n of them that are asked about, D_in width of the embedder, H hidden
width, 20 letters in the order of `STANDARD`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.models.heads.base import Embedded
from glass_core.models.heads.residue_network import UNKNOWN_LETTER, Step, wild_letters
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import (
    ascending,
    no_substitution,
    percentile,
    substitution_places,
)
from glass_core.protein.variant import Variant
from glass_core.records import MAX_LAYERS, frozen_array, require, require_sizes

OUTPUTS = 2
"""Logarithms to base 10 of the deficits 1 - TM-score and 1 - lDDT at the site."""
LEAST = 1e-5
"""Deficits below it are taken as it: what cosines in single precision can tell."""
_MOST = math.log10(2.0)
"""Of a cosine of -1."""
_AROUND = 4
"""Letters on each side of a residue that are read beside its vector."""
_BEYOND_THE_END = UNKNOWN_LETTER + 1
_TYPICAL_LENGTH = 150.0


@dataclass(frozen=True, eq=False)
class EstimateTable:
    """Estimated predictions of every single substitution of a wild type.

    Attributes
    ----------
    wild_type : str
    tm, lddt : ndarray, shape=(L, 20), dtype=float
        TM-score, and lDDT at the site. Letters in the order of `STANDARD`; NaN for the wild
        type's own letter and where it is none of the 20.
    """

    wild_type: str
    tm: NDArray[np.float64]
    lddt: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("tm", "lddt"):
            values = frozen_array(getattr(self, name), (len(self.wild_type), len(STANDARD)), name)
            object.__setattr__(self, name, values)

    def told(self, variant: Variant) -> dict[str, float]:
        """What the table says of `variant`; nothing but of one substitution."""
        places = substitution_places(variant, self.tm, self.wild_type)
        if len(places) != 1:
            return {}
        index, letter = places[0]
        own = float(self.tm[index, letter])
        return {
            "estimated_tm": own,
            "estimated_lddt_site": float(self.lddt[index, letter]),
            "estimated_tm_percentile": percentile(-own, self._ascending),
            "estimated_tm_site_rank": 1.0 + float((self.tm[index] < own).sum()),
        }

    @property
    def tracks(self) -> dict[str, NDArray[np.float64]]:
        """None."""
        return {}

    @cached_property
    def _ascending(self) -> NDArray[np.float64]:
        return ascending(-self.tm)


@dataclass(frozen=True)
class EstimateConfig:
    """Shape of the head.

    Attributes
    ----------
    embedding_dim : int
        D_in.
    hidden_dim : int
        H.
    steps : int
        Residual steps.
    dropout : float
    """

    embedding_dim: int
    hidden_dim: int = 192
    steps: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        require_sizes(self, ("embedding_dim", "hidden_dim"))
        require_sizes(self, ("steps",), MAX_LAYERS)
        require(self.hidden_dim >= 4, "hidden_dim", "is at least 4")
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")

    @property
    def width(self) -> int:
        """Width of the embedding that the head takes."""
        return self.embedding_dim

    def to_dict(self) -> dict[str, int | float]:
        """The fields by name, as the card holds them."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class EstimateInputs:
    """What the head is given of residues, of one protein or of several.

    Attributes
    ----------
    residues : Tensor, shape=(n, D_in), dtype=float
        Their vectors.
    letters : Tensor, shape=(n, 9), dtype=int64
        Their letters and those around them.
    protein : Tensor, shape=(n, 2 D_in + 1), dtype=float
        Mean and spread of all residues of their protein and the logarithm of its length: a
        TM-score is of the whole.
    """

    residues: Tensor
    letters: Tensor
    protein: Tensor

    @staticmethod
    def of(residues: Tensor, sequence: str) -> EstimateInputs:
        """Those of all residues of `sequence`, from what the embedder makes of it."""
        n, normed = len(sequence), F.layer_norm(residues.float(), residues.shape[-1:])
        letters = F.pad(wild_letters(sequence), (_AROUND, _AROUND), value=_BEYOND_THE_END)
        length = normed.new_tensor([math.log(n / _TYPICAL_LENGTH)])
        spread = normed.std(dim=0, correction=0)
        protein = torch.cat([normed.mean(dim=0), spread, length])
        return EstimateInputs(normed, letters.unfold(0, 2 * _AROUND + 1, 1), protein.expand(n, -1))

    def at(self, rows: Tensor) -> EstimateInputs:
        """Those of some residues."""
        return EstimateInputs(self.residues[rows], self.letters[rows], self.protein[rows])

    @staticmethod
    def joined(parts: Sequence[EstimateInputs]) -> EstimateInputs:
        """Those of several, one after the other."""
        return EstimateInputs(
            torch.cat([one.residues for one in parts]),
            torch.cat([one.letters for one in parts]),
            torch.cat([one.protein for one in parts]),
        )

    def to(self, device: torch.device) -> EstimateInputs:
        """The same on another device."""
        return EstimateInputs(
            self.residues.to(device), self.letters.to(device), self.protein.to(device)
        )


class EstimateHead(nn.Module):
    """Maps the embedder's residues of a wild type to deficits of its substitutions."""

    def __init__(self, config: EstimateConfig) -> None:
        super().__init__()
        self.config = config
        hidden, of_letter = config.hidden_dim, config.hidden_dim // 4
        self.residue = nn.Linear(config.embedding_dim, hidden)
        self.letter = nn.Embedding(_BEYOND_THE_END + 1, of_letter)
        self.letters = nn.Linear((2 * _AROUND + 1) * of_letter, hidden)
        self.protein = nn.Sequential(
            nn.Linear(2 * config.embedding_dim + 1, hidden // 2),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden // 2, hidden),
        )
        self.steps = nn.ModuleList(Step(hidden, config.dropout) for _ in range(config.steps))
        self.norm = nn.LayerNorm(hidden)
        self.deficits = nn.Linear(hidden, OUTPUTS * len(STANDARD))

    def forward(self, inputs: EstimateInputs) -> Tensor:
        """Logarithms of the deficits of every substitution of each residue.

        Returns
        -------
        Tensor, shape=(n, 20, 2)
            See `OUTPUTS`.
        """
        around = self.letters(self.letter(inputs.letters).flatten(1))
        x = self.residue(inputs.residues) + around + self.protein(inputs.protein)
        for step in self.steps:
            x = step(x)
        told: Tensor = self.deficits(self.norm(x))
        return told.unflatten(-1, (len(STANDARD), OUTPUTS))

    @torch.inference_mode()
    def table(self, protein: Protein, embedded: Embedded) -> EstimateTable:
        """Estimates of every single substitution."""
        inputs = EstimateInputs.of(embedded.sequence.residues, protein.sequence)
        logarithm = self(inputs.to(self.deficits.weight.device)).double().cpu().numpy()
        deficits = 10 ** logarithm.clip(math.log10(LEAST), _MOST)
        deficits[no_substitution(protein.sequence)] = np.nan
        return EstimateTable(protein.sequence, 1 - deficits[..., 0], 1 - deficits[..., 1])


CONFIG, NETWORK = EstimateConfig, EstimateHead
