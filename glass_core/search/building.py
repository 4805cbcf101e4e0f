"""Databases are made piece by piece: what is done is kept, whatever happens to the process."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from glass_core.compute import Runner, run_here
from glass_core.errors import Cancelled, InputError
from glass_core.models.registry import kept_predictor
from glass_core.progress import Rate, ignore, never
from glass_core.search.database import (
    META_FILE,
    PIECES_FOLDER,
    RECORDS_FILE,
    VECTORS_FILE,
    Database,
    VectorModel,
    require_free,
)
from glass_core.search.entry import Entry, LeftOut
from glass_core.search.index import INDEX_FILE
from glass_core.search.joining import Part, join, table_of
from glass_core.search.shared_words import WORDS_FOLDER
from glass_core.settings import Settings

PIECE_RESIDUES, PIECE_ENTRIES = 100_000, 2_000
PIECES_AT_ONCE = 32
"""Handed out before the next ones are read."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Some entries that are embedded together, and where the result goes."""

    number: int
    entries: tuple[Entry, ...]
    folder: Path

    @property
    def records(self) -> Path:
        """Written last: where it is there, so are the vectors."""
        return self.folder / f"{self.number:06d}.parquet"

    @property
    def vectors(self) -> Path:
        """Unit vectors in half precision, shape=(n, Z)."""
        return self.folder / f"{self.number:06d}.npy"

    @property
    def done(self) -> bool:
        """Whether it was made, from the same sequences.

        Raises
        ------
        InputError
            It was made from others: the input is another than before.
        """
        if not self.records.is_file():
            return False
        made = pq.read_table(self.records, columns=["id", "sha256"]).to_pylist()
        if made != [{"id": one.id, "sha256": one.sha256} for one in self.entries]:
            raise InputError(
                f"{self.folder.parent}: was begun with another input; remove the folder, or give "
                "the input that it was begun with."
            )
        return True

    def write(self, vectors: NDArray[np.floating]) -> None:
        """Keep its vectors and records."""
        unfinished = self.vectors.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.save(file, vectors.astype(np.float16))
        unfinished.replace(self.vectors)
        unfinished = self.records.with_suffix(".part")
        pq.write_table(table_of(self.entries), unfinished)
        unfinished.replace(self.records)


def pieces_of(entries: Iterable[Entry], folder: Path, first: int = 0) -> Iterator[Piece]:
    """`entries` in pieces of much the same work."""
    number, held, residues = first, list[Entry](), 0
    for one in entries:
        held.append(one)
        residues += len(one)
        if residues >= PIECE_RESIDUES or len(held) >= PIECE_ENTRIES:
            yield Piece(number, tuple(held), folder)
            number, held, residues = number + 1, [], 0
    if held:
        yield Piece(number, tuple(held), folder)


@dataclass(frozen=True)
class Building:
    """How a database is made.

    Attributes
    ----------
    settings : Settings
    model : str
        What makes the vectors.
    runner : Runner
        Where pieces are embedded: in this process, or on a cluster that sees the folder.
    total : int
        How many entries there will be, where that is known.
    tell, cancelled : callable
        Who is told how far it is, and whether to stop.
    """

    settings: Settings
    model: str | Path
    runner: Runner = run_here
    total: int = 0
    tell: Callable[[Rate], None] = ignore
    cancelled: Callable[[], bool] = never

    @property
    def made_by(self) -> VectorModel:
        """What makes the vectors, with its version."""
        return VectorModel.of(kept_predictor(self.settings, self.model))


def build(
    entries: Iterable[Entry],
    folder: Path,
    how: Building,
    *,
    licence: str = "",
    origin: str = "",
    left_out: LeftOut | None = None,
) -> Database:
    """Make a database of `entries` in `folder`, or go on with one that was not finished.

    Parameters
    ----------
    entries : iterable of Entry
        Read once, as a stream.
    left_out : LeftOut, optional
        What the reader of `entries` left out; looked at when all were read.

    Raises
    ------
    InputError
        There is a finished database, or one that was begun with another input or model;
        or no entries.
    Cancelled
        That was asked for; what is done is kept.
    """
    require_free(folder, "add to it, or choose another folder")
    parts = embed(entries, folder, how)
    if not parts:
        _forget(folder)
        why = "; ".join(left_out.lines()) if left_out is not None else ""
        raise InputError(
            f"{origin or folder}: holds no sequence that a database could take"
            f"{f' ({why})' if why else ''}."
        )
    counts = dict(left_out.counts) if left_out is not None else {}
    made = join(parts, folder, how.made_by, licence=licence, origin=origin, left_out=counts)
    shutil.rmtree(folder / PIECES_FOLDER)
    return made


