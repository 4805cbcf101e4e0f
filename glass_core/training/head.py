"""Training of the Siamese head on pairs of structures, the encoder fine-tuned with it.

Loss: section 2.3 of the GLASS paper (bioRxiv 2025.10.27.684815).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glass_core.embedders.compact import PAD_TOKEN, CompactConfig, CompactEncoder, tokenise
from glass_core.models.checkpoint import save_compact
from glass_core.models.siamese import (
    SiameseConfig,
    SiameseTransformer,
    predicted_lddt,
    predicted_tm,
)
from glass_core.training.batches import learning_rate
from glass_core.training.pretrain import save_atomically

TM_IGNORED_BELOW, TM_LDDT_FROM = 0.1, 0.7
LDDT_SHARE, TM_SHARE = 0.7, 0.3
_WIDTH = 64


@dataclass(frozen=True)
class HeadConfig:
    """Schedule; the published one is 5 epochs of batches of 16 at 1e-4."""

    steps: int = 500
    batch: int = 12
    peak: float = 4e-4
    encoder_peak: float = 2e-4
    warmup: int = 50
    weight_decay: float = 1e-5
    near_share: float = 0.3
    longest: int = 256
    seed: int = 0


def pair_loss(
    tm: Tensor, true_tm: Tensor, lddt: list[Tensor], true_lddt: list[Tensor]
) -> Tensor:
    """The paper's loss, averaged over the pairs that count.

    Parameters
    ----------
    tm, true_tm : Tensor, shape=(B,)
    lddt, true_lddt : list of Tensor, each of shape=(n_aligned,)
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


class Pairs:
    """Labelled pairs, drawn with fold pairs as they are and near-identical ones by group."""

    def __init__(self, table: pd.DataFrame, longest: int) -> None:
        fits = (table["reference"].str.len() <= longest) & (table["subject"].str.len() <= longest)
        table = table[fits & ~table["rearranged"]].reset_index(drop=True)
        self.table = table
        self.fold = np.flatnonzero(table["kind"] == "fold")
        near = np.flatnonzero(table["kind"] != "fold")
        self.groups = [near[i] for i in pd.Series(near).groupby(table["group"].to_numpy()[near])
                       .indices.values()]

    def draw(self, config: HeadConfig, step: int) -> pd.DataFrame:
        """The rows of `step`, the same whenever they are asked for."""
        rng = np.random.default_rng([config.seed, 1, step])
        rows = [
            int(rng.choice(self.groups[int(rng.integers(len(self.groups)))]))
            if rng.random() < config.near_share
            else int(rng.choice(self.fold))
            for _ in range(config.batch)
        ]
        return self.table.iloc[rows]


def forward_pairs(
    encoder: CompactEncoder, head: SiameseTransformer, rows: pd.DataFrame
) -> tuple[Tensor, list[Tensor]]:
    """Predicted TM-scores, shape=(B,), and per pair the lDDT of its aligned residues."""
    sequences = [*rows["reference"], *rows["subject"]]
    tokens, mask = tokenise(sequences)
    # Few distinct widths: the CPU compiles its kernels anew for every shape.
    spare = -tokens.shape[1] % _WIDTH
    tokens = torch.nn.functional.pad(tokens, (0, spare), value=PAD_TOKEN)
    mask = torch.nn.functional.pad(mask, (0, spare), value=False)
    residues, pooled = head(encoder(tokens, mask), mask)
    residues, pooled = residues.float(), pooled.float()
    half = len(rows)
    lddt = []
    for k, flat in enumerate(rows["aligned"]):
        pairs = torch.from_numpy(np.asarray(flat, dtype=np.int64).reshape(-1, 2))
        lddt.append(predicted_lddt(residues[k][pairs[:, 0]], residues[half + k][pairs[:, 1]]))
    return predicted_tm(pooled[:half], pooled[half:]), lddt


def targets(rows: pd.DataFrame) -> tuple[Tensor, list[Tensor]]:
    """True TM-scores and lDDT tracks of `rows`."""
    return (
        torch.tensor(rows["tm"].to_numpy(), dtype=torch.float32),
        [torch.tensor(np.asarray(track, dtype=np.float32)) for track in rows["lddt"]],
    )


