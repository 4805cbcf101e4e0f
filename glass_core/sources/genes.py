"""UniProt's search: the reviewed entries of a gene."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from glass_core.errors import InputError, NotFoundError, shown
from glass_core.protein.accession import Accession, read_accession
from glass_core.sources.answers import objects, text, whole
from glass_core.sources.candidates import Candidate, Candidates
from glass_core.sources.fetch import Answer, Fetcher

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,29}")
_FIELDS = "accession,id,protein_name,gene_names,organism_name,organism_id,length"
_HUMAN = 9606
_FIRST = (_HUMAN, 10090, 10116, 7955, 7227, 6239, 559292, 83333)
"""Human, mouse, rat, zebrafish, fly, worm, baker's yeast, Escherichia coli K12."""
_MOST = 100


@dataclass(frozen=True)
class _Entry:
    accession: Accession
    symbol: str
    organism: str
    taxon: int
    title: str


def entries_of(gene: str, variants: str, fetcher: Fetcher) -> Candidates:
    """The reviewed entries of a gene, those of man and of model organisms first.

    One is chosen where there is one of man, or one altogether; an entry whose main symbol this
    is goes before entries that have it as a synonym.

    Raises
    ------
    InputError
        It is no symbol.
    NotFoundError
        No reviewed entry has the gene.
    SourceError
        UniProt cannot be asked, or answers what cannot be used.
    """
    if _SYMBOL.fullmatch(gene) is None:
        raise InputError(f"gene '{shown(gene)}': is no symbol; write for example TP53.")
    answer = _ask(gene, "", fetcher)
    found = _entries(answer.json())
    notes = [answer.note]
    if len(found) == _MOST and all(one.taxon != _HUMAN for one in found):
        more = _ask(gene, f" AND (organism_id:{_HUMAN})", fetcher)
        found += _entries(more.json())
        notes.append(more.note)
    if not found:
        raise NotFoundError(
            f"UniProt has no reviewed entry of gene {gene}; check the symbol, or give an accession."
        )
    named = [one for one in found if one.symbol.upper() == gene.upper()]
    human = [one for one in named if one.taxon == _HUMAN] or [
        one for one in found if one.taxon == _HUMAN
    ]
    likely = human or named or found
    ranked = sorted(
        found,
        key=lambda one: (one not in likely, _rank(one.taxon), one.organism, str(one.accession)),
    )
    candidates = tuple(Candidate(one.accession, variants, one.title) for one in ranked)
    chosen = candidates[0] if len(likely) == 1 else None
    if chosen is not None:
        notes += _chosen(gene, ranked[0], len(ranked) - 1)
    elif human:
        notes.append(f"{len(human)} human proteins are made of gene {gene}; choose one.")
    else:
        notes.append(f"Gene {gene} has no reviewed human entry; choose an organism.")
    return Candidates(candidates, chosen, tuple(filter(None, notes)))


def _chosen(gene: str, entry: _Entry, others: int) -> list[str]:
    """What was taken, and how it was told."""
    notes = [f"Gene {gene} is read as {entry.accession}, {entry.title}."]
    if entry.symbol.upper() != gene.upper():
        notes.append(f"{gene} is another name of gene {entry.symbol or 'without a symbol'}.")
    if others:
        notes.append(f"{others} other reviewed entries have a gene of that name.")
    return notes


def _rank(taxon: int) -> int:
    return _FIRST.index(taxon) if taxon in _FIRST else len(_FIRST)


def _ask(gene: str, more: str, fetcher: Fetcher) -> Answer:
    query = quote(f"(gene_exact:{gene}) AND (reviewed:true){more}")
    return fetcher.get(
        f"{fetcher.settings.uniprot}/uniprotkb/search?query={query}&fields={_FIELDS}"
        f"&format=json&size={_MOST}"
    )


def _entries(answer: Any) -> list[_Entry]:
    found = []
    for record in objects(answer, "results"):
        accession = text(record, "primaryAccession")
        organism = text(record, "organism", "scientificName")
        name = text(record, "proteinDescription", "recommendedName", "fullName", "value")
        length = whole(record, "sequence", "length")
        try:
            own = read_accession(accession)
        except InputError:
            continue
        size = "" if length is None else f", {length:,} residues"
        found.append(
            _Entry(
                own,
                text(record, "genes", 0, "geneName", "value"),
                organism,
                whole(record, "organism", "taxonId") or 0,
                f"{name or accession}, {organism}{size}",
            )
        )
    return found
