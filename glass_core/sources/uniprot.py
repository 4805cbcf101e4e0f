"""UniProt: sequence, names, features and natural variants of an entry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from glass_core.errors import NotFoundError, RecordError, SequenceError, SourceError
from glass_core.protein.accession import Accession
from glass_core.protein.annotation import Annotation, Feature, KnownVariant, Retrieved
from glass_core.protein.change import Change
from glass_core.protein.sequence import check_residues, read_sequence
from glass_core.sources.answers import dig, letters, objects, text, whole
from glass_core.sources.fetch import Answer, Fetcher

SERVICE = "UniProt"
_FIELDS = (
    "accession,id,protein_name,gene_primary,organism_name,sequence,ft_variant,ft_domain,"
    "ft_act_site,ft_binding,ft_site,ft_region,ft_motif,ft_zn_fing,ft_dna_bind,ft_disulfid,"
    "ft_mod_res,ft_carbohyd,ft_transmem,ft_signal,ft_transit,ft_propep"
)
_VARIANT = "Natural variant"
FEATURES = (
    "Active site",
    "Binding site",
    "Site",
    "Domain",
    "Region",
    "Motif",
    "Zinc finger",
    "DNA binding",
    "Disulfide bond",
    "Modified residue",
    "Glycosylation",
    "Transmembrane",
    "Signal",
    "Transit peptide",
    "Propeptide",
)
"""Kinds of features that are kept, what matters most first."""


@dataclass(frozen=True)
class Entry:
    """An entry and what had to be said on the way to it."""

    annotation: Annotation
    notes: tuple[str, ...] = ()


def entry(accession: Accession, fetcher: Fetcher) -> Entry:
    """Look an entry up; a merged accession leads to the entry it went into.

    Raises
    ------
    NotFoundError
        UniProt does not know it, or has deleted it.
    SourceError
        It cannot be asked, or answers what cannot be used.
    """
    answer, record = _record(accession.id, fetcher)
    notes = [answer.note] if answer.note else []
    found = text(record, "primaryAccession")
    if found and found != accession.id:
        notes.append(f"{accession.id} is a secondary accession of {found}, which is used.")
    annotation = _annotation(record, found or accession.id, answer.date)
    if accession.isoform is not None:
        isoform, note = _isoform(annotation, accession.isoform, fetcher)
        return Entry(isoform, (*notes, *note))
    return Entry(annotation, tuple(notes))


def _record(accession: str, fetcher: Fetcher) -> tuple[Answer, Any]:
    """The entry, through one merger if need be."""
    base = fetcher.settings.uniprot
    try:
        answer = fetcher.get(f"{base}/uniprotkb/{accession}.json?fields={_FIELDS}")
    except NotFoundError as error:
        raise NotFoundError(
            f"UniProt has no entry {accession}; check the accession, or paste the sequence."
        ) from error
    record = answer.json()
    reason = text(record, "inactiveReason", "inactiveReasonType").upper()
    heirs = (
        [h for h in dig(record, "inactiveReason", "mergeDemergeTo") or [] if isinstance(h, str)]
        if reason
        else []
    )
    if not reason:
        return answer, record
    if len(heirs) == 1 and re.fullmatch(r"[A-Z0-9]{6,10}", heirs[0]) and heirs[0] != accession:
        merged = fetcher.get(f"{base}/uniprotkb/{heirs[0]}.json?fields={_FIELDS}")
        if not text(merged.json(), "inactiveReason", "inactiveReasonType"):
            return merged, merged.json()
    if heirs:
        raise NotFoundError(
            f"UniProt's entry {accession} was split into {', '.join(heirs[:6])}; choose one."
        )
    raise NotFoundError(
        f"UniProt's entry {accession} is no longer there ({reason.lower()}); look the protein up "
        "by name, or paste the sequence."
    )


def _annotation(record: Any, accession: str, date: str) -> Annotation:
    sequence = letters(record, "sequence", "value")
    try:
        check_residues(sequence, f"UniProt {accession}")
    except SequenceError as error:
        raise SourceError(
            f"UniProt {accession}: the answer has no usable sequence ({error}) Try again later, "
            "or paste the sequence."
        ) from error
    name = next(
        (
            found
            for path in (
                ("recommendedName", "fullName", "value"),
                ("submissionNames", 0, "fullName", "value"),
                ("alternativeNames", 0, "fullName", "value"),
            )
            if (found := text(record, "proteinDescription", *path))
        ),
        "",
    )
    features, variants = [], []
    for one in objects(record, "features"):
        kind = text(one, "type")
        start = whole(one, "location", "start", "value")
        end = whole(one, "location", "end", "value")
        if start is None or end is None or not 1 <= start <= end <= len(sequence):
            continue  # UniProt writes null where it does not know
        if kind == _VARIANT:
            variants += _variants(one, sequence, start, end)
        elif kind in FEATURES:
            features.append(Feature(kind, start, end, text(one, "description")))
    return Annotation(
        accession=accession,
        sequence=sequence,
        name=name,
        gene=text(record, "genes", 0, "geneName", "value"),
        organism=text(record, "organism", "scientificName"),
        features=tuple(sorted(features, key=lambda f: (FEATURES.index(f.kind), f.start))),
        variants=tuple(variants),
        retrieved=(Retrieved(SERVICE, accession, date),),
    )


def _variants(feature: Any, sequence: str, start: int, end: int) -> list[KnownVariant]:
    """Each alternative of a natural variant; no alternative means that residues are missing."""
    wild = sequence[start - 1 : end]
    told = dig(feature, "alternativeSequence", "alternativeSequences")
    mutants = [m for m in told if isinstance(m, str)] if isinstance(told, list) else [""]
    description = text(feature, "description")
    dbsnp = tuple(re.findall(r"dbSNP:(rs\d+)", description))
    ids = (*filter(None, [text(feature, "featureId")]), *dbsnp)
    made = []
    for mutant in mutants:
        try:
            if mutant:
                check_residues(mutant, "variant")
            made.append(KnownVariant(Change(start, wild, mutant), "", description, ids, SERVICE))
        except (SequenceError, RecordError):
            continue
    return made


def _isoform(
    canonical: Annotation, number: int, fetcher: Fetcher
) -> tuple[Annotation, tuple[str, ...]]:
    """The isoform's sequence without features and variants, or the canonical one if it is that."""
    name = f"{canonical.accession}-{number}"
    try:
        answer = fetcher.get(f"{fetcher.settings.uniprot}/uniprotkb/{name}.fasta")
    except NotFoundError as error:
        raise NotFoundError(
            f"UniProt has no isoform {name}; leave out '-{number}' for the canonical sequence."
        ) from error
    try:
        sequence = read_sequence(answer.content.decode("utf-8"), f"UniProt {name}").residues
    except (UnicodeDecodeError, SequenceError) as error:
        raise SourceError(
            f"UniProt {name}: the answer is no FASTA record; try again later."
        ) from error
    told = tuple(filter(None, [answer.note]))
    if sequence == canonical.sequence:
        return canonical, (f"{name} is the canonical sequence of {canonical.accession}.", *told)
    return Annotation(
        accession=name,
        sequence=sequence,
        name=canonical.name,
        gene=canonical.gene,
        organism=canonical.organism,
        retrieved=(*canonical.retrieved, Retrieved(SERVICE, name, answer.date)),
    ), (
        f"{name} is not the canonical sequence: UniProt's features and natural variants, which "
        "are numbered by that, are left out.",
        *told,
    )
