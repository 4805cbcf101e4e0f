"""What the columns of a table of variants mean, guessed or chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glass_core.errors import InputError
from glass_core.inputs.labels import read_label
from glass_core.inputs.lists import VariantRequest, read_request
from glass_core.inputs.proteins import proteins_by_name
from glass_core.inputs.table import (
    ENTRY_NAMES,
    FIT_NAMES,
    LABEL_NAMES,
    MEASURED_NAMES,
    PROTEIN_NAMES,
    VARIANT_NAMES,
)
from glass_core.protein.numbering import NumberingKind
from glass_core.protein.protein import Protein

if TYPE_CHECKING:
    import pandas as pd

_GUESS_ROWS, _GUESS_SHARE = 50, 0.5


@dataclass(frozen=True)
class Columns:
    """Which columns of a table mean what; None where there is none.

    A table without `protein` is about the only protein given. `measured_value`: the user's
    own figures, to compare scores with. `one_is_fit`: in the label column 1 means harmless,
    as in ProteinGym's.
    """

    variant: str
    protein: str | None = None
    measured_value: str | None = None
    label: str | None = None
    one_is_fit: bool = False


def guess_columns(
    table: pd.DataFrame, proteins: Sequence[Protein], numbering: NumberingKind = "sequence"
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
    measured, label = named(MEASURED_NAMES, taken), named(LABEL_NAMES, taken)
    several = ENTRY_NAMES if len(proteins) > 1 else ()
    protein = named((*PROTEIN_NAMES, *several), taken)
    return Columns(
        variant, protein, measured, label, label is not None and label.lower().strip() in FIT_NAMES
    )


def from_table(
    table: pd.DataFrame,
    columns: Columns,
    proteins: Sequence[Protein],
    numbering: NumberingKind = "sequence",
) -> Iterator[VariantRequest]:
    """One variant per row of the table.

    With one protein and a column that names several, only the rows of that one are read;
    the others carry their reason.

    Raises
    ------
    InputError
        The table is about several proteins and it cannot be told which rows are meant.
    """
    owners = proteins_by_name(proteins)
    names = [] if columns.protein is None else [str(v).strip() for v in table[columns.protein]]
    if len(proteins) > 1 and columns.protein is None:
        raise InputError(
            "several proteins are given: the table needs a column that names the protein."
        )
    if len(proteins) == 1 and len(set(names)) > 1 and not owners.keys() & set(names):
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
        column = columns.measured_value
        measured = None if column is None else _number(values[column])
        owner = owners.get(names[row - 1]) if choose else proteins[0]
        if owner is None:
            reason = f"'{names[row - 1][:40]}' is the name of no protein given."
            yield VariantRequest(row, text, proteins[0], None, reason, label, measured)
        else:
            yield read_request(row, text, owner, label, measured, numbering)


def _readable(column: pd.Series, proteins: Sequence[Protein], numbering: NumberingKind) -> float:
    """Share of a column's first values that are variants of one of the proteins."""
    words = [str(w).strip() for w in column.iloc[:_GUESS_ROWS]]
    fits = [
        any(read_request(1, word, protein, numbering=numbering).variant for protein in proteins)
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
