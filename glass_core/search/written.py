"""Neighbours written down: as a table, as JSON, as an alignment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glass_core.errors import InputError
from glass_core.protein.sequence import NamedSequence
from glass_core.search.neighbours import Neighbour, name_of
from glass_core.search.rows import NEIGHBOUR_COLUMNS, as_a3m, neighbour_dict, neighbour_row

SUFFIXES = (".tsv", ".csv", ".json", ".parquet", ".a3m")
Found = Sequence[Sequence[Neighbour]]
"""The neighbours of each query."""


def as_table(found: Found, site: int | None = None) -> pd.DataFrame:
    """A row for each neighbour, with the columns `NEIGHBOUR_COLUMNS`."""
    rows = [neighbour_row(one, site) for some in found for one in some]
    table = pd.DataFrame(rows, columns=list(NEIGHBOUR_COLUMNS))
    whole = [name for name, column in NEIGHBOUR_COLUMNS.items() if column.kind == "whole"]
    return table.astype(dict.fromkeys(whole, "Int64"))


def as_tsv(found: Found, site: int | None = None) -> str:
    """The table in text."""
    return as_table(found, site).to_csv(sep="\t", index=False, float_format="%.4f")


def as_json_text(found: Found, site: int | None = None) -> str:
    """A list with an object for each neighbour."""
    told = [neighbour_dict(one, site) for some in found for one in some]
    return json.dumps(told, allow_nan=False)


def write_neighbours(
    out: Path, queries: Sequence[NamedSequence], found: Found, site: int | None = None
) -> None:
    """Into a file of the form that its name says, one of `SUFFIXES`.

    Raises
    ------
    InputError
        An alignment of several queries was asked for, or one without alignments.
    """
    if out.suffix == ".parquet":
        as_table(found, site).to_parquet(out, index=False)
    elif out.suffix == ".csv":
        as_table(found, site).to_csv(out, index=False, float_format="%.4f")
    elif out.suffix == ".json":
        out.write_text(as_json_text(found, site) + "\n", encoding="utf-8")
    elif out.suffix == ".a3m":
        if len(queries) != 1 or all(one.alignment is None for one in found[0]):
            raise InputError(f"{out.name}: an alignment is of one query; give one, with --align.")
        text = as_a3m(name_of(queries[0], 1), queries[0].residues, found[0])
        out.write_text(text, encoding="utf-8")
    else:
        out.write_text(as_tsv(found, site), encoding="utf-8")
