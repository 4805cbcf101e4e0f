"""What the joint encoder is pre-trained on: two noised views of each chain, and what is hidden.

The second view differs from the first by small shifts and turns of every residue; both are
noised alike, and a share of the letters is hidden in both (SiamDiff: Zhang et al., NeurIPS 2023).

Shape notation: B chains in a batch, L residues of the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from glass_core.embedders.compact_encoder import MASK_TOKEN, CompactEncoder, tokenise
from glass_core.embedders.joint_geometry import CA
from glass_core.embedders.joint_network import JointEncoder, Placed
from glass_core.models.space.structures import placed_backbones
from glass_core.records import require
from glass_core.training.data.backbones import BackboneChain, ChainDraw

SHIFTED, TURNED = 0.3, 0.1
"""Å and radians: spread of what sets the second view apart."""
_TURN_PER_SHIFT, _LARGEST_TURN = 0.3, 1.5
"""Radians by which noise turns a residue for each Å it shifts it, and at most."""
HIDDEN_FROM, HIDDEN_TO = 0.15, 1.0
"""Share of hidden letters, at no noise and at the most."""
WITHHELD = 0.2
"""Share of chains whose structure is withheld from an encoder that reads the sequence too."""


@dataclass(frozen=True)
class Stage:
    """One stage of denoising.

    Attributes
    ----------
    levels : int
        Of noise, from little to much.
    first, last : float
        Variance that is added at the first level and at the last.
    structure_weight : float
        Of the structure's loss; the rest is that of the sequence.
    """

    levels: int
    first: float
    last: float
    structure_weight: float

    def __post_init__(self) -> None:
        require(self.levels > 0, "levels", "is positive")
        require(0 < self.first <= self.last < 1, "first", "is a variance, at most the last")
        require(0 <= self.structure_weight <= 1, "structure_weight", "is a share")

    def spread(self) -> Tensor:
        """Å: standard deviation of the noise at each level, shape=(levels,)."""
        rise = torch.sigmoid(torch.linspace(-6, 6, self.levels, dtype=torch.float64))
        kept = torch.cumprod(1 - (rise * (self.last - self.first) + self.first), dim=0)
        return ((1 - kept) / kept).sqrt().float()

    def hidden(self, level: Tensor) -> Tensor:
        """Share of the letters that is hidden at a level."""
        share = level / max(self.levels - 1, 1)
        return HIDDEN_FROM + share * (HIDDEN_TO - HIDDEN_FROM)


STAGES = (Stage(100, 1e-3, 0.1, 0.5), Stage(5, 1e-4, 1e-4, 0.2))
"""Of SiamDiff: much noise first, then hardly any."""


@dataclass(frozen=True, eq=False)
class View:
    """One noised view.

    Attributes
    ----------
    clean : Tensor, shape=(B, L, 3, 3)
        N, CA, C in Å before the noise.
    noised : Placed
    near : Tensor, shape=(B, L, K)
        Whom each residue attends to: the nearest before the noise.
    """

    clean: Tensor
    noised: Placed
    near: Tensor


@dataclass(frozen=True, eq=False)
class Views:
    """A batch of pre-training.

    Attributes
    ----------
    views : tuple of two View
    sequence : Tensor, shape=(B, L, D), or None
        Embedding of the letters that are seen.
    letters : Tensor, shape=(B, L), dtype=int64
    hidden : Tensor, shape=(B, L), dtype=bool
        Whose letter is to be told.
    spread : Tensor, shape=(B,)
        Å: of the noise.
    """

    views: tuple[View, View]
    sequence: Tensor | None
    letters: Tensor
    hidden: Tensor
    spread: Tensor


class ViewDraw:
    """Batches of views, each a function of its number, on the encoder's device."""

    def __init__(
        self,
        chains: Sequence[BackboneChain],
        encoder: JointEncoder,
        language: CompactEncoder,
        stage: Stage,
        *,
        together: int,
        longest: int,
        seed: int,
    ) -> None:
        self._chains = ChainDraw(chains, longest, seed)
        self._encoder, self._language = encoder, language
        self._stage, self._together, self._seed = stage, together, seed

    def batch(self, number: int) -> Views:
        """Batch `number`."""
        device = next(self._language.parameters()).device
        chains = self._chains.drawn(number, self._together)
        placed = placed_backbones([chain.backbone for chain in chains], device)
        noise = torch.Generator(device).manual_seed(self._seed * 1_000_003 + number)
        level = torch.randint(self._stage.levels, (len(chains),), device=device, generator=noise)
        spread = self._stage.spread().to(device)[level]
        tokens, mask = tokenise([chain.sequence for chain in chains], device)
        chance = torch.rand(tokens.shape, device=device, generator=noise)
        hidden = (chance < self._stage.hidden(level)[:, None]) & mask
        hidden[:, 0] |= ~hidden.any(dim=1)
        if self._encoder.config.reads_sequence:
            told = torch.rand(len(chains), device=device, generator=noise) >= WITHHELD
            placed = replace(placed, known=placed.known & told[:, None])
        second = moved(placed.coordinates, SHIFTED, TURNED, noise)
        turned = (_TURN_PER_SHIFT * spread).clamp(max=_LARGEST_TURN)
        views = []
        for clean in (placed.coordinates, second):
            noised = moved(clean, spread, turned, noise)
            near = self._encoder.neighbours(placed.at(clean))
            views.append(View(clean, placed.at(noised), near))
        return Views(
            (views[0], views[1]),
            self._embedded(tokens.masked_fill(hidden, MASK_TOKEN), mask),
            tokens,
            hidden,
            spread,
        )

    @torch.no_grad()
    def _embedded(self, tokens: Tensor, mask: Tensor) -> Tensor | None:
        if not self._encoder.config.reads_sequence:
            return None
        found: Tensor = self._language(tokens, mask)
        return found.float()


def moved(
    coordinates: Tensor, shifted: Tensor | float, turned: Tensor | float, noise: torch.Generator
) -> Tensor:
    """Residues shifted and turned about their C-alphas at random, each as one rigid body.

    Parameters
    ----------
    coordinates : Tensor, shape=(B, L, 3, 3)
    shifted, turned : Tensor, shape=(B,), or float
        Standard deviations, along each axis in Å and about each axis in radians.
    noise : torch.Generator
    """
    ca = coordinates[:, :, CA]
    shift, turn = (
        torch.randn(ca.shape, device=ca.device, generator=noise)
        * torch.as_tensor(spread, device=ca.device).view(-1, 1, 1)
        for spread in (shifted, turned)
    )
    rotation = _rotation(turn)
    around = (coordinates - ca[:, :, None]) @ rotation.transpose(-1, -2)
    return around + (ca + shift)[:, :, None]


def _rotation(turn: Tensor) -> Tensor:
    """The rotation about an axis by its length in radians, (..., 3) -> (..., 3, 3)."""
    angle = turn.norm(dim=-1, keepdim=True)[..., None]
    x, y, z = (turn / angle[..., 0].clamp(min=1e-9)).unbind(-1)
    zero = torch.zeros_like(x)
    across = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    identity = torch.eye(3, device=turn.device)
    return identity + angle.sin() * across + (1 - angle.cos()) * across @ across
