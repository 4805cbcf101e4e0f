"""The tables of an mmCIF or BinaryCIF block, column by column, whatever a writer left out.

The syntax of mmCIF is read by gemmi, which takes all that the standard allows (indented
loops, keywords and tags in any case, several blocks, quoted primes) some six times as fast as
biotite; BinaryCIF, which gemmi does not read, by biotite.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import StructureError
from glass_core.protein.structure.guard import check_binary, check_column

if TYPE_CHECKING:
    import gemmi

EVERY_ROW = slice(None)
_NULLS = (".", "?")
_QUOTES = ("'", '"', ";")


class Block(ABC):
    """One data block; category and tag names are given without their underscore and dot."""

    name: str

    @abstractmethod
    def __contains__(self, category: str) -> bool:
        """Whether the block has such a table."""

    @abstractmethod
    def words(self, category: str, *tags: str, rows: slice = EVERY_ROW) -> NDArray[np.str_] | None:
        """The first of the columns that is there, '' for no value; None without any."""

    @abstractmethod
    def numbers(
        self, category: str, tag: str, missing: float, rows: slice = EVERY_ROW
    ) -> NDArray[np.float64] | None:
        """A column of numbers, `missing` for no value; None where it is not there.

        Raises
        ------
        ValueError
            One of its values is no number.
        """

    @abstractmethod
    def whole(self, category: str) -> Mapping[str, list[str]]:
        """All columns of a small table."""


class TextBlock(Block):
    """A block of an mmCIF file."""

    def __init__(self, block: gemmi.cif.Block, file_name: str) -> None:
        self.name, self._block, self._file = block.name, block, file_name
        self._categories = {str(c).lower().strip("_.") for c in block.get_mmcif_category_names()}

    def __contains__(self, category: str) -> bool:
        return category.lower() in self._categories

    def words(self, category: str, *tags: str, rows: slice = EVERY_ROW) -> NDArray[np.str_] | None:
        for tag in tags:
            raw = list(self._block.find_values(f"_{category}.{tag}"))[rows]
            if raw:
                return self._unquoted(raw)
        return None

    def numbers(
        self, category: str, tag: str, missing: float, rows: slice = EVERY_ROW
    ) -> NDArray[np.float64] | None:
        raw = list(self._block.find_values(f"_{category}.{tag}"))[rows]
        if not raw:
            return None
        try:
            return np.fromiter(map(float, raw), dtype=float, count=len(raw))
        except ValueError:  # nulls, quotes, or no numbers at all
            words = self._unquoted(raw)
            return np.where(words == "", str(missing), words).astype(float)

    def whole(self, category: str) -> Mapping[str, list[str]]:
        table = self._block.get_mmcif_category(f"_{category}.", raw=True)
        return {str(tag).lower(): values for tag, values in table.items()}

    def _unquoted(self, raw: list[str]) -> NDArray[np.str_]:
        from gemmi import cif

        check_column(max(map(len, raw)), len(raw), self._file)
        words = np.array([cif.as_string(w) if w[0] in _QUOTES else w for w in raw])
        return np.where(np.isin(words, _NULLS), "", words)


class BinaryBlock(Block):
    """A block of a BinaryCIF file."""

    def __init__(self, block: Any, name: str) -> None:
        self.name, self._block = name, block

    def __contains__(self, category: str) -> bool:
        return category in self._block

    def words(self, category: str, *tags: str, rows: slice = EVERY_ROW) -> NDArray[np.str_] | None:
        column = self._column(category, *tags)
        return None if column is None else np.asarray(column.as_array(str, masked_value=""))[rows]

    def numbers(
        self, category: str, tag: str, missing: float, rows: slice = EVERY_ROW
    ) -> NDArray[np.float64] | None:
        column = self._column(category, tag)
        if column is None:
            return None
        return np.asarray(column.as_array(float, masked_value=missing))[rows]

    def whole(self, category: str) -> Mapping[str, list[str]]:
        if category not in self._block:
            return {}
        table = self._block[category]
        return {
            tag: [word or "?" for word in column.as_array(str, masked_value="?").tolist()]
            for tag, column in table.items()
        }

    def _column(self, category: str, *tags: str) -> Any:
        if category not in self._block:
            return None
        table = self._block[category]
        return next((table[tag] for tag in tags if tag in table), None)


def text_blocks(content: bytes, name: str) -> Iterator[Block]:
    """The blocks of an mmCIF file.

    Raises
    ------
    ValueError, RuntimeError
        Its syntax is broken.
    """
    from gemmi import cif

    # CIF is ASCII: what stands in names and titles otherwise is of no use here.
    text = content.decode("utf-8", errors="replace").encode("ascii", errors="replace")
    # Level 0: a tag or block that is there twice does not forbid to read the others.
    for block in cif.read_string(text, 0):
        yield TextBlock(block, name)


def binary_blocks(content: bytes, name: str) -> Iterator[Block]:
    """The blocks of a BinaryCIF file.

    Raises
    ------
    StructureError
        It claims too much, or is damaged.
    """
    from biotite.structure.io import pdbx

    check_binary(content, name)
    try:
        file = pdbx.BinaryCIFFile.read(io.BytesIO(content))
    except UnicodeDecodeError as error:
        raise StructureError(f"{name}: is damaged BinaryCIF; fetch the file again.") from error
    for key, block in file.items():
        yield BinaryBlock(block, str(key))
