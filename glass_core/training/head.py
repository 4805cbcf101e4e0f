"""Training of the Siamese head on pairs of structures, over any embedder.

Loss: section 2.3 of the GLASS paper (bioRxiv 2025.10.27.684815).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from glass_core.models.siamese import SiameseTransformer, predicted_lddt, predicted_tm
from glass_core.training.copies import Copies, Unpaired
from glass_core.training.loop import pad_residues

TM_IGNORED_BELOW, TM_LDDT_FROM = 0.1, 0.7
LDDT_SHARE, TM_SHARE = 0.7, 0.3
UNRELATED_TM, UNRELATED_SPREAD = 0.31, 0.06
_BUCKET = 8
"""Batches whose pairs are sorted by length together."""
_VALIDATION_BATCH = 32

Embed = Callable[[Sequence[str]], list[Tensor]]
"""Sequences to their residues, each of shape=(L, D)."""


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Pairs with their truth.

    Attributes
    ----------
    reference, subject : list of str
    tm : Tensor, shape=(B,)
    aligned : list of Tensor, each of shape=(n_aligned, 2), dtype=int64
        Indices of facing residues.
    lddt : list of Tensor, each of shape=(n_aligned,)
        NaN = no value.
    groups : list of str
        Split groups of the references, then of the subjects.
    copies : Copies, optional
        Sequences without a structure beside the pairs.
    """

    reference: list[str]
    subject: list[str]
    tm: Tensor
    aligned: list[Tensor]
    lddt: list[Tensor]
    groups: list[str]
    copies: Copies | None = None

    @staticmethod
    def of(rows: pd.DataFrame) -> PairBatch:
        """The rows of a table of pairs."""
        return PairBatch(
            list(rows["reference"]), list(rows["subject"]),
            torch.tensor(rows["tm"].to_numpy(), dtype=torch.float32),
            [torch.from_numpy(np.asarray(a, dtype=np.int64).reshape(-1, 2))
             for a in rows["aligned"]],
            [torch.from_numpy(np.array(t, dtype=np.float32)) for t in rows["lddt"]],
            [*rows["group"].astype(str), *rows["subject_group"].astype(str)],
        )


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
        found = {"total": loss, "pair": loss, "tm": (tm - true_tm).abs().mean()}
        if not (self.contrast and self.training):
            return found
        groups = batch.groups
        if batch.copies is not None:
            _, beside = self.project([*batch.copies.original, *batch.copies.copy])
            half = len(batch.copies.original)
            expected = torch.tensor(batch.copies.tm, device=beside.device)
            kept = (predicted_tm(beside[:half], beside[half:]) - expected).abs().mean()
            found |= {"total": found["total"] + TM_SHARE * kept, "copies": kept}
            pooled = torch.cat([pooled, beside])
            groups = [*groups, *batch.copies.group, *batch.copies.group]
        apart = contrast_loss(pooled, groups)
        return found | {"total": found["total"] + self.contrast * apart, "contrast": apart}


class Pairs:
    """Labelled pairs, and batches of them that are a function of their number.

    Parameters
    ----------
    table : DataFrame
        As `pairs.PAIR_COLUMNS`; rearrangements and sequences over `longest`
        residues are left out.
    near_share : float or None
        None: every pair once per epoch. A share: so many of each batch are
        near-identical pairs, drawn by split group, the others fold pairs.
    unpaired : Unpaired, optional
        Sequences without a structure; half as many of them as pairs go with every batch.
    """

    def __init__(
        self, table: pd.DataFrame, longest: int, batch: int, seed: int = 0,
        near_share: float | None = None, unpaired: Unpaired | None = None,
    ) -> None:
        self.unpaired = unpaired
        length = np.maximum(table["reference"].str.len(), table["subject"].str.len())
        fits = (length <= longest) & ~table["rearranged"]
        self.table = table[fits].reset_index(drop=True)
        self.length = length[fits].to_numpy()
        self.batch_size, self.seed, self.near_share = batch, seed, near_share
        kind = self.table["kind"].to_numpy()
        self.fold = np.flatnonzero(kind == "fold")
        near = np.flatnonzero(kind != "fold")
        group = pd.Series(self.table["group"].to_numpy()[near])
        self.groups = [near[i] for i in group.groupby(group).indices.values()]

    @property
    def batches_per_epoch(self) -> int:
        """Batches that see every pair once."""
        return -(-len(self.table) // self.batch_size)

    def batch(self, number: int) -> PairBatch:
        """Batch `number`, the same whenever it is asked for; alike in length."""
        rows = self._epoch(number) if self.near_share is None else self._drawn(number)
        made = PairBatch.of(self.table.iloc[rows])
        if self.unpaired is None:
            return made
        return replace(made, copies=self.unpaired.draw(number, self.batch_size // 2))

    def _epoch(self, number: int) -> np.ndarray:
        epoch, place = divmod(number, self.batches_per_epoch)
        rng = np.random.default_rng([self.seed, 3, epoch])
        order = rng.permutation(len(self.table))
        span = self.batch_size * _BUCKET
        by_length = np.concatenate([
            chunk[np.argsort(self.length[chunk], kind="stable")]
            for chunk in np.split(order, range(span, len(order), span))
        ])
        batches = np.array_split(by_length, self.batches_per_epoch)
        return batches[rng.permutation(len(batches))[place]]

    def _drawn(self, number: int) -> np.ndarray:
        bucket, place = divmod(number, _BUCKET)
        rng = np.random.default_rng([self.seed, 1, bucket])
        rows = np.array([
            rng.choice(self.groups[int(rng.integers(len(self.groups)))])
            if self.groups and rng.random() < (self.near_share or 0) else rng.choice(self.fold)
            for _ in range(self.batch_size * _BUCKET)
        ])
        rows = rows[np.argsort(self.length[rows], kind="stable")]
        return rows.reshape(_BUCKET, -1)[rng.permutation(_BUCKET)[place]]


def validation_figures(training: HeadTraining, pairs: Pairs) -> Mapping[str, float]:
    """``loss``, the mean of the paper's loss on fold and near-identical pairs, and both."""
    parts: dict[str, float] = {}
    for name, chosen in (("fold", pairs.table["kind"] == "fold"),
                         ("near", pairs.table["kind"] != "fold")):
        table = pairs.table[chosen].sort_values("reference", key=lambda s: s.str.len())
        losses, tm = [], []
        for start in range(0, len(table), _VALIDATION_BATCH):
            found = training(PairBatch.of(table.iloc[start : start + _VALIDATION_BATCH]))
            losses.append(float(found["pair"]))
            tm.append(float(found["tm"]))
        if losses:
            parts[name], parts[f"{name}_tm"] = float(np.mean(losses)), float(np.mean(tm))
    return {"loss": float(np.mean([parts[n] for n in ("fold", "near") if n in parts])), **parts}
