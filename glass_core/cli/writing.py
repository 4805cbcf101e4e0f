"""Writing what a user asked for: one way to say that it cannot be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glass_core.errors import GlassError


@contextmanager
def writing(out: Path, cure: str = "") -> Iterator[None]:
    """Turn any failure to write `out` into one line; `cure` says what is left and what to do.

    Raises
    ------
    GlassError
        The disk is full, a folder is a file, there is no permission.
    """
    try:
        yield
    except OSError as error:
        rest = f"; {cure}" if cure else ""
        raise GlassError(f"{out}: cannot be written ({error.strerror}){rest}.") from error
