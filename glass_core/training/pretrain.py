"""Pre-training of the compact encoder: masked residues, and secondary structure on the side.

Masking follows Devlin et al. (arXiv 1810.04805): 15% of the residues are
asked for, of which 80% are masked, 10% replaced and 10% left.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.embedders.compact import (
    MASK_TOKEN,
    SECONDARY_STATES,
    CompactConfig,
    CompactEncoder,
    tokenise,
)
from glass_core.sequence import STANDARD

IGNORED = -100
"""Target of a residue on which no loss is taken."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """Sequences with a sampling weight and, where known, secondary structure."""

    sequences: list[str]
    states: list[str | None]
    weights: np.ndarray[Any, np.dtype[np.float64]]


def read_corpus(work: Path, labelled_share: float) -> Corpus:
    """Sequences that `splits` kept: one cluster as likely as another, plus labelled proteins.

    Unresolved residues keep no label (``-``); the labelled test set stays out.
    """
    table = pd.read_parquet(work / "sequences.parquet")
    labelled = pd.read_parquet(work / "labelled.parquet")
    labelled = labelled[labelled["set"] != "test"]
    weight = 1 / table.groupby("cluster")["cluster"].transform("size").to_numpy(dtype=float)
    states = [
        "".join(s if r == "1" else "-" for s, r in zip(label, resolved, strict=True))
        for label, resolved in zip(labelled["label"], labelled["resolved"], strict=True)
    ]
    share = np.full(len(labelled), labelled_share / len(labelled))
    return Corpus(
        [*table["sequence"], *labelled["sequence"]],
        [*([None] * len(table)), *states],
        np.concatenate([weight * (1 - labelled_share) / weight.sum(), share]),
    )


def batches(corpus: Corpus, tokens: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Endless batches of similar lengths, at most `tokens` padded residues each."""
    cumulative = np.cumsum(corpus.weights)
    while True:
        drawn = np.searchsorted(cumulative, rng.uniform(0, cumulative[-1], 2048))
        drawn = sorted(drawn.tolist(), key=lambda i: len(corpus.sequences[i]))
        ready: list[list[int]] = [[]]
        for index in drawn:
            if len(corpus.sequences[index]) * (len(ready[-1]) + 1) > tokens and ready[-1]:
                ready.append([])
            ready[-1].append(index)
        for k in rng.permutation(len(ready)):
            yield ready[k]


def mask_tokens(tokens: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Tokens with some residues hidden, and the letters asked for (`IGNORED` elsewhere)."""
    draw = torch.rand(tokens.shape, generator=generator)
    asked = (draw < 0.15) & mask & (tokens < len(STANDARD))
    random = torch.randint(0, len(STANDARD), tokens.shape, generator=generator)
    hidden = torch.where(asked & (draw < 0.12), MASK_TOKEN, tokens)
    hidden = torch.where(asked & (draw >= 0.12) & (draw < 0.135), random, hidden)
    return hidden, torch.where(asked, tokens, IGNORED)


def state_targets(states: list[str | None], length: int) -> Tensor:
    """Secondary structure targets, shape=(B, length), `IGNORED` where unknown."""
    targets = torch.full((len(states), length), IGNORED)
    for row, text in zip(targets, states, strict=True):
        if text is not None:
            row[: len(text)] = torch.tensor(
                [SECONDARY_STATES.index(c) if c in SECONDARY_STATES else IGNORED for c in text]
            )
    return targets


def side_losses(
    encoder: CompactEncoder,
    sequences: list[str],
    states: list[str | None],
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Cross-entropies (nats) of hidden letters and of secondary structure (0 if unlabelled)."""
    tokens, mask = tokenise(sequences)
    hidden, asked = mask_tokens(tokens, mask, generator)
    targets = state_targets(states, tokens.shape[1])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        residues = encoder(hidden, mask)
    residues = residues.float()
    letters = F.cross_entropy(encoder.letters(residues[asked >= 0]), asked[asked >= 0])
    known = targets >= 0
    if not known.any():
        return letters, letters.new_zeros(())
    return letters, F.cross_entropy(encoder.secondary(residues[known]), targets[known])


def optimisers(encoder: nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """AdamW, weight decay on matrices only."""
    matrices = [p for p in encoder.parameters() if p.ndim > 1]
    rest = [p for p in encoder.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}]
    return [torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98))]


