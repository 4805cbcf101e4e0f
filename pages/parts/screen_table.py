"""Tables of a screen's rows: titles, digits, and the way from a row to the Impact page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from glass_core.errors import GlassError
from glass_core.runs.second_stage import analysis_of
from glass_core.runs.view import Run
from glass_core.screen.columns import SCREEN_COLUMNS
from glass_core.screen.rows import ScreenRow
from pages.parts.common import plain, predictor, runs
from pages.parts.state import impact_state
from pages.parts.turn import in_turn

MOST_BUTTONS = 12
"""Rows that have a button of their own."""
_WIDTHS = {"reason": 460, "written": 110, "given": 110, "protein": 110, "status": 90}
"""Of columns whose text would be cut, in pixels."""


def title_of_column(name: str) -> str:
    """Of one of ours, or of the user's table."""
    if name not in SCREEN_COLUMNS:
        return f"{name.removeprefix('input_')} (yours)"
    return SCREEN_COLUMNS[name].title or name.replace("_", " ")


def column_config(names: Sequence[str]) -> dict[str, Any]:
    """Titles, explanations, digits and widths of columns of a screen, from the one table."""
    config: dict[str, Any] = {}
    for name in names:
        title = title_of_column(name)
        column = SCREEN_COLUMNS.get(name)
        if column is None:
            config[name] = st.column_config.Column(title)
        elif column.kind == "number":
            config[name] = st.column_config.NumberColumn(
                title, help=column.meaning, format=f"%.{column.digits}f"
            )
        else:
            config[name] = st.column_config.Column(
                title, help=column.meaning, width=_WIDTHS.get(name)
            )
    return config


def rows_table(frame: pd.DataFrame, names: Sequence[str], key: str, **more: Any) -> Any:
    """A table of some columns of a screen."""
    return st.dataframe(
        frame[list(names)], hide_index=True, key=key, column_config=column_config(names), **more
    )


def open_buttons(run: Run, model: str, rows: Sequence[ScreenRow], where: str) -> None:
    """A button per row that could be read, which opens it on the Impact page."""
    readable = [row for row in rows if row.status != "rejected"]
    several = len({row.protein for row in readable}) > 1
    with st.container(horizontal=True):
        for row in readable[:MOST_BUTTONS]:
            name = f"{row.written} of {row.protein}" if several else str(row.written)
            measured = " · measured" if row.measured_tm is not None else ""
            if st.button(
                f"Open {plain(name)}{measured}",
                key=f"open {where} {row.row}",
                icon=":material/genetics:",
                help="On the Impact page, as it was measured."
                if measured
                else "On the Impact page, as a prediction.",
            ):
                open_row(run, model, row)
    if len(readable) > MOST_BUTTONS:
        st.caption(f"Buttons for the first {MOST_BUTTONS} of {len(readable)}.")


def open_row(run: Run, model: str, row: ScreenRow) -> None:
    """Leave for the Impact page, with the whole analysis of a row."""
    try:
        kept = in_turn(
            "Opening.",
            lambda watch: analysis_of(runs(), run.id, row.row, predictor=predictor(model)),
        )
    except GlassError as error:
        st.error(str(error), icon=":material/error:")
        return
    impact_state().screen = run.id
    st.switch_page("pages/impact.py", query_params={"run": kept})
