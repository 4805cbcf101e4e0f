"""What long work says, and how it is stopped."""

from __future__ import annotations

import pytest

from glass_core.errors import Cancelled
from glass_core.progress import Rate, Watch, duration


def test_a_rate_in_words():
    began = Rate(0, 100, 0.0, "predicting")
    assert began.remaining_s is None and str(began) == "predicting: 0 of 100"
    half = Rate(50, 100, 10.0, "predicting")
    assert half.remaining_s == 5 and "10 per second, 5 s left" in str(half)
    assert "12 per minute, 4 min left" in str(Rate(50, 100, 0.2, "train, round 1"))
    assert [duration(s) for s in (10, 600, 9000)] == ["10 s", "10 min", "2.5 h"]
    assert Rate(0, 0, 0.0, "x").fraction == 1


def test_a_watch_stops_when_asked_to():
    heard = []
    Watch().stop_if_cancelled()
    Watch().tell("half", 0.5)
    watch = Watch(lambda words, fraction: heard.append((words, fraction)), lambda: True)
    watch.tell("half", 0.5)
    assert heard == [("half", 0.5)]
    with pytest.raises(Cancelled, match="The analysis was cancelled"):
        watch.stop_if_cancelled("The analysis")
