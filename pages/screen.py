"""The Screen page: many variants, from lists to a ranked table."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from glass_core.errors import Cancelled, GlassError
from glass_core.runs.view import Run
from pages.parts.asked import result_of
from pages.parts.common import back_from_another_page, gone_back, runs, through_the_front_door
from pages.parts.hand_over import taken_over
from pages.parts.lookup import look_up_asked
from pages.parts.screen_fields import ROLE, asked_now, first_values, take_found, take_over, take_run
from pages.parts.screen_form import screen_form
from pages.parts.screen_results import screen_results
from pages.parts.state import impact_state, screen_state


def known_run() -> Run | None:
    """The run that the address names; None where there is none that can be read."""
    run = st.query_params.get("run")
    if run is None:
        return None
    with suppress(GlassError):
        return runs().get(run)
    return None


def fill_fields(run: Run | None) -> None:
    """The form shows what the screen in the address was asked for."""
    if run is None or run.kind != "screen" or run.id == screen_state().filled:
        return
    with suppress(GlassError):  # what is wrong is told where the results would be
        take_run(run, runs().inputs(run.id))


def last_shown() -> str:
    """The screen to come back to from another page; '' where there is none, or another is asked."""
    back = back_from_another_page() and "run" not in st.query_params
    return screen_state().shown_run or "" if back and given is None else ""


def hero() -> None:
    st.title("Which substitutions matter?", anchor=False)
    st.markdown(
        "Give a wild type, and all its substitutions or a list of your own. The effect "
        "scores come at once, from one pass over the wild type; predicted TM-score and "
        "lDDT fill in behind them. Nothing is lost when you close the page."
    )


def show(run: str) -> None:
    """The screen in the address."""
    try:
        known = runs().get(run)
        if known is not None and known.kind == "impact":
            if last := gone_back(run, impact_state().shown, screen_state().shown_run):
                st.query_params["run"] = last
                st.rerun()
            st.switch_page("pages/impact.py", query_params={"run": run})
        if known is None:
            st.info("This address belongs to no screen here; it may have been deleted.")
            return
        with result_of("screen_result", changed=screen_state().asked != asked_now()):
            screen_results(known)
    except Cancelled:
        st.rerun()
    except GlassError as error:
        st.error(str(error), icon=":material/error:")


through_the_front_door("pages/screen.py")
given = taken_over("screen")
if given is not None:
    take_over(given)
first_values()
if address_of_last := last_shown():
    st.query_params["run"] = address_of_last
shown = known_run()
fill_fields(shown)
look_up_asked(ROLE, take_found)
address = st.query_params.get("run")
if address is None:
    hero()
screen_form(shown is not None)
if address is not None:
    show(address)
