"""Training of the compact encoder: masked residues, residue labels, burial and distances."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from glass_core.embedders.compact_encoder import CompactConfig, CompactEncoder
from glass_core.training.batches import IGNORED, Batch, Corpus
from glass_core.training.loop import Schedule, fit, total, write_record
from glass_core.training.precision import cpu_precision

DISTANCE_EDGES = (8.0, 12.0, 16.0)
"""Å between C-alpha; pairs closer along the chain than `MIN_SEPARATION` are left out."""
MIN_SEPARATION = 6
_CLASS_WEIGHT = (4.0, 2.0, 1.5, 0.5)
_PAIR_WIDTH, _FURTHEST = 16, 127

SCHEDULE = Schedule(steps=5000, peak=1.2e-3, warmup=200, decay=0.25)
TOKENS = 8192
"""Residues per batch, padding included."""
SHARES = {"natural": 0.35, "labelled": 0.4, "chain": 0.25}
WEIGHTS = {
    "letters": 1.0,
    "secondary": 1.0,
    "conservation": 0.3,
    "disorder": 0.1,
    "burial": 0.5,
    "distance": 0.5,
}


class DistanceHead(nn.Module):
    """Logits of the distance bin of every residue pair: one bilinear form per bin.

    A bias per bin and separation along the chain carries what polymers do anyway.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.bins = len(DISTANCE_EDGES) + 1
        self.left = nn.Linear(dim, self.bins * _PAIR_WIDTH)
        self.right = nn.Linear(dim, self.bins * _PAIR_WIDTH)
        self.separation = nn.Embedding(_FURTHEST + 1, self.bins)

    def forward(self, residues: Tensor) -> Tensor:
        """Shape (B, L, D) -> (B, bins, L, L), symmetric in the last two axes."""
        batch, length, _ = residues.shape
        left, right = (
            layer(residues).view(batch, length, self.bins, _PAIR_WIDTH).transpose(1, 2)
            for layer in (self.left, self.right)
        )
        logits = left @ right.transpose(-1, -2) / _PAIR_WIDTH**0.5
        place = torch.arange(length, device=residues.device)
        apart = (place[:, None] - place[None]).abs().clamp(max=_FURTHEST)
        bias = self.separation(apart).permute(2, 0, 1)
        return (logits + logits.transpose(-1, -2)) / 2 + bias


def distance_targets(ca: Tensor) -> Tensor:
    """Bin of every pair, `IGNORED` where unknown or too near along the chain.

    Shape (B, L, 3) in Å, NaN = no atom -> (B, L, L).
    """
    gap = torch.cdist(ca, ca)
    place = torch.arange(ca.shape[1], device=ca.device)
    near = (place[:, None] - place[None]).abs() < MIN_SEPARATION
    target = torch.bucketize(gap, torch.tensor(DISTANCE_EDGES, device=ca.device), right=True)
    return target.masked_fill(near | torch.isnan(gap), IGNORED)


class EncoderTraining(nn.Module):
    """The encoder with everything it learns from; a batch in, the loss of every task out."""

    def __init__(self, encoder: CompactEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.distance = DistanceHead(encoder.config.dim)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Mean loss of every task that `batch` has a target for, and their weighted ``total``.

        Nats per residue or pair for classes; smooth L1 in standard deviations for burial.
        """
        residues = self.encoder(batch.tokens, batch.mask)
        losses: dict[str, Tensor] = {}
        for name in ("letters", "secondary", "conservation"):
            target: Tensor = getattr(batch, name)
            if bool((target != IGNORED).any()):
                logits = self.encoder.tell(name, residues).float()
                losses[name] = F.cross_entropy(
                    logits.flatten(0, 1), target.flatten(), ignore_index=IGNORED
                )
        for name, loss in (
            ("disorder", F.binary_cross_entropy_with_logits),
            ("burial", F.smooth_l1_loss),
        ):
            target = getattr(batch, name)
            known = ~torch.isnan(target)
            if bool(known.any()):
                predicted = self.encoder.tell(name, residues)[..., 0].float()
                losses[name] = loss(predicted[known], target[known])
        rows = ~torch.isnan(batch.ca).all(dim=(1, 2))
        if bool(rows.any()):
            losses["distance"] = F.cross_entropy(
                self.distance(residues[rows]).float(),
                distance_targets(batch.ca[rows]),
                weight=torch.tensor(_CLASS_WEIGHT, device=residues.device),
                ignore_index=IGNORED,
            )
        return total(losses, WEIGHTS)


def train_encoder(work: Path, steps: int | None = None, threads: int = 2) -> None:
    """Train the encoder on ``WORK/corpus.parquet``.

    ``WORK/encoder.pt`` is the checkpoint and the result; `steps` in place of the schedule's.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    schedule = replace(SCHEDULE, steps=steps or SCHEDULE.steps)
    corpus = Corpus(pd.read_parquet(work / "corpus.parquet"), SHARES)
    history = fit(
        EncoderTraining(CompactEncoder(CompactConfig())),
        lambda number: corpus.batch(TOKENS, schedule.seed, number),
        schedule,
        work / "encoder.pt",
        fabric=Fabric(accelerator="cpu", devices=1, precision=cpu_precision()),
    )
    write_record(
        work / "encoder.json",
        history,
        {"schedule": asdict(schedule), "tokens": TOKENS, "shares": SHARES, "weights": WEIGHTS},
        {"corpus.parquet": work / "corpus.parquet"},
    )
