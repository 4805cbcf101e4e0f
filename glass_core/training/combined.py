"""Fitting of the combining head: how much each piece of evidence counts, and for what chance.

Fitted to what heads say of proteins that they were not trained on, once for each pattern of
evidence, on two kinds of data at once: clinical labels say how large a chance is, mutational
scans how the substitutions of one protein rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

from glass_core.errors import InputError
from glass_core.models.card import ModelCard
from glass_core.models.checkpoint import load_heads, save_head
from glass_core.models.heads.combined import INGREDIENTS, CombinedConfig, CombinedHead, ingredients
from glass_core.models.heads.stability import StabilityConfig
from glass_core.models.heads.structure_effect import StructureEffectConfig
from glass_core.progress import Say
from glass_core.training import stability, structure_effect
from glass_core.training.data.alignments import read_alignment
from glass_core.training.data.sites import Sites, read_sites
from glass_core.training.data.tables import read_columns
from glass_core.training.effect import CALIBRATION_CAP
from glass_core.training.folds import told_by_strangers
from glass_core.training.loop import History, write_record

SCAN_SHARE = 0.1
"""What 1 - correlation with the ranks of the scans counts beside the nats of a label."""
RIDGE = 1e-3
FEWEST_LABELS = 100
"""Of each kind; with fewer of them what a pattern adds counts for nothing."""
_FEWEST_IN_SCAN = 20
_LAST = len(INGREDIENTS) - 1
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Judged:
    """Measured or labelled substitutions, and what strangers say of them.

    Attributes
    ----------
    values : ndarray, shape=(n, 4)
        `INGREDIENTS`; NaN for the last where no alignment counts.
    value : ndarray, shape=(n,)
        Labels 0 or 1, or what a scan measured, higher = more damaging.
    labelled : ndarray, shape=(n,), dtype=bool
        Whether it is a label.
    known : ndarray, shape=(n,), dtype=bool
        Whether the structure of the position is known.
    assay, group : ndarray, shape=(n,), dtype=str
    """

    values: NDArray[np.float64]
    value: NDArray[np.float64]
    labelled: NDArray[np.bool_]
    known: NDArray[np.bool_]
    assay: NDArray[np.object_]
    group: NDArray[np.object_]

    def only(self, chosen: NDArray[np.bool_]) -> Judged:
        """Some of them."""
        return Judged(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @property
    def aligned(self) -> NDArray[np.bool_]:
        """Where an alignment counts."""
        return np.asarray(~np.isnan(self.values[:, _LAST]))

    @property
    def enough(self) -> bool:
        """Whether there are labels enough to fit to."""
        labels = self.value[self.labelled]
        return min(int((labels == side).sum()) for side in (0, 1)) >= FEWEST_LABELS

    @property
    def counts(self) -> dict[str, int]:
        """How much there is of it."""
        return {
            "labels": int(self.labelled.sum()),
            "groups": len(set(self.group[self.labelled])),
            "scans": len(set(self.assay[~self.labelled])),
        }


def train_combined(
    sites: Path, effects: Path, alignments: Path | None, model: Path, fabric: Fabric, say: Say
) -> CombinedHead:
    """Fit the head to positions in the folder `sites`, and add it to `model`.

    Parameters
    ----------
    sites : Path
        What `data.sites.write_sites` wrote.
    effects : Path
        The table that it was written from.
    alignments : Path or None
        What `data.alignments.write_alignments` wrote; None leaves the weights with an
        alignment at 0.
    model : Path
        Has heads of effect and stability, trained on these `sites`; checkpoints that their
        trainings left there are used.

    Raises
    ------
    InputError
        No label or scan on the train side.
    """
    every = read_sites(sites)
    train = every.only((every.rows["side"] == "train").to_numpy())
    mine = train.of_kind(*structure_effect.KINDS)
    if not train.of_kind("clinical").any() or not train.of_kind("scan").any():
        raise InputError(f"{sites}: holds no labels or no scans of the train side.")
    told = [table[mine] for table in _told(train, model, fabric)]
    train = train.only(mine)
    rarity = _rarity(train, effects, alignments)
    say(f"alignments: {int((~np.isnan(rarity)).any(axis=1).sum()):,} of {len(train):,} positions")
    head, patterns = CombinedHead(CombinedConfig()), []  # as it is, from the sequence alone
    for structure, (score, chance, ddg) in enumerate((told[3:], told[:3])):
        judged = _judged(train, ingredients(score, chance, ddg, rarity))
        seen = judged.only(judged.known) if structure else judged
        weight, offset = np.array([0.0, 1.0, 0.0]), 0.0
        for alignment in (0, 1):
            chosen = seen.only(seen.aligned) if alignment else seen
            if (structure or alignment) and chosen.enough:
                weight, offset = fitted(chosen, _LAST + alignment)
            with torch.no_grad():
                head.weight[structure, alignment, : len(weight)] = torch.from_numpy(weight)
                head.offset[structure, alignment] = offset
            patterns.append(
                {
                    "structure": bool(structure),
                    "alignment": bool(alignment),
                    **chosen.counts,
                    "weight": [round(float(w), 4) for w in weight],
                    "offset": round(offset, 4),
                }
            )
    if fabric.is_global_zero:
        save_head(model, "combined", head, torch.float32)
        data = {"sites": sites, "effects": effects}
        write_record(
            model / "combined-training.json",
            History(),
            {"scan_share": SCAN_SHARE, "ridge": RIDGE, "patterns": patterns},
            data if alignments is None else data | {"alignments": alignments},
        )
    return head


def fitted(judged: Judged, count: int) -> tuple[NDArray[np.float64], float]:
    """Weights, 0 or more, of the first `count` ingredients, and the offset.

    They minimise the mean logistic loss of the labels plus `SCAN_SHARE` times the mean over
    scans of 1 - correlation with the scan's ranks. Labels of one group count for
    `CALIBRATION_CAP` at most, groups of scans alike.
    """
    labels = judged.only(judged.labelled)
    x, y = labels.values[:, :count], labels.value
    _, which, held = np.unique(labels.group, return_inverse=True, return_counts=True)
    share = np.minimum(1.0, CALIBRATION_CAP / held)[which]
    share = share / share.sum()
    scale = x.std(axis=0)
    x = x / scale
    scans = list(_scans(judged.only(~judged.labelled), count, scale))
    of_scans = sum(one.share for one in scans) or 1.0

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight, offset = parameters[:-1], parameters[-1]
        logit = x @ weight + offset
        nats = float((share * (np.logaddexp(0, logit) - y * logit)).sum())
        error = share * (1 / (1 + np.exp(-logit)) - y)
        slope = np.append(x.T @ error + 2 * RIDGE * weight, error.sum())
        total = nats + RIDGE * float(weight @ weight)
        for one in scans:
            part = SCAN_SHARE * one.share / of_scans
            spread = max(float(np.sqrt(weight @ one.covariance @ weight)), _TINY)
            along = float(weight @ one.with_ranks)
            total += part * (1 - along / spread)
            slope[:-1] -= part * (
                one.with_ranks / spread - along * (one.covariance @ weight) / spread**3
            )
        return total, slope

    start = np.append(np.full(count, 0.3), 0.0)
    bounds = [(0.0, None)] * count + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:-1] / scale, float(found[-1])


@dataclass(frozen=True, eq=False)
class _Scan:
    """One scan: all that its correlation with a weighted sum follows from.

    Attributes
    ----------
    covariance : ndarray, shape=(k, k)
        Of the scaled ingredients.
    with_ranks : ndarray, shape=(k,)
        Their covariance with the ranks, which have a variance of 1.
    share : float
        1 / scans of its group.
    """

    covariance: NDArray[np.float64]
    with_ranks: NDArray[np.float64]
    share: float


def _scans(judged: Judged, count: int, scale: NDArray[np.float64]) -> Iterator[_Scan]:
    rows = pd.DataFrame({"assay": judged.assay, "group": judged.group})
    scans_of = rows.groupby("group")["assay"].nunique()
    for (_, group), index in rows.groupby(["assay", "group"]).indices.items():
        if len(index) < _FEWEST_IN_SCAN:
            continue
        x = judged.values[index, :count] / scale
        x = x - x.mean(axis=0)
        ranks = rankdata(judged.value[index])
        ranks = (ranks - ranks.mean()) / ranks.std()
        yield _Scan(x.T @ x / len(x), x.T @ ranks / len(x), 1 / int(scans_of[group]))


def _told(train: Sites, model: Path, fabric: Fabric) -> list[NDArray[np.floating]]:
    """Effect score, chance and ddG by strangers: with the structure, then without."""
    heads = load_heads(ModelCard.read(model))
    ddg_config, effect_config = heads["stability"].config, heads["structure_effect"].config
    if not isinstance(ddg_config, StabilityConfig) or not isinstance(
        effect_config, StructureEffectConfig
    ):
        raise InputError(f"{model}: has no heads of effect and stability.")
    ddg, ddg_unseen = told_by_strangers(
        train,
        stability.stability_training(stability.STABILITY_SCHEDULE, fabric).stranger(
            ddg_config, stability.KINDS, model / stability.CHECKPOINT
        ),
    )
    score, damaging, score_unseen, damaging_unseen = told_by_strangers(
        train,
        structure_effect.structure_effect_training(
            structure_effect.STRUCTURE_EFFECT_SCHEDULE, fabric
        ).stranger(effect_config, structure_effect.KINDS, model / structure_effect.CHECKPOINT),
    )
    return [
        score,
        effect_config.chance(damaging, np.ones(len(train), dtype=bool)),
        ddg,
        score_unseen,
        effect_config.chance(damaging_unseen, np.zeros(len(train), dtype=bool)),
        ddg_unseen,
    ]


def _rarity(train: Sites, effects: Path, alignments: Path | None) -> NDArray[np.float64]:
    """Log-odds turned round at each position, shape=(n, 20); NaN where no alignment counts."""
    rarity = np.full((len(train), 20), np.nan)
    table = read_columns(effects, ["kind", "assay", "sequence"]).drop_duplicates()
    sequences = {(row.kind, row.assay): row.sequence for row in table.itertuples()}
    position = train.rows["position"].to_numpy()
    for name, index in train.rows.groupby(["kind", "assay"]).indices.items():
        profile = read_alignment(alignments, sequences[name])
        if profile is not None and profile.usable:
            rarity[index] = -profile.log_odds[position[index] - 1]
    return rarity


def _judged(train: Sites, values: NDArray[np.float64]) -> Judged:
    """One entry per measured or labelled substitution."""
    row, letter = np.nonzero(~np.isnan(train.value))
    return Judged(
        values[row, letter],
        train.value[row, letter].astype(float),
        train.of_kind("clinical")[row],
        train.known[row],
        train.rows["assay"].to_numpy(dtype=object)[row],
        train.rows["group"].to_numpy(dtype=object)[row],
    )
