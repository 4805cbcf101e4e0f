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

    Takes and gives what `compare_all` does.

    Raises
    ------
    UnavailableError, InputError
        There is an index that cannot be used.
    """
    return (indexed_nearest if has_index(database) else compare_all)(queries, database, top)
