"""Pre-training of the joint encoder: it learns to undo noise in structure and sequence.

Each view's noise is told from what the encoder makes of the other one (SiamDiff); or, for
comparison, properties of a single view are told from itself (`self_prediction`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor, nn

from glass_core.embedders.compact_encoder import CompactEncoder
from glass_core.embedders.joint_geometry import CA, gathered
from glass_core.embedders.joint_network import JointConfig, JointEncoder
from glass_core.embedders.mpnn_edges import RADIAL, radial
from glass_core.embedders.weights import read_tensors
from glass_core.errors import InputError
from glass_core.models.space.structures import JointReader
from glass_core.protein.sequence import STANDARD
from glass_core.training.data.backbones import read_backbones
from glass_core.training.joint_views import STAGES, Stage, View, ViewDraw, Views
from glass_core.training.loop import History, Schedule, Validation, fit, write_record
from glass_core.training.self_prediction import SelfPrediction

Objective = Literal["denoising", "self-prediction"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
SMALL = JointConfig()
PAPER = JointConfig(dim=512, pair_dim=128, layers=6, heads=8, neighbours=30)
SIZES = {"small": SMALL, "paper": PAPER}
"""Of this encoder on a processor, and of the width of the published ones."""
SCHEDULE = Schedule(steps=8_000, peak=6e-4, warmup=300, decay=0.3, every=500)
SECOND = 0.15
"""Share of the steps that the second stage has."""
TOGETHER, LONGEST = 32, 160
"""Chains in a batch, and residues of each at most."""
ENCODER_FILE, CONFIG_FILE = "joint.safetensors", "joint.json"
_SHIFT_WIDTH = 96
_HELD_BATCHES, _HELD_SEED = 8, 1_000_000


@dataclass(frozen=True)
class Pretraining:
    """What is pre-trained, and how.

    Attributes
    ----------
    config : JointConfig
    objective : {"denoising", "self-prediction"}
    schedule : Schedule
        Of both stages together.
    together, longest : int
        Chains in a batch, residues of each at most.
    left_out : tuple of str
        Pandas queries; chains that match one are left out.
    """

    config: JointConfig = SMALL
    objective: Objective = "denoising"
    schedule: Schedule = SCHEDULE
    together: int = TOGETHER
    longest: int = LONGEST
    left_out: tuple[str, ...] = ()


class Denoising(nn.Module):
    """The encoder with what tells the noise; views in, losses out."""

    def __init__(self, encoder: JointEncoder, structure_weight: float) -> None:
        super().__init__()
        self.encoder, self.structure_weight = encoder, structure_weight
        dim = encoder.config.dim
        self.own, self.other = nn.Linear(dim, _SHIFT_WIDTH), nn.Linear(dim, _SHIFT_WIDTH)
        self.distance = nn.Linear(RADIAL, _SHIFT_WIDTH)
        self.shift = nn.Sequential(
            nn.GELU(), nn.Linear(_SHIFT_WIDTH, _SHIFT_WIDTH), nn.GELU(), nn.Linear(_SHIFT_WIDTH, 1)
        )
        self.letter = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, len(STANDARD)))

    def forward(self, batch: Views) -> dict[str, Tensor]:
        """``structure``: share of the noise left unexplained; ``sequence``: nats; ``total``."""
        told = [self.encoder(view.noised, batch.sequence, view.near) for view in batch.views]
        first, second = batch.views
        structure = torch.stack(
            [
                self._unexplained(told[1], first, batch.spread),
                self._unexplained(told[0], second, batch.spread),
            ]
        ).mean()
        sequence = torch.stack(
            [
                F.cross_entropy(
                    self.letter(one[batch.hidden]).float(),
                    batch.letters[batch.hidden],
                    ignore_index=len(STANDARD),
                )
                for one in told
            ]
        ).mean()
        weight = self.structure_weight
        losses = {"structure": structure, "sequence": sequence}
        return {"total": weight * structure + (1 - weight) * sequence, **losses}

    def _unexplained(self, told: Tensor, view: View, spread: Tensor) -> Tensor:
        """What is left of a view's noise after that which the other view's vectors tell of it.

        Noise along the line to each neighbour, in units of its spread, is summed into a vector
        of each residue; as a share of its square, so that telling nothing is 1.
        """
        known = view.noised.known
        clean, noised = view.clean[:, :, CA], view.noised.coordinates[:, :, CA]
        apart = gathered(noised, view.near) - noised[:, :, None]
        distance = apart.norm(dim=-1)
        before = (gathered(clean, view.near) - clean[:, :, None]).norm(dim=-1)
        along = F.normalize(apart, dim=-1)
        noise = ((distance - before) / spread[:, None, None])[..., None]
        pair = (
            self.own(told)[:, :, None]
            + gathered(self.other(told), view.near)
            + self.distance(radial(distance))
        )
        seen = (gathered(known, view.near) & known[:, :, None])[..., None]
        wanted = (noise * along * seen).sum(2)
        found = (self.shift(pair).float() * along * seen).sum(2)
        return (wanted - found).square().sum() / wanted.square().sum().clamp(min=1e-6)


def pretrain_joint(
    chains: Path,
    out: Path,
    language: CompactEncoder,
    fabric: Fabric,
    how: Pretraining | None = None,
) -> History:
    """Pre-train an encoder on the training chains of a table; resumes from the files in `out`.

    `out` gets ``joint.safetensors``, ``joint.json`` and ``joint-training.json``.

    Parameters
    ----------
    chains : Path
        See `read_backbones`.
    language : CompactEncoder
        Embeds the sequences; stays as it is.

    Raises
    ------
    InputError
        There are no training chains.
    """
    how = how or Pretraining()
    every = read_backbones(chains, how.left_out)
    train = [one for one in every if one.side == "train"]
    held = [one for one in every if one.side == "validation"]
    if not train:
        raise InputError(f"{chains}: holds no chain of the training side.")
    language = language.to(fabric.device).eval().requires_grad_(requires_grad=False)
    torch.manual_seed(how.schedule.seed)
    encoder = JointEncoder(how.config).to(fabric.device)
    out.mkdir(parents=True, exist_ok=True)
    histories = []
    for number, (stage, schedule) in enumerate(_stages(how), start=1):
        module: nn.Module = (
            Denoising(encoder, stage.structure_weight)
            if how.objective == "denoising"
            else SelfPrediction(encoder)
        )

        def drawn(some: list, seed: int, stage: Stage = stage) -> ViewDraw:
            return ViewDraw(
                some,
                encoder,
                language,
                stage,
                together=how.together,
                longest=how.longest,
                seed=seed,
            )

        draw = drawn(train, schedule.seed + number)
        histories.append(
            fit(
                module.to(fabric.device),
                draw.batch,
                schedule,
                out / f"stage-{number}.pt",
                fabric=fabric,
                validation=_judged(module, drawn(held, _HELD_SEED), fabric) if held else None,
            )
        )
    history = histories[-1]
    if fabric.is_global_zero:
        weights = {name: value.cpu().contiguous() for name, value in encoder.state_dict().items()}
        save_file(weights, out / ENCODER_FILE)
        (out / CONFIG_FILE).write_text(json.dumps(how.config.to_dict()) + "\n")
        write_record(
            out / "joint-training.json",
            history,
            {**asdict(how), "stages": [asdict(stage) for stage in STAGES]},
            {"chains": chains},
        )
    return history


def read_joint(folder: Path) -> JointEncoder:
    """The encoder that `pretrain_joint` left in a folder.

    Raises
    ------
    InputError
        It holds none.
    ModelError
        Its files are damaged.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise InputError(f"{folder}: holds no {CONFIG_FILE}.")
    encoder = JointEncoder(JointConfig.from_dict(json.loads(path.read_text(encoding="utf-8"))))
    read_tensors(folder / ENCODER_FILE, encoder)
    return encoder.eval()


