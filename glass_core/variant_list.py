"""Many variants at once: typed, from a table, as mutant sequences, or all of a protein."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from glass_core.accession import split_accession
from glass_core.annotation import KnownVariant
from glass_core.change import Change
from glass_core.errors import GlassError, InputError
from glass_core.numbering import Kind
from glass_core.protein import Protein
from glass_core.reading import read_variant, read_variants
from glass_core.records import require
from glass_core.sequence import STANDARD, read_sequences
from glass_core.variant import Variant

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 1_000_000
VARIANT_NAMES = ("variant", "mutant", "mutation", "mut", "hgvs_pro", "hgvsp", "hgvs", "aa_change",
                 "protein_change", "substitution")
PROTEIN_NAMES = ("protein", "protein_id", "protein_name", "uniprot", "accession", "gene", "target")
ENTRY_NAMES = ("name", "id")
"""Name the protein where several are given; elsewhere they often number the rows."""
SCORE_NAMES = ("score", "dms_score", "fitness", "ddg", "measured", "value", "activity")
FIT_NAMES = ("dms_score_bin",)
"""Labels in which 1 means fit: ProteinGym's."""
LABEL_NAMES = ("label", *FIT_NAMES, "clinical_significance", "clinvar", "class",
               "pathogenicity", "pathogenic", "damaging")
_GUESS_ROWS, _GUESS_SHARE = 50, 0.5
_DAMAGING = {"1", "1.0", "true", "yes", "pathogenic", "likely pathogenic", "likely_pathogenic",
             "pathogenic/likely pathogenic", "p", "lp", "damaging", "deleterious", "disease"}
_BINARY = {"0", "0.0", "1", "1.0", "true", "false", "yes", "no"}
_WORD = re.compile(r"(?:[^,;\s\[]*:)?p\.\(?\[[^\]]*\]\)?|[^,;\s]+")
"""One variant of a line; the semicolons of ``p.[Ala1Pro;Asp2Asn]`` do not part it."""
_LOOKS_LIKE_VARIANT = re.compile(r"(p\.)?\(?[A-Za-z]{1,3}\d+([A-Za-z]{1,3}|del|=)\)?")
_HARMLESS = {"0", "0.0", "false", "no", "benign", "likely benign", "likely_benign",
             "benign/likely benign", "b", "lb", "tolerated", "neutral"}


@dataclass(frozen=True, eq=False)
class Asked:
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
    score : float or None
        A measured value that came with it.
    """

    row: int
    text: str
    protein: Protein
    variant: Variant | None
    reason: str = ""
    label: bool | None = None
    score: float | None = None

    def __post_init__(self) -> None:
        require(self.row >= 1, "row", "is 1 or more")
        require((self.variant is None) == bool(self.reason), "reason", "goes with no variant")
        require(
            self.variant is None or self.variant.wild_type == self.protein.sequence,
            "variant", "is of this protein",
        )


@dataclass(frozen=True)
class Columns:
    """Which columns of a table mean what; None where there is none.

    A table without `protein` is about the only protein given. `one_is_fit`: in the label
    column 1 means harmless, as in ProteinGym's.
    """

    variant: str
    protein: str | None = None
    score: str | None = None
    label: str | None = None
    one_is_fit: bool = False


def ask(
    row: int, text: str, protein: Protein, label: bool | None = None, score: float | None = None,
    numbering: Kind = "sequence",
) -> Asked:
    """Read `text` as one variant of `protein`; what cannot be read carries its reason."""
    try:
        variant = read_variant(text, protein, numbering)
    except GlassError as error:
        return Asked(row, text, protein, None, str(error), label, score)
    return Asked(row, text, protein, variant, "", label, score)


def ask_all(
    row: int, text: str, protein: Protein, numbering: Kind = "sequence"
) -> Iterator[Asked]:
    """The variants of a text that may name several at once, in rows from `row`."""
    try:
        variants = read_variants(text, protein, numbering)
    except GlassError as error:
        yield Asked(row, text, protein, None, str(error))
        return
    for place, variant in enumerate(variants):
        yield Asked(row + place, text, protein, variant)


def all_substitutions(
    protein: Protein, first: int = 1, last: int | None = None
) -> Iterator[Asked]:
    """All 19 substitutions of the positions `first` to `last`, 1-based, both included.

    Positions whose residue is none of the 20 are passed over.
    """
    row = 0
    for position, wild in _span(protein, first, last):
        for letter in STANDARD:
            if letter != wild:
                row += 1
                yield ask(row, f"{wild}{position}{letter}", protein)


def alanine_scan(protein: Protein, first: int = 1, last: int | None = None) -> Iterator[Asked]:
    """Every residue of the range to alanine; alanines to glycine."""
    for row, (position, wild) in enumerate(_span(protein, first, last), start=1):
        yield ask(row, f"{wild}{position}{'G' if wild == 'A' else 'A'}", protein)


def known_variants(protein: Protein) -> Iterator[Asked]:
    """The variants that databases list for the protein, in its own positions.

    What they call it clinically is the label where that is clear.
    """
    row = 0
    listed = () if protein.annotation is None else protein.annotation.variants
    for variant in listed:
        change = own_change(protein, variant)
        if change is None:
            continue
        row += 1
        words = {read_label(word) for word in variant.significance.split("/")} - {None}
        yield Asked(row, variant.text, protein, Variant(protein.sequence, (change,)), "",
                    words.pop() if len(words) == 1 else None)


def own_change(protein: Protein, variant: KnownVariant) -> Change | None:
    """A listed variant in the protein's own positions; None where it does not fit."""
    position = protein.position_of_uniprot(variant.start)
    if position is None:
        return None
    if protein.sequence[position - 1 : position - 1 + len(variant.wild)] != variant.wild:
        return None
    if len(variant.wild) == len(protein) and not variant.mutant:
        return None
    return Change(position, variant.wild, variant.mutant)


