"""The card beside a model's weights: what it is, what it was trained on, how good it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glass_core.errors import ModelError

MODEL_FORMAT, FORMAT_1 = "glass-model/2", "glass-model/1"
"""Format 1 held its three heads in entries of their own."""
CARD_FILE = "card.json"
_HEADS_OF_FORMAT_1 = {"head": "siamese", "fold": "fold", "effect": "effect"}


@dataclass(frozen=True)
class ModelCard:
    """A model in our own format: a folder with ``card.json`` and safetensors files.

    Attributes
    ----------
    folder : Path
    name, version : str
    embedder : str
        Kind of embedder.
    heads : dict
        Name of each head -> its configuration.
    sha256 : dict
        File of weights -> SHA-256, in hex.
    max_length : int or None
        Longest sequence seen in training.
    content : dict
        The card as written, for display.
    """

    folder: Path
    name: str
    version: str
    embedder: str
    heads: dict[str, dict[str, Any]]
    sha256: dict[str, str]
    max_length: int | None
    content: dict[str, Any]

    @staticmethod
    def read(folder: Path) -> ModelCard:
        """Read and check a card.

        Raises
        ------
        ModelError
            No card, no JSON, or a field missing; the message names it.
        """
        path = folder / CARD_FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(f"{folder.name}: has no {CARD_FILE}.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError(f"{folder.name}: {CARD_FILE} cannot be read ({error}).") from error
        if not isinstance(content, dict) or content.get("format") not in (MODEL_FORMAT, FORMAT_1):
            raise ModelError(f"{folder.name}: {CARD_FILE} is not of the format {MODEL_FORMAT}.")
        try:
            return ModelCard(
                folder=folder,
                name=str(content["name"]),
                version=str(content["version"]),
                embedder=str(content["embedder"]["kind"]),
                heads=_heads(content),
                sha256={str(k): str(v) for k, v in content["sha256"].items()},
                max_length=content.get("max_length"),
                content=content,
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ModelError(
                f"{folder.name}: {CARD_FILE} lacks or misuses a field ({error})."
            ) from error

    @property
    def weights_sha256(self) -> str:
        """One SHA-256, in hex, for all files of weights: no number comes from others."""
        return self.sha256_of(self.sha256)

    def sha256_of(self, files: Iterable[str]) -> str:
        """One SHA-256, in hex, for some files of weights."""
        listed = "".join(f"{name} {self.sha256[name]}\n" for name in sorted(files))
        return hashlib.sha256(listed.encode()).hexdigest()

    def check_files(self) -> None:
        """Raise `ModelError` when a file is missing or is not the one the card describes."""
        for name, expected in self.sha256.items():
            path = self.folder / name
            if path.parent != self.folder or not path.is_file():
                raise ModelError(f"{self.name}: the file {name} is missing; restore the model.")
            if file_sha256(path) != expected:
                raise ModelError(
                    f"{self.name}: {name} is not the file its card describes; restore the model."
                )


def _heads(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if content["format"] == FORMAT_1:
        heads = {
            name: content[entry] for entry, name in _HEADS_OF_FORMAT_1.items() if content.get(entry)
        }
    else:
        heads = content["heads"]
    return {str(name): dict(config) for name, config in heads.items()}


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
