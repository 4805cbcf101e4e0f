"""Work that a visitor waits for: the page says how far it is, and it can be given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from glass_core.models.predictor import Predictor
from glass_core.progress import Pace, Watch, duration
from glass_core.runs.turns import Turns
from pages.parts.common import predictor

T = TypeVar("T")
SOON_S, LONG_S = 1.5, 4.0
"""Seconds within which nothing is said of what is left, and from which on work can be given up
once it has begun; so can work of which nobody knows how long it takes."""


@st.cache_resource(show_spinner=False)
def turns() -> Turns:
    return Turns()


def in_turn(
    title: str,
    work: Callable[[Watch], T],
    expected_s: float = 0.0,
    given_up: Callable[[], None] | None = None,
) -> T:
    """What `work` gives, once those who came before had their turn.

    Whatever else the visitor does on the page meanwhile ends this run of it, too.

    Parameters
    ----------
    title : str
        What is being done.
    work : callable
        Must not draw.
    expected_s : float
        Seconds that it will take once it begins, about; 0 where nobody knows.
    given_up : callable, optional
        Called when that is what the visitor wants.
    """
    place, button = st.empty(), st.empty()

    offered = False

    def tell(before: int, seconds: float, stage: str) -> None:
        nonlocal offered
        if not before and seconds < SOON_S:
            return
        place.info(said(title, before, seconds, stage, expected_s), icon=":material/hourglass_top:")
        if not offered:
            button.button(
                "Cancel",
                key=f"give up {title}",
                on_click=given_up,
                help="Back to what was there before.",
            )
        offered = True

    try:
        with place, st.spinner(title):
            return turns().take(work, tell, aside=not 0 < expected_s < LONG_S)
    finally:
        place.empty()
        button.empty()


def loaded(model: str) -> Predictor:
    """The model, read first where nobody asked for it before."""
    with st.spinner("Loading the model."):
        return predictor(model)


@st.cache_resource(show_spinner=False)
def pace(model: str) -> Pace:
    """Of the predictions of a model on this machine."""
    return Pace()


def said(title: str, before: int, seconds: float, stage: str, expected_s: float) -> str:
    """What a visitor who waits is told."""
    if before:
        others = "1 other visitor's" if before == 1 else f"{before} other visitors'"
        return f"{title} Waiting for {others} work on this machine."
    took = f"{duration(seconds)} so far"
    if expected_s > SOON_S:
        took += f", about {duration(max(expected_s, seconds))} in all"
    return f"{title} {stage.capitalize() + ': ' if stage else ''}{took}."
