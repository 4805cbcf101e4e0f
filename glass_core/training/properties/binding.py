"""Training and measuring of the binding head, on SKEMPI 2.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glass_core.embedders.base import Embedder
from glass_core.embedders.joint import JointEmbedder
from glass_core.errors import InputError
from glass_core.models.evaluation import BLOSUM, HEAD
from glass_core.models.heads.binding import BindingConfig, BindingHead, changed_residues
from glass_core.models.properties.reading import read_chains
from glass_core.models.space.base import Told, untold
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.substitutions import CONSERVATIVE
from glass_core.training.data.complexes import BindingChange, Complex
from glass_core.training.loop import History, Schedule, Validation, fit
from glass_core.training.properties.figures import binding_figures, noise_of, within
from glass_core.training.properties.pooled import with_fields

CONTACTS, CONSTANT = "residues near the partner", "mean"
BINDING_SCHEDULE = Schedule(steps=600, peak=1e-3, warmup=50, decay=0.5, weight_decay=0.1, every=50)
TOGETHER = 128
NEAR = 10.0
"""Å between C-alphas."""
_SAVED_EVERY = 200

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bindings:
    """Measured changes with what the head takes of each residue that changes.

    Attributes
    ----------
    changes : list of BindingChange
    read : list of Tensor, shape=(residues, 4 J)
    """

    changes: list[BindingChange]
    read: list[Tensor]

    def of(self, side: str) -> Bindings:
        """Those of one side."""
        rows = [row for row, one in enumerate(self.changes) if one.side == side]
        return Bindings([self.changes[row] for row in rows], [self.read[row] for row in rows])

    @property
    def ddg(self) -> Vector:
        """kcal/mol of each."""
        return np.array([one.ddg for one in self.changes])


def read_bindings(
    changes: list[BindingChange],
    complexes: Mapping[str, Complex],
    embedder: Embedder,
    joint: JointEmbedder,
    kept: Path,
    told: Told = untold,
) -> Bindings:
    """Read every changed residue with its partner and without, as wild type and as mutant.

    Parameters
    ----------
    kept : Path
        File of what was read; read on from it.
    """
    there: dict[str, Tensor] = load_file(kept) if kept.is_file() else {}
    wild: dict[tuple[str, tuple[str, ...]], Tensor] = {}
    for done, one in enumerate(changes, start=1):
        if one.name not in there:
            there[one.name] = _read(one, complexes[one.complex], embedder, joint, wild).half()
            if done % _SAVED_EVERY == 0:
                _save(there, kept)
        told(done)
    _save(there, kept)
    return Bindings(changes, [there[one.name].float() for one in changes])


def _save(there: dict[str, Tensor], kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_suffix(".part")
    save_file(there, unfinished)
    unfinished.replace(kept)


def _read(
    one: BindingChange,
    among: Complex,
    embedder: Embedder,
    joint: JointEmbedder,
    wild: dict[tuple[str, tuple[str, ...]], Tensor],
) -> Tensor:
    def of(chains: tuple[str, ...], mutated: bool) -> Tensor:
        letters = {chain: list(among.backbones[chain].letters) for chain in chains}
        for chain, index, letter in one.changes if mutated else ():
            if chain in letters:
                letters[chain][index] = letter
        sequences = ["".join(letters[chain]) for chain in chains]
        return read_chains(embedder, joint, sequences, among.sites(chains))

    def kept(chains: tuple[str, ...]) -> Tensor:
        key = (one.complex, chains)
        if key not in wild:
            wild[key] = of(chains, mutated=False)
        return wild[key]

    every = (*among.sides[0], *among.sides[1])
    first = among.first(every)
    complexed = kept(every), of(every, mutated=True)
    rows = []
    for chain, index, _ in one.changes:
        own = next(side for side in among.sides if chain in side)
        alone = kept(own), of(own, mutated=True)
        place, place_own = first[chain] + index, among.first(own)[chain] + index
        rows.append(
            changed_residues(
                (complexed[0][[place]], complexed[1][[place]]),
                (alone[0][[place_own]], alone[1][[place_own]]),
            )
        )
    return torch.cat(rows)


@dataclass(frozen=True, eq=False)
class _Batch:
    residues: Tensor
    owner: Tensor
    ddg: Tensor


class _Training(nn.Module):
    def __init__(self, head: BindingHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, batch: _Batch) -> dict[str, Tensor]:
        added = self.head(batch.residues)
        told = torch.zeros(len(added), len(batch.ddg), device=added.device)
        told = told.index_add(1, batch.owner, added)
        return {"total": F.huber_loss(told, batch.ddg.expand_as(told))}


def train_binding(
    bindings: Bindings,
    config: BindingConfig,
    checkpoint: Path,
    fabric: Fabric,
    schedule: Schedule = BINDING_SCHEDULE,
) -> tuple[BindingHead, History]:
    """A head trained on the training side; its interval is measured on validation.

    Raises
    ------
    InputError
        A side has no change.
    """
    train, held = bindings.of("train"), bindings.of("validation")
    if not train.changes or not held.changes:
        raise InputError("the training or the validation side has no change of binding.")
    torch.manual_seed(schedule.seed)
    head = BindingHead(config)
    residues = torch.cat(train.read)
    head.centre.copy_(residues.mean(dim=0))
    head.spread.copy_(residues.std(dim=0).clamp(min=1e-3))
    head = head.to(fabric.device)
    _, which, count = np.unique(
        [one.complex for one in train.changes], return_inverse=True, return_counts=True
    )
    weight = torch.from_numpy(1 / np.sqrt(count[which]))

    def batch(number: int) -> _Batch:
        chance = torch.Generator().manual_seed(schedule.seed * 1_000_003 + number)
        rows = torch.multinomial(weight, TOGETHER, replacement=True, generator=chance).tolist()
        return _together(train, rows, fabric.device)

    module = _Training(head)
    every = _together(held, range(len(held.changes)), fabric.device)
    history = fit(
        module,
        batch,
        schedule,
        checkpoint,
        fabric=fabric,
        validation=Validation(lambda: {"loss": float(module(every)["total"])}),
    )
    head = head.cpu().eval()
    return with_fields(head, within=within(ddg_of(head, held), held.ddg)), history


def _together(bindings: Bindings, rows: Sequence[int], device: torch.device) -> _Batch:
    read = [bindings.read[row] for row in rows]
    owner = torch.repeat_interleave(
        torch.arange(len(read)), torch.tensor([len(one) for one in read])
    )
    ddg = torch.from_numpy(bindings.ddg[list(rows)]).float()
    return _Batch(torch.cat(read).to(device), owner.to(device), ddg.to(device))


@torch.no_grad()
def ddg_of(head: BindingHead, bindings: Bindings) -> Vector:
    """What the head tells of each change, shape=(n,), in kcal/mol."""
    return np.array([float(head(one).sum(dim=1).mean()) for one in bindings.read])


def measure_noise(head: BindingHead, bindings: Bindings, complexes: Mapping[str, Complex]) -> float:
    """What conservative single substitutions of the validation side are told to change."""
    table = blosum62_matrix()

    def conservative(one: BindingChange) -> bool:
        chain, index, letter = one.changes[0]
        wild = complexes[one.complex].backbones[chain].letters[index]
        return len(one.changes) == 1 and table[wild, letter] >= CONSERVATIVE

    held = bindings.of("validation")
    rows = [row for row, one in enumerate(held.changes) if conservative(one)]
    some = Bindings([held.changes[row] for row in rows], [held.read[row] for row in rows])
    return noise_of(list(ddg_of(head, some)))


def near_partner(one: BindingChange, among: Complex) -> int:
    """Residues of the other side within `NEAR` Å of those that change."""
    near = 0
    for chain, index, _ in one.changes:
        other = among.sides[1] if chain in among.sides[0] else among.sides[0]
        ca = np.concatenate([among.backbones[name].ca for name in other])
        place = among.backbones[chain].ca[index]
        near += int((np.linalg.norm(ca - place, axis=1) < NEAR).sum())
    return near


def evaluate_binding(
    head: BindingHead, bindings: Bindings, complexes: Mapping[str, Complex], side: str
) -> dict[str, Any]:
    """Figures on one side, beside BLOSUM62, the partner's nearness and the training's mean."""
    asked, train = bindings.of(side), bindings.of("train")
    table = blosum62_matrix()
    told = {
        HEAD: ddg_of(head, asked),
        BLOSUM: np.array(
            [
                -sum(
                    float(table[complexes[one.complex].backbones[chain].letters[index], letter])
                    for chain, index, letter in one.changes
                )
                for one in asked.changes
            ]
        ),
        CONTACTS: np.array(
            [float(near_partner(one, complexes[one.complex])) for one in asked.changes]
        ),
        CONSTANT: np.full(len(asked.changes), float(train.ddg.mean())),
    }
    group = np.array([one.complex for one in asked.changes])
    return {
        "changes": len(asked.changes),
        "complexes": len(set(group)),
        "training": len(train.changes),
        "stronger": int((asked.ddg < 0).sum()),
        "figures": {who: binding_figures(values, asked.ddg, group) for who, values in told.items()},
    }
