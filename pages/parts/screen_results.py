"""The Screen page's results: progress, ranking, structure, downloads."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from glass_core.errors import GlassError
from glass_core.protein.protein import Protein
from glass_core.report.evidence.ranking import ranking_quality
from glass_core.report.screen.exports import screen_csv, screen_json, screen_parquet
from glass_core.report.screen.figures import distribution, position_means
from glass_core.report.screen.scene import position_scene
from glass_core.report.screen.tables import (
    bases,
    dictionary_frame,
    ranking_values,
    rankings_told,
    rejected_csv,
)
from glass_core.runs.bundle import export_bundle
from glass_core.runs.view import Run, View
from glass_core.screen.columns import RANKINGS
from glass_core.screen.goal import GOAL_TITLES
from glass_core.screen.request import ScreenRequest
from pages.parts.common import plain, records_of, runs, screen_jobs
from pages.parts.linked import library, structure_view
from pages.parts.screen_agreement import own_values
from pages.parts.screen_goal import best_for, ranking_title
from pages.parts.screen_job import going_on, job_progress, queue
from pages.parts.screen_map import figures_frame, fills_in, map_panel
from pages.parts.screen_ranking import ranking_panel, rejected_panel
from pages.parts.state import screen_state

OF_ONE_RUN = ("chosen", "ranking", "search", "page", "which_protein", "map_drawn")
"""State that must not be carried from one run to another."""
ROWS_A_SECOND = 500
"""Waiting rows by this are the seconds until results are drawn anew: a fifth of the time that
is left, where a hundred rows take a second."""


def screen_results(run: Run) -> None:
    """All of a screen; what fills in is drawn anew now and then, each part by itself."""
    request = runs().inputs(run.id)
    if screen_state().shown_run != run.id:
        for key in OF_ONE_RUN:
            st.session_state.pop(key, None)
        screen_state().shown_run = run.id
    st.subheader(plain(run.name), anchor=False)
    running = going_on(run.id)
    counts = ", ".join(
        f"{n:,} {what}"
        for what, n in sorted(run.counts.items())
        if not (running and what in ("waiting", "done"))  # of which the line below tells
    )
    counts = counts or f"{run.total:,} variants"
    after = "" if request.goal is None else f" After: {GOAL_TITLES[request.goal].lower()}."
    st.caption(f"{counts}. Model {request.model}.{after} This page's address leads back here.")
    state_line(run, request, running)
    frame = figures_frame(run.id, "label", "measured_value")
    ranking = ranking_choice(request, frame)
    protein = protein_choice(request)
    every = min(max(run.waiting / ROWS_A_SECOND, 10.0), 120.0) if running else None
    st.markdown("#### Every substitution")
    changing = every if fills_in(frame, ranking) else None
    st.fragment(map_panel, run_every=changing)(run, request, protein, ranking)
    st.fragment(table_now, run_every=every)(run.id, ranking)
    st.fragment(figures_now, run_every=every)(run.id, request, protein, ranking)
    if protein.structure is not None:
        library("$3Dmol")
    downloads(run)


def state_line(run: Run, request: ScreenRequest, running: bool) -> None:
    """How far it is; what ended it, and the button that goes on."""
    if running:
        job_progress(run.id)
        return
    if run.state == "preparing":
        st.warning(
            "The server stopped while this screen was being prepared; start it again.",
            icon=":material/pause_circle:",
        )
        return
    if run.state == "done":
        return
    status = screen_jobs().status(run.id)
    error = run.error or (status.error if status is not None else "")
    ended = "It was cancelled; what is done is kept. " if run.state == "cancelled" else ""
    if error and run.state != "cancelled":
        ended = f"It ended early: {error} "
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.warning(
        ended
        + (
            f"{run.waiting:,} variants are still to be done."
            if run.waiting
            else "The second stage is not finished."
        ),
        icon=":material/pause_circle:",
    )
    if right.button("Go on", key="go_on", type="primary", width="stretch"):
        queue(run.id, request.model)
        st.rerun()


def ranking_choice(request: ScreenRequest, frame: pd.DataFrame) -> str:
    """What to rank by, at first what the screen goes by; and why that."""
    told = rankings_told(frame) or [request.ranking]
    left, right = st.columns([1, 2.6], vertical_alignment="bottom")
    ranking: str = left.selectbox(
        "Ranking",
        told,
        format_func=ranking_title,
        index=told.index(request.ranking) if request.ranking in told else 0,
        key="ranking",
        persist_state="session",
    )
    with right:
        st.caption(plain(why(request, ranking, told, frame)))
    return ranking


def why(request: ScreenRequest, ranking: str, told: list[str], frame: pd.DataFrame) -> str:
    """Why this ranking leads, or how well it does where another would."""
    found = bases(frame, ranking)
    if request.goal is not None:
        seen = any(basis.structure for name in told for basis in bases(frame, name))
        best = best_for(request.goal, request.model, request.proteins, told, seen)
        if best.ranking == ranking:
            return best.why
    records = records_of(request.model)
    return " ".join(ranking_quality(records, ranking, basis) for basis in found)


def protein_choice(request: ScreenRequest) -> Protein:
    if len(request.proteins) == 1:
        return request.proteins[0]
    names = [p.short_name for p in request.proteins]
    return request.proteins[
        names.index(st.selectbox("Protein", names, key="which_protein", persist_state="session"))
    ]


def table_now(known: str, ranking: str) -> None:
    """The ranked rows, read anew; a fragment has to tell of its errors itself."""
    try:
        run = runs().get(known)
        if run is None:  # deleted meanwhile
            st.rerun()
        else:
            ranking_panel(run, ranking, runs().inputs(known))
            rejected_panel(run)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")


def figures_now(known: str, request: ScreenRequest, protein: Protein, ranking: str) -> None:
    """How the ranking is spread, where it is high, and what it agrees with; read anew."""
    try:
        frame = figures_frame(known, "label", "measured_value")
        if len(request.proteins) > 1:
            frame = frame[frame["protein"] == protein.short_name]
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown("#### Distribution")
            threshold = st.session_state.get(f"threshold {ranking}")
            if threshold is not None and threshold <= ranking_values(frame, ranking).min():
                threshold = None  # which leaves nothing out
            chosen = st.session_state.get("chosen", [])
            st.plotly_chart(distribution(frame, ranking, chosen, threshold), key="distribution")
        with right:
            st.markdown("#### Mean per position, on the structure")
            position_panel(frame, protein, ranking)
        own_values(known, protein.short_name, frame, ranking)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")


def position_panel(frame: pd.DataFrame, protein: Protein, ranking: str) -> None:
    if protein.structure is None:
        st.info(
            "Add a structure to see where in the fold the sensitive positions lie.",
            icon=":material/info:",
        )
        return
    means = position_means(frame, ranking, len(protein))
    external = RANKINGS[ranking].external
    shown = position_scene(protein, means, ranking_title(ranking), external=external)
    structure_view(shown, "means", lambda: None)


def downloads(run: Run) -> None:
    st.markdown("#### Downloads")
    store = runs()
    files: list[tuple[str, str, str, Callable[[], str | bytes]]] = [
        ("CSV", "csv", "text/csv", lambda: screen_csv(store.each_row(run.id))),
        (
            "Parquet",
            "parquet",
            "application/vnd.apache.parquet",
            lambda: screen_parquet(store.each_row(run.id)),
        ),
        ("JSON", "json", "application/json", lambda: screen_json(store.each_row(run.id))),
        (
            "Rejected rows",
            "rejected.csv",
            "text/csv",
            lambda: rejected_csv(store.each_row(run.id)) or "row,protein,variant,status,reason\n",
        ),
        ("Everything (zip)", "zip", "application/zip", lambda: export_bundle(store, run.id)),
    ]
    for column, (label, suffix, mime, make) in zip(st.columns(len(files)), files, strict=True):
        column.download_button(
            label,
            make,
            file_name=f"glass-screen-{run.id}.{suffix}",
            mime=mime,
            key=f"download {label}",
            on_click="ignore",
            width="stretch",
        )
    with st.expander("What the columns mean"):
        own = next((row.own for row in store.rows(run.id, View(limit=1))), {})
        st.dataframe(dictionary_frame(own), hide_index=True, key="dictionary")
