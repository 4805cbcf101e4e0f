"""The panels of the Impact page: one analysis, from numbers to downloads."""

from __future__ import annotations

import streamlit as st
from streamlit.elements.plotly_chart import PlotlyState

from glass_core.impact.evidence import agreement
from glass_core.impact.record import Impact
from glass_core.report.impact.annotation import known_variant_table
from glass_core.report.impact.evidence import check_table, evidence_table, explaining, external_note
from glass_core.report.impact.exports import exports
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.numbers import leading_numbers
from glass_core.report.impact.tables import subdomain_table, variant_table
from glass_core.report.impact.track import residue_track
from glass_core.report.viewer import ViewOptions, colour_choices, colour_legend, viewer_html
from pages.parts.common import viewer_script
from pages.parts.hand_over import HandOver, hand_over
from pages.parts.lookup import plain
from pages.parts.state import impact_state


def numbers(impact: Impact) -> None:
    told = leading_numbers(impact)
    for column, one in zip(st.columns(len(told)), told, strict=True):
        column.metric(one.name, one.value, help=one.meaning)
        if one.note:
            column.caption(plain(one.note))


def evidence_panel(impact: Impact) -> None:
    """What each source says, where they agree, and what may explain it."""
    if impact.evidence:
        st.markdown("#### The evidence")
        st.dataframe(
            evidence_table(impact),
            hide_index=True,
            column_config={
                "percentile": st.column_config.ProgressColumn(
                    format="%.0f",
                    min_value=0,
                    max_value=100,
                    width=120,
                    color="gray",  # of nobody in particular: whose it is differs by row
                    help="Percent of all single substitutions of this protein that the source "
                    "places below this one; high = more damaging.",
                ),
                "evidence": st.column_config.TextColumn(width=180),
                "whose": st.column_config.TextColumn(width=80),
                "value": st.column_config.TextColumn(width=205),
                "says": st.column_config.TextColumn(width=180),
                "speaks for": st.column_config.TextColumn(width=90),
            },
        )
        said = agreement(impact.evidence)
        if said:
            st.markdown(f"**{said}**")
        note = external_note(impact)
        if note:
            st.caption(plain(note))
    if not impact.checks:
        return
    st.markdown("#### Why it may be so")
    found = explaining(impact.checks)
    for check in found:
        st.markdown(f"- {plain(check.text)}")
    if not found:
        st.markdown("None of the structural checks holds.")
    with st.expander(f"All {len(impact.checks)} checks, with what decides them"):
        st.dataframe(check_table(impact.checks), hide_index=True)
        st.caption(
            "After Missense3D and others, on the wild type's structure as given. They explain; "
            "they do not score."
        )


def ledger(impact: Impact) -> None:
    """The variant in every numbering and notation, and how it was read."""
    with st.expander(
        f"How the variant was read: {impact.variant.hgvs}"
        if len(impact.variant.hgvs) < 60
        else "How the variant was read"
    ):
        st.dataframe(variant_table(impact), hide_index=True)
        st.caption(
            f"HGVS and MAVE-HGVS: {plain(impact.variant.hgvs)}. " + plain(impact_state().reading)
        )


def known_variants_panel(impact: Impact) -> None:
    """What databases list; a chosen row goes into the form and is analysed."""
    table = known_variant_table(impact.protein)
    if table.empty:
        return
    with st.expander(f"Known variants ({len(table):,}): choose one to analyse it"):
        event = st.dataframe(
            table, hide_index=True, key="known", on_select="rerun", selection_mode="single-row"
        )
        st.caption("As the databases have them, which is no verdict of this program.")
        rows = event["selection"]["rows"]
        if rows and st.button(f"Analyse {table['variant'][rows[0]]}", key="analyse_known"):
            hand_over("impact", HandOver.of_protein(impact.protein, table["here"][rows[0]]))
            st.rerun()


