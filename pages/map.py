"""The Map page: where sequences, structures and stretches lie among chains of known class."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import GlassError
from pages.parts.asked import asked_and_shown, result_of
from pages.parts.common import through_the_front_door
from pages.parts.map_form import entry, fill_from, first_values, hero, maps, start_placing
from pages.parts.map_results import results
from pages.parts.state import map_state

through_the_front_door("pages/map.py")
first_values()
shown = asked_and_shown("map", map_state(), fill_from, start_placing, hero, entry, "Other proteins")
mapped = None if shown is None else maps().get(shown)
if shown is not None and mapped is None:
    st.info("These places are no longer kept; place the proteins again.")
with result_of("map_result", changed=mapped is not None and bool(map_state().problem)):
    try:
        results(mapped)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")
