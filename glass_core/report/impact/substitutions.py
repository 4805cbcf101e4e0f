"""All substitutions of one residue, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glass_core.models.prediction import Table
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.protein.writing import write_change

_SHOWN = {
    "p_combined": "chance of being damaging",
    "p_damaging": "clinical likeness",
    "ddg": "ΔΔG (kcal/mol)",
    "effect": "effect score",
    "estimated_tm": "TM-score (estimated)",
    "alignment_log_odds": "log-odds among homologues",
}


def substitution_table(protein: Protein, tables: Sequence[Table], position: int) -> pd.DataFrame:
    """What the model's tables tell of the substitutions at a 1-based position, worst first.

    Nothing is predicted anew: `tables` come from one pass over the wild type, see
    `models.predictor.Predictor`.

    Returns
    -------
    DataFrame
        ``substitution`` in the user's numbers, ``change`` in sequence positions, then what is
        told; missing values are NaN.
    """
    wild = protein.sequence[position - 1]
    rows = []
    for letter in STANDARD:
        if letter == wild:
            continue
        variant = Variant(protein.sequence, (Change(position, wild, letter),))
        told: dict[str, float] = {}
        for table in tables:
            told |= table.told(variant)
        known = {title: told[name] for name, title in _SHOWN.items() if name in told}
        change = write_change(variant.changes[0])
        rows.append({"substitution": protein.written(variant), "change": change, **known})
    table = pd.DataFrame(rows)
    by = next((title for title in _SHOWN.values() if title in table), None)
    return table if by is None else table.sort_values(by, ascending=False, ignore_index=True)
