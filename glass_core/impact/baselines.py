"""Trivial baselines that stand beside every prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glass_core.models.predictor import Predictor
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import no_substitution
from glass_core.protein.variant import Variant
from glass_core.records import require_one_of

RankedBy = Literal["estimated", "predicted"]
RANKED_BY = ("estimated", "predicted")
_MOST, _FEWEST = 100, 20
"""Random variants to compare with; fewer say too little to be worth the wait."""
_AFFORDABLE = {"cpu": 3.2e11, "cuda": 3.2e13}
"""Multiplications and additions that comparing may take: some ten seconds of a plain
processor, a second or so of a graphics card."""
_TOO_DEAR = 5.0
"""Where even the fewest cost so many times more, there is no comparison."""
_SEED = 0


@dataclass(frozen=True)
class Baselines:
    """What a prediction is worth against knowing almost nothing.

    Attributes
    ----------
    constant : float
        The score that says 'nothing changes'.
    blosum62 : int or None
        Sum over substitutions of the BLOSUM62 score (high = conservative);
        None with insertions or deletions.
    site_rank, site_size : int or None
        Rank of this residue among all substitutions of its site by
        TM-score, 1 = lowest; None for several sites, or without ranks.
    percentile : float or None
        Percent of the variants compared with that have a higher TM-score;
        100 = more disruptive than all of them.
    sample_size : int
        Number of those variants; 0 without ranks.
    ranked_by : {"estimated", "predicted"}
        Whose TM-scores the ranks are of: estimated, and all single substitutions
        of the protein are compared with, or predicted of every variant, and random
        variants with as many substitutions are.
    """

    constant: float
    blosum62: int | None
    site_rank: int | None
    site_size: int | None
    percentile: float | None
    sample_size: int
    ranked_by: RankedBy = "predicted"

    def __post_init__(self) -> None:
        require_one_of(self.ranked_by, RANKED_BY, "ranked_by")


def affordable_background(predictor: Predictor, length: int) -> int:
    """How many random variants of a protein to compare with: fewer of a long one.

    None, 0, where the model is large for the device it computes on.
    """
    device = predictor.info.device.partition(":")[0]
    budget = _AFFORDABLE.get(device, _AFFORDABLE["cpu"])
    affordable = budget / predictor.cost(length)
    if affordable * _TOO_DEAR < _FEWEST:
        return 0
    return min(max(int(affordable), _FEWEST), _MOST)


def blosum62(variant: Variant) -> int | None:
    """Sum of BLOSUM62 scores over the substitutions of `variant`, None with gaps."""
    if not variant.only_substitutions:
        return None
    matrix = blosum62_matrix()
    letters = set(matrix.alphabet)
    known = [c for c in variant.changes if {c.wild, c.mutant} <= letters]
    return int(sum(matrix[c.wild, c.mutant] for c in known))


def baselines(variant: Variant, told: Mapping[str, float]) -> Baselines:
    """What stands beside a prediction, without any further one.

    Parameters
    ----------
    variant : Variant
    told : mapping
        What the model's heads say of it. Ranks are of the estimate head; without one,
        or of several substitutions, there are none.
    """
    blosum = blosum62(variant)
    if "estimated_tm_percentile" not in told:
        return Baselines(1.0, blosum, None, None, None, 0)
    possible = ~no_substitution(variant.wild_type)
    return Baselines(
        1.0,
        blosum,
        int(told["estimated_tm_site_rank"]),
        int(possible[variant.changes[0].position - 1].sum()),
        told["estimated_tm_percentile"],
        int(possible.sum()),
        "estimated",
    )


def predicted_baselines(
    protein: Protein, variant: Variant, predictor: Predictor, background: int
) -> Baselines:
    """The same, ranked by predictions of its site's substitutions and of random variants.

    Parameters
    ----------
    background : int
        Number of random variants (fixed seed), each a prediction; see
        `affordable_background`.
    """
    rank = size = percentile = None
    drawn: list[Variant] = []
    if background and variant.only_substitutions:
        site = _all_at_site(variant) if len(variant.changes) == 1 else []
        drawn = _random_like(variant, background)
        # The variant goes along, so that all are compared as they came out of one batch.
        own, *scores = [p.tm_score for p in predictor.predict(protein, [variant, *site, *drawn])]
        if site:
            others = scores[: len(site)]
            size = len(site) + 1
            rank = 1 + sum(score < own for score in others)
        higher = [score > own for score in scores[len(site) :]]
        percentile = 100 * float(np.mean(higher)) if higher else None
    return Baselines(1.0, blosum62(variant), rank, size, percentile, len(drawn))


def _all_at_site(variant: Variant) -> list[Variant]:
    """The other substitutions at the variant's one site."""
    change = variant.changes[0]
    return [
        Variant(variant.wild_type, (Change(change.position, change.wild, letter),))
        for letter in STANDARD
        if letter not in (change.wild, change.mutant)
    ]


def _random_like(variant: Variant, count: int) -> list[Variant]:
    """Random variants with as many substitutions, the same for every run."""
    rng = np.random.default_rng(_SEED)
    sites = min(len(variant.changes), len(variant.wild_type))
    drawn = []
    for _ in range(count):
        positions = np.sort(rng.choice(len(variant.wild_type), sites, replace=False))
        changes = []
        for index in positions:
            wild = variant.wild_type[index]
            others = [letter for letter in STANDARD if letter != wild]
            changes.append(Change(int(index) + 1, wild, others[rng.integers(len(others))]))
        drawn.append(Variant(variant.wild_type, tuple(changes)))
    return drawn