def _forget(folder: Path) -> None:
    """Remove what a build left that came to nothing."""
    shutil.rmtree(folder / PIECES_FOLDER, ignore_errors=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def add(
    database: Database, entries: Iterable[Entry], how: Building, left_out: LeftOut | None = None
) -> Database:
    """`database` with more entries; as `build`. It stays as it is until all are there.

    Raises
    ------
    ModelError
        Another model made its vectors.
    InputError, Cancelled
        As of `build`.
    """
    database.require_model(how.made_by)
    folder, meta = database.folder, database.meta
    parts = embed(entries, folder, how)
    counts = Counter(meta.left_out)
    counts.update({} if left_out is None else left_out.counts)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
        made = Path(beside) / "made"
        join([Part.of(database), *parts], made, meta.model, meta.licence, meta.origin, counts)
        (folder / INDEX_FILE).unlink(missing_ok=True)  # these are of what was there before
        shutil.rmtree(folder / WORDS_FOLDER, ignore_errors=True)
        for name in (VECTORS_FILE, RECORDS_FILE, META_FILE):
            (made / name).replace(folder / name)
    shutil.rmtree(folder / PIECES_FOLDER)
    return Database.open(folder)


def merge(databases: Sequence[Database], folder: Path) -> Database:
    """One database of several, whose vectors the same model must have made.

    Raises
    ------
    ModelError
        Different models made them.
    InputError
        There is a database in `folder`.
    """
    require_free(folder)
    first, counts = databases[0].meta, Counter[str]()
    for one in databases:
        one.require_model(first.model)
        counts.update(one.meta.left_out)
    together = {
        name: "; ".join(dict.fromkeys(filter(None, (getattr(d.meta, name) for d in databases))))
        for name in ("licence", "origin")
    }
    return join(
        [Part.of(one) for one in databases], folder, first.model, left_out=counts, **together
    )


def embed(entries: Iterable[Entry], folder: Path, how: Building) -> list[Part]:
    """The pieces of `entries` with their vectors; those that are there are not made again."""
    pieces = folder / PIECES_FOLDER
    pieces.mkdir(parents=True, exist_ok=True)
    _hold_model(pieces / "model.json", how.made_by)
    work = partial(embed_piece, settings=how.settings, model=how.model)
    stream, parts, done, new = pieces_of(entries, pieces), list[Part](), 0, 0
    began = time.monotonic()
    while some := list(islice(stream, PIECES_AT_ONCE)):
        parts += [Part(piece.records, piece.vectors) for piece in some]
        waiting = [piece for piece in some if not piece.done]
        done += sum(len(piece.entries) for piece in some) - sum(len(p.entries) for p in waiting)
        for _, count in how.runner(work, waiting):
            done, new = done + count, new + count
            speed = new / (time.monotonic() - began)
            how.tell(Rate(done, max(how.total, done), speed, "embedding"))
            if how.cancelled():
                raise Cancelled("Building was cancelled; what is done is kept.")
    return parts


def embed_piece(piece: Piece, *, settings: Settings, model: str | Path) -> int:
    """Make and keep the vectors of a piece; runs in this process or on a worker."""
    piece.write(kept_predictor(settings, model).vectors([one.sequence for one in piece.entries]))
    return len(piece.entries)


def _hold_model(path: Path, model: VectorModel) -> None:
    """Hold that pieces which are there were made by the same model."""
    words = json.dumps(asdict(model))
    if not path.exists():
        path.write_text(words, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != words:
        raise InputError(
            f"{path.parent.parent}: was begun with another model; remove the folder, or give the "
            "model that it was begun with."
        )
