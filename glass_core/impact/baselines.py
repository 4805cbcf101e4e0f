"""Trivial baselines that stand beside every prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glass_core.models.predictor import Predictor
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant

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
        Rank of this residue among all substitutions of its site by predicted
        TM-score, 1 = lowest; None for several sites.
    percentile : float or None
        Percent of random variants with as many substitutions that have a
        higher predicted TM-score; 100 = more disruptive than all of them.
    sample_size : int
        Number of those random variants.
    """

    constant: float
    blosum62: int | None
    site_rank: int | None
    site_size: int | None
    percentile: float | None
    sample_size: int


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


def baselines(
    protein: Protein, variant: Variant, predictor: Predictor, background: int
) -> Baselines:
    """Rank a variant's predicted TM-score among its site's substitutions and random variants.

    Parameters
    ----------
    background : int
        Number of random variants (fixed seed); 0 leaves both ranks out.
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
