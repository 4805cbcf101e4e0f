"""The alignment of homologues: a file of the user's, or AlphaFold DB's of what was looked up."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import GlassError
from glass_core.inputs.upload import Upload
from glass_core.sources.alphafold import alphafold_alignment
from glass_core.sources.fetch import Fetcher
from pages.parts.common import settings
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
        size = len(lookup.homologues.content) / 1e6
        st.caption(
            f"AlphaFold DB's alignment is used ({size:.1f} MB), unless a file of your own is given."
        )
    elif lookup.model is not None and lookup.model.alignment_url:
        if st.button("Fetch AlphaFold DB's alignment", key=f"{role}fetch_alignment"):
            _fetch(role)
            st.rerun()
        if lookup.alignment_problem:
            st.error(lookup.alignment_problem, icon=":material/error:")


def alignment_given(role: str) -> Upload | None:
    """The alignment that was dropped, else the one that was fetched."""
    file = st.session_state.get(f"{role}alignment")
    if file is None:
        return lookup_state(role).homologues
    return Upload(file.getvalue(), file.name)


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
