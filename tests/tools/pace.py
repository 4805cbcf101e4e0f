"""Limits of waiting that fit the machine: they end a hang, and no test is about time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from glass_core.models.registry import load_predictor
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.settings import Settings

WILD_TYPE = STANDARD * 8
EXPECTED_S = 0.05
"""One prediction of a variant of it on the machine for which the limits are written."""


@cache
def slowness() -> float:
    """How many times as long as expected one prediction takes here, at least 1; measured once."""
    predictor = load_predictor(Settings(device="cpu"))
    protein, variants = Protein.from_sequence(WILD_TYPE), [Variant.parse("A1W", WILD_TYPE)]
    predictor.predict(protein, variants)  # the first one also fills caches
    began = time.perf_counter()
    predictor.predict(protein, variants)
    return max((time.perf_counter() - began) / EXPECTED_S, 1.0)


def patience(seconds: float) -> float:
    """So many seconds on the machine for which the limits are written, more on a slower one."""
    return seconds * slowness()


def until(condition: Callable[[], object], what: str, seconds: float = 120.0) -> None:
    """Wait until `condition` holds.

    Raises
    ------
    TimeoutError
        It did not, for as long as `patience` has; says `what` was waited for.
    """
    end = time.monotonic() + patience(seconds)
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience(seconds):.0f} s for {what}")
        time.sleep(0.02)
