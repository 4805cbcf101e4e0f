"""The map of a screen, and beneath it the variants that were chosen from it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from glass_core.errors import GlassError
from glass_core.protein.protein import Protein
from glass_core.report.screen.figures import FIGURE_COLUMNS, heat_map, with_chosen
from glass_core.report.screen.tables import first_columns, ranking_values, screen_frame, typed
from glass_core.runs.view import Run, View
from glass_core.screen.request import ScreenRequest
from pages.parts.common import runs
from pages.parts.screen_table import open_buttons, rows_table

SPAN = 600
"""Positions that the map shows at a time, at first."""
MOST_CHOSEN = 50


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A map as it was sent to the browser; drawn again only when something of it changed."""

    of: tuple[object, ...]
    figure: go.Figure


def figures_frame(run: str, *more: str) -> pd.DataFrame:
    """The columns that figures need, of all rows, and `more`."""
    names = list(dict.fromkeys([*FIGURE_COLUMNS, "protein", "status", *more]))
    return typed(pd.DataFrame(runs().columns(run, names)))


def fills_in(frame: pd.DataFrame, ranking: str) -> bool:
    """Whether rows that wait have no value of the ranking yet, so that its map will change."""
    waiting = frame[frame["status"] == "waiting"]
    return bool(len(waiting)) and bool(ranking_values(waiting, ranking).isna().any())


def map_panel(run: Run, request: ScreenRequest, protein: Protein, ranking: str) -> None:
    """A fragment of its own: a click draws nothing else anew, and nothing else draws this."""
    try:
        chosen = st.session_state.setdefault("chosen", [])
        frame = figures_frame(run.id)
        if len(request.proteins) > 1:
            frame = frame[frame["protein"] == protein.short_name]
        _map(run, frame, protein, ranking, chosen)
        chosen_panel(run, request, ranking)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")


def _map(run: Run, frame: pd.DataFrame, protein: Protein, ranking: str, chosen: list[int]) -> None:
    span = None
    if len(protein) > SPAN:
        span = st.slider("Positions", 1, len(protein), (1, SPAN), key=f"span {len(protein)}")
    waiting = int((frame["status"] == "waiting").sum())
    values = ranking_values(frame, ranking)
    # While rows that change nothing here are being done, the map stays the one that is there.
    version = int(values.notna().sum()) if waiting else -1
    of = (run.id, protein.short_name, ranking, span, version)
    drawn: _Drawn | None = st.session_state.get("map_drawn")
    if drawn is None or drawn.of != of:
        drawn = _Drawn(of, heat_map(frame, protein, ranking, span=span))
        st.session_state["map_drawn"] = drawn
    st.plotly_chart(
        with_chosen(drawn.figure, frame, chosen),
        key="map",
        on_select=_take_clicks,
        selection_mode="points",
        alt="Score of every substitution by residue and position",
        config={
            "displaylogo": False,
            "showSendToCloud": False,
            "modeBarButtonsToRemove": ["select2d", "lasso2d"],
        },
    )
    st.caption("Grey dots: the wild type. Click a cell to choose a variant; drag to zoom.")


def _take_clicks() -> None:
    """Add what was clicked to the chosen variants; before anything is drawn, so only once."""
    points = st.session_state["map"]["selection"]["points"]
    clicked = [_row(p["customdata"]) for p in points if p.get("customdata") is not None]
    chosen = st.session_state.get("chosen", [])
    st.session_state["chosen"] = [*dict.fromkeys([*chosen, *clicked])]


def _clear() -> None:
    st.session_state["chosen"] = []


def _row(customdata: object) -> int:
    value = customdata[0] if isinstance(customdata, (list, tuple)) else customdata
    return int(str(value))


def chosen_panel(run: Run, request: ScreenRequest, ranking: str) -> None:
    """The chosen variants side by side, scores first, and a way to the Impact page for each."""
    chosen = st.session_state["chosen"]
    rows = [row for n in chosen[:MOST_CHOSEN] for row in runs().rows(run.id, View(row=n))]
    if not rows:
        return
    left, right = st.columns([6, 1], vertical_alignment="bottom")
    left.markdown(f"#### Chosen ({len(rows)})")
    right.button("Clear", key="clear", width="stretch", on_click=_clear)
    table = screen_frame(rows)
    rows_table(table, first_columns(table, ranking), "compare")
    open_buttons(run, request.model, rows, "chosen")
