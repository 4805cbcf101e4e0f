"""TM-scores of neighbours by TM-align, where both structures are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from glass_core.errors import GlassError
from glass_core.metrics.tmalign import StructuralAlignment, tm_align
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.search.entry import Entry
from glass_core.search.neighbours import Neighbour


def structure_of(entry: Entry, folder: Path) -> Structure | None:
    """The structure that a database names for an entry; None where it names none or it is gone."""
    if not entry.structure:
        return None
    try:
        return read_structure(folder / entry.structure, chain=entry.chain or None)
    except GlassError:
        return None


def superposed(query: Structure, other: Structure) -> StructuralAlignment:
    """TM-align of a neighbour's structure onto the query's, which is the reference."""
    return tm_align(query.ca, other.ca, query.sequence, other.sequence)


def confirmed(query: Structure, neighbours: Sequence[Neighbour], folder: Path) -> list[Neighbour]:
    """`neighbours` with `confirmed`, where the database in `folder` names a structure."""
    made = []
    for one in neighbours:
        other = structure_of(one.entry, folder)
        made.append(one if other is None else replace(one, confirmed=superposed(query, other)))
    return made
