"""Rosetta's mutfiles: ``total 3``, then blocks of a count and as many lines ``R 175 H``."""

from __future__ import annotations

import re

from glass_core.errors import InputError, shown

_TOTAL = re.compile(r"\s*total\s+(\d+)\s*", re.IGNORECASE)
_COUNT = re.compile(r"\s*(\d+)\s*")
_CHANGE = re.compile(r"\s*([A-Za-z])\s+(\d+)\s+([A-Za-z])\s*")


def is_mutfile(text: str) -> bool:
    """Whether the first line that says anything is ``total N``."""
    first = next((line for line in _lines(text)), "")
    return _TOTAL.fullmatch(first) is not None


def read_mutfile(text: str, name: str) -> list[str]:
    """Each block as one variant, such as ``A1P:D2N``.

    Raises
    ------
    InputError
        A line is neither a count nor a change; it is shown.
    """
    blocks: list[list[str]] = []
    for line in _lines(text)[1:]:
        if _COUNT.fullmatch(line):
            blocks.append([])
            continue
        match = _CHANGE.fullmatch(line)
        if match is None or not blocks:
            raise InputError(
                f"{name}: is a mutfile with a line that is none of it ('{shown(line)}'); write a "
                "count and below it lines such as 'R 175 H'."
            )
        blocks[-1].append(f"{match[1].upper()}{match[2]}{match[3].upper()}")
    return [":".join(block) for block in blocks if block]


def _lines(text: str) -> list[str]:
    kept = (line.partition("#")[0] for line in text.splitlines())
    return [line for line in kept if line.strip()]
