"""The Screen page: many variants, from lists to a ranked table."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import Cancelled, GlassError
from pages.parts.common import runs, through_the_front_door
from pages.parts.hand_over import taken_over
from pages.parts.lookup import look_up_asked
from pages.parts.screen_form import ROLE, screen_form, take_found, take_over
from pages.parts.screen_results import screen_results


def show() -> None:
    run = st.query_params.get("run")
    if run is None:
        st.markdown("### Which substitutions matter?")
        st.markdown(
            "Give a wild type, and all its substitutions or a list of your own. The effect "
            "scores come at once, from one pass over the wild type; predicted TM-score and "
            "lDDT fill in behind them. Nothing is lost when you close the page."
        )
        return
    try:
        known = runs().get(run)
        if known is not None and known.kind == "impact":
            st.switch_page("pages/impact.py", query_params={"run": run})
        if known is None:
            st.info("This address belongs to no screen here; it may have been deleted.")
            return
        screen_results(known)
    except Cancelled:
        st.rerun()
    except GlassError as error:
        st.error(str(error), icon=":material/error:")


through_the_front_door("pages/screen.py")
given = taken_over("screen")
if given is not None:
    take_over(given)
for field in ("screen_wild", "screen_list", "screen_range"):
    st.session_state.setdefault(field, "")
look_up_asked(ROLE, take_found)
form, main = st.columns([1, 2.6], gap="large")
with form:
    screen_form()
with main:
    show()
