"""EBI Proteins: what a name of dbSNP does to proteins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from glass_core.errors import InputError, NotFoundError, RecordError, shown
from glass_core.protein.accession import Accession, read_accession
from glass_core.protein.change import Change
from glass_core.protein.sequence import NONSTANDARD, STANDARD
from glass_core.protein.writing import write_change
from glass_core.sources.answers import first, objects, text, whole
from glass_core.sources.candidates import Candidate, Candidates
from glass_core.sources.fetch import Fetcher
from glass_core.sources.variation import significance

_NAME = re.compile(r"rs[1-9]\d{0,11}")
_MOST = 50


def changes_of(rsid: str, gene: str, fetcher: Fetcher) -> Candidates:
    """The changes of proteins that a name of dbSNP stands for; one is chosen where it is alone.

    Entries that are reviewed go before others, and isoforms are left out beside their entry.

    Parameters
    ----------
    gene : str
        Only of this gene, '' for any.

    Raises
    ------
    InputError
        It is no such name, or changes no residue.
    NotFoundError
        The service does not know it.
    SourceError
        It cannot be asked, or answers what cannot be used.
    """
    if _NAME.fullmatch(rsid) is None:
        raise InputError(f"'{shown(rsid)}': is no name of dbSNP; write for example rs334.")
    try:
        answer = fetcher.get(f"{fetcher.settings.ebi}/api/variation/dbsnp/{rsid}?format=json")
    except NotFoundError as error:
        raise NotFoundError(
            f"{rsid}: EBI lists no change of a protein by this name; check it, or write the gene "
            "and the change of the protein, such as HBB E7V."
        ) from error
    entries = [one for one in objects({"all": answer.json()}, "all") if _is_of(one, gene)]
    reviewed = [one for one in entries if _is_reviewed(one)]
    found = list(dict.fromkeys(c for one in reviewed or entries for c in _candidates(one, rsid)))
    if not found:
        of = f" of gene {gene}" if gene else ""
        raise InputError(
            f"{rsid}: changes no residue of a known protein{of}; there is nothing to analyse."
        )
    notes = [answer.note]
    if len(found) == 1:
        notes.append(f"{rsid} is {found[0].variants} of {found[0].title}.")
    else:
        notes.append(f"{rsid} stands for {len(found)} changes; choose one.")
    return Candidates(
        tuple(found[:_MOST]), found[0] if len(found) == 1 else None, tuple(filter(None, notes))
    )


def _is_of(entry: Any, gene: str) -> bool:
    return not gene or text(entry, "geneName").upper() == gene.upper()


def _is_reviewed(entry: Any) -> bool:
    """An entry of its own; names of others begin with their accession, isoforms have a dash."""
    accession, name = text(entry, "accession"), text(entry, "entryName")
    return bool(name) and "-" not in accession and not name.startswith(accession)


def _candidates(entry: Any, rsid: str) -> Iterator[Candidate]:
    try:
        accession: Accession = read_accession(text(entry, "accession"))
    except InputError:
        return
    name = text(entry, "proteinName") or text(entry, "entryName")
    for row in objects(entry, "features"):
        named = {text(ref, "id") for ref in objects(row, "xrefs")}
        if any(_NAME.fullmatch(one) for one in named) and rsid not in named:
            continue
        variant = _variant(row)
        if variant:
            called = significance(row)
            title = ", ".join(filter(None, [str(accession), name, called]))
            yield Candidate(accession, variant, title)


def _variant(row: Any) -> str:
    """A substitution or a deletion as text; '' for all else."""
    start, wild = whole(row, "begin"), text(row, "wildType")
    mutant = first(row, "mutatedType", "alternativeSequence")
    letters = set(STANDARD + NONSTANDARD)
    if start is None or not wild or not isinstance(mutant, str) or not set(wild) <= letters:
        return ""
    mutant = "" if mutant == "-" else mutant
    if not set(mutant) <= letters:
        return ""  # a stop, or words
    try:
        return write_change(Change(start, wild, mutant))
    except RecordError:
        return ""
