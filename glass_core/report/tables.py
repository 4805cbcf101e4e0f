"""Tables of an `Impact` as pandas frames and CSV."""

from __future__ import annotations

import pandas as pd

from glass_core.impact import Impact
from glass_core.rows import COLUMNS, residue_rows

_FORMULA_STARTS = ("=", "+", "@", "\t", "\r")


def residue_table(impact: Impact) -> pd.DataFrame:
    """One row per wild-type position; missing values are NaN or None."""
    return pd.DataFrame(residue_rows(impact), columns=list(COLUMNS))


def residue_csv(impact: Impact) -> str:
    """The residue table as CSV; empty cells are missing values.

    Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    return without_formulas(residue_table(impact)).to_csv(index=False)


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """A copy in which text that a spreadsheet would run as a formula begins with an apostrophe."""
    table = table.copy()
    for column in table.columns[table.dtypes.astype(str).isin(["object", "str"])]:
        table[column] = [
            f"'{v}" if isinstance(v, str) and v.startswith(_FORMULA_STARTS) else v
            for v in table[column]
        ]
    return table


def subdomain_table(impact: Impact) -> pd.DataFrame:
    """Affected parts of the fold, worst first."""
    basis = "measured" if impact.measured else "predicted"
    return pd.DataFrame(
        [
            {
                "part": part.name,
                "kind": part.kind,
                "residues": part.size,
                f"mean deficit ({basis})": part.mean_deficit,
                "p of the deficit": part.p_value,
                **({"mean strain": part.mean_strain, "p of the strain": part.strain_p_value}
                   if impact.measured else {}),
                "mutated": part.mutated,
            }
            for part in impact.subdomains
        ]
    )
