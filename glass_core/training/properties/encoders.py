"""The record of how well fold stability is told over the joint encoder and over others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lightning_fabric import Fabric

from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import InputError
from glass_core.models.card import ModelCard
from glass_core.models.evaluation import ENCODERS
from glass_core.models.properties.registry import encoders_of
from glass_core.progress import Say
from glass_core.settings import Settings
from glass_core.training.data.assays import read_assays
from glass_core.training.data.wild_structures import read_wild_structures
from glass_core.training.loop import Schedule
from glass_core.training.properties.model import own_joint, write_property_record
from glass_core.training.properties.stability import compare_readers, read_stability, ways_of

OWN = "joint encoder"


@dataclass(frozen=True, eq=False)
class EncodersAsked:
    """What is compared, and where.

    Attributes
    ----------
    effects : Path
        See `read_assays`.
    structures : Path
        See `read_wild_structures`.
    model : Path
        Folder of a model of properties, whose encoder leads and which gets the record.
    kept : Path
        Folder of the checkpoints.
    others : mapping
        Name -> folder that ``train joint`` left.
    schedule : Schedule
    side : {"test", "validation"}
    """

    effects: Path
    structures: Path
    model: Path
    kept: Path
    others: Mapping[str, Path]
    schedule: Schedule
    side: str = "test"


def write_encoders(asked: EncodersAsked, settings: Settings, fabric: Fabric, tell: Say) -> Path:
    """Train the same network over every encoder; the record that says how well each does.

    Raises
    ------
    InputError
        Data that are missing or have another form; a model without a joint encoder.
    UnavailableError
        ProteinMPNN's weights are not there.
    """
    card = ModelCard.read(asked.model)
    embedder, own = encoders_of(card, settings)
    if own is None:
        raise InputError(f"{card.name}: has no joint encoder.")
    others = {name: own_joint(folder, embedder.device) for name, folder in asked.others.items()}
    proteins = read_stability(
        read_assays(asked.effects),
        read_wild_structures(asked.structures),
        embedder,
        StructureEmbedder.load(settings, embedder.device),
        {OWN: own, **others},
        tell,
    )
    tell(f"{len(proteins):,} proteins read")
    ways = ways_of([OWN, *others])
    record = compare_readers(proteins, ways, asked.side, asked.kept, fabric, asked.schedule)
    data = {"effects": asked.effects, "structures": asked.structures}
    return write_property_record(card, ENCODERS, asked.side, {"own": OWN, **record}, data)
