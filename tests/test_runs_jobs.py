"""Background jobs: progress, cancel, failure, memory."""

from __future__ import annotations

import threading
import time

import pytest

from glass_core.errors import Cancelled, RemodelError
from glass_core.runs.jobs import JobBoard, JobStatus
from glass_core.runs.turns import Turns
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


def test_who_waits_is_told_how_many_are_before(board):
    go = threading.Event()
    first = board.submit(lambda watch: go.wait(patience(60)))
    second, third = board.submit(lambda watch: 2), board.submit(lambda watch: 3)
    assert (board.status(second).ahead, board.status(third).ahead) == (1, 2)
    assert board.status(third).words == "waiting, 2 before it"
    board.cancel(first)
    go.set()
    assert wait(board, third).ahead == 0


@pytest.mark.parametrize(
    ("fraction", "took", "expected", "left"),
    [
        (0.0, 0.0, 30.0, 30.0),
        (0.0, 0.0, None, None),
        (0.5, 20.0, None, None),  # a job that tells of its time itself
        (0.5, 20.0, 90.0, 20.0),  # late, the pace alone counts
        (0.2, 10.0, 30.0, 30.0),  # 20 left as expected, 40 by the pace
        (0.1, 50.0, 30.0, 112.5),  # what was expected is over
    ],
)
def test_time_left_goes_by_what_was_expected_and_then_by_the_pace(fraction, took, expected, left):
    status = JobStatus("j", "running", "s", fraction, took_s=took, expected_s=expected)
    assert status.remaining_s == (None if left is None else pytest.approx(left))
    assert JobStatus("j", "waiting", expected_s=9.0).remaining_s is None


def test_turns_are_taken_in_order_and_everyone_is_told(board):
    turns, go, order = Turns(), threading.Event(), []
    told = {name: [] for name in "abc"}

    def ask(name):
        def work(watch):
            watch.tell("at work", 0.5)
            go.wait(patience(60))
            order.append(name)
            return name

        assert turns.take(work, lambda *what: told[name].append(what), aside=True) == name

    threads = []
    for name in "abc":
        threads.append(threading.Thread(target=ask, args=(name,)))
        threads[-1].start()
        until(lambda name=name: told[name], f"{name} to be told")
    until(lambda: told["c"][-1][0] == 2, "the place of c")
    assert told["b"][-1][0] == 1
    assert told["a"][-1][0] == 0 and told["a"][-1][2] == "at work"
    go.set()
    for thread in threads:
        thread.join(patience(60))
    assert order == ["a", "b", "c"]


def test_whoever_gives_up_frees_the_place_and_stops_the_work():
    turns, stopped = Turns(), threading.Event()

    class GivenUp(Exception):
        pass

    def work(watch):
        until(watch.cancelled, "to be asked to stop")
        stopped.set()

    def give_up(*told):
        raise GivenUp

    with pytest.raises(GivenUp):
        turns.take(work, give_up, aside=True)
    assert stopped.wait(patience(60))
    assert turns.take(lambda watch: "next") == "next"

    def fails(watch):
        raise TimeoutError("of the work's own")

    for aside in (False, True):
        with pytest.raises(TimeoutError, match="work's own"):
            turns.take(fails, aside=aside)
        assert turns.take(lambda watch: "next", aside=aside) == "next"


def test_who_gives_up_while_waiting_is_never_begun():
    turns, go, begun = Turns(), threading.Event(), []
    first = threading.Thread(target=turns.take, args=(lambda watch: go.wait(patience(60)),))
    first.start()

    def give_up(before, seconds, stage):
        assert before == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turns.take(lambda watch: begun.append(1), give_up)
    go.set()
    first.join(patience(60))
    assert turns.take(lambda watch: len(begun)) == 0
