"""What the columns of a table of variants mean, guessed or chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from glass_core.errors import InputError
from glass_core.inputs.cells import Cells, TableRow, read_labels, read_numbers
from glass_core.inputs.lists import Asked, VariantRequest, read_request
from glass_core.inputs.proteins import proteins_by_name
from glass_core.inputs.reading import Count
from glass_core.inputs.table import (
    ALTERNATIVES,
    ENTRY_NAMES,
    FIT_NAMES,
    LABEL_NAMES,
    MEASURED_NAMES,
    PROTEIN_NAMES,
    VARIANT_NAMES,
    plain_name,
)
from glass_core.protein.notation import is_change
from glass_core.protein.protein import Protein
from glass_core.protein.written import take_apart

if TYPE_CHECKING:
    import pandas as pd

NO_COLUMN = "none"
"""Given in place of a column's name: the table has no such column."""
_GUESS_ROWS, _GUESS_SHARE = 50, 0.5
_NAMED_ROWS = 1000
_ROW_IDS = "urn:mavedb:"


@dataclass(frozen=True)
class Columns:
    """Which columns of a table mean what; None where there is none.

    A table without `protein` is about the only protein given, or its variants name the
    sequence they are of. `measured_value`: the user's own figures, to compare scores with.
    `one_is_fit`: in the label column 1 means harmless, as in ProteinGym's. `label_words`: what
    entries of it mean by their user, see `labels.read_label`.
    """

    variant: str
    protein: str | None = None
    measured_value: str | None = None
    label: str | None = None
    one_is_fit: bool = False
    label_words: tuple[tuple[str, bool | None], ...] = ()


