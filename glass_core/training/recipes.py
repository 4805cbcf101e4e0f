"""The two trainings a user starts: a Siamese head, and an effect head, over any embedder."""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from glass_core.embedders.base import Embedder
from glass_core.embedders.cache import CachedEmbedder
from glass_core.embedders.compact import ENCODER_FILE, CompactEmbedder, read_tensors
from glass_core.errors import InputError
from glass_core.models.checkpoint import save_effect, save_model
from glass_core.models.effect import EffectConfig, EffectHead
from glass_core.models.siamese import SiameseConfig, SiameseTransformer
from glass_core.training.copies import Unpaired
from glass_core.training.effect import (
    SHARES,
    EffectTraining,
    Vector,
    draw_batch,
    effect_figures,
)
from glass_core.training.effects import Assay, AssayDraw, read_assays
from glass_core.training.head import HeadTraining, Pairs, validation_figures
from glass_core.training.loop import History, Schedule, fit, write_record
from glass_core.training.pairs import read_shards


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
        Weight of `head.contrast_loss`; 0 as published.
    unpaired : int
        Most sequences without a structure that are drawn from, where some are given.
    """

    schedule: Schedule
    hidden: int | None
    batch: int
    epochs: float | None
    near_share: float
    longest: int
    contrast: float = 0.0
    unpaired: int = 0


HEAD_RECIPES = {
    "paper": HeadRecipe(
        Schedule(steps=1, peak=1e-4, weight_decay=1e-5, clip=1.0, every=500),
        hidden=512, batch=16, epochs=5, near_share=0.0, longest=1024,
    ),
    "compact": HeadRecipe(
        Schedule(steps=4000, peak=5e-4, warmup=100, decay=0.7, weight_decay=1e-4, every=250,
                 patience=6),
        hidden=None, batch=16, epochs=None, near_share=0.35, longest=512, contrast=0.5,
        unpaired=10_000,
    ),
}
EFFECT_SCHEDULE = Schedule(
    steps=1500, peak=4e-4, warmup=50, decay=0.8, weight_decay=0.02, every=100, patience=5
)
EFFECT_TOKENS, EFFECT_LONGEST = 8192, 640
UNPAIRED_LONGEST = 256
CALIBRATION_CAP = 200


def embed_fixed(embedder: Embedder, sequences: Sequence[str]) -> list[Tensor]:
    """Residues of `sequences`, without gradients, the residues of a repeated one shared."""
    distinct = sorted(set(sequences))
    # Outside any autocast: what is cached must not depend on the precision of the training.
    with torch.autocast("cpu", enabled=False):
        found = {e.sequence: e.residues for e in embedder.embed(distinct)}
    return [found[s] for s in sequences]


def train_head(
    embedder: Embedder, pairs: Path, out: Path, recipe: HeadRecipe, fabric: Fabric,
    *, name: str, version: str, kind: str, unpaired: Path | None = None,
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
            pd.read_parquet(unpaired, columns=["sequence", "cluster"]), UNPAIRED_LONGEST,
            recipe.unpaired,
        )
    train, held = (
        Pairs(table[table["side"] == side], recipe.longest, recipe.batch, near_share=near,
              unpaired=beside)
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
        training, train.batch, schedule, out / "head.pt", fabric=fabric,
        validate=(lambda: validation_figures(training, held)) if len(held.table) else None,
    )
    if fabric.is_global_zero:
        save_model(
            out, head.cpu(), name=name, version=version,
            embedder={"kind": kind, "version": version if kind == "compact" else embedder.name},
            extra=_encoder_of(embedder, out),
            dtype=torch.float16 if kind == "compact" else torch.float32,
        )
        write_record(out / "head-training.json", history,
                     {"recipe": asdict(replace(recipe, schedule=schedule)),
                      "embedder": embedder.name, "precision": str(fabric._precision.precision)},
                     {"pairs": pairs} | ({"unpaired": unpaired} if unpaired else {}))
    return history


def _encoder_of(embedder: Embedder, out: Path) -> dict[str, Any]:
    """The compact encoder travels with the model; larger ones are named only."""
    inner = embedder.source if isinstance(embedder, CachedEmbedder) else embedder
    if not isinstance(inner, CompactEmbedder):
        return {}
    if inner.folder is not None and inner.folder.resolve() != out.resolve():
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(inner.folder / ENCODER_FILE, out / ENCODER_FILE)
    return {"encoder": inner.encoder.config.to_dict()}


def train_effect(
    embedder: Embedder, effects: Path, model: Path, fabric: Fabric,
    schedule: Schedule = EFFECT_SCHEDULE, start: Path | None = None,
) -> History:
    """Train an effect head on a table of effects and add it to the model in folder `model`.

    `start` is a file of weights to begin with; they are kept if nothing better is found.
    """
    assays = read_assays(effects)
    train = [a for a in assays if a.side == "train"]
    held = [a for a in assays if a.side == "validation"]
    if not train or not held:
        raise InputError(f"{effects.name}: needs assays of the train and the validation side.")
    draw = AssayDraw(train, SHARES)
    torch.manual_seed(schedule.seed)
    head = EffectHead(EffectConfig(embedding_dim=embedder.dim))
    if start is not None:
        read_tensors(start, head)
    training = EffectTraining(head, lambda assays: [
        residues[a.start : a.start + len(a.sequence)]
        for a, residues in zip(
            assays, embed_fixed(embedder, [a.whole for a in assays]), strict=True
        )
    ])
    history = fit(
        training,
        lambda number: draw_batch(draw, schedule.seed, number, EFFECT_TOKENS, EFFECT_LONGEST),
        schedule, model / "effect.pt", fabric=fabric,
        validate=lambda: effect_figures(held, training.table), validate_first=start is not None,
    )
    if fabric.is_global_zero:
        head.eval()
        with torch.no_grad():
            scale, offset = calibrate(
                [a for a in held if a.kind == "clinical"], training.table
            )
        save_effect(model, head.cpu(), scale, offset, torch.float16)
        write_record(model / "effect-training.json", history,
                     {"schedule": asdict(schedule), "shares": SHARES, "tokens": EFFECT_TOKENS,
                      "longest": EFFECT_LONGEST, "embedder": embedder.name},
                     {"effects": effects})
    return history


def calibrate(
    assays: Sequence[Assay], table: Callable[[Assay], tuple[Vector, Vector]]
) -> tuple[float, float]:
    """Scale and offset of the logits that fit the labels best (Platt 1999).

    Labels of one group count for `CALIBRATION_CAP` at most: how many of a protein's known
    variants are damaging differs widely, and one well-studied family must not set it for all.
    Returns (1, 0) where there is no label of both kinds.
    """
    logits = [table(a)[1][a.index, a.letter] for a in assays]
    if not logits:
        return 1.0, 0.0
    held = Counter[str]()
    for assay in assays:
        held[assay.group] += len(assay.value)
    logit, label = np.concatenate(logits), np.concatenate([a.value for a in assays])
    weight = np.concatenate([
        np.full(len(a.value), min(1.0, CALIBRATION_CAP / held[a.group])) for a in assays
    ])
    if label.min() == label.max():
        return 1.0, 0.0

    def loss(parameters: NDArray[np.float64]) -> float:
        z = parameters[0] * logit + parameters[1]
        return float(np.average(np.logaddexp(0, z) - label * z, weights=weight))

    scale, offset = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return float(scale), float(offset)
