"""Training of the fold head on pairs of structures, over any embedder.

The moments of every sequence are computed once; what is learnt is the matrix over them. It
begins as a linear discriminant of pairs alike in fold against any chains.

Shape notation: n sequences, k pairs, F moments of a sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.embedders.base import Embedder
from glass_core.errors import InputError
from glass_core.models.checkpoint import save_head
from glass_core.models.heads.fold import FoldConfig, FoldHead
from glass_core.models.heads.siamese import predicted_tm
from glass_core.training.data.candidates import tm_bins
from glass_core.training.data.pairs import read_shards
from glass_core.training.evaluation.pairs import about_equal
from glass_core.training.evaluation.statistics import (
    group_weights,
    weighted_mean,
    weighted_spearman,
)
from glass_core.training.loop import History, Schedule, Validation, fit, total, write_record
from glass_core.training.residues import embed_fixed, pad_residues
from glass_core.training.siamese import contrast_loss

FOLD_SCHEDULE = Schedule(steps=320, peak=5e-4, decay=0.7, weight_decay=0.0, every=40)
WEIGHTS = {"fold": 1.0, "near": 0.2, "contrast": 0.6}
FOLD_PAIRS, NEAR_PAIRS = 256, 32
BIN_SHARES = (0.42, 0.31, 0.15, 0.12)
"""How often fold pairs of each TM-score bin are drawn: about as they weigh in the evaluation."""
RELATED_TM, LONGEST = 0.7, 512
RIDGE, POWER = 0.1, 0.35
"""Of the discriminant: share of the mean variance added to every direction, and how much
less the best directions count than their ratio of variances says."""
_AXES, _AXES_FROM, _CHUNK = 32, 300, 64

Matrix = NDArray[np.float64]


def discriminant(features: Matrix, apart: Matrix) -> Matrix:
    """Directions in which related sequences agree and others differ, the best one first.

    Linear discriminant analysis with every related pair a class of its own.

    Parameters
    ----------
    features : ndarray, shape=(n, F)
        Centred.
    apart : ndarray, shape=(k, F)
        Differences between the features of related sequences.

    Returns
    -------
    ndarray, shape=(F, F)
        Maps the features to vectors of unit root mean square length.
    """
    width = features.shape[1]
    within = apart.T @ apart / (2 * len(apart))
    within += RIDGE * np.trace(within) / width * np.eye(width)
    spread, axes = np.linalg.eigh(within)
    white = axes / spread**0.5
    ratio, turned = np.linalg.eigh(white.T @ (features.T @ features / len(features)) @ white)
    ratio = ratio.clip(1e-9)
    gain = np.sqrt(np.clip(ratio - 1, 0, None) / ratio) * ratio**-POWER  # 0 where none agree
    matrix = ((white @ turned) * gain).T[::-1]
    return np.asarray(matrix / np.sqrt(np.mean(np.sum((features @ matrix.T) ** 2, axis=1))))


@dataclass(frozen=True, eq=False)
class Related:
    """Pairs of moments, each of shape=(k, F), and their TM-scores, shape=(k,)."""

    first: Tensor
    second: Tensor
    tm: Tensor


class Moments:
    """The moments of the sequences of some tables of pairs."""

    def __init__(
        self,
        head: FoldHead,
        embed: Callable[[Sequence[str]], list[Tensor]],
        tables: Sequence[pd.DataFrame],
    ) -> None:
        sequences = sorted(
            {s for t in tables for c in ("reference", "subject") for s in t[c]},
            key=lambda s: (len(s), s),
        )
        self._row = {s: k for k, s in enumerate(sequences)}
        chunks = [sequences[k : k + _CHUNK] for k in range(0, len(sequences), _CHUNK)]
        with torch.no_grad():
            self.values = torch.cat(
                [
                    head.moments(
                        *(t.cpu() for t in pad_residues([r.float() for r in embed(chunk)]))
                    )
                    for chunk in chunks
                ]
            )

    def rows(self, table: pd.DataFrame, column: str) -> NDArray[np.int64]:
        """Number of each sequence in a column of `table`."""
        return np.array([self._row[s] for s in table[column]], dtype=np.int64)

    def of(self, table: pd.DataFrame) -> Related:
        """The pairs of `table`."""
        return Related(
            self.values[self.rows(table, "reference")],
            self.values[self.rows(table, "subject")],
            torch.tensor(table["tm"].to_numpy(), dtype=torch.float32),
        )


@dataclass(frozen=True, eq=False)
class FoldBatch:
    """Fold pairs with the split groups of their references, and near-identical pairs."""

    fold: Related
    groups: Sequence[str]
    near: Related | None


class FoldTraining(nn.Module):
    """The fold head with its losses: TM errors of both kinds of pairs, and the contrast."""

    def __init__(self, head: FoldHead) -> None:
        super().__init__()
        self.head = head

    def predict(self, pairs: Related) -> tuple[Tensor, Tensor]:
        """Predicted TM-scores, shape=(k,), and Z of the references."""
        device = self.head.matrix.device
        first = self.head.direct(pairs.first.to(device))
        return predicted_tm(first, self.head.direct(pairs.second.to(device))), first

    def forward(self, batch: FoldBatch) -> dict[str, Tensor]:
        """The loss of every task and their weighted ``total``."""
        predicted, first = self.predict(batch.fold)
        losses = {
            "fold": (predicted - batch.fold.tm.to(predicted.device)).abs().mean(),
            "contrast": contrast_loss(first, batch.groups),
        }
        if batch.near is not None:
            near, _ = self.predict(batch.near)
            losses["near"] = (near - batch.near.tm.to(near.device)).abs().mean()
        return total(losses, WEIGHTS)


def fold_chances(table: pd.DataFrame) -> Matrix:
    """Chance of each fold pair, so that TM-score bins come up by `BIN_SHARES`.

    Within a bin a split group counts by the root of its number of pairs; pairs below the
    first bin are never drawn.
    """
    bins = pd.Series(tm_bins(table["tm"]), index=table.index)
    count = bins.groupby([bins, table["group"]]).transform("size")
    weight = 1 / np.sqrt(count)
    share = weight / weight.groupby(bins).transform("sum")
    share *= bins.map(dict(enumerate(BIN_SHARES))).fillna(0.0)
    return np.asarray(share / share.sum(), dtype=float)


def training_pairs(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Of all labelled pairs: fold and near-identical ones to train on, fold ones to validate on.

    The latter are thinned to bins of much the same size, and those below TM 0.7 are likely
    ones (not drawn at random), as nearly all are on the training and the test side.
    """
    table = table[~table["rearranged"]]
    length = np.maximum(table["reference"].str.len(), table["subject"].str.len())
    train = table[(table["side"] == "train") & (length <= LONGEST)]
    fold, near = train[train["kind"] == "fold"], train[train["kind"] != "fold"]
    held = table[(table["side"] == "validation") & (table["kind"] == "fold")]
    held = held[(held["pool"] != "random") | (held["tm"] >= RELATED_TM)]
    return fold, near, about_equal(held)


