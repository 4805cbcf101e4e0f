"""The Impact page: one variant, from inputs to downloads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import streamlit as st
from streamlit.elements.plotly_chart import PlotlyState

from glass_core.accession import split_accession
from glass_core.errors import (
    GlassError,
    RunError,
    SequenceError,
    SeveralVariantsError,
    StructureError,
    VariantError,
)
from glass_core.impact import Impact, Progress, analyse
from glass_core.inputs import (
    EXAMPLE_CHAIN,
    EXAMPLE_VARIANT,
    HandOver,
    Inputs,
    Upload,
    example_upload,
    read_inputs,
)
from glass_core.jobs import JobStatus
from glass_core.models.registry import DEFAULT_MODEL, list_models
from glass_core.notation import split_chain
from glass_core.reading import how_read
from glass_core.remodel import get_remodeller, remodellers
from glass_core.remodel.base import RemodelSettings
from glass_core.report.annotation_tracks import known_variant_table
from glass_core.report.exports import exports
from glass_core.report.figures import matrices, residue_track
from glass_core.report.tables import subdomain_table, variant_table
from glass_core.report.verdict import verdict
from glass_core.report.viewer import (
    ViewOptions,
    colour_choices,
    colour_legend,
    viewer_html,
)
from glass_core.runs import new_id
from glass_core.sources.lookup import Found
from pages.parts.common import (
    impact_jobs,
    kept_impact,
    numbering_input,
    predictor,
    runs,
    settings,
    structure_input,
    through_the_front_door,
    turn,
    viewer_script,
)
from pages.parts.lookup import accession_input, fasta, only_chain, plain, uploaded

FIELDS = ("wild", "variant", "mutant")
WILD, MUTANT = "", "mutant_"  # prefixes of the state keys of the two structures
PLACE = {SequenceError: "wild", VariantError: "variant", StructureError: "structure"}


def fill_example() -> None:
    st.session_state.update(wild="", variant=EXAMPLE_VARIANT, mutant="", chain=EXAMPLE_CHAIN)
    st.session_state.update(given=example_upload(), mutant_given=None, annotation=None,
                            lookup_notes=(), accession="", numbering="sequence", start=True)


def show_error(place: str) -> None:
    """The message of the last check, beside the field it is about."""
    problem = st.session_state.get("problem")
    if problem is not None and problem[0] == place:
        st.error(problem[1], icon=":material/error:")


def take_found(found: Found, variant: str) -> None:
    """Fill the form with what an accession led to; a variant behind it is analysed at once."""
    state = st.session_state
    state.update(wild=fasta(found.annotation), given=uploaded(found), chain=only_chain(found),
                 mutant="", mutant_given=None, variant=variant)
    if variant and (found.structure is None or state["chain"] or split_chain(variant)[0]):
        state["chain"] = state["chain"] or split_chain(variant)[0] or None
        state["start"] = True


def screen_instead() -> None:
    """The Screen page with the form of this one, and its text as the list."""
    state = st.session_state
    state["screen_taken_over"] = {
        "screen_wild": state["wild"], "screen_given": state.get("given"),
        "screen_chain": state.get("chain"), "screen_annotation": state.get("annotation"),
        "screen_which": "My list", "screen_list": state["variant"],
        "screen_numbering": state["numbering"], "start_screen": True,
    }
    state["problem"] = None
    st.switch_page("pages/screen.py")


def input_form() -> None:
    st.subheader("Inputs")
    st.button("Example: a globin (2GTL chain A), V31P", on_click=fill_example, width="stretch",
              key="example")
    accession_input(WILD, take_found)
    st.text_area(
        "Wild-type sequence", key="wild", height=120,
        placeholder="Paste letters or one FASTA record; leave empty to use the structure's own.",
    )
    show_error("wild")
    st.text_input("Variant", key="variant", placeholder="R175H, p.Arg175His, A1P:D2N, F508del")
    show_error("variant")
    if st.session_state.get("several"):
        st.button("Screen them", key="screen_them", width="stretch")
    numbering_input("")
    structure_field(WILD, "Wild-type structure (optional)",
                    "mmCIF, PDB or BinaryCIF, also gzip'd. Needed for 3D, matrices and "
                    "remodelling.")
    show_error("structure")
    with st.expander("Mutant sequence or structure of your own",
                     expanded=st.session_state.get("mutant_given") is not None):
        st.text_area("Mutant sequence, in place of a variant", key="mutant", height=90)
        structure_field(MUTANT, "Mutant structure, in place of a remodel",
                        "From an experiment or a structure predictor. It is measured against the "
                        "wild-type structure; there is no noise floor then.")
    names = [e.name for e in list_models(settings()) if e.unavailable_reason is None]
    st.selectbox("Model", names or [DEFAULT_MODEL], key="model")
    if st.button("Analyse", type="primary", width="stretch", key="analyse"):
        st.session_state["start"] = True
    show_error("other")


def structure_field(role: str, label: str, explanation: str) -> None:
    problem = structure_input(role, label, explanation)
    if problem is not None:
        st.session_state["problem"] = ("structure", problem)


def check_inputs() -> Inputs | None:
    """The inputs, or None with the problem shown beside its field."""
    state = st.session_state
    state["problem"], state["several"] = None, False
    try:
        return read_inputs(
            state["wild"], state["variant"], state["mutant"],
            state.get("given"), state.get("chain") if state.get("given") else None,
            state.get("mutant_given"),
            state.get("mutant_chain") if state.get("mutant_given") else None,
            numbering=state["numbering"], annotation=state.get("annotation"),
        )
    except GlassError as error:
        state["several"] = isinstance(error, SeveralVariantsError)
        place = next((p for kind, p in PLACE.items() if isinstance(error, kind)), "other")
        state["problem"] = (place, str(error))
        return None


def start_analysis() -> None:
    """Predict at once; the result gets an id of its own, kept in the address."""
    state = st.session_state
    if not (state["wild"].strip() or state.get("given") or state.get("annotation")) and (
        split_accession(state["variant"])[0] is not None
    ):
        state.update(next_accession=state["variant"])
        return
    inputs = check_inputs()
    if inputs is None:
        return
    try:
        with st.spinner("Predicting ..."), turn():
            impact = analyse(inputs.protein, inputs.variant,
                             predictor=predictor(st.session_state["model"]),
                             mutant_structure=inputs.mutant_structure)
    except GlassError as error:
        st.session_state["problem"] = ("other", str(error))
        return
    st.session_state["selected"] = None
    st.session_state["read"] = how_read(
        st.session_state["variant"], impact.protein, st.session_state["numbering"]
    )
    st.query_params["run"] = keep(impact)


def keep(impact: Impact, run: str | None = None) -> str:
    """Keep a result in the store of runs, or in memory where that cannot be written."""
    try:
        return runs().keep_impact(impact, run=run)
    except RunError as error:
        st.session_state["notice"] = f"This result is not kept beyond a restart: {error}"
        return impact_jobs().keep_result(impact)


def start_remodel(impact: Impact) -> None:
    """Queue the remodelling of `impact` and move the address to it."""
    state = st.session_state
    backend = get_remodeller(state["backend"])
    chosen = RemodelSettings(protocol=state["protocol"], sphere_radius=float(state["radius"]))
    seeds, model = int(state["seeds"]), predictor(state["model"])
    store, run = runs(), new_id()

    def work(progress: Progress, cancelled: Callable[[], bool]) -> Impact:
        made = analyse(
            impact.protein, impact.variant, predictor=model, remodeller=backend, settings=chosen,
            seeds=seeds, progress=progress, cancelled=cancelled,
        )
        with suppress(RunError):  # the board keeps it too
            store.keep_impact(made, run=run)
        return made

    st.query_params["before"] = st.query_params["run"]
    st.query_params["run"] = impact_jobs().submit(work, run)


def remodel_panel(impact: Impact) -> None:
    """Settings and the button that start remodelling."""
    if impact.protein.structure is None:
        st.info("Sequence alone: add a structure to see distances, a 3D view and affected parts of "
                "the fold, and to remodel and measure the mutant.", icon=":material/info:")
        return
    with st.expander("Remodel the mutant and measure it", expanded=not impact.measured):
        reasons = {b.name: b.unavailable_reason() for b in remodellers()}
        usable = [name for name, reason in reasons.items() if reason is None]
        columns = st.columns(4)
        columns[0].selectbox("Backend", usable, key="backend")
        columns[1].selectbox(
            "Protocol", ["minimise", "anneal"], key="protocol",
            help="minimise: quiet, shows the effect best. anneal: heats and cools as the paper "
            "does; shows flexibility, and needs many seeds.",
        )
        columns[2].number_input("Seeds", 1, 20, 2, key="seeds",
                                help="Replicates; each also measures the noise floor.")
        columns[3].number_input("Sphere radius (Å)", 5.0, 1000.0, 100.0, key="radius")
        for name, reason in reasons.items():
            if reason is not None:
                st.caption(f"{name} is not available: {reason}")
        if not impact.variant.only_substitutions:
            st.caption("Remodelling rebuilds substitutions only; for insertions and deletions use "
                       "the command line with a mutant structure of your own.")
        elif st.button("Remodel", key="remodel", disabled=not usable):
            start_remodel(impact)
            st.rerun()


@st.fragment(run_every=1.0)
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
        st.session_state["notice"] = status.error
    else:
        st.session_state["notice"] = "Remodelling was cancelled; the prediction is kept."
    before = st.query_params.get("before")
    if before:
        st.query_params["run"] = before
        del st.query_params["before"]
        st.rerun()


def show_impact(impact: Impact) -> None:
    said = verdict(impact)
    st.subheader(said.headline, anchor=False)
    if st.session_state.get("notice"):
        st.warning(st.session_state.pop("notice"), icon=":material/warning:")
    numbers(impact)
    for sentence in said.sentences:
        st.markdown(sentence)
    with st.expander(f"Before you trust it ({len(impact.flags)})", expanded=bool(impact.flags)):
        for flag in impact.flags:
            st.markdown(f"- {flag}")
    ledger(impact)
    alignment_panel(impact)
    remodel_panel(impact)
    known_variants_panel(impact)
    selected = track_panel(impact)
    if impact.protein.structure is not None:
        superposition_panel(impact, selected)
        matrix_panel(impact, selected)
    subdomain_panel(impact)
    downloads(impact)


def numbers(impact: Impact) -> None:
    columns = st.columns([1.2, 1, 1, 1, 0.8])
    effect = impact.prediction.effect
    columns[4].metric(
        "P(damaging)", "none" if effect is None else f"{effect.probability:.2f}",
        help="Predicted from the wild-type sequence and calibrated on clinical labels of other "
        "proteins. It is no diagnosis.",
    )
    columns[0].metric("Predicted TM-score", f"{impact.prediction.tm_score:.4f}",
                      help=f"By {impact.prediction.model}, from sequences alone.")
    columns[1].metric(
        "Measured TM-score", f"{impact.tm_score:.4f}" if impact.measured else "none",
        help="TM-align of the remodelled wild type against the remodelled mutant, normalised by "
        "the wild type; mean over seeds.",
    )
    floor = impact.noise_floor
    columns[2].metric("Noise floor", "none" if floor is None else f"{floor.tm_score:.4f}",
                      help="The wild type mutated to itself by the same protocol and seeds.")
    blosum = impact.baselines.blosum62
    columns[3].metric("Baselines", f"1.0 | {'n/a' if blosum is None else f'{blosum:+d}'}",
                      help="Constant 'nothing changes', and the BLOSUM62 score.")


def ledger(impact: Impact) -> None:
    """The variant in every numbering and notation, and how it was read."""
    with st.expander(f"How the variant was read: {impact.variant.hgvs}"
                     if len(impact.variant.hgvs) < 60 else "How the variant was read"):
        st.dataframe(variant_table(impact), hide_index=True)
        st.caption(f"HGVS and MAVE-HGVS: {plain(impact.variant.hgvs)}. "
                   + plain(st.session_state.get("read", "")))


def known_variants_panel(impact: Impact) -> None:
    """What databases list; a chosen row goes into the form and is analysed."""
    table = known_variant_table(impact.protein)
    if table.empty:
        return
    with st.expander(f"Known variants ({len(table):,}): choose one to analyse it"):
        event = st.dataframe(table, hide_index=True, key="known", on_select="rerun",
                             selection_mode="single-row")
        st.caption("As the databases have them, which is no verdict of this program.")
        rows = event["selection"]["rows"]
        if rows and st.button(f"Analyse {table['variant'][rows[0]]}", key="analyse_known"):
            structure = impact.protein.structure
            st.session_state["hand_over"] = HandOver(
                impact.protein.sequence, table["here"][rows[0]],
                None if structure is None else Upload.of_structure(structure),
                None if structure is None else structure.chain, impact.protein.annotation,
            )
            st.rerun()


def alignment_panel(impact: Impact) -> None:
    """The structure's residues beneath the sequence, where the two are not the same."""
    protein = impact.protein
    if protein.structure is None or (protein.coverage == 1 and not protein.mismatches):
        return
    with st.expander(f"Sequence and structure, residue by residue "
                     f"(mismatches: {len(protein.mismatches)})"):
        for mismatch in protein.mismatches:
            st.markdown(f"- {mismatch}")
        st.code(protein.alignment_report(), language=None)
        if protein.mismatches:
            st.caption("The sequence was followed: the wild type has its residues.")
            if st.button("Follow the structure instead", key="follow_structure"):
                st.session_state["next_wild"] = protein.following_structure().sequence
                st.rerun()


