"""Which models there are, which can be used here, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from glass_core.embedders.base import Embedder, Luggage
from glass_core.embedders.device import resolve_device
from glass_core.embedders.kinds import PROTT5, embedder_class
from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import GlassError, UnavailableError
from glass_core.models.card import ModelCard, file_sha256
from glass_core.models.checkpoint import load_authors_checkpoint, load_heads
from glass_core.models.evaluation import Evaluation, read_evaluations
from glass_core.models.heads.kinds import head_kind
from glass_core.models.prediction import ModelInfo
from glass_core.models.predictor import SiamesePredictor
from glass_core.settings import Settings

DEFAULT_MODEL = "compact"
_CHECKPOINT_SUFFIXES = (".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class ModelEntry:
    """A model this installation knows of.

    Attributes
    ----------
    name : str
        What `load_predictor` takes.
    source : Path
        A folder in our format, or an authors' checkpoint file.
    embedder : str
        Kind; see `embedders.kinds`.
    card : ModelCard or None
        None for an authors' checkpoint, which carries none.
    unavailable_reason : str or None
        Why it cannot be used here and what to do; None when it can.
    """

    name: str
    source: Path
    embedder: str
    card: ModelCard | None
    unavailable_reason: str | None


def list_models(settings: Settings) -> tuple[ModelEntry, ...]:
    """Every model in the assets and in the user's model folder, the default first."""
    entries: dict[str, ModelEntry] = {}
    for root in (settings.assets / "models", settings.models.expanduser()):
        if not root.is_dir():
            continue
        for path in sorted(root.iterdir()):
            if path.is_dir():
                entries.setdefault(path.name, _describe_folder(path, settings))
            elif path.suffix in _CHECKPOINT_SUFFIXES:
                reason = embedder_class(PROTT5).unavailable_reason(settings)
                entries.setdefault(path.stem, ModelEntry(path.stem, path, PROTT5, None, reason))
    return tuple(sorted(entries.values(), key=lambda e: (e.name != DEFAULT_MODEL, e.name)))


def records_of(settings: Settings, name: str) -> dict[str, Evaluation]:
    """The evaluation records of an installed model, by set; none of one that is not installed.

    Raises
    ------
    InputError
        A record that cannot be read.
    """
    for entry in list_models(settings):
        if entry.name == name and entry.card is not None:
            return read_evaluations(entry.source)
    return {}


def load_predictor(settings: Settings, name: str | Path = DEFAULT_MODEL) -> SiamesePredictor:
    """Load a model by name, or the one in a folder, onto the settings' device.

    Raises
    ------
    UnavailableError
        No such model, or it cannot be used here; the message says what to do.
    ModelError
        Its files are damaged.

    Examples
    --------
    >>> from glass_core import Settings, load_predictor
    >>> predictor = load_predictor(Settings(device="cpu"))
    >>> predictor.info.name, predictor.info.device
    ('compact', 'cpu')
    """
    entry = _describe_folder(name, settings) if isinstance(name, Path) else _named(name, settings)
    if entry.unavailable_reason is not None:
        raise UnavailableError(f"model '{entry.name}': {entry.unavailable_reason}")
    device, card = resolve_device(settings.device), entry.card
    heads: dict[str, nn.Module]
    if card is not None:
        heads, weights = load_heads(card), card.weights_sha256
    else:
        heads, weights = (
            {"siamese": load_authors_checkpoint(entry.source)},
            file_sha256(entry.source),
        )
    embedder = _load_embedder(entry, settings, device)
    structures, blind_because = None, ""
    if any(head_kind(name).reads_structure for name in heads):
        try:
            structures = StructureEmbedder.load(settings, device)
        except UnavailableError as error:
            blind_because = str(error)
    info = ModelInfo(
        name=card.name if card else entry.name,
        version=card.version if card else "authors' checkpoint",
        sha256=weights,
        embedder=embedder.name,
        device=str(device),
        dtype=str(embedder.dtype).removeprefix("torch."),
        max_length=card.max_length if card else None,
        structure_embedder=structures.name if structures else "",
    )
    return SiamesePredictor(embedder, heads, info, structures, blind_because)


def load_embedder(settings: Settings, kind: str) -> Embedder:
    """An embedder by kind, with the weights of the first model that brings them.

    Raises
    ------
    UnavailableError
        Its weights are missing.
    """
    device = resolve_device(settings.device)
    for entry in list_models(settings):
        if entry.embedder == kind and entry.unavailable_reason is None:
            return _load_embedder(entry, settings, device)
    return embedder_class(kind).of_model(None, settings, device)


def _named(name: str, settings: Settings) -> ModelEntry:
    entries = {entry.name: entry for entry in list_models(settings)}
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise UnavailableError(f"model '{name}': is not installed; installed are: {known}.")
    return entries[name]


def _load_embedder(entry: ModelEntry, settings: Settings, device: torch.device) -> Embedder:
    card = entry.card
    luggage = (
        None if card is None else Luggage(entry.source, f"{card.name} {card.version}", card.content)
    )
    return embedder_class(entry.embedder).of_model(luggage, settings, device)


def _describe_folder(folder: Path, settings: Settings) -> ModelEntry:
    try:
        card = ModelCard.read(folder)
        for head in card.heads:
            head_kind(head)
        reason = embedder_class(card.embedder).unavailable_reason(settings)
    except GlassError as error:
        return ModelEntry(folder.name, folder, "?", None, str(error))
    return ModelEntry(folder.name, folder, card.embedder, card, reason)
