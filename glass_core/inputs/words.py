"""A user's words as variants of a protein: numbering, chain, reference, several at once."""

from __future__ import annotations

from glass_core.errors import SeveralVariantsError, VariantError, shown
from glass_core.protein.accession import split_accession
from glass_core.protein.notation import expand, read_plain, split_chain, split_reference
from glass_core.protein.numbering import Kind
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant


def read_variants(text: str, protein: Protein, numbering: Kind = "sequence") -> tuple[Variant, ...]:
    """All variants that `text` names, of any of `notation.FORMS`.

    Parameters
    ----------
    numbering : {"sequence", "UniProt", "author"}
        What the numbers in `text` mean.

    Raises
    ------
    VariantError
        It names none; the message says why.
    InputError
        The protein has no such numbering.
    """
    if numbering == "sequence":
        plain = read_plain(text, protein.sequence)
        if plain is not None:
            return (Variant(protein.sequence, (plain,)),)
    numbers = protein.numbering(numbering)
    core = _of_this_protein(text, protein)
    several = expand(core, protein.sequence, numbers)
    if several is None:
        return (Variant.parse(core, protein.sequence, numbers),)
    return tuple(Variant.parse(word, protein.sequence) for word in several)


def read_variant(text: str, protein: Protein, numbering: Kind = "sequence") -> Variant:
    """The one variant that `text` names; see `read_variants`.

    Raises
    ------
    SeveralVariantsError
        It names several.
    VariantError
        It names none.
    """
    made = read_variants(text, protein, numbering)
    if len(made) > 1:
        raise SeveralVariantsError(
            f"variant '{shown(text)}': names {len(made):,} variants where one is meant; "
            "screen them, or choose one."
        )
    return made[0]


def how_read(text: str, protein: Protein, numbering: Kind = "sequence") -> str:
    """What a reader should know about the way `text` was read; '' when nothing."""
    notes = []
    reference = split_reference(text)[0]
    if reference and reference != protein.accession:
        notes.append(
            f"The reference {reference} was not looked up: only the residue at each "
            "position was checked."
        )
    chain, _ = split_chain(text)
    if chain and protein.structure is None:
        notes.append(f"There is no structure, so that chain {chain} was passed over.")
    if numbering != "sequence":
        notes.append(f"Numbers were read as {numbering} numbers.")
    return " ".join(notes)


def _of_this_protein(text: str, protein: Protein) -> str:
    """The text without chain and accession, which must be the protein's own."""
    chain, core = split_chain(text)
    if chain and protein.structure is not None and chain != protein.structure.chain:
        raise VariantError(
            f"variant '{shown(text)}': is of chain {chain}, but chain "
            f"{protein.structure.chain} is analysed; choose that chain."
        )
    accession, rest = split_accession(core)
    if accession is None or not rest:
        return core
    known = protein.accession.partition("-")[0]
    if accession.database == "uniprot" and known not in ("", accession.id):
        raise VariantError(
            f"variant '{shown(text)}': is of {accession}, but the wild type is "
            f"{protein.accession}; look {accession} up first."
        )
    return rest
