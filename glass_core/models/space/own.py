"""The space of GLASS: towers of its own over a model of its own and a reader of structures.

A folder with ``card.json`` and ``towers.safetensors``. The model that reads sequences is an
installed one, told by its weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from glass_core.embedders.weights import read_tensors
from glass_core.errors import GlassError, ModelError, UnavailableError
from glass_core.models.card import CARD_FILE, file_sha256
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.space.base import SpaceInfo, Told, untold
from glass_core.models.space.sequences import SequenceReader
from glass_core.models.space.structures import StructureReader
from glass_core.models.space.towers import SpaceConfig, Towers
from glass_core.protein.structure.backbone import Backbone

SPACE_FORMAT = "glass-space/1"
TOWERS_FILE = "towers.safetensors"


class OwnSpace:
    """Sequences and structures in one space; implements `Space`.

    Parameters
    ----------
    structures : callable
        Gives what reads structures, when the first is to be placed.
    """

    def __init__(
        self,
        towers: Towers,
        sequences: SequenceReader,
        structures: Callable[[], StructureReader],
        info: SpaceInfo,
    ) -> None:
        self._towers = towers.eval()
        self._sequences, self._structures = sequences, structures
        self._reader: StructureReader | None = None
        self._info = info

    @classmethod
    def load(
        cls, folder: Path, predictor: SiamesePredictor, structures: Callable[[], StructureReader]
    ) -> OwnSpace:
        """The space in a folder.

        Raises
        ------
        ModelError
            Damaged files, or a space over another model than `predictor`.
        """
        card = read_card(folder)
        try:
            config = SpaceConfig.from_dict(card["towers"])
        except (GlassError, TypeError) as error:
            raise ModelError(f"{folder.name}: its towers cannot be built ({error}).") from error
        reader = SequenceReader(predictor)
        if reader.sha256 != card["sequences"]["sha256"]:
            raise ModelError(
                f"{folder.name}: stands on other weights of {card['sequences']['name']} than are "
                "installed; restore either, or train the space anew."
            )
        path = folder / TOWERS_FILE
        if path.is_file() and file_sha256(path) != card["sha256"]:
            raise ModelError(f"{folder.name}: {TOWERS_FILE} is not the file its card describes.")
        towers = Towers(config)
        read_tensors(path, towers)
        info = SpaceInfo(
            str(card["name"]),
            str(card["version"]),
            str(card["sha256"]),
            config.dim,
            reader.name,
            str(card["structures"]),
        )
        return cls(towers, reader, structures, info)

    @property
    def info(self) -> SpaceInfo:
        """Which space this is."""
        return self._info

    @torch.inference_mode()
    def of_sequences(self, sequences: Sequence[str], told: Told = untold) -> NDArray[np.float32]:
        """See `Space.of_sequences`."""
        return np.asarray(self._towers.sequences(self._sequences.read(sequences, told)).numpy())

    @torch.inference_mode()
    def of_structures(
        self, backbones: Sequence[Backbone], told: Told = untold
    ) -> NDArray[np.float32]:
        """See `Space.of_structures`."""
        if self._reader is None:
            self._reader = self._structures()
        if self._reader.name != self._info.structures:
            raise UnavailableError(
                f"{self._info.name}: places structures that {self._info.structures} has read."
            )
        return np.asarray(self._towers.structures(self._reader.read(backbones, told)).numpy())


def read_card(folder: Path) -> dict[str, Any]:
    """The card of the space in a folder.

    Raises
    ------
    ModelError
        None, or not one of a space.
    """
    try:
        card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        kept: dict[str, Any] = dict(card)
        if kept["format"] != SPACE_FORMAT:
            raise ModelError(f"{folder.name}: {CARD_FILE} is not of the format {SPACE_FORMAT}.")
        for name in ("name", "version", "sha256", "towers", "structures"):
            kept[name]
        kept["sequences"]["sha256"], kept["sequences"]["name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{folder.name}: {CARD_FILE} cannot be read ({error}).") from error
    return kept


def save_space(
    folder: Path, towers: Towers, sequences: str, sequences_sha256: str, structures: str
) -> None:
    """Write towers as a space, in half precision; what its card said beside is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {n: v.detach().half().contiguous() for n, v in towers.state_dict().items()}
    save_file(weights, folder / TOWERS_FILE)
    path = folder / CARD_FILE
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    card = {
        "name": folder.name,
        "version": "1.0.0",
        **before,
        "format": SPACE_FORMAT,
        "towers": towers.config.to_dict(),
        "sequences": {"name": sequences, "sha256": sequences_sha256},
        "structures": structures,
        "sha256": file_sha256(folder / TOWERS_FILE),
    }
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
