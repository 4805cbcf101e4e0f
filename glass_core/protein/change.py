"""One difference between a wild type and a mutant."""

from __future__ import annotations

from dataclasses import dataclass

from glass_core.records import require


@dataclass(frozen=True)
class Change:
    """One stretch of the wild type replaced by another.

    Attributes
    ----------
    position : int
        1-based position of the first replaced residue; for an insertion, of
        the residue before which it goes.
    wild, mutant : str
        The residues taken out and put in; one of them may be empty.
    """

    position: int
    wild: str
    mutant: str

    def __post_init__(self) -> None:
        require(self.position >= 1, "position", "is 1 or more")
        require(self.wild != self.mutant, "mutant", "differs from the wild type")

    @property
    def end(self) -> int:
        """1-based position of the last replaced residue; position - 1 for an insertion."""
        return self.position + len(self.wild) - 1

    @property
    def is_substitution(self) -> bool:
        """One residue for one residue."""
        return len(self.wild) == len(self.mutant) == 1

    def follows(self, before: Change) -> bool:
        """Whether it touches nothing that `before` touched."""
        two_insertions = not before.wild and not self.wild and before.position == self.position
        return self.position > before.end and not two_insertions
