"""Short work of many visitors, done one after the other in the order in which they came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from glass_core.progress import Watch

T = TypeVar("T")
Told = Callable[[int, float, str], None]
"""Called with (how many are before, seconds since it began, stage in words)."""
FIRST_S, EVERY_S = 3.0, 2.0
"""When whoever waits is told first, and how often then: every word costs each of many browsers
a drawing. What is done is returned at once."""


class Turns:
    """Takes turns; safe to use from many threads. Two at once would share the cores badly."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._queue: list[object] = []  # who is at work stands first

    def take(
        self, work: Callable[[Watch], T], tell: Told | None = None, *, aside: bool = False
    ) -> T:
        """What `work` gives, or raises, once all who came before had theirs.

        Whatever `tell` raises ends the waiting. Work that has not begun is left undone; work
        that has is asked to stop, and who is next begins when it has stopped.

        Parameters
        ----------
        tell : Told, optional
            Called now and then by the waiting thread.
        aside : bool
            Do it in a thread of its own, so that `tell` is called during the work, too. That
            costs something where many wait, and is for work that takes long.

        Examples
        --------
        >>> Turns().take(lambda watch: 42)
        42
        """
        ticket = object()
        with self._change:
            self._queue.append(ticket)
        try:
            self._wait(ticket, tell)
        except BaseException:
            self._leave(ticket)
            raise
        if aside:
            return self._aside(ticket, work, tell)
        try:
            return work(Watch())
        finally:
            self._leave(ticket)

    def _wait(self, ticket: object, tell: Told | None) -> None:
        """Return when it is the turn of `ticket`."""
        patience = FIRST_S
        while True:
            with self._change:
                if self._change.wait_for(lambda: self._queue[0] is ticket, patience):
                    return
                before = self._queue.index(ticket)
            patience = EVERY_S
            if tell is not None:
                tell(before, 0.0, "")

    def _aside(self, ticket: object, work: Callable[[Watch], T], tell: Told | None) -> T:
        stop, began, said = threading.Event(), time.monotonic(), [""]
        future: Future[T] = Future()

        def hear(words: str, fraction: float) -> None:
            said[0] = words

        def run() -> None:
            try:
                future.set_result(work(Watch(hear, stop.is_set)))
            except BaseException as error:  # noqa: BLE001  # for the thread that waits
                future.set_exception(error)
            finally:
                self._leave(ticket)

        threading.Thread(target=run, name="glass-turn", daemon=True).start()
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
                    tell(0, time.monotonic() - began, said[0])
        finally:
            stop.set()

    def _leave(self, ticket: object) -> None:
        with self._change:
            self._queue.remove(ticket)
            self._change.notify_all()
