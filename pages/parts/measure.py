"""Remodelling the mutant and measuring it, in the background, beside its prediction."""

from __future__ import annotations

import streamlit as st

from glass_core.impact.analyse import measured
from glass_core.impact.record import Impact
from glass_core.progress import Watch, duration
from glass_core.remodel import get_remodeller, unavailable_remodellers
from glass_core.remodel.base import Remodelling, RemodelSettings
from glass_core.remodel.duration import remodel_seconds
from pages.parts.common import impact_jobs, settings
from pages.parts.state import impact_state
from pages.parts.workbench import forget_kept, store_of


def start_remodel(impact: Impact, run: str) -> None:
    """Queue the remodelling of `impact`; its result takes the place of the run's."""
    state = st.session_state
    how = RemodelSettings(protocol=state["protocol"], sphere_radius=float(state["radius"]))
    remodelling = Remodelling(
        get_remodeller(state["backend"], settings().relaxed.expanduser()), int(state["seeds"]), how
    )
    store = store_of(run)

    def work(watch: Watch) -> Impact:
        made = measured(impact, remodelling, watch=watch)
        store.keep_impact(made, run=run)
        forget_kept(run)
        return made

    impact_jobs().submit(work, run, expected(impact))


def expected(impact: Impact) -> float:
    """Seconds that remodelling with the settings of the form will take, about."""
    state = st.session_state
    return remodel_seconds(len(impact.protein), int(state["seeds"]), state["protocol"])


def measure_panel(impact: Impact, run: str) -> None:
    """The job that is going on, else settings and the button that starts one."""
    if impact.protein.structure is None:
        st.info(
            "Sequence alone: add a structure to see distances, a 3D view and affected parts of "
            "the fold, and to remodel and measure the mutant.",
            icon=":material/info:",
        )
        return
    status = impact_jobs().status(run)
    if status is not None and not status.finished:
        with st.container(border=True):
            st.markdown("**Remodelling and measuring the mutant**")
            st.caption("It goes on when you close or leave the page; the address leads back here.")
            job_progress(run)
        return
    if status is not None and status.state == "failed":
        st.error(status.error, icon=":material/error:")
    if status is not None and status.state == "cancelled":
        st.warning("Remodelling was cancelled; the prediction is kept.", icon=":material/warning:")
    _settings(impact, run)


def _settings(impact: Impact, run: str) -> None:
    with st.expander("Remodel the mutant and measure it", expanded=False):
        if not impact.variant.only_substitutions:
            st.caption(
                "Remodelling rebuilds substitutions only. For insertions and deletions give a "
                "mutant structure of your own, above under 'A sequence, a structure file ...'."
            )
            return
        reasons = unavailable_remodellers()
        usable = [name for name, reason in reasons.items() if reason is None]
        left, right = st.columns(2)
        left.selectbox("Program", usable, key="backend", persist_state="session")
        right.selectbox(
            "Protocol",
            ["minimise", "anneal"],
            key="protocol",
            persist_state="session",
            help="minimise: quiet, shows local change best. anneal: heats and cools as the paper "
            "does; shows flexibility, and needs many seeds.",
        )
        left.number_input(
            "Seeds",
            1,
            20,
            2,
            key="seeds",
            persist_state="session",
            help="Replicates; each also measures the noise floor.",
        )
        right.number_input(
            "Sphere radius (Å)",
            5.0,
            1000.0,
            100.0,
            key="radius",
            persist_state="session",
            help="Only atoms within it of the substitution may move.",
        )
        for name, reason in reasons.items():
            if reason is not None:
                st.caption(f"{name} is not available: {reason}")
        st.caption(
            f"About {duration(expected(impact))} with OpenMM; the answer above stays while it runs."
        )
        if st.button("Remodel", key="remodel", disabled=not usable):
            start_remodel(impact, run)
            st.rerun()


@st.fragment(run_every=2.0)
def job_progress(run: str) -> None:
    """Stage, progress and cancel of a running job; the page is drawn again when it ends."""
    status = impact_jobs().status(run)
    if status is None or status.finished:
        impact_state().notice = ""
        st.rerun()
        return
    st.progress(min(status.fraction, 1.0), text=status.words)
    if st.button("Cancel", key="cancel"):
        impact_jobs().cancel(run)