@dataclass(frozen=True)
class ColumnChoice:
    """Columns that a user names in place of the guess; None leaves it, `NO_COLUMN` is none."""

    variant: str | None = None
    protein: str | None = None
    measured_value: str | None = None
    label: str | None = None
    one_is_fit: bool | None = None
    label_words: tuple[tuple[str, bool | None], ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that were named."""
        fields = (self.variant, self.protein, self.measured_value, self.label)
        return tuple(name for name in fields if name not in (None, NO_COLUMN))

    def __bool__(self) -> bool:
        return self != NO_CHOICE

    def over(self, guessed: Columns) -> Columns:
        """The guess with what was named put in."""

        def put(named: str | None, guess: str | None) -> str | None:
            return guess if named is None else None if named == NO_COLUMN else named

        label = put(self.label, guessed.label)
        return Columns(
            self.variant or guessed.variant,
            put(self.protein, guessed.protein),
            put(self.measured_value, guessed.measured_value),
            label,
            _is_fit(label) if self.one_is_fit is None else self.one_is_fit,
            self.label_words,
        )


NO_CHOICE = ColumnChoice()


def choose_columns(
    table: pd.DataFrame,
    name: str,
    proteins: Sequence[Protein],
    numbering: Count | None = None,
    named: ColumnChoice = NO_CHOICE,
) -> Columns:
    """The columns that were named, the others as guessed.

    Raises
    ------
    InputError
        The table has no such column, or none with variants.
    """
    for column in named.named:
        if column not in table.columns:
            raise InputError(
                f"{name}: has no column '{column}'; it has {', '.join(table.columns)}."
            )
    return named.over(guess_columns(table, proteins, numbering, named.variant))


def guess_columns(
    table: pd.DataFrame,
    proteins: Sequence[Protein],
    numbering: Count | None = None,
    variant: str | None = None,
) -> Columns:
    """Which columns hold what, by their names, else by what can be read as variants.

    Where no variant fits a protein, what is written like variants counts: they may be numbered
    otherwise, see `proposals.list_proposals`.

    `variant`: that column where it is known, so that no other means anything else.

    Raises
    ------
    InputError
        No column holds variants.
    """
    headings: dict[str, str] = {}
    for name in table.columns:
        headings.setdefault(plain_name(str(name)), str(name))

    def named(names: Sequence[str], taken: set[str]) -> list[str]:
        return [headings[n] for n in names if n in headings and headings[n] not in taken]

    if variant is None:
        candidates = [*named(VARIANT_NAMES, set()), *map(str, table.columns)]
        variant = _guess_variant(table, candidates, proteins, numbering)
    taken = {variant}
    measured = next(iter(named(MEASURED_NAMES, taken)), None)
    label = next(iter(named(LABEL_NAMES, taken)), None)
    several = ENTRY_NAMES if len(proteins) > 1 else ()
    protein = _guess_protein(table, named((*PROTEIN_NAMES, *several), taken), proteins)
    return Columns(variant, protein, measured, label, _is_fit(label))


def _guess_variant(
    table: pd.DataFrame,
    candidates: Sequence[str],
    proteins: Sequence[Protein],
    numbering: Count | None,
) -> str:
    """The column of variants: most of which can be read, else are written like variants."""
    readable = {name: _readable(table[name], proteins, numbering) for name in candidates}
    alike = {name: _written_like_variants(table[name]) for name in candidates}
    for share in (readable, alike):
        best = next((name for name in candidates if share[name] >= _GUESS_SHARE), None)
        if best is not None:
            return best
    best = max(candidates, key=lambda name: (readable[name], alike[name]))
    if not readable[best] and not alike[best]:
        raise InputError(
            f"no column holds variants of {proteins[0].short_name}; name one 'variant' "
            "and write for example R175H."
        )
    return best


def from_table(
    table: pd.DataFrame,
    columns: Columns,
    proteins: Sequence[Protein],
    numbering: Count | None = None,
) -> Asked:
    """One variant per row of the table, with all cells of the row as its own.

    With one protein and a column that names several, only the rows of that one are read;
    the others carry their reason.

    Raises
    ------
    InputError
        The table is about several proteins and it cannot be told which rows are meant.
    """
    texts = [str(value).strip() for value in table[columns.variant]]
    names = _owner_names(table, columns, texts, proteins)
    labels = read_labels(table, columns.label, columns.one_is_fit, dict(columns.label_words))
    measured = read_numbers(table, columns.measured_value)
    notes = [_said(columns), *labels.notes, *measured.notes]
    if _alternatives(columns) and any("," in text for text in texts):
        notes.append(
            f"Of several isoforms' numbers in '{columns.variant}' those that fit were read."
        )
    requests = _requests(texts, names, labels, measured, columns, proteins, numbering)
    own = {str(name): table[name].tolist() for name in table.columns}
    rows = (replace(one, own=TableRow(own, place)) for place, one in enumerate(requests))
    return Asked(rows, tuple(notes))


def _requests(
    texts: Sequence[str],
    names: Sequence[str] | None,
    labels: Cells[bool],
    measured: Cells[float],
    columns: Columns,
    proteins: Sequence[Protein],
    numbering: Count | None,
) -> Iterator[VariantRequest]:
    owners = proteins_by_name(proteins)
    for row, text in enumerate(texts, start=1):
        beside = (labels.values[row - 1], measured.values[row - 1])
        owner = proteins[0] if names is None else owners.get(names[row - 1])
        if owner is None:
            name = names[row - 1][:40] if names is not None else ""
            reason = f"'{name}' is the name of no protein given."
            yield VariantRequest(row, text, proteins[0], None, reason, *beside)
        elif _alternatives(columns) and "," in text:
            yield _one_of(row, text, owner, *beside, numbering)
        else:
            yield read_request(row, text, owner, *beside, numbering)


def _one_of(
    row: int,
    text: str,
    protein: Protein,
    label: bool | None,
    measured_value: float | None,
    numbering: Count | None,
) -> VariantRequest:
    """The one of several isoforms' notations of a variant that fits the protein."""
    read = [
        read_request(row, word.strip(), protein, label, measured_value, numbering)
        for word in text.split(",")
    ]
    fitting = {one.variant.text: one for one in read if one.variant is not None}
    if len(fitting) == 1:
        return replace(next(iter(fitting.values())), text=text)
    which = " and ".join(fitting) or "none"
    reason = (
        f"is told in several isoforms' numbers, of which {which} fit(s) the sequence; give the "
        "column with the whole name, such as p.Arg175His."
    )
    return VariantRequest(row, text, protein, None, reason, label, measured_value)


def _owner_names(
    table: pd.DataFrame, columns: Columns, texts: Sequence[str], proteins: Sequence[Protein]
) -> list[str] | None:
    """The name of each row's protein; None where all rows are about the only one."""
    owners = proteins_by_name(proteins)
    if columns.protein is not None:
        names = [str(value).strip() for value in table[columns.protein]]
        where = f"column '{columns.protein}' names"
    else:
        names = [take_apart(text).reference for text in texts]
        where = f"the variants in column '{columns.variant}' are of"
        if len(proteins) > 1 and not owners.keys() & set(names):
            raise InputError(
                "several proteins are given: the table needs a column that names the protein."
            )
    distinct = {name for name in names if name}
    if len(proteins) == 1 and len(distinct) > 1 and not owners.keys() & distinct:
        raise InputError(
            f"{where} several proteins, none of them '{proteins[0].short_name}'; give the wild "
            "type its name in a FASTA header (>NAME), or choose no protein column."
        )
    return names if len(distinct) > 1 or len(proteins) > 1 else None


def _guess_protein(
    table: pd.DataFrame, candidates: Sequence[str], proteins: Sequence[Protein]
) -> str | None:
    """The column that names proteins: one with a name of those given, else one that repeats."""
    owners = proteins_by_name(proteins)
    values = {c: [str(v).strip() for v in table[c].iloc[:_NAMED_ROWS]] for c in candidates}
    matching = [c for c in candidates if owners.keys() & set(values[c])]
    naming = [
        c
        for c in candidates
        if not any(v.startswith(_ROW_IDS) for v in values[c])
        and (len(values[c]) == 1 or len(set(values[c])) < len(values[c]))
    ]
    return next(iter([*matching, *naming]), None)


def _readable(column: pd.Series, proteins: Sequence[Protein], numbering: Count | None) -> float:
    """Share of a column's first values that are variants of one of the proteins."""
    words = [str(w).strip() for w in column.iloc[:_GUESS_ROWS]]
    fits = [
        any(read_request(1, word, protein, numbering=numbering).variant for protein in proteins)
        for word in words
        if word
    ]
    return sum(fits) / max(len(words), 1)


def _written_like_variants(column: pd.Series) -> float:
    """Share of a column's first values that have the form of a change, whatever the protein."""
    words = [str(word).strip() for word in column.iloc[:_GUESS_ROWS]]
    alike = [all(map(is_change, re.split(r"[:;,]", take_apart(w).variant))) for w in words if w]
    return sum(alike) / max(len(words), 1)


def _alternatives(columns: Columns) -> bool:
    """Whether a cell of the column of variants tells one in several isoforms' numbers."""
    return plain_name(columns.variant) in ALTERNATIVES


def _is_fit(label: str | None) -> bool:
    return label is not None and plain_name(label) in FIT_NAMES


def _said(columns: Columns) -> str:
    """Which columns were read as what, in a sentence."""
    parts = [
        f"{what} from '{column}'"
        for what, column in (
            ("variants", columns.variant),
            ("measured values", columns.measured_value),
            ("labels", columns.label),
            ("proteins", columns.protein),
        )
        if column is not None
    ]
    return f"Read {', '.join(parts)}."
