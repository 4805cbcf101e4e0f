"""The effect head: one pass over the wild type scores every single substitution.

Shape notation: B sequences in a batch, L residues of the longest, D_in width of the
embedder, 20 letters in the order of `STANDARD`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.models.heads.attention import through
from glass_core.models.heads.base import Embedded
from glass_core.models.heads.residue_network import against_wild, wild_letters
from glass_core.models.prediction import OTHERS_AT_SITE
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


@dataclass(frozen=True, eq=False)
class EffectTable:
    """How damaging every single substitution of a wild type is predicted to be.

    Attributes
    ----------
    wild_type : str
    score, probability : ndarray, shape=(L, 20), dtype=float
        Effect scores, higher = more damaging, comparable within one protein only, and
        calibrated chances that a clinical database would call it damaging. Letters in the
        order of `STANDARD`; NaN for the wild type's own letter and where it is none of the 20.
    from_structure : ndarray, shape=(L,), dtype=bool
        Where the structure was read; nowhere, unless it is given.
    """

    wild_type: str
    score: NDArray[np.float64]
    probability: NDArray[np.float64]
    from_structure: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        length = len(self.wild_type)
        for name in ("score", "probability"):
            values = frozen_array(getattr(self, name), (length, len(STANDARD)), name)
            object.__setattr__(self, name, values)
        given = np.zeros(length, bool) if self.from_structure is None else self.from_structure
        read = frozen_array(given, (length,), "from_structure", bool)
        object.__setattr__(self, "from_structure", read)

    def told(self, variant: Variant) -> dict[str, float]:
        """What the table says of `variant`; nothing with gaps or residues outside the 20.

        Scores of several substitutions are summed; their chance is that at least one of
        them is damaging, taken as independent. Ranks are of single substitutions only.
        """
        places = substitution_places(variant, self.score, self.wild_type)
        if not places:
            return {}
        score = float(sum(self.score[place] for place in places))
        spared = float(np.prod([1 - self.probability[place] for place in places]))
        read = self.from_structure
        told = {
            "effect": score,
            "p_damaging": 1 - spared,
            "effect_structure": float(read is not None and all(read[i] for i, _ in places)),
        }
        if len(places) == 1:
            rank = 1 + int((self.score[places[0][0]] > score).sum())
            told |= {
                "site_rank": rank,
                "percentile_site": 100 * (OTHERS_AT_SITE - rank) / OTHERS_AT_SITE,
                "percentile_protein": percentile(score, self._ascending),
                "damaging_percentile": percentile(1 - spared, self._ascending_chances),
            }
        return told

    @property
    def tracks(self) -> dict[str, NDArray[np.float64]]:
        """``sensitivity``: mean score of the 19 substitutions of each position."""
        return {"sensitivity": self.sensitivity}

    @cached_property
    def _ascending_chances(self) -> NDArray[np.float64]:
        return ascending(self.probability)

    @cached_property
    def _ascending(self) -> NDArray[np.float64]:
        return ascending(self.score)

    @cached_property
    def sensitivity(self) -> NDArray[np.float64]:
        """Mean score of the substitutions of each position, shape=(L,); NaN without any."""
        known = (~np.isnan(self.score)).sum(axis=1)
        total = np.nansum(self.score, axis=1)
        return np.where(known > 0, total / np.maximum(known, 1), np.nan)


@dataclass(frozen=True)
class EffectConfig:
    """Shape of the head, and the calibration of its chances.

    Attributes
    ----------
    scale, offset : float
        What turns the logits of `EffectHead` into those of calibrated chances.
    """

    embedding_dim: int
    hidden_dim: int = 256
    nhead: int = 4
    num_layers: int = 2
    dropout: float = 0.1
    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        require_sizes(self, ("embedding_dim", "hidden_dim", "nhead"))
        require_sizes(self, ("num_layers",), MAX_LAYERS)
        require(self.hidden_dim % self.nhead == 0, "hidden_dim", "is a multiple of nhead")
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")
        for name in ("scale", "offset"):
            require(math.isfinite(getattr(self, name)), name, "is finite")

    @property
    def width(self) -> int:
        """Width of the embedding that the head takes."""
        return self.embedding_dim

    def to_dict(self) -> dict[str, int | float]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class EffectHead(nn.Module):
    """Maps the embedder's residues of a wild type to scores of its substitutions."""

    def __init__(self, config: EffectConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden_dim
        self.input_projection = nn.Linear(config.embedding_dim, hidden)
        self.wild_letter = nn.Embedding(len(STANDARD) + 1, hidden)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                d_model=hidden,
                nhead=config.nhead,
                dim_feedforward=4 * hidden,
                dropout=config.dropout,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(hidden)
        self.score = nn.Linear(hidden, len(STANDARD))
        self.damaging = nn.Linear(hidden, len(STANDARD))

    def forward(self, residues: Tensor, mask: Tensor, wild: Tensor) -> tuple[Tensor, Tensor]:
        """Score every substitution of a padded batch of wild types.

        Parameters
        ----------
        residues : Tensor, shape=(B, L, D_in), dtype=float
        mask : Tensor, shape=(B, L), dtype=bool
            True at real residues; every row holds at least one.
        wild : Tensor, shape=(B, L), dtype=int64
            Index of the wild-type letter, `residue_network.UNKNOWN_LETTER` outside
            the 20.

        Returns
        -------
        score : Tensor, shape=(B, L, 20)
            Effect score, higher = more damaging; 0 for the wild-type letter.
        damaging : Tensor, shape=(B, L, 20)
            Logit of being damaging, not yet calibrated.
        """
        x = self.input_projection(residues) + self.wild_letter(wild)
        x = through(self.layers, x, mask)
        x = self.norm(x)
        return against_wild(self.score(x), wild), self.damaging(x)

    @torch.inference_mode()
    def table(self, protein: Protein, embedded: Embedded) -> EffectTable:
        """Scores and calibrated chances of every single substitution."""
        device = self.score.weight.device
        wild = wild_letters(protein.sequence)
        mask = torch.ones(1, len(wild), dtype=torch.bool, device=device)
        score, damaging = self(
            embedded.sequence.residues[None].to(device), mask, wild[None].to(device)
        )
        logit = self.config.scale * damaging[0].double() + self.config.offset
        hidden = no_substitution(protein.sequence)
        return EffectTable(
            protein.sequence,
            np.where(hidden, np.nan, score[0].double().cpu().numpy()),
            np.where(hidden, np.nan, logit.sigmoid().cpu().numpy()),
        )


CONFIG, NETWORK = EffectConfig, EffectHead
