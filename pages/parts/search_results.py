"""What a search found: headline, histogram, site, table, one neighbour in detail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from glass_core.errors import GlassError
from glass_core.inputs.upload import Upload
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.report.evidence.names import RELATIVES
from glass_core.report.evidence.relatives import column_words
from glass_core.report.search.exports import a3m, as_fasta, file_stem, search_exports
from glass_core.report.search.figures import score_histogram, site_bars
from glass_core.report.search.scene import neighbour_scene
from glass_core.report.search.tables import (
    CHANCE,
    column_help,
    known_table,
    neighbour_table,
    site_table,
)
from glass_core.report.search.words import (
    alignment_text,
    headline,
    homologue_shares,
    how_read,
    of_database,
    site_words,
)
from glass_core.search.confirming import (
    looked_up_structure,
    require_its_structure,
    structure_of,
    superposed,
)
from glass_core.search.known import MOST_ASKED, known_at_site
from glass_core.search.neighbours import FEWEST_RESIDUES, Neighbour, short_query
from glass_core.search.relatives import Relatives
from glass_core.sources.fetch import Fetcher
from pages.parts.common import download_buttons, plain, records_of, settings
from pages.parts.hand_over import HandOver, hand_over
from pages.parts.linked import library, structure_view
from pages.parts.state import search_state

_LETTERS = ["", *STANDARD]


def results(found: Relatives, name: str) -> None:
    """What was found; `name` is the one in the address."""
    protein = found.protein
    st.header(plain(headline(found)), anchor=False)
    st.caption(
        f"**{plain(protein.name or 'your protein')}**, {len(protein):,} residues, against "
        f"{plain(of_database(found))}"
    )
    if len(protein) < FEWEST_RESIDUES:
        st.warning(short_query(protein.sequence), icon=":material/warning:")
    site_panel(found, name)
    st.markdown("#### Neighbours")
    chosen = neighbours_panel(found, name)
    if chosen is not None:
        neighbour_panel(found, chosen)
    st.markdown("#### How far they stand out")
    st.plotly_chart(score_histogram(found), key="search_histogram")
    st.caption(plain(how_read(found)))
    downloads(found)
    if protein.structure is not None:
        library("$3Dmol")


def site_panel(found: Relatives, name: str) -> None:
    """What stands in the relatives at a residue."""
    protein, state = found.protein, search_state()
    st.markdown("#### At a residue")
    left, middle, right = st.columns([1.2, 1, 3], vertical_alignment="bottom")
    place = left.selectbox(
        "Residue",
        range(1, len(protein) + 1),
        index=None if state.site is None else min(state.site, len(protein)) - 1,
        format_func=protein.named,
        key=f"search_site {name}",
        placeholder="Choose a residue",
    )
    mutant = middle.selectbox(
        "New residue",
        _LETTERS,
        index=_LETTERS.index(state.mutant) if state.mutant in _LETTERS else 0,
        format_func=lambda letter: letter or "none",
        key=f"search_mutant {name}",
    )
    state.site, state.mutant = place, mutant
    if place is None:
        right.caption("What stands there in the relatives, and what is known of it.")
        return
    if mutant and mutant != protein.sequence[place - 1]:
        variant = f"{protein.sequence[place - 1]}{protein.label(place)}{mutant}"
        if right.button(f"Analyse {variant}", key="search_analyse"):
            hand_over("impact", HandOver.of_protein(protein, variant))
            st.switch_page("pages/impact.py")
    column_view(found, place, mutant, f"search {name}")


def column_view(found: Relatives, place: int, mutant: str, key: str) -> None:
    """The column at a residue: sentence, bars, whose residue it is, what is known there."""
    protein, column = found.protein, found.column(place)
    st.markdown(plain(site_words(column, protein, mutant)))
    if not column.aligned:
        return
    homologues = homologue_shares(protein.profile, place)
    st.plotly_chart(site_bars(column, homologues, mutant), key=f"{key}_column")
    record = records_of(found.model.name).get(RELATIVES)
    for sentence in () if record is None else column_words(record):
        st.caption(plain(sentence))
    with st.expander("In which neighbour what stands, and what is known there"):
        st.dataframe(site_table(column), hide_index=True, key=f"{key}_site_table")
        known_panel(found, place, key)


def known_panel(found: Relatives, place: int, key: str) -> None:
    """Known variants at the facing residues; looked up when that is asked for."""
    asked = f"{key}_known {place}"
    if st.button(
        f"Look up known variants there (the first {MOST_ASKED}; asks web services)",
        key=f"{asked} ask",
    ):
        entries = [one.entry for one in found.neighbours]
        with st.spinner("Looking up ..."):
            st.session_state[asked] = known_at_site(
                found.column(place), entries, Fetcher(settings())
            )
    if asked in st.session_state:
        there, problems = st.session_state[asked]
        table = known_table(there)
        if table.empty:
            st.caption(f"None is listed at the facing residue of {len(there)} neighbours.")
        else:
            st.dataframe(table, hide_index=True)
            st.caption("As the databases have them, which is no verdict of this program.")
        for problem in problems:
            st.caption(f"⚠ {plain(problem)}")


def score_columns(table: pd.DataFrame) -> dict[str, Any]:
    """How the columns of `neighbour_table` are shown."""
    meant = column_help()
    shown: dict[str, Any] = {
        title: st.column_config.NumberColumn(format="%.2f", help=meant[title].meaning)
        for title in table.select_dtypes("float").columns
    }
    if CHANCE in shown:
        shown[CHANCE] = st.column_config.ProgressColumn(
            format="%.2f", min_value=0, max_value=1, color="gray", help=meant[CHANCE].meaning
        )
    return shown | {"neighbour": st.column_config.TextColumn(pinned=True)}


def neighbours_panel(found: Relatives, name: str) -> Neighbour | None:
    """The table; the neighbour that is chosen in it."""
    table = neighbour_table(found, search_state().site)
    event = st.dataframe(
        table,
        hide_index=True,
        key=f"search_table {name}",
        on_select="rerun",
        selection_mode="single-row",
        column_config=score_columns(table),
    )
    rows = event["selection"]["rows"]
    if not rows:
        st.caption("Choose a row to see its alignment and to lay it on your structure.")
        return None
    return found.neighbours[rows[0]]


def neighbour_panel(found: Relatives, one: Neighbour) -> None:
    """One neighbour: its alignment, its superposition, the way to analyse it."""
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.markdown(f"**{plain(one.entry.id)}** {plain(one.entry.description)}")
        if right.button("Open in Impact", key="search_open", width="stretch"):
            hand_over("impact", HandOver(one.entry.fasta, ""))
            st.switch_page("pages/impact.py")
        if one.alignment is not None:
            st.code(alignment_text(one, search_state().site), language=None)
        superposition_panel(found, one)


def superposition_panel(found: Relatives, one: Neighbour) -> None:
    """The neighbour's structure on the protein's: from the database, a file, or looked up."""
    protein = found.protein
    if protein.structure is None:
        st.caption("Give a structure of your protein to lay the neighbour on it.")
        return
    key = f"search_other {found.folder} {one.entry.id}"
    other: Structure | None = st.session_state.get(key) or structure_of(one.entry, found.folder)
    if other is None:
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        if one.entry.accession is not None and left.button(
            f"Look up {one.entry.accession}", key=f"{key} ask", help="Asks PDB or AlphaFold DB."
        ):
            try:
                with st.spinner("Looking up ..."):
                    other = looked_up_structure(one.entry, Fetcher(settings()))
            except GlassError as error:
                st.error(str(error), icon=":material/error:")
        file = right.file_uploader("or its structure's file", key=f"{key} file")
        if other is None and file is not None:
            try:
                other = read_structure(file.getvalue(), name=file.name)
                require_its_structure(other, one.entry)
            except GlassError as error:
                st.error(str(error), icon=":material/error:")
                return
        if other is None:
            return
        st.session_state[key] = other
    try:
        laid = superposed(protein.structure, other)
        shown = neighbour_scene(protein, other, laid, search_state().site, one.entry.id)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.markdown(
        f"TM-score **{laid.tm_score:.3f}** by TM-align (by the length of your structure), "
        f"{laid.aligned_length} residues within {laid.rmsd:.1f} Å; predicted {one.tm_score:.3f}"
    )
    structure_view(shown, "search_superposition", lambda: None)


def downloads(found: Relatives) -> None:
    """Tables and the alignment; which goes straight into an analysis."""
    st.markdown("#### Downloads")
    download_buttons(search_exports(found, search_state().site), "search ")
    left, right = st.columns([1, 3])
    if right.button(
        "Show on the map",
        key="search_map",
        help="Your protein and its neighbours, among chains of known class.",
    ):
        hand_over("map", HandOver(as_fasta(found), ""))
        st.switch_page("pages/map.py")
    if left.button(
        "Use the alignment on Impact",
        key="search_use_alignment",
        help="The relatives become the alignment of homologues of your protein.",
    ):
        given = HandOver.of_protein(found.protein, "")
        alignment = Upload(a3m(found).encode(), f"{file_stem(found)}.a3m")
        hand_over("impact", replace(given, alignment=alignment))
        st.switch_page("pages/impact.py")