def track_panel(impact: Impact) -> int | None:
    """The residue track; a click selects the residue everywhere. Returns the selection."""
    if "next_selected" in st.session_state:
        st.session_state["selected"] = st.session_state.pop("next_selected")
    st.markdown("#### Along the sequence")
    event = st.plotly_chart(
        residue_track(impact, st.session_state.get("selected")), key="track", on_select="rerun",
        selection_mode="points",
        alt="Predicted and measured lDDT, strain and secondary structure by residue",
    )
    take_click("track", event)
    return st.number_input(
        "Selected residue (click a point above, or type a position)", 1, len(impact.protein),
        key="selected", value=None, placeholder="none",
    )


def take_click(chart: str, event: PlotlyState) -> None:
    """Select the residue that was clicked in `chart`, once per click."""
    points = event["selection"]["points"]
    if points and points[0]["x"] != st.session_state.get(f"clicked {chart}"):
        st.session_state[f"clicked {chart}"] = points[0]["x"]
        st.session_state["next_selected"] = int(points[0]["x"])
        st.rerun()


def superposition_panel(impact: Impact, selected: int | None) -> None:
    st.markdown("#### Superposition" if impact.measured else "#### Structure")
    columns = st.columns([2, 1, 1], vertical_alignment="bottom")
    colour_by = columns[0].selectbox("Colour by", colour_choices(impact), key="colour_by")
    spin = columns[1].toggle("Spin", key="spin")
    labels = columns[2].toggle("Labels", value=True, key="labels")
    options = ViewOptions(colour_by, spin, labels, selected)
    st.iframe(viewer_html(impact, options, viewer_script()), height=options.height + 50)
    st.caption(colour_legend(impact, colour_by))


