"""Two to six variants of one protein side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from glass_core.impact.record import Impact
from glass_core.report.side_by_side import (
    DIGITS,
    compared_scene,
    comparison_table,
    comparison_track,
)
from pages.parts.linked import linked_figure, structure_view
from pages.parts.workbench import analysis


def compare_panel(runs: Sequence[str]) -> None:
    """Table, track and structure of several variants."""
    impacts: list[Impact] = [made for run in runs if (made := analysis(run)) is not None]
    if len(impacts) < 2:
        return
    st.header("Side by side", anchor=False)
    table = comparison_table(impacts)
    st.dataframe(
        table.dropna(axis=1, how="all"),
        hide_index=True,
        key="comparison",
        column_config={
            name: st.column_config.NumberColumn(format=f"%.{DIGITS.get(name, 3)}f")
            for name in table.select_dtypes("float").columns
        },
    )
    linked_figure(
        comparison_track(impacts),
        "compared_track",
        lambda: None,
        title="Tracks of the variants, one above the other",
        length=len(impacts[0].protein),
        view="compared",
        file="glass-compared",
    )
    if impacts[0].protein.structure is not None:
        structure_view(compared_scene(impacts), "compared_structure", lambda: None)
