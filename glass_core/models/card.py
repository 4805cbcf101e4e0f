"""The card beside a model's weights: what it is, what it was trained on, how good it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glass_core.errors import ModelError

FORMAT = "glass-model/1"
CARD_FILE, HEAD_FILE = "card.json", "head.safetensors"
FOLD_FILE, EFFECT_FILE = "fold.safetensors", "effect.safetensors"


@dataclass(frozen=True)
class ModelCard:
    """A model in our own format: a folder with ``card.json`` and safetensors files.

    Attributes
    ----------
    folder : Path
    content : dict
        The card as written, for display; the fields below are checked.
    """

    folder: Path
    name: str
    version: str
    embedder: str
    head: dict[str, Any]
    sha256: dict[str, str]
    max_length: int | None
    fold: dict[str, Any] | None
    effect: dict[str, Any] | None
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
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ModelError(f"{folder.name}: {CARD_FILE} is not of the format {FORMAT}.")
        try:
            return ModelCard(
                folder=folder,
                name=str(content["name"]),
                version=str(content["version"]),
                embedder=str(content["embedder"]["kind"]),
                head=dict(content["head"]),
                sha256={str(k): str(v) for k, v in content["sha256"].items()},
                max_length=content.get("max_length"),
                fold=dict(content["fold"]) if content.get("fold") else None,
                effect=dict(content["effect"]) if content.get("effect") else None,
                content=content,
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ModelError(
                f"{folder.name}: {CARD_FILE} lacks or misuses a field ({error})."
            ) from error

    @property
    def weights_sha256(self) -> str:
        """One SHA-256, in hex, for all files of weights: no number comes from others."""
        listed = "".join(f"{name} {digest}\n" for name, digest in sorted(self.sha256.items()))
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


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
