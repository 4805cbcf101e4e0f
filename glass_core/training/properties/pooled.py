"""Training of a head over pooled residues, from numbers of proteins to their labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.models.heads.pooled_network import PooledConfig, PooledNetwork
from glass_core.records import require
from glass_core.training.loop import History, Schedule, Validation, fit

Loss = Literal["classes", "number", "share"]
"""Chances of many classes; a number that is scaled to a spread of 1; a number from 0 to 1."""
SCHEDULE = Schedule(steps=2_400, peak=1e-3, warmup=100, decay=0.5, weight_decay=0.05, every=200)
TOGETHER = 256
WITHHELD = 0.5
"""Share of proteins whose structure is withheld from a head that can do without."""
_JITTER = 0.1
"""Of the numbers, in units of their spread."""
T = TypeVar("T", bound=PooledNetwork)
H = TypeVar("H", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class Numbers:
    """Proteins as a head takes them, with their labels.

    Attributes
    ----------
    read : Tensor, shape=(n, inputs)
    target : Tensor, shape=(n, C)
    weight : Tensor, shape=(n,)
        How often each is drawn.
    """

    read: Tensor
    target: Tensor
    weight: Tensor

    def __post_init__(self) -> None:
        require(len(self.read) == len(self.target) == len(self.weight), "read", "has each target")

    def __len__(self) -> int:
        return len(self.read)


def by_groups(groups: NDArray[np.str_]) -> Tensor:
    """Weights by which a group of n proteins is drawn as often as the square root of n."""
    _, which, count = np.unique(groups, return_inverse=True, return_counts=True)
    return torch.from_numpy(1 / np.sqrt(count[which])).float()


def withheld(read: Tensor, config: PooledConfig) -> Tensor:
    """Numbers as they are without structures, (n, inputs) -> (n, inputs)."""
    blind = read.clone()
    blind[:, 2 * config.embedding_dim :] = 0
    return blind


class _Training(nn.Module):
    def __init__(self, head: PooledNetwork, loss: Loss) -> None:
        super().__init__()
        self.head, self.loss = head, loss

    def forward(self, batch: Numbers) -> dict[str, Tensor]:
        told = self.head(batch.read)
        target = batch.target.expand_as(told)
        if self.loss == "classes":
            each = F.binary_cross_entropy_with_logits(told, target, reduction="none").sum(-1)
        elif self.loss == "number":
            each = F.huber_loss(told, target, reduction="none").sum(-1)
        else:
            each = F.mse_loss(told.sigmoid(), target, reduction="none").sum(-1)
        return {"total": each.mean()}


def train_pooled(
    head: T,
    loss: Loss,
    train: Numbers,
    held: Numbers,
    checkpoint: Path,
    fabric: Fabric,
    schedule: Schedule = SCHEDULE,
    *,
    may_withhold: bool = False,
) -> tuple[T, History]:
    """Train a new head on some proteins, judged on others; resumes from its checkpoint.

    Parameters
    ----------
    may_withhold : bool
        Whether it must do without structures, too: these are then withheld at times.
    """
    config = head.config
    spread = train.read.std(dim=0)
    if config.joint_dim:  # of those that have a structure
        first = 2 * config.embedding_dim
        there = train.read[:, -1] > 0
        if int(there.sum()) > 1:
            seen = train.read[there]
            spread[first:] = seen.std(dim=0)[first:]
            head.centre[first:] = seen.mean(dim=0)[first:]
        head.centre[-1] = 0.0
        spread[-1] = 1.0
        head.centre[:first] = train.read[:, :first].mean(dim=0)
    else:
        head.centre.copy_(train.read.mean(dim=0))
    head.spread.copy_(spread.clamp(min=1e-3))
    if loss == "classes":
        share = train.target.mean(dim=0).clamp(1e-4, 0.5)
        for member in head.members:
            nn.init.zeros_(member[-1].weight)  # type: ignore[index]
            member[-1].bias.data = (share / (1 - share)).log()  # type: ignore[index]
    head = head.to(fabric.device)
    read, target = train.read.to(fabric.device), train.target.to(fabric.device)

    def batch(number: int) -> Numbers:
        chance = torch.Generator().manual_seed(schedule.seed * 1_000_003 + number)
        rows = torch.multinomial(train.weight, TOGETHER, replacement=True, generator=chance)
        some = read[rows]
        jitter = torch.randn(some.shape, generator=chance).to(some) * head.spread
        some = torch.where(some != 0, some + _JITTER * jitter, some)
        if may_withhold:
            hidden = torch.rand(len(rows), generator=chance) < WITHHELD
            some[hidden] = withheld(some[hidden], config)
        return Numbers(some, target[rows], train.weight[rows])

    def figures() -> dict[str, float]:
        module.eval()
        return {"loss": float(module(on(held, fabric.device))["total"])}

    module = _Training(head, loss)
    history = fit(
        module, batch, replace(schedule), checkpoint, fabric=fabric, validation=Validation(figures)
    )
    return head.cpu().eval(), history


def with_fields(head: H, **fields: Any) -> H:
    """A trained head whose configuration says more: a threshold, an interval, its noise."""
    trained: Any = head
    finished: H = type(head)(replace(trained.config, **fields))
    finished.load_state_dict(head.state_dict())
    return finished.eval()


def on(numbers: Numbers, device: torch.device) -> Numbers:
    """The same, on a device."""
    return Numbers(numbers.read.to(device), numbers.target.to(device), numbers.weight.to(device))


@torch.no_grad()
def told_of(head: PooledNetwork, read: Tensor) -> Tensor:
    """What every member says, (n, inputs) -> (M, n, C)."""
    found: Tensor = head(read)
    return found
