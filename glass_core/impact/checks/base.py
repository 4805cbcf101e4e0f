"""What a check says, and the rule it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from glass_core.impact.checks.site import Site, Verdict
from glass_core.records import require, require_one_of

Ground = Literal["structure", "sequence", "annotation"]
"""What a rule reads."""
GROUNDS = ("structure", "sequence", "annotation")


@dataclass(frozen=True)
class Check:
    """One reason why a substitution may hurt, looked into. It explains, and scores nothing.

    Attributes
    ----------
    name : str
        For programs, such as ``buried_charge_introduced``.
    holds : bool or None
        Whether it is so; None where it cannot be told here, and `text` says why.
    position : int
        1-based.
    text : str
        One sentence for a reader, with the numbers.
    threshold : str
        What decides, in words.
    source : str
        The paper it follows.
    """

    name: str
    holds: bool | None
    position: int
    text: str
    threshold: str
    source: str

    def __post_init__(self) -> None:
        require(self.holds in (True, False, None), "holds", "is True, False or None")
        require(self.position >= 1, "position", "is 1 or more")
        for field in ("name", "text", "threshold", "source"):
            require(bool(getattr(self, field)), field, "is given")


@dataclass(frozen=True)
class Rule:
    """A way to look into one reason.

    Attributes
    ----------
    name, threshold, source : str
        As in `Check`.
    applies : callable
        Whether the rule is about this substitution at all; mostly a matter of its letters.
    judge : callable
        Asked where the rule applies and, with ground "structure", where the structure shows
        the wild-type residue.
    ground : {"structure", "sequence", "annotation"}
    """

    name: str
    threshold: str
    source: str
    applies: Callable[[Site], bool]
    judge: Callable[[Site], Verdict]
    ground: Ground = "structure"

    def __post_init__(self) -> None:
        require_one_of(self.ground, GROUNDS, "ground")

    def check(self, site: Site) -> Check | None:
        """What it says about a substitution; None where it is not about that.

        Of a letter that is none of the 20 residues only annotation says something, and without
        a structure no rule of ground "structure" does.
        """
        by_structure = self.ground == "structure"
        if by_structure and site.surroundings is None:
            return None
        if (self.ground != "annotation" and not site.is_standard) or not self.applies(site):
            return None
        untold = by_structure and site.gap
        holds, text = site.untold(site.gap) if untold else self.judge(site)
        return Check(self.name, holds, site.position, text, self.threshold, self.source)
