"""The panels of the Impact page: one analysis, from numbers to downloads."""

from __future__ import annotations

import streamlit as st

from glass_core.impact.record import Impact
from glass_core.report.impact.annotation import known_variant_table
from glass_core.report.impact.evidence import evidence_table, external_note
from glass_core.report.impact.exports import exports
from glass_core.report.impact.numbers import leading_numbers
from glass_core.report.impact.part import protein_name
from glass_core.report.impact.substitutions import substitution_table
from glass_core.report.impact.tables import subdomain_table, variant_table
from glass_core.report.impact.verdict import hgvs_words, verdict
from pages.parts.common import download_buttons, plain, viewer_script
from pages.parts.hand_over import HandOver, hand_over
from pages.parts.state import impact_state
from pages.parts.turn import in_turn, loaded


def protein_line(impact: Impact) -> None:
    """Which protein it is, where to read about it, and the way to screen it."""
    protein = impact.protein
    parts = [f"**{plain(protein_name(protein))}**", f"{len(protein):,} residues"]
    if protein.accession:
        number = protein.accession.partition("-")[0]
        parts.append(f"[UniProt {number}](https://www.uniprot.org/uniprotkb/{number}/entry)")
    structure = protein.structure
    if structure is not None:
        parts.append(f"structure {plain(structure.name)}, chain {plain(structure.chain)}")
    if not protein.counting.by_sequence:
        parts.append(f"numbered by {plain(protein.counting.words)}")
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.markdown(" · ".join(parts))
    if right.button(
        "Screen it",
        key="screen_protein",
        width="stretch",
        help="All substitutions of this protein, on the Screen page.",
    ):
        hand_over("screen", HandOver.of_protein(protein, ""))
        st.switch_page("pages/screen.py")


def residue_panel(impact: Impact) -> None:
    """The chosen residue, by default the substituted one: what all its substitutions are told."""
    protein = impact.protein
    position = impact_state().selected or impact.variant.positions[0]
    key = f"residue {position}"
    place = st.selectbox(
        "Residue",
        range(1, len(protein) + 1),
        index=min(position, len(protein)) - 1,
        format_func=protein.named,
        key=key,
        on_change=lambda: impact_state().select(st.session_state[key]),
        help="Click one in a view, or choose it here.",
    )
    model = loaded(st.session_state["model"])
    tables = (
        model.tables(protein)
        if model.knows(protein)
        else in_turn("Reading the protein.", lambda watch: model.tables(protein))
    )
    table = substitution_table(protein, tables, place)
    event = st.dataframe(
        table.drop(columns="change"),
        hide_index=True,
        key=f"substitutions {place}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            name: st.column_config.NumberColumn(format="%.2f")
            for name in table.select_dtypes("float").columns
        },
    )
    rows = event["selection"]["rows"]
    if rows and st.button(f"Analyse {table['substitution'][rows[0]]}", key="analyse_here"):
        hand_over("impact", HandOver.of_protein(protein, table["substitution"][rows[0]]))
        st.rerun()


def numbers(impact: Impact) -> None:
    told = leading_numbers(impact)
    for column, one in zip(st.columns(len(told)), told, strict=True):
        column.metric(one.name, one.value, help=one.meaning)
        if one.note:
            column.caption(plain(one.note))


def evidence_panel(impact: Impact) -> None:
    """What each source says, and what is said of the model's own numbers."""
    if impact.evidence:
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
        note = external_note(impact)
        if note:
            st.caption(plain(note))
    for sentence in verdict(impact).sentences:
        st.markdown(f"- {plain(sentence)}")


def ledger(impact: Impact) -> None:
    """The variant in every numbering and notation, and how it was read."""
    st.dataframe(variant_table(impact), hide_index=True)
    st.caption(plain(f"{hgvs_words(impact)} {impact_state().reading}"))


def known_variants_panel(impact: Impact) -> None:
    """What databases list; a chosen row goes into the form and is analysed."""
    table = known_variant_table(impact.protein)
    if table.empty:
        st.caption("None is known here; look the protein up by its accession to see them.")
        return
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


def subdomain_panel(impact: Impact) -> None:
    table = subdomain_table(impact)
    numbers = table.select_dtypes("float").columns
    st.dataframe(
        table,
        hide_index=True,
        key="subdomains",
        column_config={name: st.column_config.NumberColumn(format="%.4f") for name in numbers},
    )
    if not impact.measured:
        st.info(
            "Before a remodel the parts are ranked by the predicted change, which is mostly how "
            "flexible a part is, with or without this substitution.",
            icon=":material/info:",
        )
    st.caption(
        "p: share of placements of equally long stretches along the chain with at least "
        "this mean; not corrected for the number of rows. Ranked by strain where measured, "
        "which also sees shifts too small for lDDT, else by the predicted change."
    )


def downloads(impact: Impact) -> None:
    download_buttons(exports(impact, viewer_script()))