def scan(
    proteins: Iterable[Protein], make: Callable[[Protein, int, int | None], Iterator[Asked]],
    span: str = "",
) -> Iterator[Asked]:
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
    """``10-60`` or ``42`` as first and last position, 1-based.

    Raises
    ------
    InputError
        No range, or one outside the sequence.
    """
    match = re.fullmatch(r"\s*(\d{1,9})(?:\s*[-:\u2013]\s*(\d{1,9}))?\s*", text)
    if match is None:
        raise InputError(f"range '{text[:40]}': cannot be read; write for example 10-60.")
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    _check_span(protein, first, last)
    return first, last


def from_text(
    text: str, proteins: Sequence[Protein], numbering: Kind = "sequence"
) -> Iterator[Asked]:
    """Variants separated by white space, commas or semicolons; ``A1P:D2N`` is one of two changes.

    ``R175H/Y``, ``175`` and ``170-180`` name several. With several proteins each line begins
    with the name of one; with one it may begin with its accession.
    """
    row = 0
    for line in text.splitlines():
        words = _WORD.findall(line.partition("#")[0])
        if len(words) > 1 and len(proteins) == 1 and split_accession(words[0])[0] is not None:
            words[:2] = [f"{words[0]} {words[1]}"]
        if not words:
            continue
        protein = proteins[0]
        if len(proteins) > 1:
            found = by_name(proteins).get(words[0])
            if found is None:
                row += 1
                yield Asked(row, line.strip()[:80], protein, None,
                            f"'{words[0][:40]}' is the name of no protein; begin the line with "
                            f"{' or '.join(name_of(p) for p in proteins[:3])}.")
                continue
            protein, words = found, words[1:]
        for word in words:
            for one in ask_all(row + 1, word, protein, numbering):
                row = one.row
                yield one


def from_mutants(text: str, protein: Protein) -> Iterator[Asked]:
    """One variant per FASTA record, each a whole mutant sequence."""
    for row, record in enumerate(read_sequences(text, "mutants"), start=1):
        name = record.name or f"sequence {row}"
        try:
            yield Asked(row, name, protein, Variant.from_sequences(protein.sequence,
                                                                   record.residues))
        except GlassError as error:
            yield Asked(row, name, protein, None, str(error))


def read_table(content: bytes, file_name: str) -> pd.DataFrame:
    """A CSV, TSV or Parquet table as text columns.

    Lines before the header that begin with ``#`` are passed over. Where the first line
    itself holds a variant there is no header, and the columns are called ``column 1``, ...

    Raises
    ------
    InputError
        It is none of them, or has too many rows.
    """
    import pandas as pd

    try:
        if file_name.lower().endswith(".parquet"):
            table = pd.read_parquet(io.BytesIO(content))
            if any(table.index.names):
                table = table.reset_index()
        else:
            table = _text_table(content.decode("utf-8-sig"))
    except (ValueError, OSError, csv.Error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{file_name}: is no table that can be read ({reason}); give CSV, TSV or Parquet "
            "with a header."
        ) from error
    if table.empty:
        raise InputError(f"{file_name}: has a header but no rows.")
    if len(table) > MAX_ROWS:
        raise InputError(f"{file_name}: has {len(table):,} rows, more than {MAX_ROWS:,}; split it.")
    return table.rename(columns=str)


def _text_table(text: str) -> pd.DataFrame:
    import pandas as pd

    lines = text.splitlines()
    while lines and (not lines[0].strip() or (
        lines[0].startswith("#") and not _is_header(lines[0])
    )):
        lines.pop(0)
    if not lines:
        raise ValueError("it is empty")
    separator = max("\t,;", key=lines[0].count)
    rows = [row for row in csv.reader(lines, delimiter=separator, strict=True) if any(row)]
    if not rows:
        raise ValueError("it is empty")
    header = [cell.strip() for cell in rows[0]]
    header[0] = header[0].lstrip("# ")
    if any(_LOOKS_LIKE_VARIANT.fullmatch(cell) for cell in header):
        header = [f"column {n}" for n in range(1, len(header) + 1)]
    else:
        rows = rows[1:]
    names: Counter[str] = Counter()
    for place, name in enumerate(header):
        names[name] += 1
        header[place] = name if names[name] == 1 else f"{name}.{names[name]}"
    width = len(header)
    return pd.DataFrame([(row + [""] * width)[:width] for row in rows], columns=header, dtype=str)


