"""An index of a large database: its nearest vectors in milliseconds, nearly always all of them.

A graph of neighbours (HNSW: Malkov & Yashunin, IEEE TPAMI 42, 824 (2020)) of the library
usearch; what it finds is compared exactly. It lies beside the vectors and is used wherever the
database is searched.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError, one_line, require_training_packages
from glass_core.progress import Rate
from glass_core.search.database import Database
from glass_core.search.exact import compare_all, compare_some

if TYPE_CHECKING:
    from usearch.index import Index

INDEX_FILE = "index.usearch"
SEEN_FOR_EACH, LEAST_SEEN = 5, 500
"""Candidates that are compared exactly, for each neighbour that is asked for, and at least."""
_CONNECTIVITY, _EXPANSION_ADD, _EXPANSION_SEARCH = 24, 128, 160
_ADDED_TOGETHER = 20_000
_CURE = "remove it, or build it anew with: glass database index"
_PROBED, _RECALLED = 200, 10


@dataclass(frozen=True)
class Recall:
    """How good an index was found to be, on entries of the database as queries.

    Attributes
    ----------
    recall : float
        Share of the ten exactly nearest that it finds.
    seconds, exact_seconds : float
        For one query, by the index and without.
    queries : int
    """

    recall: float
    seconds: float
    exact_seconds: float
    queries: int


def has_index(database: Database) -> bool:
    """Whether an index was built for it."""
    return (database.folder / INDEX_FILE).is_file()


def build_index(database: Database, tell: Callable[[Rate], None] = lambda rate: None) -> Path:
    """Write the index of a database beside it; an older one is replaced when it is done.

    Raises
    ------
    UnavailableError
        The package usearch is not installed.
    """
    index = _empty(database.meta.dimension)
    began = time.monotonic()
    for begin in range(0, len(database), _ADDED_TOGETHER):
        some = database.floats(begin, begin + _ADDED_TOGETHER)
        index.add(np.arange(begin, begin + len(some)), some)
        done = begin + len(some)
        tell(Rate(done, len(database), done / (time.monotonic() - began), "indexing"))
    path = database.folder / INDEX_FILE
    unfinished = path.with_suffix(".part")
    index.save(str(unfinished))
    unfinished.replace(path)
    return path


def indexed_nearest(
    queries: NDArray[np.float32], database: Database, top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """As `nearest`, among the candidates that the index finds.

    Raises
    ------
    UnavailableError
        The package usearch is not installed.
    InputError
        The index is damaged, or that of another state of the database.
    """
    index = _opened(database)
    seen = max(SEEN_FOR_EACH * top, LEAST_SEEN)
    found = index.search(queries, min(seen, len(database)))
    keys = np.atleast_2d(found.keys).astype(np.int64)
    return compare_some(queries, database, keys, top)


def recall_of(database: Database) -> Recall:
    """Compare the index of a database with exact search, entry by entry."""
    rng = np.random.default_rng(0)
    asked = np.sort(rng.choice(len(database), min(_PROBED, len(database)), replace=False))
    queries = np.concatenate([database.floats(row, row + 1) for row in asked])
    indexed_nearest(queries[:1], database, _RECALLED)  # opened, and its pages read
    compare_all(queries[:1], database, _RECALLED)
    began = time.monotonic()
    found = [indexed_nearest(one[None], database, _RECALLED)[0][0] for one in queries]
    middle = time.monotonic()
    true = [compare_all(one[None], database, _RECALLED)[0][0] for one in queries]
    ended = time.monotonic()
    shared = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, true, strict=True)]
    count = len(queries)
    return Recall(float(np.mean(shared)), (middle - began) / count, (ended - middle) / count, count)


def _empty(dimension: int) -> Index:
    require_training_packages("an index", "usearch")
    from usearch.index import Index

    return Index(
        ndim=dimension,
        metric="ip",
        dtype="f16",
        connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
        expansion_search=_EXPANSION_SEARCH,
    )


def _opened(database: Database) -> Index:
    """The index of a database.

    Raises
    ------
    InputError
        It is damaged, or that of another state of the database.
    """
    path = database.folder / INDEX_FILE
    index = _mapped(path, path.stat().st_mtime_ns, database.meta.dimension)
    if len(index) != len(database):
        raise InputError(f"{path}: is of another state of the database; {_CURE}.")
    return index


@lru_cache(maxsize=2)
def _mapped(path: Path, stamp: int, dimension: int) -> Index:
    """An index, mapped from its file; opened once while the file stays as it is."""
    index = _empty(dimension)
    try:
        index.view(str(path))
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"{path}: is damaged ({one_line(error)}); {_CURE}.") from error
    if index.ndim != dimension:
        raise InputError(f"{path}: has vectors of {index.ndim} numbers, not {dimension}; {_CURE}.")
    return index
