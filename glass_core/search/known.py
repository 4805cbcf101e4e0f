"""Known variants of a protein's neighbours, at the residues that face one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from glass_core.errors import GlassError
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.accession import read_accession
from glass_core.protein.annotation import KnownVariant
from glass_core.protein.protein import Protein
from glass_core.search.confirming import looked_up_structure
from glass_core.search.entry import Entry
from glass_core.search.site import SiteColumn
from glass_core.sources.fetch import Fetcher
from glass_core.sources.lookup import look_up_variants

MOST_ASKED = 10
"""Neighbours that are looked up at once."""


@dataclass(frozen=True, eq=False)
class KnownThere:
    """What databases list at one place of a neighbour.

    Attributes
    ----------
    entry : str
        Its id.
    accession : str
        Its entry of UniProt.
    variants : tuple of KnownVariant
        In the numbers of that entry; () where none is listed there.
    """

    entry: str
    accession: str
    variants: tuple[KnownVariant, ...]


def known_at_site(
    column: SiteColumn, entries: Sequence[Entry], fetcher: Fetcher, watch: Watch = UNWATCHED
) -> tuple[tuple[KnownThere, ...], tuple[str, ...]]:
    """Known variants at the residues of a column, of the first neighbours that have one.

    Parameters
    ----------
    column : SiteColumn
    entries : sequence of Entry
        Of its members, in any order.

    Returns
    -------
    found : tuple of KnownThere
        One for each neighbour that could be looked up.
    problems : tuple of str
        A sentence for each other one.
    """
    by_id = {entry.id: entry for entry in entries}
    asked = column.aligned[:MOST_ASKED]
    found, problems = [], []
    for done, member in enumerate(asked):
        watch.stop_if_cancelled("The look-up")
        watch.tell(member.entry, done / len(asked))
        try:
            protein = _annotated(by_id[member.entry], fetcher)
        except GlassError as error:
            problems.append(f"{member.entry}: {error}")
            continue
        there = tuple(
            variant
            for variant, change in protein.known_changes
            if change.position <= (member.position or 0) <= change.end
        )
        found.append(KnownThere(member.entry, protein.accession, there))
    return tuple(found), tuple(problems)


def _annotated(entry: Entry, fetcher: Fetcher) -> Protein:
    """The protein of an entry with what UniProt knows of it; a chain's is told by its file."""
    accession = entry.accession
    protein = Protein.from_sequence(entry.sequence, entry.id)
    if accession is None or accession.database == "pdb":
        structure = looked_up_structure(entry, fetcher)
        protein = Protein.combine(entry.sequence, structure, entry.id)
        accession = read_accession(structure.accession)
    return protein.annotated(look_up_variants(accession, fetcher))
