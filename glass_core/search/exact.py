"""The nearest vectors of a database: all are compared, or all of some candidates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from glass_core.search.database import Database

_ROWS = 4_096
"""Converted at a time: they stay in the processor's cache."""
SCORE_BINS = 50
"""Parts of 0 to 1 in which `score_counts` counts."""


@torch.inference_mode()
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
    best = torch.full((len(queries), count), -torch.inf)
    rows = torch.zeros((len(queries), count), dtype=torch.int64)
    for begin, products in _products(queries, database):
        found, places = torch.topk(products, min(count, products.shape[1]), dim=1)
        best, order = torch.topk(torch.cat([best, found], dim=1), count, dim=1)
        rows = torch.cat([rows, places + begin], dim=1).gather(1, order)
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


@torch.inference_mode()
def score_counts(queries: NDArray[np.float32], database: Database) -> NDArray[np.int64]:
    """How many entries have a predicted TM-score in each of `SCORE_BINS` parts of 0 to 1.

    Returns
    -------
    ndarray, shape=(q, SCORE_BINS), dtype=int64
    """
    counts = np.zeros((len(queries), SCORE_BINS), np.int64)
    for _, products in _products(queries, database):
        places = (products.clamp(0, 1) * SCORE_BINS).long().clamp(max=SCORE_BINS - 1).numpy()
        for row, found in zip(counts, places, strict=True):
            row += np.bincount(found, minlength=SCORE_BINS)
    return counts


def _products(
    queries: NDArray[np.float32], database: Database
) -> Iterator[tuple[int, torch.Tensor]]:
    """First row and products, shape=(q, n), of some entries at a time."""
    asked = _asked(queries, database)
    held = torch.empty(min(_ROWS, len(database)), database.meta.dimension)
    for begin in range(0, len(database), _ROWS):
        kept = torch.from_numpy(database.vectors[begin : begin + _ROWS])
        yield begin, asked @ held[: len(kept)].copy_(kept).T


def _asked(queries: NDArray[np.float32], database: Database) -> torch.Tensor:
    """The queries, scaled so that their products with what is kept are those with the vectors."""
    asked = torch.from_numpy(queries)
    return asked * torch.tensor(database.meta.scales) if database.meta.scales else asked
