"""The embedder over the compact encoder, in windows beyond its length."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glass_core.embedders.base import Embedding, InstalledEmbedder, Luggage, matrix_products
from glass_core.embedders.batching import run_in_batches
from glass_core.embedders.compact_encoder import SIDE_HEADS, CompactConfig, CompactEncoder, tokenise
from glass_core.embedders.kinds import COMPACT
from glass_core.embedders.weights import read_tensors
from glass_core.errors import GlassError, ModelError, UnavailableError
from glass_core.progress import Count
from glass_core.protein.sequence import check_residues
from glass_core.settings import Settings

ENCODER_FILE = "encoder.safetensors"

_TOKEN_BUDGET = 4096


class CompactEmbedder(InstalledEmbedder):
    """The embedder of the compact model, in fp32."""

    kind = COMPACT
    side_heads = frozenset(SIDE_HEADS)
    encoder: CompactEncoder

    def __init__(
        self, encoder: CompactEncoder, name: str, device: torch.device, folder: Path | None = None
    ) -> None:
        self.folder = folder
        self.encoder = encoder.to(device).eval()
        self.name = name
        self.dim = encoder.config.dim
        self.device = device
        self.dtype = torch.float32

    @classmethod
    def of_model(
        cls, luggage: Luggage | None, settings: Settings, device: torch.device
    ) -> CompactEmbedder:
        """The encoder in a model's folder, as the card's entry ``encoder`` describes it."""
        if luggage is None:
            raise UnavailableError(
                f"embedder '{COMPACT}': no installed model brings it; restore the assets."
            )
        config = luggage.content.get("encoder")
        if not isinstance(config, dict):
            raise ModelError(f"{luggage.label}: its card has no entry 'encoder'.")
        name, _, version = luggage.label.partition(" ")
        return cls.load(luggage.folder, config, f"{name} encoder {version}", device)

    @classmethod
    def load(
        cls, folder: Path, config: Mapping[str, Any], name: str, device: torch.device
    ) -> CompactEmbedder:
        """Read ``encoder.safetensors`` of `folder` into the encoder that `config` describes.

        Raises
        ------
        ModelError
            The file is missing or does not hold that encoder.
        """
        try:
            with torch.device("meta"):
                encoder = CompactEncoder(CompactConfig.from_dict(config))
        except ModelError:
            raise
        except GlassError as error:
            raise ModelError(f"{name}: the encoder's configuration is wrong ({error})") from error
        read_tensors(folder / ENCODER_FILE, encoder)
        return cls(encoder, name, device, folder)

    def embed(self, sequences: Sequence[str], progress: Count | None = None) -> list[Embedding]:
        """Embed `sequences`, in the order given.

        Raises
        ------
        SequenceError
            A sequence is empty or holds a letter that is no residue.
        """
        for number, sequence in enumerate(sequences, start=1):
            check_residues(sequence, f"sequence {number}")
        spans = [windows(len(s), self.encoder.config.window) for s in sequences]
        pieces = [s[w.start : w.stop] for s, cut in zip(sequences, spans, strict=True) for w in cut]
        encoded = iter(run_in_batches(pieces, self._encode, _TOKEN_BUDGET, progress))
        return [
            Embedding(s, torch.cat([next(encoded)[w.first : w.last] for w in cut]))
            for s, cut in zip(sequences, spans, strict=True)
        ]

    def cost(self, length: int) -> float:
        """Products with the weights of the layers; attention and convolutions are small."""
        return float(matrix_products(self.encoder.layers) * length)

    @torch.inference_mode()
    def tell(self, side_head: str, sequence: str) -> Tensor:
        """A side head for each residue of a sequence, shape=(L, SIDE_HEADS[side_head])."""
        residues = self.embed([sequence])[0].residues.to(self.device)
        return self.encoder.tell(side_head, residues).float().cpu()

    def pack(self, folder: Path) -> dict[str, Any]:
        """The encoder's weights and configuration travel with the model."""
        if self.folder is not None and self.folder.resolve() != folder.resolve():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / ENCODER_FILE, folder / ENCODER_FILE)
        return {"encoder": self.encoder.config.to_dict()}

    @torch.inference_mode()
    def _encode(self, pieces: list[str]) -> list[Tensor]:
        tokens, mask = tokenise(pieces, self.device)
        residues = self.encoder(tokens, mask).float().cpu()
        return [row[: len(s)].clone() for s, row in zip(pieces, residues, strict=True)]


@dataclass(frozen=True)
class Window:
    """A stretch of a sequence, `start` to `stop`, and which of its rows are used."""

    start: int
    stop: int
    first: int
    last: int


def windows(length: int, size: int) -> list[Window]:
    """Windows of at most `size` residues whose used rows cover a sequence once.

    Neighbouring windows overlap by a quarter at least; each residue is taken from the
    window in whose middle it lies deeper. Up to `size` residues there is one window.
    """
    if length <= size:
        return [Window(0, length, 0, length)]
    count = 1 + -(-(length - size) // (size - size // 4))
    starts = [round(k * (length - size) / (count - 1)) for k in range(count)]
    seams = [0, *((a + size + b) // 2 for a, b in pairwise(starts)), length]
    return [
        Window(start, start + size, seams[k] - start, seams[k + 1] - start)
        for k, start in enumerate(starts)
    ]
