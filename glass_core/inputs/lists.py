"""Many variants at once: typed, as mutant sequences, known ones, or all of a protein."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from glass_core.errors import GlassError, InputError, shown
from glass_core.inputs.cells import Cell
from glass_core.inputs.labels import read_label
from glass_core.inputs.proteins import proteins_by_name
from glass_core.inputs.reading import Count
from glass_core.inputs.words import read_variant, read_variants
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD, read_sequences
from glass_core.protein.variant import Variant
from glass_core.protein.written import take_apart
from glass_core.records import require

_WORD = re.compile(r"(?:[^,;\s\[]*:)?p\.\(?\[[^\]]*\]\)?|[^,;\s]+")
"""One variant of a line; the semicolons of ``p.[Ala1Pro;Asp2Asn]`` do not part it."""
_SITE = re.compile(r"\d+([-:\u2013]\d+)?")
_END = r"-?\d{1,9}[A-Za-z]?|\(\d{1,9}\)"
_SPAN = re.compile(rf"(?P<first>{_END})(?:\s*[-:\u2013]\s*(?P<last>{_END}))?")
_NUMBER_BESIDE = "is a number beside other words; write sites on a line of their own."


@dataclass(frozen=True, eq=False)
class VariantRequest:
    """One variant as it was asked for, and how it was read.

    Attributes
    ----------
    row : int
        Number of the entry in the input, from 1.
    text : str
        As it stood there; for a mutant sequence its name.
    protein : Protein
        Whose variant it is.
    variant : Variant or None
        None where it could not be read; `reason` says why.
    reason : str
    label : bool or None
        Whether the input calls it damaging.
    measured_value : float or None
        A measured value that came with it.
    own : mapping
        All cells of its row of the user's table, by column; empty where it came from none.
    """

    row: int
    text: str
    protein: Protein
    variant: Variant | None
    reason: str = ""
    label: bool | None = None
    measured_value: float | None = None
    own: Mapping[str, Cell] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(self.row >= 1, "row", "is 1 or more")
        require((self.variant is None) == bool(self.reason), "reason", "goes with no variant")
        require(
            self.variant is None or self.variant.wild_type == self.protein.sequence,
            "variant",
            "is of this protein",
        )


@dataclass(frozen=True, eq=False)
class Asked:
    """Variants as they were asked for, and what a reader should know of how they were read."""

    requests: Iterable[VariantRequest]
    notes: tuple[str, ...] = ()


def read_request(
    row: int,
    text: str,
    protein: Protein,
    label: bool | None = None,
    measured_value: float | None = None,
    numbering: Count | None = None,
) -> VariantRequest:
    """Read `text` as one variant of `protein`; what cannot be read carries its reason."""
    try:
        variant = read_variant(text, protein, numbering)
    except GlassError as error:
        return VariantRequest(row, text, protein, None, str(error), label, measured_value)
    return VariantRequest(row, text, protein, variant, "", label, measured_value)


def read_requests(
    row: int, text: str, protein: Protein, numbering: Count | None = None
) -> Iterator[VariantRequest]:
    """The variants of a text that may name several at once, in rows from `row`."""
    try:
        variants = read_variants(text, protein, numbering)
    except GlassError as error:
        yield VariantRequest(row, text, protein, None, str(error))
        return
    for place, variant in enumerate(variants):
        yield VariantRequest(row + place, text, protein, variant)


def all_substitutions(
    protein: Protein, first: int = 1, last: int | None = None
) -> Iterator[VariantRequest]:
    """All 19 substitutions of the positions `first` to `last`, 1-based, both included.

    Positions whose residue is none of the 20 are passed over.
    """
    row = 0
    for position, wild in _span(protein, first, last):
        for letter in STANDARD:
            if letter != wild:
                row += 1
                yield _substitution(row, protein, position, wild, letter)


def alanine_scan(
    protein: Protein, first: int = 1, last: int | None = None
) -> Iterator[VariantRequest]:
    """Every residue of the range to alanine; alanines to glycine."""
    for row, (position, wild) in enumerate(_span(protein, first, last), start=1):
        yield _substitution(row, protein, position, wild, "G" if wild == "A" else "A")


def _substitution(
    row: int, protein: Protein, position: int, wild: str, mutant: str
) -> VariantRequest:
    variant = Variant(protein.sequence, (Change(position, wild, mutant),))
    return VariantRequest(row, protein.written(variant), protein, variant)


def known_variants(protein: Protein) -> Iterator[VariantRequest]:
    """The variants that databases list for the protein, in its own positions.

    What they call it clinically is the label where that is clear.
    """
    for row, (known, change) in enumerate(protein.known_changes, start=1):
        variant = Variant(protein.sequence, (change,))
        label = read_label(known.significance)
        yield VariantRequest(row, known.text, protein, variant, "", label)


def scan(
    proteins: Iterable[Protein],
    make: Callable[[Protein, int, int | None], Iterator[VariantRequest]],
    span: str = "",
) -> Iterator[VariantRequest]:
    """`all_substitutions` or `alanine_scan` of several proteins, rows counted through.

    `span` is a range as `read_range` reads it; '' = the whole of each.
    """
    row = 0
    for protein in proteins:
        first, last = read_range(span, protein) if span.strip() else (1, len(protein))
        for one in make(protein, first, last):
            row += 1
            yield replace(one, row=row)


def read_range(text: str, protein: Protein) -> tuple[int, int]:
    """``10-60`` or ``42``, as the protein's user counts, as first and last 1-based position.

    Raises
    ------
    InputError
        No range, or one outside the sequence.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise InputError(f"range '{shown(text, 40)}': cannot be read; write for example 10-60.")
    numbers = protein.counting
    first = numbers.position(_plain(match["first"]))
    last = numbers.position(_plain(match["last"])) if match["last"] else first
    if first is None or last is None or first > last:
        raise InputError(f"range {shown(text, 40)}: must go upwards within {numbers.extent}.")
    return first, last


