"""Whether a change and its reverse are told as one: ddG of B to A is minus that of A to B.

On the set Ssym (Pucci et al., Bioinformatics 34, 3659 (2018)), the reverse seen on the wild
type's backbone under the mutant's letters, since crystals of the mutants are not at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glass_core.models.heads.stability import StabilityTable
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.training.data.assays import parse_singles
from glass_core.training.data.tables import read_columns
from glass_core.training.data.wild_structures import WildStructure
from glass_core.training.evaluation.statistics import (
    Metric,
    Vector,
    weighted_correlation,
    weighted_mean,
    with_interval,
)

_SET = "ssym"


def evaluate_reverse(
    predictor: SiamesePredictor,
    table: Path,
    proteins: pd.DataFrame,
    structures: Mapping[str, WildStructure],
    side: str,
    tell: Say,
) -> dict[str, Any]:
    """Direct and reverse predictions of the set, for all of it and for proteins of one side.

    Parameters
    ----------
    table : Path
        Parquet table with wt_sequence, mutant, ddg (kcal/mol, positive = destabilising) and
        source, which names the set.
    proteins : DataFrame
        ``sequence``, ``group``, ``side`` of every wild type.
    side : {"validation", "test"}
        Whose figures lead; those of all proteins, training ones among them, stand beside.
    """
    rows = read_columns(table, ["wt_sequence", "mutant", "ddg", "source"])
    rows = rows[rows["source"].str.contains(_SET, case=False)]
    rows = rows[rows["wt_sequence"].isin(set(structures))]
    place = proteins.set_index("sequence")
    told = pd.DataFrame(_told(predictor, rows, structures))
    told["group"] = told["wild_type"].map(place["group"])
    told["side"] = told["wild_type"].map(place["side"])
    tell(f"{_SET}: {len(told)} variants")
    held = told[told["side"] == side]
    return {
        "variants": len(held),
        "groups": int(held["group"].nunique()),
        "figures": {"stability": _figures(held)},
        "all_proteins": {
            "variants": len(told),
            "groups": int(told["group"].nunique()),
            "figures": {"stability": _figures(told)},
        },
        "rows": [
            {
                "mutant": row.mutant,
                "side": row.side,
                "measured": round(row.measured, 3),
                "direct": round(row.direct, 3),
                "reverse": round(row.reverse, 3),
            }
            for row in told.itertuples()
        ],
    }


def _told(
    predictor: SiamesePredictor, rows: pd.DataFrame, structures: Mapping[str, WildStructure]
) -> Iterator[dict[str, Any]]:
    for sequence, of_protein in rows.groupby("wt_sequence"):
        wild = str(sequence)
        protein = structures[wild].protein()
        direct = _ddg(predictor, protein)
        index, letter = parse_singles(list(of_protein["mutant"]))
        for i, k, row in zip(index, letter, of_protein.itertuples(), strict=True):
            own = STANDARD.find(wild[i])
            if i < 0 or not protein.covered[i] or own < 0:
                continue
            mutant = wild[:i] + STANDARD[k] + wild[i + 1 :]
            reverse = _ddg(predictor, structures[wild].protein(mutant))
            yield {
                "wild_type": wild,
                "mutant": row.mutant,
                "measured": float(row.ddg),
                "direct": float(direct[i, k]),
                "reverse": float(reverse[i, own]),
            }


def _ddg(predictor: SiamesePredictor, protein: Protein) -> Vector:
    tables = [t for t in predictor.tables(protein) if isinstance(t, StabilityTable)]
    return tables[0].ddg


def _figures(told: pd.DataFrame) -> dict[str, Any]:
    direct, reverse, measured = (
        told[name].to_numpy(dtype=float) for name in ("direct", "reverse", "measured")
    )
    group = told["group"].to_numpy()

    def correlation(a: Vector, b: Vector) -> Metric:
        return lambda rows, weight: weighted_correlation(a[rows], b[rows], weight)

    def mean(values: Vector) -> Metric:
        return lambda rows, weight: weighted_mean(values[rows], weight)

    return {
        "direct_and_reverse": with_interval(correlation(direct, reverse), group),
        "bias": with_interval(mean((direct + reverse) / 2), group),
        "direct": with_interval(correlation(direct, measured), group),
        "reverse": with_interval(correlation(reverse, -measured), group),
        "error_direct": with_interval(mean(np.abs(direct - measured)), group),
        "error_reverse": with_interval(mean(np.abs(reverse + measured)), group),
    }
