"""The relatives of an analysed protein, on the Impact page."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import GlassError
from glass_core.impact.record import Impact
from glass_core.report.search.tables import neighbour_table
from glass_core.report.search.words import headline, how_read
from glass_core.runs.studies import protein_digest
from glass_core.search.neighbours import TOP
from glass_core.search.packing import embedded_database
from glass_core.search.relatives import Relatives
from pages.parts.common import plain, settings
from pages.parts.hand_over import HandOver, hand_over, map_button
from pages.parts.search_form import relatives_of, searches
from pages.parts.search_results import column_view, score_columns
from pages.parts.state import search_state

LISTED = 10
"""Neighbours in the table; the Search page has all."""


def relatives_panel(impact: Impact) -> None:
    """Which known structures share the fold, and what stands in them at the changed residue."""
    try:
        found = _found(impact)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")
        return
    change = impact.variant.changes[0]
    mutant = change.mutant if change.is_substitution else ""
    left, middle, right = st.columns([3, 1, 1], vertical_alignment="center")
    left.markdown(f"**{plain(headline(found))}**")
    with middle:
        map_button(impact, "relatives")
    if right.button("Open in Search", key="open_in_search", width="stretch"):
        _open_in_search(impact, mutant)
    column_view(found, change.position, mutant, "impact")
    table = neighbour_table(found, change.position, found.others[:LISTED])
    st.dataframe(table, hide_index=True, key="relatives", column_config=score_columns(table))
    st.caption(plain(how_read(found)))


def _found(impact: Impact) -> Relatives:
    """The search of the database that comes with the project, made once for a protein."""
    return searches().remembered(
        f"impact {protein_digest(impact.protein)}",
        lambda: relatives_of(impact.protein, embedded_database(settings()), TOP),
    )


def _open_in_search(impact: Impact, mutant: str) -> None:
    hand_over("search", HandOver.of_protein(impact.protein, ""))
    state = search_state()
    state.next_site, state.next_mutant = impact.variant.positions[0], mutant
    st.switch_page("pages/search.py")
