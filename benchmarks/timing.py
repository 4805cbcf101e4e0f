"""Interleaved timing, so that both sides see the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable

Row = tuple[str, str, str, str, str]


def pair(
    first: Callable[[], object], second: Callable[[], object], rounds: int = 5
) -> tuple[float, float]:
    """Best seconds of each of two calls, run in turn."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for k, call in enumerate((first, second)):
            start = time.perf_counter()
            call()
            best[k] = min(best[k], time.perf_counter() - start)
    return best[0], best[1]
