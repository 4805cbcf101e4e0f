"""Figures in sentences, and which of two is better: only where their intervals do not overlap."""

from __future__ import annotations

from glass_core.models.evaluation import Figure


def above(own: Figure, other: Figure) -> int | None:
    """1 higher, -1 lower, 0 where the intervals overlap; None without intervals."""
    if own.low is None or own.high is None or other.low is None or other.high is None:
        return None
    return int(own.low > other.high) - int(own.high < other.low)


def exactly(value: float) -> Figure:
    """A value without error, to compare with."""
    return Figure(value, value, value)


def compared(own: Figure, other: Figure, lower_is_better: bool = False) -> str:
    """How a figure compares with another, see `above`."""
    found = above(own, other)
    if found is None:
        return "to be compared with"
    better = -found if lower_is_better else found
    return {1: "better than", 0: "within the error no better than", -1: "worse than"}[better]


def plain(figure: Figure, digits: int = 2) -> str:
    """A figure in a sentence."""
    return "n/a" if figure.value is None else f"{figure.value:.{digits}f} ({_ends(figure, digits)})"


def inside(figure: Figure, digits: int = 2) -> str:
    """A figure between brackets."""
    return "n/a" if figure.value is None else f"{figure.value:.{digits}f}, {_ends(figure, digits)}"


def _ends(figure: Figure, digits: int) -> str:
    if figure.low is None or figure.high is None:
        return "no interval"
    return f"{figure.low:.{digits}f} to {figure.high:.{digits}f}"
