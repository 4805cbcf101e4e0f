"""The encoder's last stage: all its tasks, and variant effects beside them.

The step ``train tune`` continues from the encoder of the first stage with the learning
rate falling to zero. The effect head trained along shapes the encoder; the step
``train effect`` goes on from it on the finished embeddings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor, nn

from glass_core.embedders.compact_encoder import (
    MASK_TOKEN,
    PAD_TOKEN,
    CompactConfig,
    CompactEncoder,
    tokenise,
)
from glass_core.models.checkpoint import save_encoder
from glass_core.models.heads.effect import EffectConfig, EffectHead
from glass_core.models.heads.kinds import head_kind
from glass_core.training.batches import WIDTHS, Batch, Corpus
from glass_core.training.data.assays import Assay, AssayDraw, read_assays
from glass_core.training.data.splits import held_out_chains, leaking_sequences
from glass_core.training.effect import SHARES as EFFECT_SHARES
from glass_core.training.effect import EffectBatch, EffectTraining, draw_batch, effect_figures
from glass_core.training.encoder import SHARES, EncoderTraining
from glass_core.training.loop import Schedule, Validation, fit, write_record
from glass_core.training.precision import cpu_precision

SCHEDULE = Schedule(steps=820, peak=8e-4, warmup=30, decay=0.95, every=200)
EFFECT_WEIGHT = 0.25
HIDDEN_SHARE = 0.15
"""Residues hidden from the encoder where it learns effects: few proteins, soon known by heart."""
TOKENS, EFFECT_TOKENS = 6144, 2048
LONGEST = WIDTHS[-1]

TuneBatch = tuple[Batch, EffectBatch]


class TuneTraining(nn.Module):
    """The encoder with its own tasks and an effect head."""

    def __init__(self, encoder: EncoderTraining) -> None:
        super().__init__()
        self.encoder = encoder
        self.effect = EffectTraining(
            EffectHead(EffectConfig(embedding_dim=encoder.encoder.config.dim, dropout=0.2)),
            lambda assays: self.embed([a.sequence for a in assays]),
        )

    def embed(self, sequences: Sequence[str]) -> list[Tensor]:
        """Residues of each sequence, with gradients; in training some are hidden."""
        tokens, mask = tokenise(sequences)
        if self.training:
            hidden = mask & (torch.rand(tokens.shape) < HIDDEN_SHARE)
            tokens = tokens.masked_fill(hidden, MASK_TOKEN)
        width = next((w for w in WIDTHS if tokens.shape[1] <= w), tokens.shape[1])
        tokens = nn.functional.pad(tokens, (0, width - tokens.shape[1]), value=PAD_TOKEN)
        mask = tokens != PAD_TOKEN
        rows = self.encoder.encoder(tokens, mask)
        return [row[: len(s)] for row, s in zip(rows, sequences, strict=True)]

    def forward(self, batch: TuneBatch) -> dict[str, Tensor]:
        """The loss of every task and their weighted ``total``."""
        corpus, effect = self.encoder(batch[0]), self.effect(batch[1])
        return {**corpus, **effect, "total": corpus["total"] + EFFECT_WEIGHT * effect["total"]}


def fit_to_train(assays: Sequence[Assay], data: Path, work: Path) -> list[Assay]:
    """Training assays whose protein resembles no held-out chain either."""
    train = [a for a in assays if a.side == "train"]
    proteins = sorted({a.sequence for a in train})
    leaks = leaking_sequences(held_out_chains(data), proteins, work / "mmseqs-tune")
    bad = {proteins[i] for i in leaks}
    return [a for a in train if a.sequence not in bad]


def tune_encoder(data: Path, work: Path, steps: int | None = None, threads: int = 2) -> None:
    """Finish the encoder of ``WORK/encoder.pt``.

    ``WORK/tune.pt`` is the checkpoint, ``WORK/encoder`` the result; `steps` in place of the
    schedule's.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    schedule = replace(SCHEDULE, steps=steps or SCHEDULE.steps)
    encoder = EncoderTraining(CompactEncoder(CompactConfig()))
    saved = torch.load(work / "encoder.pt", map_location="cpu", weights_only=True)
    encoder.load_state_dict(saved["module"])
    assays = read_assays(work / "effects.parquet")
    draw = AssayDraw(fit_to_train(assays, data, work), EFFECT_SHARES)
    corpus = Corpus(pd.read_parquet(work / "corpus.parquet"), SHARES)
    short = [a for a in assays if a.side == "validation" and len(a.sequence) <= 2 * LONGEST]
    training = TuneTraining(encoder)
    history = fit(
        training,
        lambda number: (
            corpus.batch(TOKENS, schedule.seed + 1, number),
            draw_batch(draw, schedule.seed, number, EFFECT_TOKENS, LONGEST),
        ),
        schedule,
        work / "tune.pt",
        fabric=Fabric(accelerator="cpu", devices=1, precision=cpu_precision()),
        validation=Validation(
            lambda: effect_figures(short, training.effect.table),
            keep_best=False,  # the other tasks go on improving while the rate falls
        ),
    )
    finished = training.encoder.encoder
    save_encoder(work / "encoder", finished)
    save_file(training.effect.head.state_dict(), work / "encoder" / head_kind("effect").file)
    (work / "encoder" / "encoder.json").write_text(json.dumps(finished.config.to_dict()))
    write_record(
        work / "tune.json",
        history,
        {
            "schedule": asdict(schedule),
            "effect_weight": EFFECT_WEIGHT,
            "tokens": TOKENS,
            "effect_tokens": EFFECT_TOKENS,
            "effect_shares": EFFECT_SHARES,
            "corpus_shares": SHARES,
        },
        {name: work / name for name in ("corpus.parquet", "effects.parquet", "encoder.pt")},
    )
