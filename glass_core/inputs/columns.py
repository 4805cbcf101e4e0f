"""What the columns of a table of variants mean, guessed or chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glass_core.errors import InputError
from glass_core.inputs.labels import read_label
from glass_core.inputs.lists import Asked, ask
from glass_core.inputs.proteins import by_name
from glass_core.inputs.table import (
    ENTRY_NAMES,
    FIT_NAMES,
    LABEL_NAMES,
    PROTEIN_NAMES,
    SCORE_NAMES,
    VARIANT_NAMES,
)
from glass_core.protein.numbering import Kind
from glass_core.protein.protein import Protein

if TYPE_CHECKING:
    import pandas as pd

_GUESS_ROWS, _GUESS_SHARE = 50, 0.5


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
                f"no column holds variants of {proteins[0].short_name}; name one 'variant' and "
                "write for example R175H."
            )
    taken = {variant}
    score, label = named(SCORE_NAMES, taken), named(LABEL_NAMES, taken)
    several = ENTRY_NAMES if len(proteins) > 1 else ()
    protein = named((*PROTEIN_NAMES, *several), taken)
    return Columns(
        variant, protein, score, label, label is not None and label.lower().strip() in FIT_NAMES
    )


def from_table(
    table: pd.DataFrame, columns: Columns, proteins: Sequence[Protein], numbering: Kind = "sequence"
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
    names = [] if columns.protein is None else [str(v).strip() for v in table[columns.protein]]
    if len(proteins) > 1 and columns.protein is None:
        raise InputError(
            "several proteins are given: the table needs a column that names the protein."
        )
    if len(proteins) == 1 and len(set(names)) > 1 and not known.keys() & set(names):
        raise InputError(
            f"column '{columns.protein}' names several proteins, none of them "
            f"'{proteins[0].short_name}'; give the wild type its name in a FASTA header "
            "(>NAME), or choose no protein column."
        )
    choose = len(set(names)) > 1 or len(proteins) > 1
    for row, values in enumerate(table.to_dict("records"), start=1):
        text = str(values[columns.variant]).strip()
        label = (
            None if columns.label is None else read_label(values[columns.label], columns.one_is_fit)
        )
        score = None if columns.score is None else _number(values[columns.score])
        protein = proteins[0]
        if choose:
            name = names[row - 1]
            if name not in known:
                yield Asked(
                    row,
                    text,
                    protein,
                    None,
                    f"'{name[:40]}' is the name of no protein given.",
                    label,
                    score,
                )
                continue
            protein = known[name]
        yield ask(row, text, protein, label, score, numbering)


def _readable(column: pd.Series, proteins: Sequence[Protein], numbering: Kind) -> float:
    """Share of a column's first values that are variants of one of the proteins."""
    words = [str(w).strip() for w in column.iloc[:_GUESS_ROWS]]
    fits = [
        any(ask(1, word, protein, numbering=numbering).variant for protein in proteins)
        for word in words
        if word
    ]
    return sum(fits) / max(len(words), 1)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None
