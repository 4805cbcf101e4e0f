"""A user's words as variants of a protein: numbering, chain, reference, several at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from glass_core.errors import InputError, SeveralVariantsError, VariantError, shown
from glass_core.protein.notation import expand, read_changes, read_plain
from glass_core.protein.numbering import NUMBERING_KINDS, Numbering, NumberingKind
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.protein.written import Written, take_apart

Count = NumberingKind | Numbering
"""A numbering that a protein knows of itself, or any other."""


def read_variants(
    text: str, protein: Protein, numbering: Count | None = None
) -> tuple[Variant, ...]:
    """All variants that `text` names, of any of `notation.FORMS`.

    Parameters
    ----------
    numbering : {"sequence", "UniProt", "author"} or Numbering, optional
        What the numbers in `text` mean; by default what the protein's user counts by.

    Raises
    ------
    VariantError
        It names none; the message says why, and in which other numbering it would fit.
    InputError
        The protein has no such numbering.
    """
    counted = protein if numbering is None else protein.counted_by(numbering)
    numbers = counted.counting
    try:
        return _read(text, protein, numbers)
    except VariantError as error:
        raise VariantError(f"{error}{_fitting(text, protein, numbers)}") from error


def _read(text: str, protein: Protein, numbers: Numbering) -> tuple[Variant, ...]:
    if numbers.by_sequence:
        plain = read_plain(text, protein.sequence)
        if plain is not None:
            return (Variant(protein.sequence, (plain,)),)
    _check_brackets(text)
    written = take_apart(text)
    _check_owner(written, protein)
    several = expand(written.variant, protein.sequence, numbers)
    if several is None:
        changes = read_changes(written.variant, protein.sequence, numbers)
        return (Variant(protein.sequence, changes),)
    return tuple(Variant.parse(word, protein.sequence) for word in several)


def _fitting(text: str, protein: Protein, tried: Numbering) -> str:
    """What `text` would be in each other numbering in which it can be read; '' in none."""
    fits = []
    for how, numbers in _other_numberings(protein, tried):
        try:
            variants = _read(text, protein, numbers)
        except VariantError:
            continue
        fits.append(f"{how} it would be {', '.join(v.text for v in variants[:3])}")
    told = "; ".join(fits)
    return f" {told[0].upper()}{told[1:]}." if told else ""


@lru_cache(maxsize=8)
def _other_numberings(protein: Protein, tried: Numbering) -> tuple[tuple[str, Numbering], ...]:
    """Ways to number the residues that people use, in words; kept for the rows of a list."""
    return tuple(_numberings(protein, tried))


def _numberings(protein: Protein, tried: Numbering) -> Iterator[tuple[str, Numbering]]:
    for kind in NUMBERING_KINDS:
        if kind != tried.kind:
            try:
                yield f"by {kind} numbers (choose them)", protein.numbering(kind)
            except InputError:
                continue
    length = len(protein)
    if protein.sequence.startswith("M"):
        yield (
            "without counting the first methionine",
            Numbering.shifted(length, -1, "from the second residue, the first methionine left out"),
        )
    else:
        yield (
            "with a first methionine counted that the sequence lacks",
            Numbering.shifted(length, 1, "with a first methionine that the sequence lacks"),
        )
    signal = _signal_end(protein)
    if signal:
        mature = Numbering.shifted(length, -signal, "from behind the signal peptide")
        yield "counted from behind the signal peptide", mature


def _signal_end(protein: Protein) -> int:
    """Last position of the signal peptide that the databases list; 0 without one."""
    features = () if protein.annotation is None else protein.annotation.features
    for feature in features:
        if feature.kind == "Signal":
            return protein.position_of_uniprot(feature.end) or 0
    return 0


def read_variant(text: str, protein: Protein, numbering: Count | None = None) -> Variant:
    """The one variant that `text` names; see `read_variants`.

    Raises
    ------
    SeveralVariantsError
        It names several.
    VariantError
        It names none.
    """
    variants = read_variants(text, protein, numbering)
    if len(variants) > 1:
        raise SeveralVariantsError(
            f"variant '{shown(text)}': names {len(variants):,} variants where one is meant; "
            "screen them, or choose one."
        )
    return variants[0]


def how_read(text: str, protein: Protein, numbering: Count | None = None) -> str:
    """What a reader should know about the way `text` was read; '' when nothing."""
    notes = []
    written = take_apart(text)
    reference = written.reference or str(written.accession or "")
    if reference and written.core and reference != protein.accession:
        notes.append(
            f"The reference {reference} was not looked up: only the residue at each "
            "position was checked."
        )
    if written.chain and protein.structure is None:
        notes.append(f"There is no structure, so that chain {written.chain} was passed over.")
    numbers = (protein if numbering is None else protein.counted_by(numbering)).counting
    if not numbers.by_sequence:
        notes.append(f"Numbers were read as {numbers.words}.")
    return " ".join(notes)


def _check_brackets(text: str) -> None:
    """Refuse what HGVS writes for changes that may not be in one protein."""
    for pattern, said in (
        (r"\(;\)", "it is not known whether the changes are in one copy of the gene"),
        (r"\[[^\]]*,[^\]]*\]", "one change of the gene gives several proteins"),
        (r"\]\s*;\s*\[", "the changes are in different copies of the gene"),
    ):
        if re.search(pattern, text):
            raise VariantError(
                f"variant '{shown(text)}': {said}; give each protein's changes apart."
            )


def _check_owner(written: Written, protein: Protein) -> None:
    """Chain and accession before a variant must be the protein's own, where it has them."""
    structure, accession = protein.structure, written.accession
    if written.chain and structure is not None and written.chain != structure.chain:
        raise VariantError(
            f"variant '{shown(written.text)}': is of chain {written.chain}, but chain "
            f"{structure.chain} is analysed; choose that chain."
        )
    if accession is None or accession.database != "uniprot" or not written.core:
        return
    if protein.accession.partition("-")[0] not in ("", accession.id):
        raise VariantError(
            f"variant '{shown(written.text)}': is of {accession}, but the wild type is "
            f"{protein.accession}; look {accession} up first."
        )
