"""The Impact page: one variant, from inputs to downloads."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from glass_core.errors import RunError
from glass_core.impact.analyse import analyse
from glass_core.impact.record import Impact
from glass_core.inputs.upload import Upload
from glass_core.progress import Watch
from glass_core.remodel import get_remodeller, unavailable_remodellers
from glass_core.remodel.base import Remodelling, RemodelSettings
from glass_core.report.impact.verdict import verdict
from glass_core.runs.jobs import JobStatus
from glass_core.runs.database import new_id
from pages.parts.alignment import take_alignment
from pages.parts.common import impact_jobs, kept_impact, predictor, runs, through_the_front_door
from pages.parts.hand_over import taken_over
from pages.parts.impact_form import WILD, input_form, screen_instead, start_analysis
from pages.parts.impact_panels import (
    alignment_panel,
    downloads,
    evidence_panel,
    known_variants_panel,
    libraries,
    ledger,
    numbers,
    subdomain_panel,
    views,
)
from pages.parts.state import impact_state, lookup_state

FIELDS = ("wild", "variant", "mutant")


def start_remodel(impact: Impact) -> None:
    """Queue the remodelling of `impact` and move the address to it."""
    state = st.session_state
    settings = RemodelSettings(protocol=state["protocol"], sphere_radius=float(state["radius"]))
    remodelling = Remodelling(get_remodeller(state["backend"]), int(state["seeds"]), settings)
    model, store, run = predictor(state["model"]), runs(), new_id()

    def work(watch: Watch) -> Impact:
        measured = analyse(
            impact.protein, impact.variant, predictor=model, mutant=remodelling, watch=watch
        )
        with suppress(RunError):  # the board keeps it too
            store.keep_impact(measured, run=run)
        return measured

    st.query_params["before"] = st.query_params["run"]
    st.query_params["run"] = impact_jobs().submit(work, run)


def remodel_panel(impact: Impact) -> None:
    """Settings and the button that start remodelling."""
    if impact.protein.structure is None:
        st.info(
            "Sequence alone: add a structure to see distances, a 3D view and affected parts of "
            "the fold, and to remodel and measure the mutant.",
            icon=":material/info:",
        )
        return
    with st.expander("Remodel the mutant and measure it", expanded=not impact.measured):
        reasons = unavailable_remodellers()
        usable = [name for name, reason in reasons.items() if reason is None]
        columns = st.columns(4)
        columns[0].selectbox("Backend", usable, key="backend")
        columns[1].selectbox(
            "Protocol",
            ["minimise", "anneal"],
            key="protocol",
            help="minimise: quiet, shows local change best. anneal: heats and cools as the paper "
            "does; shows flexibility, and needs many seeds.",
        )
        columns[2].number_input(
            "Seeds", 1, 20, 2, key="seeds", help="Replicates; each also measures the noise floor."
        )
        columns[3].number_input("Sphere radius (Å)", 5.0, 1000.0, 100.0, key="radius")
        for name, reason in reasons.items():
            if reason is not None:
                st.caption(f"{name} is not available: {reason}")
        if not impact.variant.only_substitutions:
            st.caption(
                "Remodelling rebuilds substitutions only; for insertions and deletions use "
                "the command line with a mutant structure of your own."
            )
        elif st.button("Remodel", key="remodel", disabled=not usable):
            start_remodel(impact)
            st.rerun()


@st.fragment(run_every=2.0)
def job_progress(job: str) -> None:
    """Stage, progress and cancel of a running job; hands over to the page when it ends."""
    status = impact_jobs().status(job)
    if status is None or status.finished:
        st.rerun()
        return
    st.progress(min(status.fraction, 1.0), text=status.stage)
    if st.button("Cancel", key="cancel"):
        impact_jobs().cancel(job)


def tidy_after(status: JobStatus[Impact]) -> None:
    """A failed or cancelled remodel leaves the prediction it started from."""
    if status.state == "failed":
        impact_state().notice = status.error
    else:
        impact_state().notice = "Remodelling was cancelled; the prediction is kept."
    before = st.query_params.get("before")
    if before:
        st.query_params["run"] = before
        del st.query_params["before"]
        st.rerun()


def show_impact(impact: Impact) -> None:
    said = verdict(impact)
    st.subheader(said.headline, anchor=False)
    notice, impact_state().notice = impact_state().notice, ""
    if notice:
        st.warning(notice, icon=":material/warning:")
    numbers(impact)
    st.markdown(said.sentences[0])
    evidence_panel(impact)
    for sentence in said.sentences[1:]:
        st.markdown(sentence)
    with st.expander(f"Before you trust it ({len(impact.flags)})", expanded=bool(impact.flags)):
        for flag in impact.flags:
            st.markdown(f"- {flag}")
    ledger(impact)
    alignment_panel(impact)
    remodel_panel(impact)
    known_variants_panel(impact)
    libraries(impact)
    views(impact)
    subdomain_panel(impact)
    downloads(impact)


def results() -> None:
    job = st.query_params.get("run")
    if job is None:
        st.markdown("### What does a mutation do to a protein's structure?")
        st.markdown(
            "Give a wild type and a variant, or start with the example. A prediction from "
            "sequence takes seconds; with a structure the mutant can be remodelled and "
            "measured."
        )
        return
    status = impact_jobs().status(job)
    if status is None:
        impact = kept_impact(job)
        if impact is None:
            forward_screen(job)
            st.info("This result is no longer kept; start the analysis again.")
        else:
            show_impact(impact)
    elif status.result is not None:
        show_impact(status.result)
    elif status.finished:
        tidy_after(status)
    else:
        st.subheader("Remodelling", anchor=False)
        st.caption("This goes on when you close or refresh the page; the address leads back here.")
        job_progress(job)


def known_impact(run: str) -> Impact | None:
    status = impact_jobs().status(run)
    return kept_impact(run) if status is None else status.result


def open_handed_over() -> None:
    """A variant that another page sends here is analysed at once."""
    fields, state = st.session_state, impact_state()
    given = taken_over("impact")
    if given is not None:
        fields.update(
            wild=given.wild,
            variant=given.variants,
            mutant="",
            given=given.structure,
            chain=given.chain,
            mutant_given=None,
            numbering=given.numbering,
            annotation=given.annotation,
        )
        take_alignment(WILD, given.alignment)
        state.start = True
    if state.next_accession is not None:
        fields.update(accession=state.next_accession)
        lookup_state(WILD).start = True
        state.next_accession = None
    if state.next_wild is not None:
        fields.update(wild=state.next_wild)
        state.next_wild, state.start = None, True


def forward_screen(run: str) -> None:
    """A run that is a screen has its own page."""
    with suppress(RunError):
        known = runs().get(run)
        if known is not None and known.kind == "screen":
            st.switch_page("pages/screen.py", query_params={"run": run})


def restore_fields() -> None:
    """After a refresh, fill the form from the result the address names."""
    state = st.session_state
    if "wild" in state:
        return
    state.update(dict.fromkeys(FIELDS, ""))
    addresses = (st.query_params.get("run"), st.query_params.get("before"))
    impact = next((found for a in addresses if a and (found := known_impact(a))), None)
    if impact is not None:
        state.update(
            wild=impact.variant.wild_type,
            variant=impact.variant.text,
            annotation=impact.protein.annotation,
        )
        take_alignment(WILD, impact.protein.profile)
        structure = impact.protein.structure
        if structure is not None:
            state["given"] = Upload.of_structure(structure)


through_the_front_door("pages/impact.py")
restore_fields()
open_handed_over()
form, main = st.columns([1, 2.6], gap="large")
with form:
    input_form()
if impact_state().start:
    impact_state().start = False
    with main:
        start_analysis()
    st.rerun()  # so that the form shows, or no longer shows, a problem
if st.session_state.get("screen_them"):
    screen_instead()
with main:
    results()
