"""The SQLite file of runs and studies: its tables, how it is opened, what its errors mean."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from glass_core.errors import RunError
from glass_core.screen.columns import RENAMED, SCREEN_COLUMNS

_PATIENCE_S = 10.0
_SQL_TYPES = {"text": "TEXT", "whole": "INTEGER", "number": "REAL"}


def _declared(column: str) -> str:
    return f'"{column}" {_SQL_TYPES[SCREEN_COLUMNS[column].kind]}'


OWN = "own"
"""Column of rows beside those of a screen: the cells of the user's table, as a JSON object."""
_OF_RUNS = {
    "study": "TEXT REFERENCES studies(id) ON DELETE SET NULL",
    "verdict": "TEXT NOT NULL DEFAULT ''",
    "variant": "TEXT NOT NULL DEFAULT ''",
    "chance": "REAL",
    "ddg": "REAL",
    "measured": "INTEGER NOT NULL DEFAULT 0",
    "star": "INTEGER NOT NULL DEFAULT 0",
    "note": "TEXT NOT NULL DEFAULT ''",
}
"""Columns of runs that earlier files lack."""
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS studies (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, created TEXT NOT NULL, digest TEXT NOT NULL,
    protein TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, created TEXT NOT NULL,
    state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', inputs TEXT NOT NULL,
    digest TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS rows (
    run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    {", ".join(map(_declared, SCREEN_COLUMNS))}, "{OWN}" TEXT,
    PRIMARY KEY (run, "row")
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rows_by_status ON rows (run, status);
CREATE TABLE IF NOT EXISTS screen_studies (
    run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, protein TEXT NOT NULL,
    study TEXT NOT NULL REFERENCES studies(id) ON DELETE CASCADE,
    PRIMARY KEY (run, protein)
);
CREATE TABLE IF NOT EXISTS impacts (
    run TEXT PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE, content TEXT NOT NULL
);
"""
_INDICES = "CREATE INDEX IF NOT EXISTS runs_by_study ON runs (study);"


class Database:
    """The file `path`, made on first use and brought up to date; safe in threads and processes.

    Each operation opens its own connection (WAL, ten seconds' patience).

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
        with self.open() as db:
            db.executescript(_SCHEMA)
            _bring_up_to_date(db)
            db.executescript(_INDICES)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that is undone if anything fails.

        Raises
        ------
        RunError
            The file cannot be used; the message says why.
        """
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
    if OWN not in known:
        db.execute(f'ALTER TABLE rows ADD COLUMN "{OWN}" TEXT')
    runs = {column["name"] for column in db.execute("PRAGMA table_info(runs)")}
    for name, declared in _OF_RUNS.items():
        if name not in runs:
            db.execute(f"ALTER TABLE runs ADD COLUMN {name} {declared}")


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


def new_id() -> str:
    """An id that cannot be guessed."""
    return secrets.token_urlsafe(12)


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
