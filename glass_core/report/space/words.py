"""Sentences about a map."""

from __future__ import annotations

from collections.abc import Sequence

from glass_core.space.background import Background
from glass_core.space.placing import Point
from glass_core.space.projection import NEW_PERPLEXITY, PERPLEXITY, SEED, Layout


def map_lead(points: Sequence[Point], background: Background) -> str:
    """How many places there are, among how many chains."""
    chains = background.table["id"].nunique()
    return f"{_counted(len(points), 'place')} among {chains:,} chains with a class in CATH"


def chosen_words(places: int, chains: int) -> str:
    """How much of the background is chosen."""
    return f"Chosen: {_counted(places, 'place')} of {_counted(chains, 'chain')}"


def map_method(layout: Layout, colouring: str) -> str:
    """How the plane was made, and what it does not show."""
    made = (
        f"t-SNE, perplexity {PERPLEXITY}, seed {SEED}; new points are laid in by their "
        f"{3 * NEW_PERPLEXITY} nearest and move none of the others."
        if layout == "tsne"
        else "The two principal components of the background."
    )
    return f"{made} Coloured by {colouring}. Near means alike; far means little."


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
