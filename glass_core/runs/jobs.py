"""Analyses that run in the background, outlive a page refresh and can be cancelled.

A `JobBoard` lives in one process and keeps its newest jobs in memory.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from glass_core.errors import Cancelled, GlassError
from glass_core.progress import Watch, duration

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
_TELLING_ALL = 0.4
"""Fraction of a job from which on its pace alone says how long the rest will take."""
FINISHED: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})
T = TypeVar("T")
Work = Callable[[Watch], T]
"""Tells how far it is, asks whether to stop, and returns the result."""


@dataclass(frozen=True)
class JobStatus(Generic[T]):
    """What is known of a job at one moment.

    Attributes
    ----------
    stage : str
        In words.
    fraction : float
        Done, 0 to 1.
    error : str
        The message of a failed job.
    result : T or None
        Of a job that is done.
    ahead : int
        Unfinished jobs that were there before it.
    expected_s : float or None
        Seconds that it was expected to take when it was submitted.
    took_s : float
        Seconds since it began, when it told its fraction last.
    """

    id: str
    state: JobState
    stage: str = "waiting for the machine"
    fraction: float = 0.0
    error: str = ""
    result: T | None = None
    ahead: int = 0
    expected_s: float | None = None
    took_s: float = 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds until it is done, about; None where nothing was expected or it does not run.

        At first what was expected counts, then more and more the pace at which it goes.
        """
        if self.state != "running" or self.expected_s is None:
            return None
        expected = max(self.expected_s - self.took_s, 0.0)
        if self.fraction == 0:
            return expected
        by_pace = self.took_s / self.fraction * (1 - self.fraction)
        weight = min(self.fraction / _TELLING_ALL, 1.0)
        return (1 - weight) * expected + weight * by_pace

    @property
    def words(self) -> str:
        """What is to be said of it while it is not finished."""
        if self.state == "waiting":
            return f"waiting, {self.ahead} before it" if self.ahead else "about to begin"
        left = self.remaining_s
        return self.stage if left is None else f"{self.stage} (about {duration(left)} left)"

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINISHED


class JobBoard(Generic[T]):
    """Runs jobs in turn and answers for them by id; safe to use from many threads.

    Parameters
    ----------
    workers : int
        Jobs that run at the same time.
    keep : int
        Finished jobs that are remembered; the oldest are forgotten.
    """

    def __init__(self, workers: int = 1, keep: int = 50) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="glass-job")
        self._keep = keep
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, JobStatus[T]] = OrderedDict()
        self._stop: dict[str, threading.Event] = {}

    def submit(self, work: Work[T], job: str | None = None, expected_s: float | None = None) -> str:
        """Queue `work`; returns its id, by default a new one that cannot be guessed.

        An id that is waiting or running is left as it is.

        Parameters
        ----------
        expected_s : float, optional
            Seconds that it will take, about.
        """
        job = job or secrets.token_urlsafe(12)
        with self._lock:
            if job in self._jobs and not self._jobs[job].finished:
                return job
            self._jobs[job] = JobStatus(job, "waiting", expected_s=expected_s)
            self._jobs.move_to_end(job)
            self._stop[job] = threading.Event()
            self._forget_oldest()
        self._pool.submit(self._run, job, work)
        return job

    def status(self, job: str) -> JobStatus[T] | None:
        """The job's status, None when it is not known (any more)."""
        with self._lock:
            status = self._jobs.get(job)
            if status is None or status.finished:
                return status
            before = itertools.takewhile(lambda one: one.id != job, self._jobs.values())
            return replace(status, ahead=sum(not one.finished for one in before))

    def going_on(self, job: str) -> bool:
        """Whether it waits or runs."""
        status = self.status(job)
        return status is not None and not status.finished

    def cancel(self, job: str) -> None:
        """Ask a job to stop; unknown and finished ones are left as they are."""
        with self._lock:
            if job in self._stop:
                self._stop[job].set()

    def shutdown(self) -> None:
        """Cancel everything and wait for it."""
        with self._lock:
            for event in self._stop.values():
                event.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: str, work: Work[T]) -> None:
        stop = self._stop[job]

        began = time.monotonic()

        def tell(stage: str, fraction: float) -> None:
            took = time.monotonic() - began
            self._update(job, stage=stage, fraction=fraction, took_s=took)

        try:
            if stop.is_set():
                raise Cancelled("cancelled before it started")
            self._update(job, state="running", stage="starting")
            result = work(Watch(tell, stop.is_set))
        except Cancelled:
            self._update(job, state="cancelled", stage="cancelled")
        except GlassError as error:
            self._update(job, state="failed", stage="failed", error=str(error))
        except BaseException as error:
            # A bug: the job must not look as if it ran on; the error itself goes to the log.
            self._update(
                job,
                state="failed",
                stage="failed",
                error=f"unexpected {type(error).__name__}; please report it with your input.",
            )
            raise
        else:
            self._update(job, state="done", stage="done", fraction=1.0, result=result)
        finally:
            with self._lock:
                self._stop.pop(job, None)

    def _update(self, job: str, **changes: object) -> None:
        with self._lock:
            if job in self._jobs:
                self._jobs[job] = replace(self._jobs[job], **changes)  # type: ignore[arg-type]

    def _forget_oldest(self) -> None:
        finished = [job for job, status in self._jobs.items() if status.finished]
        for job in finished[: max(len(finished) - self._keep, 0)]:
            del self._jobs[job]
