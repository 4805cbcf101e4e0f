"""TM-scores of neighbours by TM-align, where both structures are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from glass_core.errors import GlassError, InputError
from glass_core.metrics.tmalign import StructuralAlignment, tm_align
from glass_core.protein.alignment import aligned_pairs, global_alignment
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.search.entry import Entry
from glass_core.search.neighbours import Neighbour
from glass_core.sources import alphafold, entries
from glass_core.sources.fetch import Fetcher

SAME_PROTEIN = 0.8
"""Share of the shorter sequence that a structure of a protein must have in common with it."""


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


def require_its_structure(structure: Structure, entry: Entry) -> None:
    """Hold that a structure is that of an entry, by its sequence.

    Raises
    ------
    InputError
        It is another protein's.
    """
    if not entry.sequence:
        return
    pairs = aligned_pairs(*global_alignment(entry.sequence, structure.sequence, free_ends=True))
    same = sum(entry.sequence[a] == structure.sequence[b] for a, b in pairs.tolist())
    share = same / min(len(entry.sequence), len(structure))
    if share < SAME_PROTEIN:
        raise InputError(
            f"{structure.name}: is no structure of {entry.id}; of the shorter of both sequences "
            f"{share:.0%} are the same, of the same protein at least {SAME_PROTEIN:.0%} are. Is it "
            "another file or another chain?"
        )


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
