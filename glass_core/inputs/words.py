"""A user's words as variants of a protein: numbering, chain, reference, several at once."""

from __future__ import annotations

from glass_core.errors import SeveralVariantsError, VariantError, shown
from glass_core.inputs.proposals import OtherNumberingError, proposals
from glass_core.inputs.reading import Count, counted_as, read_in
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.protein.written import take_apart


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
    OtherNumberingError
        It names none as it stands, and some in another numbering; both are said, and it has
        the `proposals`.
    VariantError
        It names none; the message says why.
    InputError
        The protein has no such numbering.
    """
    counted = counted_as(protein, numbering)
    try:
        return read_in(text, protein, counted.counting)
    except VariantError as error:
        fitting = proposals(text, counted)
        if not fitting:
            raise
        hints = " ".join(f"{one.words}." for one in fitting)
        raise OtherNumberingError(f"{error} {hints}", fitting) from error


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
    numbers = counted_as(protein, numbering).counting
    if not numbers.by_sequence:
        notes.append(f"Numbers were read as {numbers.words}.")
    return " ".join(notes)
