"""Background jobs: progress, cancel, failure, memory."""

from __future__ import annotations

import threading
import time

import pytest

from glass_core.errors import Cancelled, RemodelError
from glass_core.runs.jobs import JobBoard
from tests.tools.pace import patience, until


@pytest.fixture
def board():
    made = JobBoard(workers=1, keep=3)
    yield made
    made.shutdown()


def wait(board, job):
    until(lambda: board.status(job).finished, "the job")
    return board.status(job)


def test_result_and_progress(board):
    gate, told = threading.Event(), threading.Event()

    def work(watch):
        watch.tell("half way", 0.5)
        told.set()
        gate.wait(patience(60))
        return "result"

    job = board.submit(work)
    assert told.wait(patience(60))
    assert (board.status(job).stage, board.status(job).fraction) == ("half way", 0.5)
    gate.set()
    assert wait(board, job).result == "result"


def test_cancel_running_and_waiting(board):
    def work(watch):
        while not watch.cancelled():
            time.sleep(0.01)
        raise Cancelled("stopped")

    first, second = board.submit(work), board.submit(work)
    board.cancel(second)
    board.cancel(first)
    assert wait(board, first).state == "cancelled"
    assert wait(board, second).state == "cancelled"


def test_errors_are_kept_as_messages(board):
    def fails(watch):
        raise RemodelError("no luck")

    def has_a_bug(watch):
        raise KeyError("oops")

    assert wait(board, board.submit(fails)).error == "no luck"
    status = wait(board, board.submit(has_a_bug))
    assert status.state == "failed"
    assert "KeyError" in status.error


def test_only_the_newest_are_kept(board):
    ids = []
    for n in range(10):
        ids.append(board.submit(lambda watch, n=n: n))
        wait(board, ids[-1])
    assert board.status(ids[0]) is None
    assert board.status(ids[-1]).result == 9
    assert len(set(ids)) == 10
    assert board.status("unknown") is None