def matrix_panel(impact: Impact, selected: int | None) -> None:
    st.markdown("#### Distances between C-alphas")
    spans = {"whole chain": None} | {
        part.name: (part.segments[0][0], part.segments[-1][1]) for part in impact.subdomains
    }
    zoom = st.selectbox("Zoom to", list(spans), key="zoom")
    event = st.plotly_chart(
        matrices(impact, selected, spans.get(zoom)), key="matrices", on_select="rerun",
        selection_mode="points",
        alt="Distance matrices of wild type and mutant and their difference",
    )
    take_click("matrices", event)
    known = impact.protein.annotation
    error = "" if known is None or known.pae is None else (
        " The predicted aligned error is AlphaFold's expected error of one residue's place when "
        "the model is superposed on another; it is confidence, not an effect."
    )
    st.caption("By sequence position. Click the diagonal to select a residue; the matrices "
               f"zoom together.{error}")


def subdomain_panel(impact: Impact) -> None:
    st.markdown("#### Parts of the fold")
    table = subdomain_table(impact)
    numbers = table.select_dtypes("float").columns
    st.dataframe(
        table, hide_index=True, key="subdomains",
        column_config={name: st.column_config.NumberColumn(format="%.4f") for name in numbers},
    )
    st.caption("p: share of placements of equally long stretches along the chain with at least "
               "this mean; not corrected for the number of rows. Ranked by strain where measured, "
               "which also sees shifts too small for lDDT.")


