"""The nearest vectors of a database, by its index where it has one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.search.database import Database
from glass_core.search.exact import compare_all
from glass_core.search.index import has_index, indexed_nearest


def nearest(
    queries: NDArray[np.float32], database: Database, top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The rows of `database` whose products with each query are highest.

    All are compared; where the database has an index, those that it finds. Products are taken
    in single precision of the vectors as they are kept.

    Parameters
    ----------
    queries : ndarray, shape=(q, Z), dtype=float32
        Unit vectors of the model that made the database's.

    Returns
    -------
    rows : ndarray, shape=(q, k), dtype=int64
        The highest first; k is `top`, or the size of the database if that is less.
    products : ndarray, shape=(q, k), dtype=float32

    Raises
    ------
    UnavailableError, InputError
        There is an index that cannot be used.
    """
    return (indexed_nearest if has_index(database) else compare_all)(queries, database, top)
