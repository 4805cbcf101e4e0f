"""Pre-training by telling properties of a structure from itself, to compare denoising with.

The residue type of hidden residues, the distance of two residues, the angle of three and the
torsion of four, drawn at random (Zhang et al., ICLR 2023, GearNet).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.embedders.joint_geometry import CA, torsion
from glass_core.embedders.joint_network import JointEncoder
from glass_core.protein.sequence import STANDARD
from glass_core.training.joint_views import Views
from glass_core.training.loop import total

BINS = 8
DRAWN = 64
"""Pairs, triples and quadruples of each chain."""
_SCALE = 10.0
"""Å: distances are told in units of it."""
_WEIGHTS = {"letter": 1.0, "distance": 0.3, "angle": 0.3, "torsion": 0.3}


class SelfPrediction(nn.Module):
    """The encoder with a head for each property; views in, of which the first is used."""

    def __init__(self, encoder: JointEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        dim = encoder.config.dim

        def head(residues: int, outputs: int) -> nn.Module:
            return nn.Sequential(nn.Linear(residues * dim, dim), nn.GELU(), nn.Linear(dim, outputs))

        self.letter, self.distance = head(1, len(STANDARD)), head(2, 1)
        self.angle, self.torsion = head(3, BINS), head(4, BINS)

    def forward(self, batch: Views) -> dict[str, Tensor]:
        """Losses: nats, for distances the square in units of 10 Å; and ``total``."""
        view = batch.views[0]
        told = self.encoder(view.noised, batch.sequence, view.near)
        lengths = view.noised.mask.sum(dim=1)
        chance = torch.rand((len(told), DRAWN, 4), device=told.device)
        drawn = (chance * lengths[:, None, None]).long()
        rows = torch.arange(len(told), device=told.device)[:, None, None]
        vectors, ca = told[rows, drawn], view.clean[:, :, CA][rows, drawn]
        a, b, c, d = ca.unbind(2)
        corner = F.cosine_similarity(a - b, c - b, dim=-1).clamp(-1, 1).acos() / torch.pi
        turn = torsion(a, b, c, d) / (2 * torch.pi) + 0.5
        losses = {
            "letter": F.cross_entropy(
                self.letter(told[batch.hidden]).float(),
                batch.letters[batch.hidden],
                ignore_index=len(STANDARD),
            ),
            "distance": F.mse_loss(
                self.distance(vectors[:, :, :2].flatten(2)).float()[..., 0],
                (a - b).norm(dim=-1) / _SCALE,
            ),
            "angle": _binned(self.angle(vectors[:, :, :3].flatten(2)), corner),
            "torsion": _binned(self.torsion(vectors.flatten(2)), turn),
        }
        return total(losses, _WEIGHTS)


def _binned(logits: Tensor, share: Tensor) -> Tensor:
    """Cross-entropy of equal bins of 0 to 1."""
    place = (share * BINS).long().clamp(0, BINS - 1)
    return F.cross_entropy(logits.float().flatten(0, 1), place.flatten())