def joint_reader(folder: Path, device: torch.device) -> JointReader:
    """The encoder in a folder as a reader of structures alone, named by the folder.

    Raises
    ------
    InputError
        It reads sequences, too.
    """
    encoder = read_joint(folder)
    if encoder.config.fusion != "structure":
        raise InputError(f"{folder}: reads sequences, too; a tower of structures must not.")
    return JointReader(encoder.to(device), f"joint {folder.name}")


def _stages(how: Pretraining) -> list[tuple[Stage, Schedule]]:
    """The stages with their schedules; self-prediction has one, of hardly any noise."""
    whole = how.schedule
    if how.objective != "denoising":
        return [(STAGES[1], whole)]
    second = max(round(SECOND * whole.steps), 1)
    return [
        (STAGES[0], replace(whole, steps=max(whole.steps - second, 1))),
        (STAGES[1], replace(whole, steps=second, peak=whole.peak / 2)),
    ]


def _judged(module: nn.Module, draw: ViewDraw, fabric: Fabric) -> Validation:
    """Mean losses over the same batches of held-out chains each time."""

    def figures() -> dict[str, float]:
        every = []
        for number in range(_HELD_BATCHES):
            with fabric.autocast():
                every.append({k: float(v) for k, v in module(draw.batch(number)).items()})
        mean = {name: sum(one[name] for one in every) / len(every) for name in every[0]}
        return {"loss": mean.pop("total"), **mean}

    return Validation(figures, keep_best=False)
