"""Whether what stands at a site in a protein's relatives says anything of a substitution there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glass_core.metrics.agreement import spearman
from glass_core.models.evaluation import BLOSUM, COLUMN, MODEL
from glass_core.models.fold_chance import FoldChances
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.search.database import Database
from glass_core.search.relatives import Relatives, find_relatives
from glass_core.training.data.assays import Assay
from glass_core.training.evaluation.statistics import Vector, mean_of, rounded, with_interval
from glass_core.training.evaluation.variants import exchange_baselines

MEASURED = ("scan", "stability")
FEWEST = 20
"""Variants of an assay that must stand where relatives have a residue."""


def evaluate_relatives(
    predictor: SiamesePredictor,
    database: Database,
    chances: FoldChances | None,
    assays: Sequence[Assay],
    tell: Say,
) -> dict[str, Any]:
    """Spearman of the relatives' column with measured effects, beside others on the same rows.

    A substitution scores as much higher as its residue is rarer in the column than the wild
    type's. Proteins without a relative, and places where none has a residue, are left out and
    counted.
    """
    record: dict[str, Any] = {"searched": len(database)}
    for kind in MEASURED:
        asked = [assay for assay in assays if assay.kind == kind]
        rows: list[dict[str, Any]] = []
        for assay in asked:
            protein = Protein.from_sequence(assay.sequence)
            found = find_relatives(protein, database, predictor, chances)
            scores = column_scores(found, assay)
            known = np.isfinite(scores)
            if not found.likely or known.sum() < FEWEST:
                continue
            beside = exchange_baselines(assay)[BLOSUM]
            effects = predictor.effects(protein)
            told = {COLUMN: scores, BLOSUM: beside}
            if effects is not None:
                told[MODEL] = effects.score[assay.index, assay.letter]
            rows.append(
                {
                    "assay": assay.name,
                    "group": assay.group,
                    "relatives": len(found.likely),
                    "variants": int(known.sum()),
                    "of": len(known),
                    "spearman": {
                        who: rounded(spearman(values[known], assay.value[known]))
                        for who, values in told.items()
                    },
                }
            )
        tell(f"{kind}: {len(rows)} of {len(asked)} proteins have relatives")
        record[kind] = {"assays": len(rows), "without": len(asked) - len(rows), "rows": rows}
        if rows:
            record[kind]["figures"] = _figures(rows)
    return record


def column_scores(found: Relatives, assay: Assay) -> Vector:
    """How much rarer the new residue is than the wild type's in the relatives' column, by variant.

    Returns
    -------
    ndarray, shape=(n,)
        NaN where no relative has a residue.
    """
    columns = {int(i): found.column(int(i) + 1) for i in np.unique(assay.index)}
    return np.array(
        [
            columns[int(i)].log_odds(assay.sequence[i], STANDARD[k])
            for i, k in zip(assay.index, assay.letter, strict=True)
        ]
    )


def _figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    group = np.array([row["group"] for row in rows])
    values = {
        name: np.array([row["spearman"][name] for row in rows], dtype=float)
        for name in rows[0]["spearman"]
    }
    made = {
        name: {"spearman": with_interval(mean_of(some), group)} for name, some in values.items()
    }
    made["gain over BLOSUM62"] = {
        "spearman": with_interval(mean_of(values[COLUMN] - values[BLOSUM]), group)
    }
    return made
