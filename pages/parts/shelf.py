"""Answers that all visitors share while the server runs, by name."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 40


class Shelf(Generic[T]):
    """The last `MOST` answers of one kind; older ones are forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, name: str) -> T | None:
        """The answer of that name, if it is still there."""
        return self._kept.get(name)

    def put(self, answer: T, name: str = "") -> str:
        """Keep an answer; its name, by default one that nobody can guess."""
        name = name or secrets.token_urlsafe(8)
        self._kept[name] = answer
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return name

    def remembered(self, name: str, work: Callable[[], T]) -> T:
        """The answer of that name, or what `work` gives."""
        known = self._kept.get(name)
        if known is None:
            known = work()
            self.put(known, name)
        return known
