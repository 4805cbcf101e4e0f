"""Heads on disk: our safetensors with a card, and the authors' own checkpoint files."""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from glass_core.embedders.compact import ENCODER_FILE
from glass_core.embedders.compact_encoder import CompactEncoder
from glass_core.embedders.weights import read_tensors
from glass_core.errors import ModelError, RecordError, one_line
from glass_core.models.card import CARD_FILE, MODEL_FORMAT, ModelCard, file_sha256
from glass_core.models.heads.base import HeadKind
from glass_core.models.heads.kinds import head_kind
from glass_core.models.heads.siamese import SiameseTransformer


def load_heads(card: ModelCard) -> dict[str, nn.Module]:
    """Every head of a model in our format by name, checked against its card.

    Raises
    ------
    ModelError
        Files missing, changed or of other shapes than the card says, or a head that this
        version does not know.
    """
    card.check_files()
    heads = {}
    for name, config in card.heads.items():
        kind = head_kind(name)
        head = _empty(kind, config, card.name)
        read_tensors(card.folder / kind.file, head)
        heads[name] = head.eval()
    return heads


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
            f"{path.name}: cannot be read as a checkpoint of tensors only ({one_line(error, 120)})."
        ) from error
    if not isinstance(content, dict) or not {"model_state_dict", "config"} <= set(content):
        raise ModelError(f"{path.name}: lacks 'model_state_dict' or 'config'; is it a GLASS head?")
    if not isinstance(content["config"], dict) or not isinstance(content["model_state_dict"], dict):
        raise ModelError(f"{path.name}: 'model_state_dict' and 'config' must be dictionaries.")
    head = _empty(head_kind("siamese"), content["config"], path.name)
    try:
        head.load_state_dict(content["model_state_dict"], strict=True, assign=True)
    except (RuntimeError, TypeError) as error:
        raise ModelError(
            f"{path.name}: its tensors do not fit the network its configuration describes "
            f"({one_line(error, 200)})."
        ) from error
    network: SiameseTransformer = head.eval().float()
    return network


def save_model(
    folder: Path,
    heads: Mapping[str, nn.Module],
    *,
    name: str,
    version: str,
    embedder: Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
) -> ModelCard:
    """Write a model in our format; `extra` goes into the card beside the required fields."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        **(extra or {}),
        "format": MODEL_FORMAT,
        "name": name,
        "version": version,
        "embedder": dict(embedder),
        "heads": {},
        "sha256": {p.name: file_sha256(p) for p in sorted(folder.glob("*.safetensors"))},
    }
    _write_card(folder, content)
    card = ModelCard.read(folder)
    for head, network in heads.items():
        card = save_head(folder, head, network, dtype)
    return card


def save_head(folder: Path, name: str, network: nn.Module, dtype: torch.dtype) -> ModelCard:
    """Write a head into the model in `folder`, and its configuration into the card."""
    card, file = ModelCard.read(folder), head_kind(name).file
    state = {k: v.detach().cpu().to(dtype).contiguous() for k, v in network.state_dict().items()}
    save_file(state, folder / file)
    content = {
        entry: value
        for entry, value in card.content.items()
        if entry not in ("kind", *card.heads, "head")  # entries of format 1
    }
    content["format"] = MODEL_FORMAT
    content["heads"] = {**card.heads, name: _config(network).to_dict()}
    content["sha256"] = {**card.sha256, file: file_sha256(folder / file)}
    _write_card(folder, content)
    return ModelCard.read(folder)


def save_encoder(folder: Path, encoder: CompactEncoder) -> None:
    """Write the weights of the compact encoder, in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().half().contiguous() for k, v in encoder.state_dict().items()}
    save_file(weights, folder / ENCODER_FILE)


def _config(network: nn.Module) -> Any:
    """The configuration of a head, a `heads.base.HeadConfig`."""
    return network.config


def _write_card(folder: Path, content: Mapping[str, Any]) -> None:
    (folder / CARD_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _empty(kind: HeadKind, values: Mapping[str, Any], source: str) -> Any:
    """A head of the shape that `values` claim, which takes up no memory however large."""
    known = {field.name for field in fields(kind.config)}
    try:
        with torch.device("meta"):
            return kind.network(kind.config(**{k: v for k, v in values.items() if k in known}))
    except (RecordError, TypeError, ValueError) as error:
        raise ModelError(
            f"{source}: its configuration of the {kind.name} head is not usable ({error})."
        ) from error
