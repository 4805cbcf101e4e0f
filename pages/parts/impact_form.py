"""The form of the Impact page: inputs, checks, the start of an analysis."""

from __future__ import annotations

import time

import streamlit as st

from glass_core.embedders.esm2_scores import with_esm2
from glass_core.errors import GlassError, SeveralVariantsError, StructureError
from glass_core.impact.analyse import analyse
from glass_core.impact.record import Impact
from glass_core.inputs.analysis import AnalysisInputs, AnalysisRequest, read_analysis
from glass_core.inputs.box import understand
from glass_core.inputs.proposals import OtherNumberingError
from glass_core.inputs.upload import EXAMPLE_CHAIN, EXAMPLE_VARIANT, Upload, example_upload
from glass_core.inputs.words import how_read
from glass_core.models.predictor import Predictor
from glass_core.progress import Watch
from glass_core.protein.annotation import Annotation
from glass_core.protein.protein import Protein
from glass_core.protein.understood import Understood
from glass_core.protein.written import take_apart
from glass_core.sources.lookup import Found
from pages.parts.alignment import alignment_field, alignment_given
from pages.parts.box import box, choices, look_up_typed
from pages.parts.common import (
    chains_of,
    esm2_asked,
    esm2_option,
    numbering_input,
    offer_numberings,
    plain,
    settings,
    structure_input,
    usable_models,
)
from pages.parts.fresh import with_sequence
from pages.parts.hand_over import HandOver, hand_over
from pages.parts.lookup import accession_input, fasta_of, look_up_problem, only_chain
from pages.parts.state import MUTANT, WILD, impact_state, lookup_state
from pages.parts.turn import in_turn, loaded, pace
from pages.parts.workbench import BESIDE, MOST_BESIDE, keep, known_already, open_study, study_for

MOST_AT_ONCE = 12
"""Variants that are analysed for one press of a button; more are a screen."""


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


def hero() -> None:
    """What this is, for who comes here first."""
    st.title("GLASS", anchor=False)
    st.markdown(
        "What does a mutation do to a protein? Give a protein and a variant: a calibrated chance "
        "of damage, what carries it, where the structure changes, and how far to trust it."
    )


def entry() -> None:
    """The box, what was wrong with it, and what it needs for a structure of one's own."""
    opened = st.query_params.get("run") is not None
    if not opened:
        hero()
    if box(open_protein(), waiting_name()):
        begin()
    problems()
    if not opened:
        waiting()
        st.button("Example: a globin (2GTL chain A), V31P", on_click=fill_example, key="example")
    with st.expander(
        "A sequence, a structure file or an alignment of your own, and more",
        expanded=asks_more(),
        icon=":material/tune:",
    ):
        details()


def asks_more() -> bool:
    """Whether something among the details is still to be chosen."""
    fields = st.session_state
    return bool(fields.get("given") and not fields.get("chain"))


def waiting_name() -> str:
    """What the form's protein is called; '' where there is none, or none that can be read."""
    fields = st.session_state
    known: Annotation | None = fields.get("annotation")
    given: Upload | None = fields.get("given")
    if known is not None:
        return known.title
    if given is not None:
        try:
            chains_of(given)
        except StructureError:
            return ""
        return given.name
    return "your sequence" if fields["wild"].strip() else ""


def waiting() -> None:
    """The protein that is there and waits for a variant."""
    name = waiting_name()
    if not name:
        return
    left, right = st.columns([5, 1], vertical_alignment="center")
    name = "Your sequence" if name == "your sequence" else name
    left.info(f"{plain(name)} is here. Which variant of it?", icon=":material/arrow_upward:")
    if right.button("Screen all", key="screen_waiting", width="stretch"):
        screen_instead()


def details() -> None:
    left, right = st.columns(2, gap="large")
    with left:
        accession_input(WILD)
        st.text_area(
            "Wild-type sequence",
            key="wild",
            persist_state="session",
            height=120,
            placeholder="Paste letters or one FASTA record; leave empty to use the structure's "
            "own.",
        )
        numbering_input("")
        names = usable_models()
        st.selectbox("Model", names, key="model", persist_state="session")
    with right:
        structure_field(
            WILD,
            "Wild-type structure (optional)",
            "mmCIF, PDB or BinaryCIF, also gzip'd. Needed for 3D, matrices and remodelling.",
        )
        alignment_field(WILD)
        esm2_option("esm2")
    with st.expander(
        "Mutant sequence or structure of your own",
        expanded=st.session_state.get("mutant_given") is not None,
    ):
        st.text_area(
            "Mutant sequence, in place of a variant",
            key="mutant",
            persist_state="session",
            height=90,
        )
        structure_field(
            MUTANT,
            "Mutant structure, in place of a remodel",
            "From an experiment or a structure predictor. It is measured against the "
            "wild-type structure; there is no noise floor then.",
        )


