"""Properties of the analysed protein, and its stretches in protein space, on the Impact page."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import GlassError
from glass_core.impact.record import Impact
from glass_core.models.properties.base import Properties
from glass_core.models.properties.model import PropertyModel
from glass_core.models.properties.registry import load_properties
from glass_core.report.evidence.properties import Caveat, property_caveats
from glass_core.report.properties.figures import attribution_figure
from glass_core.report.properties.tables import (
    CHANGES_BETWEEN,
    UNTESTED,
    VALUES_BETWEEN,
    change_table,
    change_words,
    value_table,
)
from glass_core.report.space.stretches import stretch_figure, stretch_words
from glass_core.runs.studies import protein_digest
from glass_core.space.stretches import WIDTHS, StretchShift, stretch_shift
from pages.parts.common import keep_out_of_collections, plain, settings
from pages.parts.hand_over import map_button
from pages.parts.map_form import the_space
from pages.parts.shelf import Shelf
from pages.parts.turn import in_turn


@st.cache_resource(show_spinner="Loading the model of properties.")
def property_model() -> PropertyModel:
    """The model that comes with the project."""
    loaded = load_properties(settings())
    keep_out_of_collections()
    return loaded


@st.cache_resource(show_spinner=False)
def _properties_told() -> Shelf[Properties]:
    return Shelf()


@st.cache_resource(show_spinner=False)
def _stretches_told() -> Shelf[StretchShift]:
    return Shelf()


@st.cache_data(show_spinner=False)
def _caveats() -> list[Caveat]:
    """How well each head does on unseen proteins."""
    return property_caveats(settings())


def properties_panel(impact: Impact) -> None:
    """Wild type against mutant, each difference with its noise; where a class is seen."""
    try:
        found = _properties(impact)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")
        return
    if not found.values:
        for note in found.notes:
            st.caption(f"⚠ {plain(note)}")
        return
    st.markdown(f"**{plain(change_words(found))}**")
    st.dataframe(change_table(found), hide_index=True, key="property_changes")
    st.caption(
        f"{CHANGES_BETWEEN} {UNTESTED} Binding is that to the chains beside, not folding; "
        "positive = weaker."
    )
    st.markdown("The wild type")
    caveats = _caveats()
    for one in caveats:
        if one.beaten:
            st.caption(f"⚠ {plain(one.words)}")
    st.table(value_table(found), hide_index=True)  # whose long cells are whole
    st.caption(f"{VALUES_BETWEEN} Classes that are called of the mutant alone stand here, too.")
    for note in found.notes:
        st.caption(f"⚠ {plain(note)}")
    _where(impact, found)
    with st.expander("How well each of them is told"):
        st.markdown("\n".join(f"- {plain(one.words)}" for one in caveats))
    info = property_model().info
    st.caption(plain(f"Predicted by {info.name} {info.version}, SHA-256 {info.sha256[:12]}."))


def _where(impact: Impact, found: Properties) -> None:
    seen = [one for one in found.attributions if one.share.any() and one.head == "enzyme"]
    if not seen:
        return
    with st.expander("Which residues speak for an enzyme class"):
        names = [one.name for one in seen]
        name = st.selectbox("Class", names, key="property_class")
        one = seen[names.index(name)]
        st.plotly_chart(
            attribution_figure(impact.protein, one, impact.variant.positions), key="property_where"
        )
        st.caption(
            "By the gradient of the class's score to each residue's vectors: where the head "
            "looks, which need not be the active site."
        )


def _properties(impact: Impact) -> Properties:
    def work() -> Properties:
        model = property_model()
        return in_turn(
            "Reading properties.", lambda watch: model.tell(impact.protein, impact.variant)
        )

    return _properties_told().remembered(_name(impact), work)


def stretches_panel(impact: Impact) -> None:
    """Which windows of the sequence the variant moves in protein space."""
    if not impact.variant.only_substitutions:
        st.caption("Stretches are compared residue by residue: substitutions only.")
        return
    fitting = [width for width in WIDTHS if width <= len(impact.protein)]
    if not fitting:
        st.caption("The protein is shorter than a window.")
        return
    width = st.segmented_control(
        "Residues of a window", fitting, default=fitting[0], key="stretch_width"
    )
    try:
        found = _stretches(impact, width or fitting[0])
    except GlassError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.markdown(f"**{plain(stretch_words(impact.protein, found))}**")
    map_button(impact, "stretches")
    st.plotly_chart(stretch_figure(impact.protein, impact.variant, found), key="stretches")
    st.caption(
        "Each window is placed in protein space as wild type and as mutant. "
        + (
            "Below 0, the mutant lies further from the place of the whole structure. "
            if found.nearer is not None
            else ""
        )
        + "How well stretches find their structure stands on the Evidence page: windows of 20 "
        "residues seldom do."
    )


def _stretches(impact: Impact, width: int) -> StretchShift:
    def work() -> StretchShift:
        space = the_space()
        return in_turn(
            "Placing stretches.",
            lambda watch: stretch_shift(impact.protein, impact.variant, space, width, watch=watch),
        )

    return _stretches_told().remembered(f"{width} {_name(impact)}", work)


def _name(impact: Impact) -> str:
    """Stands for the protein as it was given, and the variant."""
    return f"{protein_digest(impact.protein)} {impact.variant.text}"