def alignment_panel(impact: Impact) -> None:
    """The structure's residues beneath the sequence, where the two are not the same."""
    protein = impact.protein
    if protein.structure is None or (protein.coverage == 1 and not protein.mismatches):
        return
    with st.expander(
        f"Sequence and structure, residue by residue (mismatches: {len(protein.mismatches)})"
    ):
        for mismatch in protein.mismatches:
            st.markdown(f"- {mismatch}")
        st.code(protein.alignment_report(), language=None)
        if protein.mismatches:
            st.caption("The sequence was followed: the wild type has its residues.")
            if st.button("Follow the structure instead", key="follow_structure"):
                impact_state().next_wild = protein.following_structure().sequence
                st.rerun()


def track_panel(impact: Impact) -> int | None:
    """The residue track; a click selects the residue everywhere. Returns the selection."""
    if "next_selected" in st.session_state:
        st.session_state["selected"] = st.session_state.pop("next_selected")
    st.markdown("#### Along the sequence")
    event = st.plotly_chart(
        residue_track(impact, st.session_state.get("selected")),
        key="track",
        on_select="rerun",
        selection_mode="points",
        alt="Predicted and measured lDDT, strain and secondary structure by residue",
    )
    take_click("track", event)
    return st.number_input(
        "Selected residue (click a point above, or type a position)",
        1,
        len(impact.protein),
        key="selected",
        value=None,
        placeholder="none",
    )


def take_click(chart: str, event: PlotlyState) -> None:
    """Select the residue that was clicked in `chart`, once per click."""
    points = event["selection"]["points"]
    if points and points[0]["x"] != st.session_state.get(f"clicked {chart}"):
        st.session_state[f"clicked {chart}"] = points[0]["x"]
        st.session_state["next_selected"] = int(points[0]["x"])
        st.rerun()


def superposition_panel(impact: Impact, selected: int | None) -> None:
    st.markdown("#### Superposition" if impact.measured else "#### Structure")
    columns = st.columns([2, 1, 1], vertical_alignment="bottom")
    colour_by = columns[0].selectbox("Colour by", colour_choices(impact), key="colour_by")
    spin = columns[1].toggle("Spin", key="spin")
    labels = columns[2].toggle("Labels", value=True, key="labels")
    options = ViewOptions(colour_by, spin, labels, selected)
    st.iframe(viewer_html(impact, options, viewer_script()), height=options.height + 50)
    st.caption(colour_legend(impact, colour_by))


def matrix_panel(impact: Impact, selected: int | None) -> None:
    st.markdown("#### Distances between C-alphas")
    spans = {"whole chain": None} | {
        part.name: (part.segments[0][0], part.segments[-1][1]) for part in impact.subdomains
    }
    zoom = st.selectbox("Zoom to", list(spans), key="zoom")
    event = st.plotly_chart(
        matrices(impact, selected, spans.get(zoom)),
        key="matrices",
        on_select="rerun",
        selection_mode="points",
        alt="Distance matrices of wild type and mutant and their difference",
    )
    take_click("matrices", event)
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
        "By sequence position. Click the diagonal to select a residue; the matrices "
        f"zoom together.{error}"
    )


def subdomain_panel(impact: Impact) -> None:
    st.markdown("#### Parts of the fold")
    table = subdomain_table(impact)
    numbers = table.select_dtypes("float").columns
    st.dataframe(
        table,
        hide_index=True,
        key="subdomains",
        column_config={name: st.column_config.NumberColumn(format="%.4f") for name in numbers},
    )
    st.caption(
        "p: share of placements of equally long stretches along the chain with at least "
        "this mean; not corrected for the number of rows. Ranked by strain where measured, "
        "which also sees shifts too small for lDDT, else by the predicted change."
    )


def downloads(impact: Impact) -> None:
    st.markdown("#### Downloads")
    files = exports(impact, viewer_script())
    for column, export in zip(st.columns(len(files)), files, strict=True):
        column.download_button(
            export.label,
            export.make,
            file_name=export.file_name,
            mime=export.mime,
            key=f"download {export.label}",
            on_click="ignore",
            width="stretch",
            disabled=bool(export.unavailable),
            help=export.unavailable or None,
        )
