"""The Screen page's results: map, ranking, comparison, structure, downloads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from glass_core.errors import GlassError
from glass_core.models.evaluation import read_evaluations
from glass_core.models.registry import list_models
from glass_core.protein.protein import Protein
from glass_core.report.evidence.ranking import ranking_quality
from glass_core.report.external import external_words
from glass_core.report.screen.agreement import agreement_frame
from glass_core.report.screen.exports import screen_csv, screen_parquet
from glass_core.report.screen.figures import (
    FIGURE_COLUMNS,
    against_values,
    distribution,
    heat_map,
    position_means,
)
from glass_core.report.screen.tables import (
    bases,
    dictionary_frame,
    ranking_values,
    rankings_told,
    rejected_csv,
    screen_frame,
    typed,
)
from glass_core.report.viewer import colour_range, position_viewer
from glass_core.runs.bundle import export_bundle
from glass_core.runs.view import Run, View
from glass_core.screen.columns import RANKINGS, SCREEN_COLUMNS
from glass_core.screen.request import ScreenRequest
from pages.parts.common import runs, screen_jobs, settings, viewer_script
from pages.parts.hand_over import HandOver, hand_over
from pages.parts.lookup import plain
from pages.parts.screen_form import queue, title_of
from pages.parts.state import screen_state

PAGE = 100
"""Rows of the ranking that are shown at a time."""
OF_ONE_RUN = ("chosen", "ranking", "threshold", "search", "page", "which_protein", "open_variant")
"""State that must not be carried from one run to another."""
ROWS_A_SECOND = 500
"""Waiting rows by this are the seconds until results are drawn anew: a fifth of the time that
is left, where a hundred rows take a second."""
SPAN = 600
"""Positions that the map shows at a time, at first."""


@st.fragment(run_every=3.0)
def job_progress(run: str) -> None:
    """Rate, remaining time and cancel; hands over to the page when the job ends."""
    status = screen_jobs().status(run)
    if status is None or status.finished:
        st.rerun()
        return
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(min(status.fraction, 1.0), text=status.stage)
    if right.button("Cancel", key="screen_cancel", help="Keeps what is done."):
        screen_jobs().cancel(run)


def screen_results(run: Run) -> None:
    inputs = runs().inputs(run.id)
    if screen_state().shown_run != run.id:
        for key in OF_ONE_RUN:
            st.session_state.pop(key, None)
        screen_state().shown_run, screen_state().clicked = run.id, ()
    status = screen_jobs().status(run.id)
    running = status is not None and not status.finished
    st.subheader(run.name, anchor=False)
    counts = ", ".join(f"{n:,} {what}" for what, n in sorted(run.counts.items()))
    st.caption(f"{counts}. Model {inputs.model}. This page's address leads back here.")
    if running:
        job_progress(run.id)
    elif run.state == "preparing":
        st.warning(
            "The server stopped while this screen was being prepared; start it again.",
            icon=":material/pause_circle:",
        )
    elif run.state != "done":
        error = run.error or (status.error if status is not None else "")
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.warning(
            (f"It ended early: {error} " if error else "")
            + (
                f"{run.waiting:,} variants are still to be done."
                if run.waiting
                else "The second stage is not finished."
            ),
            icon=":material/pause_circle:",
        )
        if right.button("Go on", key="go_on", type="primary", width="stretch"):
            queue(run.id, inputs.model)
            st.rerun()
    # Rows that fill in are drawn anew a few times, the more the seldomer; the form never is.
    every = min(max(run.waiting / ROWS_A_SECOND, 10.0), 120.0) if running else None
    st.fragment(results_now, run_every=every)(run.id)


def results_now(known: str) -> None:
    """All that shows rows, read anew; a fragment has to tell of its errors itself."""
    try:
        run = runs().get(known)
        if run is None:  # deleted meanwhile
            st.rerun()
        else:
            results(run)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")


def results(run: Run) -> None:
    store = runs()
    inputs = store.inputs(run.id)
    frame = typed(
        pd.DataFrame(store.columns(run.id, [*FIGURE_COLUMNS, "protein", "label", "measured_value"]))
    )
    told = rankings_told(frame) or [inputs.ranking]
    ranking = st.selectbox(
        "Ranking",
        told,
        format_func=title_of,
        index=told.index(inputs.ranking) if inputs.ranking in told else 0,
        key="ranking",
    )
    quality(inputs, ranking, frame)
    protein = inputs.proteins[0]
    if len(inputs.proteins) > 1:
        names = [p.short_name for p in inputs.proteins]
        protein = inputs.proteins[names.index(st.selectbox("Protein", names, key="which_protein"))]
        frame = frame[frame["protein"] == protein.short_name]
    chosen = st.session_state.setdefault("chosen", [])
    map_panel(frame, protein, ranking, chosen)
    ranking_panel(run, ranking, inputs)
    chosen_panel(run, inputs)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("#### Distribution")
        threshold = st.session_state.get(f"threshold {ranking}")
        st.plotly_chart(distribution(frame, ranking, chosen, threshold), key="distribution")
        own_values(frame, ranking)
    with right:
        st.markdown("#### Mean per position, on the structure")
        position_panel(frame, protein, ranking)
    downloads(run, inputs)


def quality(inputs: ScreenRequest, ranking: str, frame: pd.DataFrame) -> None:
    """How well the ranking does on unseen proteins, from the model's evidence records."""
    entry = next((e for e in list_models(settings()) if e.name == inputs.model), None)
    records = read_evaluations(entry.source) if entry is not None and entry.card else {}
    for basis in bases(frame, ranking):
        st.caption(ranking_quality(records, ranking, basis))


