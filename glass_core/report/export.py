"""A file that can be downloaded, and how files are named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 60


@dataclass(frozen=True)
class Export:
    """A file to be made on demand; where it cannot be, `unavailable` says why."""

    label: str
    file_name: str
    mime: str
    make: Callable[[], str | bytes]
    unavailable: str = ""

    def write(self, folder: Path) -> Path:
        """Make it and put it into `folder`; where it lies."""
        content, path = self.make(), folder / self.file_name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def safe_stem(prefix: str, name: str, nameless: str) -> str:
    """Begins a file's name: `prefix`, and what a user calls a thing, as file systems take it.

    Examples
    --------
    >>> from glass_core.report.export import safe_stem
    >>> safe_stem("glass", "A1P:D2N", "variant"), safe_stem("glass-map", "", "protein")
    ('glass-A1P-D2N', 'glass-map-protein')
    """
    return f"{prefix}-{re.sub(r'[^A-Za-z0-9_-]+', '-', name)[:_LONGEST] or nameless}"
