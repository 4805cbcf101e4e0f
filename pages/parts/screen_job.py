"""A screen's work in the background, and how far it is."""

from __future__ import annotations

import streamlit as st

from glass_core.progress import Rate, Watch
from glass_core.runs.screening import advance
from pages.parts.common import predictor, runs, screen_jobs, settings


def queue(run: str, model: str) -> None:
    """Do what is still to be done of a screen, in its turn."""
    store, loaded, places = runs(), predictor(model), settings()

    def work(watch: Watch) -> None:
        def tell(now: Rate) -> None:
            watch.tell(str(now), now.fraction)

        advance(store, run, settings=places, predictor=loaded, tell=tell, cancelled=watch.cancelled)

    screen_jobs().submit(work, run)


def going_on(run: str) -> bool:
    """Whether its work is waiting or being done."""
    return screen_jobs().going_on(run)


@st.fragment(run_every=3.0)
def job_progress(run: str) -> None:
    """Rate, remaining time and cancel; hands over to the page when the job ends."""
    status = screen_jobs().status(run)
    if status is None or status.finished:
        st.rerun()
        return
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(min(status.fraction, 1.0), text=status.words)
    if right.button("Cancel", key="screen_cancel", help="Keeps what is done.", width="stretch"):
        screen_jobs().cancel(run)
        left.caption("Cancelling; what is being done now is still kept.")
