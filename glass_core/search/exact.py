"""The nearest vectors of a database: all are compared, or all of some candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glass_core.search.database import Database

T = TypeVar("T")
_ROWS = 1_024
"""Converted at a time: they stay in the processor's cache."""
_RANKED = 1 << 21
"""Products that are held before the highest of them are kept."""
SCORE_BINS = 50
"""Parts of 0 to 1 in which `score_counts` counts."""


def compare_all(
    queries: NDArray[np.float32], database: Database, top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The rows of `database` whose products with each query are highest.

    Products are taken in single precision of the vectors as they are kept.

    Parameters
    ----------
    queries : ndarray, shape=(q, Z), dtype=float32
        Unit vectors of the model that made the database's.

    Returns
    -------
    rows : ndarray, shape=(q, k), dtype=int64
        The highest first; k is `top`, or the size of the database if that is less.
    products : ndarray, shape=(q, k), dtype=float32
    """
    count = min(top, len(database))

    def best_of(span: range) -> tuple[Tensor, Tensor]:
        best = torch.empty((len(queries), 0))
        rows = torch.empty((len(queries), 0), dtype=torch.int64)
        some, begin, most = list[Tensor](), span.start, max(_RANKED // len(queries), _ROWS)
        for end, products in _products(queries, database, span):
            some.append(products)
            if end - begin >= most or end == span.stop:
                numbers = torch.arange(begin, end).expand(len(queries), -1)
                best, rows = _highest([best, *some], [rows, numbers], count)
                some, begin = [], end
        return best, rows

    found = _on_all_cores(best_of, len(database))
    best, rows = _highest([one for one, _ in found], [one for _, one in found], count)
    return rows.numpy(), best.numpy()


@torch.inference_mode()
def compare_some(
    queries: NDArray[np.float32], database: Database, candidates: NDArray[np.int64], top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """As `compare_all`, among the rows that are candidates of each query.

    Parameters
    ----------
    candidates : ndarray, shape=(q, n), dtype=int64
        Rows of `database`, each once for a query; n is `top` or more, or all there are.
    """
    asked = _asked(queries, database)
    kept = torch.from_numpy(database.vectors[candidates].astype(np.float32))
    products = (kept @ asked[:, :, None])[..., 0]
    best, order = torch.topk(products, min(top, candidates.shape[1]), dim=1)
    return np.take_along_axis(candidates, order.numpy(), axis=1), best.numpy()


def score_counts(queries: NDArray[np.float32], database: Database) -> NDArray[np.int64]:
    """How many entries have a predicted TM-score in each of `SCORE_BINS` parts of 0 to 1.

    Returns
    -------
    ndarray, shape=(q, SCORE_BINS), dtype=int64
    """

    def counted(span: range) -> NDArray[np.int64]:
        counts = np.zeros((len(queries), SCORE_BINS), np.int64)
        for _, products in _products(queries, database, span):
            places = (products.clamp(0, 1) * SCORE_BINS).long().clamp(max=SCORE_BINS - 1)
            for row, found in zip(counts, places.numpy(), strict=True):
                row += np.bincount(found, minlength=SCORE_BINS)
        return counts

    return np.asarray(sum(_on_all_cores(counted, len(database))))


def _on_all_cores(work: Callable[[range], T], count: int) -> list[T]:
    """What `work` makes of each part of `count` rows, in their order.

    A thread for each core, in which torch uses one: it converts and multiplies a few rows at a
    time, for which its own threads cost more than they gain.
    """
    parts = max(min(torch.get_num_threads(), -(-count // _ROWS)), 1)
    edges = np.linspace(0, count, parts + 1).astype(int).tolist()
    spans = [range(begin, end) for begin, end in pairwise(edges)]

    @torch.inference_mode()
    def alone(span: range) -> T:
        return work(span)

    with ThreadPoolExecutor(parts, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        return list(threads.map(alone, spans))


def _products(
    queries: NDArray[np.float32], database: Database, span: range
) -> Iterator[tuple[int, Tensor]]:
    """Products, shape=(q, n), of some entries of a span at a time, and the row behind them."""
    asked = _asked(queries, database)
    held = torch.empty(min(_ROWS, len(span)), database.meta.dimension)
    for begin in range(span.start, span.stop, _ROWS):
        end = min(begin + _ROWS, span.stop)
        some = held[: end - begin].copy_(torch.from_numpy(database.vectors[begin:end]))
        yield end, (some @ asked[0])[None] if len(asked) == 1 else asked @ some.T


def _highest(scores: Sequence[Tensor], rows: Sequence[Tensor], count: int) -> tuple[Tensor, Tensor]:
    """The `count` highest of several scores, and their rows."""
    every = torch.cat(list(scores), dim=1)
    best, order = torch.topk(every, min(count, every.shape[1]), dim=1)
    return best, torch.cat(list(rows), dim=1).gather(1, order)


def _asked(queries: NDArray[np.float32], database: Database) -> Tensor:
    """The queries, scaled so that their products with what is kept are those with the vectors."""
    asked = torch.from_numpy(queries)
    return asked * torch.tensor(database.meta.scales) if database.meta.scales else asked
