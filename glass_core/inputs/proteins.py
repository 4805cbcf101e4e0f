"""Wild types: from sequences, structures and what was looked up to proteins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from glass_core.errors import InputError, SequenceError
from glass_core.inputs.msa import read_profile
from glass_core.inputs.upload import Upload
from glass_core.protein.annotation import Annotation
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import NamedSequence, read_sequence, read_sequences
from glass_core.protein.structure.file import read_structure


def read_proteins(
    wild: str,
    structure: Upload | None = None,
    chain: str | None = None,
    annotation: Annotation | None = None,
    alignment: Alignment | None = None,
) -> list[Protein]:
    """The wild types of a screen: FASTA records, one sequence, or those of a structure.

    Raises
    ------
    SequenceError, StructureError, InputError
        Nothing to read, something wrong with it, or a structure or an alignment beside
        several sequences.
    """
    records = read_sequences(wild, "wild type") if wild.strip() else []
    if len(records) < 2:
        return [with_alignment(read_protein(wild, structure, chain, annotation), alignment)]
    if alignment is not None:
        raise InputError("alignment: goes with one wild-type sequence, not with several.")
    if structure is not None:
        raise InputError("structure: goes with one wild-type sequence, not with several.")
    if annotation is not None:
        raise InputError(
            f"{annotation.accession}: goes with one wild-type sequence, not with "
            "several; clear the accession."
        )
    proteins = [
        Protein.from_sequence(r.residues, r.name or f"protein_{n}")
        for n, r in enumerate(records, start=1)
    ]
    proteins_by_name(proteins)  # refuses two of one name
    return proteins


def read_protein(
    wild: str,
    structure: Upload | None = None,
    chain: str | None = None,
    annotation: Annotation | None = None,
) -> Protein:
    """One wild type; a looked-up sequence stands in for an empty `wild`.

    Raises
    ------
    SequenceError, StructureError, InputError
        Nothing to read, or something wrong with it.
    """
    record = read_sequence(wild, "wild type") if wild.strip() else None
    if record is None and annotation is not None:
        record = NamedSequence(annotation.sequence, annotation.accession)
    if structure is not None:
        solved = read_structure(
            structure.content, chain=chain, name=structure.name, neighbours=structure.neighbours
        )
        if record is None:
            protein = Protein.from_structure(solved)
        else:
            protein = Protein.combine(record.residues, solved, record.name)
    elif record is not None:
        protein = Protein.from_sequence(record.residues, record.name)
    else:
        raise SequenceError(
            "wild type: is empty; paste a sequence or a FASTA record, give a structure file, or "
            "look up an accession."
        )
    return protein if annotation is None else protein.annotated(annotation)


Alignment = Path | Upload | AlignmentProfile
"""A file of homologues, or what was read of one before."""


def with_alignment(protein: Protein, alignment: Alignment | None) -> Protein:
    """The protein with what an alignment of homologues says of it, where one is given.

    Raises
    ------
    InputError
        The file is no alignment, or it is that of another protein.
    """
    if alignment is None:
        return protein
    if isinstance(alignment, AlignmentProfile):
        if alignment.wild_type != protein.sequence:
            raise InputError(
                f"{alignment.name}: was read for another wild type, that of the result opened "
                "before; remove it, or give the file again."
            )
        return replace(protein, profile=alignment)
    source = alignment if isinstance(alignment, Path) else alignment.content
    profile = read_profile(source, protein.sequence, name=alignment.name)
    return replace(protein, profile=profile)


def proteins_by_name(proteins: Sequence[Protein]) -> dict[str, Protein]:
    """Proteins by all that may name them: name, first word, `other_names`.

    What names two of them, as isoforms share a gene, names none.

    Raises
    ------
    InputError
        Two proteins have one name, or one first word of it.
    """
    own: dict[str, Protein] = {}
    for protein in proteins:
        for name in {protein.name, protein.short_name}:
            if own.get(name, protein) is not protein:
                raise InputError(f"two proteins are called '{name}'; give each its own name.")
            own[name] = protein
    others: dict[str, set[int]] = {}
    for place, protein in enumerate(proteins):
        for name in protein.other_names:
            others.setdefault(name, set()).add(place)
    alone = {name: proteins[places.pop()] for name, places in others.items() if len(places) == 1}
    return alone | own
