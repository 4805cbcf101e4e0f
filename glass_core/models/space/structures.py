"""What reads a structure for the tower of structures: a frozen encoder, pooled over residues.

The letters of the sequence are never read: what a structure's place tells, its backbone tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from glass_core.embedders.joint_geometry import CA
from glass_core.embedders.joint_network import CHIS, JointEncoder, Placed
from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.embedders.mpnn_edges import WIDTH
from glass_core.errors import InputError
from glass_core.models.space.base import Told, untold
from glass_core.models.space.towers import pooled
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.backbone import Backbone

FEWEST = 5
"""Residues with a whole backbone that a structure needs."""
_TOGETHER = 16


class StructureReader(Protocol):
    """What reads structures.

    Attributes
    ----------
    name : str
        As cards have it.
    dim : int
        Numbers that it reads of a structure.
    """

    name: str
    dim: int

    def read(self, backbones: Sequence[Backbone], told: Told = untold) -> Tensor:
        """What it reads of each, shape=(B, dim), dtype=float32, on the CPU.

        Raises
        ------
        InputError
            One has too few residues with N, CA, C and O.
        """
        ...


class MpnnReader:
    """Frozen ProteinMPNN: its nodes, and which letters it would give the backbone."""

    name = "proteinmpnn"
    dim = 2 * (WIDTH + len(STANDARD))

    def __init__(self, embedder: StructureEmbedder) -> None:
        self._embedder = embedder

    def read(self, backbones: Sequence[Backbone], told: Told = untold) -> Tensor:
        """See `StructureReader`."""
        found = []
        for done, backbone in enumerate(backbones, start=1):
            residues = self._embedder.read("backbone", whole(backbone))
            found.append(pooled(torch.cat([residues[:, :WIDTH], residues[:, -len(STANDARD) :]], 1)))
            told(done)
        return torch.stack(found)


class JointReader:
    """The joint encoder of GLASS, pre-trained on structures alone."""

    def __init__(self, encoder: JointEncoder, name: str) -> None:
        if encoder.config.fusion != "structure":
            raise ValueError("the tower of structures needs an encoder that reads no sequence")
        self.name, self.dim = name, 2 * encoder.config.dim
        self._encoder = encoder.eval()

    @torch.inference_mode()
    def read(self, backbones: Sequence[Backbone], told: Told = untold) -> Tensor:
        """See `StructureReader`."""
        order = sorted(range(len(backbones)), key=lambda k: len(backbones[k]))
        found = torch.empty(len(backbones), self.dim)
        device = next(self._encoder.parameters()).device
        for begin in range(0, len(order), _TOGETHER):
            rows = order[begin : begin + _TOGETHER]
            placed = placed_backbones([whole(backbones[row]) for row in rows], device)
            residues = self._encoder(placed, None)
            for row, own, mask in zip(rows, residues, placed.mask, strict=True):
                found[row] = pooled(own[mask]).float().cpu()
            told(begin + len(rows))
        return found


def whole(backbone: Backbone) -> Backbone:
    """The residues that have all four atoms.

    Raises
    ------
    InputError
        They are too few.
    """
    found = backbone.only(backbone.complete)
    if len(found) < FEWEST:
        raise InputError(
            f"the structure has {len(found)} residues with N, CA, C and O; a place in the space "
            f"needs {FEWEST} (C-alphas alone do not do)."
        )
    return found


def placed_backbones(backbones: Sequence[Backbone], device: torch.device) -> Placed:
    """Backbones padded to one length, without side chains; each residue is whole."""
    shape = (len(backbones), max(len(one) for one in backbones))
    mask = torch.zeros(shape, dtype=torch.bool)
    coordinates = torch.zeros(*shape, 3, 3)
    number, chain = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape, dtype=torch.int64)
    for row, one in enumerate(backbones):
        length = len(one)
        own = torch.tensor(one.coordinates[:, :3])
        coordinates[row, :length] = own - own[:, CA].mean(dim=0)
        number[row, :length] = torch.tensor(one.numbers)
        names = {name: place for place, name in enumerate(dict.fromkeys(one.chains))}
        chain[row, :length] = torch.tensor([names[name] for name in one.chains])
        mask[row, :length] = True
    mask = mask.to(device)
    return Placed(
        mask,
        mask,
        coordinates.to(device),
        number.to(device),
        chain.to(device),
        torch.zeros(*shape, CHIS, 2, device=device),
    )
