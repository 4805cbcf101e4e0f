"""The map: how it is drawn, what is chosen on it, how far apart a visitor's proteins lie."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from glass_core.models.registry import DEFAULT_MODEL
from glass_core.report.evidence.space import space_records, space_words
from glass_core.report.space.exports import file_stem, map_exports
from glass_core.report.space.figures import (
    COLOURINGS,
    distance_table,
    inset_figure,
    map_figure,
    neighbours_table,
    picked_table,
)
from glass_core.report.space.words import chosen_words, map_lead, map_method
from glass_core.space.background import SHORTEST_WORD, Background
from glass_core.space.mapped import Mapped
from glass_core.space.placing import KINDS, Kind
from glass_core.space.projection import Layout
from pages.parts.common import download_buttons, plain, settings
from pages.parts.hand_over import HandOver, hand_over
from pages.parts.linked import library, map_view, picked
from pages.parts.map_form import the_background, the_space
from pages.parts.state import map_state

_LAYOUTS: dict[Layout, str] = {"tsne": "t-SNE", "pca": "principal components"}
_LISTED = 12
_MOST_CHOSEN = 2_000
"""Rows of the table of what is chosen."""


def results(mapped: Mapped | None) -> None:
    """The map with what was placed on it; the background alone where nothing was."""
    background, points = the_background(), () if mapped is None else mapped.points
    if mapped is not None:
        st.header(plain(map_lead(mapped.points, background)), anchor=False)
        for line in mapped.left_out:
            st.warning(plain(line), icon=":material/warning:")
    layout, colouring, kinds = _controls(mapped is not None)
    words = st.session_state.get("map_find", "")
    found, unknown = background.named(words)
    if unknown:
        st.warning(
            f"No chain of the background is called {plain(', '.join(unknown))}; give "
            f"{SHORTEST_WORD} letters of an id or more.",
            icon=":material/search:",
        )
    if not kinds:
        st.info("Every layer of the background is off.", icon=":material/layers_clear:")
    state = map_state()
    rings = sorted({*state.picked, *found.tolist()})
    figure = map_figure(background, points, layout, colouring, kinds, rings)
    map_view(
        figure,
        "map_view",
        _pick,
        title="Map of protein space",
        view=layout,
        file="glass-map" if mapped is None else file_stem(mapped),
    )
    st.caption(plain(map_method(layout, colouring)))
    library("Plotly")
    if rings:
        _chosen(background, rings)
    else:
        st.caption(
            "Click a point to see what it is, or draw around several with the lasso or the box "
            "from the map's corner."
        )
    if mapped is not None:
        _distances(background, mapped)
        st.markdown("#### Downloads")
        download_buttons(
            map_exports(background, mapped, the_space().info, layout, colouring), "map "
        )
        st.caption("Pictures, as SVG or PNG: from the map's corner.")
    else:
        _say_evidence()


def _say_evidence() -> None:
    """How well it works, beside what it tells."""
    for sentence in _evidence():
        st.caption(plain(sentence))


@st.cache_data(show_spinner=False)
def _evidence() -> list[str]:
    """What the space was measured to do."""
    record = space_records(settings(), DEFAULT_MODEL).get(the_space().info.name)
    return [] if record is None else list(space_words(record))


def _controls(placed: bool) -> tuple[Layout, str, tuple[Kind, ...]]:
    """Layout, colouring and the layers that are shown."""
    offered = COLOURINGS if placed else tuple(c for c in COLOURINGS if c != "nearness")
    first, second, third, fourth = st.columns([1.4, 1.2, 1.6, 1.6], vertical_alignment="bottom")
    layout: Layout | None = first.segmented_control(
        "Layout", get_args(Layout), default="tsne", format_func=_LAYOUTS.__getitem__,
        key="map_layout", persist_state="session",
    )  # fmt: skip
    colouring: str = second.selectbox(
        "Colour by",
        offered,
        key="map_colour",
        persist_state="session",
        help="Nearness: to the first of yours, in the whole space.",
    )
    kinds: list[Kind] = third.pills(
        "Layers", KINDS, selection_mode="multi", default=list(KINDS), key="map_layers",
        persist_state="session",
        help="Circles, plus signs and crosses: the same chains by their sequence, by their "
        "structure, and by a random stretch of the sequence.",
    )  # fmt: skip
    fourth.text_input(
        "Find chains",
        key="map_find",
        persist_state="session",
        placeholder="2j5c, 1ciy",
        help="Parts of ids; a ring is drawn around each.",
    )
    return layout or "tsne", colouring, tuple(kind for kind in KINDS if kind in kinds)


def _pick() -> None:
    map_state().picked = tuple(picked("map_view"))


def _forget() -> None:
    map_state().picked = ()
    st.session_state["map_find"] = ""


def _chosen(background: Background, rows: list[int]) -> None:
    """The table of what is chosen; one row of it can be opened elsewhere."""
    shown = rows[:_MOST_CHOSEN]
    table = picked_table(background, shown)
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.markdown(f"#### {chosen_words(len(rows), table['id'].nunique())}")
    right.button("Choose none", key="map_none", on_click=_forget, width="stretch")
    event = st.dataframe(
        table,
        hide_index=True,
        key=f"map_chosen {hash(tuple(shown))}",
        on_select="rerun",
        selection_mode="single-row",
    )
    rows_chosen = event["selection"]["rows"] or ([0] if table["id"].nunique() == 1 else [])
    left, middle, right = st.columns([1, 1, 2], vertical_alignment="center")
    if rows_chosen:
        name = str(table["id"].iloc[rows_chosen[0]])
        fasta = f">{name}\n{background.sequence_of(name)}"
        if left.button(f"Open {name} in Impact", key="map_open_impact", width="stretch"):
            hand_over("impact", HandOver(fasta, ""))
            st.switch_page("pages/impact.py")
        if middle.button(f"Search with {name}", key="map_open_search", width="stretch"):
            hand_over("search", HandOver(fasta, ""))
            st.switch_page("pages/search.py")
    else:
        left.caption("Choose a row to open it.")
    right.download_button(
        "Table (CSV)",
        lambda: picked_table(background, rows).to_csv(index=False),
        file_name="glass-map-chosen.csv",
        mime="text/csv",
        key="map_chosen_csv",
        on_click="ignore",
    )


def _distances(background: Background, mapped: Mapped) -> None:
    """A visitor's points among themselves, and the nearest of the background."""
    points = mapped.points
    if len(points) > 1:
        st.markdown("#### Yours among themselves")
        left, right = st.columns([1.2, 1], gap="large")
        with left:
            st.plotly_chart(inset_figure(points), key="map_inset")
            st.caption(
                "Your points alone, in the two directions in which they differ most, at a scale "
                "of their own: how far a mutant lies from its wild type, the map above does not "
                "tell."
            )
        right.dataframe(
            distance_table(points),
            hide_index=True,
            column_config={
                "cosine": st.column_config.NumberColumn(format="%.4f"),
                "distance": st.column_config.NumberColumn(format="%.4f"),
            },
        )
        right.caption(f"Distances to {plain(points[0].id)} in the whole space, not in the plane.")
    st.markdown("#### Nearest of the background, in the whole space")
    place = st.selectbox(
        "Of",
        range(len(points)),
        format_func=lambda k: f"{points[k].id} ({points[k].kind})",
        key="map_nearest",
    )
    st.dataframe(
        neighbours_table(background, points[min(place, len(points) - 1)], _LISTED),
        hide_index=True,
        column_config={"cosine": st.column_config.NumberColumn(format="%.3f")},
    )
    _say_evidence()
