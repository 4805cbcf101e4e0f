"""Runs: every analysis and every screen, kept in one SQLite file, written as it goes.

A run has an id that cannot be guessed. Its rows are written in transactions, so a killed
process leaves a valid run that can be taken up where it was. Safe to use from several
threads and processes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from glass_core.errors import InputError, RunError
from glass_core.impact.answer import leading_chance
from glass_core.impact.as_json import from_json, to_json
from glass_core.impact.record import Impact
from glass_core.inputs.cells import Cell
from glass_core.protein.protein import Protein
from glass_core.report.impact.verdict import verdict
from glass_core.runs.database import OWN, Database, new_id, now
from glass_core.runs.studies import Studies
from glass_core.runs.view import Run, RunKind, RunState, View, run_of
from glass_core.screen.columns import SCREEN_COLUMNS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow, row_of

MAX_NAME, MAX_NOTE = 120, 2_000
_RUN_FIELDS = (
    "id, kind, name, created, state, error, study, verdict, variant, chance, ddg, measured, star, "
    "note"
)
_BATCH = 5000
"""Rows of one transaction: others can write in between."""


class RunStore:
    """Keeps runs in the SQLite file `path`, made on first use.

    Parameters
    ----------
    path : Path
    connect : callable
        Opens the file, as `sqlite3.connect`.
    """

    def __init__(
        self, path: Path, connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    ) -> None:
        self._database = Database(path, connect)
        self.path = self._database.path
        self.studies = Studies(self._database)

    def create(
        self, inputs: ScreenRequest, rows: Iterable[ScreenRow], name: str = "", digest: str = ""
    ) -> str:
        """A new screen with its rows, all or none; returns its id.

        `digest` stands for what was asked; see `find`. Until all rows are there the
        run's state is ``preparing``.
        """
        run, source = new_id(), iter(rows)
        with self._database.open() as db:
            self._insert_run(
                db, run, "screen", name or inputs.source, "preparing", inputs.to_json(), digest
            )
        try:
            while batch := list(islice(source, _BATCH)):
                self.write(run, batch)
            self.set_state(run, "waiting")
        except BaseException:
            self.delete(run)
            raise
        return run

    def find(self, digest: str) -> Run | None:
        """The newest run that was made with `digest` and has all its rows."""
        found = self._runs(
            "WHERE digest = ? AND state != 'preparing' ORDER BY created DESC, id LIMIT 1", (digest,)
        )
        return next(iter(found), None)

    def keep_impact(
        self, impact: Impact, name: str = "", run: str | None = None, study: str | None = None
    ) -> str:
        """A finished analysis of one variant; returns its id, `run` where that is given.

        A run that is there already, such as a prediction that was measured since, gets the new
        analysis and keeps its star, its note and its study.

        Parameters
        ----------
        study : str, optional
            Of which protein it is; see `studies`.
        """
        run, content = run or new_id(), to_json(impact)
        told = impact.prediction.told
        values = (
            verdict(impact).headline,
            impact.written,
            leading_chance(told),
            told.get("ddg"),
            int(impact.measured),
        )
        with self._database.open() as db:
            there = db.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone()
            if there is None:
                self._insert_run(db, run, "impact", name or _impact_name(impact), "done", "{}")
                db.execute("UPDATE runs SET study = ? WHERE id = ?", (study, run))
            db.execute(
                "UPDATE runs SET verdict = ?, variant = ?, chance = ?, ddg = ?, measured = ? "
                "WHERE id = ?",
                (*values, run),
            )
            db.execute("INSERT OR REPLACE INTO impacts VALUES (?, ?)", (run, content))
        return run

    def impact(self, run: str, protein: Protein | None = None) -> Impact | None:
        """The analysis of a run of kind impact; None when there is none.

        `protein` takes the place of the equal one that is kept with it: what is known of it
        already, such as its tables, need not be found again.
        """
        with self._database.open() as db:
            row = db.execute("SELECT content FROM impacts WHERE run = ?", (run,)).fetchone()
        if row is None:
            return None
        impact = from_json(row["content"])
        return impact if protein is None else replace(impact, protein=protein)

    def get(self, run: str) -> Run | None:
        """The run, None when it is not known."""
        return next(iter(self._runs("WHERE id = ?", (run,))), None)

    def newest(self, limit: int = 200, search: str = "") -> list[Run]:
        """The newest runs first; with `search` those whose name, verdict or note has it."""
        if not search.strip():
            return self._runs("ORDER BY created DESC, id LIMIT ?", (limit,))
        return self._runs(
            "WHERE instr(lower(name || ' ' || verdict || ' ' || note), lower(?)) > 0 "
            "ORDER BY created DESC, id LIMIT ?",
            (search.strip(), limit),
        )

    def of_study(self, study: str) -> list[Run]:
        """All that was done with the protein of a study, the oldest first."""
        return self._runs("WHERE study = ? ORDER BY created, id", (study,))

    def inputs(self, run: str) -> ScreenRequest:
        """What a screen was asked to do.

        Raises
        ------
        RunError
            The run is not known, or cannot be read.
        """
        with self._database.open() as db:
            row = db.execute(
                "SELECT inputs FROM runs WHERE id = ? AND kind = 'screen'", (run,)
            ).fetchone()
        if row is None:
            raise RunError(f"run '{run[:40]}': is not known here; it may have been deleted.")
        try:
            return ScreenRequest.from_json(row["inputs"])
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"run '{run[:40]}': its inputs cannot be read.") from error

    def write(self, run: str, rows: Iterable[ScreenRow]) -> None:
        """Put rows in place of those with the same number, all or nothing."""
        with self._database.open() as db:
            _write(db, run, rows)

    def rows(self, run: str, view: View | None = None) -> list[ScreenRow]:
        """The rows that `view` shows."""
        view = view or View()
        where, values = view.where()
        direction = "DESC" if view.descending else "ASC"
        sql = (
            f"SELECT {_names()} FROM rows WHERE {where} ORDER BY {view.expression} IS NULL, "
            f'{view.expression} {direction}, "row" LIMIT ? OFFSET ?'
        )
        limit = -1 if view.limit is None else view.limit
        with self._database.open() as db:
            fetched = db.execute(sql, (run, *values, limit, view.offset)).fetchall()
        return [_row(values) for values in fetched]

    def each_row(self, run: str) -> Iterator[ScreenRow]:
        """All rows in their order, read piece by piece; memory does not grow with their number."""
        last = 0
        while True:
            with self._database.open() as db:
                fetched = db.execute(
                    f'SELECT {_names()} FROM rows WHERE run = ? AND "row" > ? ORDER BY "row" '
                    "LIMIT ?",
                    (run, last, _BATCH),
                ).fetchall()
            if not fetched:
                return
            yield from map(_row, fetched)
            last = fetched[-1]["row"]

    def set_analysis(self, run: str, row: int, analysis: str) -> None:
        """Note which run of kind impact holds the whole analysis of a row."""
        with self._database.open() as db:
            db.execute(
                'UPDATE rows SET analysis = ? WHERE run = ? AND "row" = ?', (analysis, run, row)
            )

    def count(self, run: str, view: View) -> int:
        """How many rows `view` has, all pages together."""
        where, values = view.where()
        with self._database.open() as db:
            answer = db.execute(f"SELECT count(*) FROM rows WHERE {where}", (run, *values))
            return int(answer.fetchone()[0])

    def columns(self, run: str, names: Sequence[str]) -> dict[str, list[Any]]:
        """Whole columns in the order of the rows, for pictures."""
        if unknown := set(names) - set(SCREEN_COLUMNS):
            raise InputError(f"column '{sorted(unknown)[0]}': is not known.")
        with self._database.open() as db:
            wanted = ", ".join(f'"{n}"' for n in names)
            answer = db.execute(f'SELECT {wanted} FROM rows WHERE run = ? ORDER BY "row"', (run,))
            fetched = answer.fetchall()
        return {name: [row[place] for row in fetched] for place, name in enumerate(names)}

    def set_state(self, run: str, state: RunState, error: str = "") -> None:
        """What became of the run."""
        with self._database.open() as db:
            db.execute("UPDATE runs SET state = ?, error = ? WHERE id = ?", (state, error, run))

    def mark(self, run: str, *, star: bool | None = None, note: str | None = None) -> None:
        """Give a run a star or take it away, or write a note on it."""
        with self._database.open() as db:
            if star is not None:
                db.execute("UPDATE runs SET star = ? WHERE id = ?", (int(star), run))
            if note is not None:
                db.execute("UPDATE runs SET note = ? WHERE id = ?", (note[:MAX_NOTE], run))

    def rename(self, run: str, name: str) -> None:
        """Give the run a name."""
        if not name.strip():
            raise InputError("name: is empty.")
        with self._database.open() as db:
            db.execute("UPDATE runs SET name = ? WHERE id = ?", (name.strip()[:MAX_NAME], run))

    def delete(self, run: str) -> None:
        """Remove the run and all that belongs to it."""
        with self._database.open() as db:
            db.execute("DELETE FROM runs WHERE id = ?", (run,))

    def _runs(self, rest: str, values: tuple[Any, ...]) -> list[Run]:
        with self._database.open() as db:
            fetched = db.execute(f"SELECT {_RUN_FIELDS} FROM runs {rest}", values).fetchall()
            counts: dict[str, dict[str, int]] = {row["id"]: {} for row in fetched}
            marks = ", ".join("?" * len(fetched))
            for row in db.execute(
                f"SELECT run, status, count(*) AS n FROM rows WHERE run IN ({marks}) "
                "GROUP BY run, status",
                tuple(counts),
            ):
                counts[row["run"]][row["status"]] = row["n"]
        return [run_of(row, counts[row["id"]]) for row in fetched]

    @staticmethod
    def _insert_run(
        db: sqlite3.Connection,
        run: str,
        kind: RunKind,
        name: str,
        state: RunState,
        inputs: str,
        digest: str = "",
    ) -> None:
        db.execute(
            "INSERT INTO runs (id, kind, name, created, state, inputs, digest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run, kind, name[:MAX_NAME], now(), state, inputs, digest),
        )


def _names() -> str:
    return ", ".join(f'"{name}"' for name in (*SCREEN_COLUMNS, OWN))


def _row(values: Sequence[Any]) -> ScreenRow:
    *columns, own = values
    return row_of(columns, json.loads(own) if own else None)


def _write(db: sqlite3.Connection, run: str, rows: Iterable[ScreenRow]) -> None:
    marks = ", ".join("?" * (len(SCREEN_COLUMNS) + 2))
    db.executemany(
        f"INSERT OR REPLACE INTO rows (run, {_names()}) VALUES ({marks})",
        ((run, *row.to_dict().values(), _as_text(row.own)) for row in rows),
    )


def _as_text(own: Mapping[str, Cell]) -> str | None:
    return json.dumps(dict(own), ensure_ascii=False, allow_nan=False) if own else None


def _impact_name(impact: Impact) -> str:
    return f"{impact.protein.name or 'protein'} {impact.written}"
