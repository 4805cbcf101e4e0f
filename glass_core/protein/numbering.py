"""Ways to number the residues of a sequence: by place, by UniProt, by the structure's author."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, get_args

from glass_core.records import require, require_one_of

NumberingKind = Literal["sequence", "UniProt", "author"]
"""The numberings that a protein knows of itself."""
NUMBERING_KINDS: tuple[NumberingKind, ...] = get_args(NumberingKind)
_OWN = "own"
_TITLES = {
    "sequence": "sequence position",
    "UniProt": "UniProt position",
    "author": "author number",
}
_PLACE = re.compile(r"\((\d{1,9})\)")
_NUMBER = re.compile(r"(?:0|-?[1-9]\d{0,7})[A-Za-z]?")
"""What can be read as the number of a residue."""


@dataclass(frozen=True)
class Numbering:
    """The number of every position.

    Attributes
    ----------
    kind : {"sequence", "UniProt", "author", "own"}
        "own" is any other, and has a name.
    labels : tuple of str
        One per position, '' where it has none; author numbers carry their insertion code.
    name : str
        Of a numbering of its own, how it counts: "from the second residue".
    """

    kind: NumberingKind | Literal["own"]
    labels: tuple[str, ...]
    name: str = ""

    def __post_init__(self) -> None:
        require_one_of(self.kind, (*NUMBERING_KINDS, _OWN), "kind")
        require(bool(self.name) == (self.kind == _OWN), "name", "goes with an own numbering")

    @staticmethod
    @lru_cache(maxsize=64)
    def of_sequence(length: int) -> Numbering:
        """Positions from 1."""
        return Numbering("sequence", tuple(map(str, range(1, length + 1))))

    @staticmethod
    def own(labels: Sequence[str], name: str) -> Numbering:
        """A numbering of its own; `name` says how it counts."""
        return Numbering("own", tuple(labels), name)

    @staticmethod
    def shifted(length: int, by: int, name: str) -> Numbering:
        """Sequence position plus `by`; without a number where that is under 1."""
        numbers = range(1 + by, length + 1 + by)
        return Numbering.own(["" if n < 1 else str(n) for n in numbers], name)

    @property
    def title(self) -> str:
        """What its numbers are called."""
        return _TITLES.get(self.kind, "own number")

    @property
    def words(self) -> str:
        """What its numbers are called, as many, with how they are counted where it has a name."""
        return f"{self.title}s" + (f", counted {self.name}" if self.name else "")

    @property
    def by_sequence(self) -> bool:
        """Whether numbers are sequence positions."""
        return self.kind == "sequence"

    def label(self, position: int) -> str:
        """The number of a 1-based position; ``(5)`` where position 5 has none of its own.

        `position` reads both back. A number that a residue before it has too, or that cannot
        be read, counts as none.

        Examples
        --------
        >>> from glass_core.protein.numbering import Numbering
        >>> mature = Numbering.shifted(147, -1, "from behind the first methionine")
        >>> mature.label(7), mature.label(1)
        ('6', '(1)')
        """
        label = self.labels[position - 1]
        return label if self._places.get(label.upper()) == position else f"({position})"

    def position(self, label: str) -> int | None:
        """1-based position of the residue called `label`; None where there is none.

        ``(5)`` is position 5 in every numbering.
        """
        place = _PLACE.fullmatch(label)
        if place is not None:
            position = int(place[1])
            return position if 1 <= position <= len(self.labels) else None
        return self._places.get(label.upper())

    @property
    def extent(self) -> str:
        """Its first and last number, for messages."""
        known = [label for label in self.labels if label]
        what = "residues" if self.by_sequence else f"{self.title}s"
        return f"{what} {known[0]} to {known[-1]}" if known else f"no {what}"

    @cached_property
    def _places(self) -> dict[str, int]:
        places: dict[str, int] = {}
        for position, label in enumerate(self.labels, start=1):
            if _NUMBER.fullmatch(label):
                places.setdefault(label.upper(), position)
        return places
