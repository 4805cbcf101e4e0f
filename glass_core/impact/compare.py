"""Two results of one question: what differs beyond a stated tolerance, and what was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.records import Column, nullable, require

RERUN_FORMAT = "glass-rerun/1"
"""Of the JSON of a `Comparison`."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Difference:
    """A value that is not what it was.

    Attributes
    ----------
    name : str
    before, now : float, str or None
        None = no value.
    tolerance : float
        How far `now` might have been from `before`; 0 of words.
    """

    name: str
    before: float | str | None
    now: float | str | None
    tolerance: float

    def __post_init__(self) -> None:
        require(bool(self.name), "name", "is given")
        require(self.tolerance >= 0, "tolerance", "is 0 or more")
        require(self.before != self.now, "now", "differs from before")


@dataclass(frozen=True)
class Changed:
    """A condition that is not what it was; '' where it was not recorded."""

    name: str
    before: str
    now: str

    def __post_init__(self) -> None:
        require(self.before != self.now, "now", "differs from before")


@dataclass(frozen=True)
class Comparison:
    """What became of a result that was made again.

    Attributes
    ----------
    compared : int
        Values that were compared; a track along the sequence or a column is one.
    differences : tuple of Difference
        Those beyond their tolerance.
    changed : tuple of Changed
        What it was made with and is not now: the reasons that can be known.
    left_out : tuple of str
        What could not be repeated, and why; one sentence each.
    kept : tuple of str
        What was taken from the result and not made again.
    """

    compared: int
    differences: tuple[Difference, ...]
    changed: tuple[Changed, ...]
    left_out: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether nothing that was made again differs."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"format": RERUN_FORMAT, "repeats": self.repeats, **asdict(self)}


@dataclass(frozen=True, eq=False)
class Stated:
    """A value of a result, and how far another may lie from it to count as the same.

    Attributes
    ----------
    value : float, str, None, or ndarray of shape=(L,)
        None and NaN = no value.
    tolerance : float
        In the value's unit; 0 of words.
    """

    value: float | str | NDArray[np.float64] | None
    tolerance: float = 0.0


def tolerance_of(column: Column) -> float:
    """One in the last digit that a reader sees; of a rank one, of a yes or no nothing."""
    if column.kind != "whole":
        return float(10.0**-column.digits)
    return 0.0 if column.span == "0 or 1" else 1.0


def same(before: float | str | None, now: float | str | None, tolerance: float) -> bool:
    """Whether two values count as one; no value is like no value alone."""
    if before is None or now is None or isinstance(before, str) or isinstance(now, str):
        return before == now
    return abs(now - before) <= tolerance + _ROUNDING


def differences(before: Mapping[str, Stated], now: Mapping[str, Stated]) -> Iterator[Difference]:
    """What differs of all that was there before; what is there now alone is no difference."""
    for name, was in before.items():
        other = now[name].value if name in now else None
        if isinstance(was.value, np.ndarray):
            yield from _of_tracks(name, was.value, other, was.tolerance)
        elif isinstance(other, np.ndarray) or not same(was.value, other, was.tolerance):
            yield Difference(name, was.value, _plain(other), was.tolerance)


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Changed, ...]:
    """The conditions that differ, in the order in which they stand now."""
    names = dict.fromkeys([*now, *before])
    pairs = ((name, before.get(name, ""), now.get(name, "")) for name in names)
    return tuple(Changed(*each) for each in pairs if each[1] != each[2])


def _of_tracks(
    name: str, before: NDArray[np.float64], now: object, tolerance: float
) -> Iterator[Difference]:
    """The position that differs most, and how many do."""
    if not isinstance(now, np.ndarray) or now.shape != before.shape:
        yield Difference(f"{name}, along the sequence", f"{len(before)} values", None, tolerance)
        return
    distance = np.abs(now - before)
    distance[np.isnan(before) & np.isnan(now)] = 0.0
    distance[np.isnan(before) != np.isnan(now)] = np.inf
    beyond = int((distance > tolerance + _ROUNDING).sum())
    if beyond:
        worst = int(np.argmax(distance))
        others = f", the most of {beyond} positions" if beyond > 1 else ""
        was, is_now = nullable(float(before[worst])), nullable(float(now[worst]))
        yield Difference(f"{name} at {worst + 1}{others}", was, is_now, tolerance)


def _plain(value: object) -> float | str | None:
    return value if isinstance(value, float | int | str) else None
