"""How well predictions from the wild type's structure and alignment rank and size effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glass_core.metrics.agreement import auroc, spearman
from glass_core.metrics.distances import neighbour_counts
from glass_core.models.evaluation import (
    ALIGNMENT,
    COMBINED,
    COMBINED_UNALIGNED,
    MODEL,
    STABILITY,
    STABILITY_SEQUENCE,
)
from glass_core.models.heads.combined import CombinedTable
from glass_core.models.heads.effect import EffectTable
from glass_core.models.heads.stability import StabilityTable
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.records import known_mean
from glass_core.training.data.alignments import read_alignment
from glass_core.training.data.assays import Assay
from glass_core.training.data.sites import ddg_of
from glass_core.training.data.wild_structures import WildStructure
from glass_core.training.evaluation.pairs import column
from glass_core.training.evaluation.statistics import (
    Vector,
    calibration_error,
    label_draws,
    label_interval,
    mean_of,
    rounded,
    with_interval,
)
from glass_core.training.evaluation.variants import exchange_baselines

EFFECT_SEQUENCE = "model from sequence"
UNTRAINED, BURIAL = "ProteinMPNN untrained", "burial"
_CHANCES = (MODEL, EFFECT_SEQUENCE, COMBINED, COMBINED_UNALIGNED)
"""Of the predictors of clinical labels, those that tell a chance."""
_FEWEST = 10


def evaluate_structures(
    predictor: SiamesePredictor,
    assays: Sequence[Assay],
    structures: Mapping[str, WildStructure],
    tell: Say,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Records of assays whose wild type has a structure, on the variants it covers.

    Yields the name of each set and its content: for the sets ``stability``, ``scan`` and
    ``clinical`` with ``-structure`` behind, and ``ddg-classical``, which counts proteins
    without a structure too.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for assay in assays:
        structure = structures.get(assay.sequence)
        if structure is None and assay.kind != "ddg":
            continue
        scores = _scores(predictor, ddg_of(assay), structure)
        if scores is not None:
            rows.setdefault(assay.kind, []).append(scores)
    for kind, found in rows.items():
        if kind == "clinical":
            yield "clinical-structure", _labels(found)
        elif kind == "ddg":
            yield "ddg-classical", _ranks(found) | {"sizes": _sizes(found)}
        else:
            content = _ranks(found)
            if kind == "stability":
                content["sizes"] = _sizes(found)
            yield f"{kind}-structure", content
        tell(f"{kind}: {len(found)} assays with a structure")


def evaluate_alignments(
    predictor: SiamesePredictor,
    assays: Sequence[Assay],
    structures: Mapping[str, WildStructure],
    alignments: Path,
    tell: Say,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Records of assays whose wild type has an alignment, on the variants that it covers.

    Yields the name of each set and its content: ``stability-alignment``, ``scan-alignment``,
    ``clinical-alignment`` and ``ddg-alignment``. The structure is read where there is one.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for assay in assays:
        profile = read_alignment(alignments, assay.sequence)
        if profile is None or not profile.usable:
            continue
        scores = _scores(predictor, ddg_of(assay), structures.get(assay.sequence), profile)
        if scores is not None:
            rows.setdefault(assay.kind, []).append(scores)
    for kind, found in rows.items():
        yield f"{kind}-alignment", _labels(found) if kind == "clinical" else _ranks(found)
        tell(f"{kind}: {len(found)} assays with an alignment")


def _scores(
    predictor: SiamesePredictor,
    assay: Assay,
    structure: WildStructure | None,
    profile: AlignmentProfile | None = None,
) -> dict[str, Any] | None:
    """Every predictor's score of the variants that the evidence covers; None without any.

    That is the alignment where there is one, else the structure where there is one.
    """
    sequence = Protein.from_sequence(assay.sequence)
    protein = sequence if structure is None else structure.protein()
    if profile is not None:
        chosen = ~np.isnan(profile.occupancy)[assay.index]
    elif structure is not None:
        chosen = protein.covered[assay.index]
    else:
        chosen = np.ones(len(assay.value), dtype=bool)
    if not chosen.any():
        return None
    at = assay.index[chosen], assay.letter[chosen]
    with_structure, without = predictor.tables(protein), predictor.tables(sequence)
    scores: dict[str, Vector] = {}
    everything = with_structure
    if profile is not None:
        everything = predictor.tables(replace(protein, profile=profile))
        scores[ALIGNMENT] = -profile.log_odds[at]
    for who, tables in ((COMBINED, everything), (COMBINED_UNALIGNED, with_structure)):
        for table in tables:
            if isinstance(table, CombinedTable) and (who == COMBINED or profile is not None):
                scores[who] = table.probability[at]
    for who, tables in ((MODEL, with_structure), (EFFECT_SEQUENCE, without)):
        effect = [t for t in tables if isinstance(t, EffectTable)]
        if effect:
            told = effect[-1].probability if assay.kind == "clinical" else effect[-1].score
            scores[who] = told[at]
    bounds: dict[str, Vector] = {}
    for who, tables in ((STABILITY, with_structure), (STABILITY_SEQUENCE, without)):
        for table in tables:
            if isinstance(table, StabilityTable):
                scores[who] = table.ddg[at]
                bounds |= {f"{who} low": table.low[at], f"{who} high": table.high[at]}
    embedding = predictor.read_structure(protein)
    if embedding is not None and profile is None:
        logs = embedding.log_probabilities
        wild = np.array([STANDARD.find(assay.sequence[i]) for i in at[0]])
        scores[UNTRAINED] = np.where(wild < 0, np.nan, logs[at[0], wild]) - logs[at]
        scores[BURIAL] = neighbour_counts(protein.ca)[at[0]].astype(float)
    for who, values in exchange_baselines(assay).items():
        scores[who] = values.astype(float)[chosen]
    return {
        "assay": assay.name,
        "group": assay.group,
        "structure": structure.kind if structure else "",
        "length": len(assay.sequence),
        "value": assay.value[chosen].astype(float),
        "scores": scores,
        "bounds": bounds,
    }


def _ranks(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
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


def _sizes(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
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


def _labels(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
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
    chance = COMBINED if COMBINED in scores else MODEL
    return {
        "labels": int(known.sum()),
        "proteins": len(found),
        "groups": len(set(group[known])),
        "damaging": int(label[known].sum()),
        "structures": _counted([one["structure"] for one in found]),
        "figures": {
            who: _label_figures(who, values[known], label[known], draws)
            for who, values in scores.items()
        },
        "calibration_error": label_interval(
            calibration_error, scores[chance][known], label[known], draws
        ),
        "chance": chance,
        "rows": {
            "probability": column(scores[chance][known]),
            "label": [int(v) for v in label[known]],
            "BLOSUM62": column(scores["BLOSUM62"][known]),
        },
    }


def _label_figures(who: str, values: Vector, label: Vector, draws: Any) -> dict[str, Any]:
    """AUROC, and of what is a chance also how far it is off."""
    figures = {"auroc": label_interval(auroc, values, label, draws)}
    if who in _CHANCES:
        figures["calibration_error"] = label_interval(calibration_error, values, label, draws)
    return figures


def _counted(kinds: Sequence[str]) -> dict[str, int]:
    """How many structures were made each way; '' = none."""
    return {kind or "none": kinds.count(kind) for kind in sorted(set(kinds))}
