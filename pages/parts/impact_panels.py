"""The panels of the Impact page: one analysis, from numbers to downloads."""

from __future__ import annotations

from functools import partial

import streamlit as st

from glass_core.impact.evidence import agreement
from glass_core.impact.record import Impact
from glass_core.report.impact.annotation import known_variant_table
from glass_core.report.impact.evidence import check_table, evidence_table, explaining, external_note
from glass_core.report.impact.exports import exports, file_stem
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.numbers import leading_numbers
from glass_core.report.impact.tables import subdomain_table, variant_table
from glass_core.report.impact.track import residue_track
from glass_core.report.scene import scene
from pages.parts.common import viewer_script
from pages.parts.hand_over import HandOver, hand_over
from pages.parts.linked import clicked, library, linked_figure, structure_view
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


def libraries(impact: Impact) -> None:
    """The scripts that the views of this result need."""
    library("Plotly")
    if impact.protein.structure is not None:
        library("$3Dmol")


def choose(view: str) -> None:
    """A residue was clicked in `view`."""
    position = clicked(view)
    if position is not None:
        st.session_state["selected"] = position


@st.fragment
def views(impact: Impact) -> None:
    """Track, structure and matrices, linked; what they tell of the chosen residue."""
    track, structure = residue_track(impact), impact.protein.structure
    common = {"length": len(impact.protein), "view": impact.provenance.inputs["wild_type_sha256"]}
    st.markdown("#### Along the sequence")
    linked_figure(
        track,
        "track",
        partial(choose, "track"),
        title="Predicted and measured values by residue",
        file=f"{file_stem(impact)}-track",
        **common,
    )
    st.number_input(
        "Selected residue (click one in any view, or type a position)",
        1,
        len(impact.protein),
        key="selected",
        value=None,
        placeholder="none",
    )
    if structure is None:
        return
    st.markdown("#### Superposition" if impact.measured else "#### Structure")
    structure_view(scene(impact), "structure", partial(choose, "structure"))
    st.markdown("#### Distances between C-alphas")
    spans = {"whole chain": None} | {
        part.name: (part.segments[0][0], part.segments[-1][1]) for part in impact.subdomains
    }
    zoom = st.selectbox("Zoom to", list(spans), key="zoom")
    linked_figure(
        matrices(impact, None, spans.get(zoom)),
        "matrices",
        partial(choose, "matrices"),
        title="Distance matrices of wild type and mutant and their difference",
        file=f"{file_stem(impact)}-distances",
        square=True,
        **common,
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
