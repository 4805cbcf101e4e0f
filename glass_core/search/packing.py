"""A database in a quarter of the room, and the one that comes with the project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from glass_core.errors import InputError, UnavailableError
from glass_core.search.database import (
    META_FILE,
    RECORDS_FILE,
    ROWS_IN_GROUP,
    VECTORS_FILE,
    Database,
    require_free,
)
from glass_core.settings import Settings

EMBEDDED = "chains of the Protein Data Bank"
"""What the database that comes with the project is called."""
_LARGEST = 127
"""Of a signed byte, so that what is negative has as much room."""


def pack(database: Database, folder: Path) -> Database:
    """The same with vectors of single bytes, each dimension by a scale of its own.

    Raises
    ------
    InputError
        It is packed already, or there is a database in `folder`.
    """
    import pyarrow.parquet as pq

    if database.meta.scales:
        raise InputError(f"{database.folder}: is packed already.")
    require_free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    highest = np.zeros(database.meta.dimension, np.float32)
    steps = range(0, len(database), ROWS_IN_GROUP)
    for begin in steps:
        some = np.abs(database.vectors[begin : begin + ROWS_IN_GROUP].astype(np.float32))
        highest = np.maximum(highest, some.max(axis=0))
    scales = np.where(highest > 0, highest, 1) / _LARGEST
    packed = np.lib.format.open_memmap(
        folder / VECTORS_FILE, mode="w+", dtype=np.int8, shape=database.vectors.shape
    )
    for begin in steps:
        some = database.vectors[begin : begin + ROWS_IN_GROUP].astype(np.float32)
        packed[begin : begin + len(some)] = np.round(some / scales)
    packed.flush()
    table = pq.read_table(database.folder / RECORDS_FILE)
    pq.write_table(
        table,
        folder / RECORDS_FILE,
        compression="zstd",
        compression_level=19,
        row_group_size=ROWS_IN_GROUP,
    )
    replace(database.meta, vector_type="int8", scales=tuple(map(float, scales))).write(folder)
    return Database.open(folder)


def embedded_database(settings: Settings) -> Database:
    """The chains of experimental structures that come with the project.

    Raises
    ------
    UnavailableError
        They are not there.
    """
    folder = settings.assets / "database"
    if not (folder / META_FILE).is_file():
        raise UnavailableError(
            "the database that comes with GLASS is not there; name one with --database, or "
            "restore the folder assets/database."
        )
    return Database.open(folder)


def open_database(folder: Path | None, settings: Settings) -> Database:
    """The database in a folder; None for the one that comes with the project.

    Raises
    ------
    InputError, UnavailableError
        It is not there, or not usable.
    """
    return embedded_database(settings) if folder is None else Database.open(folder)


def list_databases(settings: Settings) -> dict[str, Path | None]:
    """Every database that can be named, by its name: that of the project, then the user's own.

    None stands for the one that comes with the project.
    """
    found: dict[str, Path | None] = {}
    if (settings.assets / "database" / META_FILE).is_file():
        found[EMBEDDED] = None
    root = settings.databases.expanduser()
    if root.is_dir():
        found |= {
            path.name: path for path in sorted(root.iterdir()) if (path / META_FILE).is_file()
        }
    return found