def downloads(impact: Impact) -> None:
    st.markdown("#### Downloads")
    files = exports(impact, viewer_script())
    for column, export in zip(st.columns(len(files)), files, strict=True):
        column.download_button(
            export.label, export.make, file_name=export.file_name, mime=export.mime,
            key=f"download {export.label}", on_click="ignore", width="stretch",
        )


def results() -> None:
    job = st.query_params.get("run")
    if job is None:
        st.markdown("### What does a mutation do to a protein's structure?")
        st.markdown("Give a wild type and a variant, or start with the example. A prediction from "
                    "sequence takes seconds; with a structure the mutant can be remodelled and "
                    "measured.")
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
    handed = st.session_state.pop("hand_over", None)
    if handed is not None:
        st.session_state.update(
            wild=handed.wild, variant=handed.variant, mutant="", given=handed.structure,
            chain=handed.chain, mutant_given=None, start=True, numbering="sequence",
            annotation=handed.annotation,
        )
    if "next_accession" in st.session_state:
        st.session_state.update(accession=st.session_state.pop("next_accession"),
                                look_up_now=True)
    if "next_wild" in st.session_state:
        st.session_state.update(wild=st.session_state.pop("next_wild"), start=True)


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
        state.update(wild=impact.variant.wild_type, variant=impact.variant.text,
                     annotation=impact.protein.annotation)
        structure = impact.protein.structure
        if structure is not None:
            state["given"] = Upload.of_structure(structure)


through_the_front_door("pages/impact.py")
restore_fields()
open_handed_over()
form, main = st.columns([1, 2.6], gap="large")
with form:
    input_form()
if st.session_state.pop("start", False):
    with main:
        start_analysis()
    st.rerun()  # so that the form shows, or no longer shows, a problem
if st.session_state.get("screen_them"):
    screen_instead()
with main:
    results()
