"""The Map page: where sequences, structures and stretches lie among chains of known class."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import GlassError
from pages.parts.common import back_from_another_page, through_the_front_door
from pages.parts.hand_over import taken_over
from pages.parts.map_form import entry, fill_from, first_values, hero, kept, start_placing
from pages.parts.map_results import results
from pages.parts.state import map_state

SHOWN = "map"
"""In the address: the places that are shown."""


through_the_front_door("pages/map.py")
first_values()
given = taken_over("map")
if given is not None:
    fill_from(given)
state = map_state()
if SHOWN not in st.query_params and state.shown and back_from_another_page() and not state.start:
    st.query_params[SHOWN] = state.shown
if SHOWN in st.query_params:
    with st.expander("Other proteins", expanded=bool(state.problem)):
        entry()
else:
    hero()
    entry()
with st.container(key="map_work"):
    if state.start:
        made = start_placing()
        state.start = False
        if made:
            st.query_params[SHOWN] = state.shown = made
        st.rerun()
shown = st.query_params.get(SHOWN)
mapped = None if shown is None else kept().get(shown)
if shown is not None and mapped is None:
    st.info("These places are no longer kept; place the proteins again.")
try:
    results(mapped)
except GlassError as error:
    st.error(str(error), icon=":material/error:")
