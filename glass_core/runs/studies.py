"""Studies: a protein that was opened once, and the runs that gather around it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from glass_core.errors import RunError
from glass_core.protein.as_json import protein_dict, protein_from
from glass_core.protein.protein import Protein
from glass_core.runs.database import Database, new_id, now


@dataclass(frozen=True)
class Study:
    """A protein that was opened.

    Attributes
    ----------
    id : str
        Cannot be guessed.
    name : str
    created : str
        UTC, ISO 8601.
    digest : str
        Of the protein with all that is known of it; see `protein_digest`.
    protein : Protein
    """

    id: str
    name: str
    created: str
    digest: str
    protein: Protein


class Studies:
    """Keeps studies in the file of the runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, protein: Protein) -> Study:
        """A new study of a protein."""
        content = _content(protein)
        study = Study(new_id(), protein.name or "protein", now(), _digest(content), protein)
        with self._database.open() as db:
            db.execute(
                "INSERT INTO studies (id, name, created, digest, protein) VALUES (?, ?, ?, ?, ?)",
                (study.id, study.name, study.created, study.digest, content),
            )
        return study

    def of_screen(self, run: str, protein: Protein) -> Study:
        """The study of a protein of a screen; begun where the screen has none of it yet.

        Raises
        ------
        RunError
            The screen is not there any more, or the study cannot be read.
        """
        with self._database.open() as db:
            row = db.execute(
                "SELECT study FROM screen_studies WHERE run = ? AND protein = ?",
                (run, protein.short_name),
            ).fetchone()
        known = None if row is None else self.get(row["study"])
        if known is not None:
            return known
        study = self.open(protein)
        with self._database.open() as db:
            db.execute(
                "INSERT OR REPLACE INTO screen_studies VALUES (?, ?, ?)",
                (run, protein.short_name, study.id),
            )
        return study

    def get(self, study: str) -> Study | None:
        """The study; None when it is not known.

        Raises
        ------
        RunError
            It cannot be read.
        """
        with self._database.open() as db:
            row = db.execute("SELECT * FROM studies WHERE id = ?", (study,)).fetchone()
        if row is None:
            return None
        try:
            protein = protein_from(json.loads(row["protein"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"study '{study[:40]}': its protein cannot be read.") from error
        return Study(row["id"], row["name"], row["created"], row["digest"], protein)


def protein_digest(protein: Protein) -> str:
    """SHA-256 of a protein with all that is known of it, in hex: equal for equal ones."""
    return _digest(_content(protein))


def _content(protein: Protein) -> str:
    return json.dumps(protein_dict(protein), allow_nan=False)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
