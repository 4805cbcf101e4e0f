"""Ensembl VEP: what a coding or genomic change does to proteins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from glass_core.errors import InputError, NotFoundError, shown
from glass_core.protein.accession import Accession, read_accession
from glass_core.protein.notation import has_form
from glass_core.sources.answers import objects, text
from glass_core.sources.candidates import Candidate, Candidates
from glass_core.sources.fetch import Fetcher

SERVICE = "Ensembl VEP"
_HGVS = re.compile(r"[A-Za-z0-9_.-]{1,40}:[cgm]\.[A-Za-z0-9_+*>=()-]{1,100}")
_TOLD = "uniprot=1&hgvs=1&mane=1&canonical=1"
_MOST_NAMED = 5


@dataclass(frozen=True)
class _Consequence:
    """What it does to one transcript; without `variant` no residue is changed."""

    transcript: str
    gene: str
    accession: Accession | None
    variant: str
    terms: str
    rank: int


def changes_of(hgvs: str, gene: str, fetcher: Fetcher) -> Candidates:
    """The changes of human proteins that a coding or genomic change brings.

    The transcript that it names goes first, then MANE Select and Ensembl's canonical one. Where
    two genes have an equally good transcript, neither is chosen.

    Parameters
    ----------
    hgvs : str
        With the reference: a transcript, a gene's symbol or a chromosome (GRCh38).
    gene : str
        Only of this gene, '' for any.

    Raises
    ------
    InputError
        It is no such name, or changes no residue.
    SourceError
        Ensembl cannot be asked, or cannot read it.
    """
    if _HGVS.fullmatch(hgvs) is None:
        raise InputError(
            f"'{shown(hgvs)}': is no coding or genomic change; write for example HBB:c.20A>T."
        )
    base = fetcher.settings.ensembl
    address = f"{base}/vep/human/hgvs/{quote(hgvs, safe='')}"
    try:
        answer = fetcher.get(f"{address}?content-type=application/json&{_TOLD}")
    except NotFoundError as error:
        raise NotFoundError(
            f"{hgvs}: Ensembl does not know it; check the reference and its version."
        ) from error
    reference = hgvs.partition(":")[0]
    all_told = [
        _consequence(one, reference)
        for result in objects({"all": answer.json()}, "all")
        for one in objects(result, "transcript_consequences")
    ]
    told = sorted(
        (one for one in all_told if not gene or one.gene.upper() == gene.upper()),
        key=lambda one: one.rank,
    )
    usable = [one for one in told if one.variant and one.accession is not None]
    if not usable:
        raise InputError(f"{hgvs}: {_why_none(told)}; there is nothing to analyse.")
    best = [one for one in usable if one.rank == usable[0].rank]
    candidates = tuple(dict.fromkeys(map(_candidate, usable)))
    single = len({_candidate(one) for one in best}) == 1
    chosen = candidates[0] if single else None
    notes = [answer.note, *_said(hgvs, candidates, chosen, usable[0], told)]
    return Candidates(candidates, chosen, tuple(filter(None, notes)))


def _consequence(row: Any, reference: str) -> _Consequence:
    transcript = text(row, "transcript_id")
    mane, plain = text(row, "mane_select"), reference.partition(".")[0]
    named = plain in (transcript.partition(".")[0], mane.partition(".")[0])
    rank = 0 if named else 1 if mane else 2 if row.get("canonical") else 3
    change = unquote(text(row, "hgvsp").partition(":")[2])
    return _Consequence(
        transcript,
        text(row, "gene_symbol"),
        _accession(row),
        change if _changes_residues(change) else "",
        ", ".join(t for t in row.get("consequence_terms") or [] if isinstance(t, str)),
        rank,
    )


def _accession(row: Any) -> Accession | None:
    """UniProt's: the isoform that the transcript is of, the reviewed entry, any other."""
    for place in ("uniprot_isoform", "swissprot", "trembl"):
        try:
            return read_accession(text(row, place, 0).partition(".")[0])
        except InputError:
            continue
    return None


def _changes_residues(change: str) -> bool:
    return change.startswith("p.") and has_form(change) and not re.search(r"Ter|=|\*|\?", change)


def _candidate(one: _Consequence) -> Candidate:
    accession = one.accession
    if accession is None:  # never, of those that are usable
        raise InputError(f"{one.transcript}: has no entry in UniProt.")
    return Candidate(accession, one.variant, f"{accession}, gene {one.gene or 'unnamed'}")


def _why_none(told: list[_Consequence]) -> str:
    """What it does instead of changing a residue."""
    if not told:
        return "lies in no known transcript"
    if any(one.variant for one in told):
        return "changes a protein that UniProt does not list"
    first = told[0]
    of = f" of gene {first.gene}" if first.gene else ""
    return f"changes no residue{of} ({(first.terms or 'no consequence').replace('_', ' ')})"


def _said(
    hgvs: str,
    candidates: tuple[Candidate, ...],
    chosen: Candidate | None,
    best: _Consequence,
    told: list[_Consequence],
) -> list[str]:
    """What was taken, and what it does elsewhere."""
    if chosen is None:
        return [f"{hgvs} changes several proteins; choose one."]
    why = ("the transcript named", "MANE Select", "Ensembl's canonical transcript", "a transcript")
    notes = [
        f"{hgvs} is {chosen.variants} of {chosen.title}, by {best.transcript} ({why[best.rank]})."
    ]
    others = [f"{one.variants} of {one.accession}" for one in candidates if one != chosen]
    if others:
        more = ", ..." if len(others) > _MOST_NAMED else ""
        notes.append(f"By other transcripts it is {', '.join(others[:_MOST_NAMED])}{more}.")
    silent = sum(not one.variant for one in told)
    if silent:
        notes.append(f"In {silent} other transcript(s) it changes no residue.")
    return notes
