"""Heads that tell which of many classes a protein has, such as its enzyme numbers; and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glass_core.models.heads.pooled_network import PooledConfig, PooledNetwork, Read, numbers_of
from glass_core.records import require


@dataclass(frozen=True)
class ClassesConfig(PooledConfig):
    """Shape of the head, its classes, and from which chance on it calls one.

    Attributes
    ----------
    labels : tuple of str
    titles : tuple of str
        What each is called; none, or one for each label.
    threshold : float
        Chance at which F-max was reached on validation.
    """

    labels: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "labels", tuple(map(str, self.labels)))
        object.__setattr__(self, "titles", tuple(map(str, self.titles)))
        require(len(self.titles) in (0, len(self.labels)), "titles", "are none or one a label")
        require(len(set(self.labels)) == len(self.labels) > 0, "labels", "are there, each once")
        require(0 < self.threshold < 1, "threshold", "is a chance")

    def called(self, label: int) -> str:
        """A class by its label and, where it has one, its title."""
        return " ".join((self.labels[label], *(self.titles[label : label + 1])))


class ClassesHead(PooledNetwork):
    """A protein to the chance of each class; several may be right."""

    config: ClassesConfig

    def __init__(self, config: ClassesConfig) -> None:
        super().__init__(config, len(config.labels))

    @torch.inference_mode()
    def chances(self, read: Read) -> NDArray[np.float64]:
        """Chances by every member, shape=(M, classes)."""
        numbers = numbers_of(read, self.config).to(self.centre)
        return np.asarray(self(numbers[None])[:, 0].double().sigmoid().cpu().numpy())

    def attribution(self, read: Read, label: int) -> NDArray[np.float64]:
        """How much each residue speaks for a class, shape=(L,): 0 or more, 1 in sum.

        The gradient of the class's logit to a residue's vectors times how far these lie from
        their mean, as in class activation maps (Selvaraju et al., Int. J. Comput. Vis. 128, 336
        (2020)). All zeros where nothing speaks for it.
        """
        sequence = read.sequence.float().clone().requires_grad_()
        joint = None if read.joint is None else read.joint.float().clone().requires_grad_()
        numbers = numbers_of(Read(sequence, joint, read.known), self.config)
        logit = self(numbers[None].to(self.centre))[:, 0, label].mean()
        parts: list[Tensor] = [x for x in (sequence, joint) if x is not None]
        gradients = torch.autograd.grad(logit, parts, allow_unused=True)
        total = torch.zeros(len(sequence))
        for values, gradient in zip(parts, gradients, strict=True):
            if gradient is not None:
                away = values.detach() - values.detach().mean(dim=0)
                total = total + (gradient * away).sum(dim=1).cpu()
        told = total.clamp(min=0).double()
        return np.asarray((told / told.sum().clamp(min=1e-12)).numpy())


CONFIG, NETWORK = ClassesConfig, ClassesHead
