"""The Runs page: every analysis and screen kept here; name, open, export, import, delete."""

from __future__ import annotations

from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from glass_core.errors import GlassError
from glass_core.runs.bundle import export_bundle, import_bundle
from glass_core.runs.view import Run
from pages.parts.common import runs, screen_jobs, through_the_front_door, viewer_script
from pages.parts.workbench import BESIDE, MOST_BESIDE, of_one_protein

SHOWN = 200
PAGES = {"screen": "pages/screen.py", "impact": "pages/impact.py"}
SHAPES = {
    "star": st.column_config.TextColumn("★", width=40),
    "name": st.column_config.TextColumn(width=220),
    "verdict": st.column_config.TextColumn(width=420),
    "P": st.column_config.NumberColumn(
        format="%.2f", help="Predicted chance of being damaging.", width=70
    ),
    "ΔΔG": st.column_config.NumberColumn(format="%.1f", help="Predicted, kcal/mol.", width=70),
}


def table(known: list[Run]) -> list[Run]:
    """All runs; returns those that are selected."""
    frame = pd.DataFrame(
        [
            {
                "star": "★" if r.star else "",
                "name": r.name,
                "verdict": r.verdict or screen_words(r),
                "P": r.chance,
                "ΔΔG": r.ddg,
                "measured": r.measured,
                "note": r.note,
                "kind": r.kind,
                "state": state_of(r),
                "created (UTC)": r.created[:16].replace("T", " "),
            }
            for r in known
        ]
    )
    # The key holds what is shown: a selection is a place, and must not outlive the list.
    event = st.dataframe(
        frame,
        hide_index=True,
        key=f"runs {hash(tuple(r.id for r in known))}",
        on_select="rerun",
        selection_mode="multi-row",
        placeholder="",
        column_config=SHAPES,
    )
    return [known[row] for row in event["selection"]["rows"] if row < len(known)]


def screen_words(run: Run) -> str:
    """What a screen holds, in place of a verdict."""
    done = run.counts.get("done", 0)
    lost = run.counts.get("rejected", 0) + run.counts.get("failed", 0)
    return f"{run.total:,} variants, {done:,} done" + (f", {lost:,} without a result" * bool(lost))


def compare(chosen: list[Run]) -> None:
    """Several analyses, to be seen side by side."""
    st.markdown(f"#### {len(chosen)} runs")
    if any(run.kind != "impact" for run in chosen):
        st.caption("Only analyses of single variants can stand side by side.")
    elif len(chosen) > MOST_BESIDE + 1:
        st.caption(f"At most {MOST_BESIDE + 1} can stand side by side.")
    elif not of_one_protein(*(run.id for run in chosen)):
        st.caption("Only variants of one protein can stand side by side.")
    elif st.button("Side by side", type="primary", key="compare"):
        first, *others = (run.id for run in chosen)
        st.switch_page(PAGES["impact"], query_params={"run": first, BESIDE: ",".join(others)})


def state_of(run: Run) -> str:
    """A run that says it is running but has no job was interrupted."""
    if run.state != "running":
        return run.state
    return "running" if screen_jobs().going_on(run.id) else "interrupted"


def address() -> str:
    """Where this server is reached, without the page."""
    here = urlsplit(st.context.url or "")
    return f"{here.scheme}://{here.netloc}{here.path.removesuffix('/').removesuffix('/runs')}"


def actions(run: Run) -> None:
    st.markdown(f"#### {run.name}")
    path = "screen" if run.kind == "screen" else ""
    st.code(f"{address()}/{path}?run={run.id}", language=None)
    st.caption("A link to it, for whoever reaches this server.")
    columns = st.columns([1, 1, 1, 2], vertical_alignment="bottom")
    if columns[0].button("Open", key=f"open {run.id}", type="primary", width="stretch"):
        st.switch_page(PAGES[run.kind], query_params={"run": run.id})
    columns[1].download_button(
        "Export (zip)",
        lambda: export_bundle(runs(), run.id, viewer_script()),
        file_name=f"glass-run-{run.id}.zip",
        mime="application/zip",
        key=f"export {run.id}",
        on_click="ignore",
        width="stretch",
    )
    with columns[2].popover("Delete", width="stretch"):
        st.write("The run and its rows are gone for good.")
        if st.button("Delete it", key=f"delete {run.id}", type="primary"):
            screen_jobs().cancel(run.id)
            runs().delete(run.id)
            st.rerun()
    name = columns[3].text_input("Name", run.name, key=f"name {run.id}")
    if name.strip() and name.strip() != run.name:
        runs().rename(run.id, name)
        st.rerun()


def main() -> None:
    st.title("Runs", anchor=False)
    search = st.text_input(
        "Search",
        key="runs_search",
        persist_state="session",
        placeholder="A protein, a variant, a word of a verdict or a note",
    )
    known = runs().newest(SHOWN, search)
    st.caption(f"The newest {SHOWN} are shown, to everyone who reaches this server.")
    if known:
        selected = table(known)
        if len(selected) == 1:
            actions(selected[0])
        elif selected:
            compare(selected)
        else:
            st.caption(
                "Select a run to open, name, export or delete it; several analyses to compare them."
            )
    elif search:
        st.info("No run has these words.")
    else:
        st.info("No run yet. Analyse a variant or screen a protein first.")
    st.markdown("#### Import")
    file = st.file_uploader("A run exported elsewhere (zip)", type="zip", key="bundle")
    if file is not None and st.button("Import", key="import_run"):
        import_bundle(runs(), file.getvalue())
        st.session_state["imported"] = "The run was imported."
        st.rerun()
    if "imported" in st.session_state:
        st.success(st.session_state.pop("imported"))


through_the_front_door("pages/runs.py")
try:
    main()
except GlassError as error:
    st.error(str(error), icon=":material/error:")
