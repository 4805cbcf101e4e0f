"""What long work says while it runs, and how it is asked to stop.

A `Stage` tells in words and a fraction, a `Count` in numbers, a `Rate` in numbers and time;
a `Watch` is the `Stage` of somebody who may also want it to stop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glass_core.errors import Cancelled

Stage = Callable[[str, float], None]
"""Called with (what is being done, fraction of the whole done)."""
Count = Callable[[int, int], None]
"""Called with (done, in all)."""
Say = Callable[[str], None]
"""Called with a line of words."""


def ignore(*what: object) -> None:
    """The `Stage`, `Count` or `Say` of nobody."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(frozen=True)
class Watch:
    """Who is told how far the work is, and may ask it to stop.

    Attributes
    ----------
    tell : Stage
    cancelled : callable
        Whether to stop; asked between steps.
    """

    tell: Stage = ignore
    cancelled: Callable[[], bool] = never

    def part(self, begin: float, end: float) -> Watch:
        """For a part of the work, which takes the whole from the fraction `begin` to `end`."""

        def tell(words: str, fraction: float) -> None:
            self.tell(words, begin + (end - begin) * fraction)

        return Watch(tell, self.cancelled)

    def stop_if_cancelled(self, what: str = "The work") -> None:
        """Raise `Cancelled`, naming `what` was stopped, if that was asked for."""
        if self.cancelled():
            raise Cancelled(f"{what} was cancelled.")


UNWATCHED = Watch()
"""Nobody looks on."""


@dataclass(frozen=True)
class Rate:
    """How far counted work is, and how fast.

    Attributes
    ----------
    done, total : int
        Such as rows of a screen.
    per_second : float
        Since the work was begun or taken up; 0 before the first.
    stage : str
        What is being done.
    """

    done: int
    total: int
    per_second: float
    stage: str

    @property
    def fraction(self) -> float:
        """Done, 0 to 1."""
        return self.done / self.total if self.total else 1.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds left at this rate; None before it is known."""
        return (self.total - self.done) / self.per_second if self.per_second else None

    def __str__(self) -> str:
        words = f"{self.stage}: {self.done:,} of {self.total:,}"
        if self.remaining_s is None:
            return words
        speed = (
            f"{self.per_second:.0f} per second"
            if self.per_second >= 1
            else f"{60 * self.per_second:.0f} per minute"
        )
        return f"{words}, {speed}, {duration(self.remaining_s)} left"


def duration(seconds: float) -> str:
    """``45 s``, ``3 min`` or ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Pace:
    """How long work takes, learnt from what was done.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.expected_s(100)  # nobody knows yet
    0.0
    >>> pace.learn(50, 2.0)
    >>> pace.expected_s(100)
    4.0
    """

    def __init__(self) -> None:
        self._seconds_each = 0.0

    def learn(self, work: float, seconds: float) -> None:
        """So many units of work took so long."""
        self._seconds_each = seconds / work if work > 0 else self._seconds_each

    def expected_s(self, work: float) -> float:
        """Seconds that so many units will take, about; 0 before anything was learnt."""
        return work * self._seconds_each
