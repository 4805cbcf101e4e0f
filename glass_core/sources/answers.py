"""Reading what services answer: fields may be missing, null or of another kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MAX_TEXT = 300


def dig(value: Any, *path: str | int) -> Any:
    """The value at `path` in nested objects and lists; None where any step is missing."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def text(value: Any, *path: str | int) -> str:
    """The string at `path` in one line, at most `MAX_TEXT` characters; '' for anything else."""
    found = dig(value, *path)
    return " ".join(found.split())[:MAX_TEXT] if isinstance(found, str) else ""


def letters(value: Any, *path: str | int) -> str:
    """The string at `path` without white space; '' for anything else."""
    found = dig(value, *path)
    return "".join(found.split()).upper() if isinstance(found, str) else ""


def whole(value: Any, *path: str | int) -> int | None:
    """The whole number at `path`, also where it is written as a string."""
    found = dig(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return found
    if isinstance(found, str) and found.strip().isdecimal() and len(found) < 10:
        return int(found)
    return None


def objects(value: Any, *path: str | int) -> Iterator[dict[str, Any]]:
    """The objects of the list at `path`; nothing where it is no list."""
    found = dig(value, *path)
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            yield one


def first(value: Any, *names: str) -> Any:
    """The first of several names of one field that is there and not null."""
    return next((found for name in names if (found := dig(value, name)) is not None), None)
