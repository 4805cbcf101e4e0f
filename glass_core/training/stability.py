"""Training of the stability head on measured changes of folding stability."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.embedders.mpnn import View
from glass_core.errors import InputError
from glass_core.metrics.agreement import spearman
from glass_core.models.checkpoint import save_head
from glass_core.models.heads.residue_network import ResidueInputs
from glass_core.models.heads.stability import (
    SHORT,
    SPAN,
    Interval,
    StabilityConfig,
    StabilityHead,
    conformal,
)
from glass_core.training.data.sites import Sites, read_sites
from glass_core.training.folds import FOLDS, told_by_strangers
from glass_core.training.loop import History, Schedule, write_record
from glass_core.training.site_heads import SiteTraining, Values, told_of_sites

STABILITY_SCHEDULE = Schedule(
    steps=2000, peak=1e-3, warmup=200, decay=0.9, weight_decay=0.02, every=500
)
KINDS = ("stability", "ddg")
"""Of the assays that it learns from."""
CHECKPOINT = "stability.pt"
SHARES = {"stability": 320, "ddg": 100, "mutants": 220}
"""Positions of each kind in a batch."""
WITHHELD = 0.3
"""Share of the positions whose structure a batch withholds."""
TRACE_EVERY = 4
"""Every so many batches the C-alphas alone are seen."""
BEND = 0.5
"""kcal/mol: errors count by their square below, by their size above."""
_FULL = 5
"""A position with so many measured substitutions counts fully."""
_LARGE = 60
"""Positions from which on an assay counts as a large one."""
_KNOTS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of the predictions between which the interval is interpolated."""


@dataclass(frozen=True)
class StabilityBatch:
    """Positions, and the measured ddG of their substitutions, NaN = not measured."""

    inputs: ResidueInputs
    value: Tensor


class StabilityDraw:
    """Batches of positions of training proteins, each a function of its number.

    An assay of a family of k assays counts as 1 / sqrt(k), and a small one less.
    """

    def __init__(self, sites: Sites, seed: int) -> None:
        self._sites, self._seed = sites, seed
        made = (sites.rows["background"] != "").to_numpy()
        self._pools = {
            "stability": np.flatnonzero(sites.of_kind("stability") & ~made),
            "ddg": np.flatnonzero(sites.of_kind("ddg") & ~made),
            "mutants": np.flatnonzero(made & sites.known),
        }
        self._shares = {
            name: np.cumsum(_weights(sites, pool)) for name, pool in self._pools.items()
        }

    def batch(self, number: int) -> StabilityBatch:
        """Batch `number`."""
        rng = np.random.default_rng([self._seed, number])
        view: View = "trace" if number % TRACE_EVERY == TRACE_EVERY - 1 else "backbone"
        rows, known = [], []
        for name, count in SHARES.items():
            pool, share = self._pools[name], self._shares[name]
            if not len(pool) or (view == "trace" and name == "mutants"):
                continue
            drawn = pool[np.minimum(np.searchsorted(share, rng.random(count)), len(pool) - 1)]
            withheld = rng.random(count) < (0 if name == "mutants" else WITHHELD)
            rows.append(drawn)
            known.append(self._sites.known[drawn] & ~withheld)
        index = np.concatenate(rows)
        value = torch.from_numpy(self._sites.value[index]).clamp(*SPAN)
        return StabilityBatch(self._sites.inputs(index, np.concatenate(known), view), value)


class StabilityTraining(nn.Module):
    """The head with its loss: batches in, losses out."""

    def __init__(self, head: StabilityHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, batch: StabilityBatch) -> dict[str, Tensor]:
        """``total``: mean error of the members, each position counted once."""
        measured = ~torch.isnan(batch.value)
        value = torch.nan_to_num(batch.value).expand(self.head.config.members, -1, -1)
        error = F.smooth_l1_loss(self.head(batch.inputs), value, beta=BEND, reduction="none")
        count = measured.sum(-1).clamp(min=1)
        position = (error * measured).sum(-1) / count
        return {"total": (position * (count / _FULL).clamp(max=1)).mean()}


def stability_training(schedule: Schedule, fabric: Fabric) -> SiteTraining:
    """How a stability head is trained."""
    return SiteTraining(StabilityHead, StabilityTraining, StabilityDraw, schedule, fabric)


