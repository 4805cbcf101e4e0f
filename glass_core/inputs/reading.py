"""One text, one protein, one numbering: the variants that the text names."""

from __future__ import annotations

import re
from functools import lru_cache

from glass_core.errors import VariantError, shown
from glass_core.protein.notation import expand, read_changes, read_plain
from glass_core.protein.numbering import Numbering, NumberingKind
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.protein.written import Written, take_apart

Count = NumberingKind | Numbering
"""A numbering that a protein knows of itself, or any other."""


@lru_cache(maxsize=16)
def counted_as(protein: Protein, numbering: Count | None) -> Protein:
    """The protein counted by `numbering`, as it is where None; kept for the rows of a list.

    Raises
    ------
    InputError
        The protein has no such numbering.
    """
    return protein if numbering is None else protein.counted_by(numbering)


def read_in(text: str, protein: Protein, numbers: Numbering) -> tuple[Variant, ...]:
    """All variants that `text` names in that numbering, of any of `notation.FORMS`.

    Raises
    ------
    VariantError
        It names none; the message says why.
    """
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
