"""Heads on disk: our safetensors with a card, and the authors' own checkpoint files."""

from __future__ import annotations

import json
import pickle
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from glass_core.embedders.compact import ENCODER_FILE, CompactEncoder
from glass_core.embedders.weights import read_tensors
from glass_core.errors import ModelError, RecordError
from glass_core.models.card import (
    CARD_FILE,
    EFFECT_FILE,
    FOLD_FILE,
    FORMAT,
    HEAD_FILE,
    ModelCard,
    file_sha256,
)
from glass_core.models.heads.effect import EffectConfig, EffectHead
from glass_core.models.heads.fold import FoldConfig, FoldHead
from glass_core.models.heads.siamese import SiameseConfig, SiameseTransformer

CHECKPOINT_SUFFIXES = (".pt", ".pth", ".ckpt")


def load_head(card: ModelCard) -> SiameseTransformer:
    """The head of a model in our format, checked against its card.

    Raises
    ------
    ModelError
        Files missing, changed or of other shapes than the card says.
    """
    card.check_files()
    try:
        state = load_file(card.folder / HEAD_FILE)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{card.name}: {HEAD_FILE} cannot be read ({error}).") from error
    return _build(card.name, card.head, state)


def load_authors_checkpoint(path: Path) -> SiameseTransformer:
    """A head as the GLASS authors save it: a dict of `model_state_dict` and `config`.

    Only tensors and plain values are unpickled; a file with anything else in
    it is refused.

    Raises
    ------
    ModelError
        Not such a file, or tensors that do not fit the published network.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles: they are refused below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{path.name}: cannot be read as a checkpoint of tensors only "
            f"({' '.join(str(error).split())[:120]})."
        ) from error
    if not isinstance(content, dict) or not {"model_state_dict", "config"} <= set(content):
        raise ModelError(f"{path.name}: lacks 'model_state_dict' or 'config'; is it a GLASS head?")
    if not isinstance(content["config"], dict) or not isinstance(content["model_state_dict"], dict):
        raise ModelError(f"{path.name}: 'model_state_dict' and 'config' must be dictionaries.")
    return _build(path.name, content["config"], content["model_state_dict"])


def save_model(
    folder: Path,
    head: SiameseTransformer,
    *,
    name: str,
    version: str,
    embedder: dict[str, Any],
    extra: dict[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
) -> ModelCard:
    """Write a head in our format; `extra` goes into the card beside the required fields."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().cpu().to(dtype).contiguous() for k, v in head.state_dict().items()}
    save_file(state, folder / HEAD_FILE)
    content = {
        **(extra or {}),
        "format": FORMAT,
        "name": name,
        "version": version,
        "kind": "siamese",
        "embedder": embedder,
        "head": head.config.to_dict(),
        "sha256": {p.name: file_sha256(p) for p in sorted(folder.glob("*.safetensors"))},
    }
    (folder / CARD_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return ModelCard.read(folder)


def save_encoder(folder: Path, encoder: CompactEncoder) -> None:
    """Write the weights of the compact encoder, in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().half().contiguous() for k, v in encoder.state_dict().items()}
    save_file(weights, folder / ENCODER_FILE)


def save_effect(
    folder: Path, head: EffectHead, scale: float, offset: float, dtype: torch.dtype
) -> ModelCard:
    """Add an effect head, with the calibration of its probability, to the model in `folder`."""
    config = head.config.to_dict() | {"scale": scale, "offset": offset}
    return _add(folder, head, "effect", EFFECT_FILE, config, dtype)


def save_fold(folder: Path, head: FoldHead, dtype: torch.dtype) -> ModelCard:
    """Add a fold head to the model in `folder`, whose TM-scores are then this one's."""
    return _add(folder, head, "fold", FOLD_FILE, head.config.to_dict(), dtype)


def load_fold(card: ModelCard) -> FoldHead | None:
    """The fold head of a model; None without one.

    Raises
    ------
    ModelError
        Its file does not fit the card.
    """
    if card.fold is None:
        return None
    head: FoldHead = _read(card, card.fold, "fold", FOLD_FILE, FoldConfig, FoldHead)
    return head


def load_effect(card: ModelCard) -> tuple[EffectHead, float, float] | None:
    """The effect head of a model with scale and offset of its logits; None without one.

    Raises
    ------
    ModelError
        Its file does not fit the card.
    """
    if card.effect is None:
        return None
    head: EffectHead = _read(card, card.effect, "effect", EFFECT_FILE, EffectConfig, EffectHead)
    try:
        scale, offset = float(card.effect["scale"]), float(card.effect["offset"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{card.name}: its entry 'effect' is not usable ({error}).") from error
    return head, scale, offset


def _add(
    folder: Path, head: nn.Module, entry: str, file: str, config: dict[str, Any], dtype: torch.dtype
) -> ModelCard:
    """Write a further head beside the first, and its entry into the card."""
    state = {k: v.detach().to(dtype).contiguous() for k, v in head.state_dict().items()}
    save_file(state, folder / file)
    content = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    content[entry] = config
    content["sha256"][file] = file_sha256(folder / file)
    (folder / CARD_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return ModelCard.read(folder)


def _read(
    card: ModelCard,
    values: dict[str, Any],
    entry: str,
    file: str,
    config: type[Any],
    head: type[Any],
) -> Any:
    """A further head as its entry in the card describes it, with the weights of its file."""
    try:
        made = _empty(values, config, head)
    except (TypeError, ValueError, RecordError) as error:
        raise ModelError(f"{card.name}: its entry '{entry}' is not usable ({error}).") from error
    read_tensors(card.folder / file, made)
    return made.eval()


def _empty(values: dict[str, Any], config: type[Any], head: type[Any]) -> Any:
    """A head of the shape that `values` claim, which takes up no memory however large."""
    known = {field.name for field in fields(config)}
    with torch.device("meta"):
        return head(config(**{k: v for k, v in values.items() if k in known}))


def _build(name: str, config: dict[str, Any], state: dict[str, Any]) -> SiameseTransformer:
    try:
        head: SiameseTransformer = _empty(config, SiameseConfig, SiameseTransformer)
        head.load_state_dict(state, strict=True, assign=True)
    except (RecordError, TypeError) as error:
        raise ModelError(f"{name}: its configuration is not usable ({error}).") from error
    except RuntimeError as error:
        raise ModelError(
            f"{name}: its tensors do not fit the network its configuration describes "
            f"({' '.join(str(error).split())[:200]})."
        ) from error
    return head.eval().float()
