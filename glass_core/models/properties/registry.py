"""Which models of properties there are, and loading one.

A folder in the format of models (``card.json`` and safetensors), with ``joint.safetensors``
beside the heads. The embedder of sequences is that of an installed model, told by its weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glass_core.embedders.base import Embedder
from glass_core.embedders.joint import JointEmbedder
from glass_core.embedders.joint_network import JointConfig, JointEncoder
from glass_core.embedders.weights import read_tensors
from glass_core.errors import ModelError, UnavailableError
from glass_core.models.card import ModelCard
from glass_core.models.checkpoint import load_heads
from glass_core.models.prediction import ModelInfo
from glass_core.models.properties.model import PropertyModel
from glass_core.models.registry import load_siamese
from glass_core.settings import Settings

ENCODER_FILE = "joint.safetensors"
FOLDER, DEFAULT_PROPERTIES = "properties", "joint"


def list_property_models(settings: Settings) -> dict[str, Path]:
    """Folders of models of properties in the assets, by name."""
    root = settings.assets / FOLDER
    return {path.name: path for path in sorted(root.iterdir())} if root.is_dir() else {}


def load_properties(settings: Settings, name: str | Path = DEFAULT_PROPERTIES) -> PropertyModel:
    """Load a model of properties by name, or the one in a folder.

    Raises
    ------
    UnavailableError
        There is none of that name.
    ModelError
        Its files are damaged, or stand on other weights than are installed.

    Examples
    --------
    >>> from glass_core import Protein, Settings
    >>> from glass_core.models.properties.registry import load_properties
    >>> model = load_properties(Settings(device="cpu"))
    >>> told = model.tell(Protein.from_sequence("MKVLAAGIVGLCAKAYQ" * 4))
    >>> [value.unit for value in told.values if value.head == "thermostability"]
    ['°C']
    """
    folder = name if isinstance(name, Path) else list_property_models(settings).get(name)
    if folder is None:
        raise UnavailableError(f"properties '{name}': there is no such model; restore the assets.")
    card = ModelCard.read(folder)
    heads = load_heads(card)
    embedder, joint = encoders_of(card, settings)
    info = ModelInfo(
        name=card.name,
        version=card.version,
        sha256=card.weights_sha256,
        embedder=embedder.name,
        device=str(embedder.device),
        dtype=str(embedder.dtype).removeprefix("torch."),
        max_length=card.max_length,
        structure_embedder="" if joint is None else joint.name,
    )
    placed = {name: head.to(embedder.device) for name, head in heads.items()}
    return PropertyModel(embedder, joint, placed, info)


def encoders_of(card: ModelCard, settings: Settings) -> tuple[Embedder, JointEmbedder | None]:
    """What reads sequences and structures for the heads of a model.

    Raises
    ------
    ModelError
        Damaged files, or another embedder than the heads were trained with.
    """
    stands: dict[str, Any] = card.content.get("sequences") or {}
    predictor = load_siamese(settings, str(stands.get("name", "")).split(" ")[0])
    if predictor.pooling.sha256 != stands.get("sha256"):
        raise ModelError(
            f"{card.name}: stands on other weights of {stands.get('name')} than are installed; "
            "restore either, or train its heads anew."
        )
    embedder = predictor.embedder
    shape = card.content.get("joint")
    if not isinstance(shape, dict):
        return embedder, None
    encoder = JointEncoder(JointConfig.from_dict(shape))
    read_tensors(card.folder / ENCODER_FILE, encoder)
    name = f"joint encoder of {card.name} {card.version}"
    return embedder, JointEmbedder(encoder, name, embedder.device)