def _is_header(line: str) -> bool:
    words = {w.strip().lower() for w in re.split(r"[,;\t]", line.lstrip("# "))}
    return bool(words & {*VARIANT_NAMES, *SCORE_NAMES, *LABEL_NAMES})


def guess_columns(
    table: pd.DataFrame, proteins: Sequence[Protein], numbering: Kind = "sequence"
) -> Columns:
    """Which columns hold what, by their names, else by what can be read as variants.

    Raises
    ------
    InputError
        No column holds variants of the proteins.
    """
    lower = {str(name).lower().strip(): str(name) for name in table.columns}

    def named(names: Sequence[str], taken: set[str]) -> str | None:
        return next((lower[n] for n in names if n in lower and lower[n] not in taken), None)

    readable = {name: _readable(table[name], proteins, numbering) for name in table.columns}
    candidates = [lower[n] for n in VARIANT_NAMES if n in lower] + list(table.columns)
    variant = next((str(c) for c in candidates if readable[c] >= _GUESS_SHARE), None)
    if variant is None:
        variant = max(readable, key=lambda name: readable[name])
        if not readable[variant]:
            raise InputError(
                f"no column holds variants of {name_of(proteins[0])}; name one 'variant' and "
                "write for example R175H."
            )
    taken = {variant}
    score, label = named(SCORE_NAMES, taken), named(LABEL_NAMES, taken)
    several = ENTRY_NAMES if len(proteins) > 1 else ()
    protein = named((*PROTEIN_NAMES, *several), taken)
    return Columns(variant, protein, score, label,
                   label is not None and label.lower().strip() in FIT_NAMES)


def from_table(
    table: pd.DataFrame, columns: Columns, proteins: Sequence[Protein],
    numbering: Kind = "sequence",
) -> Iterator[Asked]:
    """One variant per row of the table.

    With one protein and a column that names several, only the rows of that one are read;
    the others carry their reason.

    Raises
    ------
    InputError
        The table is about several proteins and it cannot be told which rows are meant.
    """
    known = by_name(proteins)
    names = [] if columns.protein is None else [
        str(v).strip() for v in table[columns.protein]
    ]
    if len(proteins) > 1 and columns.protein is None:
        raise InputError(
            "several proteins are given: the table needs a column that names the protein."
        )
    if len(proteins) == 1 and len(set(names)) > 1 and not known.keys() & set(names):
        raise InputError(
            f"column '{columns.protein}' names several proteins, none of them "
            f"'{name_of(proteins[0])}'; give the wild type its name in a FASTA header (>NAME), or "
            "choose no protein column."
        )
    choose = len(set(names)) > 1 or len(proteins) > 1
    for row, values in enumerate(table.to_dict("records"), start=1):
        text = str(values[columns.variant]).strip()
        label = None if columns.label is None else read_label(
            values[columns.label], columns.one_is_fit
        )
        score = None if columns.score is None else _number(values[columns.score])
        protein = proteins[0]
        if choose:
            name = names[row - 1]
            if name not in known:
                yield Asked(row, text, protein, None,
                            f"'{name[:40]}' is the name of no protein given.", label, score)
                continue
            protein = known[name]
        yield ask(row, text, protein, label, score, numbering)


def read_label(value: Any, one_is_fit: bool = False) -> bool | None:
    """Damaging or not, by what such columns hold; None for anything else.

    `one_is_fit` turns numbers and true and false round, not words such as benign.
    """
    word = str(value).strip().lower()
    if word not in _DAMAGING | _HARMLESS:
        return None
    return (word in _DAMAGING) != (one_is_fit and word in _BINARY)


def counts(asked: Iterable[Asked]) -> Mapping[str, int]:
    """How many were ``accepted`` and how many ``rejected``."""
    made = {"accepted": 0, "rejected": 0}
    for one in asked:
        made["rejected" if one.variant is None else "accepted"] += 1
    return made


def name_of(protein: Protein) -> str:
    """The first word of its name, as FASTA ids go."""
    return protein.name.split()[0] if protein.name.strip() else "protein"


def by_name(proteins: Sequence[Protein]) -> dict[str, Protein]:
    """Proteins by whole name and by first word.

    Raises
    ------
    InputError
        Two proteins have one name.
    """
    names: dict[str, Protein] = {}
    for protein in proteins:
        for name in {protein.name, name_of(protein)}:
            if names.get(name, protein) is not protein:
                raise InputError(f"two proteins are called '{name}'; give each its own name.")
            names[name] = protein
    return names


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


def _readable(column: pd.Series, proteins: Sequence[Protein], numbering: Kind) -> float:
    """Share of a column's first values that are variants of one of the proteins."""
    words = [str(w).strip() for w in column.iloc[:_GUESS_ROWS]]
    fits = [
        any(ask(1, word, protein, numbering=numbering).variant for protein in proteins)
        for word in words if word
    ]
    return sum(fits) / max(len(words), 1)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None
