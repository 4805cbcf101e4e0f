"""The ranked rows of a screen, a page at a time, and those that could not be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from glass_core.report.external import external_words
from glass_core.report.screen.tables import first_columns, own_frame, ranking_values, screen_frame
from glass_core.runs.view import Run, View
from glass_core.screen.columns import SCREEN_COLUMNS
from glass_core.screen.request import ScreenRequest
from pages.parts.common import plain, runs
from pages.parts.screen_goal import ranking_title
from pages.parts.screen_table import open_buttons, rows_table, title_of_column

PAGE = 100
"""Rows that are shown at a time."""
MOST_REJECTED = 1000
ROW_HIGH, MOST_HIGH = 35, 390
"""Pixels of a row, and of the table at most."""


def ranking_panel(run: Run, ranking: str, request: ScreenRequest) -> None:
    """One page of the ranked rows at a time; sorting, filtering and counting are the store's."""
    st.markdown("#### Ranking")
    left, middle, right, last = st.columns([1.2, 2, 0.7, 0.9], vertical_alignment="bottom")
    search = left.text_input(
        "Contains", key="search", persist_state="session", placeholder="R175 or 175H"
    )
    low, high = bounds(run, ranking)
    threshold = (
        middle.slider(
            f"{ranking_title(ranking).capitalize()}, at least",
            low,
            high,
            low,
            (high - low) / 200,
            format="%.3g",
            key=f"threshold {ranking}",
            persist_state="session",
        )
        if high > low
        else low
    )
    view = View(
        order=ranking,
        descending=True,
        search=search.strip(),
        at_least=threshold if threshold > low else None,
        readable=True,
    )
    number, readable = runs().count(run.id, view), runs().count(run.id, View(readable=True))
    pages = max(-(-number // PAGE), 1)
    page = right.number_input("Page", 1, pages, 1, key="page", persist_state="session")
    rows = runs().rows(run.id, replace(view, offset=(page - 1) * PAGE, limit=PAGE))
    own = own_frame(rows)
    ours = screen_frame(rows)
    first = first_columns(ours, ranking)
    shown = pd.concat([ours, own.astype("string")], axis=1)
    offered = [n for n in SCREEN_COLUMNS if n != "row" and shown[n].notna().any()] + [*own]
    with last.popover("Columns", width="stretch"):
        columns = st.multiselect(
            "Columns",
            offered,
            first,
            format_func=title_of_column,
            key=f"columns {run.id} {' '.join(first)}",
            persist_state="session",  # what fills in is shown, too
        )
    st.caption(f"{number:,} of {readable:,} pass; page {page} of {pages}, most damaging first")
    event = rows_table(
        shown,
        columns or first,
        f"ranking {hash((tuple(shown['row']), tuple(columns)))}",
        on_select="rerun",
        selection_mode="multi-row",
        height=min(MOST_HIGH, ROW_HIGH * (len(shown) + 1) + 3),
    )
    whose = external_words(s for p in request.proteins for s in p.external)
    if whose:
        st.caption(plain(whose))
    picked = [rows[i] for i in event["selection"]["rows"]]
    if not picked:
        st.caption("Tick rows to choose them or to open them on the Impact page.")
        return
    these = "this one" if len(picked) == 1 else f"these {len(picked)}"
    if st.button(f"Choose {these}", key="choose"):
        chosen = [*st.session_state["chosen"], *(row.row for row in picked)]
        st.session_state["chosen"] = [*dict.fromkeys(chosen)]
        st.rerun()
    open_buttons(run, request.model, picked, "ranked")


def bounds(run: Run, ranking: str) -> tuple[float, float]:
    ends = [runs().rows(run.id, View(order=ranking, descending=d, limit=1)) for d in (False, True)]
    values = [float(ranking_values(screen_frame(e), ranking).iloc[0]) for e in ends if e]
    if len(values) < 2 or np.isnan(values).any():
        return 0.0, 0.0
    return values[0], values[1]


def rejected_panel(run: Run) -> None:
    """The rows that could not be read, each with its whole reason."""
    number = run.counts.get("rejected", 0)
    if not number:
        return
    with st.expander(f"Rejected rows ({number:,})"):
        rows = runs().rows(run.id, View(status="rejected", limit=MOST_REJECTED))
        rows_table(screen_frame(rows), ["row", "given", "reason"], "rejected")
