"""Training and measuring of the head of thermostability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from glass_core.errors import InputError
from glass_core.models.evaluation import HEAD
from glass_core.models.heads.pooled_network import PooledNetwork
from glass_core.models.heads.scalar import ScalarConfig, ScalarHead
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import conservative_mutants
from glass_core.training.data.labelled import Labelled, targets
from glass_core.training.loop import History, Schedule
from glass_core.training.properties.figures import noise_of, number_figures, within
from glass_core.training.properties.numbers import NumberReader
from glass_core.training.properties.pooled import (
    SCHEDULE,
    Numbers,
    by_groups,
    told_of,
    train_pooled,
    with_fields,
)

COMPOSITION, LENGTH, SPECIES = "composition", "length", "mean of the species"
HEAT_SCHEDULE = replace(SCHEDULE, steps=700, every=50, peak=6e-4, weight_decay=0.1)
_RIDGE = 10.0
_MUTANTS, _ASKED = 3, 60

Vector = NDArray[np.float64]


def side_of(proteins: Sequence[Labelled], side: str) -> list[int]:
    """Rows of one side."""
    return [row for row, one in enumerate(proteins) if one.side == side]


def train_thermostability(
    proteins: Sequence[Labelled],
    read: Tensor,
    config: ScalarConfig,
    checkpoint: Path,
    fabric: Fabric,
    schedule: Schedule = HEAT_SCHEDULE,
) -> tuple[ScalarHead, History]:
    """A head trained on the training side; its interval is measured on validation.

    Parameters
    ----------
    read : Tensor, shape=(n, inputs)

    Raises
    ------
    InputError
        A side has no protein.
    """
    train, held = side_of(proteins, "train"), side_of(proteins, "validation")
    if not train or not held:
        raise InputError("the training or the validation side has no protein.")
    celsius = targets(proteins).astype(np.float64)[:, 0]
    config = replace(
        config, middle=float(celsius[train].mean()), unit=float(celsius[train].std()) or 1.0
    )
    scaled = torch.from_numpy((celsius - config.middle) / config.unit).float()[:, None]
    weight = by_groups(np.array([one.group for one in proteins]))

    torch.manual_seed(schedule.seed)
    head, history = train_pooled(
        ScalarHead(config),
        "number",
        Numbers(read[train], scaled[train], weight[train]),
        Numbers(read[held], scaled[held], weight[held]),
        checkpoint,
        fabric,
        schedule,
    )
    told = celsius_of(head, read[held], config)
    return with_fields(head, within=within(told, celsius[held])), history


def celsius_of(head: PooledNetwork, read: Tensor, config: ScalarConfig) -> Vector:
    """Mean temperatures of the members, shape=(n,), in °C."""
    told = told_of(head, read).mean(dim=0)[:, 0].double().numpy()
    return np.asarray(config.middle + config.unit * told)


def measure_noise(
    head: ScalarHead, proteins: Sequence[Labelled], read: Tensor, reader: NumberReader
) -> float:
    """What conservative substitutions change the temperature by, in °C, times length."""
    held = side_of(proteins, "validation")[:_ASKED]
    mutants = [
        (row, mutant)
        for row in held
        for mutant in conservative_mutants(proteins[row].sequence, _MUTANTS, row)
    ]
    told = celsius_of(head, reader.of_sequences([m for _, m in mutants]), head.config)
    wild = celsius_of(head, read, head.config)
    return noise_of(
        [
            float(told[k] - wild[row]) * len(proteins[row].sequence)
            for k, (row, _) in enumerate(mutants)
        ]
    )


def evaluate_thermostability(
    head: ScalarHead, proteins: Sequence[Labelled], read: Tensor, side: str
) -> dict[str, Any]:
    """Figures on one side, beside composition, length and the mean of the species."""
    asked, train = side_of(proteins, side), side_of(proteins, "train")
    celsius = targets(proteins).astype(np.float64)[:, 0]
    group = np.array([proteins[row].group for row in asked])
    kinds = [proteins[row].kind for row in asked]
    shares = np.stack([composition(one.sequence) for one in proteins])
    told = {
        HEAD: celsius_of(head, read[asked], head.config),
        COMPOSITION: _ridge(shares[train], celsius[train], shares[asked]),
        LENGTH: _ridge(shares[train][:, -1:], celsius[train], shares[asked][:, -1:]),
        SPECIES: _of_species(proteins, train, asked, celsius),
    }
    return {
        "proteins": len(asked),
        "training": len(train),
        "figures": {
            who: number_figures(values, celsius[asked], group, kinds)
            for who, values in told.items()
        },
    }


def composition(sequence: str) -> Vector:
    """Shares of the 20 letters and the logarithm of the length, shape=(21,)."""
    shares = [sequence.count(letter) / len(sequence) for letter in STANDARD]
    return np.array([*shares, np.log(len(sequence))])


def _ridge(train: Vector, measured: Vector, asked: Vector) -> Vector:
    middle, spread = train.mean(axis=0), train.std(axis=0) + 1e-9
    x, y = (train - middle) / spread, measured - measured.mean()
    slope = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ y)
    return np.asarray((asked - middle) / spread @ slope + measured.mean())


def _of_species(
    proteins: Sequence[Labelled], train: list[int], asked: list[int], celsius: Vector
) -> Vector:
    means: dict[str, float] = {}
    for kind in {proteins[row].kind for row in train}:
        means[kind] = float(np.mean([celsius[row] for row in train if proteins[row].kind == kind]))
    overall = float(celsius[train].mean())
    return np.array([means.get(proteins[row].kind, overall) for row in asked])
