"""Sentences about a map."""

from __future__ import annotations

from collections.abc import Sequence

from glass_core.space.background import Background
from glass_core.space.placing import Point
from glass_core.space.projection import NEW_PERPLEXITY, PERPLEXITY, SEED, Layout


def map_lead(points: Sequence[Point], background: Background) -> str:
    """How many places there are, among how many chains."""
    places = f"{len(points)} place{'s' if len(points) > 1 else ''}"
    chains = background.table["id"].nunique()
    return f"{places} among {chains:,} chains with a class in CATH"


def map_method(layout: Layout, colouring: str) -> str:
    """How the plane was made, and what it does not show."""
    made = (
        f"t-SNE, perplexity {PERPLEXITY}, seed {SEED}; new points are laid in by their "
        f"{3 * NEW_PERPLEXITY} nearest and move none of the others."
        if layout == "tsne"
        else "The two principal components of the background."
    )
    return f"{made} Coloured by {colouring}. Near means alike; far means little."
