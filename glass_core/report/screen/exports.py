"""A screen's table as CSV, Parquet and JSON, written piece by piece, and Parquet read back.

Behind our columns stand those of the user's table, unchanged; see `tables.own_names`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from glass_core.inputs.cells import Cell
from glass_core.inputs.table import read_parquet
from glass_core.report.impact.tables import without_formulas
from glass_core.report.screen.tables import FORMAT_COLUMN, own_frame, own_names, screen_frame
from glass_core.screen.columns import RENAMED, SCREEN_COLUMNS, SCREEN_FORMAT
from glass_core.screen.rows import ScreenRow, row_from

if TYPE_CHECKING:
    import pyarrow as pa

PIECE_ROWS = 5_000
"""Rows that are held at a time, and of a row group of Parquet."""
_OWN_KEY = b"glass_own"


def write_csv(rows: Iterable[ScreenRow], target: IO[str]) -> None:
    """Write the table as CSV; empty cells are missing values, formulas are defused.

    One more column, ``format``, names this kind of table and its number.
    """
    for place, piece in enumerate(_pieces(rows)):
        ours = screen_frame(piece).assign(**{FORMAT_COLUMN: SCREEN_FORMAT})
        frame = without_formulas(pd.concat([ours, own_frame(piece)], axis=1))
        frame.to_csv(target, index=False, header=place == 0)


def write_parquet(rows: Iterable[ScreenRow], target: IO[bytes]) -> None:
    """Write the table as Parquet; the metadata hold the dictionary and the format.

    A column of the user's is of numbers or truth values where the first rows are, else text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    pieces = _pieces(rows)
    first = next(pieces)
    schema = _schema(first)
    ours, own = len(SCREEN_COLUMNS), list(first[0].own) if first else []
    with pq.ParquetWriter(target, schema) as writer:
        for piece in _again(first, pieces):
            columns = [
                *([row[name] for row in piece] for name in SCREEN_COLUMNS),
                *([row.own[name] for row in piece] for name in own),
            ]
            arrays = [
                pa.array(_as_type(values, field.type, place >= ours), field.type)
                for place, (values, field) in enumerate(zip(columns, schema, strict=True))
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def write_json(rows: Iterable[ScreenRow], target: IO[str]) -> None:
    """Write the table as JSON: the format, and the rows as objects; null is no value."""
    target.write(f'{{"format": {json.dumps(SCREEN_FORMAT)}, "rows": [')
    for place, row in enumerate(rows):
        names = own_names(row.own)
        values = row.to_dict() | {names[column]: cell for column, cell in row.own.items()}
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
        target.write(",\n" * (place > 0) + text)
    target.write("]}\n")


def screen_csv(rows: Iterable[ScreenRow]) -> str:
    """What `write_csv` writes."""
    target = io.StringIO()
    write_csv(rows, target)
    return target.getvalue()


def screen_parquet(rows: Iterable[ScreenRow]) -> bytes:
    """What `write_parquet` writes."""
    target = io.BytesIO()
    write_parquet(rows, target)
    return target.getvalue()


def screen_json(rows: Iterable[ScreenRow]) -> str:
    """What `write_json` writes."""
    target = io.StringIO()
    write_json(rows, target)
    return target.getvalue()


def read_screen_parquet(content: bytes) -> list[ScreenRow]:
    """Inverse of `write_parquet`.

    Raises
    ------
    ValueError
        Not such a file.
    RecordError
        A row breaks a rule.
    """
    frame = read_parquet(content)
    if missing := {"row", "protein", "variant", "status"} - set(frame.columns):
        raise ValueError(f"lacks the column {sorted(missing)[0]}")
    own = _own_cells(content)
    frame = frame.rename(columns={k: v for k, v in RENAMED.items() if v not in frame.columns})
    frame = frame.reindex(columns=list(SCREEN_COLUMNS))  # a file of an earlier version has fewer
    rows = frame.astype(object).where(frame.notna(), None)
    return [
        row_from(values, own[place] if own else None)
        for place, values in enumerate(rows.to_dict("records"))
    ]


def _own_cells(content: bytes) -> list[dict[str, Cell]]:
    """The cells of the user's table in a file that was read; [] where there are none."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    names = json.loads((file.schema_arrow.metadata or {}).get(_OWN_KEY, b"{}"))
    if not names:
        return []
    rows = file.read(columns=list(names.values())).to_pylist()
    return [{column: row[name] for column, name in names.items()} for row in rows]


def _pieces(rows: Iterable[ScreenRow]) -> Iterator[list[ScreenRow]]:
    """The rows, so many at a time; one piece without any where there are none."""
    source = iter(rows)
    piece = list(islice(source, PIECE_ROWS))
    yield piece
    while piece := list(islice(source, PIECE_ROWS)):
        yield piece


def _again(first: list[ScreenRow], rest: Iterator[list[ScreenRow]]) -> Iterator[list[ScreenRow]]:
    yield first
    yield from rest


def _schema(rows: list[ScreenRow]) -> pa.Schema:
    """Names and types of all columns, ours first, with the metadata."""
    import pyarrow as pa

    types = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64()}
    names = own_names(rows[0].own) if rows else {}
    own = [(name, _type([row.own[column] for row in rows])) for column, name in names.items()]
    dictionary = json.dumps({n: vars(c) for n, c in SCREEN_COLUMNS.items()})
    metadata = {
        b"glass_columns": dictionary.encode(),
        b"glass_format": SCREEN_FORMAT.encode(),
        _OWN_KEY: json.dumps(names).encode(),
    }
    ours = [(name, types[column.kind]) for name, column in SCREEN_COLUMNS.items()]
    return pa.schema([*ours, *own]).with_metadata(metadata)


def _type(cells: list[Cell]) -> pa.DataType:
    import pyarrow as pa

    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def _as_type(values: list[Any], kind: pa.DataType, own: bool) -> list[Any]:
    """Cells of the user's that are no text where the column is."""
    if not own or str(kind) != "string":
        return values
    return [cell if cell is None else str(cell) for cell in values]
