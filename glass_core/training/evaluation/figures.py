"""Figures of variant effects: ranks within assays, sizes in kcal/mol, labels; by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glass_core.metrics.agreement import auroc, calibration_error, spearman
from glass_core.models.evaluation import (
    COMBINED,
    COMBINED_UNALIGNED,
    MODEL,
    MODEL_SEQUENCE,
    STABILITY,
    STABILITY_SEQUENCE,
)
from glass_core.records import known_mean
from glass_core.training.evaluation.pairs import column
from glass_core.training.evaluation.statistics import (
    Vector,
    label_draws,
    label_interval,
    mean_of,
    rounded,
    with_interval,
)

_CHANCES = (MODEL, MODEL_SEQUENCE, COMBINED, COMBINED_UNALIGNED)
"""Of the predictors of clinical labels, those that tell a chance."""
_LEADS = (COMBINED, MODEL, STABILITY)
"""Predictors that are compared with every other one, pair by pair."""
_FEWEST = 10


def ranks(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Spearman within each assay."""
    ranked = [one for one in found if len(one["value"]) >= _FEWEST]
    names = list(dict.fromkeys(name for one in ranked for name in one["scores"]))
    rows = [
        {
            "assay": one["assay"],
            "group": one["group"],
            "structure": one["structure"],
            "length": one["length"],
            "variants": len(one["value"]),
            "spearman": {
                who: rounded(spearman(one["scores"][who], one["value"]))
                if who in one["scores"]
                else None
                for who in names
            },
        }
        for one in ranked
    ]
    group = np.array([row["group"] for row in rows])
    values = {
        who: np.array([np.nan if (v := r["spearman"][who]) is None else v for r in rows])
        for who in names
    }
    return {
        "assays": len(rows),
        "groups": len(set(group)),
        "rows": rows,
        "structures": _counted([row["structure"] for row in rows]),
        "figures": {
            who: {
                "spearman": with_interval(mean_of(values[who]), group),
                "mean_over_assays": rounded(known_mean(values[who])),
            }
            for who in names
        },
        "ahead": {
            lead: {
                who: with_interval(mean_of(values[lead] - values[who]), group)
                for who in names
                if who != lead
            }
            for lead in _LEADS
            if lead in names
        },
        "by_structure": {
            kind: _of_kind(rows, values, kind) for kind in sorted({r["structure"] for r in rows})
        },
    }


def _of_kind(
    rows: Sequence[dict[str, Any]], values: Mapping[str, Vector], kind: str
) -> dict[str, Any]:
    """The means over the assays whose structure was made one way."""
    chosen = np.array([row["structure"] == kind for row in rows])
    means = {who: rounded(known_mean(spread[chosen])) for who, spread in values.items()}
    return {"assays": int(chosen.sum()), "mean_over_assays": means}


def sizes(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Errors in kcal/mol, and how many measurements the intervals hold, groups alike."""
    sizes: dict[str, Any] = {"variants": sum(len(one["value"]) for one in found)}
    group = np.concatenate([[one["group"]] * len(one["value"]) for one in found])
    value = np.concatenate([one["value"] for one in found])
    for who in (STABILITY, STABILITY_SEQUENCE):
        if any(who not in one["scores"] for one in found):
            continue
        predicted = np.concatenate([one["scores"][who] for one in found])
        low, high = (
            np.concatenate([one["bounds"][f"{who} {end}"] for one in found])
            for end in ("low", "high")
        )
        known = ~np.isnan(predicted)
        inside = ((value >= low) & (value <= high)).astype(float)
        pooled = known & ~np.isnan(value)
        sizes[who] = {
            "mean_absolute_error": with_interval(
                mean_of(np.abs(predicted - value)[known]), group[known]
            ),
            "coverage": with_interval(mean_of(inside[known]), group[known]),
            "coverage_of_variants": rounded(float(inside[known].mean())),
            "width": rounded(float((high - low)[known].mean())),
            "pearson": rounded(float(np.corrcoef(predicted[pooled], value[pooled])[0, 1])),
            "spearman_pooled": rounded(spearman(predicted, value)),
            "mean_absolute_error_of_variants": rounded(
                float(np.abs(predicted - value)[known].mean())
            ),
        }
    return sizes


def labels(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """AUROC over all labels, and the calibration of the chances."""
    names = set.intersection(*(set(one["scores"]) for one in found))
    scores = {
        who: np.concatenate([one["scores"][who] for one in found])
        for who in found[0]["scores"]
        if who in names
    }
    label = np.concatenate([one["value"] for one in found])
    group = np.concatenate([[one["group"]] * len(one["value"]) for one in found])
    known = ~np.any([np.isnan(v) for v in scores.values()], axis=0)
    draws = label_draws(group[known])
    values = {who: of[known] for who, of in scores.items()}
    chance = COMBINED if COMBINED in scores else MODEL
    return {
        "labels": int(known.sum()),
        "proteins": len(found),
        "groups": len(set(group[known])),
        "damaging": int(label[known].sum()),
        "structures": _counted([one["structure"] for one in found]),
        "figures": {
            who: _label_figures(who, of, label[known], draws) for who, of in values.items()
        },
        "calibration_error": label_interval(calibration_error, values[chance], label[known], draws),
        "ahead": {
            lead: {
                who: label_interval(
                    _further, np.stack([values[lead], values[who]], 1), label[known], draws
                )
                for who in values
                if who != lead
            }
            for lead in _LEADS
            if lead in values
        },
        "chance": chance,
        "rows": {
            "probability": column(values[chance]),
            "label": [int(v) for v in label[known]],
            "BLOSUM62": column(values["BLOSUM62"]),
        },
    }


def _further(values: Vector, label: Vector) -> float:
    """How much the AUROC of the first column is above that of the second."""
    return auroc(values[:, 0], label) - auroc(values[:, 1], label)


def _label_figures(who: str, values: Vector, label: Vector, draws: Any) -> dict[str, Any]:
    """AUROC, and of what is a chance also how far it is off."""
    figures = {"auroc": label_interval(auroc, values, label, draws)}
    if who in _CHANCES:
        figures["calibration_error"] = label_interval(calibration_error, values, label, draws)
    return figures


def _counted(kinds: Sequence[str]) -> dict[str, int]:
    """How many structures were made each way; '' = none."""
    return {kind or "none": kinds.count(kind) for kind in sorted(set(kinds))}
