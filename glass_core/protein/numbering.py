"""Ways to number the residues of a sequence: by place, by UniProt, by the structure's author."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, get_args

from glass_core.records import require_one_of

NumberingKind = Literal["sequence", "UniProt", "author"]
NUMBERING_KINDS: tuple[NumberingKind, ...] = get_args(NumberingKind)


@dataclass(frozen=True)
class Numbering:
    """The number of every position.

    Attributes
    ----------
    kind : {"sequence", "UniProt", "author"}
    labels : tuple of str
        One per position, '' where it has none; author numbers carry their insertion code.
    """

    kind: NumberingKind
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        require_one_of(self.kind, NUMBERING_KINDS, "kind")

    @staticmethod
    @lru_cache(maxsize=64)
    def of_sequence(length: int) -> Numbering:
        """Positions from 1."""
        return Numbering("sequence", tuple(map(str, range(1, length + 1))))

    def position(self, label: str) -> int | None:
        """1-based position of the residue called `label`; None where there is none."""
        return self._places.get(label.upper())

    @property
    def span(self) -> str:
        """First and last number, for messages."""
        known = [label for label in self.labels if label]
        return f"{known[0]} to {known[-1]}" if known else "none"

    @cached_property
    def _places(self) -> dict[str, int]:
        places: dict[str, int] = {}
        for position, label in enumerate(self.labels, start=1):
            if label:
                places.setdefault(label.upper(), position)
        return places
