"""The binding head: how substitutions change the free energy of binding.

Learnt from SKEMPI 2.0 (Jankauskaite et al., Bioinformatics 35, 462 (2019)). What is told is of
binding, not of folding. Each changed residue is read in the complex and alone, as the wild type
and as the mutant; what all add is summed.

Shape notation: n changed residues, J width of the joint encoder, M members.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glass_core.records import require, require_sizes


@dataclass(frozen=True)
class BindingConfig:
    """Shape of the head, and its interval.

    Attributes
    ----------
    joint_dim, hidden, members : int
    dropout : float
        Training only.
    within : float
        kcal/mol within which 90 of 100 measurements of unseen complexes lie.
    noise : float
        As of `PooledConfig`, in kcal/mol.
    """

    joint_dim: int
    hidden: int = 128
    members: int = 5
    dropout: float = 0.3
    within: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        require_sizes(self, ("joint_dim", "hidden", "members"))
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")
        require(min(self.within, self.noise) >= 0, "within", "is a distance")

    @property
    def width(self) -> None:
        """It takes no embedding of the sequence."""
        return

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class BindingHead(nn.Module):
    """Changed residues to kcal/mol, positive = weaker binding."""

    centre: Tensor
    spread: Tensor

    def __init__(self, config: BindingConfig) -> None:
        super().__init__()
        self.config = config
        inputs = 4 * config.joint_dim
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))
        self.members = nn.ModuleList(
            nn.Sequential(
                nn.Linear(inputs, config.hidden),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Linear(config.hidden, 1),
            )
            for _ in range(config.members)
        )

    def forward(self, residues: Tensor) -> Tensor:
        """What each changed residue adds by every member, (n, 4 J) -> (M, n)."""
        inner = ((residues - self.centre) / self.spread).clamp(-8, 8)
        return torch.stack([member(inner)[:, 0] for member in self.members])


def changed_residues(complexed: tuple[Tensor, Tensor], alone: tuple[Tensor, Tensor]) -> Tensor:
    """What the head takes of changed residues, shape=(n, 4 J).

    Parameters
    ----------
    complexed, alone : pair of Tensor, shape=(n, J)
        Their joint vectors with the partner and without it, of the wild type and of the mutant.
    """
    (wild, mutant), (own, own_mutant) = complexed, alone
    told = torch.cat([wild, mutant - wild, own - wild, (mutant - wild) - (own_mutant - own)], -1)
    require(told.ndim == 2, "complexed", "is of residues")
    return told


CONFIG, NETWORK = BindingConfig, BindingHead
