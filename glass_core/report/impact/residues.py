"""The residue table of a report: what was predicted and what was measured, each in one.

What is the same in every row (model, protocol, variant) stands in the report's provenance.
"""

from __future__ import annotations

import pandas as pd

from glass_core.impact.record import Impact
from glass_core.impact.rows import RESIDUE_COLUMNS
from glass_core.report.impact.tables import residue_table
from glass_core.report.page import has_values

PLACE = ("residue", "position", "wild_type", "mutant")
"""Columns that say which residue a row is of, in both tables."""
KNOWN = (
    "author_number",
    "uniprot_position",
    "secondary_structure",
    "contacts",
    "plddt",
    "predicted_lddt",
    "predicted_change",
    "predicted_flexibility",
    "conservation",
    "predicted_sensitivity",
)
SAME = ("changed", "chain", "variant", "written", "numbering", "model", "protocol", "format")
"""Columns without a place here: they are marked, or the same in every row."""
MEASURED = tuple(name for name in RESIDUE_COLUMNS if name not in (*PLACE, *KNOWN, *SAME))
DIGITS = {
    "uniprot_position": 0,
    "plddt": 0,
    "predicted_sensitivity": 2,
    "predicted_change": 2,
    "predicted_flexibility": 2,
    "conservation": 2,
    "deficit_z": 1,
    "strain_z": 1,
    "distance_change": 2,
}
"""Behind the point; 3 of the others."""


def known_residues(impact: Impact) -> pd.DataFrame:
    """One row per position: what is known and predicted, without columns that are empty."""
    return _filled(residue_table(impact), KNOWN)


def measured_residues(impact: Impact) -> pd.DataFrame:
    """One row per position: what was measured; no row without a measurement."""
    table = _filled(residue_table(impact), MEASURED)
    return table if impact.measured else table.iloc[:0]


def changed_rows(impact: Impact) -> list[int]:
    """The rows, from 0, that the variant touches."""
    return [position - 1 for position in impact.variant.positions]


def _filled(table: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    there = [name for name in columns if has_values(table[name])]
    by_position = (table["residue"] == table["wild_type"] + table["position"].astype(str)).all()
    place = [name for name in PLACE if not (by_position and name == "residue")]
    return table[[*place, *there]]