def _plain(number: str) -> str:
    """Without leading zeros."""
    return re.sub(r"(?<![\d])0+(?=\d)", "", number)


def from_text(
    text: str, proteins: Sequence[Protein], numbering: Count | None = None
) -> Iterator[VariantRequest]:
    """Variants separated by white space, commas or semicolons; ``A1P:D2N`` is one of two changes.

    ``R175H/Y``, ``175`` and ``170-180`` name several; a number alone does so on lines of
    numbers only, for beside a variant it may be anything. With several proteins each line begins
    with the name of one; with one it may begin with its accession.
    """
    row = 0
    owners = proteins_by_name(proteins) if len(proteins) > 1 else None
    for line in text.splitlines():
        words = variant_words(line)
        if len(words) > 1 and owners is None and _is_accession(words[0]):
            words[:2] = [f"{words[0]} {words[1]}"]
        if not words:
            continue
        name = "" if owners is None else words.pop(0)
        owner = proteins[0] if owners is None else owners.get(name)
        if owner is None:
            row += 1
            yield VariantRequest(
                row, line.strip()[:80], proteins[0], None, _no_owner(name, proteins)
            )
            continue
        sites = all(_SITE.fullmatch(word) for word in words)
        for word in words:
            if word.isdecimal() and not sites:
                row += 1
                yield VariantRequest(row, word, owner, None, _NUMBER_BESIDE)
                continue
            for one in read_requests(row + 1, word, owner, numbering):
                row = one.row
                yield one


def variant_words(line: str) -> list[str]:
    """The words of a line of variants; what stands behind ``#`` is a remark."""
    return _WORD.findall(line.partition("#")[0])


def from_mutants(text: str, protein: Protein) -> Iterator[VariantRequest]:
    """One variant per FASTA record, each a whole mutant sequence."""
    for row, record in enumerate(read_sequences(text, "mutants"), start=1):
        name = record.name or f"sequence {row}"
        try:
            yield VariantRequest(
                row, name, protein, Variant.from_sequences(protein.sequence, record.residues)
            )
        except GlassError as error:
            yield VariantRequest(row, name, protein, None, str(error))


def counts(asked: Iterable[VariantRequest]) -> Mapping[str, int]:
    """How many were ``accepted`` and how many ``rejected``."""
    outcomes = {"accepted": 0, "rejected": 0}
    for one in asked:
        outcomes["rejected" if one.variant is None else "accepted"] += 1
    return outcomes


def _no_owner(name: str, proteins: Sequence[Protein]) -> str:
    return (
        f"'{name[:40]}' is the name of no protein; begin the line with "
        f"{' or '.join(p.short_name for p in proteins[:3])}."
    )


def _is_accession(word: str) -> bool:
    written = take_apart(word)
    return written.accession is not None and not written.core


def _span(protein: Protein, first: int, last: int | None) -> Iterator[tuple[int, str]]:
    last = len(protein) if last is None else last
    _check_span(protein, first, last)
    for position in range(first, last + 1):
        if protein.sequence[position - 1] in STANDARD:
            yield position, protein.sequence[position - 1]


def _check_span(protein: Protein, first: int, last: int) -> None:
    if not 1 <= first <= last <= len(protein):
        raise InputError(
            f"range {first}-{last}: must go upwards within residues 1 to {len(protein)}."
        )
