"""Runs: every analysis and every screen, kept in one SQLite file, written as it goes.

A run has an id that cannot be guessed. Its rows are written in transactions, so a killed
process leaves a valid run that can be taken up where it was. Safe to use from several
threads and processes: each operation opens its own connection (WAL, ten seconds' patience).
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from glass_core.errors import InputError, RunError
from glass_core.impact.as_json import from_json, to_json
from glass_core.impact.record import Impact
from glass_core.runs.view import Run, RunKind, RunState, View
from glass_core.screen.columns import RENAMED, SCREEN_COLUMNS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow, row_of

MAX_NAME = 120
_PATIENCE_S = 10.0
_BATCH = 5000
"""Rows of one transaction: others can write in between."""
_SQL_TYPES = {"text": "TEXT", "whole": "INTEGER", "number": "REAL"}


def _declared(column: str) -> str:
    return f'"{column}" {_SQL_TYPES[SCREEN_COLUMNS[column].kind]}'


_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, created TEXT NOT NULL,
    state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', inputs TEXT NOT NULL,
    digest TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS rows (
    run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    {", ".join(map(_declared, SCREEN_COLUMNS))},
    PRIMARY KEY (run, "row")
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rows_by_status ON rows (run, status);
CREATE TABLE IF NOT EXISTS impacts (
    run TEXT PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE, content TEXT NOT NULL
);
"""


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
        self.path, self._connect = path.expanduser(), connect
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"{self.path.parent}: cannot be made ({error.strerror}); set GLASS_RUNS to a file "
                "in a folder that can be written."
            ) from error
        with self._open() as db:
            db.executescript(_SCHEMA)
            _bring_up_to_date(db)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that is undone if anything fails."""
        try:
            with closing(self._connect(self.path, timeout=_PATIENCE_S)) as db:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=NORMAL")
                db.execute("PRAGMA foreign_keys=ON")
                db.row_factory = sqlite3.Row
                with db:
                    yield db
        except sqlite3.Error as error:
            raise RunError(_explained(error, self.path)) from error

    def create(
        self, inputs: ScreenRequest, rows: Iterable[ScreenRow], name: str = "", digest: str = ""
    ) -> str:
        """A new screen with its rows, all or none; returns its id.

        `digest` stands for what was asked; see `find`. Until all rows are there the
        run's state is ``preparing``.
        """
        run, source = new_id(), iter(rows)
        with self._open() as db:
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

    def keep_impact(self, impact: Impact, name: str = "", run: str | None = None) -> str:
        """A finished analysis of one variant; returns its id, `run` where that is given."""
        run = run or new_id()
        with self._open() as db:
            self._insert_run(db, run, "impact", name or _impact_name(impact), "done", "{}")
            db.execute("INSERT INTO impacts VALUES (?, ?)", (run, to_json(impact)))
        return run

    def impact(self, run: str) -> Impact | None:
        """The analysis of a run of kind impact; None when there is none."""
        with self._open() as db:
            row = db.execute("SELECT content FROM impacts WHERE run = ?", (run,)).fetchone()
        return None if row is None else from_json(row["content"])

    def get(self, run: str) -> Run | None:
        """The run, None when it is not known."""
        return next(iter(self._runs("WHERE id = ?", (run,))), None)

    def newest(self, limit: int = 200) -> list[Run]:
        """The newest runs first."""
        return self._runs("ORDER BY created DESC, id LIMIT ?", (limit,))

    def inputs(self, run: str) -> ScreenRequest:
        """What a screen was asked to do.

        Raises
        ------
        RunError
            The run is not known, or cannot be read.
        """
        with self._open() as db:
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
        with self._open() as db:
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
        with self._open() as db:
            fetched = db.execute(sql, (run, *values, limit, view.offset)).fetchall()
        return [row_of(row) for row in fetched]

    def count(self, run: str, view: View) -> int:
        """How many rows `view` has, all pages together."""
        where, values = view.where()
        with self._open() as db:
            answer = db.execute(f"SELECT count(*) FROM rows WHERE {where}", (run, *values))
            return int(answer.fetchone()[0])

    def columns(self, run: str, names: Sequence[str]) -> dict[str, list[Any]]:
        """Whole columns in the order of the rows, for pictures."""
        if unknown := set(names) - set(SCREEN_COLUMNS):
            raise InputError(f"column '{sorted(unknown)[0]}': is not known.")
        with self._open() as db:
            wanted = ", ".join(f'"{n}"' for n in names)
            answer = db.execute(f'SELECT {wanted} FROM rows WHERE run = ? ORDER BY "row"', (run,))
            fetched = answer.fetchall()
        return {name: [row[place] for row in fetched] for place, name in enumerate(names)}

    def set_state(self, run: str, state: RunState, error: str = "") -> None:
        """What became of the run."""
        with self._open() as db:
            db.execute("UPDATE runs SET state = ?, error = ? WHERE id = ?", (state, error, run))

    def rename(self, run: str, name: str) -> None:
        """Give the run a name."""
        if not name.strip():
            raise InputError("name: is empty.")
        with self._open() as db:
            db.execute("UPDATE runs SET name = ? WHERE id = ?", (name.strip()[:MAX_NAME], run))

    def delete(self, run: str) -> None:
        """Remove the run and all that belongs to it."""
        with self._open() as db:
            db.execute("DELETE FROM runs WHERE id = ?", (run,))

    def _runs(self, rest: str, values: tuple[Any, ...]) -> list[Run]:
        with self._open() as db:
            fetched = db.execute(
                f"SELECT id, kind, name, created, state, error FROM runs {rest}", values
            ).fetchall()
            counts: dict[str, dict[str, int]] = {row["id"]: {} for row in fetched}
            marks = ", ".join("?" * len(fetched))
            for row in db.execute(
                f"SELECT run, status, count(*) AS n FROM rows WHERE run IN ({marks}) "
                "GROUP BY run, status",
                tuple(counts),
            ):
                counts[row["run"]][row["status"]] = row["n"]
        return [Run(**dict(row), counts=counts[row["id"]]) for row in fetched]

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
        created = datetime.now(UTC).isoformat(timespec="microseconds")
        db.execute(
            "INSERT INTO runs (id, kind, name, created, state, inputs, digest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run, kind, name[:MAX_NAME], created, state, inputs, digest),
        )


def new_id() -> str:
    """An id that cannot be guessed."""
    return secrets.token_urlsafe(12)


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    """Give the rows of a file of an earlier version the columns of today."""
    known = {column["name"] for column in db.execute("PRAGMA table_info(rows)")}
    for old, new in RENAMED.items():
        if old in known and new not in known:
            db.execute(f'ALTER TABLE rows RENAME COLUMN "{old}" TO "{new}"')
            known.add(new)
    for name in SCREEN_COLUMNS:
        if name not in known:
            db.execute(f"ALTER TABLE rows ADD COLUMN {_declared(name)}")


def _names() -> str:
    return ", ".join(f'"{name}"' for name in SCREEN_COLUMNS)


def _write(db: sqlite3.Connection, run: str, rows: Iterable[ScreenRow]) -> None:
    marks = ", ".join("?" * (len(SCREEN_COLUMNS) + 1))
    db.executemany(
        f"INSERT OR REPLACE INTO rows (run, {_names()}) VALUES ({marks})",
        ((run, *row.to_dict().values()) for row in rows),
    )


def _impact_name(impact: Impact) -> str:
    return f"{impact.protein.name or 'protein'} {impact.written}"


def _explained(error: sqlite3.Error, path: Path) -> str:
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        return "the run was deleted meanwhile; its further results are not kept."
    if "locked" in text or "busy" in text:
        return f"{path}: is locked by another program; close it, or try again in a moment."
    if "full" in text:
        return (
            f"{path}: the disk is full; free some space and go on with the run, what was "
            "written is safe."
        )
    if "readonly" in text or "unable to open" in text:
        return f"{path}: cannot be written; set GLASS_RUNS to a file that can."
    return f"{path}: cannot be used ({text}); move it away to start with an empty one."
