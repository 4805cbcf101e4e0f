"""From an accession to what an analysis can start with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from glass_core.errors import GlassError, NotFoundError, SourceError, StructureError
from glass_core.progress import Stage, ignore
from glass_core.protein.accession import Accession, read_accession
from glass_core.protein.annotation import Annotation, KnownVariant, Retrieved
from glass_core.protein.structure.file import list_chains
from glass_core.sources import alphafold, alphamissense, entries, uniprot, variation
from glass_core.sources.alphafold import Model
from glass_core.sources.fetch import Fetcher

MOST_VARIANTS = 5_000
"""Known variants kept of one protein; clinical ones first."""


@dataclass(frozen=True, eq=False)
class Found:
    """What an accession led to.

    Attributes
    ----------
    accession : Accession
    annotation : Annotation or None
        None for a PDB entry.
    structure : bytes or None
        An mmCIF file; None where there is no model.
    structure_name : str
    model : Model or None
        What AlphaFold DB says of the structure, where it is from there.
    notes : tuple of str
        What could not be had, and what was chosen, one sentence each.
    """

    accession: Accession
    annotation: Annotation | None
    structure: bytes | None = field(repr=False)
    structure_name: str = ""
    model: Model | None = None
    notes: tuple[str, ...] = ()


def look_up(accession: Accession, fetcher: Fetcher, tell: Stage = ignore) -> Found:
    """Look up all that is known of an accession.

    Of UniProt: the entry, AlphaFold's model with its predicted aligned error, AlphaMissense's
    scores of human proteins, and known variants. Only the entry must be there; what else
    cannot be had is told in the notes.
    Of PDB: the file.

    Raises
    ------
    NotFoundError
        It is not known.
    SourceError
        UniProt, or PDB for its entries, cannot be asked or used.
    """
    if accession.database == "pdb":
        return _pdb_entry(accession, fetcher, tell)
    tell("UniProt", 0.05)
    entry = uniprot.entry(accession, fetcher)
    annotation, notes = entry.annotation, [*entry.notes]
    own = read_accession(annotation.accession)  # an isoform, or the entry it was merged into
    tell("AlphaFold DB", 0.3)
    model, structure = None, None
    try:
        model, answer = alphafold.model(own, annotation.sequence, fetcher)
        file = fetcher.get(model.structure_url)
        list_chains(file.content, name=model.id)
        structure = file.content
        notes += filter(None, [answer.note, file.note])
        if model.length != len(annotation.sequence):
            notes.append(
                f"{model} covers residues {model.start} to {model.start + model.length - 1} only."
            )
        annotation = _retrieved(annotation, alphafold.SERVICE, str(model), file.date)
    except GlassError as error:
        notes.append(f"No structure: {error}")
    if model is not None and structure is not None:
        tell("predicted aligned error", 0.6)
        try:
            pae = alphafold.aligned_error(model, annotation, fetcher)
            annotation = replace(annotation, pae=pae)
        except SourceError as error:
            notes.append(f"No predicted aligned error: {error}")
    if model is not None and model.substitutions_url:
        tell("AlphaMissense", 0.7)
        try:
            scores, answer = alphamissense.scores(model, annotation.sequence, fetcher)
            annotation = replace(annotation, external=(scores,))
            notes += filter(None, [answer.note])
        except SourceError as error:
            notes.append(f"No AlphaMissense scores: {error}")
    tell("known variants", 0.8)
    annotation, more = _with_variants(annotation, own, fetcher)
    tell("done", 1.0)
    return Found(
        accession,
        annotation,
        structure,
        f"{model.id}.cif" if model else "",
        model if structure else None,
        (*notes, *more),
    )


def look_up_variants(accession: Accession, fetcher: Fetcher) -> Annotation:
    """The entry of UniProt with its known variants, and nothing else of it.

    Raises
    ------
    NotFoundError, SourceError
        It is not known, or UniProt cannot be asked.
    """
    annotation = uniprot.entry(accession, fetcher).annotation
    known, _ = _with_variants(annotation, read_accession(annotation.accession), fetcher)
    return known


def _pdb_entry(accession: Accession, fetcher: Fetcher, tell: Stage) -> Found:
    tell("PDB", 0.2)
    file = entries.structure_file(accession, fetcher)
    try:
        list_chains(file.content, name=accession.id)
    except StructureError as error:
        raise SourceError(f"PDB entry {accession.id}: {error}") from error
    tell("done", 1.0)
    return Found(
        accession,
        None,
        file.content,
        f"{accession.id.lower()}.cif",
        None,
        tuple(filter(None, [file.note])),
    )


def _with_variants(
    annotation: Annotation, accession: Accession, fetcher: Fetcher
) -> tuple[Annotation, tuple[str, ...]]:
    """Known variants of EBI Proteins joined to UniProt's own, which keep their descriptions."""
    if accession.isoform is not None:
        return annotation, ()  # they are numbered by the canonical sequence
    try:
        listed, notes, answer = variation.known_variants(accession.id, annotation.sequence, fetcher)
    except NotFoundError:
        return annotation, ()
    except SourceError as error:
        return annotation, (f"Known variants are UniProt's alone: {error}",)
    by_change = {v.change: v for v in annotation.variants}
    for variant in listed:
        ours = by_change.get(variant.change)
        by_change[variant.change] = variant if ours is None else _joined(ours, variant)
    ranked = sorted(
        by_change.values(), key=lambda v: (not v.significance, not v.description, v.change.position)
    )
    kept = sorted(ranked[:MOST_VARIANTS], key=lambda v: (v.change.position, v.change.mutant))
    cut = (
        (
            f"Of {len(ranked):,} known variants the first {MOST_VARIANTS:,} are kept, those "
            "with a clinical significance first.",
        )
        if len(ranked) > len(kept)
        else ()
    )
    annotation = replace(annotation, variants=tuple(kept))
    return _retrieved(annotation, variation.SERVICE, accession.id, answer.date), (*notes, *cut)


def _joined(ours: KnownVariant, theirs: KnownVariant) -> KnownVariant:
    return replace(
        ours,
        significance=theirs.significance,
        review_status=theirs.review_status,
        ids=tuple(dict.fromkeys((*ours.ids, *theirs.ids))),
        description=ours.description or theirs.description,
        source=f"{ours.source}, {theirs.source}",
    )


def _retrieved(annotation: Annotation, service: str, entry: str, date: str) -> Annotation:
    return replace(annotation, retrieved=(*annotation.retrieved, Retrieved(service, entry, date)))
