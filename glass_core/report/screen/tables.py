"""Tables of a screen: frame, CSV, Parquet, data dictionary, and what they agree with."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glass_core.inputs.table import read_parquet
from glass_core.metrics.agreement import auroc, spearman
from glass_core.report.evidence.ranking import Basis
from glass_core.report.impact.tables import without_formulas
from glass_core.screen.columns import RANKINGS, RENAMED, SCREEN_COLUMNS, SCREEN_FORMAT
from glass_core.screen.rows import ScreenRow, as_table, gave_nothing, row_from

_STRUCTURE_READ = {
    "p_combined": "combined_structure",
    "p_damaging": "effect_structure",
    "effect": "effect_structure",
    "ddg": "ddg_structure",
}
_ALIGNMENT_COUNTED = {"p_combined": "combined_alignment"}
"""Ranking -> the column that says whether its value rests on a structure, or on an alignment."""


@dataclass(frozen=True)
class Agreement:
    """How well a ranking agrees with what came with the input.

    Attributes
    ----------
    ranking : str
        One of `RANKINGS`.
    auroc : float
        Against the labels; NaN without labels of both kinds.
    labels : int
        Rows with a label and a value of the ranking.
    spearman : float
        Against the measured values; NaN with fewer than three.
    values : int
        Rows with a measured value and one of the ranking.
    """

    ranking: str
    auroc: float
    labels: int
    spearman: float
    values: int


def screen_frame(rows: Iterable[ScreenRow]) -> pd.DataFrame:
    """One line per row, columns as `SCREEN_COLUMNS`; see `typed`."""
    return typed(pd.DataFrame(as_table(rows), columns=list(SCREEN_COLUMNS)))


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns of a screen with their types: whole numbers with missing values are Int64."""
    for name in frame.columns:
        if SCREEN_COLUMNS[name].kind == "whole":
            frame[name] = pd.to_numeric(frame[name]).astype("Int64")
        elif frame[name].isna().all():
            frame[name] = frame[name].astype("float64")
    return frame


def shown_columns(frame: pd.DataFrame) -> list[str]:
    """The columns that a reader sees first: those with a value that no other before tells.

    The variant as given and by sequence position are left out where they are as written.
    """
    shown = [name for name, c in SCREEN_COLUMNS.items() if c.shown and name in frame]
    repeats = {
        name
        for name in ("given", "variant")
        if name in frame and "written" in frame and frame[name].equals(frame["written"])
    }
    return [name for name in shown if name not in repeats and frame[name].notna().any()]


def variant_names(frame: pd.DataFrame) -> pd.Series:
    """Each variant as the user counts; by sequence position where a table has nothing else."""
    if "written" not in frame:
        return frame["variant"]
    return frame["written"].fillna(frame["variant"])


def screen_csv(rows: Iterable[ScreenRow]) -> str:
    """The table as CSV; empty cells are missing values, formulas are defused.

    One more column, ``format``, names this kind of table and its number.
    """
    frame = screen_frame(rows).assign(format=SCREEN_FORMAT)
    return without_formulas(frame).to_csv(index=False)


def screen_parquet(rows: Iterable[ScreenRow]) -> bytes:
    """The table as Parquet; the metadata hold the dictionary and the format of the table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(screen_frame(rows), preserve_index=False)
    dictionary = json.dumps({n: vars(c) for n, c in SCREEN_COLUMNS.items()})
    table = table.replace_schema_metadata(
        {
            **(table.schema.metadata or {}),
            b"glass_columns": dictionary.encode(),
            b"glass_format": SCREEN_FORMAT.encode(),
        }
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
    frame = frame.rename(columns=RENAMED)
    frame = frame.reindex(columns=list(SCREEN_COLUMNS))  # a file of an earlier version has fewer
    rows = frame.astype(object).where(frame.notna(), None)
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
            for name, c in SCREEN_COLUMNS.items()
        ]
    )


def ranking_values(frame: pd.DataFrame, ranking: str) -> pd.Series:
    """One of `RANKINGS` from the columns of a screen, higher = more damaging."""
    order = RANKINGS[ranking]
    return order.of(pd.to_numeric(frame[order.column], errors="coerce").astype(float))


def rankings_told(frame: pd.DataFrame) -> list[str]:
    """The names in `RANKINGS` whose column has a value somewhere."""
    return [
        name for name, r in RANKINGS.items() if r.column in frame and frame[r.column].notna().any()
    ]


def bases(frame: pd.DataFrame, ranking: str) -> tuple[Basis, ...]:
    """What the values of a ranking rest on: each answer that rows give, the most first."""
    told = frame[ranking_values(frame, ranking).notna()]

    def yes(columns: Mapping[str, str]) -> pd.Series:
        name = columns.get(ranking, "")
        if name not in told:
            return pd.Series(False, index=told.index)
        return pd.to_numeric(told[name], errors="coerce").eq(1.0).fillna(False).astype(bool)

    pairs = set(zip(yes(_STRUCTURE_READ), yes(_ALIGNMENT_COUNTED), strict=True))
    found = {Basis(bool(structure), bool(alignment)) for structure, alignment in pairs}
    return tuple(sorted(found, reverse=True)) or (Basis(),)


def agreements(frame: pd.DataFrame) -> list[Agreement]:
    """`Agreement` of every ranking with the input's labels and values; empty without any."""
    label = frame["label"].astype("float64").to_numpy()
    measured = frame["measured_value"].astype("float64").to_numpy()
    if np.isnan(label).all() and np.isnan(measured).all():
        return []
    by_ranking = []
    for ranking in rankings_told(frame):
        predicted = ranking_values(frame, ranking).to_numpy()
        known = ~np.isnan(predicted)
        labelled, valued = known & ~np.isnan(label), known & ~np.isnan(measured)
        by_ranking.append(
            Agreement(
                ranking,
                auroc(predicted[labelled], label[labelled]),
                int(labelled.sum()),
                spearman(predicted[valued], measured[valued]),
                int(valued.sum()),
            )
        )
    return by_ranking


def agreement_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """`agreements` as a table; empty without labels and values."""
    return pd.DataFrame(
        [
            {
                "ranking": RANKINGS[a.ranking].title,
                **({"AUROC": a.auroc, "labels": a.labels} if not np.isnan(a.auroc) else {}),
                **(
                    {"Spearman": a.spearman, "values": a.values} if not np.isnan(a.spearman) else {}
                ),
            }
            for a in agreements(frame)
        ]
    )


def columns_document() -> str:
    """The page ``docs/screen-columns.md``: the data dictionary as Markdown."""
    lines = [
        "# Columns of a screen",
        "",
        "One row per variant asked for. An empty cell (null) means no value, never 0. Everything "
        "called predicted comes from the model named in `model`. The CSV has one more column, "
        f"`format`, which is `{SCREEN_FORMAT}`; the Parquet file says so in its metadata.",
        "",
        "| column | meaning | unit | range |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {c.meaning} | {c.unit} | {c.span} |" for name, c in SCREEN_COLUMNS.items()
    ]
    return "\n".join([*lines, ""])
