"""The stability head: ddG of every single substitution, with an interval.

Trained on cDNA display proteolysis (Tsuboyama et al., Nature 620, 434 (2023)) and on
classical measurements. Several networks trained apart are averaged; the interval is
conformal (Vovk et al., Algorithmic Learning in a Random World, 2005): it holds for the
share of measurements that it names on proteins that took no part in the training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.models.heads.base import Embedded
from glass_core.models.heads.residue_network import (
    ResidueConfig,
    ResidueInputs,
    against_wild,
    members,
    wild_letters,
)
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import (
    ascending,
    no_substitution,
    percentile,
    substitution_places,
)
from glass_core.protein.variant import Variant
from glass_core.records import frozen_array, require

COVERAGE = 0.9
"""Share of measurements that the interval holds."""
SPAN = (-1.5, 5.0)
"""kcal/mol; values beyond are taken as these, the assays tell them no better."""
SHORT = 80
"""Residues up to which a wild type has intervals of its own: predictions for small domains are off
by half as much, and most of them were measured in one way."""
SEVERAL = 0.75
"""What the sum over two or more substitutions is multiplied by: their measured ddG is less than
the sum, of predicted as of measured single ones (slopes of 0.76 and 0.66 on 876 and 755 variants).
"""


@dataclass(frozen=True)
class Interval:
    """How far a measurement lies below and above a predicted ddG, in kcal/mol.

    Attributes
    ----------
    at : tuple of float
        Predicted values, ascending; between them the bounds are interpolated.
    below, above : tuple of float
        Distance to the lower and to the upper bound there.
    """

    at: tuple[float, ...] = (0.0,)
    below: tuple[float, ...] = (0.0,)
    above: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        for name in ("at", "below", "above"):
            object.__setattr__(self, name, tuple(map(float, getattr(self, name))))
        require(len(self.at) == len(self.below) == len(self.above) > 0, "at", "matches the bounds")
        require(list(self.at) == sorted(self.at), "at", "ascends")
        require(min(self.below + self.above) >= 0, "below", "is a distance")

    def around(self, ddg: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper bound of predicted values; NaN stays NaN."""
        return (
            ddg - np.interp(ddg, self.at, self.below),
            ddg + np.interp(ddg, self.at, self.above),
        )


@dataclass(frozen=True, eq=False)
class StabilityTable:
    """How much every single substitution of a wild type is predicted to destabilise it.

    Attributes
    ----------
    wild_type : str
    ddg, low, high : ndarray, shape=(L, 20), dtype=float
        kcal/mol, positive = destabilising, and the bounds within which a measurement lies
        with a chance of `COVERAGE`. Letters in the order of `STANDARD`; NaN for the wild
        type's own letter and where it is none of the 20.
    from_structure : ndarray, shape=(L,), dtype=bool
        Where the structure was read, and not the sequence alone.
    """

    wild_type: str
    ddg: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    from_structure: NDArray[np.bool_]

    def __post_init__(self) -> None:
        length = len(self.wild_type)
        for name in ("ddg", "low", "high"):
            values = frozen_array(getattr(self, name), (length, len(STANDARD)), name)
            object.__setattr__(self, name, values)
        read = frozen_array(self.from_structure, (length,), "from_structure", bool)
        object.__setattr__(self, "from_structure", read)

    def told(self, variant: Variant) -> dict[str, float]:
        """What the table says of `variant`; nothing with gaps or residues outside the 20.

        Of several substitutions it is the sum times `SEVERAL`, with an interval as if their
        errors were independent. The percentile is of single substitutions only.
        """
        places = substitution_places(variant, self.ddg, self.wild_type)
        if not places:
            return {}
        ddg = float(sum(self.ddg[place] for place in places))
        if len(places) > 1:
            ddg *= SEVERAL
        below = float(np.sqrt(sum((self.ddg[p] - self.low[p]) ** 2 for p in places)))
        above = float(np.sqrt(sum((self.high[p] - self.ddg[p]) ** 2 for p in places)))
        told = {
            "ddg": ddg,
            "ddg_low": ddg - below,
            "ddg_high": ddg + above,
            "ddg_structure": float(all(self.from_structure[index] for index, _ in places)),
        }
        if len(places) == 1:
            told["ddg_percentile"] = percentile(ddg, self._ascending)
        return told

    @cached_property
    def tracks(self) -> dict[str, NDArray[np.float64]]:
        """``ddg``: mean ddG of the 19 substitutions of each position, in kcal/mol."""
        known = ~np.isnan(self.ddg)
        total = np.where(known, self.ddg, 0).sum(axis=1)
        count = known.sum(axis=1)
        return {"ddg": np.where(count > 0, total / np.maximum(count, 1), np.nan)}

    @cached_property
    def _ascending(self) -> NDArray[np.float64]:
        return ascending(self.ddg)


