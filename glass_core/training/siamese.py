"""Training of the Siamese head on pairs of structures, over any embedder.

Loss: section 2.3 of the GLASS paper (bioRxiv 2025.10.27.684815).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from glass_core.embedders.base import Embedder
from glass_core.errors import InputError
from glass_core.models.checkpoint import save_model
from glass_core.models.heads.siamese import (
    SiameseConfig,
    SiameseTransformer,
    predicted_lddt,
    predicted_tm,
)
from glass_core.training.copies import Unpaired
from glass_core.training.data.pair_batches import PairBatch, Pairs
from glass_core.training.data.pairs import read_shards
from glass_core.training.data.tables import read_columns
from glass_core.training.loop import History, Schedule, Validation, fit, write_record
from glass_core.training.residues import embed_fixed, pad_residues

UNPAIRED_LONGEST = 256

TM_IGNORED_BELOW, TM_LDDT_FROM = 0.1, 0.7
LDDT_SHARE, TM_SHARE = 0.7, 0.3
UNRELATED_TM, UNRELATED_SPREAD = 0.31, 0.06
_VALIDATION_BATCH = 32

Embed = Callable[[Sequence[str]], list[Tensor]]
"""Sequences to their residues, each of shape=(L, D)."""


@dataclass(frozen=True)
class HeadRecipe:
    """How to train a Siamese head.

    Attributes
    ----------
    hidden : int or None
        Width of the head; None: that of the embedder.
    batch : int
        Pairs per batch.
    epochs : float or None
        Passes over all pairs; None: `schedule.steps` batches drawn in balance.
    near_share : float
        Of drawn batches, the share of near-identical pairs.
    longest : int
        Residues; pairs with a longer sequence are left out.
    contrast : float
        Weight of `contrast_loss`; 0 as published.
    unpaired : int
        Most sequences without a structure that are drawn from, where some are given.
    stored : {"float32", "float16"}
        Precision of the weights on disk.
    """

    schedule: Schedule
    hidden: int | None
    batch: int
    epochs: float | None
    near_share: float
    longest: int
    contrast: float = 0.0
    unpaired: int = 0
    stored: Literal["float32", "float16"] = "float32"


HEAD_RECIPES = {
    "paper": HeadRecipe(
        Schedule(steps=1, peak=1e-4, weight_decay=1e-5, clip=1.0, every=500),
        hidden=512,
        batch=16,
        epochs=5,
        near_share=0.0,
        longest=1024,
    ),
    "compact": HeadRecipe(
        Schedule(
            steps=4000, peak=5e-4, warmup=100, decay=0.7, weight_decay=1e-4, every=250, patience=6
        ),
        hidden=None,
        batch=16,
        epochs=None,
        near_share=0.35,
        longest=512,
        contrast=0.5,
        unpaired=10_000,
        stored="float16",
    ),
}


def pair_loss(
    tm: Tensor, true_tm: Tensor, lddt: Sequence[Tensor], true_lddt: Sequence[Tensor]
) -> Tensor:
    """The paper's loss, averaged over the pairs that count.

    Parameters
    ----------
    tm, true_tm : Tensor, shape=(B,)
    lddt, true_lddt : sequence of Tensor, each of shape=(n_aligned,)
        NaN in `true_lddt` = no value. Pairs below TM 0.1 are left out; below
        0.7 only the TM error counts.
    """
    losses = []
    for k in range(len(true_tm)):
        if true_tm[k] < TM_IGNORED_BELOW:
            continue
        tm_error = (tm[k] - true_tm[k]).abs()
        known = ~torch.isnan(true_lddt[k])
        if true_tm[k] < TM_LDDT_FROM or not bool(known.any()):
            losses.append(tm_error)
        else:
            lddt_error = (lddt[k][known] - true_lddt[k][known]).abs().mean()
            losses.append(LDDT_SHARE * lddt_error + TM_SHARE * tm_error)
    return torch.stack(losses).mean() if losses else (tm * 0).sum()


def contrast_loss(pooled: Tensor, groups: Sequence[str]) -> Tensor:
    """How far chains of different groups are from the TM-score of unrelated chains.

    Every pair of chains in a batch that was not labelled still says something: chains
    of different split groups have TM-scores of 0.31 +- 0.06 or so.

    Parameters
    ----------
    pooled : Tensor, shape=(n, O)
    groups : sequence of str
        One per chain.
    """
    number = {group: k for k, group in enumerate(dict.fromkeys(groups))}
    code = torch.tensor([number[g] for g in groups], device=pooled.device)
    unit = nn.functional.normalize(pooled, dim=-1)
    apart = torch.triu(code[:, None] != code[None], diagonal=1)
    if not bool(apart.any()):
        return (pooled * 0).sum()
    miss = ((unit @ unit.T)[apart] - UNRELATED_TM).abs()
    return (miss - UNRELATED_SPREAD).clamp(min=0).mean()


class HeadTraining(nn.Module):
    """The Siamese head over residues from `embed`; pairs in, the paper's loss out.

    `contrast` is the weight of `contrast_loss` beside it; 0 as published.
    """

    def __init__(self, head: SiameseTransformer, embed: Embed, contrast: float = 0.0) -> None:
        super().__init__()
        self.head = head
        self._embed = embed
        self.contrast = contrast

    def project(self, sequences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Y and Z of the paper, shapes (n, L, O) and (n, O)."""
        device = self.head.input_projection.weight.device
        residues, mask = pad_residues(self._embed(sequences))
        per_residue, pooled = self.head(residues.to(device), mask.to(device))
        return per_residue.float(), pooled.float()

    def predict(self, batch: PairBatch) -> tuple[Tensor, list[Tensor], Tensor]:
        """Predicted TM-scores, shape=(B,), per pair the lDDT of its facing residues, and Z."""
        per_residue, pooled = self.project([*batch.reference, *batch.subject])
        half = len(batch.reference)
        lddt = [
            predicted_lddt(per_residue[k][pairs[:, 0]], per_residue[half + k][pairs[:, 1]])
            for k, pairs in enumerate(p.to(pooled.device) for p in batch.aligned)
        ]
        return predicted_tm(pooled[:half], pooled[half:]), lddt, pooled

    def forward(self, batch: PairBatch) -> dict[str, Tensor]:
        """``pair``, the paper's loss, ``tm``, the mean TM error, and the ``total``."""
        tm, lddt, pooled = self.predict(batch)
        true_tm = batch.tm.to(tm.device)
        loss = pair_loss(tm, true_tm, lddt, [t.to(tm.device) for t in batch.lddt])
        losses = {"total": loss, "pair": loss, "tm": (tm - true_tm).abs().mean()}
        if not (self.contrast and self.training):
            return losses
        groups = batch.groups
        if batch.copies is not None:
            _, beside = self.project([*batch.copies.original, *batch.copies.copy])
            half = len(batch.copies.original)
            expected = torch.tensor(batch.copies.tm, device=beside.device)
            kept = (predicted_tm(beside[:half], beside[half:]) - expected).abs().mean()
            losses |= {"total": losses["total"] + TM_SHARE * kept, "copies": kept}
            pooled = torch.cat([pooled, beside])
            groups = [*groups, *batch.copies.group, *batch.copies.group]
        apart = contrast_loss(pooled, groups)
        return losses | {"total": losses["total"] + self.contrast * apart, "contrast": apart}


