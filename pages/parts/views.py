"""Track, structure and matrices of an analysis, linked with each other."""

from __future__ import annotations

from functools import partial

import streamlit as st

from glass_core.impact.record import Impact
from glass_core.report.evidence.defaults import leading_change
from glass_core.report.impact.exports import file_stem
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.track import residue_track
from glass_core.report.scene import scene
from pages.parts.common import records_of
from pages.parts.linked import clicked, library, linked_figure, structure_view
from pages.parts.state import impact_state


def libraries(impact: Impact) -> None:
    """The scripts that the views of this result need."""
    library("Plotly")
    if impact.protein.structure is not None:
        library("$3Dmol")


def choose(view: str) -> None:
    """A residue was clicked in `view`."""
    position = clicked(view)
    if position is not None:
        impact_state().selected, impact_state().clicked = position, True


def follow() -> None:
    """Draw the rest of the page anew where it shows the residue that was clicked in a view."""
    state = impact_state()
    if state.clicked:
        state.clicked = False
        if st.session_state.get("more") == "This residue":
            st.rerun()


@st.fragment
def structure_panel(impact: Impact) -> None:
    follow()
    model = impact.prediction.model
    lead = leading_change(records_of(model.name))
    structure_view(scene(impact, lead), "structure", partial(choose, "structure"))


@st.fragment
def track_panel(impact: Impact) -> None:
    follow()
    st.markdown("#### Along the sequence")
    linked_figure(
        residue_track(impact),
        "track",
        partial(choose, "track"),
        title="Predicted and measured values by residue",
        length=len(impact.protein),
        view=_view(impact),
        file=f"{file_stem(impact)}-track",
    )


def matrix_panel(impact: Impact) -> None:
    spans = {"whole chain": None} | {
        part.name: (part.segments[0][0], part.segments[-1][1]) for part in impact.subdomains
    }
    zoom = st.selectbox("Zoom to", list(spans), key="zoom")
    linked_figure(
        matrices(impact, None, spans.get(zoom)),
        "matrices",
        partial(choose, "matrices"),
        title="Distance matrices of wild type and mutant and their difference",
        length=len(impact.protein),
        view=f"{_view(impact)} {zoom}",
        file=f"{file_stem(impact)}-distances",
        square=True,
    )
    known = impact.protein.annotation
    error = (
        ""
        if known is None or known.pae is None
        else (
            " The predicted aligned error is AlphaFold's expected error of one residue's place "
            "when the model is superposed on another; it is confidence, not an effect."
        )
    )
    st.caption(
        "Between C-alphas. Click the diagonal to choose a residue; the matrices zoom "
        f"together.{error}"
    )


def _view(impact: Impact) -> str:
    """Stands for the protein: its figures keep their zoom."""
    return impact.provenance.inputs["wild_type_sha256"]
