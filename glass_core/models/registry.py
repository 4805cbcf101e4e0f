"""Which models there are, which can be used here, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from glass_core.embedders.base import Embedder
from glass_core.errors import GlassError, ModelError, UnavailableError
from glass_core.models.card import ModelCard, file_sha256
from glass_core.models.prediction import ModelInfo
from glass_core.models.predictor import SiamesePredictor
from glass_core.settings import Settings

DEFAULT_MODEL = "compact"
_SUFFIXES = (".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class ModelEntry:
    """A model this installation knows of.

    Attributes
    ----------
    name : str
        What `load_predictor` takes.
    source : Path
        A folder in our format, or an authors' checkpoint file.
    embedder : {"compact", "prott5"}
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
            elif path.suffix in _SUFFIXES:
                reason = prott5_reason(settings)
                entries.setdefault(path.stem, ModelEntry(path.stem, path, "prott5", None, reason))
    return tuple(sorted(entries.values(), key=lambda e: (e.name != DEFAULT_MODEL, e.name)))


def load_predictor(settings: Settings, name: str = DEFAULT_MODEL) -> SiamesePredictor:
    """Load a model by name, onto the settings' device.

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
    from glass_core.embedders.device import resolve_device
    from glass_core.models.checkpoint import (
        load_authors_checkpoint,
        load_effect,
        load_fold,
        load_head,
    )
    from glass_core.models.heads.effect import CalibratedEffect

    entries = {entry.name: entry for entry in list_models(settings)}
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise UnavailableError(f"model '{name}': is not installed; installed are: {known}.")
    entry = entries[name]
    if entry.unavailable_reason is not None:
        raise UnavailableError(f"model '{name}': {entry.unavailable_reason}")
    device = resolve_device(settings.device)
    fold = effect = None
    if entry.card is not None:
        found = load_effect(entry.card)
        effect = None if found is None else CalibratedEffect(*found)
        head, fold = load_head(entry.card), load_fold(entry.card)
        weights = entry.card.weights_sha256
    else:
        head, weights = load_authors_checkpoint(entry.source), file_sha256(entry.source)
    embedder = _load_embedder(entry, settings, device)
    info = ModelInfo(
        name=entry.card.name if entry.card else entry.name,
        version=entry.card.version if entry.card else "authors' checkpoint",
        sha256=weights,
        embedder=embedder.name,
        device=str(device),
        dtype=str(embedder.dtype).removeprefix("torch."),
        max_length=entry.card.max_length if entry.card else None,
    )
    return SiamesePredictor(embedder, head, info, effect, fold)


def load_embedder(settings: Settings, kind: str) -> Embedder:
    """An embedder by kind: that of the default model, or ProtT5.

    Raises
    ------
    UnavailableError
        Its weights are missing.
    """
    from glass_core.embedders.device import resolve_device

    device = resolve_device(settings.device)
    for entry in list_models(settings):
        if entry.embedder == kind and entry.unavailable_reason is None:
            return _load_embedder(entry, settings, device)
    if kind == "prott5":
        from glass_core.embedders.prott5 import ProtT5Embedder

        return ProtT5Embedder.load(device, settings.prott5)
    raise UnavailableError(f"embedder '{kind}': no installed model brings it; restore the assets.")


def _load_embedder(entry: ModelEntry, settings: Settings, device: torch.device) -> Embedder:
    if entry.embedder == "compact" and entry.card is not None:
        from glass_core.embedders.compact import CompactEmbedder

        config = entry.card.content.get("encoder")
        if not isinstance(config, dict):
            raise ModelError(f"model '{entry.name}': its card has no entry 'encoder'.")
        return CompactEmbedder.load(
            entry.source, config, f"{entry.card.name} encoder {entry.card.version}", device
        )
    from glass_core.embedders.prott5 import ProtT5Embedder

    return ProtT5Embedder.load(device, settings.prott5)


def _describe_folder(folder: Path, settings: Settings) -> ModelEntry:
    try:
        card = ModelCard.read(folder)
    except GlassError as error:
        return ModelEntry(folder.name, folder, "?", None, str(error))
    reason = None
    if card.embedder == "prott5":
        reason = prott5_reason(settings)
    elif card.embedder != "compact":
        reason = f"its embedder '{card.embedder}' is not known to this version of GLASS."
    return ModelEntry(folder.name, folder, card.embedder, card, reason)


def prott5_reason(settings: Settings) -> str | None:
    """Why the ProtT5 weights cannot be used here; None when they can."""
    from glass_core.embedders.prott5 import find_weights

    try:
        find_weights(settings.prott5)
    except UnavailableError as error:
        return str(error)
    return None
