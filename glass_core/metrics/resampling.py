"""95% intervals of a figure by drawing its rows again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SEED = 0
DRAWS, FEWEST_DRAWS = 1000, 100
MOST_VALUES = 2_000_000
"""Rows of all draws together: of many rows fewer draws are made, but never under the fewest."""


def interval(
    figure: Callable[[NDArray[np.int64]], float], rows: int, seed: int = SEED
) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of a figure over rows drawn with repetition.

    The same rows and seed give the same interval. Draws without a value are left out; NaN
    where none has one. Efron, Ann. Stat. 7, 1 (1979).

    Parameters
    ----------
    figure : callable
        Row numbers, shape=(rows,), to a value.
    rows : int
        How many there are.
    """
    rng = np.random.default_rng(seed)
    draws = max(min(DRAWS, MOST_VALUES // max(rows, 1)), FEWEST_DRAWS)
    spread = np.array([figure(rng.integers(rows, size=rows)) for _ in range(draws)])
    spread = spread[~np.isnan(spread)]
    if not len(spread):
        return float("nan"), float("nan")
    low, high = np.quantile(spread, (0.025, 0.975))
    return float(low), float(high)
