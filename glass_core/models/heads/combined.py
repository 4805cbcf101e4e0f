"""The combining head: one calibrated chance from whatever the others tell of a substitution.

A weighted sum (Wolpert, Neural Netw. 5, 241 (1992): stacking), with weights of its own for
each pattern of evidence: structure read or not, alignment counted or not. They are fitted to
what heads say of proteins that they were not trained on, see `training.combined`.
From the sequence alone a sum gains nothing, and the chance is that of the effect head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from glass_core.models.heads.effect import EffectTable
from glass_core.models.heads.stability import SPAN, StabilityTable
from glass_core.models.prediction import Table
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import ascending, percentile, substitution_places
from glass_core.protein.variant import Variant
from glass_core.records import frozen_array, require

INGREDIENTS = ("effect", "chance", "ddg", "rarity")
"""Effect score; logit of the calibrated chance; ddG within `SPAN`; log-odds turned round."""
_SURE = 1e-6
"""Chances are kept so far from 0 and 1."""


@dataclass(frozen=True, eq=False)
class CombinedTable:
    """One chance of being damaging for every single substitution, and what it rests on.

    Attributes
    ----------
    wild_type : str
    probability : ndarray, shape=(L, 20), dtype=float
        Letters in the order of `STANDARD`; NaN for the wild type's own letter and where it
        is none of the 20.
    structure, alignment : ndarray, shape=(L,), dtype=bool
        Where the structure was read, and where an alignment was counted.
    """

    wild_type: str
    probability: NDArray[np.float64]
    structure: NDArray[np.bool_]
    alignment: NDArray[np.bool_]

    def __post_init__(self) -> None:
        length = len(self.wild_type)
        values = frozen_array(self.probability, (length, len(STANDARD)), "probability")
        known = values[~np.isnan(values)]
        require(bool(((known >= 0) & (known <= 1)).all()), "probability", "lies in [0, 1]")
        object.__setattr__(self, "probability", values)
        for name in ("structure", "alignment"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), (length,), name, bool))

    def told(self, variant: Variant) -> dict[str, float]:
        """What the table says of `variant`; nothing with gaps or residues outside the 20.

        Of several substitutions it is the chance that at least one is damaging, taken as
        independent, and structure or alignment count where they do for all.
        """
        places = substitution_places(variant, self.probability, self.wild_type)
        if not places:
            return {}
        spared = float(np.prod([1 - self.probability[place] for place in places]))
        told = {
            "p_combined": 1 - spared,
            "combined_structure": float(all(self.structure[index] for index, _ in places)),
            "combined_alignment": float(all(self.alignment[index] for index, _ in places)),
        }
        if len(places) == 1:
            told["combined_percentile"] = percentile(1 - spared, self._ascending)
        return told

    @property
    def tracks(self) -> dict[str, NDArray[np.float64]]:
        """Nothing by position: the chance is of a substitution."""
        return {}

    @cached_property
    def _ascending(self) -> NDArray[np.float64]:
        return ascending(self.probability)


@dataclass(frozen=True)
class CombinedConfig:
    """Shape of the head: it has no choices."""

    @property
    def width(self) -> None:
        """It takes no embedding."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class CombinedHead(nn.Module):
    """What other heads and the alignment tell of a substitution to one chance.

    ``weight``, shape=(2, 2, 4), and ``offset``, shape=(2, 2): without and with the structure,
    without and with an alignment, by `INGREDIENTS`. Weights are 0 or more. A new head leaves
    the chance of the effect head as it is.
    """

    def __init__(self, config: CombinedConfig) -> None:
        super().__init__()
        self.config = config
        self.weight = nn.Parameter(torch.tensor([0.0, 1.0, 0.0, 0.0]).repeat(2, 2, 1))
        self.offset = nn.Parameter(torch.zeros(2, 2))

    def combine(self, protein: Protein, tables: Sequence[Table]) -> CombinedTable | None:
        """The chances from the last table of each kind; None without effect or stability."""
        by_kind = {type(table): table for table in tables}
        effect, stability = by_kind.get(EffectTable), by_kind.get(StabilityTable)
        if not isinstance(effect, EffectTable) or not isinstance(stability, StabilityTable):
            return None
        profile = protein.profile
        rarity = -profile.log_odds if profile is not None and profile.usable else None
        read = stability.from_structure
        values = ingredients(effect.score, effect.probability, stability.ddg, rarity)
        aligned = np.asarray(~np.isnan(values[..., -1]).all(axis=1)) & self._counts_alignment(read)
        chances = self.chances(values, read, aligned)
        return CombinedTable(protein.sequence, chances, read, aligned)

    def _counts_alignment(self, structure: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Where an alignment has a weight, by whether the structure was read."""
        return (self.weight[:, 1, -1] > 0).cpu().numpy()[structure.astype(int)]

    def chances(
        self,
        values: NDArray[np.float64],
        structure: NDArray[np.bool_],
        alignment: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """Chances from `ingredients` of L positions and the evidence at each, shape=(L, 20)."""
        weight, offset = (t.detach().double().cpu().numpy() for t in (self.weight, self.offset))
        pattern = structure.astype(int), alignment.astype(int)
        known = values.copy()
        known[~alignment, :, -1] = 0.0
        logit = (known * weight[pattern][:, None]).sum(-1) + offset[pattern][:, None]
        return np.asarray(1 / (1 + np.exp(-logit)))


def ingredients(
    score: NDArray[np.floating],
    probability: NDArray[np.floating],
    ddg: NDArray[np.floating],
    rarity: NDArray[np.floating] | None,
) -> NDArray[np.float64]:
    """`INGREDIENTS` of substitutions along the last axis; NaN where one is not known.

    Parameters
    ----------
    score, probability, ddg, rarity : ndarray, all of one shape
        Of the tables; rarity is None without an alignment.
    """
    sure = np.clip(np.asarray(probability, dtype=float), _SURE, 1 - _SURE)
    unknown = np.full(np.shape(score), np.nan)
    return np.stack(
        [
            np.asarray(score, dtype=float),
            np.log(sure / (1 - sure)),
            np.clip(np.asarray(ddg, dtype=float), *SPAN),
            unknown if rarity is None else np.asarray(rarity, dtype=float),
        ],
        axis=-1,
    )


CONFIG, NETWORK = CombinedConfig, CombinedHead
