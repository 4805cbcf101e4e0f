"""A result to look at before anything was asked for."""

from __future__ import annotations

import streamlit as st

from glass_core.impact.as_json import from_json
from glass_core.impact.record import Impact
from glass_core.report.impact.verdict import verdict
from glass_core.settings import PROJECT
from pages.parts.answer import card
from pages.parts.common import plain
from pages.parts.views import libraries, structure_panel

SAMPLE = PROJECT / "assets" / "sample.json"
"""The example as ``glass impact --json`` gives it."""


@st.cache_resource(show_spinner=False)
def sample() -> Impact | None:
    """The kept analysis of the example; None where it is not there."""
    return from_json(SAMPLE.read_text(encoding="utf-8")) if SAMPLE.is_file() else None


def sample_panel() -> None:
    """The example's answer and structure, as any result has them."""
    impact = sample()
    if impact is None:
        return
    st.markdown(f"#### For example: {plain(verdict(impact).headline)}")
    left, right = st.columns([1, 1.1], gap="medium")
    with left:
        card(impact)
    with right:
        structure_panel(impact)
    libraries(impact)  # the track's, too: it is there by the time of the first result
