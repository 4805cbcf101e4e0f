"""Where a head is trained and over what: the fabric, and an embedder that keeps what it made."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from lightning_fabric import Fabric

from glass_core.embedders.base import Embedder
from glass_core.embedders.cache import CachedEmbedder
from glass_core.embedders.compact import CompactEmbedder
from glass_core.embedders.compact_encoder import CompactEncoder
from glass_core.embedders.device import resolve_device
from glass_core.embedders.kinds import COMPACT
from glass_core.errors import InputError, UnavailableError
from glass_core.models.card import file_sha256
from glass_core.models.registry import load_embedder
from glass_core.settings import Settings
from glass_core.training.precision import check_precision

_GIGABYTE = 10**9


def open_fabric(
    accelerator: str, devices: str, nodes: int, strategy: str, precision: str, threads: int | None
) -> Fabric:
    """A launched Lightning Fabric; see its documentation for what may be given."""
    use_threads(threads)
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices if devices == "auto" else int(devices),
        num_nodes=nodes,
        strategy=strategy,
        precision=precision,  # type: ignore[arg-type]
    )
    check_precision(precision, fabric.device)
    fabric.launch()
    return fabric


def use_threads(threads: int | None) -> None:
    """Compute with so many CPU threads; None = as many as there are cores."""
    if threads:
        torch.set_num_threads(threads)


def open_embedder(
    embedder: str, encoder: Path | None, cache: Path | None, cache_gb: float, device: str | None
) -> CachedEmbedder:
    """An installed embedder, or the compact encoder in a folder, with its embeddings on disk.

    Parameters
    ----------
    embedder : str
        Its kind, see `models.registry.load_embedder`.
    encoder : Path, optional
        Folder with ``encoder.safetensors`` and ``encoder.json``, in place of the installed one.
    cache : Path, optional
        Folder of the embeddings; by default that of the settings.
    cache_gb : float
        Its size limit, in gigabytes.
    device : str, optional
        By default that of the settings.

    Raises
    ------
    InputError
        `encoder` holds no encoder.
    """
    settings = Settings.from_environment().on(device)
    source: Embedder
    if encoder is not None:
        path = encoder / "encoder.json"
        if not path.is_file():
            raise InputError(f"{encoder}: holds no encoder.json.")
        name = f"compact encoder {file_sha256(encoder / 'encoder.safetensors')[:12]}"
        source = CompactEmbedder.load(
            encoder, json.loads(path.read_text()), name, resolve_device(settings.device)
        )
    else:
        source = load_embedder(settings, embedder)
    folder = (cache or settings.cache).expanduser()
    return CachedEmbedder(source, folder, int(cache_gb * _GIGABYTE), stored=torch.float16)


def own_language() -> CompactEncoder:
    """The installed compact encoder, on the CPU.

    Raises
    ------
    UnavailableError
        No installed model brings it.
    """
    embedder = load_embedder(Settings.from_environment().on("cpu"), COMPACT)
    if not isinstance(embedder, CompactEmbedder):
        raise UnavailableError(f"embedder '{COMPACT}': is not installed.")
    return embedder.encoder
