"""Tables of a screen: frame, CSV, Parquet, data dictionary, and what they agree with."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glass_core.inputs.table import read_parquet
from glass_core.metrics.agreement import auroc, spearman
from glass_core.report.impact.tables import without_formulas
from glass_core.screen.rows import (
    COLUMNS,
    SCORES,
    TURNED,
    WHOLE,
    ScreenRow,
    as_table,
    gave_nothing,
    row_from,
)


@dataclass(frozen=True)
class Agreement:
    """How well a score ranks what came with the input.

    Attributes
    ----------
    score : str
        One of `SCORES`.
    auroc : float
        Against the labels; NaN without labels of both kinds.
    labels : int
        Rows with a label and the score.
    spearman : float
        Against the measured values; NaN with fewer than three.
    values : int
        Rows with a measured value and the score.
    """

    score: str
    auroc: float
    labels: int
    spearman: float
    values: int


def screen_frame(rows: Iterable[ScreenRow]) -> pd.DataFrame:
    """One line per row, columns as `COLUMNS`; whole numbers with missing values are Int64."""
    frame = pd.DataFrame(as_table(rows), columns=list(COLUMNS))
    for name in COLUMNS:
        if name in WHOLE:
            frame[name] = frame[name].astype("Int64")
        elif frame[name].isna().all():
            frame[name] = frame[name].astype("float64")
    return frame


def screen_csv(rows: Iterable[ScreenRow]) -> str:
    """The table as CSV; empty cells are missing values, formulas are defused."""
    return without_formulas(screen_frame(rows)).to_csv(index=False)


def screen_parquet(rows: Iterable[ScreenRow]) -> bytes:
    """The table as Parquet; the data dictionary is in the metadata under ``glass_columns``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(screen_frame(rows), preserve_index=False)
    dictionary = json.dumps({n: vars(c) for n, c in COLUMNS.items()})
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), b"glass_columns": dictionary.encode()}
    )
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


def read_screen_parquet(content: bytes) -> list[ScreenRow]:
    """Inverse of `screen_parquet`.

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
    frame = frame.reindex(columns=list(COLUMNS))  # a file of an earlier version has fewer
    rows = frame[list(COLUMNS)].astype(object).where(frame[list(COLUMNS)].notna(), None)
    return [row_from(values) for values in rows.to_dict("records")]


def rejected_csv(rows: Iterable[ScreenRow]) -> str:
    """Row number, text and reason of what gave no result; '' when all did."""
    bad = [r for r in rows if gave_nothing(r)]
    if not bad:
        return ""
    frame = pd.DataFrame(
        [
            {
                "row": r.row,
                "protein": r.protein,
                "variant": r.variant,
                "status": r.status,
                "reason": r.reason,
            }
            for r in bad
        ]
    )
    return without_formulas(frame).to_csv(index=False)


def dictionary_frame() -> pd.DataFrame:
    """The data dictionary: column, meaning, unit and range."""
    return pd.DataFrame(
        [
            {"column": name, "meaning": c.meaning, "unit": c.unit, "range": c.span}
            for name, c in COLUMNS.items()
        ]
    )


def score_column(frame: pd.DataFrame, score: str) -> pd.Series:
    """One of `SCORES` from the columns of a screen, higher = more damaging."""
    column, minuend = TURNED.get(score, (score, None))
    values = pd.to_numeric(frame[column], errors="coerce").astype(float)
    return values if minuend is None else minuend - values


def agreements(frame: pd.DataFrame) -> list[Agreement]:
    """`Agreement` of every score with the input's labels and values; empty without any."""
    label = frame["label"].astype("float64").to_numpy()
    value = frame["score"].astype("float64").to_numpy()
    if np.isnan(label).all() and np.isnan(value).all():
        return []
    made = []
    for score in SCORES:
        told = score_column(frame, score).to_numpy()
        known = ~np.isnan(told)
        labelled, valued = known & ~np.isnan(label), known & ~np.isnan(value)
        made.append(
            Agreement(
                score,
                auroc(told[labelled], label[labelled]),
                int(labelled.sum()),
                spearman(told[valued], value[valued]),
                int(valued.sum()),
            )
        )
    return made


def agreement_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """`agreements` as a table; empty without labels and values."""
    return pd.DataFrame(
        [
            {
                "score": SCORES[a.score],
                **({"AUROC": a.auroc, "labels": a.labels} if not np.isnan(a.auroc) else {}),
                **(
                    {"Spearman": a.spearman, "values": a.values} if not np.isnan(a.spearman) else {}
                ),
            }
            for a in agreements(frame)
        ]
    )