def rate_at(progress: float, warmup: float = 0.03) -> float:
    """Learning-rate factor: linear warm-up, then a cosine down to 2%."""
    if progress < warmup:
        return max(progress / warmup, 0.01)
    done = min((progress - warmup) / (1 - warmup), 1.0)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))


@dataclass
class Pretraining:
    """State of a run that can be saved and taken up again with the same curve.

    A schedule in steps repeats exactly; one in seconds ends on time.
    """

    encoder: CompactEncoder
    corpus: Corpus
    lr: float
    tokens: int
    seed: int
    step: int = 0
    elapsed: float = 0.0

    def __post_init__(self) -> None:
        self.optimisers = optimisers(self.encoder, self.lr)
        self.curve: list[dict[str, float]] = []

    def run(
        self, steps: int | None = None, seconds: float | None = None, until: int | None = None,
        checkpoint: Path | None = None,
    ) -> None:  # fmt: skip
        """Train for `steps` in all (or `seconds` in all), stopping early at step `until`."""
        began = time.monotonic() - self.elapsed
        source: Iterator[list[int]] = iter(())
        saved = self.elapsed
        while True:
            self.elapsed = time.monotonic() - began
            progress = self.step / steps if steps else self.elapsed / (seconds or 1.0)
            if progress >= 1 or self.step == until:
                break
            if self.step % 100 == 0 or self.step == 0 or not self.curve_started:
                chapter = self.step // 100
                source = batches(
                    self.corpus, self.tokens, np.random.default_rng([self.seed, chapter])
                )
                for _ in range(self.step % 100):
                    next(source)
                self.curve_started = True
            self._train_step(next(source), rate_at(progress))
            if checkpoint is not None and self.elapsed - saved > 120:
                self.save(checkpoint)
                saved = self.elapsed
        if checkpoint is not None:
            self.save(checkpoint)

    curve_started = False

    def _train_step(self, batch: list[int], rate: float) -> None:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.step)
        self.encoder.train()
        letters, states = side_losses(
            self.encoder,
            [self.corpus.sequences[i] for i in batch],
            [self.corpus.states[i] for i in batch],
            generator,
        )
        (letters + 0.5 * states).backward()
        nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.lr * rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self.curve.append({"letters": float(letters.detach()), "states": float(states.detach())})

    def save(self, path: Path) -> None:
        """Write everything `load` needs, whole or not at all."""
        state = {
            "encoder": self.encoder.state_dict(),
            "config": self.encoder.config.to_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "step": self.step,
            "elapsed": self.elapsed,
            "curve": self.curve,
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take up a saved run."""
        state = torch.load(path, weights_only=True)
        self.encoder.load_state_dict(state["encoder"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.elapsed, self.curve = state["step"], state["elapsed"], state["curve"]


@click.command()
@click.option("--work", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--name", default="pretrain", help="Checkpoint WORK/NAME.pt")
@click.option("--minutes", type=float, default=30)
@click.option("--lr", type=float, default=2e-3)
@click.option("--tokens", type=int, default=8192, help="Padded residues in a batch.")
@click.option("--labelled-share", type=float, default=0.25)
@click.option("--seed", type=int, default=0)
def main(
    work: Path, name: str, minutes: float, lr: float, tokens: int, labelled_share: float, seed: int
) -> None:
    """Pre-train, or resume WORK/NAME.pt, for so many minutes in all."""
    torch.manual_seed(seed)
    run = Pretraining(
        CompactEncoder(CompactConfig()), read_corpus(work, labelled_share), lr, tokens, seed
    )
    path = work / f"{name}.pt"
    if path.exists():
        run.load(path)
    run.run(seconds=60 * minutes, checkpoint=path)
    last = pd.DataFrame(run.curve[-50:]).mean()
    click.echo(json.dumps({"steps": run.step, **last.round(4).to_dict()}))


if __name__ == "__main__":
    main()
