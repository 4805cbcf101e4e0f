"""Predict the rows of a screen again, and tell by column what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from glass_core.errors import InputError
from glass_core.impact.compare import Comparison, Difference, changed, same, tolerance_of
from glass_core.impact.conditions import conditions
from glass_core.impact.provenance import Provenance, provenance
from glass_core.impact.rerun import kept_of
from glass_core.inputs.lists import read_request
from glass_core.models.predictor import Predictor
from glass_core.records import Column
from glass_core.screen.columns import SCREEN_COLUMNS, TOLD_COLUMNS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow, finished_row, first_row
from glass_core.screen.stream import screen

COMPARED = (*TOLD_COLUMNS, "blosum62", "status")
"""Columns that a repetition makes anew."""


@dataclass(frozen=True, eq=False)
class ScreenRerun:
    """A screen's rows made again, in their order, and how they compare to those there were."""

    rows: tuple[ScreenRow, ...]
    comparison: Comparison


def rerun_screen(
    request: ScreenRequest,
    rows: Sequence[ScreenRow],
    *,
    predictor: Predictor,
    progress: Callable[[int], None] | None = None,
) -> ScreenRerun:
    """Predict again what was done of a screen; nothing is remodelled again.

    Parameters
    ----------
    request : ScreenRequest
    rows : sequence of ScreenRow
        Those that are not done stay as they are.
    predictor : Predictor
    progress : callable, optional
        Called with the number of rows done.

    Raises
    ------
    InputError
        No row is done.
    """
    done = [row for row in rows if row.status == "done"]
    if not done:
        raise InputError("the screen has no row that is done; there is nothing to repeat.")
    again = {row.row: row for row in _again(request, done, predictor, progress)}
    pairs = [(row, again[row.row]) for row in done]
    differing = tuple(d for name in COMPARED for d in _differences(name, pairs))
    left_out = sum(row.measured_tm is not None for row in done)
    first = request.proteins[0]
    before = _conditions(done[0], request.made)
    now = _conditions(pairs[0][1], provenance(first, first.sequence, {}))
    comparison = Comparison(
        sum(any(row[name] is not None for row in done) for name in COMPARED),
        differing,
        changed(before, now),
        (f"{left_out} measured rows were predicted again and not remodelled.",) if left_out else (),
        tuple(dict.fromkeys(kept for p in request.proteins for kept in kept_of(p))),
    )
    return ScreenRerun(tuple(again.get(row.row, row) for row in rows), comparison)


def _again(
    request: ScreenRequest,
    done: Sequence[ScreenRow],
    predictor: Predictor,
    progress: Callable[[int], None] | None,
) -> Iterator[ScreenRow]:
    """The rows as a screen makes them; what was given with them and measured is kept."""
    proteins = {p.short_name: p for p in request.proteins}
    tables = {name: predictor.tables(protein) for name, protein in proteins.items()}
    requests = [read_request(row.row, row.variant, proteins[row.protein]) for row in done]
    outcomes = screen(requests, predictor=predictor, progress=progress)
    for row, each, outcome in zip(done, requests, outcomes, strict=True):
        new = finished_row(first_row(each, tables[row.protein], predictor.info), outcome)
        yield replace(
            new,
            given=row.given,
            label=row.label,
            measured_value=row.measured_value,
            measured_tm=row.measured_tm,
            measured_lddt_site=row.measured_lddt_site,
            protocol=row.protocol,
        )


def _differences(name: str, pairs: Sequence[tuple[ScreenRow, ScreenRow]]) -> Iterator[Difference]:
    """The row of a column that differs most, and how many do; no value before is no difference."""
    column = SCREEN_COLUMNS[name]
    tolerance = _tolerance(column)
    beyond = [
        (row, row[name], now[name])
        for row, now in pairs
        if row[name] is not None and not same(row[name], now[name], tolerance)
    ]
    if beyond:
        row, before, now = max(beyond, key=lambda each: _distance(each[1], each[2]))
        others = f", the most of {len(beyond):,} rows" if len(beyond) > 1 else ""
        title = column.title or name
        yield Difference(f"{title} of {row.variant}{others}", before, now, tolerance)


def _tolerance(column: Column) -> float:
    return 0.0 if column.kind == "text" else tolerance_of(column)


def _distance(before: Any, now: Any) -> float:
    if isinstance(before, str) or now is None:
        return float("inf")
    return abs(float(now) - float(before))


def _conditions(row: ScreenRow, made: Provenance | None) -> dict[str, str]:
    """What the screen says of itself, and its rows of the model."""
    return {"model": row.model or "", **({} if made is None else conditions(None, made))}
