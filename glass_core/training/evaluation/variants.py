"""How well effect scores rank measured and labelled variants of held-out proteins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glass_core.embedders.base import Embedder
from glass_core.metrics.agreement import auroc, calibration_error, spearman
from glass_core.models.evaluation import MODEL, STABILITY_SEQUENCE
from glass_core.models.heads.stability import StabilityTable
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.records import known_mean
from glass_core.training.data.assays import Assay
from glass_core.training.evaluation.pairs import column
from glass_core.training.evaluation.statistics import (
    Vector,
    label_draws,
    label_interval,
    mean_of,
    rounded,
    with_interval,
)

_SEED = 0
_SAMPLED, _SAMPLED_LABELS = 100, 3
DEFICITS = ("predicted TM deficit", "predicted lDDT deficit")
HYDROPATHY = {
    "A": 1.8, "R": -4.5, "N": -3.5, "D": -3.5, "C": 2.5, "Q": -3.5, "E": -3.5,
    "G": -0.4, "H": -3.2, "I": 4.5, "L": 3.8, "K": -3.9, "M": 1.9, "F": 2.8,
    "P": -1.6, "S": -0.8, "T": -0.7, "W": -0.9, "Y": -1.3, "V": 4.2,
}  # fmt: skip
"""Kyte & Doolittle, J. Mol. Biol. 157, 105 (1982)."""


def exchange_baselines(assay: Assay) -> dict[str, Vector]:
    """Scores of each variant by its two letters alone, higher = more damaging."""
    matrix = blosum62_matrix()
    wild = [assay.sequence[i] for i in assay.index]
    mutant = [STANDARD[k] for k in assay.letter]
    nothing = float("nan")
    return {
        "BLOSUM62": np.array([-matrix[a, b] for a, b in zip(wild, mutant, strict=True)]),
        "hydrophobicity change": np.array(
            [
                abs(HYDROPATHY.get(a, nothing) - HYDROPATHY[b])
                for a, b in zip(wild, mutant, strict=True)
            ]
        ),
    }


def effect_baselines(assay: Assay, embedder: Embedder) -> dict[str, Vector]:
    """`exchange_baselines`, and what the encoder says untrained for it."""
    scores, nothing = exchange_baselines(assay), float("nan")
    wild = [assay.sequence[i] for i in assay.index]
    if {"letters", "burial"} <= embedder.side_heads:
        logits = embedder.tell("letters", assay.sequence).numpy()
        scores["encoder's letters"] = np.array(
            [
                logits[i, STANDARD.find(a)] - logits[i, k] if a in STANDARD else nothing
                for i, a, k in zip(assay.index, wild, assay.letter, strict=True)
            ]
        )
        scores["encoder's burial"] = embedder.tell("burial", assay.sequence).numpy()[assay.index, 0]
    return scores


def deficit_scores(predictor: SiamesePredictor, assay: Assay, most: int) -> dict[str, Vector]:
    """Predicted TM and lDDT deficits of `most` of an assay's variants, NaN for the others.

    They need the embedding of every mutant, so a fixed sample has to do.
    """
    rng = np.random.default_rng(_SEED)
    rows = np.sort(rng.choice(len(assay.value), min(most, len(assay.value)), replace=False))
    rows = np.array([r for r in rows if _letters(assay, r)[0] in STANDARD], dtype=int)
    variants = [
        Variant.parse(f"{a}{assay.index[r] + 1}{b}", assay.sequence)
        for r in rows
        for a, b in [_letters(assay, r)]
    ]
    scores = {name: np.full(len(assay.value), np.nan) for name in DEFICITS}
    for row, made in zip(
        rows, predictor.predict(Protein.from_sequence(assay.sequence), variants), strict=True
    ):
        scores[DEFICITS[0]][row] = 1 - made.tm_score
        scores[DEFICITS[1]][row] = 1 - made.lddt[assay.index[row]]
    return scores


def _letters(assay: Assay, row: int) -> tuple[str, str]:
    return assay.sequence[assay.index[row]], STANDARD[assay.letter[row]]


def evaluate_effects(
    predictor: SiamesePredictor, assays: Sequence[Assay], tell: Say
) -> dict[str, Any]:
    """Spearman of every measured assay, AUROC and calibration of clinical labels."""
    measured: dict[str, list[dict[str, Any]]] = {}
    labels: dict[str, list[Vector]] = {}
    for assay in assays:
        protein = Protein.from_sequence(assay.sequence)
        table = predictor.effects(protein)
        if table is None:
            return {}
        scores = {
            MODEL: table.score[assay.index, assay.letter],
            **effect_baselines(assay, predictor.embedder),
        }
        for stability in predictor.tables(protein):
            if isinstance(stability, StabilityTable):
                scores[STABILITY_SEQUENCE] = stability.ddg[assay.index, assay.letter]
        clinical = assay.kind == "clinical"
        deficits = deficit_scores(predictor, assay, _SAMPLED_LABELS if clinical else _SAMPLED)
        if clinical:
            n = len(assay.value)
            scores[MODEL] = table.probability[assay.index, assay.letter]
            for name, values in {
                **scores,
                **deficits,
                "label": assay.value,
                "group": np.array([assay.group] * n),
            }.items():
                labels.setdefault(name, []).append(np.asarray(values))
        else:
            measured.setdefault(assay.kind, []).append(
                {
                    "assay": assay.name,
                    "group": assay.group,
                    "length": len(assay.sequence),
                    "variants": len(assay.value),
                    "spearman": {
                        who: rounded(
                            spearman(np.asarray(s, dtype=float), assay.value.astype(float))
                        )
                        for who, s in scores.items()
                    },
                    "sampled": _sampled_spearman(
                        {**{w: scores[w] for w in (MODEL, "BLOSUM62")}, **deficits}, assay
                    ),
                }
            )
    records: dict[str, Any] = {}
    for kind, rows in measured.items():
        group = np.array([r["group"] for r in rows])
        records[kind] = {
            "assays": len(rows),
            "groups": len(set(group)),
            "rows": rows,
            "figures": {
                who: {
                    "spearman": with_interval(mean_of(_numbers(rows, who)), group),
                    "mean_over_assays": rounded(known_mean(_numbers(rows, who))),
                }
                for who in rows[0]["spearman"]
            },
            "sampled": {
                "most_per_assay": _SAMPLED,
                "figures": {
                    who: {"spearman": with_interval(mean_of(_numbers(rows, who, "sampled")), group)}
                    for who in rows[0]["sampled"]
                },
            },
        }
        tell(f"{kind}: {len(rows)} assays")
    if labels:
        columns = {name: np.concatenate(parts) for name, parts in labels.items()}
        records["clinical"] = _clinical(columns)
        tell(f"clinical: {len(columns['label'])} labels")
    return records


def _clinical(columns: dict[str, Any]) -> dict[str, Any]:
    label, group = columns["label"].astype(float), columns["group"]
    everything = {n: v.astype(float) for n, v in columns.items() if n not in ("label", "group")}
    scores = {n: v for n, v in everything.items() if n not in DEFICITS}
    known = ~np.any([np.isnan(v) for v in scores.values()], axis=0)
    both = {n: everything[n] for n in (MODEL, "BLOSUM62", *DEFICITS)}
    sampled = known & ~np.any([np.isnan(v) for v in both.values()], axis=0)
    chance = scores[MODEL][known]
    return {
        "labels": int(known.sum()),
        "groups": len(set(group[known])),
        "damaging": int(label[known].sum()),
        "figures": _label_figures(scores, label, group, known),
        "calibration_error": label_interval(
            calibration_error, chance, label[known], label_draws(group[known])
        ),
        "sampled": {
            "labels": int(sampled.sum()),
            "most_per_protein": _SAMPLED_LABELS,
            "figures": _label_figures(both, label, group, sampled),
        },
        "rows": {
            "probability": column(chance),
            "label": [int(v) for v in label[known]],
            "BLOSUM62": column(scores["BLOSUM62"][known]),
        },
    }


def _label_figures(
    scores: dict[str, Vector], label: Vector, group: Any, rows: Any
) -> dict[str, Any]:
    draws = label_draws(group[rows])
    return {
        who: {"auroc": label_interval(auroc, values[rows], label[rows], draws)}
        for who, values in scores.items()
    }


def _numbers(rows: Sequence[dict[str, Any]], who: str, what: str = "spearman") -> Vector:
    return np.array([np.nan if (v := r[what][who]) is None else v for r in rows])


def _sampled_spearman(scores: dict[str, Vector], assay: Assay) -> dict[str, float | None]:
    """Every score on the variants that have all of them."""
    known = ~np.any([np.isnan(np.asarray(v, dtype=float)) for v in scores.values()], axis=0)
    return {
        who: rounded(spearman(np.asarray(v, dtype=float)[known], assay.value[known].astype(float)))
        for who, v in scores.items()
    }
