"""The Search page: which proteins share a fold, and what stands at a site in them."""

from __future__ import annotations

import streamlit as st

from pages.parts.asked import asked_and_shown, result_of
from pages.parts.common import through_the_front_door
from pages.parts.lookup import look_up_asked
from pages.parts.search_form import (
    ROLE,
    entry,
    fill_from,
    first_values,
    hero,
    searches,
    start_search,
    take_found,
)
from pages.parts.search_results import results
from pages.parts.state import search_state

through_the_front_door("pages/search.py")
first_values()
look_up_asked(ROLE, take_found)
shown = asked_and_shown(
    "search",
    search_state(),
    fill_from,
    start_search,
    hero,
    entry,
    "Another protein, or another database",
)
if shown is not None:
    found = searches().get(shown)
    if found is None:
        st.info("This search is no longer kept; search again.")
    else:
        with result_of("search_result", changed=bool(search_state().problem)):
            results(found, shown)
