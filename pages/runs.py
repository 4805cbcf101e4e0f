"""The Runs page: every analysis and screen kept here; name, open, export, import, delete."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from glass_core.errors import GlassError
from glass_core.runs.bundle import export_bundle, import_bundle
from glass_core.runs.view import Run
from pages.parts.common import runs, screen_jobs, settings, through_the_front_door, viewer_script

SHOWN = 200
PAGES = {"screen": "pages/screen.py", "impact": "pages/impact.py"}


def table(known: list[Run]) -> Run | None:
    """All runs; returns the one that is selected."""
    frame = pd.DataFrame(
        [
            {
                "name": r.name,
                "kind": r.kind,
                "created (UTC)": r.created[:16].replace("T", " "),
                "state": state_of(r),
                "variants": r.total or 1,
                "no result": r.counts.get("rejected", 0) + r.counts.get("failed", 0),
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
        selection_mode="single-row",
    )
    rows = event["selection"]["rows"]
    return known[rows[0]] if rows and rows[0] < len(known) else None


def state_of(run: Run) -> str:
    """A run that says it is running but has no job was interrupted."""
    if run.state != "running":
        return run.state
    status = screen_jobs().status(run.id)
    return "running" if status is not None and not status.finished else "interrupted"


def actions(run: Run) -> None:
    st.markdown(f"#### {run.name}")
    st.caption(
        f"Link: ?run={run.id} on the {run.kind.capitalize()} page. Whoever has it and "
        "reaches this server can see the run."
    )
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
    known = runs().newest(SHOWN)
    st.caption(
        f"Kept in {settings().runs}; set GLASS_RUNS to keep them elsewhere. The newest "
        f"{SHOWN} are shown, to everyone who reaches this server."
    )
    if known:
        selected = table(known)
        if selected is not None:
            actions(selected)
        else:
            st.caption("Select a run to open, name, export or delete it.")
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
