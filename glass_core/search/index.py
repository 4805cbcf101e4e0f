"""An index of a large database: its nearest vectors in milliseconds, nearly always all of them.

Inverted lists of the library FAISS (Jegou et al., IEEE TPAMI 33, 117 (2011)): the vectors are
sorted into clusters, and a query is compared with those of the few clusters that are nearest to
it. How many those are is chosen for each database, so that what is found is nearly all. It lies
beside the vectors and is used wherever the database is searched.
"""

from __future__ import annotations

import math
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
    from faiss import IndexIVF

INDEX_FILE = "index.faiss"
RECALL_SOUGHT = 0.99
"""Share of the ten nearest that is to be found: clusters are probed until it is."""
LEAST_PROBED = 8
_LEARNT_OF, _ROUNDS = 40, 10
"""Vectors for each cluster of which the clusters are learnt, and rounds of k-means."""
_ADDED_TOGETHER = 20_000
_LANES = 16
"""Vectors are filled with zeros to a multiple of it: FAISS computes others number by number."""
_CURE = "remove it, or build it anew with: glass database index"
_ASKED, _RECALLED = 200, 10
_TRIED, _ITSELF = 50, 0.999


@dataclass(frozen=True)
class Recall:
    """How good an index was found to be, on entries of the database as queries.

    Attributes
    ----------
    path : Path
        Its file.
    recall : float
        Share of the ten exactly nearest that it finds.
    seconds, exact_seconds : float
        For one query, by the index and without.
    queries : int
    probed, clusters : int
        With how many of the clusters a query is compared.
    """

    path: Path
    recall: float
    seconds: float
    exact_seconds: float
    queries: int
    probed: int
    clusters: int


def has_index(database: Database) -> bool:
    """Whether an index was built for it."""
    return (database.folder / INDEX_FILE).is_file()


def build_index(database: Database, tell: Callable[[Rate], None] = lambda rate: None) -> Recall:
    """Write the index of a database beside it; an older one is replaced when it is done.

    Returns
    -------
    Recall
        How good it was found to be.

    Raises
    ------
    UnavailableError
        The package faiss-cpu is not installed.
    """
    require_training_packages("an index", "faiss")
    import faiss

    index = _learnt(database)
    began = time.monotonic()
    for begin in range(0, len(database), _ADDED_TOGETHER):
        some = database.floats(begin, begin + _ADDED_TOGETHER)
        index.add(_filled(some))
        done = begin + len(some)
        tell(Rate(done, len(database), done / (time.monotonic() - began), "indexing"))
    found = _probe_enough(index, database)
    path = database.folder / INDEX_FILE
    unfinished = path.with_suffix(".part")
    faiss.write_index(index, str(unfinished))
    unfinished.replace(path)
    return found


def indexed_nearest(
    queries: NDArray[np.float32], database: Database, top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """As `nearest`, among the entries of the clusters that are nearest to each query.

    Raises
    ------
    UnavailableError
        The package faiss-cpu is not installed.
    InputError
        The index is damaged, or that of another state of the database.
    """
    return _nearest_in(_opened(database), queries, database, top)


def _nearest_in(
    index: IndexIVF, queries: NDArray[np.float32], database: Database, top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The rows that the index finds, with their exact products."""
    import faiss

    count, asked = min(top, len(database)), _filled(queries)
    _, rows = index.search(asked, count)
    if (rows < 0).any():  # more are asked for than the probed clusters hold
        every = faiss.SearchParametersIVF()
        every.nprobe = index.nlist
        _, rows = index.search(asked, count, params=every)
    return compare_some(queries, database, rows, count)


def _learnt(database: Database) -> IndexIVF:
    """An index without entries, its clusters learnt of a sample."""
    import faiss

    count, dimension = len(database), _filled_to(database.meta.dimension)
    clusters = max(min(2 * math.isqrt(count), count // _LEARNT_OF), 1)
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        clusters,
        faiss.ScalarQuantizer.QT_fp16,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.cp.niter, index.cp.spherical = _ROUNDS, True
    index.train(_filled(_some_of(database, clusters * _LEARNT_OF)))
    return index


def _some_of(database: Database, count: int) -> NDArray[np.float32]:
    """The vectors of `count` entries drawn at random, or of all; the same ones each time."""
    rng = np.random.default_rng(0)
    drawn = np.sort(rng.choice(len(database), min(count, len(database)), replace=False))
    return np.concatenate([database.floats(row, row + 1) for row in drawn])


def _filled(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors with zeros behind their numbers, which changes no product."""
    count, dimension = vectors.shape
    filled = np.zeros((count, _filled_to(dimension)), np.float32)
    filled[:, :dimension] = vectors
    return filled


def _filled_to(dimension: int) -> int:
    """The width to which vectors are filled."""
    return -(-dimension // _LANES) * _LANES


def _probe_enough(index: IndexIVF, database: Database) -> Recall:
    """Set how many clusters of an index are probed, and say how much that finds."""
    queries = _some_of(database, _ASKED)
    began = time.monotonic()
    true = [compare_all(one[None], database, _RECALLED)[0][0] for one in queries]
    exact = (time.monotonic() - began) / len(queries)
    index.nprobe = min(LEAST_PROBED, index.nlist)
    while True:
        began = time.monotonic()
        found = [_nearest_in(index, one[None], database, _RECALLED)[0][0] for one in queries]
        taken = (time.monotonic() - began) / len(queries)
        shared = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, true, strict=True)]
        recall = float(np.mean(shared))
        if recall >= RECALL_SOUGHT or index.nprobe == index.nlist:
            return Recall(
                database.folder / INDEX_FILE,
                recall,
                taken,
                exact,
                len(queries),
                index.nprobe,
                index.nlist,
            )
        index.nprobe = min(2 * index.nprobe, index.nlist)


def _opened(database: Database) -> IndexIVF:
    """The index of a database.

    Raises
    ------
    UnavailableError
        The package faiss-cpu is not installed.
    InputError
        It is damaged, or that of another state of the database.
    """
    path = database.folder / INDEX_FILE
    stamp = path.stat().st_mtime_ns
    index = _mapped(path, stamp)
    if (index.ntotal, index.d) != (len(database), _filled_to(database.meta.dimension)):
        raise InputError(f"{path}: is of another state of the database; {_CURE}.")
    if not _finds_itself(path, stamp):
        raise InputError(f"{path}: is damaged (it misses what it was built of); {_CURE}.")
    return index


@lru_cache(maxsize=2)
def _finds_itself(path: Path, stamp: int) -> bool:
    """Whether entries of the database find themselves: FAISS checks nothing that it reads."""
    database, index = Database.open(path.parent), _mapped(path, stamp)
    some = _some_of(database, _TRIED)
    _, rows = index.search(_filled(some), 1)
    if (rows < 0).any() or (rows >= len(database)).any():
        return False
    _, products = compare_some(some, database, rows, 1)
    return bool((products[:, 0] > _ITSELF * np.square(some).sum(axis=1)).all())


@lru_cache(maxsize=2)
def _mapped(path: Path, stamp: int) -> IndexIVF:
    """An index, mapped from its file; opened once while the file stays as it is."""
    require_training_packages("an index", "faiss")
    import faiss

    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
    except RuntimeError as error:
        raise InputError(f"{path}: is damaged ({one_line(error)}); {_CURE}.") from error
    if not isinstance(index, faiss.IndexIVF):
        raise InputError(f"{path}: is another kind of index; {_CURE}.")
    return index
