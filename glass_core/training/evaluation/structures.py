"""How well predictions from the wild type's structure and alignment rank and size effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glass_core.metrics.distances import neighbour_counts
from glass_core.models.evaluation import (
    ALIGNMENT,
    BURIAL,
    COMBINED,
    COMBINED_UNALIGNED,
    MODEL,
    MODEL_SEQUENCE,
    STABILITY,
    STABILITY_SEQUENCE,
    UNTRAINED,
)
from glass_core.models.heads.combined import CombinedTable
from glass_core.models.heads.effect import EffectTable
from glass_core.models.heads.stability import StabilityTable
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.training.data.alignments import read_alignment
from glass_core.training.data.assays import Assay
from glass_core.training.data.sites import ddg_of
from glass_core.training.data.wild_structures import WildStructure
from glass_core.training.evaluation.figures import labels, ranks, sizes
from glass_core.training.evaluation.statistics import Vector
from glass_core.training.evaluation.variants import exchange_baselines


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
            yield "clinical-structure", labels(found)
        elif kind == "ddg":
            yield "ddg-classical", ranks(found) | {"sizes": sizes(found)}
        else:
            content = ranks(found)
            if kind == "stability":
                content["sizes"] = sizes(found)
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
        yield f"{kind}-alignment", labels(found) if kind == "clinical" else ranks(found)
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
    for who, tables in ((MODEL, with_structure), (MODEL_SEQUENCE, without)):
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
