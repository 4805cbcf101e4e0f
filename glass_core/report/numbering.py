"""Residues for a reader: the user's own numbers lead, the others stand beside them."""

from __future__ import annotations

from typing import Any

from glass_core.protein.protein import Protein

_MOST_TICKS = 15
_STEPS = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))


def other_numbers(protein: Protein, position: int) -> dict[str, str]:
    """Numbers of a 1-based position that differ from the user's, by what they are called."""
    uniprot = protein.uniprot_position(position - 1)
    numbers = {
        "sequence": str(position),
        "UniProt": "" if uniprot is None else str(uniprot),
        "author": protein.author_number(position - 1),
    }
    own = protein.label(position)
    return {name: number for name, number in numbers.items() if number not in ("", own)}


def position_ticks(protein: Protein, first: int, last: int) -> dict[str, Any]:
    """Ticks of an axis of 1-based positions, at round numbers as the user counts.

    Empty where the user counts by sequence: plotly's own ticks are the numbers then.
    """
    if protein.counting.by_sequence:
        return {}
    shown = range(first, last + 1)
    labels = {position: protein.label(position) for position in shown}
    step = next((s for s in _STEPS if len(shown) <= s * _MOST_TICKS), _STEPS[-1])
    round_ones = [p for p, label in labels.items() if label.isdecimal() and int(label) % step == 0]
    places = round_ones or list(shown)[::step]
    return {"tickmode": "array", "tickvals": places, "ticktext": [labels[p] for p in places]}


def axis_title(protein: Protein) -> str:
    """Of an axis of positions."""
    return protein.counting.title
