"""Parts of a database on disk, joined into a whole of any size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from glass_core.search.database import (
    COLUMNS,
    RECORDS_FILE,
    ROWS_IN_GROUP,
    VECTORS_FILE,
    Database,
    DatabaseMeta,
    VectorModel,
)
from glass_core.search.entry import Entry

SCHEMA = pa.schema(
    [(name, pa.string()) for name in COLUMNS] + [("sha256", pa.string()), ("length", pa.int32())]
)
TWICE = "the id and the sequence of another record"


@dataclass(frozen=True)
class Part:
    """Records and their vectors on disk.

    Attributes
    ----------
    records, vectors : Path
    scales : tuple of float
        Of vectors in single bytes; empty otherwise.
    """

    records: Path
    vectors: Path
    scales: tuple[float, ...] = ()

    @staticmethod
    def of(database: Database) -> Part:
        """A whole database."""
        folder = database.folder
        return Part(folder / RECORDS_FILE, folder / VECTORS_FILE, database.meta.scales)

    def chunks(self) -> Iterator[tuple[pa.Table, NDArray[np.float16]]]:
        """Some records at a time, with their vectors."""
        vectors = np.load(self.vectors, mmap_mode="r", allow_pickle=False)
        begin = 0
        with pq.ParquetFile(self.records) as file:
            for batch in file.iter_batches(ROWS_IN_GROUP):
                rows: NDArray[Any] = vectors[begin : begin + len(batch)]
                if self.scales:
                    rows = rows * np.asarray(self.scales, np.float32)
                yield pa.Table.from_batches([batch]).cast(SCHEMA), rows.astype(np.float16)
                begin += len(batch)


def table_of(entries: Sequence[Entry]) -> pa.Table:
    """The records of `entries`."""
    rows = [
        {name: getattr(one, name) for name in (*COLUMNS, "sha256")} | {"length": len(one)}
        for one in entries
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def join(
    parts: Sequence[Part],
    folder: Path,
    model: VectorModel,
    licence: str = "",
    origin: str = "",
    left_out: Mapping[str, int] | None = None,
) -> Database:
    """The database of all `parts` in `folder`, in their order.

    A record is left out where an earlier one has its id and its sequence, and takes the id
    ``ID.2`` where one has its id alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids, renamed = _ids(parts)
    kept_rows = sum(one is not None for one in ids)
    dimension = np.load(parts[0].vectors, mmap_mode="r", allow_pickle=False).shape[1]
    unfinished = folder / f"{VECTORS_FILE}.part"
    vectors = np.lib.format.open_memmap(
        unfinished, mode="w+", dtype=np.float16, shape=(kept_rows, dimension)
    )
    residues, begin, row = 0, 0, 0
    with pq.ParquetWriter(folder / RECORDS_FILE, SCHEMA, compression="zstd") as writer:
        for part in parts:
            for table, rows in part.chunks():
                names = ids[begin : begin + len(table)]
                begin += len(table)
                kept = np.array([name is not None for name in names])
                table = table.set_column(0, "id", pa.array(names, pa.string())).filter(kept)
                writer.write_table(table, row_group_size=ROWS_IN_GROUP)
                vectors[row : row + len(table)] = rows[kept]
                residues += sum(table["length"].to_pylist())
                row += len(table)
    vectors.flush()
    del vectors
    unfinished.replace(folder / VECTORS_FILE)
    counts = dict(left_out or {})
    if len(ids) > kept_rows:
        counts[TWICE] = counts.get(TWICE, 0) + len(ids) - kept_rows
    DatabaseMeta(
        model=model,
        dimension=dimension,
        count=kept_rows,
        residues=residues,
        created=datetime.now(UTC).date().isoformat(),
        licence=licence,
        origin=origin,
        left_out=counts,
        renamed=renamed,
    ).write(folder)
    return Database.open(folder)


def _ids(parts: Sequence[Part]) -> tuple[list[str | None], int]:
    """The id that each record of `parts` gets, None for those left out; how many are others."""
    seen: dict[str, set[str]] = {}
    renamed = 0
    ids: list[str | None] = []
    for part in parts:
        for row in pq.read_table(part.records, columns=["id", "sha256"]).to_pylist():
            name, sequence = row["id"], row["sha256"][:16]
            if sequence in seen.get(name, ()):
                ids.append(None)
                continue
            numbers = chain([name], (f"{name}.{number}" for number in count(2)))
            own = next(one for one in numbers if one not in seen)
            seen.setdefault(name, set()).add(sequence)
            seen.setdefault(own, set()).add(sequence)
            ids.append(own)
            renamed += own != name
    return ids, renamed