def map_panel(frame: pd.DataFrame, protein: Protein, ranking: str, chosen: list[int]) -> None:
    st.markdown("#### Every substitution")
    span = None
    if len(protein) > SPAN:
        span = st.slider("Positions", 1, len(protein), (1, SPAN), key=f"span {len(protein)}")
    event = st.plotly_chart(
        heat_map(frame, protein, ranking, chosen, span),
        key="map",
        on_select="rerun",
        selection_mode="points",
        alt="Score of every substitution by residue and position",
    )
    points = [p for p in event["selection"]["points"] if p.get("customdata") is not None]
    clicked = tuple(_row(p["customdata"]) for p in points)
    news, screen_state().clicked = clicked != screen_state().clicked, clicked
    if clicked and news:
        st.session_state["chosen"] = [*dict.fromkeys([*chosen, *clicked])]
        st.rerun()
    st.caption("Grey dots: the wild type. Click a cell to choose a variant; drag to zoom.")


def _row(customdata: object) -> int:
    value = customdata[0] if isinstance(customdata, (list, tuple)) else customdata
    return int(str(value))


def ranking_panel(run: Run, ranking: str, inputs: ScreenRequest) -> None:
    """One page of the ranked rows at a time; sorting, filtering and counting are the store's."""
    st.markdown("#### Ranking")
    left, middle, right = st.columns([1.2, 1.6, 1])
    search = left.text_input("Contains", key="search", placeholder="R175 or 175H")
    low, high = bounds(run, ranking)
    threshold = (
        middle.slider(
            "At least",
            low,
            high,
            low,
            (high - low) / 200,
            format="%.4g",
            key=f"threshold {ranking}",
        )
        if high > low
        else low
    )
    at_least = threshold if threshold > low else None
    view = View(order=ranking, descending=True, search=search.strip(), at_least=at_least)
    number = runs().count(run.id, view)
    pages = max(-(-number // PAGE), 1)
    page = right.number_input("Page", 1, pages, 1, key="page")
    shown = screen_frame(runs().rows(run.id, replace(view, offset=(page - 1) * PAGE, limit=PAGE)))
    st.caption(f"{number:,} of {run.total:,} pass; page {page} of {pages}")
    columns = [n for n, c in SCREEN_COLUMNS.items() if c.shown and shown[n].notna().any()]
    if len(inputs.proteins) == 1:
        columns = [c for c in columns if c != "protein"]
    shown_rows = tuple(shown["row"])
    event = st.dataframe(
        shown[columns],
        hide_index=True,
        key=f"ranking {hash(shown_rows)}",
        on_select="rerun",
        selection_mode="multi-row",
        height=390,
        column_config=column_config(columns),
    )
    whose = external_words(s for p in inputs.proteins for s in p.external)
    if whose:
        st.caption(plain(whose))
    picked = [int(shown["row"].iloc[i]) for i in event["selection"]["rows"]]
    if picked and st.button(f"Choose these {len(picked)}", key="choose"):
        st.session_state["chosen"] = [*dict.fromkeys([*st.session_state["chosen"], *picked])]
        st.rerun()


def column_config(names: list[str]) -> dict[str, Any]:
    """Titles, explanations and digits of columns of a screen, from the one table."""
    config: dict[str, Any] = {}
    for name in names:
        column = SCREEN_COLUMNS[name]
        title = column.title or name
        if column.kind == "number":
            config[name] = st.column_config.NumberColumn(
                title, help=column.meaning, format=f"%.{column.digits}f"
            )
        else:
            config[name] = st.column_config.Column(title, help=column.meaning)
    return config


def bounds(run: Run, ranking: str) -> tuple[float, float]:
    ends = [runs().rows(run.id, View(order=ranking, descending=d, limit=1)) for d in (False, True)]
    values = [float(ranking_values(screen_frame(e), ranking).iloc[0]) for e in ends if e]
    if len(values) < 2 or pd.isna(values).any():
        return 0.0, 0.0
    return values[0], values[1]


def chosen_panel(run: Run, inputs: ScreenRequest) -> None:
    """The chosen variants side by side, and the way to the Impact page."""
    chosen = st.session_state["chosen"]
    if not chosen:
        return
    st.markdown("#### Chosen")
    rows = [r for n in chosen[:50] for r in runs().rows(run.id, View(row=n))]
    table = screen_frame(rows)
    kept = [c for c in table if table[c].notna().any() and c not in ("model", "row", "variant")]
    labels = {r.row: f"{r.variant} ({r.protein}, row {r.row})" for r in rows}
    table.index = pd.Index([labels[r.row] for r in rows])
    st.dataframe(table[kept].T.astype(str), key="compare")
    left, middle, right = st.columns([1.4, 1, 1], vertical_alignment="bottom")
    readable = {r.row: r for r in rows if r.status != "rejected"}
    if readable:
        number = left.selectbox(
            "Variant", list(readable), format_func=labels.__getitem__, key="open_variant"
        )
        if middle.button("Open on the Impact page", key="open", width="stretch"):
            row = readable[number]
            protein = next(p for p in inputs.proteins if p.short_name == row.protein)
            hand_over("impact", HandOver.of_protein(protein, row.variant))
            st.switch_page("pages/impact.py")
    if right.button("Clear", key="clear", width="stretch"):
        st.session_state["chosen"] = []
        st.rerun()


def own_values(frame: pd.DataFrame, ranking: str) -> None:
    """What came with the upload: AUROC against labels, Spearman against values."""
    table = agreement_frame(frame)
    if table.empty:
        return
    st.markdown("#### Against your own values")
    st.dataframe(
        table,
        hide_index=True,
        key="agreement",
        column_config={
            c: st.column_config.NumberColumn(format="%.3f") for c in ("AUROC", "Spearman")
        },
    )
    st.caption(
        "All rankings rise with damage. Where your values rise with fitness a good ranking has "
        "a negative Spearman."
    )
    if frame["measured_value"].notna().any():
        st.plotly_chart(against_values(frame, ranking), key="against")


def position_panel(frame: pd.DataFrame, protein: Protein, ranking: str) -> None:
    if protein.structure is None:
        st.info(
            "Add a structure to see where in the fold the sensitive positions lie.",
            icon=":material/info:",
        )
        return
    means = position_means(frame, ranking, len(protein))
    external = RANKINGS[ranking].external
    st.iframe(position_viewer(protein, means, viewer_script(), external=external), height=510)
    low, high = colour_range(means)
    st.caption(
        f"Mean {title_of(ranking)} over the substitutions of each position, pale at {low:.2g} "
        f"to darkest at {high:.2g}; grey: none."
    )


def downloads(run: Run, inputs: ScreenRequest) -> None:
    st.markdown("#### Downloads")
    store = runs()
    files: list[tuple[str, str, str, Callable[[], str | bytes]]] = [
        ("CSV", "csv", "text/csv", lambda: screen_csv(store.rows(run.id))),
        (
            "Parquet",
            "parquet",
            "application/vnd.apache.parquet",
            lambda: screen_parquet(store.rows(run.id)),
        ),
        (
            "Rejected rows",
            "rejected.csv",
            "text/csv",
            lambda: rejected_csv(store.rows(run.id)) or "row,protein,variant,status,reason\n",
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
        st.dataframe(dictionary_frame(), hide_index=True, key="dictionary")