@torch.inference_mode()
def validation_loss(encoder: CompactEncoder, head: SiameseTransformer, pairs: Pairs) -> float:
    """Mean of the loss on fold pairs and on near-identical pairs."""
    encoder.eval()
    head.eval()
    parts = []
    for name in ("fold", "near"):
        table = pairs.table[(pairs.table["kind"] == "fold") == (name == "fold")]
        losses = []
        for start in range(0, len(table), 32):
            rows = table.iloc[start : start + 32]
            true_tm, true_lddt = targets(rows)
            tm, lddt = forward_pairs(encoder, head, rows)
            losses.append(float(pair_loss(tm, true_tm, lddt, true_lddt)))
        parts.append(np.mean(losses))
    return float(np.mean(parts))


def train_head(
    encoder: CompactEncoder,
    head: SiameseTransformer,
    train: Pairs,
    validation: Pairs,
    config: HeadConfig,
    checkpoint: Path,
    every: int = 100,
) -> list[float]:
    """Train, resume from `checkpoint`, keep the weights best on validation.

    Returns the training loss of every step; `encoder` and `head` hold the best
    weights afterwards.
    """
    optimiser = torch.optim.AdamW(
        [
            {"params": head.parameters(), "peak": config.peak},
            {"params": encoder.parameters(), "peak": config.encoder_peak},
        ],
        weight_decay=config.weight_decay,
    )
    curve: list[float] = []
    best, best_state = float("inf"), (encoder.state_dict(), head.state_dict())
    if checkpoint.is_file():
        saved = torch.load(checkpoint, weights_only=True)
        encoder.load_state_dict(saved["encoder"])
        head.load_state_dict(saved["head"])
        optimiser.load_state_dict(saved["optimiser"])
        curve, best, best_state = saved["curve"], saved["best"], saved["best_state"]
    for step in range(len(curve), config.steps):
        encoder.train()
        head.train()
        torch.manual_seed(config.seed + step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, config.steps, group["peak"], config.warmup)
        rows = train.draw(config, step)
        true_tm, true_lddt = targets(rows)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            tm, lddt = forward_pairs(encoder, head, rows)
        loss = pair_loss(tm, true_tm, lddt, true_lddt)
        optimiser.zero_grad()
        loss.backward()
        for module in (encoder, head):
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        curve.append(float(loss.detach()))
        if (step + 1) % every == 0 or step + 1 == config.steps:
            score = validation_loss(encoder, head, validation)
            if score < best:
                best = score
                best_state = tuple(  # type: ignore[assignment]
                    {k: v.clone() for k, v in module.state_dict().items()}
                    for module in (encoder, head)
                )
            click.echo(
                f"step {step + 1}: train {np.mean(curve[-every:]):.4f} validation {score:.4f}"
            )
            save_atomically(
                {"encoder": encoder.state_dict(), "head": head.state_dict(),
                 "optimiser": optimiser.state_dict(), "curve": curve, "best": best,
                 "best_state": best_state},
                checkpoint,
            )
    encoder.load_state_dict(best_state[0])
    head.load_state_dict(best_state[1])
    return curve


@click.command()
@click.option("--work", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--notes", type=click.Path(path_type=Path, exists=True), required=True,
              help="JSON with the words of the card: trained_on, limits, licence.")
@click.option("--steps", type=int, default=HeadConfig.steps)
@click.option("--threads", type=int, default=2)
def main(work: Path, out: Path, notes: Path, steps: int, threads: int) -> None:
    """Train encoder and head from WORK/encoder.pt; write the model to OUT."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    config = HeadConfig(steps=steps)
    encoder = CompactEncoder(CompactConfig())
    encoder.load_state_dict(torch.load(work / "encoder.pt", weights_only=True)["encoder"])
    dim = encoder.config.dim
    head = SiameseTransformer(SiameseConfig(prottrans_dim=dim, hidden_dim=dim, output_dim=dim))
    train, validation = (
        Pairs(pd.read_parquet(work / f"pairs-{side}.parquet"), config.longest)
        for side in ("train", "validation")
    )
    curve = train_head(encoder, head, train, validation, config, work / "head.pt")
    (work / "head.json").write_text(json.dumps({"steps": steps, "curve": curve}))
    save_compact(out, encoder, head, version="0.1", extra=json.loads(notes.read_text()))


if __name__ == "__main__":
    main()
