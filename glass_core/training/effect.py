"""Training of the effect head on measured effects and clinical labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.metrics.agreement import auroc, spearman
from glass_core.models.effect import EffectHead, wild_letters
from glass_core.training.effects import Assay, AssayDraw
from glass_core.training.loop import pad_residues, total

SHARES = {"stability": 0.35, "scan": 0.3, "ddg": 0.05, "clinical": 0.3}
WEIGHTS = {"rank": 1.0, "label": 0.7}

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
            label.append(F.binary_cross_entropy_with_logits(
                damaging[row, index, letter].float(), value, reduction="none"
            ))
        else:
            value = torch.from_numpy(assay.ranked()).to(score.device)
            rank.append(1 - correlation(score[row, index, letter].float(), value))
    found = {}
    if rank:
        found["rank"] = torch.stack(rank).mean()
    if label:
        found["label"] = torch.cat(label).mean()
    return found


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson correlation of two vectors; 0 where one is constant."""
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-6)


class EffectTraining(nn.Module):
    """The effect head over residues from `embed`: assays in, losses out."""

    def __init__(
        self, head: EffectHead, embed: Callable[[Sequence[Assay]], list[Tensor]]
    ) -> None:
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
            told = score[assay.index, assay.letter]
            ranks.setdefault(assay.kind, []).append(spearman(told, assay.value))
    figures = {kind: float(np.mean(values)) for kind, values in ranks.items()}
    if logits:
        figures["clinical"] = auroc(np.concatenate(logits), np.concatenate(labels))
    return {"loss": 1 - float(np.mean(list(figures.values()))), **figures}
