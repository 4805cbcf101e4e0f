"""Whole columns of numbers and labels, and what is to be said of those that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from glass_core.errors import shown
from glass_core.inputs.labels import NOTHING, LabelWord, label_words, read_label

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Cell = str | int | float | bool | None
"""What a cell of a table holds; None = no value."""
_NAMED_WORDS = 6
"""Words of labels that are named in a note."""
_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")


@dataclass(frozen=True)
class Cells(Generic[T]):
    """The values of a column, None where a row has none, and notes about it."""

    values: Sequence[T | None]
    notes: tuple[str, ...] = ()


def read_numbers(table: pd.DataFrame, column: str | None) -> Cells[float]:
    """A column of numbers, with points or commas before their decimals.

    Commas are decimal where every number has at most one and no point, unless all of them
    could part thousands.
    """
    if column is None:
        return Cells([None] * len(table))
    words = [str(value).strip() for value in table[column]]
    with_comma = [word for word in words if "," in word]
    decimal = (
        bool(with_comma)
        and all(_COMMA.fullmatch(word) for word in with_comma)
        and not all(_THOUSANDS.fullmatch(word) for word in with_comma)
        and not any("." in word for word in words)
    )
    values = [_number(word.replace(",", ".") if decimal else word) for word in words]
    notes = ["Read the commas of column '" + column + "' as decimal points."] if decimal else []
    return Cells(values, (*notes, *_unread(column, words, values, "a number")))


def read_labels(
    table: pd.DataFrame,
    column: str | None,
    one_is_fit: bool,
    assigned: Mapping[str, bool | None] | None = None,
) -> Cells[bool]:
    """A column of labels, see `labels.read_label`; the note tells how each word was read."""
    if column is None:
        return Cells([None] * len(table))
    words = [str(value).strip() for value in table[column]]
    values = [read_label(word, one_is_fit, assigned) for word in words]
    return Cells(values, _labels_said(column, label_words(words, one_is_fit, assigned)))


def _labels_said(column: str, words: Sequence[LabelWord]) -> tuple[str, ...]:
    """How the words of a column of labels were read, with how often they stand there."""
    if not words:
        return (f"Column '{column}' is empty.",)
    told = [
        f"as {what}: {_counted(read)}"
        for what, damaging in (("damaging", True), ("tolerated", False))
        if (read := [word for word in words if word.damaging is damaging])
    ]
    left = [word for word in words if word.damaging is None]
    notes = [f"Labels of '{column}' read {', '.join(told)}."] if told else []
    if left:
        notes.append(f"Labels of '{column}' left out, for they are not known: {_counted(left)}.")
    return tuple(notes)


def _counted(words: Sequence[LabelWord]) -> str:
    """The commonest words, with how many rows have each."""
    named = [f"'{shown(word.word, 30)}' ({word.rows:,})" for word in words[:_NAMED_WORDS]]
    more = [f"and {len(words) - _NAMED_WORDS:,} more"] if len(words) > _NAMED_WORDS else []
    return ", ".join([*named, *more])


@dataclass(frozen=True, eq=False)
class TableRow(Mapping[str, Cell]):
    """One row of a table by its columns, read when it is asked for.

    Attributes
    ----------
    columns : mapping
        All values of the table, by column.
    index : int
        0-based.
    """

    columns: Mapping[str, Sequence[Any]]
    index: int

    def __getitem__(self, column: str) -> Cell:
        return plain_cell(self.columns[column][self.index])

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


def plain_cell(value: Any) -> Cell:
    """A value of a table as text, a number or a truth value; None where there is none."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    if plain is None or isinstance(plain, (str, int)):
        return plain
    if isinstance(plain, float) and abs(plain) < float("inf"):
        return plain
    text = str(plain)
    return None if text.lower() in NOTHING | {"nat"} else text


def _unread(
    column: str, words: Sequence[str], values: Sequence[object], kind: str
) -> tuple[str, ...]:
    """A sentence about the cells that say something else; () where there are none."""
    told = [word for word in words if word.lower() not in NOTHING]
    bad = [
        word
        for word, value in zip(words, values, strict=True)
        if value is None and word.lower() not in NOTHING
    ]
    if not told:
        return (f"Column '{column}' is empty.",)
    if not bad:
        return ()
    which = "None" if len(bad) == len(told) else f"{len(told) - len(bad):,}"
    return (
        f"{which} of the {len(told):,} entries of column '{column}' could be read as {kind}; "
        f"'{shown(bad[0], 30)}' could not.",
    )


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
