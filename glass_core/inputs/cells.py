"""Whole columns of numbers and labels, and what is to be said of those that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from glass_core.errors import shown
from glass_core.inputs.labels import read_label

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
_NOTHING = {"", "na", "nan", "none", "null", "n/a", "-", "--", ".", "?", "<na>"}
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


def read_labels(table: pd.DataFrame, column: str | None, one_is_fit: bool) -> Cells[bool]:
    """A column of labels, see `labels.read_label`."""
    if column is None:
        return Cells([None] * len(table))
    words = [str(value).strip() for value in table[column]]
    values = [read_label(word, one_is_fit) for word in words]
    return Cells(values, _unread(column, words, values, "damaging or harmless"))


def _unread(
    column: str, words: Sequence[str], values: Sequence[object], kind: str
) -> tuple[str, ...]:
    """A sentence about the cells that say something else; () where there are none."""
    told = [word for word in words if word.lower() not in _NOTHING]
    bad = [
        word
        for word, value in zip(words, values, strict=True)
        if value is None and word.lower() not in _NOTHING
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
