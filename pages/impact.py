"""The Impact page: a protein, its variants, one answer for each, and why."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from glass_core.errors import RunError
from glass_core.impact.record import Impact
from glass_core.inputs.upload import Upload
from glass_core.report.impact.verdict import verdict
from glass_core.runs.view import Run
from pages.parts.alignment import take_alignment
from pages.parts.answer import card, why
from pages.parts.asked import result_of
from pages.parts.common import (
    back_from_another_page,
    counting_fields,
    gone_back,
    impact_jobs,
    plain,
    runs,
    through_the_front_door,
)
from pages.parts.compare import compare_panel
from pages.parts.hand_over import counting_of, handed_over, taken_over
from pages.parts.impact_form import asked_now, entry, screen_instead, start_analysis, take_found
from pages.parts.impact_panels import (
    alignment_panel,
    downloads,
    evidence_panel,
    known_variants_panel,
    ledger,
    numbers,
    protein_line,
    residue_panel,
    subdomain_panel,
)
from pages.parts.linked import tell_views
from pages.parts.lookup import look_up_asked
from pages.parts.measure import measure_panel
from pages.parts.properties import properties_panel, stretches_panel
from pages.parts.relatives import relatives_panel
from pages.parts.sample import sample_panel
from pages.parts.state import WILD, impact_state, lookup_state, screen_state
from pages.parts.views import libraries, matrix_panel, structure_panel, track_panel
from pages.parts.workbench import BESIDE, analysis, beside_now, known_run, marks, variant_list

TABS = {
    "This residue": residue_panel,
    "Parts of the fold": subdomain_panel,
    "Distances": matrix_panel,
    "All evidence": evidence_panel,
    "Relatives": relatives_panel,
    "Properties": properties_panel,
    "Protein space": stretches_panel,
    "Known variants": known_variants_panel,
    "The method's numbers": numbers,
    "How it was read": ledger,
}


def show(run: Run, impact: Impact) -> None:
    """One variant: the answer, why, where, and everything behind it."""
    impact_state().clicked = False
    protein_line(impact)
    st.header(plain(verdict(impact).headline), anchor=False)
    marks(run)
    notice, impact_state().notice = impact_state().notice, ""
    if notice:
        st.warning(notice, icon=":material/warning:")
    measuring = impact_jobs().going_on(run.id)
    if impact.protein.structure is None:
        card(impact)
    else:
        left, right = st.columns([1, 1.1], gap="medium")
        with left:
            card(impact, measuring)
        with right:
            structure_panel(impact)
    measure_panel(impact, run.id)
    with st.expander(f"Before you trust it ({len(impact.flags)})", expanded=False):
        for flag in impact.flags or ("Nothing is known that speaks against the prediction here.",):
            st.markdown(f"- {plain(flag)}")
    why(impact)
    track_panel(impact)
    more(impact)
    alignment_panel(impact)
    st.markdown("#### Downloads")
    downloads(impact)
    libraries(impact)  # last: they are large, and the answer is not to wait for them


@st.fragment
def more(impact: Impact) -> None:
    """What is drawn only when it is looked at."""
    state = impact_state()
    state.clicked = False
    tell_views(state.selected, state.selected_turn)
    panels = dict(TABS)
    if impact.protein.structure is None:
        del panels["Distances"]
    for tab, panel in zip(
        st.tabs(list(panels), key="more", on_change="rerun"), panels.values(), strict=True
    ):
        if tab.open:
            with tab:
                panel(impact)


def results() -> None:
    job = st.query_params.get("run")
    if job is None:
        impact_state().shown = ""
        if not st.session_state["wild"]:
            sample_panel()
        return
    known, impact = known_run(job), analysis(job)
    if known is None or impact is None:
        forward_screen(job)
        st.info("This result is no longer kept; start the analysis again.")
        return
    variant_list(known)
    state = impact_state()
    state.shown, state.beside = job, st.query_params.get(BESIDE, "")
    state.asked = state.asked or asked_now()  # filled in from the result
    changed = state.problem is not None or state.asked != asked_now()
    what = f"{plain(impact.protein.name or 'the protein')} {plain(impact.written)}"
    with result_of("result", changed, what):
        if beside := beside_now(job):
            compare_panel([job, *beside])
        show(known, impact)


def fill_fields() -> None:
    """The form shows what the result in the address was made from."""
    fields, state = st.session_state, impact_state()
    if "wild" not in fields:
        fields.update(wild="", variant="", mutant="")
        state.filled = ""
    if "run" not in st.query_params and back_from_another_page() and not state.start:
        shown = state.shown
        if shown and not handed_over("impact") and known_run(shown) is not None:
            st.query_params["run"] = shown
            if state.beside:
                st.query_params[BESIDE] = state.beside
    run = st.query_params.get("run")
    if run is None or run == state.filled:
        return
    state.filled, state.typed = run, ""
    impact = analysis(run)
    if impact is None:
        return
    protein = impact.protein
    structure = protein.structure
    fields.update(
        wild=impact.variant.wild_type,
        variant=impact.written,
        mutant="",
        mutant_given=None,
        annotation=protein.annotation,
        given=None if structure is None else Upload.of_structure(structure),
        chain=None if structure is None else structure.chain,
        **counting_fields(WILD, counting_of(protein)),
    )
    take_alignment(WILD, protein.profile)
    state.problem, state.asked = None, ()


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
            **counting_fields(WILD, given.numbering),
            annotation=given.annotation,
        )
        take_alignment(WILD, given.alignment)
        state.start = bool(given.variants)
    if state.next_accession is not None:
        fields.update(accession=state.next_accession)
        lookup_state(WILD).start = True
        state.next_accession = None
    if state.next_wild is not None:
        fields.update(wild=state.next_wild)
        state.next_wild, state.start = None, True
    fields.update(state.next_fields)
    state.next_fields = {}


def forward_screen(run: str) -> None:
    """A run that is a screen has its own page."""
    with suppress(RunError):
        known = runs().get(run)
        if known is not None and known.kind == "screen":
            if last := gone_back(run, screen_state().shown_run, impact_state().shown):
                st.query_params["run"] = last
                st.rerun()
            st.switch_page("pages/screen.py", query_params={"run": run})


through_the_front_door("pages/impact.py")
fill_fields()
open_handed_over()
look_up_asked(WILD, take_found)
entry()
with st.container(key="work"):  # a place of its own, so that what is below stays where it is
    if impact_state().start:
        try:
            start_analysis()
        except Exception:
            impact_state().start = False
            raise
        impact_state().start = False
        st.rerun()  # so that the form shows, or no longer shows, a problem
if st.session_state.get("screen_them"):
    screen_instead()
results()