def problems() -> None:
    """What the last check found, where the eye is; and the ways out, where there are any."""
    state = impact_state()
    for note in state.notes:
        st.caption(plain(note))
    choices()
    look_up_problem(WILD)
    if state.problem is not None:
        st.error(state.problem, icon=":material/error:")
    offer_numberings(WILD, state.proposals, begin)
    if state.offer:
        st.button("Take the translation", key="translation", on_click=take_offer)
    if state.several:
        st.button("Screen them", key="screen_them")


def begin() -> None:
    """Analyse what the form asks for."""
    impact_state().start = True


def take_offer() -> None:
    impact_state().next_fields = {"wild": impact_state().offer, "variant": ""}
    impact_state().forget_problem()


def structure_field(role: str, label: str, explanation: str) -> None:
    problem = structure_input(role, label, explanation)
    if problem is not None:
        st.error(problem, icon=":material/error:")


def protein_now() -> tuple[object, ...]:
    """What the form says of the wild type; equal as long as nothing of it changed."""
    fields = st.session_state
    given, alignment = fields.get("given"), alignment_given(WILD)
    return (
        fields.get("wild"),
        given and (given.name, hash(given.content), given.neighbours),
        fields.get("chain") if given else None,
        fields.get("numbering"),
        fields.get("annotation") and fields["annotation"].accession,
        alignment and (alignment.name, getattr(alignment, "sha256", None)),
        esm2_asked("esm2"),
    )


def asked_now() -> tuple[object, ...]:
    """What the form asks for."""
    fields = st.session_state
    mutant = fields.get("mutant_given")
    return (
        protein_now(),
        fields.get("variant"),
        fields.get("mutant"),
        mutant and (mutant.name, hash(mutant.content), fields.get("mutant_chain")),
        fields.get("model"),
    )


def request_for(variant: str) -> AnalysisRequest:
    """What the form asks for, with `variant` in place of its own."""
    fields = st.session_state
    return AnalysisRequest(
        wild=fields["wild"],
        variant=variant,
        mutant=fields["mutant"],
        structure=fields.get("given"),
        chain=fields.get("chain") if fields.get("given") else None,
        mutant_structure=fields.get("mutant_given"),
        mutant_chain=fields.get("mutant_chain") if fields.get("mutant_given") else None,
        numbering=fields["numbering"],
        annotation=fields.get("annotation"),
        alignment=alignment_given(WILD),
    )


def check_inputs(variant: str) -> AnalysisInputs | None:
    """The inputs; None with the problem noted where something is wrong."""
    state = impact_state()
    state.forget_problem()
    try:
        return read_analysis(request_for(variant), open_protein())
    except GlassError as error:
        state.several = isinstance(error, SeveralVariantsError)
        state.problem = str(error)
        if isinstance(error, OtherNumberingError):
            state.proposals = error.proposals
        return None


def open_protein() -> Protein | None:
    """The protein of the result that is shown, where the form still says the same of it."""
    asked = impact_state().asked
    if asked and asked[0] != protein_now():  # none yet: just filled in
        return None
    study = open_study()
    return None if study is None else study.protein


