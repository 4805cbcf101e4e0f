"""What is told of a run, and which of its rows to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from glass_core.errors import InputError
from glass_core.screen.columns import RANKINGS, SCREEN_COLUMNS

RunKind = Literal["screen", "impact"]

RunState = Literal["preparing", "waiting", "running", "done", "cancelled", "failed"]


@dataclass(frozen=True)
class Run:
    """What is known of a run without its rows.

    Attributes
    ----------
    counts : mapping
        Rows per status.
    study : str or None
        The study it belongs to.
    verdict : str
        Of an analysis, its headline; '' of a screen.
    variant : str
        Of an analysis, in the numbers its user counts by.
    chance, ddg : float or None
        Of being damaging, and in kcal/mol; None where they were not predicted.
    measured : bool
        Whether the mutant's structure was measured.
    star : bool
    note : str
        The user's own.
    """

    id: str
    kind: RunKind
    name: str
    created: str
    state: RunState
    error: str
    counts: Mapping[str, int]
    study: str | None = None
    verdict: str = ""
    variant: str = ""
    chance: float | None = None
    ddg: float | None = None
    measured: bool = False
    star: bool = False
    note: str = ""

    @property
    def total(self) -> int:
        """Number of rows."""
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """Rows still to be done."""
        return self.counts.get("waiting", 0)


def run_of(row: Mapping[str, Any], counts: Mapping[str, int]) -> Run:
    """From a row of the table of runs."""
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118  (a row is no mapping)
    values |= {name: bool(values[name]) for name in ("measured", "star")}
    return Run(**values, counts=counts)


@dataclass(frozen=True)
class View:
    """Which rows to see, in which order.

    Attributes
    ----------
    order : str
        A column or one of `RANKINGS`.
    search : str
        Only variants that contain this, as their user counts or by sequence position.
    at_least : float or None
        Only rows whose `order` is at least this.
    status : str or None
    readable : bool
        Only rows that were not rejected.
    row : int or None
        Only this one.
    offset, limit : int
    """

    order: str = "row"
    descending: bool = False
    search: str = ""
    at_least: float | None = None
    status: str | None = None
    readable: bool = False
    row: int | None = None
    offset: int = 0
    limit: int | None = None

    def where(self) -> tuple[str, list[Any]]:
        """SQL condition and its values."""
        parts, values = ["run = ?"], list[Any]()
        if self.search:
            parts.append("instr(upper(variant || ' ' || coalesce(written, '')), upper(?)) > 0")
            values.append(self.search)
        if self.at_least is not None:
            parts.append(f"{self.expression} >= ?")
            values.append(self.at_least)
        if self.row is not None:
            parts.append('"row" = ?')
            values.append(self.row)
        if self.readable:
            parts.append("status != 'rejected'")
        if self.status:
            parts.append("status = ?")
            values.append(self.status)
        return " AND ".join(parts), values

    @property
    def expression(self) -> str:
        """What is sorted and compared, as SQL."""
        if self.order in RANKINGS:
            return RANKINGS[self.order].sql
        if self.order not in SCREEN_COLUMNS:
            raise InputError(f"order '{self.order}': is no column; see the data dictionary.")
        return f'"{self.order}"'
