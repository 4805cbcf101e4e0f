"""Training of the alignment head on pairs of structures, over any embedder.

What TM-align lets face each other is what each residue of either sequence should choose among
all residues of the other and none; unrelated pairs teach it to choose none.

Shape notation: N residues of the reference, M of the subject, k pairs of residues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from glass_core.models.heads.alignment import AlignmentConfig, AlignmentHead
from glass_core.training.data.pairs import read_shards
from glass_core.training.loop import History, Schedule, Validation, fit, write_record
from glass_core.training.residues import embed_fixed

ALIGNMENT_SCHEDULE = Schedule(steps=3_000, peak=2e-3, warmup=50, decay=1.0, every=250)
RELATED_TM, UNRELATED_TM = 0.5, 0.3
"""TM-scores from which on a pair is learnt as it is aligned, and below which it is unrelated."""
MOST_IDENTITY = 0.9
LONGEST = 400
RELATED, UNRELATED = 12, 3
"""Pairs of a step."""
ALONE_WEIGHT = 0.3
"""Of a residue that faces none, where one that faces another weighs as its lDDT."""
_TYPICAL = 300
_HELD = 200


@dataclass(frozen=True, eq=False)
class FacingPair:
    """Two sequences, and which of their residues face each other.

    Attributes
    ----------
    reference, subject : str
    facing : Tensor, shape=(k, 2), dtype=int64
        0-based indices.
    weight : Tensor, shape=(k,)
        How well the structures agree there, 0 to 1.
    """

    reference: str
    subject: str
    facing: Tensor
    weight: Tensor

    def turned(self) -> FacingPair:
        """The same with the sequences exchanged."""
        return FacingPair(self.subject, self.reference, self.facing.flip(1), self.weight)

    def apart(self, other: FacingPair) -> FacingPair:
        """Its reference beside another's, as if they were unrelated."""
        none = torch.empty((0, 2), dtype=torch.int64)
        return FacingPair(self.reference, other.reference, none, torch.empty(0))


