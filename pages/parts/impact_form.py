"""The form of the Impact page: inputs, checks, the start of an analysis."""

from __future__ import annotations

import streamlit as st

from glass_core.embedders.esm2_scores import with_esm2
from glass_core.errors import (
    GlassError,
    RunError,
    SequenceError,
    SeveralVariantsError,
    StructureError,
    VariantError,
)
from glass_core.impact.analyse import analyse
from glass_core.impact.record import Impact
from glass_core.inputs.analysis import AnalysisInputs, AnalysisRequest, read_analysis
from glass_core.inputs.upload import EXAMPLE_CHAIN, EXAMPLE_VARIANT, Upload, example_upload
from glass_core.inputs.words import how_read
from glass_core.models.registry import DEFAULT_MODEL, list_models
from glass_core.protein.written import take_apart
from glass_core.sources.lookup import Found
from pages.parts.alignment import alignment_field, alignment_given
from pages.parts.common import (
    esm2_asked,
    esm2_option,
    impact_jobs,
    numbering_input,
    predictor,
    runs,
    settings,
    structure_input,
    turn,
)
from pages.parts.hand_over import HandOver, hand_over
from pages.parts.lookup import accession_input, fasta_of, only_chain
from pages.parts.state import impact_state, lookup_state

WILD, MUTANT = "", "mutant_"  # prefixes of the state keys of the two structures
PLACE = {SequenceError: "wild", VariantError: "variant", StructureError: "structure"}


def fill_example() -> None:
    st.session_state.update(wild="", variant=EXAMPLE_VARIANT, mutant="", chain=EXAMPLE_CHAIN)
    st.session_state.update(
        given=example_upload(),
        mutant_given=None,
        annotation=None,
        accession="",
        numbering="sequence",
    )
    lookup_state(WILD).found()
    impact_state().start = True


def take_found(found: Found, variant: str) -> None:
    """Fill the form with what an accession led to; a variant behind it is analysed at once."""
    state = st.session_state
    state.update(
        wild=fasta_of(found),
        given=Upload.if_any(found.structure, found.structure_name),
        chain=only_chain(found),
        mutant="",
        mutant_given=None,
        variant=variant,
    )
    named = take_apart(variant).chain
    if variant and (found.structure is None or state["chain"] or named):
        state["chain"] = state["chain"] or named or None
        impact_state().start = True


def screen_instead() -> None:
    """The Screen page with the form of this one, and its text as the list."""
    state = st.session_state
    given = HandOver(
        state["wild"],
        state["variant"],
        state.get("given"),
        state.get("chain"),
        state.get("annotation"),
        state["numbering"],
        alignment_given(WILD),
    )
    hand_over("screen", given)
    impact_state().problem = None
    st.switch_page("pages/screen.py")


def input_form() -> None:
    st.subheader("Inputs")
    st.button(
        "Example: a globin (2GTL chain A), V31P",
        on_click=fill_example,
        width="stretch",
        key="example",
    )
    accession_input(WILD, take_found)
    st.text_area(
        "Wild-type sequence",
        key="wild",
        height=120,
        placeholder="Paste letters or one FASTA record; leave empty to use the structure's own.",
    )
    show_error("wild")
    st.text_input("Variant", key="variant", placeholder="R175H, p.Arg175His, A1P:D2N, F508del")
    show_error("variant")
    if impact_state().several:
        st.button("Screen them", key="screen_them", width="stretch")
    numbering_input("")
    structure_field(
        WILD,
        "Wild-type structure (optional)",
        "mmCIF, PDB or BinaryCIF, also gzip'd. Needed for 3D, matrices and remodelling.",
    )
    show_error("structure")
    alignment_field(WILD)
    esm2_option("esm2")
    with st.expander(
        "Mutant sequence or structure of your own",
        expanded=st.session_state.get("mutant_given") is not None,
    ):
        st.text_area("Mutant sequence, in place of a variant", key="mutant", height=90)
        structure_field(
            MUTANT,
            "Mutant structure, in place of a remodel",
            "From an experiment or a structure predictor. It is measured against the "
            "wild-type structure; there is no noise floor then.",
        )
    names = [e.name for e in list_models(settings()) if e.unavailable_reason is None]
    st.selectbox("Model", names or [DEFAULT_MODEL], key="model")
    if st.button("Analyse", type="primary", width="stretch", key="analyse"):
        impact_state().start = True
    show_error("other")


def show_error(place: str) -> None:
    """The message of the last check, beside the field it is about."""
    problem = impact_state().problem
    if problem is not None and problem[0] == place:
        st.error(problem[1], icon=":material/error:")


def structure_field(role: str, label: str, explanation: str) -> None:
    problem = structure_input(role, label, explanation)
    if problem is not None:
        impact_state().problem = ("structure", problem)


def check_inputs() -> AnalysisInputs | None:
    """The inputs, or None with the problem shown beside its field."""
    fields, state = st.session_state, impact_state()
    request = AnalysisRequest(
        wild=fields["wild"],
        variant=fields["variant"],
        mutant=fields["mutant"],
        structure=fields.get("given"),
        chain=fields.get("chain") if fields.get("given") else None,
        mutant_structure=fields.get("mutant_given"),
        mutant_chain=fields.get("mutant_chain") if fields.get("mutant_given") else None,
        numbering=fields["numbering"],
        annotation=fields.get("annotation"),
        alignment=alignment_given(WILD),
    )
    state.problem, state.several = None, False
    try:
        return read_analysis(request)
    except GlassError as error:
        state.several = isinstance(error, SeveralVariantsError)
        place = next((p for kind, p in PLACE.items() if isinstance(error, kind)), "other")
        state.problem = (place, str(error))
        return None


def start_analysis() -> None:
    """Predict at once; the result gets an id of its own, kept in the address."""
    fields, state = st.session_state, impact_state()
    if not (fields["wild"].strip() or fields.get("given") or fields.get("annotation")) and (
        take_apart(fields["variant"]).accession is not None
    ):
        state.next_accession = fields["variant"]
        return
    inputs = check_inputs()
    if inputs is None:
        return
    try:
        with st.spinner("Predicting ..."), turn():
            protein = inputs.protein
            if esm2_asked("esm2"):
                protein = with_esm2(protein, "wild-type", settings())
            impact = analyse(
                protein,
                inputs.variant,
                predictor=predictor(fields["model"]),
                mutant=inputs.mutant_structure,
            )
    except GlassError as error:
        state.problem = ("other", str(error))
        return
    fields["selected"] = None
    state.reading = how_read(fields["variant"], impact.protein, fields["numbering"])
    st.query_params["run"] = keep(impact)


def keep(impact: Impact) -> str:
    """Keep a result in the store of runs, or in memory where that cannot be written."""
    try:
        return runs().keep_impact(impact)
    except RunError as error:
        impact_state().notice = f"This result is not kept beyond a restart: {error}"
        return impact_jobs().keep_result(impact)
