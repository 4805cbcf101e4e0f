"""Parquet tables that a user gives to a training or an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glass_core.errors import InputError, one_line


def read_columns(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of a Parquet table.

    Raises
    ------
    InputError
        It cannot be read, or a column is missing.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    try:
        missing = sorted(set(columns) - set(read_schema(path).names))
        if missing:
            raise InputError(f"{path.name}: lacks the column {', '.join(missing)}.")
        return pd.read_parquet(path, columns=list(columns))
    except (OSError, ArrowException) as error:
        raise InputError(f"{path.name}: is no Parquet table ({one_line(error)}).") from error
