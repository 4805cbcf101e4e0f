"""Tables of a screen: frame, data dictionary, rejected rows, and what they agree with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from glass_core.report.evidence.ranking import Basis
from glass_core.report.impact.tables import without_formulas
from glass_core.screen.columns import RANKINGS, SCREEN_COLUMNS, SCREEN_FORMAT
from glass_core.screen.rows import ScreenRow, as_table, gave_nothing

FORMAT_COLUMN = "format"
"""Of a CSV: which kind of table it is, and its number."""
_STRUCTURE_READ = {
    "p_combined": "combined_structure",
    "p_damaging": "effect_structure",
    "effect": "effect_structure",
    "ddg": "ddg_structure",
}
_ALIGNMENT_COUNTED = {"p_combined": "combined_alignment"}
"""Ranking -> the column that says whether its value rests on a structure, or on an alignment."""


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


_FIRST = (
    "p_combined",
    "combined_percentile",
    "ddg",
    "effect",
    "alignment_log_odds",
    "alphamissense",
    "alphamissense_class",
    "esm2",
    "measured_tm",
    "measured_strain_site",
    "above_floor_strain",
    "label",
    "measured_value",
)
"""What a reader is shown first of a variant, behind its ranking."""


def first_columns(frame: pd.DataFrame, ranking: str) -> list[str]:
    """The few columns that a list of variants begins with: those that hold a value.

    Status and reason are among them where a row gave no result, or has one.
    """
    several = frame["protein"].nunique() > 1
    given = ["given"] if not frame["given"].equals(frame["written"]) else []
    names = ["written", *["protein"] * several, *given, RANKINGS[ranking].column, *_FIRST]
    wanted = list(dict.fromkeys(names))
    if frame["status"].isin(["rejected", "failed"]).any():
        wanted.append("status")
    if frame["reason"].fillna("").ne("").any():
        wanted.append("reason")
    return [name for name in wanted if frame[name].notna().any()]


def own_frame(rows: Sequence[ScreenRow]) -> pd.DataFrame:
    """The columns of the user's table, unchanged, under the names of `own_names`."""
    names = own_names(rows[0].own) if rows else {}
    return pd.DataFrame(
        {name: [row.own[column] for row in rows] for column, name in names.items()}, dtype=object
    )


def variant_names(frame: pd.DataFrame) -> pd.Series:
    """Each variant as the user counts; by sequence position where a table has nothing else."""
    if "written" not in frame:
        return frame["variant"]
    return frame["written"].fillna(frame["variant"])


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


def dictionary_frame(own: Iterable[str] = ()) -> pd.DataFrame:
    """The data dictionary: column, meaning, unit and range.

    `own`: the columns of the user's table; see `exports.own_names`.
    """
    ours = [(name, c.meaning, c.unit, c.span) for name, c in SCREEN_COLUMNS.items()]
    theirs = [
        (name, f"the input's own column '{column}', unchanged", "", "")
        for column, name in own_names(own).items()
    ]
    return pd.DataFrame([*ours, *theirs], columns=["column", "meaning", "unit", "range"])


def own_names(columns: Iterable[str]) -> dict[str, str]:
    """What the columns of the user's table are called behind ours: as they are, or with a prefix.

    Examples
    --------
    >>> own_names(["variant", "note"])
    {'variant': 'input_variant', 'note': 'note'}
    """
    taken, named = {*SCREEN_COLUMNS, FORMAT_COLUMN}, dict[str, str]()
    wanted = list(columns)
    for column in wanted:
        name = column
        while name in taken or (name != column and name in wanted):
            name = f"input_{name}"
        taken.add(name)
        named[column] = name
    return named


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


def columns_document() -> str:
    """The page ``docs/screen-columns.md``: the data dictionary as Markdown."""
    lines = [
        "# Columns of a screen",
        "",
        "One row per variant asked for. An empty cell (null) means no value, never 0. Everything "
        "called predicted comes from the model named in `model`. The CSV has one more column, "
        f"`{FORMAT_COLUMN}`, which is `{SCREEN_FORMAT}`; the Parquet file says so in its metadata, "
        "the JSON file beside its rows.",
        "",
        "Where the variants came from a table, all its columns stand behind these, unchanged and "
        "by their own names; one that is called like a column here gets `input_` before its name. "
        "In the CSV, text that a spreadsheet would run as a formula begins with an apostrophe.",
        "",
        "| column | meaning | unit | range |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {c.meaning} | {c.unit} | {c.span} |" for name, c in SCREEN_COLUMNS.items()
    ]
    return "\n".join([*lines, ""])
