"""Embeddings kept on disk by content, so that nothing is embedded twice."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from glass_core.embedders.base import Embedder, Embedding
from glass_core.errors import UnavailableError
from glass_core.progress import Count

_SMALLEST_FILE = 4096
"""Bytes; smaller entries lie in the index itself."""


class CachedEmbedder(Embedder):
    """An embedder that remembers.

    The key is the embedder's name (with its revision), its dtype, the stored
    dtype and the sequence. Entries are written whole or not at all; beyond
    `size_limit` the least recently used go (diskcache).

    Parameters
    ----------
    embedder : Embedder
        Its `name` must change when its numbers do.
    folder : Path
        Made where missing; several processes may share it.
    size_limit : int
        Bytes.
    stored : torch.dtype
        float32 keeps every digit; float16 halves the space.
    """

    def __init__(
        self, embedder: Embedder, folder: Path, size_limit: int, stored: torch.dtype = torch.float32
    ) -> None:
        import diskcache

        class BytesOnly(diskcache.Disk):
            """Never unpickles: whoever can write into the folder must not run anything."""

            def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> object:
                if mode == diskcache.core.MODE_PICKLE:
                    return None
                return super().fetch(mode, filename, value, read)

        self.source = embedder
        self._stored = stored
        self._folder = folder
        try:
            self._cache = diskcache.Cache(
                str(folder),
                size_limit=size_limit,
                eviction_policy="least-recently-used",
                disk=BytesOnly,
                disk_min_file_size=_SMALLEST_FILE,
            )
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(
                f"{folder}: embeddings cannot be kept there ({error}); delete the folder if it is "
                "damaged, or name another."
            ) from error
        self.name, self.dim = embedder.name, embedder.dim
        self.device, self.dtype = embedder.device, embedder.dtype
        self.kind = embedder.kind
        self.side_heads, self.encoder = embedder.side_heads, embedder.encoder

    def cost(self, length: int) -> float:
        """That of the embedder, for what is not kept yet."""
        return self.source.cost(length)

    def tell(self, side_head: str, sequence: str) -> torch.Tensor:
        """As the embedder tells it."""
        return self.source.tell(side_head, sequence)

    def pack(self, folder: Path) -> dict[str, Any]:
        """What the embedder packs."""
        return self.source.pack(folder)

    def embed(self, sequences: Sequence[str], progress: Count | None = None) -> list[Embedding]:
        """Embed `sequences`, in the order given; only those not yet kept are computed."""
        by_sequence: dict[str, Embedding] = {}
        for sequence in set(sequences):
            kept = self._kept(sequence)
            if kept is not None:
                by_sequence[sequence] = kept
        missing = sorted(set(sequences) - set(by_sequence))
        for embedding in self.source.embed(missing, progress) if missing else ():
            by_sequence[embedding.sequence] = embedding
            self._keep(embedding)
        return [by_sequence[sequence] for sequence in sequences]

    def _kept(self, sequence: str) -> Embedding | None:
        """What is kept of a sequence; None where there is nothing or it is damaged."""
        try:
            content = self._cache.get(self._key(sequence))
            if not isinstance(content, bytes):
                return None
            residues = load(content)["residues"]
        except (SafetensorError, KeyError, OSError, sqlite3.Error):
            return None
        if residues.shape != (len(sequence), self.dim):
            return None
        return Embedding(sequence, residues.float())

    def _keep(self, embedding: Embedding) -> None:
        import diskcache

        try:
            self._cache.set(
                self._key(embedding.sequence),
                save({"residues": embedding.residues.to(self._stored)}),
            )
        except (OSError, sqlite3.Error, diskcache.Timeout) as error:
            raise UnavailableError(
                f"{self._folder}: embeddings cannot be kept ({error}); make room, or name another "
                "folder. What was kept stays."
            ) from error

    def close(self) -> None:
        """Let go of the folder."""
        self._cache.close()

    def _key(self, sequence: str) -> str:
        text = "\0".join((self.name, str(self.dtype), str(self._stored), sequence))
        return hashlib.sha256(text.encode()).hexdigest()


def cache_bytes(folder: Path) -> int:
    """Bytes that the embeddings kept in `folder` take; 0 where there are none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
