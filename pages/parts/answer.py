"""The answer about a variant: headline, card, what carries it."""

from __future__ import annotations

import streamlit as st

from glass_core.impact.record import Impact
from glass_core.report.impact.card import CardLine, answer_card, reasons, thin
from glass_core.report.impact.evidence import check_table
from glass_core.report.scene import site_scene
from pages.parts.common import plain, records_of
from pages.parts.linked import structure_view

BADGES = {
    "predicted": ("predicted", "blue"),
    "measured": ("measured", "orange"),
    "external": ("external", "yellow"),
    "structure": ("seen in the structure and databases", "gray"),
    "record": ("from the model's records", "gray"),
}
"""Whose a line is -> words and colour."""


def card(impact: Impact, measuring: bool = False) -> None:
    """A line for each thing that is known, and where they agree."""
    model = impact.prediction.model
    told = answer_card(impact, records_of(model.name), measuring)
    with st.container(border=True):
        for one in told.lines:
            _line(one)
        if told.together:
            st.markdown(f"**{plain(told.together)}**")


def _line(one: CardLine) -> None:
    words, colour = BADGES[one.whose]
    says = f"[{plain(one.says)}]({one.link})" if one.link else plain(one.says)
    st.markdown(
        f"{one.name} :{colour}-badge[{words}]  \n**{says}**"
        + (f"  \n{plain(one.detail)}" if one.detail else ""),
        help=one.meaning,
    )


def why(impact: Impact) -> None:
    """What may explain it, beside a view of the site."""
    st.markdown("#### Why it may be so")
    shown = site_scene(impact)
    left, right = st.columns([1, 1], gap="medium") if shown else (st.container(), None)
    with left:
        for check in reasons(impact):
            st.markdown(f"- {plain(check.text)}")
        if shown is not None:
            for contact in dict.fromkeys(line.words for line in shown.contacts):
                st.markdown(f"- drawn: {plain(contact)}")
        if said := thin(impact):
            st.caption(said)
        if impact.checks:
            with st.expander(f"Checks: {len(impact.checks)}, with what decides them"):
                st.dataframe(check_table(impact.checks), hide_index=True)
                st.caption(
                    "After Missense3D and others, on the wild type's structure as given. They "
                    "explain; they do not score."
                )
    if right is not None and shown is not None:
        with right:
            structure_view(shown, "site", lambda: None)
