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
"""Residues on each side of one whose mean is read beside its vector."""
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
        """What the table says of `variant`; nothing with gaps or residues outside the 20.

        Of several substitutions the deficits of TM-score are summed, as predicted ones very
        nearly add up, and lDDT is the mean over the sites. Ranks are of single substitutions only.
        """
        places = substitution_places(variant, self.tm, self.wild_type)
        if not places:
            return {}
        index, letter = places[0]
        own = 1 - sum(1 - float(self.tm[place]) for place in places)
        told = {
            "estimated_tm": max(own, -1.0),
            "estimated_lddt_site": float(np.mean([self.lddt[place] for place in places])),
        }
        if len(places) == 1:
            lower = self.tm[index] < self.tm[index, letter]
            told["estimated_tm_percentile"] = percentile(-self.tm[index, letter], self._ascending)
            told["estimated_tm_site_rank"] = 1.0 + float(lower.sum())
        return told

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
    dropout, input_dropout : float
    """

    embedding_dim: int
    hidden_dim: int = 256
    steps: int = 1
    dropout: float = 0.4
    input_dropout: float = 0.5

    def __post_init__(self) -> None:
        require_sizes(self, ("embedding_dim", "hidden_dim"))
        require_sizes(self, ("steps",), MAX_LAYERS)
        require(self.hidden_dim > 1, "hidden_dim", "is at least 2")
        for name in ("dropout", "input_dropout"):
            require(0 <= getattr(self, name) < 1, name, "lies in [0, 1)")

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
    residues : Tensor, shape=(n, 2 D_in), dtype=float
        Their vectors, and the means of those around them.
    wild : Tensor, shape=(n,), dtype=int64
        Index of the wild-type letter, `UNKNOWN_LETTER` outside the 20.
    protein : Tensor, shape=(n, 2 D_in), dtype=float
        Mean and spread of all residues of their protein: a TM-score is of the whole.
    length : Tensor, shape=(n, 1), dtype=float
        Logarithm of its length.
    """

    residues: Tensor
    wild: Tensor
    protein: Tensor
    length: Tensor

    @staticmethod
    def of(residues: Tensor, sequence: str) -> EstimateInputs:
        """Those of all residues of `sequence`, from what the embedder makes of it."""
        n, normed = len(sequence), F.layer_norm(residues.float(), residues.shape[-1:])
        around = F.avg_pool1d(normed.T, 2 * _AROUND + 1, stride=1, padding=_AROUND).T
        protein = torch.cat([normed.mean(dim=0), normed.std(dim=0, correction=0)])
        return EstimateInputs(
            torch.cat([normed, around], dim=1),
            wild_letters(sequence).to(normed.device),
            protein.expand(n, -1),
            normed.new_full((n, 1), math.log(n / _TYPICAL_LENGTH)),
        )

    def at(self, rows: Tensor) -> EstimateInputs:
        """Those of some residues."""
        return EstimateInputs(*(part[rows] for part in self._parts))

    @staticmethod
    def joined(several: Sequence[EstimateInputs]) -> EstimateInputs:
        """Those of several, one after the other."""
        parts = zip(*(one._parts for one in several), strict=True)
        return EstimateInputs(*(torch.cat(part) for part in parts))

    def to(self, device: torch.device) -> EstimateInputs:
        """The same on another device."""
        return EstimateInputs(*(part.to(device) for part in self._parts))

    @property
    def _parts(self) -> tuple[Tensor, ...]:
        return self.residues, self.wild, self.protein, self.length


class EstimateHead(nn.Module):
    """Maps the embedder's residues of a wild type to deficits of its substitutions."""

    def __init__(self, config: EstimateConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden_dim
        self.residue, self.of_protein = (
            nn.Sequential(nn.Dropout(config.input_dropout), nn.Linear(2 * config.embedding_dim, to))
            for to in (hidden, hidden // 2)
        )
        self.protein = nn.Sequential(
            nn.GELU(), nn.Dropout(config.dropout), nn.Linear(hidden // 2, hidden)
        )
        self.length = nn.Linear(1, hidden // 2, bias=False)
        self.wild_letter = nn.Embedding(UNKNOWN_LETTER + 1, hidden)
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
        protein = self.protein(self.of_protein(inputs.protein) + self.length(inputs.length))
        x = self.residue(inputs.residues) + self.wild_letter(inputs.wild) + protein
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
