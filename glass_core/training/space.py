"""Training of the space: whole structures against random stretches of their sequences.

Contrastive: of the structures in a batch, a stretch must find its own (CLSS trains so, in this
direction alone), and a structure its stretch. No label of a protein is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glass_core.embedders.compact_encoder import CompactEncoder, tokenise
from glass_core.errors import InputError
from glass_core.models.space.structures import StructureReader
from glass_core.models.space.towers import Space, SpaceConfig
from glass_core.training.data.backbones import BackboneChain, read_backbones
from glass_core.training.loop import History, Schedule, Validation, fit, write_record

Direction = Literal["both", "sequence"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
"""Which finds which: each the other, or a stretch its structure alone."""
SHORTEST = 10
"""Residues of a stretch at least."""
SPACE_SCHEDULE = Schedule(steps=4_000, peak=4e-4, warmup=200, decay=0.5, every=400)
TOGETHER = 256
"""Chains in a batch, each of another family."""
FIRST_TEMPERATURE = 0.07
WEIGHTS_FILE, CONFIG_FILE, READ_FILE = "space.safetensors", "space.json", "structures.safetensors"


@dataclass(frozen=True)
class SpaceTraining:
    """How a space is trained.

    Attributes
    ----------
    schedule : Schedule
    direction : {"both", "sequence"}
    stretches : bool
        Random stretches of the sequences; else whole ones.
    temperature : float or None
        Of the cosines; None = learnt.
    frozen : bool
        Whether the sequence's encoder stays as it is.
    together : int
        Chains in a batch.
    left_out : tuple of str
        Pandas queries; chains that match one are left out.
    """

    schedule: Schedule = SPACE_SCHEDULE
    direction: Direction = "both"
    stretches: bool = True
    temperature: float | None = None
    frozen: bool = False
    together: int = TOGETHER
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Facing:
    """Stretches and the structures that face them.

    Attributes
    ----------
    tokens : Tensor, shape=(B, L)
    mask : Tensor, shape=(B, L), dtype=bool
    read : Tensor, shape=(B, structure_dim)
    """

    tokens: Tensor
    mask: Tensor
    read: Tensor


class FacingDraw:
    """Batches of stretches and structures, each a function of its number."""

    def __init__(
        self,
        chains: Sequence[BackboneChain],
        read: Tensor,
        how: SpaceTraining,
        window: int,
        device: torch.device,
    ) -> None:
        self._chains, self._read, self._how = chains, read.to(device), how
        self._window, self._device = window, device
        families: dict[str, list[int]] = {}
        for row, chain in enumerate(chains):
            families.setdefault(chain.family, []).append(row)
        self._families = list(families.values())

    def batch(self, number: int) -> Facing:
        """Batch `number`."""
        rng = np.random.default_rng([self._how.schedule.seed, number])
        count = min(self._how.together, len(self._families))
        drawn = rng.choice(len(self._families), count, replace=False)
        rows = [int(rng.choice(self._families[family])) for family in drawn]
        cut = [stretch(self._chains[row].sequence, rng, self._how.stretches) for row in rows]
        return self.facing(rows, [one[: self._window] for one in cut])

    def facing(self, rows: Sequence[int], sequences: Sequence[str]) -> Facing:
        """Given sequences with the structures of `rows`."""
        tokens, mask = tokenise(sequences, self._device)
        return Facing(tokens, mask, self._read[list(rows)])


def stretch(sequence: str, rng: np.random.Generator, some: bool = True) -> str:
    """A random stretch of at least `SHORTEST` residues; the whole, where not `some`."""
    if not some or len(sequence) <= SHORTEST:
        return sequence
    length = int(rng.integers(SHORTEST, len(sequence) + 1))
    start = int(rng.integers(len(sequence) - length + 1))
    return sequence[start : start + length]


class ContrastiveTraining(nn.Module):
    """Both towers and the temperature; batches in, losses out."""

    def __init__(self, space: Space, how: SpaceTraining) -> None:
        super().__init__()
        self.space, self.how = space, how
        first = FIRST_TEMPERATURE if how.temperature is None else how.temperature
        self.log_scale = nn.Parameter(torch.tensor(-np.log(first), dtype=torch.float32))
        self.log_scale.requires_grad_(how.temperature is None)
        space.sequences.encoder.requires_grad_(not how.frozen)

    def forward(self, batch: Facing) -> dict[str, Tensor]:
        """``total``, and ``first``: the share of stretches whose structure is the nearest."""
        sequences = self.space.sequences(batch.tokens, batch.mask)
        structures = self.space.structures(batch.read)
        logits = sequences @ structures.T * self.log_scale.clamp(max=5.0).exp()
        own = torch.arange(len(logits), device=logits.device)
        loss = F.cross_entropy(logits, own)
        if self.how.direction == "both":
            loss = (loss + F.cross_entropy(logits.T, own)) / 2
        first = (logits.argmax(dim=1) == own).float().mean()
        return {"total": loss, "first": first}


def structures_read(
    chains: Sequence[BackboneChain],
    reader: StructureReader,
    kept: Path,
    told: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """What a reader reads of each chain's backbone, shape=(n, dim); kept in the file `kept`."""
    there: Mapping[str, Tensor] = load_file(kept) if kept.is_file() else {}
    missing = [one for one in chains if one.id not in there]
    if missing:
        read = reader.read([one.backbone for one in missing], told)
        there = {**there, **{one.id: row for one, row in zip(missing, read, strict=True)}}
        kept.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: row.clone() for name, row in there.items()}, kept)
    found = torch.stack([there[one.id].float() for one in chains])
    if found.shape[1] != reader.dim:
        raise InputError(f"{kept}: was read by another reader than {reader.name}; remove it.")
    return found


