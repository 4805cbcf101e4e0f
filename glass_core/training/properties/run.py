"""A head of properties from its data to its place in a model, with its evaluation record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from glass_core.embedders.device import resolve_device
from glass_core.embedders.joint import JointEmbedder
from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.models.checkpoint import save_head
from glass_core.models.evaluation import EVALUATION_FOLDER, HEAD, Evaluation
from glass_core.models.heads.binding import BindingConfig
from glass_core.models.heads.classes import ClassesConfig
from glass_core.models.heads.scalar import ScalarConfig
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.settings import Settings
from glass_core.training.data.backbones import BackboneChain, read_backbones
from glass_core.training.data.complexes import read_binding
from glass_core.training.data.labelled import (
    enzyme_titles,
    read_enzymes,
    read_melting,
    read_ontology,
    term_titles,
)
from glass_core.training.evaluation.writing import write_evaluation
from glass_core.training.loop import History, Schedule, write_record
from glass_core.training.properties import binding, classes, ranking, thermostability
from glass_core.training.properties.model import own_joint, property_folder, write_property_record
from glass_core.training.properties.numbers import NumberReader
from glass_core.training.properties.pooled import with_fields

SOURCES = {
    "enzyme": "enzyme.parquet",
    "ontology": "go.parquet",
    "thermostability": "thermostability.parquet",
    "binding": "binding_ddg.parquet",
    "ranking": "",
}
"""Files of the data folder that each head learns from; of the ranking, chains alone."""
COMPLEXES, TERMS = "binding_structures", "go_terms.csv"
ENZYME_NAMES = "properties/enzyme_classes.csv"
"""Among the assets."""
SCHEDULES = {
    "enzyme": classes.CLASSES_SCHEDULE,
    "ontology": classes.ONTOLOGY_SCHEDULE,
    "thermostability": thermostability.HEAT_SCHEDULE,
    "ranking": ranking.RANKING_SCHEDULE,
    "binding": binding.BINDING_SCHEDULE,
}
"""How each is trained, unless it is said otherwise."""


@dataclass(frozen=True, eq=False)
class PropertyTraining:
    """What a head of properties is trained with.

    Attributes
    ----------
    head : str
        One of `SOURCES`.
    data : Path
        Folder of the tables.
    chains : Path
        See `read_backbones`.
    encoder : Path
        Folder that ``train joint`` left.
    out : Path
        Folder of the model; made where there is none.
    kept : Path
        Folder for what was read, and for checkpoints.
    schedule : Schedule
    side : {"test", "validation"}
        That the record tells of.
    hidden : int or None
        Width of the head, in place of its own.
    left_out : tuple of str
        Pandas queries of chains to leave out.
    alone : bool
        Whether the record has the head's own figures only.
    """

    head: str
    data: Path
    chains: Path
    encoder: Path
    out: Path
    kept: Path
    schedule: Schedule
    side: str = "test"
    hidden: int | None = None
    left_out: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True, eq=False)
class _Work:
    """What a head is made with."""

    how: PropertyTraining
    chains: Mapping[str, BackboneChain]
    predictor: SiamesePredictor
    joint: JointEmbedder
    settings: Settings
    fabric: Fabric
    tell: Say

    @cached_property
    def reader(self) -> NumberReader:
        return NumberReader(self.predictor.embedder, self.joint, self.how.kept)

    @property
    def source(self) -> Path:
        return self.how.data / SOURCES[self.how.head]

    def kept(self, suffix: str) -> Path:
        return self.how.kept / f"{self.how.head} {self.joint.name}{suffix}"


@dataclass(frozen=True, eq=False)
class _Made:
    """A trained head, how it went, and what it was measured to do."""

    head: nn.Module
    shape: ClassesConfig | ScalarConfig | BindingConfig
    history: History
    record: dict[str, Any]


def train_property(
    how: PropertyTraining,
    predictor: SiamesePredictor,
    settings: Settings,
    fabric: Fabric,
    tell: Say,
) -> History:
    """Train a head, put it into the model, and write its record.

    Raises
    ------
    InputError
        Data that are missing or have another form.
    UnavailableError
        MMseqs2 or ProteinMPNN's weights, which some figures need, are not there.
    """
    property_folder(how.out, how.encoder, predictor)
    joint = own_joint(how.encoder, resolve_device(settings.device))
    chains = {one.id: one for one in read_backbones(how.chains, how.left_out)}
    work = _Work(how, chains, predictor, joint, settings, fabric, tell)
    made = _MAKERS[how.head](work)
    card = save_head(how.out, how.head, made.head, torch.float16)
    data = {"chains": how.chains} | ({} if how.head == "ranking" else {"data": work.source})
    shape = {
        name: value
        for name, value in asdict(made.shape).items()
        if name not in ("labels", "titles")
    }
    folder = how.out / "training"
    folder.mkdir(exist_ok=True)
    write_record(folder / f"{how.head}.json", made.history, shape, data)
    write_property_record(card, how.head, how.side, made.record, data)
    return made.history


def write_ablations(
    how: PropertyTraining,
    encoders: Mapping[str, Path],
    note: str,
    predictor: SiamesePredictor,
    settings: Settings,
    fabric: Fabric,
    tell: Say,
) -> Path:
    """Train the same head over other encoders, and add their figures to its record.

    Parameters
    ----------
    how : PropertyTraining
        Of the head whose record is in `how.out`.
    encoders : mapping
        What they are called -> folder that ``train joint`` left.
    note : str
        What readers must know of them.

    Raises
    ------
    InputError
        The head has no record.
    """
    path = how.out / EVALUATION_FOLDER / f"{how.head}.json"
    record = Evaluation.read(path).content
    found = {}
    for name, encoder in encoders.items():
        tell(f"{how.head} over {name}")
        kept = how.kept / encoder.name
        other = replace(how, encoder=encoder, out=kept / "model", kept=kept, alone=True)
        train_property(other, predictor, settings, fabric, tell)
        made = Evaluation.read(kept / "model" / EVALUATION_FOLDER / f"{how.head}.json")
        found[name] = made.content["figures"][HEAD]
    return write_evaluation(path, {**record, "ablations": found, "ablations_note": note})


def _classes(work: _Work) -> _Made:
    how, reader, enzymes = work.how, work.reader, work.how.head == "enzyme"
    if enzymes:
        proteins, labels = read_enzymes(work.source, work.chains)
        titles = enzyme_titles(labels, work.settings.assets / ENZYME_NAMES)
    else:
        proteins, labels = read_ontology(work.source, {})
        titles = term_titles(labels, how.data / TERMS)
    config = ClassesConfig(
        embedding_dim=reader.sequence_dim,
        joint_dim=reader.joint_dim if enzymes else 0,
        hidden=how.hidden or (classes.HIDDEN if enzymes else 256),
        members=3,
        labels=labels,
        titles=titles,
    )
    prepared = classes.prepare(proteins, labels, reader, config, work.tell)
    head, history = classes.train_classes(
        prepared, config, work.kept(".pt"), work.fabric, how.schedule
    )
    noise = classes.measure_noise(head, prepared, reader)
    finished = with_fields(head, noise=noise)
    hits = None if how.alone else how.kept / "mmseqs"
    record = classes.evaluate_classes(finished, prepared, how.side, hits, work.tell)
    return _Made(finished, finished.config, history, record)


def _thermostability(work: _Work) -> _Made:
    how, reader = work.how, work.reader
    proteins = read_melting(work.source, {})
    work.tell(f"reading {len(proteins):,} sequences")
    read = reader.of_sequences([one.sequence for one in proteins])
    config = ScalarConfig(embedding_dim=reader.sequence_dim, hidden=how.hidden or 256)
    head, history = thermostability.train_thermostability(
        proteins, read, config, work.kept(".pt"), work.fabric, how.schedule
    )
    noise = thermostability.measure_noise(head, proteins, read, reader)
    finished = with_fields(head, noise=noise)
    record = thermostability.evaluate_thermostability(finished, proteins, read, how.side)
    return _Made(finished, finished.config, history, record)


def _ranking(work: _Work) -> _Made:
    how, reader, settings = work.how, work.reader, work.settings
    device = resolve_device(settings.device)
    structures = None if how.alone else StructureEmbedder.load(settings, device)
    decoys = ranking.prepare_decoys(list(work.chains.values()), reader, work.tell)
    config = ScalarConfig(joint_dim=reader.joint_dim, hidden=how.hidden or 256, dropout=0.3)
    head, history = ranking.train_ranking(
        decoys, config, work.kept(".pt"), work.fabric, how.schedule
    )
    finished = with_fields(head, noise=ranking.measure_noise(head, decoys, reader))
    record = ranking.evaluate_ranking(finished, decoys, how.side, structures, work.tell)
    return _Made(finished, finished.config, history, record)


def _binding(work: _Work) -> _Made:
    how, joint = work.how, work.joint
    changes, complexes = read_binding(work.source, how.data / COMPLEXES)
    work.tell(f"reading {len(changes):,} changes of {len(complexes)} complexes")
    read = binding.read_bindings(
        changes, complexes, work.predictor.embedder, joint, work.kept(".safetensors")
    )
    config = BindingConfig(joint.dim, hidden=how.hidden or 128)
    head, history = binding.train_binding(read, config, work.kept(".pt"), work.fabric, how.schedule)
    noise = binding.measure_noise(head, read, complexes)
    finished = with_fields(head, noise=noise)
    record = binding.evaluate_binding(finished, read, complexes, how.side)
    return _Made(finished, finished.config, history, record)


_MAKERS: Mapping[str, Callable[[_Work], _Made]] = {
    "enzyme": _classes,
    "ontology": _classes,
    "thermostability": _thermostability,
    "ranking": _ranking,
    "binding": _binding,
}
