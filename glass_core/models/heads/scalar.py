"""Heads that tell one number of a protein, with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from glass_core.models.heads.pooled_network import PooledConfig, PooledNetwork, Read, numbers_of
from glass_core.records import require


@dataclass(frozen=True)
class ScalarConfig(PooledConfig):
    """Shape of the head, its scale and its interval.

    Attributes
    ----------
    middle, unit : float
        What its outputs of 0 and of 1 more stand for.
    within : float
        Distance within which 90 of 100 measurements of unseen proteins lie.
    bounded : bool
        Whether the number lies between 0 and 1.
    """

    middle: float = 0.0
    unit: float = 1.0
    within: float = 0.0
    bounded: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("middle", "unit", "within"):
            require(math.isfinite(getattr(self, name)), name, "is finite")
        require(self.unit > 0 and self.within >= 0, "unit", "and within are distances")


class ScalarHead(PooledNetwork):
    """A protein to one number."""

    config: ScalarConfig

    def __init__(self, config: ScalarConfig) -> None:
        super().__init__(config, 1)

    @torch.inference_mode()
    def values(self, read: Read) -> NDArray[np.float64]:
        """The number by every member, shape=(M,)."""
        numbers = numbers_of(read, self.config).to(self.centre)
        told = self(numbers[None])[:, 0, 0].double()
        told = told.sigmoid() if self.config.bounded else told
        return np.asarray((self.config.middle + self.config.unit * told).cpu().numpy())


CONFIG, NETWORK = ScalarConfig, ScalarHead
