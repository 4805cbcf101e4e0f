"""What the Screen page's form amounts to: checked while it is filled, and started."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

import pandas as pd
import streamlit as st

from glass_core.embedders.esm2_scores import with_esm2
from glass_core.errors import GlassError
from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.lists import VariantRequest, counts
from glass_core.inputs.proposals import list_proposals
from glass_core.inputs.proteins import Alignment, read_proteins
from glass_core.inputs.upload import Upload
from glass_core.progress import Watch, duration
from glass_core.protein.annotation import Annotation
from glass_core.protein.numbering import Numbering, NumberingKind
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.report.evidence.defaults import BestRanking
from glass_core.runs.screening import begin, estimate
from glass_core.runs.second_stage import estimate_second_stage
from glass_core.screen.columns import RANKINGS
from glass_core.screen.goal import DEFAULT_GOAL, Goal
from glass_core.screen.request import ScreenRequest
from pages.parts.alignment import alignment_given
from pages.parts.common import esm2_asked, offer_numberings, plain, predictor, runs, settings
from pages.parts.screen_columns import chosen_columns
from pages.parts.screen_fields import KNOWN, ROLE, WORDLESS, asked_now, file_key
from pages.parts.screen_goal import best_for, rankings_offered
from pages.parts.screen_job import queue
from pages.parts.state import screen_state
from pages.parts.turn import in_turn

MOST_REJECTED = 1000
MOST_PROPOSALS = 3


def check_and_start(
    which: str, problem: str | None, place: st.delta_generator.DeltaGenerator
) -> None:
    """Live validation: what was understood, what was not, how long it will take."""
    state = st.session_state
    with place:
        if problem is not None:
            return
        if not (state["screen_wild"].strip() or state.get("screen_given")):
            st.button("Screen", type="primary", key="screen_go", disabled=True)
            st.caption("Give a wild type first.")
            return
        try:
            proteins = wild_types()
            choice = variant_choice(which, proteins)
            read = choice.read(proteins)
            asked = list(read.requests)
            notes = (*(note for protein in proteins for note in protein.notes), *read.notes)
            _understood(asked, notes)
            if not any(one.variant is not None for one in asked):
                screen_state().start = False
                return
            request, best = as_request(proteins, choice)
            _foretold(request, best, asked)
            if st.button("Screen", type="primary", key="screen_go") or screen_state().start:
                screen_state().start = False
                start(request, asked)
        except GlassError as error:
            screen_state().start = False
            st.error(str(error), icon=":material/error:")


def _understood(asked: Sequence[VariantRequest], notes: Iterable[str]) -> None:
    """How many variants were read, what could not be and why, and ways to read more."""
    made = counts(asked)
    st.markdown(f"**{made['accepted']:,} accepted**, {made['rejected']:,} rejected")
    for note in notes:
        st.caption(plain(note))
    bad = [one for one in asked if one.variant is None]
    if not bad:
        return
    offer_numberings(ROLE, list_proposals(asked)[:MOST_PROPOSALS], lambda: None)
    with st.expander(f"Rejected, and why ({len(bad):,})"):
        st.dataframe(
            pd.DataFrame(
                [
                    {"row": one.row, "variant": one.text, "reason": one.reason}
                    for one in islice(bad, MOST_REJECTED)
                ]
            ),
            hide_index=True,
            key="screen_rejected",
            column_config={
                "row": st.column_config.Column(width=60),
                "variant": st.column_config.Column(width=120),
                "reason": st.column_config.Column(width="large"),
            },
        )


def _foretold(request: ScreenRequest, best: BestRanking, asked: list[VariantRequest]) -> None:
    """By what it will be ranked and why, and how long it will take."""
    if request.ranking == best.ranking:
        st.caption(plain(best.why))
    else:
        st.caption(f"By {RANKINGS[request.ranking].title}, as you chose. {plain(best.why)}")
    lengths = tuple(len(p) for p in request.proteins)
    accepted = sum(one.variant is not None for one in asked)
    seconds = seconds_for(request.model, lengths, accepted, asked)
    words = f"TM-score and lDDT in about {duration(seconds)}"
    if request.remodel:
        then = duration(estimate_second_stage(request))
        words += f", then the top {request.remodel_top} remodelled in about {then}"
    st.caption(f"Effect scores at once; {words}.")


@st.cache_data(show_spinner=False, max_entries=32)
def seconds_for(
    model: str, lengths: tuple[int, ...], number: int, _asked: list[VariantRequest]
) -> float:
    return estimate(predictor(model), _asked)


def wild_types() -> list[Protein]:
    """The proteins that the fields name."""
    state = st.session_state
    given: Upload | None = state.get("screen_given")
    annotation: Annotation | None = state.get("screen_annotation")
    chain = state.get("screen_chain") if given else None
    accession = annotation.accession if annotation else ""
    alignment = alignment_given(ROLE)
    return proteins_of(state["screen_wild"], given, chain, annotation, accession, alignment)


def variant_choice(which: str, proteins: list[Protein]) -> VariantChoice:
    """Which variants the fields name; of a table the columns are asked for."""
    state = st.session_state
    if which == KNOWN:
        return VariantChoice(WORDLESS[which])
    numbering: NumberingKind | Numbering = state["screen_numbering"]
    if which in WORDLESS:
        span = state["screen_range"]
        return VariantChoice(WORDLESS[which], span=span, numbering=numbering)
    file = state.get(file_key())
    if file is None:
        return VariantChoice("list", text=state["screen_list"], numbering=numbering)
    upload = Upload(file.getvalue(), file.name)
    counted = [protein.counted_by(numbering) for protein in proteins]
    columns = chosen_columns(upload, counted, numbering)
    return VariantChoice("file", upload=upload, columns=columns, numbering=numbering)


@st.cache_resource(
    show_spinner=False, max_entries=8, hash_funcs={AlignmentProfile: lambda read: read.sha256}
)
def proteins_of(
    wild: str,
    given: Upload | None,
    chain: str | None,
    _annotation: Annotation | None,
    accession: str,
    alignment: Alignment | None,
) -> list[Protein]:
    """Kept for the next run; `accession` stands for the annotation in the key."""
    return read_proteins(wild, given, chain, _annotation, alignment)


def as_request(
    proteins: Sequence[Protein], choice: VariantChoice
) -> tuple[ScreenRequest, BestRanking]:
    """What the fields ask for, and the ranking that is best for their goal."""
    state = st.session_state
    goal: Goal = state["screen_goal"] or DEFAULT_GOAL
    model = state["screen_model"]
    sees = bool(predictor(model).info.structure_embedder)
    best = best_for(goal, model, proteins, rankings_offered(model), sees)
    remodel = "" if state["screen_remodel"] == "no" else state["screen_remodel"]
    request = ScreenRequest(
        tuple(choice.counted(proteins)),
        choice.words(proteins),
        model,
        state["screen_rank"] or best.ranking,
        remodel,
        int(state["screen_top"]) if remodel else 0,
        goal=goal,
        choice=choice.kind,
        span=choice.span,
        text=choice.text,
    )
    return request, best


def start(request: ScreenRequest, asked: list[VariantRequest]) -> None:
    """Make the run, so that the effect scores are there, and queue the rest."""
    state = screen_state()
    ask_esm2 = esm2_asked("screen_esm2")

    def work(watch: Watch) -> str:
        if not ask_esm2:
            return begin(runs(), request, asked, predictor=predictor(request.model))
        watch.tell("asking ESM-2", 0.0)
        known = {p: with_esm2(p, "wild-type", settings()) for p in request.proteins}
        scored = replace(request, proteins=tuple(known.values()))
        of_them = [replace(each, protein=known[each.protein]) for each in asked]
        return begin(runs(), scored, of_them, predictor=predictor(request.model))

    run = in_turn("Effect scores.", work)
    queue(run, request.model)
    for key in ("chosen", "page"):
        st.session_state.pop(key, None)
    st.query_params["run"] = run
    state.filled, state.asked = run, asked_now()
    st.rerun()
