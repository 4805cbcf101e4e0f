"""What a screen is after."""

from __future__ import annotations

from typing import Literal, get_args

Goal = Literal["stability", "clinical", "any"]
GOALS: tuple[Goal, ...] = get_args(Goal)
GOAL_TITLES: dict[Goal, str] = {
    "stability": "Stability",
    "clinical": "Clinical effect",
    "any": "Any effect",
}
DEFAULT_GOAL: Goal = "any"
