"""What an alignment of homologues says of a variant, beside what a model does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.substitutions import ascending, percentile, substitution_places
from glass_core.protein.variant import Variant
from glass_core.records import Column

ALIGNMENT_COLUMNS = {
    "alignment_log_odds": Column(
        "how much rarer than the wild type's residue the new one is among homologues: natural "
        "log of the ratio of their frequencies, low = rare. Several substitutions: their sum",
        title="alignment log-odds",
        shown=True,
        digits=2,
    ),
    "alignment_percentile": Column(
        "percent of all single substitutions of the protein that are less rare among homologues",
        "%",
        "0 to 100",
        title="rarity percentile",
        digits=0,
    ),
}


@dataclass(frozen=True, eq=False)
class AlignmentTable:
    """A profile as a `Table`; of one that is too shallow nothing is told."""

    profile: AlignmentProfile

    def told(self, variant: Variant) -> dict[str, float]:
        """Log-odds of `variant`, and its rank among single substitutions where it is one."""
        profile = self.profile
        if not profile.usable:
            return {}
        places = substitution_places(variant, profile.log_odds, profile.wild_type)
        if not places:
            return {}
        log_odds = float(sum(profile.log_odds[place] for place in places))
        told = {"alignment_log_odds": log_odds}
        if len(places) == 1:
            told["alignment_percentile"] = percentile(-log_odds, self._rarity)
        return told

    @property
    def tracks(self) -> dict[str, NDArray[np.float64]]:
        """``conservation``: 0 to 1 per position."""
        return {"conservation": self.profile.conservation}

    @cached_property
    def _rarity(self) -> NDArray[np.float64]:
        return ascending(-self.profile.log_odds)
