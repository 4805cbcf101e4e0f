"""Training of the space: whole structures against random stretches of their sequences.

Contrastive: of the structures in a batch, a stretch must find its own (CLSS trains so, in this
direction alone), and a structure its stretch. No label of a protein is used. What is read of
both is read once, by frozen models; two adapters are trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glass_core.errors import InputError
from glass_core.models.space.base import Told, stretch, untold
from glass_core.models.space.own import save_space
from glass_core.models.space.structures import StructureReader
from glass_core.models.space.towers import SpaceConfig, Towers
from glass_core.training.data.backbones import BackboneChain, read_backbones
from glass_core.training.loop import History, Schedule, Validation, fit, write_record

Direction = Literal["both", "sequence"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
"""Which finds which: each the other, or a stretch its structure alone."""
STRETCHES = 6
"""Of each chain, read before the training."""
SPACE_SCHEDULE = Schedule(steps=2_000, peak=6e-4, warmup=100, decay=0.5, every=100)
TOGETHER = 512
"""Chains in a batch, each of another family."""
WHOLE = 0.5
"""Share of a batch whose sequences are whole."""
FIRST_TEMPERATURE = 0.07
STRUCTURES_FILE, SEQUENCES_FILE = "structures-read.safetensors", "sequences-read.safetensors"
_SAVED_EVERY = 2_000


class SequencesReader(Protocol):
    """What reads sequences; see `models.space.sequences.SequenceReader`."""

    name: str
    dim: int

    @property
    def sha256(self) -> str:
        """Of the weights that read, in hex."""
        ...

    def read(self, sequences: Sequence[str], told: Told = untold) -> Tensor:
        """What it reads of each, shape=(n, dim)."""
        ...


@dataclass(frozen=True)
class SpaceTraining:
    """How a space is trained.

    Attributes
    ----------
    schedule : Schedule
    direction : {"both", "sequence"}
    stretches : int
        Random stretches of each sequence beside the whole one.
    temperature : float or None
        Of the cosines; None = learnt.
    whole : float
        Share of a batch whose sequences are whole; of the others a stretch.
    hidden : int
        Width of the adapters.
    together : int
        Chains in a batch.
    left_out : tuple of str
        Pandas queries; chains that match one are left out.
    """

    schedule: Schedule = SPACE_SCHEDULE
    direction: Direction = "both"
    stretches: int = STRETCHES
    temperature: float | None = None
    whole: float = WHOLE
    hidden: int = 512
    together: int = TOGETHER
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Facing:
    """What was read of stretches, and of the structures that face them, shape=(B, n) each."""

    sequences: Tensor
    structures: Tensor


class FacingDraw:
    """Batches of stretches and structures, each a function of its number.

    Parameters
    ----------
    families : sequence of str
        Of each chain.
    sequences : Tensor, shape=(n, 1 + stretches, sequence_dim)
        The whole one first.
    structures : Tensor, shape=(n, structure_dim)
    """

    def __init__(
        self, families: Sequence[str], sequences: Tensor, structures: Tensor, how: SpaceTraining
    ) -> None:
        self._sequences, self._structures = sequences, structures
        self._together, self._whole, self._seed = how.together, how.whole, how.schedule.seed
        members: dict[str, list[int]] = {}
        for row, family in enumerate(families):
            members.setdefault(family, []).append(row)
        self._families = list(members.values())

    def batch(self, number: int) -> Facing:
        """Batch `number`."""
        rng = np.random.default_rng([self._seed, number])
        count = min(self._together, len(self._families))
        drawn = rng.choice(len(self._families), count, replace=False)
        rows = [int(rng.choice(self._families[family])) for family in drawn]
        cut = rng.integers(self._sequences.shape[1], size=count)
        cut[rng.random(count) < self._whole] = 0
        return Facing(self._sequences[rows, cut], self._structures[rows])


class ContrastiveTraining(nn.Module):
    """Both towers and the temperature; batches in, losses out."""

    def __init__(self, towers: Towers, direction: Direction, temperature: float | None) -> None:
        super().__init__()
        self.towers, self.direction = towers, direction
        first = FIRST_TEMPERATURE if temperature is None else temperature
        self.log_scale = nn.Parameter(torch.tensor(-np.log(first), dtype=torch.float32))
        self.log_scale.requires_grad_(temperature is None)

    def forward(self, batch: Facing) -> dict[str, Tensor]:
        """``total``, and ``first``: the share of stretches whose structure is the nearest."""
        cosine = self.towers.sequences(batch.sequences) @ self.towers.structures(batch.structures).T
        logits = cosine * self.log_scale.clamp(max=5.0).exp()
        own = torch.arange(len(logits), device=logits.device)
        loss = F.cross_entropy(logits, own)
        if self.direction == "both":
            loss = (loss + F.cross_entropy(logits.T, own)) / 2
        return {"total": loss, "first": (logits.argmax(dim=1) == own).float().mean()}


def structures_read(
    chains: Sequence[BackboneChain], reader: StructureReader, kept: Path, told: Told = untold
) -> Tensor:
    """What a reader reads of each chain's backbone, shape=(n, dim).

    Kept in a file, which is written now and then: what it holds is not read again.

    Raises
    ------
    InputError
        The file is another reader's.
    """

    def read(some: Sequence[BackboneChain]) -> Tensor:
        return reader.read([one.backbone for one in some])

    return _kept(chains, read, (reader.dim,), kept, reader.name, told)


def sequences_read(
    chains: Sequence[BackboneChain],
    reader: SequencesReader,
    stretches: int,
    kept: Path,
    told: Told = untold,
) -> Tensor:
    """What is read of each chain's sequence and of random stretches of it, the whole one first.

    Kept in a file, as `structures_read` does.

    Returns
    -------
    Tensor, shape=(n, 1 + stretches, dim)
    """

    def read(some: Sequence[BackboneChain]) -> Tensor:
        every = []
        for one in some:
            rng = np.random.default_rng(np.frombuffer(one.id.encode(), np.uint8))
            every += [one.sequence, *(stretch(one.sequence, rng) for _ in range(stretches))]
        return reader.read(every).unflatten(0, (len(some), 1 + stretches))

    shape = (1 + stretches, reader.dim)
    return _kept(chains, read, shape, kept, f"{reader.name} {reader.sha256}", told)


def _kept(
    chains: Sequence[BackboneChain],
    read: Callable[[Sequence[BackboneChain]], Tensor],
    shape: tuple[int, ...],
    kept: Path,
    reader: str,
    told: Told,
) -> Tensor:
    there: dict[str, Tensor] = {}
    if kept.is_file():
        with safe_open(kept, "pt") as file:
            by = (file.metadata() or {}).get("reader")
        there = load_file(kept)
        if by != reader or any(one.shape != shape for one in there.values()):
            raise InputError(f"{kept}: was read by {by}, not by {reader}; remove it.")
    missing = [one for one in chains if one.id not in there]
    kept.parent.mkdir(parents=True, exist_ok=True)
    for begin in range(0, len(missing), _SAVED_EVERY):
        some = missing[begin : begin + _SAVED_EVERY]
        for one, row in zip(some, read(some), strict=True):
            there[one.id] = row.half().clone()
        unfinished = kept.with_suffix(".part")
        save_file(there, unfinished, {"reader": reader})
        unfinished.replace(kept)
        told(begin + len(some))
    return torch.stack([there[one.id] for one in chains]).float()


def train_space(
    chains: Path,
    out: Path,
    sequences: SequencesReader,
    structures: StructureReader,
    fabric: Fabric,
    how: SpaceTraining | None = None,
    told: Told = untold,
) -> History:
    """Train both towers on the training chains; resumes from the files in `out`.

    `out` becomes a space (`models.space.own`), with ``training.json``.

    Parameters
    ----------
    chains : Path
        See `read_backbones`.
    sequences, structures : readers
    told : callable
        Told how many chains were read.

    Raises
    ------
    InputError
        There are no training or no validation chains.
    """
    how = how or SpaceTraining()
    every = read_backbones(chains, how.left_out)
    train = [one for one in every if one.side == "train"]
    held = [one for one in every if one.side == "validation"]
    if not train or not held:
        raise InputError(f"{chains}: holds no chain of the train or of the validation side.")
    both = [*train, *held]
    read = sequences_read(both, sequences, how.stretches, out / SEQUENCES_FILE, told)
    seen = structures_read(both, structures, out / STRUCTURES_FILE, told)
    read, seen, count = read.to(fabric.device), seen.to(fabric.device), len(train)
    torch.manual_seed(how.schedule.seed)
    config = SpaceConfig(sequences.dim, structures.dim, hidden=how.hidden)
    towers = Towers(config).to(fabric.device)
    families = [one.family for one in train]
    draw = FacingDraw(families, read[:count], seen[:count], how)
    facing = Facing(read[count:, 0], seen[count:])

    def figures() -> dict[str, float]:
        found = retrieval(cosines(towers, facing))
        return {"loss": -found["top 10"], **found}

    history = fit(
        ContrastiveTraining(towers, how.direction, how.temperature),
        draw.batch,
        how.schedule,
        out / "space.pt",
        fabric=fabric,
        validation=Validation(figures),
    )
    if fabric.is_global_zero:
        save_space(out, towers.cpu(), sequences.name, sequences.sha256, structures.name)
        write_record(out / "training.json", history, asdict(how), {"chains": chains})
    return history


@torch.no_grad()
def cosines(towers: Towers, facing: Facing) -> NDArray[np.float32]:
    """Of every sequence, in rows, with every structure, in columns."""
    found = towers.sequences(facing.sequences) @ towers.structures(facing.structures).T
    return np.asarray(found.float().cpu().numpy())


def retrieval(cosine: NDArray[np.floating]) -> dict[str, float]:
    """How well each row finds its own column among all, and each column its row."""
    found: dict[str, float] = {}
    for name, matrix in (("", cosine), ("back ", cosine.T)):
        rank = ranks(matrix)
        found[f"{name}top 1"] = float((rank < 1).mean())
        found[f"{name}top 10"] = float((rank < 10).mean())
        found[f"{name}mrr"] = float((1 / (rank + 1)).mean())
    return found


def ranks(cosine: NDArray[np.floating], own: Sequence[int] | None = None) -> NDArray[np.int64]:
    """How many others are nearer to each row than its own column, shape=(n,); of ties, half.

    Parameters
    ----------
    cosine : ndarray, shape=(n, m)
    own : sequence of int, optional
        The column of each row; by default the one of its number.
    """
    rows = np.arange(len(cosine))
    mine = cosine[rows, rows if own is None else np.asarray(own)][:, None]
    nearer, level = (cosine > mine).sum(1), (cosine == mine).sum(1) - 1
    return np.asarray(nearer + (level + 1) // 2, dtype=np.int64)