def validation_figures(training: HeadTraining, pairs: Pairs) -> Mapping[str, float]:
    """``loss``, the mean of the paper's loss on fold and near-identical pairs, and both."""
    parts: dict[str, float] = {}
    for name, chosen in (
        ("fold", pairs.table["kind"] == "fold"),
        ("near", pairs.table["kind"] != "fold"),
    ):
        table = pairs.table[chosen].sort_values("reference", key=lambda s: s.str.len())
        losses, tm = [], []
        for start in range(0, len(table), _VALIDATION_BATCH):
            found = training(PairBatch.of(table.iloc[start : start + _VALIDATION_BATCH]))
            losses.append(float(found["pair"]))
            tm.append(float(found["tm"]))
        if losses:
            parts[name], parts[f"{name}_tm"] = float(np.mean(losses)), float(np.mean(tm))
    return {"loss": float(np.mean([parts[n] for n in ("fold", "near") if n in parts])), **parts}


def train_head(
    embedder: Embedder,
    pairs: Path,
    out: Path,
    recipe: HeadRecipe,
    fabric: Fabric,
    *,
    version: str,
    unpaired: Path | None = None,
) -> History:
    """Train a Siamese head on the shards in `pairs` and write the model to `out`.

    `unpaired` is a Parquet table with ``sequence`` and ``cluster`` of sequences without a
    structure, for recipes with a contrast. `out` also keeps ``head.pt``, from which a
    killed run goes on, and the training record ``head-training.json``.
    """
    table = read_shards(pairs)
    near = None if recipe.epochs else recipe.near_share
    beside = None
    if unpaired is not None and recipe.unpaired:
        beside = Unpaired(
            read_columns(unpaired, ["sequence", "cluster"]), UNPAIRED_LONGEST, recipe.unpaired
        )
    train, held = (
        Pairs(
            table[table["side"] == side],
            recipe.longest,
            recipe.batch,
            near_share=near,
            unpaired=beside,
        )
        for side in ("train", "validation")
    )
    if not len(train.table):
        raise InputError(f"{pairs}: holds no pair of the training side.")
    schedule = recipe.schedule
    if recipe.epochs:
        per_step = schedule.accumulate * fabric.world_size
        steps = math.ceil(recipe.epochs * train.batches_per_epoch / per_step)
        schedule = replace(schedule, steps=steps, every=min(schedule.every, steps))
    torch.manual_seed(schedule.seed)
    width = recipe.hidden or embedder.dim
    head = SiameseTransformer(
        SiameseConfig(prottrans_dim=embedder.dim, hidden_dim=width, output_dim=width)
    )
    training = HeadTraining(
        head, lambda sequences: embed_fixed(embedder, sequences), recipe.contrast
    )
    history = fit(
        training,
        train.batch,
        schedule,
        out / "head.pt",
        fabric=fabric,
        validation=Validation(lambda: validation_figures(training, held))
        if len(held.table)
        else None,
    )
    if fabric.is_global_zero:
        save_model(
            out,
            {"siamese": head.cpu()},
            name=out.name,
            version=version,
            embedder={"kind": embedder.kind, "version": embedder.name},
            extra=embedder.pack(out),
            dtype=getattr(torch, recipe.stored),
        )
        write_record(
            out / "head-training.json",
            history,
            {
                "recipe": asdict(replace(recipe, schedule=schedule)),
                "embedder": embedder.name,
                "precision": str(fabric._precision.precision),
            },
            {"pairs": pairs} | ({"unpaired": unpaired} if unpaired else {}),
        )
    return history
