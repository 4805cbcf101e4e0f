"""The Impact page's form for another protein: nothing stays of the one before."""

from __future__ import annotations

import streamlit as st

from pages.parts.common import counting_fields, empty_uploader
from pages.parts.state import MUTANT, WILD, impact_state, lookup_state


def another_protein(wild: str = "") -> dict[str, object]:
    """What the fields hold where a protein comes alone, by its sequence or not at all."""
    lookup_state(WILD).found()
    for role in (WILD, MUTANT):
        empty_uploader(role)
    return {
        "wild": wild,
        "variant": "",
        "mutant": "",
        "given": None,
        "chain": None,
        "mutant_given": None,
        "annotation": None,
        "accession": "",
        **counting_fields(WILD, "sequence"),
    }


def with_sequence(wild: str) -> dict[str, object]:
    """The fields with a sequence that was pasted into the box.

    Where a result is open it is another protein's; else it may belong to a structure that was
    given before.
    """
    if "run" in st.query_params:
        return another_protein(wild)
    return {"wild": wild, "variant": ""}


def start_anew() -> None:
    """Back to the first screen."""
    st.query_params.clear()
    st.session_state.update(another_protein())
    state = impact_state()
    state.forget_problem()
    state.shown, state.beside, state.screen, state.typed = "", "", "", ""