INTERVALS = ("with_structure", "with_sequence", "short_with_structure", "short_with_sequence")


@dataclass(frozen=True)
class StabilityConfig(ResidueConfig):
    """Shape of the head, and its intervals.

    Attributes
    ----------
    with_structure, with_sequence : Interval
        For positions whose structure was read, and for those known by sequence alone.
    short_with_structure, short_with_sequence : Interval or None
        The same for wild types of up to `SHORT` residues; None: as for longer ones.
    """

    with_structure: Interval = field(default_factory=Interval)
    with_sequence: Interval = field(default_factory=Interval)
    short_with_structure: Interval | None = None
    short_with_sequence: Interval | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in INTERVALS:
            given = getattr(self, name)
            if isinstance(given, dict):  # as a card holds it
                object.__setattr__(self, name, Interval(**given))

    def intervals(self, length: int) -> tuple[Interval, Interval]:
        """With the structure and by sequence alone, for a wild type of `length` residues."""
        if length > SHORT:
            return self.with_structure, self.with_sequence
        return (
            self.short_with_structure or self.with_structure,
            self.short_with_sequence or self.with_sequence,
        )


class StabilityHead(nn.Module):
    """Vectors of the wild type's residues to ddG of their substitutions."""

    def __init__(self, config: StabilityConfig) -> None:
        super().__init__()
        self.config = config
        self.members = members(config, len(STANDARD))

    def forward(self, inputs: ResidueInputs) -> Tensor:
        """ddG of every member, shape=(members, L, 20); 0 for the wild type's letter."""
        return torch.stack([against_wild(m(inputs), inputs.wild) for m in self.members])

    @torch.inference_mode()
    def table(self, protein: Protein, embedded: Embedded) -> StabilityTable:
        """ddG and interval of every single substitution."""
        device = next(self.parameters()).device
        wild = wild_letters(protein.sequence)
        inputs = ResidueInputs.of(embedded.sequence.residues, embedded.structure, wild)
        ddg = self(inputs.to(device)).mean(0).double().cpu().numpy()
        ddg = np.where(no_substitution(protein.sequence), np.nan, ddg)
        known = inputs.known.numpy()
        seen, unseen = (one.around(ddg) for one in self.config.intervals(len(protein.sequence)))
        low, high = (
            np.where(known[:, None], structure, sequence)
            for structure, sequence in zip(seen, unseen, strict=True)
        )
        return StabilityTable(protein.sequence, ddg, low, high, known)


def conformal(
    predicted: NDArray[np.float64],
    measured: NDArray[np.float64],
    weight: NDArray[np.float64],
    at: Sequence[float],
) -> Interval:
    """The interval that holds `COVERAGE` of the weighted measurements around each of `at`.

    Parameters
    ----------
    predicted, measured, weight : ndarray, shape=(n,)
        Of held-out proteins, each group of them with the same weight in all.
    at : sequence of float
        Knots; the measurements nearest to each (a third of all) set its bounds.
    """
    below, above = [], []
    tail = (1 - COVERAGE) / 2
    for knot in at:
        near = np.argsort(np.abs(predicted - knot), kind="stable")[: max(len(predicted) // 3, 1)]
        error = measured[near] - predicted[near]
        order = np.argsort(error)
        share = np.cumsum(weight[near][order]) / weight[near].sum()
        below.append(max(0.0, -float(error[order][np.searchsorted(share, tail)])))
        last = min(int(np.searchsorted(share, 1 - tail)), len(order) - 1)
        above.append(max(0.0, float(error[order][last])))
    return Interval(tuple(at), tuple(below), tuple(above))


CONFIG, NETWORK = StabilityConfig, StabilityHead
