"""The nearest vectors of a database: all are compared, none is guessed at."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from glass_core.search.database import Database

_ROWS = 4_096
"""Converted at a time: they stay in the processor's cache."""


@torch.inference_mode()
def nearest(
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
    asked = torch.from_numpy(queries)
    if database.meta.scales:
        asked = asked * torch.tensor(database.meta.scales)
    count = min(top, len(database))
    best = torch.full((len(queries), count), -torch.inf)
    rows = torch.zeros((len(queries), count), dtype=torch.int64)
    held = torch.empty(min(_ROWS, len(database)), database.meta.dimension)
    for begin in range(0, len(database), _ROWS):
        kept = torch.from_numpy(database.vectors[begin : begin + _ROWS])
        some = held[: len(kept)].copy_(kept)
        found, places = torch.topk(asked @ some.T, min(count, len(some)), dim=1)
        best, order = torch.topk(torch.cat([best, found], dim=1), count, dim=1)
        rows = torch.cat([rows, places + begin], dim=1).gather(1, order)
    return rows.numpy(), best.numpy()
