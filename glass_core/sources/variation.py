"""EBI Proteins: variants that large projects and clinical databases list."""

from __future__ import annotations

from typing import Any

from glass_core.errors import RecordError, SequenceError
from glass_core.protein.annotation import KnownVariant
from glass_core.protein.change import Change
from glass_core.protein.sequence import STANDARD
from glass_core.sources.answers import dig, first, objects, text, whole
from glass_core.sources.fetch import Answer, Fetcher

SERVICE = "EBI Proteins"
_RESTRICTED = "cosmic"
"""Rows that only a database with a restricted licence names are left out."""
_CLINVAR = "clinvar"
_IDS = 4


def known_variants(
    accession: str, sequence: str, fetcher: Fetcher
) -> tuple[tuple[KnownVariant, ...], tuple[str, ...], Answer]:
    """Missense variants of an entry, notes, and the answer they come from.

    Raises
    ------
    NotFoundError
        The service knows no variant of it.
    SourceError
        It cannot be asked, or answers what cannot be used.
    """
    answer = fetcher.get(f"{fetcher.settings.ebi}/api/variation/{accession}?format=json")
    variants, notes = read_variation(answer.json(), sequence)
    return variants, (*filter(None, [answer.note]), *notes), answer


def read_variation(answer: Any, sequence: str) -> tuple[tuple[KnownVariant, ...], tuple[str, ...]]:
    """Missense variants that fit `sequence`, each once, and notes on what was left out."""
    listed: dict[Change, KnownVariant] = {}
    restricted = misfits = 0
    for row in objects(answer, "features"):
        start, end = whole(row, "begin"), whole(row, "end")
        wild = text(row, "wildType")
        mutant = first(row, "mutatedType", "alternativeSequence")
        if (
            start is None
            or start != end
            or wild not in STANDARD
            or not isinstance(mutant, str)
            or len(wild) != 1
            or len(mutant) != 1
            or mutant not in STANDARD
        ):
            continue  # no single substitution
        if sequence[start - 1 : start] != wild:
            misfits += 1
            continue
        names = {text(ref, "name").lower() for ref in objects(row, "xrefs")}
        if names and all(_RESTRICTED in name for name in names):
            restricted += 1
            continue
        try:
            variant = KnownVariant(
                Change(start, wild, mutant),
                significance(row),
                _description(row),
                _ids(row),
                SERVICE,
                _review(row),
            )
        except (RecordError, SequenceError):
            continue
        before = listed.get(variant.change)
        if before is None or (variant.significance and not before.significance):
            listed[variant.change] = variant
    notes = []
    if restricted:
        notes.append(
            "Variants named by COSMIC alone, whose licence is restricted, are left out "
            f"({restricted:,})."
        )
    if misfits:
        notes.append(
            f"Listed variants that do not fit UniProt's sequence are left out ({misfits:,})."
        )
    in_order = sorted(listed.values(), key=lambda v: (v.change.position, v.change.mutant))
    return tuple(in_order), tuple(notes)


def significance(row: Any) -> str:
    """Clinical significances, each once, joined by '/'."""
    told = dig(row, "clinicalSignificances")
    if isinstance(told, str):
        return text(row, "clinicalSignificances")
    words = dict.fromkeys(text(one, "type") for one in objects(row, "clinicalSignificances"))
    return " / ".join(word for word in words if word)


def _review(row: Any) -> str:
    """ClinVar's review status, where ClinVar is among the sources of a significance."""
    told = dict.fromkeys(
        text(one, "reviewStatus")
        for one in objects(row, "clinicalSignificances")
        if _CLINVAR in [str(s).lower() for s in dig(one, "sources") or [] if isinstance(s, str)]
    )
    return " / ".join(words for words in told if words)


def _description(row: Any) -> str:
    names = dict.fromkeys(text(one, "name") for one in objects(row, "association"))
    return "; ".join(name for name in names if name)[:200]


def _ids(row: Any) -> tuple[str, ...]:
    """ClinVar's and dbSNP's names first, so that they are among the few that are kept."""
    ids = dict.fromkeys(
        text(ref, "id")
        for ref in objects(row, "xrefs")
        if _RESTRICTED not in text(ref, "name").lower()
    )
    kept = sorted(filter(None, ids), key=lambda name: not name.startswith(("VCV", "RCV", "rs")))
    return tuple(kept)[:_IDS]
