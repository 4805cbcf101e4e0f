"""A piece of evidence about a variant, what it speaks for, and where several agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from glass_core.records import require, require_one_of

Side = Literal["damaging", "tolerated", "neither"]
SIDES = ("damaging", "tolerated", "neither")
Whose = Literal["GLASS", "alignment", "external"]
WHOSE = ("GLASS", "alignment", "external")
LIKELY, UNLIKELY = 0.8, 0.2
"""Chances of being damaging from and below which they speak for a side."""


@dataclass(frozen=True)
class Evidence:
    """What one source says of a variant.

    Attributes
    ----------
    name : str
        For programs.
    title : str
        For a reader.
    value : float or None
        None where its source gives words only.
    unit : str
    low, high : float or None
        Bounds of the value, where its source gives them.
    percentile : float or None
        Percent of all single substitutions of the protein that it places below this one,
        higher = more damaging; None for several changes.
    side : {"damaging", "tolerated", "neither"}
        What it speaks for.
    says : str
        The same in words.
    source : str
        Where it comes from.
    whose : {"GLASS", "alignment", "external"}
        Told by a model of ours, by the homologues that the user gave, or by other people's
        model or database: nothing of ours is computed from that.
    """

    name: str
    title: str
    value: float | None
    unit: str
    percentile: float | None
    side: Side
    says: str
    source: str
    low: float | None = None
    high: float | None = None
    whose: Whose = "GLASS"

    def __post_init__(self) -> None:
        require_one_of(self.side, SIDES, "side")
        require_one_of(self.whose, WHOSE, "whose")
        for field in ("name", "title", "says", "source"):
            require(bool(getattr(self, field)), field, "is given")


def piece(evidence: Sequence[Evidence], name: str) -> Evidence | None:
    """The piece of a name; None where there is none."""
    return next((one for one in evidence if one.name == name), None)


def side_of_chance(chance: float) -> Side:
    """What a chance of being damaging speaks for."""
    if chance >= LIKELY:
        return "damaging"
    return "tolerated" if chance <= UNLIKELY else "neither"


def agreement(evidence: Sequence[Evidence]) -> str:
    """Where the pieces agree or differ, in one sentence; '' with fewer than two."""
    if len(evidence) < 2:
        return ""
    sides: Mapping[Side, list[Evidence]] = {
        side: [e for e in evidence if e.side == side] for side in ("damaging", "tolerated")
    }
    against, fine = sides["damaging"], sides["tolerated"]
    if against and fine:
        return f"The evidence differs: {_listed(against)}, but {_listed(fine)}."
    taken = against or fine
    if len(taken) == len(evidence):
        return f"All of it agrees: {_listed(taken)}."
    if taken:
        words, rest = _listed(taken), [one.title for one in evidence if one not in taken]
        takes = "takes" if len(rest) == 1 else "take"
        return f"{words[0].upper()}{words[1:]}; {' and '.join(rest)} {takes} no side."
    return "No single piece of evidence takes a side."


def _listed(evidence: Sequence[Evidence]) -> str:
    return " and ".join(f"{one.title} says {one.says}" for one in evidence)