def train_space(
    chains: Path,
    out: Path,
    language: CompactEncoder,
    reader: StructureReader,
    fabric: Fabric,
    how: SpaceTraining | None = None,
    told: Callable[[int], None] = lambda done: None,
) -> History:
    """Train both towers on the training chains; resumes from the files in `out`.

    `out` gets ``space.safetensors``, ``space.json`` and ``space-training.json``.

    Parameters
    ----------
    chains : Path
        See `read_backbones`.
    language : CompactEncoder
        Where the sequence's tower begins.
    reader : StructureReader
    told : callable
        Told how many structures were read.

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
    kept = out / READ_FILE
    read = structures_read([*train, *held], reader, kept, told)
    torch.manual_seed(how.schedule.seed)
    space = Space(language.config, SpaceConfig(reader.dim, reader.name))
    space.sequences.encoder.load_state_dict(language.state_dict())
    space.to(fabric.device)
    window, device = language.config.window, fabric.device
    draw = FacingDraw(train, read[: len(train)], how, window, device)
    judged = FacingDraw(held, read[len(train) :], how, window, device)

    def figures() -> dict[str, float]:
        found = retrieval(space, judged, [one.sequence[:window] for one in held])
        return {"loss": -found["top 10"], **found}

    history = fit(
        ContrastiveTraining(space, how),
        draw.batch,
        how.schedule,
        out / "space.pt",
        fabric=fabric,
        validation=Validation(figures),
    )
    if fabric.is_global_zero:
        weights = {k: v.cpu().contiguous() for k, v in space.state_dict().items()}
        save_file(weights, out / WEIGHTS_FILE)
        (out / CONFIG_FILE).write_text(json.dumps(space.config.to_dict()) + "\n")
        write_record(
            out / "space-training.json",
            history,
            asdict(how),
            {"chains": chains, "structures": kept},
        )
    return history


@torch.no_grad()
def retrieval(space: Space, draw: FacingDraw, sequences: Sequence[str]) -> dict[str, float]:
    """How well whole sequences find their structures among all of `draw`, and back."""
    left, right = [], []
    for begin in range(0, len(sequences), 32):
        rows = range(begin, min(begin + 32, len(sequences)))
        batch = draw.facing(list(rows), [sequences[row] for row in rows])
        left.append(space.sequences(batch.tokens, batch.mask))
        right.append(space.structures(batch.read))
    cosine = (torch.cat(left) @ torch.cat(right).T).cpu().numpy()
    found: dict[str, float] = {}
    for name, matrix in (("", cosine), ("back ", cosine.T)):
        rank = ranks(matrix)
        found |= {
            f"{name}top 1": float((rank < 1).mean()),
            f"{name}top 10": float((rank < 10).mean()),
        }
    return found


def ranks(cosine: NDArray[np.floating]) -> NDArray[np.int64]:
    """How many others are nearer to each row than its own column, shape=(n,); of ties, half."""
    own = np.diagonal(cosine)[:, None]
    nearer, level = (cosine > own).sum(1), (cosine == own).sum(1) - 1
    return np.asarray(nearer + (level + 1) // 2, dtype=np.int64)
