"""The Screen page's form: wild types, variants, goal, options."""

from __future__ import annotations

import streamlit as st

from glass_core.remodel import unavailable_remodellers
from glass_core.screen.goal import GOAL_TITLES, GOALS
from pages.parts.alignment import alignment_field
from pages.parts.common import esm2_option, numbering_input, structure_input, usable_models
from pages.parts.lookup import accession_input, look_up_problem
from pages.parts.screen_check import check_and_start
from pages.parts.screen_fields import (
    ALANINE,
    EVERYTHING,
    KNOWN,
    LIST,
    ROLE,
    asked_now,
    file_key,
    fill_example,
)
from pages.parts.screen_goal import BY_GOAL, ranking_title, rankings_offered
from pages.parts.state import screen_state


def screen_form(shown: bool) -> None:
    """The fields, and beneath them what they amount to.

    Parameters
    ----------
    shown : bool
        A screen is shown below, so that the fields step back.
    """
    with st.expander("Inputs", expanded=not shown, icon=":material/tune:"):
        which, problem = fields()
        check = st.container()
    state = screen_state()
    if shown:
        state.asked = state.asked or asked_now()  # filled in from the screen that is shown
        if state.asked == asked_now() and not state.start:
            return
    outside = st.container()  # where it is seen while the fields are folded away
    check_and_start(which, problem, outside if shown else check)


def fields() -> tuple[str, str | None]:
    """All fields; which variants are meant, and what is wrong with the structure."""
    left, right = st.columns(2, gap="large")
    with left:
        st.button(
            "Example: all substitutions of a globin", on_click=fill_example, key="screen_example"
        )
        accession_input(ROLE)
        look_up_problem(ROLE)
        st.text_area(
            "Wild-type sequence(s)",
            key="screen_wild",
            persist_state="session",
            height=110,
            placeholder="Letters or FASTA, also several records; leave empty to use the "
            "structure's own.",
        )
        problem = structure_input(
            ROLE, "Wild-type structure (optional)", "For burial, the 3D view and remodelling."
        )
        if problem is not None:
            st.error(problem, icon=":material/error:")
    with right:
        st.segmented_control(
            "What are you after?",
            list(GOALS),
            format_func=GOAL_TITLES.__getitem__,
            key="screen_goal",
            persist_state="session",
            help="The ranking that does best at it on proteins not seen in training leads, by the "
            "model's own evaluation records. Any effect: whatever a mutational scan measures.",
        )
        which = variant_fields()
        options()
    return which, problem


def variant_fields() -> str:
    """Which variants, and the words that go with them."""
    state = st.session_state
    state.setdefault("screen_which", EVERYTHING)
    known = state.get("screen_annotation")
    offered = [EVERYTHING, ALANINE, LIST]
    if known is not None and known.variants:
        offered.append(KNOWN)
    if state["screen_which"] not in offered:
        state["screen_which"] = EVERYTHING
    st.segmented_control("Variants", offered, key="screen_which", persist_state="session")
    which: str = state["screen_which"] or EVERYTHING
    if which == LIST:
        st.text_area(
            "Variants",
            key="screen_list",
            persist_state="session",
            height=90,
            label_visibility="collapsed",
            placeholder="R175H G245S, A1P:D2N is one of two changes. With several "
            "proteins begin each line with a name.",
        )
        st.file_uploader(
            "or a file",
            key=file_key(),
            help="CSV, TSV or Parquet with a column of variants (and, if you have "
            "them, a score, a label, a protein), one variant per line, or FASTA of "
            "mutant sequences.",
        )
    elif which == KNOWN:
        st.caption(
            "The variants that UniProt and EBI Proteins list; what they call them "
            "clinically is the label."
        )
    else:
        st.text_input(
            "Range",
            key="screen_range",
            persist_state="session",
            placeholder="whole chain, or such as 10-60",
        )
    if which != KNOWN:
        numbering_input(ROLE)
    return which


def options() -> None:
    names = usable_models()
    with st.expander("Ranking, second stage, model, alignment"):
        left, right = st.columns(2)
        with left:
            st.selectbox("Model", names, key="screen_model", persist_state="session")
            offered = [BY_GOAL, *rankings_offered(st.session_state["screen_model"])]
            if st.session_state.get("screen_rank") not in offered:
                st.session_state["screen_rank"] = BY_GOAL
            st.selectbox(
                "Rank by",
                offered,
                format_func=ranking_title,
                key="screen_rank",
                persist_state="session",
            )
        with right:
            usable = [name for name, reason in unavailable_remodellers().items() if reason is None]
            st.selectbox(
                "Remodel and measure the top",
                ["no", *usable],
                key="screen_remodel",
                persist_state="session",
            )
            st.number_input("How many", 1, 100, key="screen_top", persist_state="session")
        alignment_field(ROLE)
        esm2_option("screen_esm2")
