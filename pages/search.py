"""The Search page: which proteins share a fold, and what stands at a site in them."""

from __future__ import annotations

import streamlit as st

from pages.parts.common import back_from_another_page, through_the_front_door
from pages.parts.hand_over import taken_over
from pages.parts.lookup import look_up_asked
from pages.parts.search_form import (
    ROLE,
    entry,
    fill_from,
    first_values,
    hero,
    start_search,
    take_found,
)
from pages.parts.search_results import results
from pages.parts.state import search_state

SHOWN = "search"
"""In the address: the search that is shown."""


through_the_front_door("pages/search.py")
first_values()
given = taken_over("search")
if given is not None:
    fill_from(given)
state = search_state()
if SHOWN not in st.query_params and state.shown and back_from_another_page() and not state.start:
    st.query_params[SHOWN] = state.shown
look_up_asked(ROLE, take_found)
if SHOWN in st.query_params:
    with st.expander("Another protein, or another database", expanded=bool(state.problem)):
        entry()
else:
    hero()
    entry()
with st.container(key="search_work"):
    if state.start:
        made = start_search()
        state.start = False
        if made:
            st.query_params[SHOWN] = state.shown = made
        st.rerun()
shown = st.query_params.get(SHOWN)
if shown is not None:
    results(shown)
