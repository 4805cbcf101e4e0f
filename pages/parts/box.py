"""The one box of the Impact page: what was typed, said while it is typed; where it leads."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from glass_core.errors import GlassError
from glass_core.inputs.box import EXAMPLES, understand
from glass_core.protein.protein import Protein
from glass_core.protein.understood import Understood
from glass_core.sources.candidates import Candidate
from glass_core.sources.fetch import Fetcher
from glass_core.sources.resolve import resolve
from pages.parts.common import plain, settings
from pages.parts.fresh import with_sequence
from pages.parts.linked import asset
from pages.parts.state import impact_state


def box(protein: Protein | None, waiting: str = "") -> bool:
    """The box and its button; whether what it holds is to be analysed.

    Parameters
    ----------
    protein : Protein or None
        The one that is open.
    waiting : str
        Name of one that is not open yet and waits for a variant.
    """
    with st.form("ask", border=False):
        left, right = st.columns([5, 1], vertical_alignment="bottom")
        left.text_input(
            "Protein and variant"
            if protein is None
            else "Another variant of this protein, or another protein",
            key="variant",
            persist_state="session",
            placeholder=EXAMPLES,
        )
        asked = right.form_submit_button("Analyse", type="primary", width="stretch", key="analyse")
    preview(protein, waiting)
    return asked


@cache
def _watcher() -> Any:
    return st.components.v2.component("glass_typing", js=asset("typing.js"))


@st.fragment
def preview(protein: Protein | None, waiting: str) -> None:
    """What was understood of the box so far, while it is typed."""
    _watcher()(key="typing", data="variant", on_typed_change=_typed, on_pasted_change=_pasted)
    if impact_state().pasted:
        _take_pasted()
        st.rerun()
    typed = impact_state().typed
    if typed.strip():
        said = understand(typed, protein)
        words = said.preview
        if said.kind == "variants" and protein is None and waiting:
            words = f"{words.partition(';')[0]} of {waiting}"
        icon = "⚠" if said.problem else "→"
        st.caption(f"{icon} {plain(words)}")


def _typed() -> None:
    impact_state().typed = str((st.session_state["typing"] or {}).get("typed") or "")


def _pasted() -> None:
    impact_state().pasted = str((st.session_state["typing"] or {}).get("pasted") or "")


def _take_pasted() -> None:
    """Several lines do not fit into the box: a sequence has a place of its own."""
    state = impact_state()
    text, state.pasted = state.pasted, ""
    said = understand(text)
    if said.kind == "sequences":
        state.next_fields = with_sequence(text)
    else:
        state.next_fields = {"variant": " ".join(text.split())}
    state.typed = ""


def look_up_typed(said: Understood) -> None:
    """Find the entry that the box names; it is looked up next, or the user chooses first."""
    state = impact_state()
    try:
        with st.status(f"Looking up {plain(said.preview)} ...") as status:

            def tell(service: str, fraction: float) -> None:
                status.update(label=f"Asking {service} ...")

            found = resolve(said, Fetcher(settings()), tell)
            status.update(label="Found", state="complete")
    except GlassError as error:
        state.problem = str(error)
        return
    state.notes = found.notes
    if found.chosen is not None:
        take_candidate(found.chosen)
    else:
        state.choices = found.candidates


def take_candidate(one: Candidate) -> None:
    """Look up an entry that was found or chosen."""
    state = impact_state()
    state.choices = ()
    state.next_accession = " ".join((str(one.accession), *one.variants.split("\n"))).strip()


def choices() -> None:
    """The entries that may be meant, to choose from."""
    offered = impact_state().choices
    if not offered:
        return
    st.markdown("Which one is meant?")
    for number, one in enumerate(offered[:8]):
        st.button(plain(one.title), key=f"choice {number}", on_click=take_candidate, args=(one,))
