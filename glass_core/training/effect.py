"""Training of the effect head on measured effects and clinical labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor, nn

from glass_core.embedders.base import Embedder
from glass_core.embedders.weights import read_tensors
from glass_core.errors import InputError
from glass_core.metrics.agreement import auroc, spearman
from glass_core.models.checkpoint import save_head
from glass_core.models.heads.effect import EffectConfig, EffectHead, wild_letters
from glass_core.training.data.assays import Assay, AssayDraw, read_assays
from glass_core.training.loop import History, Schedule, Validation, fit, total, write_record
from glass_core.training.residues import embed_fixed, pad_residues

SHARES = {"stability": 0.35, "scan": 0.3, "ddg": 0.05, "clinical": 0.3}
WEIGHTS = {"rank": 1.0, "label": 0.7}
EFFECT_SCHEDULE = Schedule(
    steps=1500, peak=4e-4, warmup=50, decay=0.8, weight_decay=0.02, every=100, patience=5
)
EFFECT_TOKENS, EFFECT_LONGEST = 8192, 640
CALIBRATION_CAP = 200

Vector = NDArray[np.float32]
EffectBatch = tuple[Assay, ...]


def draw_batch(source: AssayDraw, seed: int, number: int, tokens: int, longest: int) -> EffectBatch:
    """Batch `number`: assays until they hold `tokens` residues."""
    rng = np.random.default_rng([seed, 2, number])
    assays: list[Assay] = []
    while sum(len(a.sequence) for a in assays) < tokens:
        assays.append(source.draw(rng, longest))
    return tuple(assays)


def effect_losses(score: Tensor, damaging: Tensor, assays: Sequence[Assay]) -> dict[str, Tensor]:
    """``rank``: 1 - correlation of score and ranked value, mean over assays; ``label``: nats.

    Parameters
    ----------
    score, damaging : Tensor, shape=(B, L, 20)
    assays : sequence of Assay
        One per row.
    """
    rank, label = [], []
    for row, assay in enumerate(assays):
        index, letter = torch.from_numpy(assay.index), torch.from_numpy(assay.letter)
        if assay.kind == "clinical":
            value = torch.from_numpy(assay.value).to(damaging.device)
            label.append(
                F.binary_cross_entropy_with_logits(
                    damaging[row, index, letter].float(), value, reduction="none"
                )
            )
        else:
            value = torch.from_numpy(assay.ranked()).to(score.device)
            rank.append(1 - correlation(score[row, index, letter].float(), value))
    losses = {}
    if rank:
        losses["rank"] = torch.stack(rank).mean()
    if label:
        losses["label"] = torch.cat(label).mean()
    return losses


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson correlation of two vectors; 0 where one is constant."""
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-6)


class EffectTraining(nn.Module):
    """The effect head over residues from `embed`: assays in, losses out."""

    def __init__(self, head: EffectHead, embed: Callable[[Sequence[Assay]], list[Tensor]]) -> None:
        super().__init__()
        self.head = head
        self._embed = embed

    def tables(self, assays: Sequence[Assay]) -> tuple[Tensor, Tensor]:
        """Scores and logits of the padded wild types, each of shape=(B, L, 20)."""
        device = self.head.score.weight.device
        residues, mask = pad_residues(self._embed(assays))
        wild = torch.zeros(mask.shape, dtype=torch.long)
        for row, assay in enumerate(assays):
            wild[row, : len(assay.sequence)] = wild_letters(assay.sequence)
        score, damaging = self.head(residues.to(device), mask.to(device), wild.to(device))
        return score, damaging

    def table(self, assay: Assay) -> tuple[Vector, Vector]:
        """Scores and logits of one wild type, each of shape=(L, 20)."""
        score, damaging = self.tables([assay])
        return score[0].float().cpu().numpy(), damaging[0].float().cpu().numpy()

    def forward(self, batch: EffectBatch) -> dict[str, Tensor]:
        """Named losses of a batch, ``total`` among them."""
        score, damaging = self.tables(batch)
        return total(effect_losses(score, damaging, batch), WEIGHTS)


