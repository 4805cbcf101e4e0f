"""Answers of web services on disk, each with its date; damaged ones count as not kept.

Beyond a size limit the least recently used go.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

_SEPARATOR = b"\n"
_SUFFIX = ".answer"
LIMIT = 2 * 10**9
"""Bytes."""


@dataclass(frozen=True)
class Kept:
    """One answer; `date` is UTC, ISO 8601."""

    content: bytes
    date: str


class KeptAnswers:
    """One file per address: a line of JSON (address, date, SHA-256), then the content.

    Files appear whole or not at all, so that several processes may share the folder.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.limit = folder, limit

    def get(self, url: str) -> Kept | None:
        """What was kept of `url`; None where there is nothing or it is damaged."""
        try:
            header, _, content = self._path(url).read_bytes().partition(_SEPARATOR)
            told = json.loads(header)
            datetime.fromisoformat(told["date"])
            whole = told["url"] == url and told["sha256"] == hashlib.sha256(content).hexdigest()
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        if not whole:
            return None
        with suppress(OSError):
            os.utime(self._path(url))  # used now: the last to go
        return Kept(content, told["date"])

    def put(self, url: str, answer: Kept) -> str:
        """Keep it; returns '' or, where that is impossible, a sentence that says so."""
        header = {
            "url": url,
            "date": answer.date,
            "sha256": hashlib.sha256(answer.content).hexdigest(),
        }
        temporary = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.folder, delete=False) as file:
                temporary = Path(file.name)
                file.write(json.dumps(header).encode() + _SEPARATOR + answer.content)
            os.replace(temporary, self._path(url))
            self._make_room(self._path(url))
        except OSError as error:
            if temporary is not None:
                with suppress(OSError):
                    temporary.unlink()
            return f"The download could not be kept in {self.folder} ({error.strerror})."
        return ""

    def _make_room(self, newest: Path) -> None:
        """Remove the answers longest not asked for, until the others fit; never `newest`."""
        found = []
        for path in self.folder.glob(f"*{_SUFFIX}"):
            with suppress(FileNotFoundError):  # another process makes room too
                known = path.stat()
                found.append((known.st_mtime_ns, known.st_size, path))
        excess = sum(size for _, size, _ in found) - self.limit
        for _, size, path in sorted(found):
            if excess <= 0:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                excess -= size

    def _path(self, url: str) -> Path:
        return self.folder / f"{hashlib.sha256(url.encode()).hexdigest()}{_SUFFIX}"
