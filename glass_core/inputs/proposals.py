"""Where a residue does not fit: the numberings in which it would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from glass_core.errors import InputError, VariantError
from glass_core.inputs.reading import Count, counted_as, read_in
from glass_core.protein.numbering import NUMBERING_KINDS, Numbering
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant

if TYPE_CHECKING:
    from glass_core.inputs.lists import VariantRequest

MOST_ROWS = 1_000
"""Rows of a list that are tried in each numbering."""
_NAMED = 3
_CUT_OFF = {
    "Signal": "the signal peptide",
    "Transit peptide": "the transit peptide",
    "Propeptide": "the propeptide",
}
"""Kinds of features that mature proteins lack at their start, and what they are called."""


@dataclass(frozen=True, eq=False)
class NumberingProposal:
    """A numbering in which a text can be read that cannot be read as it stands.

    Attributes
    ----------
    words : str
        For a reader, such as "E6 fits if the first methionine is not counted: it is E7 by
        sequence positions".
    numbering : {"sequence", "UniProt", "author"} or Numbering
        What to count the protein by from then on; see `Protein.counted_by`.
    variants : tuple of Variant
        What the text is then.
    """

    words: str
    numbering: Count
    variants: tuple[Variant, ...]


class OtherNumberingError(VariantError):
    """A variant that does not fit as it is numbered, and would in another numbering.

    Attributes
    ----------
    proposals : tuple of NumberingProposal
    """

    def __init__(self, message: str, proposals: tuple[NumberingProposal, ...] = ()) -> None:
        super().__init__(message)
        self.proposals = proposals


@dataclass(frozen=True, eq=False)
class ListProposal:
    """A numbering in which more rows of a list fit than in the one they were read by.

    Attributes
    ----------
    words : str
        For a reader: "17 of 17 rows fit by author numbers; none by sequence positions".
    numbering : {"sequence", "UniProt", "author"} or Numbering
    fits, rows : int
        How many rows fit, of how many that were tried.
    """

    words: str
    numbering: Count
    fits: int
    rows: int


@dataclass(frozen=True, eq=False)
class _Way:
    """A way to number a protein's residues that people use; `how` completes "they fit"."""

    count: Count
    numbers: Numbering
    how: str


def proposals(
    text: str, protein: Protein, numbering: Count | None = None
) -> tuple[NumberingProposal, ...]:
    """The other numberings in which `text` names variants of the protein.

    Empty where it can be read as it stands, or in none.

    Parameters
    ----------
    numbering : {"sequence", "UniProt", "author"} or Numbering, optional
        What it was read by; by default what the protein's user counts by.

    Examples
    --------
    >>> from glass_core import Protein
    >>> from glass_core.inputs.proposals import proposals
    >>> haemoglobin = Protein.from_sequence("MVHLTPEEKSAVTALWGKV")
    >>> (one,) = proposals("E6V", haemoglobin)
    >>> one.words, one.numbering.label(7)
    ('E6 fits if the first methionine is not counted: it is E7 by sequence positions', '6')
    """
    counted = counted_as(protein, numbering)
    if _variants(text, counted, counted.counting):
        return ()
    found = []
    for way in _ways(counted):
        variants = _variants(text, counted, way.numbers)
        if variants:
            words = _said(variants, counted, way)
            found.append(NumberingProposal(words, way.count, variants))
    return tuple(found)


def list_proposals(requests: Sequence[VariantRequest]) -> tuple[ListProposal, ...]:
    """The numberings in which more rows fit, the best first; of the first `MOST_ROWS` rows.

    Of several proteins only the numberings are tried that each knows of itself.
    """
    tried = list(islice(requests, MOST_ROWS))
    fits = sum(one.variant is not None for one in tried)
    if fits == len(tried):
        return ()
    first = tried[0].protein
    alone = all(one.protein is first for one in tried)
    found = []
    for way in _ways(first):
        if not alone and not isinstance(way.count, str):
            continue
        more = sum(_fits(one, way) for one in tried)
        if more > fits:
            now = f"{fits:,}" if fits else "none"
            words = (
                f"{more:,} of {len(tried):,} rows fit {way.how}; {now} by {first.counting.words}"
            )
            found.append(ListProposal(words, way.count, more, len(tried)))
    return tuple(sorted(found, key=lambda one: -one.fits))


def _fits(request: VariantRequest, way: _Way) -> bool:
    if not isinstance(way.count, str):
        return bool(_variants(request.text, request.protein, way.numbers))
    try:
        numbers = request.protein.numbering(way.count)
    except InputError:
        return False
    return bool(_variants(request.text, request.protein, numbers))


def _variants(text: str, protein: Protein, numbers: Numbering) -> tuple[Variant, ...]:
    try:
        return read_in(text, protein, numbers)
    except VariantError:
        return ()


def _said(variants: Sequence[Variant], protein: Protein, way: _Way) -> str:
    """That the first changed residue fits, and which it is as the user counts."""
    position = variants[0].positions[0]
    theirs = f"{protein.sequence[position - 1]}{way.numbers.label(position)}"
    return f"{theirs} fits {way.how}: it is {protein.named(position)} by {protein.counting.title}s"


@lru_cache(maxsize=8)
def _ways(protein: Protein) -> tuple[_Way, ...]:
    """Each way but the user's; kept for the rows of a list."""
    own = protein.counting.labels
    distinct: dict[tuple[str, ...], _Way] = {}
    for way in _all_ways(protein):
        if way.numbers.labels != own:
            distinct.setdefault(way.numbers.labels, way)
    return tuple(distinct.values())


def _all_ways(protein: Protein) -> Iterator[_Way]:
    for kind in NUMBERING_KINDS:
        try:
            numbers = protein.numbering(kind)
        except InputError:
            continue
        yield _Way(kind, numbers, f"by {numbers.title}s")
    length = len(protein)

    def shifted(by: int, name: str, how: str) -> _Way:
        numbers = Numbering.shifted(length, by, name)
        return _Way(numbers, numbers, how)

    if protein.sequence.startswith("M"):
        yield shifted(
            -1,
            "from the second residue (initiator methionine not counted)",
            "if the first methionine is not counted",
        )
    else:
        yield shifted(
            1,
            "with an initiator methionine that the sequence lacks",
            "if a first methionine is counted that the sequence lacks",
        )
    for what, end in _cut_off(protein):
        yield shifted(
            -end,
            f"from behind {what} (the first {end} residues not counted)",
            f"if {what} is not counted",
        )


def _cut_off(protein: Protein) -> Iterator[tuple[str, int]]:
    """What the mature protein lacks at its start, and its last 1-based position here."""
    features = () if protein.annotation is None else protein.annotation.features
    for feature in features:
        what = _CUT_OFF.get(feature.kind)
        end = protein.position_of_uniprot(feature.end)
        if what is not None and end is not None and end < len(protein):
            yield what, end