def effect_figures(
    assays: Sequence[Assay], table: Callable[[Assay], tuple[Vector, Vector]]
) -> dict[str, float]:
    """Mean Spearman per kind of measured assay, AUROC of clinical labels over all variants.

    `table` maps an assay to its scores and logits, each of shape=(L, 20). ``loss``
    is 1 - the mean of the figures.
    """
    ranks: dict[str, list[float]] = {}
    logits, labels = [], []
    for assay in assays:
        score, damaging = table(assay)
        if assay.kind == "clinical":
            logits.append(damaging[assay.index, assay.letter])
            labels.append(assay.value)
        else:
            predicted = score[assay.index, assay.letter]
            ranks.setdefault(assay.kind, []).append(spearman(predicted, assay.value))
    figures = {kind: float(np.mean(values)) for kind, values in ranks.items()}
    if logits:
        figures["clinical"] = auroc(np.concatenate(logits), np.concatenate(labels))
    return {"loss": 1 - float(np.mean(list(figures.values()))), **figures}


def train_effect(
    embedder: Embedder,
    effects: Path,
    model: Path,
    fabric: Fabric,
    schedule: Schedule = EFFECT_SCHEDULE,
    start: Path | None = None,
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
    training = EffectTraining(
        head,
        lambda assays: [
            residues[a.start : a.start + len(a.sequence)]
            for a, residues in zip(
                assays, embed_fixed(embedder, [a.whole for a in assays]), strict=True
            )
        ],
    )
    history = fit(
        training,
        lambda number: draw_batch(draw, schedule.seed, number, EFFECT_TOKENS, EFFECT_LONGEST),
        schedule,
        model / "effect.pt",
        fabric=fabric,
        validation=Validation(
            lambda: effect_figures(held, training.table), first=start is not None
        ),
    )
    if fabric.is_global_zero:
        head.eval()
        with torch.no_grad():
            scale, offset = calibrate([a for a in held if a.kind == "clinical"], training.table)
        head.config = replace(head.config, scale=scale, offset=offset)
        save_head(model, "effect", head.cpu(), torch.float16)
        write_record(
            model / "effect-training.json",
            history,
            {
                "schedule": asdict(schedule),
                "shares": SHARES,
                "tokens": EFFECT_TOKENS,
                "longest": EFFECT_LONGEST,
                "embedder": embedder.name,
            },
            {"effects": effects},
        )
    return history


def calibrate(
    assays: Sequence[Assay], table: Callable[[Assay], tuple[Vector, Vector]]
) -> tuple[float, float]:
    """`platt` of the logits that `table` gives for labels; (1, 0) without any."""
    if not assays:
        return 1.0, 0.0
    logits = [table(a)[1][a.index, a.letter] for a in assays]
    group = np.concatenate([np.full(len(a.value), a.group) for a in assays])
    return platt(np.concatenate(logits), np.concatenate([a.value for a in assays]), group)


def platt(logit: Vector, label: Vector, group: NDArray[np.object_]) -> tuple[float, float]:
    """Scale and offset of logits that fit labels best (Platt 1999).

    Labels of one group count for `CALIBRATION_CAP` at most: how many of a protein's known
    variants are damaging differs widely, and one well-studied family must not set it for all.
    Returns (1, 0) where there is no label of both kinds.
    """
    if not len(label) or label.min() == label.max():
        return 1.0, 0.0
    _, which, held = np.unique(group, return_inverse=True, return_counts=True)
    weight = np.minimum(1.0, CALIBRATION_CAP / held)[which]

    def loss(parameters: NDArray[np.float64]) -> float:
        z = parameters[0] * logit + parameters[1]
        return float(np.average(np.logaddexp(0, z) - label * z, weights=weight))

    scale, offset = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return float(scale), float(offset)
