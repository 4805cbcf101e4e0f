"""TM-scores of neighbours by TM-align, where both structures are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from glass_core.errors import GlassError, InputError
from glass_core.metrics.tmalign import StructuralAlignment, tm_align
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.search.entry import Entry
from glass_core.search.neighbours import Neighbour
from glass_core.sources import alphafold, entries
from glass_core.sources.fetch import Fetcher


def structure_of(entry: Entry, folder: Path) -> Structure | None:
    """The file that a database names for an entry; None where it names none or it is gone."""
    if not entry.file:
        return None
    try:
        return read_structure(folder / entry.file, chain=entry.chain or None)
    except GlassError:
        return None


def looked_up_structure(entry: Entry, fetcher: Fetcher) -> Structure:
    """The structure of an entry by its accession: of PDB the file, of UniProt AlphaFold's model.

    Raises
    ------
    InputError
        Neither its id nor its record names an accession.
    NotFoundError, SourceError, StructureError
        It is not there, cannot be asked for, or not be read.
    """
    accession = entry.accession
    if accession is None:
        raise InputError(
            f"{entry.id}: names no entry of PDB or UniProt, so that its structure cannot be "
            "looked up; give a file."
        )
    if accession.database == "pdb":
        content = entries.structure_file(accession, fetcher).content
    else:
        model, _ = alphafold.model(accession, entry.sequence, fetcher)
        content = fetcher.get(model.structure_url).content
    return read_structure(content, chain=entry.chain or None, name=f"{accession}.cif")


def superposed(query: Structure, other: Structure) -> StructuralAlignment:
    """TM-align of a neighbour's structure onto the query's, which is the reference."""
    return tm_align(query.ca, other.ca, query.sequence, other.sequence)


def confirmed(query: Structure, neighbours: Sequence[Neighbour], folder: Path) -> list[Neighbour]:
    """`neighbours` with `confirmed`, where the database in `folder` names a structure's file."""
    made = []
    for one in neighbours:
        other = structure_of(one.entry, folder)
        made.append(one if other is None else replace(one, confirmed=superposed(query, other)))
    return made