def train_stability(
    sites: Path, model: Path, fabric: Fabric, schedule: Schedule = STABILITY_SCHEDULE
) -> History:
    """Train a stability head on positions in the folder `sites`, and add it to `model`.

    Its intervals come from heads that were trained without the proteins in question.
    """
    every = read_sites(sites)
    every = every.only(every.of_kind(*KINDS))
    side = every.rows["side"].to_numpy()
    train, held = every.only(side == "train"), every.only(side == "validation")
    if not len(train) or not len(held):
        raise InputError(f"{sites}: holds no stability of the train or the validation side.")
    config = StabilityConfig(embedding_dim=every.tensors["sequence"].shape[1])
    training = stability_training(schedule, fabric)
    checkpoint = model / CHECKPOINT
    head, history = training.trained(
        train, config, checkpoint, lambda head: stability_figures(head, held)
    )
    with_structure, with_sequence = told_by_strangers(
        train, training.stranger(config, KINDS, checkpoint)
    )
    if fabric.is_global_zero:
        head.cpu().eval()
        head.config = replace(head.config, **intervals(train, with_structure, with_sequence))
        save_head(model, "stability", head, torch.float16)
        write_record(
            model / "stability-training.json",
            history,
            {
                "schedule": asdict(schedule),
                "shares": SHARES,
                "withheld": WITHHELD,
                "trace_every": TRACE_EVERY,
                "span": SPAN,
                "bend": BEND,
                "folds": FOLDS,
            },
            {"sites": sites},
        )
    return history


def predicted_ddg(head: StabilityHead, sites: Sites, known: NDArray[np.bool_]) -> Values:
    """Mean of the members for every substitution of every position, shape=(n, 20)."""
    (ddg,) = told_of_sites(head, sites, known)
    return ddg


def stability_figures(head: StabilityHead, held: Sites) -> dict[str, float]:
    """Mean Spearman over groups with the structure and without; ``loss`` is 1 - their mean."""
    with_structure = held.only(held.known)
    figures = {}
    for name, sites, known in (
        ("structure", with_structure, with_structure.known),
        ("sequence", held, np.zeros(len(held), dtype=bool)),
    ):
        figures[name] = group_spearman(sites, predicted_ddg(head, sites, known))
    return {"loss": 1 - float(np.nanmean(list(figures.values()))), **figures}


def group_spearman(sites: Sites, predicted: Values) -> float:
    """Spearman within each mega-scale assay, mean over an assay's group, then over groups."""
    mega = sites.of_kind("stability") & (sites.rows["background"] == "").to_numpy()
    rho: dict[str, list[float]] = {}
    for (_, group), rows in sites.rows[mega].groupby(["assay", "group"]).indices.items():
        index = np.flatnonzero(mega)[rows]
        rho.setdefault(str(group), []).append(
            spearman(predicted[index].ravel(), sites.value[index].ravel())
        )
    return float(np.nanmean([np.nanmean(v) for v in rho.values()])) if rho else float("nan")


def intervals(train: Sites, with_structure: Values, with_sequence: Values) -> dict[str, Interval]:
    """The intervals of a head, from what strangers say of the wild types.

    Where no long wild type was measured, the short ones stand for them.
    """
    own = (train.rows["background"] == "").to_numpy()
    short = (train.rows["length"] <= SHORT).to_numpy()
    found = {}
    long = own & ~short
    for name, size in (("", long if long.any() else own), ("short_", own & short)):
        for source, told, chosen in (
            ("with_structure", with_structure, size & train.known),
            ("with_sequence", with_sequence, size),
        ):
            if chosen.any():
                found[f"{name}{source}"] = interval(train.only(chosen), told[chosen])
    return found


def interval(sites: Sites, predicted: Values) -> Interval:
    """The conformal interval of predictions for strangers, each group of each kind alike."""
    measured = ~np.isnan(sites.value)
    rows = np.nonzero(measured)[0]
    family = sites.rows["kind"].str.cat(sites.rows["group"]).to_numpy()[rows]
    _, which, count = np.unique(family, return_inverse=True, return_counts=True)
    values = predicted[measured].astype(float)
    return conformal(
        values,
        sites.value[measured].astype(float),
        1.0 / count[which],
        [float(v) for v in np.quantile(values, _KNOTS)],
    )


def _weights(sites: Sites, pool: NDArray[np.int64]) -> NDArray[np.float64]:
    """Chance of each row of a pool; see `StabilityDraw`."""
    if not len(pool):
        return np.zeros(0)
    rows = sites.rows.iloc[pool]
    of_assay = rows["assay"].map(rows["assay"].value_counts()).to_numpy(dtype=float)
    assays = rows.groupby("group")["assay"].nunique()
    kin = rows["group"].map(assays).to_numpy(dtype=float)
    weight = np.sqrt(np.minimum(of_assay, _LARGE)) / of_assay / np.sqrt(kin)
    return np.asarray(weight / weight.sum())