@torch.no_grad()
def begin(head: FoldHead, moments: Moments, fold: pd.DataFrame, near: pd.DataFrame) -> None:
    """Give `head` the discriminant of the likest fold pairs; `moments` were its own."""
    related = moments.of(fold[fold["tm"] > RELATED_TM])
    seen = np.unique(
        np.concatenate([moments.rows(t, c) for t in (fold, near) for c in ("reference", "subject")])
    )
    values = moments.values[seen].double()
    head.mean.copy_(values.mean(dim=0))
    values -= values.mean(dim=0)
    of_mean = head.config.embedding_dim
    for block in (slice(0, of_mean), slice(of_mean, None)):
        head.scale[block] = values[:, block].square().sum(dim=1).mean().sqrt().clamp(min=1e-6)
    apart = related.first.double() - related.second.double()
    matrix = discriminant((values / head.scale).numpy(), (apart / head.scale).numpy())
    head.matrix.copy_(torch.from_numpy(matrix))


@torch.no_grad()
def new_head(residues: Tensor) -> FoldHead:
    """A head whose axes are the widest directions of typical `residues`, shape=(n, D)."""
    width = residues.shape[1]
    head = FoldHead(FoldConfig(width, min(_AXES, width)))
    normed = F.layer_norm(residues.double(), (width,))
    head.centre.copy_(normed.mean(dim=0))
    spread, axes = torch.linalg.eigh(torch.cov(normed.T))
    spread = spread.clamp(min=1e-6 * float(spread[-1]))
    head.axes.copy_((axes / spread.sqrt()).T.flip(0)[: head.config.axes])
    return head


def fold_figures(
    training: FoldTraining, moments: Moments, held: pd.DataFrame
) -> Mapping[str, float]:
    """TM error (``loss``) and Spearman correlation of fold pairs; split groups weigh alike."""
    predicted = training.predict(moments.of(held))[0].double().cpu().numpy()
    true = held["tm"].to_numpy(dtype=float)
    weight = group_weights(held["group"].to_numpy())
    return {
        "loss": weighted_mean(np.abs(predicted - true), weight),
        "spearman": weighted_spearman(predicted, true, weight),
    }


def train_fold(
    embedder: Embedder, pairs: Path, model: Path, fabric: Fabric, schedule: Schedule = FOLD_SCHEDULE
) -> History:
    """Train a fold head on the shards in `pairs` and add it to the model in folder `model`.

    Raises
    ------
    InputError
        No training pairs alike in fold.
    """
    fold, near, held = training_pairs(read_shards(pairs))
    if not (fold["tm"] > RELATED_TM).any():
        raise InputError(f"{pairs}: holds no training pair above TM-score {RELATED_TM}.")
    torch.manual_seed(schedule.seed)

    def embed(sequences: Sequence[str]) -> list[Tensor]:
        return embed_fixed(embedder, sequences)

    typical = sorted(set(fold["reference"]))[:: max(fold["reference"].nunique() // _AXES_FROM, 1)]
    head = new_head(torch.cat([r.float().cpu() for r in embed(typical)]))
    moments = Moments(head, embed, [fold, near, held])
    begin(head, moments, fold, near)
    training, chances = FoldTraining(head), fold_chances(fold)

    def batch(number: int) -> FoldBatch:
        rng = np.random.default_rng([schedule.seed, 7, number])
        rows = fold.iloc[rng.choice(len(fold), FOLD_PAIRS, p=chances)]
        beside = near.iloc[rng.choice(len(near), NEAR_PAIRS)] if len(near) else None
        return FoldBatch(
            moments.of(rows),
            list(rows["group"].astype(str)),
            None if beside is None else moments.of(beside),
        )

    history = fit(
        training,
        batch,
        schedule,
        model / "fold.pt",
        fabric=fabric,
        validation=Validation(lambda: fold_figures(training, moments, held), first=True)
        if len(held)
        else None,
    )
    if fabric.is_global_zero:
        save_head(model, "fold", head.cpu(), torch.float16)
        write_record(
            model / "fold-training.json",
            history,
            {
                "schedule": asdict(schedule),
                "weights": WEIGHTS,
                "bin_shares": BIN_SHARES,
                "batch": {"fold": FOLD_PAIRS, "near": NEAR_PAIRS},
                "ridge": RIDGE,
                "power": POWER,
                "longest": LONGEST,
                "embedder": embedder.name,
            },
            {"pairs": pairs},
        )
    return history
