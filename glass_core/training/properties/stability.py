"""From what each encoder reads of a residue, how well is fold stability told?

The same small network is trained over each reading: a residue's letter and vector to the measured
changes of stability of its 19 substitutions. It judges encoders; the head of stability that
predictions come from is another (`training.stability`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from glass_core.embedders.base import Embedder
from glass_core.embedders.joint import JointEmbedder
from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import InputError
from glass_core.metrics.agreement import spearman
from glass_core.models.properties.model import sites_of
from glass_core.progress import Say
from glass_core.protein.sequence import STANDARD
from glass_core.training.data.assays import Assay
from glass_core.training.data.wild_structures import WildStructure
from glass_core.training.evaluation.statistics import mean_of, with_interval
from glass_core.training.loop import Schedule, Validation, fit

SEQUENCE, STRUCTURE = "sequence", "ProteinMPNN"
FIGURE = "spearman within a protein"
READING_SCHEDULE = Schedule(steps=1_500, peak=1e-3, decay=0.5, weight_decay=0.05, every=250, seed=0)
SEEDS = 2
"""Networks over each reading, whose answers are averaged."""
TOGETHER = 256
FEWEST_KNOWN = 0.9
"""Share of a protein's residues that need coordinates."""
SPAN = (-1.5, 5.0)
"""kcal/mol, beyond which a change counts as the end."""


@dataclass(frozen=True, eq=False)
class StabilityProtein:
    """A measured protein, the residues that are known alone.

    Attributes
    ----------
    side, group : str
    letter : Tensor, shape=(n,), dtype=int64
        Of the wild type, index into `STANDARD`.
    value : Tensor, shape=(n, 20)
        Measured change of stability, kcal/mol, higher = less stable; NaN where nobody measured.
    read : mapping of str to Tensor, shape=(n, X)
        Reader -> a vector for each residue.
    """

    side: str
    group: str
    letter: Tensor
    value: Tensor
    read: Mapping[str, Tensor]

    def by(self, readers: Sequence[str]) -> Tensor:
        """What some of the readers make of each residue, side by side."""
        return torch.cat([self.read[name] for name in readers], dim=1)


def read_stability(
    assays: Sequence[Assay],
    wilds: Mapping[str, WildStructure],
    embedder: Embedder,
    structures: StructureEmbedder,
    joints: Mapping[str, JointEmbedder],
    tell: Say,
) -> list[StabilityProtein]:
    """Read every measured protein that has a backbone, by every reader."""
    found = []
    for assay in assays:
        wild = wilds.get(assay.sequence)
        if assay.kind != "stability" or wild is None:
            continue
        protein = wild.protein()
        sites, placed = sites_of(protein), structures.embed(protein)
        if sites is None or placed is None or placed.view != "backbone":
            continue
        if placed.known.mean() < FEWEST_KNOWN:
            continue
        residues = embedder.embed([assay.sequence])[0].residues.float()
        value = np.full((len(assay.sequence), len(STANDARD)), np.nan, dtype=np.float32)
        value[assay.index, assay.letter] = assay.value
        letter = np.array([STANDARD.find(one) for one in assay.sequence])
        usable = placed.known & (letter >= 0) & np.isfinite(value).any(axis=1)
        rows = torch.from_numpy(np.flatnonzero(usable))
        read = {SEQUENCE: residues, STRUCTURE: placed.residues.float()}
        read |= {name: joint.read(sites, residues) for name, joint in joints.items()}
        found.append(
            StabilityProtein(
                assay.side,
                assay.group,
                torch.from_numpy(letter)[rows],
                torch.from_numpy(value)[rows],
                {name: vectors[rows] for name, vectors in read.items()},
            )
        )
        if len(found) % 50 == 0:
            tell(f"{len(found):,} proteins read")
    return found


class ReadingNetwork(nn.Module):
    """A residue's letter and vector to the change of stability by each letter."""

    centre: Tensor
    spread: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.layers = nn.Sequential(
            nn.Linear(width + len(STANDARD), 256),
            nn.GELU(),
            nn.Dropout(0.3),
            nn.Linear(256, 128),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(128, len(STANDARD)),
        )

    def forward(self, letter: Tensor, read: Tensor) -> Tensor:
        """(B,), (B, X) -> (B, 20), 0 at the wild type's own letter."""
        scaled = ((read - self.centre) / self.spread).clamp(-6, 6)
        hot = F.one_hot(letter, len(STANDARD)).to(scaled)
        told: Tensor = self.layers(torch.cat([hot, scaled], dim=1))
        return told - told.gather(1, letter[:, None])


@dataclass(frozen=True, eq=False)
class _Batch:
    letter: Tensor
    read: Tensor
    value: Tensor


