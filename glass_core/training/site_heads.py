"""What the trainings of heads share that look at one position at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.models.heads.residue_network import ResidueConfig
from glass_core.training.data.sites import Sites
from glass_core.training.loop import History, Schedule, Validation, fit

Values = NDArray[np.float32]
_AT_ONCE = 4096


class SitesDraw(Protocol):
    """Batches of positions, each a function of its number."""

    def batch(self, number: int) -> Any:
        """Batch `number`."""
        ...


@dataclass(frozen=True)
class SiteTraining:
    """How one kind of head is trained.

    Attributes
    ----------
    head : callable
        A configuration to a new head.
    losses : callable
        A head to the module that gives a batch's losses.
    draw : callable
        Positions and a seed to batches.
    schedule : Schedule
    fabric : Fabric
    """

    head: Callable[[Any], nn.Module]
    losses: Callable[[Any], nn.Module]
    draw: Callable[[Sites, int], SitesDraw]
    schedule: Schedule
    fabric: Fabric

    def trained(
        self,
        train: Sites,
        config: ResidueConfig,
        checkpoint: Path,
        figures: Callable[[Any], dict[str, float]] | None = None,
    ) -> tuple[Any, History]:
        """A head trained on some positions, judged on the way by its `figures`."""
        torch.manual_seed(self.schedule.seed)
        head = self.head(config)
        history = fit(
            self.losses(head),
            self.draw(train, self.schedule.seed).batch,
            self.schedule,
            checkpoint,
            fabric=self.fabric,
            validation=Validation(lambda: figures(head)) if figures else None,
        )
        return head, history

    def stranger(
        self, config: ResidueConfig, kinds: tuple[str, ...], checkpoint: Path
    ) -> Callable[[Sites, Sites, int], tuple[Values, ...]]:
        """For `folds.told_by_strangers`: a single network trained on some, telling of others.

        What it tells with the structure comes before what it tells without.

        Parameters
        ----------
        config : ResidueConfig
        kinds : tuple of str
            Of the assays that it is trained on.
        checkpoint : Path
            The number of the fold is put behind its stem.
        """

        def tell(others: Sites, strangers: Sites, fold: int) -> tuple[Values, ...]:
            own = checkpoint.with_stem(f"{checkpoint.stem}-{fold}")
            one, _ = self.trained(
                others.only(others.of_kind(*kinds)), replace(config, members=1), own
            )
            one.cpu().eval()
            nothing = np.zeros(len(strangers), dtype=bool)
            return (
                *told_of_sites(one, strangers, strangers.known),
                *told_of_sites(one, strangers, nothing),
            )

        return tell


@torch.no_grad()
def told_of_sites(head: nn.Module, sites: Sites, known: NDArray[np.bool_]) -> tuple[Values, ...]:
    """What a head says of every substitution, each of shape=(n, 20): means over its members.

    Where not `known`, the structure is withheld.
    """
    device = next(head.parameters()).device
    parts = np.array_split(np.arange(len(sites)), max(len(sites) // _AT_ONCE, 1))
    each = []
    for part in parts:
        told: Tensor | tuple[Tensor, ...] = head(sites.inputs(part, known[part]).to(device))
        tables = told if isinstance(told, tuple) else (told,)
        each.append([table.mean(0).cpu().numpy() for table in tables])
    return tuple(np.concatenate(tables) for tables in zip(*each, strict=True))
