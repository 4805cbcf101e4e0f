"""Short work of many visitors, done in the order in which they came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from glass_core.progress import Watch

T = TypeVar("T")
Told = Callable[[int, float, str], None]
"""Called with (how many are before, seconds since it began, stage in words)."""
FIRST_S, EVERY_S = 0.7, 2.0
"""When whoever waits is told first, and how often then: every word costs each of many browsers
a drawing. What is done is returned at once."""


class Turns:
    """Takes turns; safe to use from many threads.

    Parameters
    ----------
    workers : int
        How many at the same time: two share the cores badly, and memory is bounded.
    """

    def __init__(self, workers: int = 1) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="glass-turn")
        self._lock = threading.Lock()
        self._waiting: list[object] = []

    def take(self, work: Callable[[Watch], T], tell: Told | None = None) -> T:
        """What `work` gives, or raises, once all who came before had theirs.

        Whatever `tell` raises ends the waiting: work that has not begun is left undone, and
        work that has is asked to stop.

        Examples
        --------
        >>> Turns().take(lambda watch: 42)
        42
        """
        ticket, stop = object(), threading.Event()
        began: list[float] = []
        said = [""]

        def hear(words: str, fraction: float) -> None:
            said[0] = words

        def turn() -> T:
            began.append(time.monotonic())
            with self._lock:
                self._waiting.remove(ticket)
            return work(Watch(hear, stop.is_set))

        with self._lock:
            self._waiting.append(ticket)
        future = self._pool.submit(turn)
        patience = FIRST_S
        try:
            while True:
                try:
                    return future.result(patience)
                except NotYet:
                    if future.done():  # the work itself ran out of time
                        raise
                patience = EVERY_S
                if tell is not None:
                    tell(self._before(ticket), time.monotonic() - began[0] if began else 0, said[0])
        finally:
            stop.set()
            if future.cancel():
                with self._lock:
                    self._waiting.remove(ticket)

    def _before(self, ticket: object) -> int:
        """How many have to come first: those that wait, and the one at work."""
        with self._lock:
            return self._waiting.index(ticket) + 1 if ticket in self._waiting else 0
