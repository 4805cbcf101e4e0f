"""Many variants at once: typed, from a table, as mutant sequences, or all of a protein."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glass_core.errors import GlassError, InputError
from glass_core.protein import Protein
from glass_core.records import require
from glass_core.sequence import STANDARD, read_sequences
from glass_core.variant import Variant

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 1_000_000
VARIANT_NAMES = ("variant", "mutant", "mutation", "mut", "hgvs_pro", "hgvsp", "hgvs", "aa_change",
                 "protein_change", "substitution")
PROTEIN_NAMES = ("protein", "protein_id", "protein_name", "uniprot", "accession", "gene", "target",
                 "name", "id")
SCORE_NAMES = ("score", "dms_score", "fitness", "ddg", "measured", "value", "activity")
LABEL_NAMES = ("label", "dms_score_bin", "clinical_significance", "clinvar", "class",
               "pathogenicity", "pathogenic", "damaging")
_GUESS_ROWS, _GUESS_SHARE = 50, 0.5
_DAMAGING = {"1", "1.0", "true", "yes", "pathogenic", "likely pathogenic", "likely_pathogenic",
             "pathogenic/likely pathogenic", "p", "lp", "damaging", "deleterious", "disease"}
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

    A table without `protein` is about the only protein given.
    """

    variant: str
    protein: str | None = None
    score: str | None = None
    label: str | None = None


def ask(
    row: int, text: str, protein: Protein, label: bool | None = None, score: float | None = None
) -> Asked:
    """Read `text` as a variant of `protein`; what cannot be read carries its reason."""
    try:
        return Asked(row, text, protein, Variant.parse(text, protein.sequence), "", label, score)
    except GlassError as error:
        return Asked(row, text, protein, None, str(error), label, score)


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


def from_text(text: str, proteins: Sequence[Protein]) -> Iterator[Asked]:
    """Variants separated by white space, commas or semicolons; ``A1P:D2N`` is one of two changes.

    With several proteins each line begins with the name of one.
    """
    row = 0
    for line in text.splitlines():
        words = [word for word in re.split(r"[,;\s]+", line.partition("#")[0].strip()) if word]
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
            row += 1
            yield ask(row, word, protein)


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

    Raises
    ------
    InputError
        It is none of them, or has too many rows.
    """
    import pandas as pd

    try:
        if file_name.lower().endswith(".parquet"):
            table = pd.read_parquet(io.BytesIO(content))
        else:
            text = content.decode("utf-8-sig")
            head = text.split("\n", 1)[0]
            separator = max("\t,;", key=head.count)
            table = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, comment="#",
                                keep_default_na=False)
    except (ValueError, OSError, UnicodeDecodeError) as error:
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


def guess_columns(table: pd.DataFrame, proteins: Sequence[Protein]) -> Columns:
    """Which columns hold what, by their names, else by what can be read as variants.

    Raises
    ------
    InputError
        No column holds variants of the proteins.
    """
    lower = {str(name).lower().strip(): str(name) for name in table.columns}

    def named(names: Sequence[str], taken: set[str]) -> str | None:
        return next((lower[n] for n in names if n in lower and lower[n] not in taken), None)

    readable = {name: _readable(table[name], proteins) for name in table.columns}
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
    protein = named(PROTEIN_NAMES, taken) if len(proteins) > 1 else None
    return Columns(variant, protein, score, label)


def from_table(
    table: pd.DataFrame, columns: Columns, proteins: Sequence[Protein]
) -> Iterator[Asked]:
    """One variant per row of the table."""
    known = by_name(proteins)
    for row, values in enumerate(table.to_dict("records"), start=1):
        text = str(values[columns.variant]).strip()
        label = None if columns.label is None else read_label(values[columns.label])
        score = None if columns.score is None else _number(values[columns.score])
        protein = proteins[0]
        if len(proteins) > 1:
            if columns.protein is None:
                raise InputError(
                    "several proteins are given: the table needs a column that names the protein."
                )
            name = str(values[columns.protein]).strip()
            if name not in known:
                yield Asked(row, text, protein, None,
                            f"'{name[:40]}' is the name of no protein given.", label, score)
                continue
            protein = known[name]
        yield ask(row, text, protein, label, score)


def read_label(value: Any) -> bool | None:
    """Damaging or not, by what such columns hold; None for anything else."""
    word = str(value).strip().lower()
    if word in _DAMAGING:
        return True
    return False if word in _HARMLESS else None


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


def _readable(column: pd.Series, proteins: Sequence[Protein]) -> float:
    """Share of a column's first values that are variants of one of the proteins."""
    words = [str(w).strip() for w in column.iloc[:_GUESS_ROWS]]
    fits = [any(ask(1, word, protein).variant for protein in proteins) for word in words if word]
    return sum(fits) / max(len(words), 1)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None
