"""The search: exact beside FAISS, by an index, from a cold start; embedding beside a plain loop.

FAISS is measured where it is installed: ``pip install -r requirements-train.txt``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq

from benchmarks.timing import Row, pair
from glass_core.models.registry import load_predictor
from glass_core.protein.sequence import STANDARD
from glass_core.search.database import META_FILE, RECORDS_FILE, VECTORS_FILE, Database, DatabaseMeta
from glass_core.search.exact import compare_all
from glass_core.search.index import build_index
from glass_core.search.packing import embedded_database
from glass_core.settings import Settings

SMALL, LARGE = 100_000, 1_000_000
TOP = 10
_TOGETHER = 20_000


def run(quick: bool = False) -> list[Row]:
    """Rows of the search; without the million where it is to be quick."""
    rows = [embedding_rate()]
    with TemporaryDirectory() as folder:
        small = Path(folder) / "small"
        vectors = write_database(small, SMALL)
        rows += against_faiss(small, vectors)
        if not quick:
            rows += indexed(small)
    if not quick:
        with TemporaryDirectory() as folder:
            large = Path(folder) / "large"
            write_database(large, LARGE)
            database = Database.open(large)
            query = database.floats(5, 6)
            shown = f"{1000 * alone(lambda: compare_all(query, database, TOP)):.0f} ms"
            rows.append(("search, 1,000,000 vectors, exact", shown, "", "", "at most 300 ms"))
    return rows


def some_vectors(count: int) -> Iterator[np.ndarray]:
    """Unit vectors between those of the database that comes along, some at a time."""
    there = embedded_database(Settings())
    real = there.floats(0, len(there))
    centre = real.mean(axis=0)
    rng = np.random.default_rng(0)
    for begin in range(0, count, _TOGETHER):
        size = min(_TOGETHER, count - begin)
        first, second = (real[rng.integers(len(real), size=size)] for _ in range(2))
        mixed = first + rng.uniform(0, 1, (size, 1)).astype(np.float32) * (second - centre)
        mixed += rng.normal(scale=0.01, size=mixed.shape).astype(np.float32)
        yield mixed / np.linalg.norm(mixed, axis=1, keepdims=True)


def write_database(folder: Path, count: int) -> np.ndarray:
    """A database of `count` vectors without sequences; returns them as they are kept."""
    there = embedded_database(Settings())
    folder.mkdir()
    kept = np.lib.format.open_memmap(
        folder / VECTORS_FILE, mode="w+", dtype=np.float16, shape=(count, there.meta.dimension)
    )
    begin = 0
    for some in some_vectors(count):
        kept[begin : begin + len(some)] = some
        begin += len(some)
    kept.flush()
    from glass_core.search.entry import Entry
    from glass_core.search.joining import table_of

    pq.write_table(table_of([Entry(f"v{n}", "") for n in range(count)]), folder / RECORDS_FILE)
    meta = there.meta
    DatabaseMeta(meta.model, meta.dimension, count, 0, meta.created).write(folder)
    assert (folder / META_FILE).is_file()
    return kept


def against_faiss(folder: Path, vectors: np.ndarray) -> list[Row]:
    """One query among 100,000: warm, and from opening the files on."""
    if importlib.util.find_spec("faiss") is None:
        return [("search, 100,000 vectors, beside FAISS", "", "not installed", "", "not slower")]
    import faiss

    raw = folder / "db.npy"
    np.save(raw, vectors.astype(np.float32))
    database = Database.open(folder)
    query = database.floats(7, 8)

    def tm_vec_s_way() -> faiss.IndexFlatIP:
        read = np.load(raw)
        faiss.normalize_L2(read)
        index = faiss.IndexFlatIP(read.shape[1])
        index.add(read)
        return index

    index = tm_vec_s_way()
    ours, theirs = pair(lambda: compare_all(query, database, TOP), lambda: index.search(query, TOP))
    cold, their_cold = pair(
        lambda: compare_all(query, Database.open(folder), TOP),
        lambda: tm_vec_s_way().search(query, TOP),
        3,
    )
    return [
        (
            "search, 100,000 vectors, exact",
            f"{1000 * ours:.0f} ms",
            f"{1000 * theirs:.0f} ms FAISS flat",
            f"{theirs / ours:.1f} x",
            "not slower",
        ),
        (
            "the same, from opening the files on",
            f"{1000 * cold:.0f} ms",
            f"{1000 * their_cold:.0f} ms read, normalised, FAISS flat",
            f"{their_cold / cold:.1f} x",
            "at least 3 x",
        ),
    ]


def alone(call: Callable[[], object]) -> float:
    """Best seconds of a call."""
    return pair(call, lambda: None)[0]


def indexed(folder: Path) -> list[Row]:
    """An index over 100,000: recall and time beside exact search."""
    if importlib.util.find_spec("faiss") is None:
        return [("search, 100,000 vectors, by index", "", "FAISS is not installed", "", "")]
    database = Database.open(folder)
    found = build_index(database)
    return [
        (
            "search, 100,000 vectors, by index",
            f"{1000 * found.seconds:.1f} ms, recall at 10 {found.recall:.3f}",
            f"{1000 * found.exact_seconds:.0f} ms exact",
            f"{found.exact_seconds / found.seconds:.0f} x",
            "at most 10 ms, recall 0.98",
        )
    ]


def embedding_rate() -> Row:
    """Sequences per second into a database, beside one at a time."""
    predictor = load_predictor(Settings(device="cpu"))
    rng = np.random.default_rng(0)
    lengths = rng.integers(60, 300, 120)
    sequences = ["".join(rng.choice(list(STANDARD), n)) for n in lengths]
    together, alone = pair(
        lambda: predictor.vectors(sequences),
        lambda: [predictor.vectors([one]) for one in sequences],
        3,
    )
    return (
        "embed into a database, 60 to 300 residues",
        f"{len(sequences) / together:.0f} sequences/s",
        f"{len(sequences) / alone:.0f} one by one",
        f"{alone / together:.1f} x",
        "",
    )
