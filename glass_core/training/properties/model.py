"""The folder of a model of properties: made from a pre-trained encoder, filled head by head."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from glass_core.embedders.joint import JointEmbedder
from glass_core.models.card import CARD_FILE, ModelCard
from glass_core.models.checkpoint import save_model
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.properties.model import ENCODER_FILE
from glass_core.training.joint import read_joint


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
    InputError, ModelError
        No encoder, or a damaged one.
    """
    if (out / CARD_FILE).is_file():
        return ModelCard.read(out)
    joint = read_joint(encoder)
    out.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().half().contiguous() for k, v in joint.state_dict().items()}
    save_file(weights, out / ENCODER_FILE)
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
    """The encoder that ``train joint`` left in a folder, to read with."""
    return JointEmbedder(read_joint(encoder), f"joint encoder in {encoder.name}", device)
