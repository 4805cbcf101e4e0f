"""What all records share: checks on construction, read-only arrays, JSON."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glass_core.errors import ModelError, RecordError

T = TypeVar("T")

MAX_WIDTH, MAX_LAYERS = 16384, 256
"""A configuration that claims more is not believed."""

ColumnKind = Literal["text", "whole", "number"]


@dataclass(frozen=True)
class Column:
    """A column of a table: what it means, and how it is kept and shown.

    Attributes
    ----------
    meaning, unit, span : str
        For the data dictionary; `span` is the range of its values.
    kind : {"text", "whole", "number"}
    title : str
        What a reader sees above it; '' for the column's own name.
    shown : bool
        Whether it is among the first that a reader sees.
    digits : int
        Behind the decimal point, where it is a number.
    ranking : str
        What a ranking by it is called, highest = most damaging; '' where there is none.
    """

    meaning: str
    unit: str = ""
    span: str = ""
    kind: ColumnKind = "number"
    title: str = ""
    shown: bool = False
    digits: int = 3
    ranking: str = ""


def require(holds: bool, field: str, rule: str) -> None:
    """Raise `RecordError` naming `field` unless `holds`; `rule` completes '`field` ...'."""
    if not holds:
        raise RecordError(f"{field}: violates the rule that it {rule}.")


def require_sizes(record: object, names: Iterable[str], most: int = MAX_WIDTH) -> None:
    """Raise `RecordError` unless every field is a positive integer that can be believed."""
    for name in names:
        value = getattr(record, name)
        require(
            isinstance(value, int) and 0 < value <= most,
            name,
            f"is a positive integer, at most {most}",
        )


def require_one_of(value: str, choices: Sequence[str], field: str) -> None:
    """Raise `RecordError` naming `field` and `choices` unless `value` is one of them."""
    require(value in choices, field, f"is one of {', '.join(choices)}")


def frozen_array(
    values: ArrayLike, shape: tuple[int | None, ...], field: str, dtype: Any = np.float64
) -> NDArray[Any]:
    """A read-only copy of `values`; ``None`` in `shape` leaves that axis free.

    Raises
    ------
    RecordError
        The array has another shape; the message names `field`.
    """
    array = np.array(values, dtype=dtype)
    if array.ndim != len(shape) or any(
        want is not None and want != have for want, have in zip(shape, array.shape, strict=True)
    ):
        wanted = " x ".join("n" if n is None else str(n) for n in shape)
        raise RecordError(f"{field}: has shape {array.shape}, expected {wanted}.")
    array.setflags(write=False)
    return array


def score_array(values: ArrayLike, length: int, field: str) -> NDArray[np.float64]:
    """A read-only track of scores, shape=(length,), in 0..1 where not NaN."""
    array = frozen_array(values, (length,), field)
    known = array[~np.isnan(array)]
    require(bool(((known >= -1e-6) & (known <= 1 + 1e-6)).all()), field, "lies between 0 and 1")
    return array


def known_mean(values: ArrayLike) -> float:
    """Mean of the values that are there; NaN where there is none."""
    array = np.asarray(values, dtype=float)
    known = array[~np.isnan(array)]
    return float(known.mean()) if len(known) else float("nan")


def to_nullable(values: ArrayLike) -> list[Any]:
    """Nested lists with ``None`` for NaN, as JSON wants them."""
    array = np.asarray(values, dtype=float)
    if array.ndim > 1:
        return [to_nullable(row) for row in array]
    return [None if np.isnan(v) else float(v) for v in array]


def from_nullable(values: Sequence[Any]) -> NDArray[np.float64]:
    """Inverse of `to_nullable`."""
    return np.array(
        [from_nullable(v) if isinstance(v, list) else np.nan if v is None else v for v in values],
        dtype=float,
    )


def nullable(value: float) -> float | None:
    """``None`` for NaN."""
    return None if np.isnan(value) else float(value)


def packed(array: NDArray[Any]) -> str:
    """The bytes of an array, compressed and in base 64; `unpacked` takes its shape and kind."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes())).decode("ascii")


def unpacked(text: str, shape: tuple[int, ...], field: str, dtype: Any) -> NDArray[Any]:
    """Inverse of `packed`; no more is unpacked than `shape` holds, whatever was packed.

    Raises
    ------
    RecordError
        It holds something else; the message names `field`.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    try:
        packed_bytes = base64.b64decode(text, validate=True)
        content = zlib.decompressobj().decompress(packed_bytes, size + 1)
    except (ValueError, zlib.error) as error:
        raise RecordError(f"{field}: violates the rule that it is compressed bytes.") from error
    rows = " x ".join(map(str, shape))
    require(len(content) == size, field, f"holds {rows} values, a row for each residue")
    return np.frombuffer(content, dtype=dtype).reshape(shape)


def of_fields(kind: type[T], values: Mapping[str, Any], what: str) -> T:
    """A record from its fields by name, none missing and none unknown.

    Parameters
    ----------
    what : str
        The record, as an error begins.

    Raises
    ------
    ModelError
        Names the fields that are missing or unknown.
    """
    wanted = {one.name for one in fields(cast(Any, kind))}
    if set(values) != wanted:
        odd = ", ".join(sorted(wanted ^ set(values)))
        raise ModelError(f"{what} has missing or unknown fields: {odd}.")
    return kind(**values)
