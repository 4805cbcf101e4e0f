"""The fields of the Screen page: their names, and the ways in which they are filled."""

from __future__ import annotations

from itertools import islice

import streamlit as st

from glass_core.inputs.choice import ChoiceKind
from glass_core.inputs.upload import EXAMPLE_CHAIN, Upload, example_upload
from glass_core.models.registry import DEFAULT_MODEL
from glass_core.runs.view import Run
from glass_core.screen.goal import DEFAULT_GOAL
from glass_core.screen.request import ScreenRequest
from glass_core.sources.lookup import Found
from pages.parts.alignment import alignment_given, take_alignment
from pages.parts.common import counting_fields, esm2_asked, runs
from pages.parts.hand_over import HandOver, counting_of
from pages.parts.lookup import fasta_of, only_chain
from pages.parts.screen_goal import BY_GOAL, best_for, rankings_offered
from pages.parts.state import lookup_state, screen_state

ROLE = "screen_"
EVERYTHING, ALANINE, LIST, KNOWN = "All", "Alanine scan", "My list", "Known"
WORDLESS: dict[str, ChoiceKind] = {EVERYTHING: "all", ALANINE: "alanine", KNOWN: "known"}
"""Those that need no words of the user."""
MOST_LISTED = 5_000
"""Variants of a file that is not kept, which are put into the list in its place."""
_FIRST = {
    "screen_wild": "",
    "screen_list": "",
    "screen_range": "",
    "screen_goal": DEFAULT_GOAL,
    "screen_top": 5,
    "screen_numbering": "sequence",
}


def first_values() -> None:
    """What the fields hold before anybody filled them."""
    for field, value in _FIRST.items():
        st.session_state.setdefault(field, value)


def file_key() -> str:
    """The key of the field for a file of variants; another one empties it."""
    return f"screen_table {screen_state().uploads}"


def take_found(found: Found, variants: str) -> None:
    """Fill the form with what an accession led to; variants behind it make the list."""
    st.session_state.update(
        {
            "screen_wild": fasta_of(found),
            "screen_given": Upload.if_any(found.structure, found.structure_name),
            "screen_chain": only_chain(found),
            "screen_list": variants,
            "screen_which": LIST if variants else EVERYTHING,
            "screen_numbering": "sequence",
        }
    )


def take_over(given: HandOver) -> None:
    """Fill the form with what another page passes on, and start; no words mean everything."""
    st.query_params.pop("run", None)
    st.session_state.update(
        {
            "screen_wild": given.wild,
            "screen_given": given.structure,
            "screen_chain": given.chain,
            "screen_annotation": given.annotation,
            "screen_which": LIST if given.variants.strip() else EVERYTHING,
            "screen_list": given.variants,
            "screen_range": "",
            **counting_fields(ROLE, given.numbering),
        }
    )
    screen_state().uploads += 1
    take_alignment(ROLE, given.alignment)
    screen_state().start = True


def fill_example() -> None:
    st.session_state.update(
        {
            "screen_annotation": None,
            "screen_accession": "",
            "screen_wild": "",
            "screen_given": example_upload(),
            "screen_chain": EXAMPLE_CHAIN,
            "screen_which": EVERYTHING,
            "screen_range": "",
        }
    )
    lookup_state(ROLE).found()
    screen_state().start = True


def take_run(run: Run, request: ScreenRequest) -> None:
    """Fill the form with what a screen was asked for, as far as that is kept."""
    first = request.proteins[0]
    alone = len(request.proteins) == 1
    structure = first.structure if alone else None
    which = {kind: name for name, kind in WORDLESS.items()}.get(request.choice or "list", LIST)
    text = request.text
    if which == LIST and request.choice != "list":
        text = _listed(run, alone)
    st.session_state.update(
        {
            "screen_wild": first.sequence if alone and not first.name else _fasta(request),
            "screen_given": None if structure is None else Upload.of_structure(structure),
            "screen_chain": None if structure is None else structure.chain,
            "screen_annotation": first.annotation,
            "screen_which": which,
            "screen_range": request.span,
            "screen_list": text,
            **counting_fields(ROLE, counting_of(first)),
            "screen_goal": request.goal or DEFAULT_GOAL,
            "screen_model": request.model or DEFAULT_MODEL,
            "screen_rank": BY_GOAL if _by_goal(request) else request.ranking,
            "screen_remodel": request.remodel or "no",
            "screen_top": request.remodel_top or _FIRST["screen_top"],
        }
    )
    screen_state().uploads += 1
    screen_state().filled, screen_state().asked = run.id, ()
    take_alignment(ROLE, first.profile)


def asked_now() -> tuple[object, ...]:
    """What the form asks for; equal as long as nothing of it changed."""
    state = st.session_state
    given: Upload | None = state.get("screen_given")
    file = state.get(file_key())
    alignment = alignment_given(ROLE)
    which = state.get("screen_which")
    of_choice = (
        (state.get("screen_list"), file and (file.name, file.size), state.get("screen_numbering"))
        if which == LIST
        else (state.get("screen_range"),)
    )
    return (
        state.get("screen_wild"),
        given and (given.name, hash(given.content), given.neighbours),
        state.get("screen_chain") if given else None,
        alignment and (alignment.name, getattr(alignment, "sha256", None)),
        which,
        of_choice,
        *(state.get(f"screen_{name}") for name in ("goal", "model", "rank", "remodel", "top")),
        esm2_asked("screen_esm2"),
    )


def _by_goal(request: ScreenRequest) -> bool:
    """Whether a screen goes by the ranking that is best for its goal."""
    if request.goal is None:
        return False
    offered = rankings_offered(request.model)
    best = best_for(request.goal, request.model, request.proteins, offered)
    return best.ranking == request.ranking


def _fasta(request: ScreenRequest) -> str:
    return "".join(f">{p.name or p.short_name}\n{p.sequence}\n" for p in request.proteins)


def _listed(run: Run, alone: bool) -> str:
    """The first variants of a screen, one per line, each with its protein where there are more."""
    rows = islice(runs().each_row(run.id), MOST_LISTED)
    names = ((row.protein, row.written or row.variant) for row in rows)
    return "\n".join(text if alone else f"{protein} {text}" for protein, text in names)
