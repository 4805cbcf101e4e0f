"""Labelled pairs as batches to train on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glass_core.training.copies import Copies, Unpaired

_BUCKET = 8
"""Batches whose pairs are sorted by length together."""


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
            list(rows["reference"]),
            list(rows["subject"]),
            torch.tensor(rows["tm"].to_numpy(), dtype=torch.float32),
            [
                torch.from_numpy(np.asarray(a, dtype=np.int64).reshape(-1, 2))
                for a in rows["aligned"]
            ],
            [torch.from_numpy(np.array(t, dtype=np.float32)) for t in rows["lddt"]],
            [*rows["group"].astype(str), *rows["subject_group"].astype(str)],
        )


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
        self,
        table: pd.DataFrame,
        longest: int,
        batch: int,
        seed: int = 0,
        near_share: float | None = None,
        unpaired: Unpaired | None = None,
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
        batch = PairBatch.of(self.table.iloc[rows])
        if self.unpaired is None:
            return batch
        return replace(batch, copies=self.unpaired.draw(number, self.batch_size // 2))

    def _epoch(self, number: int) -> np.ndarray:
        epoch, place = divmod(number, self.batches_per_epoch)
        rng = np.random.default_rng([self.seed, 3, epoch])
        order = rng.permutation(len(self.table))
        span = self.batch_size * _BUCKET
        by_length = np.concatenate(
            [
                chunk[np.argsort(self.length[chunk], kind="stable")]
                for chunk in np.split(order, range(span, len(order), span))
            ]
        )
        batches = np.array_split(by_length, self.batches_per_epoch)
        return batches[rng.permutation(len(batches))[place]]

    def _drawn(self, number: int) -> np.ndarray:
        bucket, place = divmod(number, _BUCKET)
        rng = np.random.default_rng([self.seed, 1, bucket])
        rows = np.array(
            [
                rng.choice(self.groups[int(rng.integers(len(self.groups)))])
                if self.groups and rng.random() < (self.near_share or 0)
                else rng.choice(self.fold)
                for _ in range(self.batch_size * _BUCKET)
            ]
        )
        rows = rows[np.argsort(self.length[rows], kind="stable")]
        return rows.reshape(_BUCKET, -1)[rng.permutation(_BUCKET)[place]]
