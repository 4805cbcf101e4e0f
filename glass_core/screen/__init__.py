"""Many variants of proteins: the stream of outcomes, the table, and what was asked for.

This room has the name of its function, and Python binds a package to its name in the package
above as soon as any module of it is imported. So that ``from glass_core import screen`` means
the same whatever was imported before, the room can be called and is then `stream.screen`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from glass_core.screen.stream import Outcome


class _Room(ModuleType):
    """A package that is called like the function it is named after."""

    @property
    def __wrapped__(self) -> Callable[..., Iterator[Outcome]]:
        """The function; `inspect.signature` and `help` follow it."""
        from glass_core.screen.stream import screen

        return screen

    def __call__(self, *requests: Any, **options: Any) -> Iterator[Outcome]:
        return self.__wrapped__(*requests, **options)


sys.modules[__name__].__class__ = _Room
