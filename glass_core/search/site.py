"""What stands at a site in the neighbours of a protein."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from glass_core.protein.sequence import STANDARD
from glass_core.search.neighbours import Neighbour


@dataclass(frozen=True)
class SiteNeighbour:
    """One neighbour's residue at the site: whose, which letter ('-' for none), where, how sure."""

    entry: str
    letter: str
    position: int | None
    confidence: float
    weight: float


@dataclass(frozen=True)
class SiteColumn:
    """The column of the aligned neighbours below one residue of the query.

    Attributes
    ----------
    position : int
        Of the query, from 1.
    wild_type : str
    members : tuple of SiteNeighbour
        The query itself is none of them. Each weighs as its chance to share the fold, or as
        its predicted TM-score where no chance is known.
    """

    position: int
    wild_type: str
    members: tuple[SiteNeighbour, ...]

    @property
    def aligned(self) -> tuple[SiteNeighbour, ...]:
        """Those that have a residue there."""
        return tuple(one for one in self.members if one.letter != "-")

    def counts(self) -> dict[str, int]:
        """How many have each letter, the commonest first."""
        found = [one.letter for one in self.aligned]
        return dict(sorted(((x, found.count(x)) for x in set(found)), key=lambda p: (-p[1], p[0])))

    def share(self, letter: str) -> float:
        """Weighted share of the aligned neighbours that have `letter`; NaN without any."""
        total = sum(one.weight for one in self.aligned)
        if not total:
            return float("nan")
        return sum(one.weight for one in self.aligned if one.letter == letter) / total

    @property
    def confidence(self) -> float:
        """Weighted mean similarity of the residues that face the site; NaN without any."""
        if not self.aligned:
            return float("nan")
        values = [one.confidence for one in self.aligned]
        return float(np.average(values, weights=[max(one.weight, 1e-9) for one in self.aligned]))

    def log_odds(self, wild_type: str, mutant: str) -> float:
        """Weighted log of how much rarer `mutant` is than `wild_type`; NaN without any neighbour.

        With a pseudocount of one spread over the twenty letters.
        """
        if not self.aligned:
            return float("nan")
        total = sum(one.weight for one in self.aligned)

        def weight(letter: str) -> float:
            return self.share(letter) * total + 1 / len(STANDARD)

        return float(np.log(weight(wild_type) / weight(mutant)))


def site_column(query: str, position: int, neighbours: Iterable[Neighbour]) -> SiteColumn:
    """The column below position `position`, from 1, of `query`."""
    members = []
    for one in neighbours:
        made = one.alignment
        if made is None or one.is_query:
            continue
        index = made.facing(position - 1)
        weight = one.tm_score if np.isnan(one.fold_chance) else one.fold_chance
        letter = "-" if index is None else made.target[index]
        place = None if index is None else index + 1
        sure = made.confidence_at(position - 1)
        members.append(SiteNeighbour(one.entry.id, letter, place, sure, weight))
    return SiteColumn(position, query[position - 1], tuple(members))
