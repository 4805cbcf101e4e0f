"""Tables of an `Impact` as pandas frames and CSV."""

from __future__ import annotations

import re

import pandas as pd

from glass_core.impact.record import Impact
from glass_core.impact.rows import RESIDUE_COLUMNS, residue_rows

_FORMULA_STARTS = ("=", "+", "@", "\t", "\r", "\n", "＝", "＋", "＠")
_MINUS = re.compile(r"\s*[-－](?!\d+[A-Za-z]?$|\d*\.\d+$|$)")
"""A minus that begins something else than a number (of a residue, too) or a gap."""


def residue_table(impact: Impact) -> pd.DataFrame:
    """One row per wild-type position; missing values are NaN or None."""
    return pd.DataFrame(residue_rows(impact), columns=list(RESIDUE_COLUMNS))


def residue_csv(impact: Impact) -> str:
    """The residue table as CSV; empty cells are missing values.

    Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    return without_formulas(residue_table(impact)).to_csv(index=False)


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """A copy in which text that a spreadsheet would run as a formula begins with an apostrophe."""
    table = table.copy()
    for column in table.columns[table.dtypes.astype(str).isin(["object", "str"])]:
        table[column] = [f"'{v}" if isinstance(v, str) and _runs(v) else v for v in table[column]]
    return table


def _runs(text: str) -> bool:
    """Whether a spreadsheet might take the text for a formula."""
    return (
        text.startswith(_FORMULA_STARTS)
        or text.lstrip().startswith(_FORMULA_STARTS)
        or bool(_MINUS.match(text))
    )


def variant_table(impact: Impact) -> pd.DataFrame:
    """Every touched residue of the variant: as the user counts, then in the other numberings."""
    protein = impact.protein
    kind, structure = protein.counting.kind, protein.structure
    rows = []
    for position in impact.variant.positions:
        row: dict[str, object] = {"change": impact.site_label(position)}
        row["residue"] = protein.label(position)
        if kind != "sequence":
            row["sequence position"] = str(position)
        if protein.accession and kind != "UniProt":
            number = protein.uniprot_position(position - 1)
            row[f"UniProt {protein.accession}"] = "" if number is None else str(number)
        if structure is not None:
            number_there = protein.author_number(position - 1)
            row["chain"] = structure.chain if number_there else ""
            if kind != "author":
                row["author number"] = number_there or "no coordinates"
        rows.append(row)
    return pd.DataFrame(rows)


def subdomain_table(impact: Impact) -> pd.DataFrame:
    """Affected parts of the fold, worst first."""
    return pd.DataFrame(
        [
            {
                "part": part.name,
                "mutated": part.mutated,
                "kind": part.kind,
                "residues": part.size,
                **(
                    {"mean strain": part.mean_strain, "p of the strain": part.strain_p_value}
                    if impact.measured
                    else {}
                ),
                **(
                    {}
                    if impact.predicted_change is None
                    else {
                        "mean change (predicted, Å)": part.mean_change,
                        "p of the change": part.change_p_value,
                    }
                ),
                f"mean deficit ({impact.deficit_basis})": part.mean_deficit,
                "p of the deficit": part.p_value,
            }
            for part in impact.subdomains
        ]
    )
