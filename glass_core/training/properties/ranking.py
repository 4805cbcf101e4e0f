"""Training and measuring of the ranking head, on structures that were spoilt on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import InputError
from glass_core.models.evaluation import HEAD
from glass_core.models.heads.pooled_network import PooledNetwork
from glass_core.models.heads.scalar import ScalarConfig, ScalarHead
from glass_core.progress import Say
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import conservative_mutants
from glass_core.training.data.backbones import BackboneChain
from glass_core.training.data.decoys import DECOY_KINDS, Decoy, decoys_of
from glass_core.training.data.splits import Split
from glass_core.training.loop import History, Schedule
from glass_core.training.properties.figures import noise_of, ranking_figures, within
from glass_core.training.properties.numbers import NumberReader
from glass_core.training.properties.pooled import (
    SCHEDULE,
    Numbers,
    told_of,
    train_pooled,
    with_fields,
)

MPNN, COMPACT = "ProteinMPNN's likelihood of the letters", "compactness"
TARGETS: dict[Split, int] = {"train": 160, "validation": 40, "test": 90}
"""Chains of each side, one of each group."""
LENGTHS = (50, 150)
"""Residues that a target has."""
RANKING_SCHEDULE = replace(SCHEDULE, steps=2_000, every=200)
_MUTANTS = 1

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decoys:
    """Decoys of the targets of all sides, with what the head takes of them.

    Attributes
    ----------
    decoys : list of Decoy
    side : ndarray, shape=(n,)
        Of the split.
    read : Tensor, shape=(n, inputs)
    """

    decoys: list[Decoy]
    side: NDArray[np.str_]
    read: Tensor

    def rows(self, side: str) -> NDArray[np.int64]:
        """Those of one side."""
        return np.flatnonzero(self.side == side)

    @property
    def gdt(self) -> Vector:
        """GDT_TS of each."""
        return np.array([one.gdt for one in self.decoys])

    @property
    def targets(self) -> NDArray[np.str_]:
        """Whose structure each is to be."""
        return np.array([one.target for one in self.decoys])


def draw_targets(chains: Sequence[BackboneChain], seed: int = 0) -> Iterator[BackboneChain]:
    """Targets of every side, one of each group, in an order that chance gives."""
    counted: dict[Split, int] = dict.fromkeys(TARGETS, 0)
    seen: set[str] = set()
    fit = [one for one in chains if LENGTHS[0] <= len(one.sequence) <= LENGTHS[1]]
    for row in np.random.default_rng(seed).permutation(len(fit)):
        one = fit[row]
        if one.group not in seen and counted[one.side] < TARGETS[one.side]:
            seen.add(one.group)
            counted[one.side] += 1
            yield one


def prepare_decoys(chains: Sequence[BackboneChain], reader: NumberReader, tell: Say) -> Decoys:
    """Make the decoys, and read what the head takes of them.

    Raises
    ------
    InputError
        There are too few chains.
    """
    targets = list(draw_targets(chains))
    if len({one.side for one in targets}) < len(TARGETS):
        raise InputError("a side has no chain of a fitting length.")
    decoys: list[Decoy] = []
    sides: list[str] = []
    for number, one in enumerate(targets):
        others = [other for other in targets if other.side == one.side]
        made = list(decoys_of(one, others, number))
        decoys += made
        sides += [one.side] * len(made)
    tell(f"reading {len(decoys):,} decoys of {len(targets)} targets")
    read = reader.of_structures(
        [one.backbone.letters for one in decoys], [one.backbone for one in decoys]
    )
    return Decoys(decoys, np.array(sides), read)


def train_ranking(
    decoys: Decoys,
    config: ScalarConfig,
    checkpoint: Path,
    fabric: Fabric,
    schedule: Schedule = RANKING_SCHEDULE,
) -> tuple[ScalarHead, History]:
    """A head trained on the training side; its interval is measured on validation."""
    config = replace(config, bounded=True)
    target = torch.from_numpy(decoys.gdt).float()[:, None]
    train, held = (torch.from_numpy(decoys.rows(side)) for side in ("train", "validation"))
    even = torch.ones(len(target))

    torch.manual_seed(schedule.seed)
    head, history = train_pooled(
        ScalarHead(config),
        "share",
        Numbers(decoys.read[train], target[train], even[train]),
        Numbers(decoys.read[held], target[held], even[held]),
        checkpoint,
        fabric,
        schedule,
    )
    told = gdt_of(head, decoys.read[held])
    return with_fields(head, within=within(told, decoys.gdt[held.numpy()])), history


def gdt_of(head: PooledNetwork, read: Tensor) -> Vector:
    """Mean GDT_TS of the members, shape=(n,)."""
    return np.asarray(told_of(head, read).double().sigmoid().mean(dim=0)[:, 0].numpy())


def measure_noise(head: ScalarHead, decoys: Decoys, reader: NumberReader) -> float:
    """What conservative substitutions change the quality of a right structure by, times length."""
    rows = [
        row for row in decoys.rows("validation").tolist() if decoys.decoys[row].kind == "native"
    ]
    mutants, backbones, wild = [], [], []
    for row in rows:
        backbone = decoys.decoys[row].backbone
        for mutant in conservative_mutants(backbone.letters, _MUTANTS, row):
            mutants.append(mutant)
            backbones.append(backbone.with_letters(mutant))
            wild.append(row)
    told = gdt_of(head, reader.of_structures(mutants, backbones))
    lengths = np.array([len(mutant) for mutant in mutants])
    return noise_of(list((told - gdt_of(head, decoys.read[wild])) * lengths))


def evaluate_ranking(
    head: ScalarHead, decoys: Decoys, side: str, structures: StructureEmbedder | None, tell: Say
) -> dict[str, Any]:
    """Ranks within targets and over all decoys of one side, and of each kind of decoy beside.

    Compared with the mean log-probability that ProteinMPNN gives the letters, and with how
    compact a structure is for its length.

    Parameters
    ----------
    structures : StructureEmbedder or None
        ProteinMPNN; None = the head alone.
    """
    rows = decoys.rows(side)
    some = [decoys.decoys[row] for row in rows]
    told = {HEAD: gdt_of(head, decoys.read[torch.from_numpy(rows)])}
    if structures is not None:
        tell(f"{side}: {len(some):,} decoys by ProteinMPNN")
        told[MPNN] = np.array([likelihood(one, structures) for one in some])
        told[COMPACT] = np.array([compactness(one) for one in some])
    gdt, target = decoys.gdt[rows], decoys.targets[rows]
    kinds = np.array([one.kind for one in some])
    with_native = ("native", "threaded", "shifted")
    return {
        "decoys": len(some),
        "targets": len(np.unique(target)),
        "kinds": {kind: int((kinds == kind).sum()) for kind in DECOY_KINDS},
        "figures": {who: ranking_figures(values, gdt, target) for who, values in told.items()},
        "by_kind": {
            kind: {
                who: ranking_figures(*(x[kinds == kind] for x in (values, gdt, target)))
                for who, values in told.items()
            }
            for kind in DECOY_KINDS
            if kind not in with_native
        },
    }


def likelihood(decoy: Decoy, structures: StructureEmbedder) -> float:
    """Mean log-probability of the letters on the backbone, every other letter being seen."""
    read = structures.read("backbone", decoy.backbone)
    table = read[:, -2 * len(STANDARD) : -len(STANDARD)]
    letters = torch.tensor([STANDARD.find(letter) for letter in decoy.backbone.letters])
    known = letters >= 0
    return float(table[known].gather(1, letters[known][:, None]).mean())


def compactness(decoy: Decoy) -> float:
    """Radius of gyration against that of a globule of its length, smaller = higher."""
    ca = decoy.backbone.ca.astype(float)
    radius = np.sqrt(((ca - ca.mean(axis=0)) ** 2).sum(axis=1).mean())
    return float(-radius / (2.2 * len(ca) ** 0.38))
