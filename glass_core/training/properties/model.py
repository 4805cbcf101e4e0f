"""The folder of a model of properties: made from a pre-trained encoder, filled head by head."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from glass_core.embedders.joint import JointEmbedder
from glass_core.embedders.joint_network import JointEncoder
from glass_core.errors import InputError
from glass_core.models.card import CARD_FILE, ModelCard
from glass_core.models.checkpoint import save_model
from glass_core.models.evaluation import EVALUATION_FOLDER
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.properties.registry import ENCODER_FILE
from glass_core.training.evaluation.writing import record_frame, write_evaluation
from glass_core.training.joint import read_joint
from glass_core.training.loop import data_sha256

_PACKAGES = ("torch", "numpy", "pandas", "scipy")


def property_folder(out: Path, encoder: Path, predictor: SiamesePredictor) -> ModelCard:
    """The model in `out`; made there from a pre-trained encoder where there is none yet.

    Parameters
    ----------
    encoder : Path
        Folder that ``train joint`` left.
    predictor : SiamesePredictor
        Whose embedder the encoder was trained with.

    Raises
    ------
    InputError
        No encoder, or a model over another one.
    ModelError
        Damaged files.
    """
    joint = read_joint(encoder)
    weights = _bytes(joint)
    if (out / CARD_FILE).is_file():
        card = ModelCard.read(out)
        if card.sha256.get(ENCODER_FILE) != hashlib.sha256(weights).hexdigest():
            raise InputError(f"{out}: has heads over another encoder than {encoder}.")
        return card
    out.mkdir(parents=True, exist_ok=True)
    (out / ENCODER_FILE).write_bytes(weights)
    info = predictor.info
    return save_model(
        out,
        {},
        name=out.name,
        version="1.0.0",
        embedder={"kind": "compact"},
        extra={
            "joint": joint.config.to_dict(),
            "sequences": {
                "name": f"{info.name} {info.version}",
                "sha256": predictor.pooling.sha256,
            },
        },
    )


def own_joint(encoder: Path, device: torch.device) -> JointEmbedder:
    """The encoder that ``train joint`` left in a folder, to read with; its name tells which."""
    joint = read_joint(encoder)
    digest = hashlib.sha256(_bytes(joint)).hexdigest()
    return JointEmbedder(joint, f"joint encoder {digest[:12]}", device)


def write_property_record(
    card: ModelCard, name: str, side: str, content: Mapping[str, Any], data: Mapping[str, Path]
) -> Path:
    """Put a record of its head `name`, or of its encoder alone, into a model's folder."""
    files = [f"{name}.safetensors"] if name in card.heads else []
    model = {
        "name": card.name,
        "version": card.version,
        "sha256": card.sha256_of([*files, ENCODER_FILE]),
    }
    record = {
        **record_frame(model, side, _PACKAGES),
        "kind": "property",
        "set": name,
        "data_sha256": {key: data_sha256(path) for key, path in data.items()},
        **content,
    }
    return write_evaluation(card.folder / EVALUATION_FOLDER / f"{name}.json", record)


def _bytes(joint: JointEncoder) -> bytes:
    """Its weights as they are kept, in half precision."""
    halves = {k: v.detach().half().contiguous() for k, v in joint.state_dict().items()}
    return save(halves)
