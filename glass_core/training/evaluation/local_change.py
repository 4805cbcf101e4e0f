"""How well local changes are predicted where two held-out structures differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from glass_core.errors import InputError
from glass_core.metrics.agreement import spearman
from glass_core.metrics.flexibility import ElasticNetwork
from glass_core.models.evaluation import MODEL, WITHOUT_SITE
from glass_core.models.heads.local_change import OFFSETS, LocalChangeHead
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.records import known_mean
from glass_core.training.data.changes import StructureChange
from glass_core.training.evaluation.statistics import Vector, mean_of, rounded, with_interval
from glass_core.training.local_change import prepare

NEAR_SITE = 10.0
"""Å from a site within which figures are told apart."""
_FEWEST = 5
_ROUNDING = 6

Tracks = dict[str, tuple[Vector, Vector]]
"""Who -> values to compare with the distance change and with the lDDT deficit."""


def evaluate_local_change(
    predictor: SiamesePredictor, changes: Sequence[StructureChange], tell: Say
) -> dict[str, Any]:
    """Spearman within each protein, groups weighted once, beside baselines on the same rows.

    Pairs are read as they were given. ``figures`` are of pairs with substitutions,
    ``same_sequence`` holds those of one sequence twice: what differs without any.

    Raises
    ------
    InputError
        The model has no head of local change, or no pair has a substitution.
    """
    head = predictor.head("local_change")
    if not isinstance(head, LocalChangeHead):
        raise InputError(f"{predictor.info.name}: has no head of local change.")
    asked = [change for change in changes if change.forward]
    told = _told(head, asked)
    by_kind: dict[str, dict[str, Any]] = {}
    for kind in ("point_mutant", "same_sequence"):
        rows = [k for k, change in enumerate(asked) if change.kind == kind]
        scored = [baselines(asked[k]) | told[k] | _lddt(predictor, asked[k]) for k in rows]
        by_kind[kind] = _figures([asked[k] for k in rows], scored)
        tell(f"{kind}: {len(rows)} pairs")
    if not by_kind["point_mutant"]["pairs"]:
        raise InputError("local change: no pair has a substitution.")
    return {**by_kind["point_mutant"], "same_sequence": by_kind["same_sequence"]}


def baselines(change: StructureChange) -> Tracks:
    """What elastic networks and the distance to the site say, without any training."""
    ca = change.fold.ca.astype(float)
    gaussian, every = ElasticNetwork.gaussian(ca), ElasticNetwork.without_cutoff(ca)
    tracks = {
        "Gaussian network": gaussian.fluctuation,
        "Gaussian network, between neighbours": gaussian.distance_change(),
        "elastic network without cut-off, between neighbours": every.distance_change(),
    }
    if change.sites:
        tracks["closeness to the site"] = -change.nearest
    return {who: (values, values) for who, values in tracks.items()}


@torch.inference_mode()
def _told(head: LocalChangeHead, changes: Sequence[StructureChange]) -> list[Tracks]:
    """What the model says with and without the site, in Å and lDDT deficits."""
    made = []
    members = head.each()
    for one in prepare(head, changes):
        bases = [m.base(one.inputs.float()) for m in members]
        base = with_site = torch.stack(bases).mean(0)
        if one.terms is not None:
            with_site = torch.stack(
                [m.with_site(b, one.terms) for m, b in zip(members, bases, strict=True)]
            ).mean(0)
        tracks: Tracks = {}
        for who, values in ((MODEL, with_site), (WITHOUT_SITE, base)):
            plain = np.exp(values.double().numpy()) - OFFSETS
            tracks[who] = plain[:, 0], plain[:, 1]
        made.append(tracks)
    return made


def _lddt(predictor: SiamesePredictor, change: StructureChange) -> Tracks:
    """Predicted lDDT of the mutant's sequence, lower = more changed; nothing without one."""
    if not change.sites:
        return {}
    letters = change.fold.letters
    text = ":".join(f"{letters[i]}{i + 1}{STANDARD[k]}" for i, k in change.sites)
    variant = Variant.parse(text, letters)
    made = predictor.predict(Protein.from_sequence(letters), [variant])[0]
    return {"predicted lDDT": (-made.lddt, -made.lddt)}


def _figures(changes: Sequence[StructureChange], scored: Sequence[Tracks]) -> dict[str, Any]:
    """Figures of every predictor with intervals, and what the site adds to the model."""
    group = np.array([change.group for change in changes])
    record: dict[str, Any] = {"pairs": len(changes), "groups": len(set(group.tolist()))}
    if not changes:
        return record
    agreed: dict[str, dict[str, Vector]] = {}
    for who in scored[0]:
        agreed[who] = {
            "distance_change": _each(changes, scored, who, 0),
            "lddt_deficit": _each(changes, scored, who, 1),
        }
        if changes[0].sites:
            agreed[who] |= {
                "distance_change_near_site": _each(changes, scored, who, 0, NEAR_SITE),
                "lddt_deficit_near_site": _each(changes, scored, who, 1, NEAR_SITE),
            }
    record["figures"] = {
        who: {name: with_interval(mean_of(values), group) for name, values in figures.items()}
        for who, figures in agreed.items()
    }
    if changes[0].sites:
        record["site_adds"] = {
            name: with_interval(mean_of(values - agreed[WITHOUT_SITE][name]), group)
            for name, values in agreed[MODEL].items()
        }
    errors = [
        known_mean(np.abs(tracks[MODEL][0] - change.change))
        for change, tracks in zip(changes, scored, strict=True)
    ]
    record["mean_error_angstrom"] = with_interval(mean_of(np.array(errors)), group)
    record["rows"] = {
        "group": [str(g) for g in group],
        "length": [len(change.change) for change in changes],
        "substitutions": [len(change.sites) for change in changes],
        "change": [rounded(float(change.change.mean())) for change in changes],
        "spearman": [rounded(float(v)) for v in agreed[MODEL]["distance_change"]],
    }
    return record


def _each(
    changes: Sequence[StructureChange],
    scored: Sequence[Tracks],
    who: str,
    output: int,
    within: float = np.inf,
) -> Vector:
    """Spearman of each pair; NaN where too few residues are `within` Å of the site."""
    measured: tuple[Callable[[StructureChange], Vector], ...] = (
        lambda change: change.change,
        lambda change: change.deficit,
    )
    values = []
    for change, tracks in zip(changes, scored, strict=True):
        rows = change.nearest <= within
        enough = rows.sum() >= _FEWEST
        predicted = np.round(tracks[who][output][rows], _ROUNDING)
        values.append(spearman(predicted, measured[output](change)[rows]) if enough else np.nan)
    return np.array(values)
