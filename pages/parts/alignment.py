"""The alignment of homologues: a file of the user's, or AlphaFold DB's of what was looked up."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import GlassError
from glass_core.inputs.proteins import Alignment
from glass_core.inputs.upload import Upload
from glass_core.protein.profile import AlignmentProfile
from glass_core.sources.alphafold import alphafold_alignment
from glass_core.sources.fetch import Fetcher
from pages.parts.common import plain, settings
from pages.parts.state import lookup_state


def alignment_field(role: str) -> None:
    """Where an alignment is dropped or fetched; `alignment_given` reads it."""
    st.file_uploader(
        "Alignment of homologues (optional)",
        key=f"{role}alignment",
        help="A3M, A2M, FASTA, Stockholm or Clustal, also gzip'd; the wild type is found in it. "
        "How rare a residue is among homologues is then told beside the prediction, and counts "
        "in the chance of being damaging.",
    )
    lookup = lookup_state(role)
    if lookup.homologues is not None:
        size = len(lookup.homologues.content) / 1e3
        st.caption(
            f"{plain(lookup.homologues.name)} is used ({size:,.0f} kB), unless a file is given "
            "here."
        )
    elif lookup.profile is not None and st.session_state.get(f"{role}alignment") is None:
        kept, button = st.columns([2.2, 1], vertical_alignment="center")
        kept.caption(f"Of the result: {plain(lookup.profile.name)}, {lookup.profile.depth:,} rows")
        button.button(
            "Remove", key=f"{role}remove_profile", on_click=_forget, args=(role,), width="stretch"
        )
    elif lookup.model is not None and lookup.model.alignment_url:
        if st.button("Fetch AlphaFold DB's alignment", key=f"{role}fetch_alignment"):
            _fetch(role)
            st.rerun()
        if lookup.alignment_problem:
            st.error(lookup.alignment_problem, icon=":material/error:")


def alignment_given(role: str) -> Alignment | None:
    """The alignment that was dropped, else that of the opened result, or the one fetched."""
    file, lookup = st.session_state.get(f"{role}alignment"), lookup_state(role)
    if file is None:
        return lookup.homologues or lookup.profile
    return Upload(file.getvalue(), file.name)


def take_alignment(role: str, alignment: Alignment | None) -> None:
    """Take up what another page passes on, or what is known of a result that was opened."""
    lookup = lookup_state(role)
    lookup.found()
    if isinstance(alignment, Upload):
        lookup.homologues = alignment
    elif isinstance(alignment, AlignmentProfile):
        lookup.profile = alignment


def _forget(role: str) -> None:
    lookup_state(role).profile = None


def _fetch(role: str) -> None:
    lookup = lookup_state(role)
    if lookup.model is None:
        return
    lookup.alignment_problem = ""
    try:
        with st.spinner("Fetching the alignment ..."):
            content = alphafold_alignment(lookup.model, Fetcher(settings()))
    except GlassError as error:
        lookup.alignment_problem = str(error)
        return
    lookup.homologues = Upload(content, lookup.model.alignment_name)
