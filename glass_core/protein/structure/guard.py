"""What a structure file may claim, checked before a reader believes it.

Small files can name arrays that would fill any memory: runs of a billion equal values, one
word of a megabyte beside a million rows. Both are refused by their claims alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from glass_core.errors import StructureError

MAX_ROWS = 10_000_000
"""Of any table; the largest entries of the PDB have some 2.5 million atoms."""
MAX_COLUMN_BYTES = 1_000_000_000
"""Of one column of text, which a reader holds at four bytes a letter."""
_LETTER_BYTES = 4
_LONG_WORD = 40
_SIZES = ("srcSize", "rowCount")


def check_column(longest: int, rows: int, name: str) -> None:
    """Refuse a column of words that would take too much memory as an array.

    Raises
    ------
    StructureError
        It would.
    """
    if rows > MAX_ROWS or (
        longest > _LONG_WORD and longest * rows * _LETTER_BYTES > MAX_COLUMN_BYTES
    ):
        raise _too_much(name)


def check_binary(content: bytes, name: str) -> None:
    """Refuse a BinaryCIF file with an array that would take too much memory.

    Raises
    ------
    StructureError
        It has one, or is no BinaryCIF at all.
    """
    import msgpack

    try:
        file = msgpack.unpackb(content, strict_map_key=False)
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise StructureError(f"{name}: is damaged BinaryCIF; fetch the file again.") from error
    tables = list(_objects(file))
    for table in tables:
        if any(not _is_size(table[field]) for field in _SIZES if field in table):
            raise _too_much(name)
        if table.get("kind") == "RunLength" and "srcSize" not in table:
            raise StructureError(f"{name}: is BinaryCIF that does not say how long a column is.")
    for table in tables:
        if (
            "stringData" in table
            and _rows(table, len(content)) * _longest_word(table, name) * _LETTER_BYTES
            > MAX_COLUMN_BYTES
        ):
            raise _too_much(name)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside, itself included; the reader's depth is limited by msgpack."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left += one.values()
        elif isinstance(one, list):
            left += one


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= MAX_ROWS


def _rows(table: dict[str, Any], file_size: int) -> int:
    """Most rows a column of words can have: what its encodings say, else one per byte."""
    sizes = [
        s
        for one in _objects(table.get("dataEncoding"))
        for field in _SIZES
        if isinstance(s := one.get(field), int)
    ]
    return max(sizes, default=min(file_size, MAX_ROWS))


def _longest_word(table: dict[str, Any], name: str) -> int:
    """Letters of the longest word of a column of words, from where each begins."""
    from biotite.structure.io.pdbx.encoding import decode_stepwise, deserialize_encoding

    words = table["stringData"]
    if not isinstance(words, str) or len(words) <= 10 * _LONG_WORD:
        return _LONG_WORD
    try:
        steps = [deserialize_encoding(step) for step in table["offsetEncoding"]]
        begins = np.asarray(decode_stepwise(table["offsets"], steps), dtype=np.int64)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise StructureError(f"{name}: is damaged BinaryCIF; fetch the file again.") from error
    return min(int(np.diff(begins).max(initial=0)), len(words))


def _too_much(name: str) -> StructureError:
    return StructureError(
        f"{name}: claims tables that would fill the memory; it is damaged, or not made to be read."
    )
