"""Databases that TM-Vec made, taken over into one of ours.

TM-Vec writes ``db.npy`` (raw vectors) and ``meta.npy`` (headers of FASTA, joined by position);
its fork writes both into one ``.npz``. Neither says which model made them: the user does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from glass_core.errors import InputError, one_line
from glass_core.models.predictor import Predictor
from glass_core.models.vectors import unit_rows
from glass_core.search.database import Database, VectorModel, require_free
from glass_core.search.entry import Entry, LeftOut
from glass_core.search.joining import Part, join, table_of
from glass_core.search.reading import read_entries

_ROWS = 10_000


def take_over(
    vectors: Path,
    headers: Path | None,
    folder: Path,
    predictor: Predictor,
    fasta: Path | None = None,
) -> Database:
    """Make a database in `folder` of one of TM-Vec's.

    Parameters
    ----------
    vectors : Path
        ``db.npy``, or the fork's ``.npz``.
    headers : Path, optional
        ``meta.npy``; goes with ``db.npy``.
    predictor : Predictor
        The model that made the vectors, by the user's word; their width must be its.
    fasta : Path, optional
        The sequences that the vectors were made of, in the same order; without them neighbours
        cannot be aligned.

    Raises
    ------
    InputError
        Not such files, files that do not belong together, or vectors of another width.
    """
    require_free(folder)
    raw, names = _read(vectors, headers)
    width = predictor.vectors(["M"]).shape[1]
    if raw.ndim != 2 or raw.shape[1] != width or not np.issubdtype(raw.dtype, np.floating):
        raise InputError(
            f"{vectors.name}: has vectors of shape {raw.shape}, and {predictor.info} makes them "
            f"{width} wide; name the model that made them."
        )
    if len(names) != len(raw):
        raise InputError(
            f"{vectors.name}: has {len(raw):,} vectors for {len(names):,} headers; they belong to "
            "different databases."
        )
    entries = _entries(names, fasta)
    with TemporaryDirectory() as beside:
        part = Part(Path(beside) / "records.parquet", Path(beside) / "vectors.npy")
        pq.write_table(table_of(entries), part.records)
        kept = np.lib.format.open_memmap(part.vectors, mode="w+", dtype=np.float16, shape=raw.shape)
        for begin in range(0, len(raw), _ROWS):
            some = raw[begin : begin + _ROWS].astype(np.float32)
            if not np.isfinite(some).all():
                raise InputError(f"{vectors.name}: holds values that are no numbers.")
            kept[begin : begin + len(some)] = unit_rows(some)
        kept.flush()
        return join([part], folder, VectorModel.of(predictor), origin=f"TM-Vec's {vectors.name}")


def _read(vectors: Path, headers: Path | None) -> tuple[NDArray[Any], list[str]]:
    """Raw vectors, shape=(n, Z), and their headers; nothing in the files is run."""
    try:
        if vectors.suffix == ".npz":
            with np.load(vectors, allow_pickle=False) as both:
                return both["embeddings"], [str(name) for name in both["headers"]]
        if headers is None:
            raise InputError(f"{vectors.name}: its headers are missing; give meta.npy, too.")
        raw = np.load(vectors, mmap_mode="r", allow_pickle=False)
        return raw, [str(name) for name in np.load(headers, allow_pickle=False)]
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
        raise InputError(
            f"{vectors.name}: cannot be read as a database of TM-Vec ({one_line(error)})."
        ) from error


def _entries(headers: Sequence[str], fasta: Path | None) -> list[Entry]:
    sequences = [""] * len(headers) if fasta is None else list(_sequences(fasta))
    if len(sequences) != len(headers):
        raise InputError(
            f"{fasta.name if fasta else ''}: has {len(sequences):,} sequences for "
            f"{len(headers):,} vectors; give those that the vectors were made of."
        )
    made = []
    for number, (header, sequence) in enumerate(zip(headers, sequences, strict=True), start=1):
        name, _, description = header.strip().removeprefix(">").partition(" ")
        made.append(Entry(name or f"entry_{number}", sequence, description.strip()))
    return made


def _sequences(fasta: Path) -> Iterator[str]:
    left_out = LeftOut()
    for entry in read_entries(fasta, left_out):
        yield entry.sequence
    for line in left_out.lines():
        raise InputError(f"{fasta.name}: {line}; the vectors are joined to it by position.")
