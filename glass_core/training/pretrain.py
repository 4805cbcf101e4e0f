"""Pre-training of the compact encoder: masked residues, with secondary structure beside."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from glass_core.embedders.compact import CompactConfig, CompactEncoder
from glass_core.training.batches import IGNORED, MaskedBatch, crop, learning_rate, masked_batch


@dataclass(frozen=True)
class PretrainConfig:
    """Schedule of the pre-training; `tokens` counts residues per step before padding."""

    steps: int = 2000
    tokens: int = 8192
    longest: int = 320
    peak: float = 1.2e-3
    warmup: int = 100
    secondary_weight: float = 0.5
    labelled_share: float = 0.4
    seed: int = 0


class Corpus:
    """Sequences drawn so that each cluster counts once, and labelled proteins."""

    def __init__(self, sequences: pd.DataFrame, labelled: pd.DataFrame) -> None:
        self.sequences = sequences["sequence"].to_numpy()
        self.clusters = list(sequences.groupby("cluster", sort=True).indices.values())
        self.labelled = labelled["sequence"].to_numpy()
        self.states = [
            "".join(state if seen == "1" else "-" for state, seen in zip(label, seen_, strict=True))
            for label, seen_ in zip(labelled["label"], labelled["resolved"], strict=True)
        ]

    def batch(self, config: PretrainConfig, step: int) -> MaskedBatch:
        """The batch of `step`, the same whenever it is asked for."""
        rng = np.random.default_rng([config.seed, step])
        chosen: list[tuple[str, str | None]] = []
        # Lengths within a batch are kept alike: draw twice too many, keep a window.
        pool: list[tuple[str, str | None]] = []
        while sum(len(s) for s, _ in pool) < 3 * config.tokens:
            item: tuple[str, str | None]
            if rng.random() < config.labelled_share:
                index = int(rng.integers(len(self.labelled)))
                item = self.labelled[index], self.states[index]
            else:
                cluster = self.clusters[int(rng.integers(len(self.clusters)))]
                item = self.sequences[int(rng.choice(cluster))], None
            pool.append(crop(item[0], item[1], config.longest, rng))
        pool.sort(key=lambda item: len(item[0]))
        start = int(rng.integers(len(pool)))
        for item in [*pool[start:], *reversed(pool[:start])]:
            chosen.append(item)
            if sum(len(s) for s, _ in chosen) >= config.tokens:
                break
        return masked_batch([s for s, _ in chosen], [t for _, t in chosen], rng)


def pretrain_loss(
    encoder: CompactEncoder, batch: MaskedBatch, secondary_weight: float
) -> tuple[Tensor, float, float]:
    """Total loss, and its two parts (nats per masked residue, nats per labelled residue)."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        residues = encoder(batch.tokens, batch.mask)
        letters = encoder.letters(residues).float()
        states = encoder.secondary(residues).float()
    masked = F.cross_entropy(letters.flatten(0, 1), batch.letters.flatten(), ignore_index=IGNORED)
    total, secondary = masked, 0.0
    if bool((batch.states != IGNORED).any()):
        part = F.cross_entropy(states.flatten(0, 1), batch.states.flatten(), ignore_index=IGNORED)
        total, secondary = masked + secondary_weight * part, float(part.detach())
    return total, float(masked.detach()), secondary


def pretrain(
    encoder: CompactEncoder,
    batch_of: Callable[[int], MaskedBatch],
    config: PretrainConfig,
    checkpoint: Path,
    every: int = 100,
) -> list[tuple[float, float]]:
    """Train up to `config.steps`, continuing from `checkpoint` where there is one.

    Returns
    -------
    list of (float, float)
        Masked-residue and secondary-structure loss of every step, from the first.
    """
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=config.peak, weight_decay=0.01)
    curve: list[tuple[float, float]] = []
    if checkpoint.is_file():
        saved = torch.load(checkpoint, weights_only=True)
        encoder.load_state_dict(saved["encoder"])
        optimiser.load_state_dict(saved["optimiser"])
        curve = [(float(a), float(b)) for a, b in saved["curve"]]
    encoder.train()
    for step in range(len(curve), config.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, config.steps, config.peak, config.warmup)
        loss, masked, secondary = pretrain_loss(encoder, batch_of(step), config.secondary_weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimiser.step()
        curve.append((masked, secondary))
        if (step + 1) % every == 0 or step + 1 == config.steps:
            save_atomically(
                {
                    "encoder": encoder.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "curve": curve,
                },
                checkpoint,
            )
            recent = np.mean(curve[-every:], axis=0)
            click.echo(f"step {step + 1}: masked {recent[0]:.4f} secondary {recent[1]:.4f}")
    return curve


def save_atomically(content: dict[str, object], path: Path) -> None:
    """Write a checkpoint so that a kill leaves the old or the new one, never half."""
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


@click.command()
@click.option("--work", type=click.Path(path_type=Path, exists=True), required=True,
              help="Folder with the output of the splits step.")
@click.option("--steps", type=int, default=PretrainConfig.steps)
@click.option("--threads", type=int, default=2)
def main(work: Path, steps: int, threads: int) -> None:
    """Pre-train the encoder; WORK/encoder.pt is the checkpoint and the result."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    config = PretrainConfig(steps=steps)
    corpus = Corpus(
        pd.read_parquet(work / "sequences.parquet"), pd.read_parquet(work / "labelled.parquet")
    )
    encoder = CompactEncoder(CompactConfig())
    curve = pretrain(encoder, lambda step: corpus.batch(config, step), config, work / "encoder.pt")
    (work / "pretrain.json").write_text(json.dumps({"steps": steps, "curve": curve}))


if __name__ == "__main__":
    main()