class AlignmentTraining(nn.Module):
    """The head with its loss: how surely each residue finds the one that it should face."""

    def __init__(self, head: AlignmentHead, residues: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.head = head
        self._residues = residues

    def forward(self, batch: Sequence[FacingPair]) -> dict[str, Tensor]:
        """The mean loss of a batch."""
        losses = torch.stack([self.loss(pair) for pair in batch])
        return {"total": losses.mean()}

    def loss(self, pair: FacingPair) -> Tensor:
        """Mean negative log share of what each residue should face, in both directions."""
        device = self.head.centre.device
        query, target = (
            self.head.chain(self._residues[one].to(device).float(), one)
            for one in (pair.reference, pair.subject)
        )
        forth, back = self.head.log_shares(self.head.pairs(query, target), query, target)
        rows, columns = pair.facing.to(device).T
        weight = pair.weight.to(device)
        parts = [
            _cross_entropy(shares, own, other, weight)
            for shares, own, other in ((forth, rows, columns), (back.T, columns, rows))
        ]
        (forward, first), (backward, second) = parts
        return (forward + backward) / (first + second)


def _cross_entropy(
    shares: Tensor, own: Tensor, other: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Weighted sum of the negative log shares, shape (n, m + 1), and the sum of the weights."""
    chosen = torch.full((len(shares),), shares.shape[1] - 1, device=shares.device)
    weights = torch.full((len(shares),), ALONE_WEIGHT, device=shares.device)
    chosen[own], weights[own] = other, weight
    return F.nll_loss(shares, chosen, reduction="none") @ weights, weights.sum()


def related_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Rows to learn from: related, not almost equal, not too long; see `pairs.PAIR_COLUMNS`."""
    longest = np.maximum(table["reference"].str.len(), table["subject"].str.len())
    kept = table[(table["tm"] >= RELATED_TM) & (longest <= LONGEST)]
    columns = (kept["reference"], kept["subject"], kept["aligned"])
    differ = [_identity(*row) < MOST_IDENTITY for row in zip(*columns, strict=True)]
    return kept[np.array(differ, bool)]


def facing_pairs(table: pd.DataFrame) -> list[FacingPair]:
    """Each row of such a table."""
    columns = (table["reference"], table["subject"], table["aligned"], table["lddt"])
    return [
        FacingPair(
            reference,
            subject,
            torch.from_numpy(np.array(aligned, np.int64).reshape(-1, 2)),
            torch.from_numpy(np.nan_to_num(np.array(agreement, np.float32))),
        )
        for reference, subject, aligned, agreement in zip(*columns, strict=True)
    ]


def train_alignment(
    embedder: Embedder,
    pairs: Path,
    model: Path,
    fabric: Fabric,
    schedule: Schedule = ALIGNMENT_SCHEDULE,
) -> History:
    """Train an alignment head on the shards in `pairs`; add it to the model in folder `model`.

    Raises
    ------
    InputError
        No training pairs of related chains.
    """
    related = related_pairs(read_shards(pairs))
    learnt, held = (related[related["side"] == side] for side in ("train", "validation"))
    if learnt.empty:
        raise InputError(f"{pairs}: holds no training pair from TM-score {RELATED_TM} on.")
    held = held.sample(min(len(held), _HELD), random_state=schedule.seed)
    torch.manual_seed(schedule.seed)
    names = sorted({*learnt["reference"], *learnt["subject"], *held["reference"], *held["subject"]})
    made = embed_fixed(embedder, names)
    residues = {name: one.cpu().half() for name, one in zip(names, made, strict=True)}
    head = AlignmentHead(AlignmentConfig(embedder.dim))
    some = torch.cat([residues[n].float() for n in names[:: max(len(names) // _TYPICAL, 1)]])
    head.centre.copy_(F.layer_norm(some, some.shape[-1:]).mean(dim=0))
    training = AlignmentTraining(head, residues)
    rows, held_rows = facing_pairs(learnt), facing_pairs(held)
    shares = _shares(learnt["group"].astype(str))

    def batch(number: int) -> list[FacingPair]:
        rng = np.random.default_rng([schedule.seed, 11, number])
        drawn = [rows[k] for k in rng.choice(len(rows), RELATED + 2 * UNRELATED, p=shares)]
        related = [one.turned() if rng.random() < 0.5 else one for one in drawn[:RELATED]]
        firsts, seconds = drawn[RELATED : RELATED + UNRELATED], drawn[RELATED + UNRELATED :]
        return related + [a.apart(b) for a, b in zip(firsts, seconds, strict=True)]

    history = fit(
        training,
        batch,
        schedule,
        model / "alignment.pt",
        fabric=fabric,
        validation=Validation(lambda: {"loss": float(training(held_rows)["total"])})
        if held_rows
        else None,
    )
    if fabric.is_global_zero:
        save_head(model, "alignment", head.cpu(), torch.float16)
        write_record(
            model / "alignment-training.json",
            history,
            {
                "schedule": asdict(schedule),
                "pairs": {"related": RELATED, "unrelated": UNRELATED, "learnt": len(rows)},
                "related_tm": RELATED_TM,
                "most_identity": MOST_IDENTITY,
                "longest": LONGEST,
                "alone_weight": ALONE_WEIGHT,
                "embedder": embedder.name,
            },
            {"pairs": pairs},
        )
    return history


def _shares(groups: pd.Series) -> NDArray[np.float64]:
    """How often each row is drawn: families count as the root of their size."""
    share = 1 / np.sqrt(groups.map(groups.value_counts()).to_numpy(dtype=float))
    return np.asarray(share / share.sum())


def _identity(reference: str, subject: str, aligned: NDArray[np.integer]) -> float:
    """Share of the facing residues that are the same; 0 where none face."""
    same = [reference[a] == subject[b] for a, b in aligned.reshape(-1, 2)]
    return float(np.mean(same)) if same else 0.0