class _Training(nn.Module):
    def __init__(self, network: ReadingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: _Batch) -> dict[str, Tensor]:
        measured = torch.isfinite(batch.value)
        told = self.network(batch.letter, batch.read)[measured]
        return {"total": F.huber_loss(told, batch.value[measured].clamp(*SPAN))}


def ways_of(joints: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Readers alone, and the first of the joint encoders beside the others."""
    alone = {name: (name,) for name in (*joints, STRUCTURE, SEQUENCE)}
    both = {f"{SEQUENCE} and {STRUCTURE}": (SEQUENCE, STRUCTURE)}
    return (
        alone
        | both
        | {f"{joints[0]}, {SEQUENCE} and {STRUCTURE}": (joints[0], SEQUENCE, STRUCTURE)}
    )


def compare_readers(
    proteins: Sequence[StabilityProtein],
    ways: Mapping[str, Sequence[str]],
    side: str,
    kept: Path,
    fabric: Fabric,
    schedule: Schedule = READING_SCHEDULE,
) -> dict[str, Any]:
    """Figures of the network over each way of reading, on proteins of `side`.

    Parameters
    ----------
    ways : mapping
        What it is called -> the readers whose vectors stand side by side.
    kept : Path
        Folder of the checkpoints.

    Raises
    ------
    InputError
        A side has no protein.
    """
    parts = {
        name: [one for one in proteins if one.side == name]
        for name in ("train", "validation", side)
    }
    for name, some in parts.items():
        if not some:
            raise InputError(f"no protein of the {name} side has measured stability and backbone.")
    group = np.array([one.group for one in parts[side]])
    figures = {}
    for way, readers in ways.items():
        told = _told(parts["train"], parts["validation"], parts[side], readers, kept / way, fabric,
                     schedule)  # fmt: skip
        rho = np.array([_rank(one, own) for one, own in zip(parts[side], told, strict=True)])
        figures[way] = {FIGURE: with_interval(mean_of(rho), group)}
    return {"figures": figures, "proteins": len(parts[side]), "training": len(parts["train"])}


def _told(
    train: Sequence[StabilityProtein],
    held: Sequence[StabilityProtein],
    asked: Sequence[StabilityProtein],
    readers: Sequence[str],
    kept: Path,
    fabric: Fabric,
    schedule: Schedule,
) -> list[Tensor]:
    """Mean answers of `SEEDS` networks for each protein that is asked about, (n, 20) each."""
    every = _together(train, readers)
    weight = torch.cat([torch.full((len(one.letter),), len(one.letter) ** -0.5) for one in train])
    answers: list[Tensor] = [torch.zeros_like(one.value) for one in asked]
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        network = ReadingNetwork(every.read.shape[1])
        network.centre.copy_(every.read.mean(dim=0))
        network.spread.copy_(every.read.std(dim=0).clamp(min=1e-3))
        module = _Training(network)

        def batch(number: int, seed: int = seed) -> _Batch:
            chance = torch.Generator().manual_seed(seed * 1_000_003 + number)
            rows = torch.multinomial(weight, TOGETHER, replacement=True, generator=chance)
            some = _Batch(every.letter[rows], every.read[rows], every.value[rows])
            return _on(some, fabric.device)

        def figures(network: ReadingNetwork = network) -> dict[str, float]:
            rho = [_rank(one, _answer(network, one, readers)) for one in held]
            return {"loss": 1 - float(np.nanmean(rho))}

        fit(module, batch, schedule, kept / f"{seed}.pt", fabric=fabric,
            validation=Validation(figures))  # fmt: skip
        network.cpu().eval()
        for row, one in enumerate(asked):
            answers[row] += _answer(network, one, readers) / SEEDS
    return answers


@torch.no_grad()
def _answer(network: ReadingNetwork, protein: StabilityProtein, readers: Sequence[str]) -> Tensor:
    device = network.centre.device
    told: Tensor = network(protein.letter.to(device), protein.by(readers).to(device))
    return told.cpu()


def _together(proteins: Sequence[StabilityProtein], readers: Sequence[str]) -> _Batch:
    return _Batch(
        torch.cat([one.letter for one in proteins]),
        torch.cat([one.by(readers) for one in proteins]),
        torch.cat([one.value for one in proteins]),
    )


def _on(batch: _Batch, device: torch.device) -> _Batch:
    return _Batch(batch.letter.to(device), batch.read.to(device), batch.value.to(device))


def _rank(protein: StabilityProtein, told: Tensor) -> float:
    measured = torch.isfinite(protein.value)
    return spearman(told[measured].double().numpy(), protein.value[measured].double().numpy())
