"""Memory that was freed, and that the C library keeps."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _trim() -> Any:
    """``malloc_trim`` of the GNU C library; None with another one."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None


def release_memory() -> None:
    """Give freed memory back to the system.

    Long lists are predicted in pieces, and what a piece frees lies scattered: without this a
    process grows with the length of the list, though nothing is kept. Takes about 20 ms after
    a large piece. Does nothing where the C library has no way to do it.
    """
    trim = _trim()
    if trim is not None:
        trim(0)
