"""Training and measuring of the heads that tell classes: enzyme numbers, terms of an ontology."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from glass_core.errors import InputError
from glass_core.metrics.functions import f_max
from glass_core.models.evaluation import HEAD, HEAD_SEQUENCE, MMSEQS
from glass_core.models.heads.classes import ClassesConfig, ClassesHead
from glass_core.models.heads.pooled_network import PooledConfig, PooledNetwork
from glass_core.progress import Say
from glass_core.protein.substitutions import conservative_mutants
from glass_core.search.mmseqs import best_hits
from glass_core.training.data.labelled import Labelled, targets
from glass_core.training.evaluation.pairs import similarity
from glass_core.training.loop import History, Schedule
from glass_core.training.properties.figures import class_figures, noise_of
from glass_core.training.properties.numbers import NumberReader
from glass_core.training.properties.pooled import (
    SCHEDULE,
    Numbers,
    by_groups,
    told_of,
    train_pooled,
    with_fields,
    withheld,
)

NEIGHBOUR = "nearest mean embedding"
CLASSES_SCHEDULE = replace(SCHEDULE, steps=3_000, every=250)
ONTOLOGY_SCHEDULE = replace(SCHEDULE, steps=500, every=50, weight_decay=0.1)
HIDDEN = 512
MUTANTS, ASKED = 3, 60
"""Conservative substitutions of each of so many proteins, from which the noise is measured."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Labelled proteins with what the head takes of them.

    Attributes
    ----------
    proteins : list of Labelled
    labels : tuple of str
    read : Tensor, shape=(n, inputs)
    """

    proteins: list[Labelled]
    labels: tuple[str, ...]
    read: Tensor

    def of(self, side: str) -> Prepared:
        """The proteins of one side that have a class."""
        rows = [
            row for row, one in enumerate(self.proteins) if one.side == side and one.target.any()
        ]
        return Prepared([self.proteins[row] for row in rows], self.labels, self.read[rows])

    @property
    def groups(self) -> NDArray[np.str_]:
        """Of each protein."""
        return np.array([one.group for one in self.proteins])

    def numbers(self) -> Numbers:
        """As training takes them."""
        label = torch.from_numpy(targets(self.proteins))
        return Numbers(self.read, label, by_groups(self.groups))


def prepare(
    proteins: list[Labelled],
    labels: tuple[str, ...],
    reader: NumberReader,
    config: PooledConfig,
    tell: Say,
) -> Prepared:
    """Read what a head of some shape takes of the proteins."""
    tell(f"reading {len(proteins):,} sequences")
    sequences = [one.sequence for one in proteins]
    parts = [reader.of_sequences(sequences)]
    if config.joint_dim:
        there = sum(one.backbone is not None for one in proteins)
        tell(f"reading {there:,} structures")
        parts.append(reader.of_structures(sequences, [one.backbone for one in proteins]))
    return Prepared(proteins, labels, torch.cat(parts, dim=1))


def train_classes(
    prepared: Prepared,
    config: ClassesConfig,
    checkpoint: Path,
    fabric: Fabric,
    schedule: Schedule = CLASSES_SCHEDULE,
) -> tuple[ClassesHead, History]:
    """A head trained on the training side; its threshold is that of F-max on validation.

    Raises
    ------
    InputError
        A side has no protein with a class.
    """
    train, held = prepared.of("train"), prepared.of("validation")
    if not train.proteins or not held.proteins:
        raise InputError("the training or the validation side has no protein with a class.")

    torch.manual_seed(schedule.seed)
    head, history = train_pooled(
        ClassesHead(config),
        "classes",
        train.numbers(),
        held.numbers(),
        checkpoint,
        fabric,
        schedule,
        may_withhold=bool(config.joint_dim),
    )
    best = f_max(chances(head, held.read), targets(held.proteins))
    threshold = min(max(best.threshold, 0.01), 0.99)
    return with_fields(head, threshold=threshold), history


def chances(head: PooledNetwork, read: Tensor) -> NDArray[np.float64]:
    """Mean chances of the members, (n, inputs) -> (n, classes)."""
    return np.asarray(told_of(head, read).double().sigmoid().mean(dim=0).numpy())


def measure_noise(head: ClassesHead, prepared: Prepared, reader: NumberReader) -> float:
    """What conservative substitutions change the chance of the likeliest class by, times length."""
    held = prepared.of("validation")
    count = min(ASKED, len(held.proteins))
    wild = chances(head, withheld(held.read[:count], head.config))
    mutants = [
        (row, mutant)
        for row in range(count)
        for mutant in conservative_mutants(held.proteins[row].sequence, MUTANTS, row)
    ]
    read = torch.zeros(len(mutants), head.config.inputs)
    read[:, : 2 * head.config.embedding_dim] = reader.of_sequences([m for _, m in mutants])
    told = chances(head, read)
    return noise_of(
        [
            float(told[k, (label := int(wild[row].argmax()))] - wild[row, label])
            * len(held.proteins[row].sequence)
            for k, (row, _) in enumerate(mutants)
        ]
    )


def evaluate_classes(
    head: ClassesHead, prepared: Prepared, side: str, work: Path | None, tell: Say
) -> dict[str, Any]:
    """F-max on one side, beside transfer from the nearest training protein.

    By MMseqs2 the classes of its best hit count with their identity as chance, by the mean
    embedding those of the nearest with their cosine.

    Parameters
    ----------
    work : Path or None
        Folder for the files of MMseqs2; None = the head alone.
    """
    asked, train = prepared.of(side), prepared.of("train")
    label, nearness = targets(asked.proteins), None
    known = np.array([one.nearness for one in asked.proteins])
    if not np.isnan(known).all():
        nearness = known
    dim = head.config.embedding_dim
    told: dict[str, NDArray[np.floating]] = {HEAD: chances(head, asked.read)}
    if head.config.joint_dim:
        told[HEAD_SEQUENCE] = chances(head, withheld(asked.read, head.config))
    if work is not None:
        tell(f"{side}: {len(asked.proteins):,} proteins; nearest of {len(train.proteins):,}")
        told[NEIGHBOUR] = by_embedding(
            asked.read[:, :dim], train.read[:, :dim], targets(train.proteins)
        )
        told[MMSEQS] = by_mmseqs(asked.proteins, train.proteins, work)
    structured = np.array([one.backbone is not None for one in asked.proteins])
    return {
        "proteins": len(asked.proteins),
        "with_structure": int(structured.sum()),
        "training": len(train.proteins),
        "classes": len(prepared.labels),
        "figures": {
            who: class_figures(values, label, asked.groups, nearness, structured)
            for who, values in told.items()
        },
    }


def by_embedding(asked: Tensor, train: Tensor, label: NDArray[np.float32]) -> NDArray[np.float64]:
    """Classes of the training protein with the nearest mean embedding, with its cosine."""
    own = torch.nn.functional.normalize(asked, dim=1)
    cosine, row = (own @ torch.nn.functional.normalize(train, dim=1).T).max(dim=1)
    return np.asarray(label[row.numpy()] * cosine.clamp(min=0).numpy()[:, None], dtype=float)


def by_mmseqs(
    asked: Sequence[Labelled], train: Sequence[Labelled], work: Path
) -> NDArray[np.float64]:
    """Classes of the training protein that MMseqs2 finds first, with their identity."""
    every = [one.sequence for one in (*train, *asked)]
    queries = {len(train) + k: one.sequence for k, one in enumerate(asked)}
    hits = best_hits(queries, every, work, top=300)
    found = np.zeros((len(asked), len(train[0].target)))
    for k, one in enumerate(asked):
        first = next((hit for hit in hits.get(len(train) + k, []) if hit < len(train)), None)
        if first is not None:
            identity = similarity(one.sequence, train[first].sequence)[0]
            found[k] = train[first].target * max(identity, 0.01)
    return found
