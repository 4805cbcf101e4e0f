"""A page that is asked something, whose answer has a name in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from pages.parts.common import back_from_another_page
from pages.parts.hand_over import HandOver, Page, taken_over
from pages.parts.state import AskedState


def asked_and_shown(
    page: Page,
    state: AskedState,
    fill_from: Callable[[HandOver], None],
    start: Callable[[], str | None],
    hero: Callable[[], None],
    entry: Callable[[], None],
    again: str,
) -> str | None:
    """Draw the form, answer it where that was asked for; the name of the answer to show.

    Parameters
    ----------
    page : str
        Also what the name is called in the address.
    fill_from : callable
        Takes up what another page sends here.
    start : callable
        Answers what the form holds: the answer's name, None where there is none.
    hero, entry : callable
        What is said before anything was asked; the form.
    again : str
        Names the form that an answer stands below.
    """
    given = taken_over(page)
    if given is not None:
        fill_from(given)
    named = st.query_params
    if page not in named and state.shown and back_from_another_page() and not state.start:
        named[page] = state.shown
    if page in named:
        with st.expander(again, expanded=bool(state.problem)):
            entry()
    else:
        hero()
        entry()
    with st.container(key=f"{page}_work"):
        if state.start:
            made = start()
            state.start = False
            if made:
                named[page] = state.shown = made
            st.rerun()
    return named.get(page)


@contextmanager
def result_of(key: str, changed: bool, what: str = "") -> Iterator[None]:
    """Where a result stands; it is pale where the form no longer holds what it was made from.

    Parameters
    ----------
    key : str
        Of the page's result.
    what : str
        Names it.
    """
    if changed:
        belongs = "What is below belongs to the inputs before they were changed"
        st.warning(f"{belongs}: {what}." if what else f"{belongs}.", icon=":material/history:")
        st.html(f"<style>.st-key-{key} {{opacity: 0.45}}</style>")
    with st.container(key=key):
        yield