def start_analysis() -> None:
    """Do what the box asks for: look it up, or predict at once.

    A result gets an id of its own, kept in the address.
    """
    fields, state = st.session_state, impact_state()
    lookup_state(WILD).problem = ""  # of what was asked before
    by_hand = bool(fields["wild"].strip() or fields.get("given"))
    said = understand(fields["variant"], open_protein())
    if said.asks_a_service and not (by_hand and _is_of_the_form(said)):
        state.forget_problem()
        look_up_typed(said)
        return
    if said.kind == "sequences" and not fields["mutant"].strip():
        state.forget_problem()
        if said.variants:
            fasta = "".join(one.fasta for one in said.records)
            state.next_fields = with_sequence(fasta) | {"variant": said.variants}
            state.next_wild = fasta
        else:
            state.next_fields = with_sequence(fields["variant"])
        return
    words = said.variants.split("\n") if said.kind in ("variants", "problem") else []
    if len(words) > 1 and not fields["mutant"].strip() and not fields.get("mutant_given"):
        start_each(words)
        return
    text: str = words[0] if len(words) == 1 else fields["variant"]
    inputs = check_inputs(text)
    if inputs is None:
        alone = not by_hand and open_protein() is None
        if said.offer is not None:
            state.problem, state.offer = said.preview, said.offer.fasta
        elif said.asks_a_service and state.problem is not None and not state.proposals:
            look_up_typed(said)
        elif fields["variant"].strip() and (alone or (said.problem and not said.variants)):
            state.problem = said.preview  # of what was typed, not of what is missing beside it
        return
    try:
        model = loaded(fields["model"])
        known = known_already(inputs, model.info)
        if known is not None:
            st.query_params.pop(BESIDE, None)
            st.query_params["run"], state.filled = known, ""
            return
        impact = predicted(inputs, model, esm2_asked("esm2"))
    except GlassError as error:
        state.problem = str(error)
        return
    state.reading = how_read(text, impact.protein, fields["numbering"])
    show_new([keep_new(impact)])


def start_each(words: list[str]) -> None:
    """Analyse each of several variants; those that cannot be read are told, the others shown."""
    state = impact_state()
    state.forget_problem()
    if len(words) > MOST_AT_ONCE:
        state.problem = (
            f"{len(words):,} variants: at most {MOST_AT_ONCE} are analysed at once here; screen "
            "them, and open those that matter."
        )
        state.several = True
        return
    read: list[AnalysisInputs] = []
    bad: list[GlassError] = []
    protein = open_protein()
    for word in words:
        try:
            read.append(read_analysis(request_for(word), protein))
            protein = read[-1].protein
        except GlassError as error:
            bad.append(error)
    if not read:
        state.problem = str(bad[0])
        if isinstance(bad[0], OtherNumberingError):
            state.proposals = bad[0].proposals
        return
    try:
        model = loaded(st.session_state["model"])
        made = []
        for inputs in read:
            known = known_already(inputs, model.info)
            made.append(known or keep_new(predicted(inputs, model, esm2_asked("esm2"))))
    except GlassError as error:
        state.problem = str(error)
        return
    state.reading = ""
    state.notice = " ".join(f"Not analysed: {error}" for error in bad)
    show_new(made)


def keep_new(impact: Impact) -> str:
    """The run that a new analysis is kept as, in the study of its protein."""
    study = study_for(impact.protein)
    run = keep(lambda store: store.keep_impact(impact, study=study.id))
    st.query_params["run"] = run  # whose study is the open one from here on
    return run


def show_new(made: list[str]) -> None:
    """Show the first of the runs that were asked for, and the others beside it."""
    state = impact_state()
    state.select(None)
    st.query_params["run"] = state.filled = made[0]
    if len(made) > 1:
        st.query_params[BESIDE] = ",".join(made[1 : MOST_BESIDE + 1])
    else:
        st.query_params.pop(BESIDE, None)
    state.asked = asked_now()


def predicted(inputs: AnalysisInputs, model: Predictor, ask_esm2: bool) -> Impact:
    """The analysis of `inputs`, done when it is this visitor's turn."""
    places, speed = settings(), pace(model.info.name)
    cost = model.cost(len(inputs.protein))

    def work(watch: Watch) -> Impact:
        protein, began = inputs.protein, time.monotonic()
        if ask_esm2 and not protein.computed:
            watch.tell("asking ESM-2", 0.0)
            protein = with_esm2(protein, "wild-type", places)
        made = analyse(
            protein, inputs.variant, predictor=model, mutant=inputs.mutant_structure, watch=watch
        )
        speed.learn(cost, time.monotonic() - began)
        return made

    return in_turn("Analysing.", work, speed.expected_s(cost), impact_state().give_up)


def _is_of_the_form(said: Understood) -> bool:
    """Whether an entry that is named may be that of the fields: theirs, or none is known."""
    known: Annotation | None = st.session_state.get("annotation")
    if said.accession is None:
        return known is None
    return known is None or known.accession.partition("-")[0] == said.accession.id
