"""What heads take of proteins, read once and kept in a file: embedding is most of the work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from glass_core.embedders.base import Embedder
from glass_core.embedders.joint import JointEmbedder, Sites
from glass_core.errors import InputError
from glass_core.models.heads.pooled_network import PooledConfig, Read, numbers_of
from glass_core.models.space.base import Told, untold
from glass_core.protein.structure.backbone import Backbone

_TOGETHER, _SAVED_EVERY = 64, 2_048


class NumberReader:
    """Numbers of proteins: those of their sequences, and those of their structures.

    Parameters
    ----------
    embedder : Embedder
    joint : JointEmbedder, optional
    kept : Path
        Folder of the files.
    """

    def __init__(self, embedder: Embedder, joint: JointEmbedder | None, kept: Path) -> None:
        self._embedder, self._joint, self._kept = embedder, joint, kept

    @property
    def sequence_dim(self) -> int:
        """Width D."""
        return self._embedder.dim

    @property
    def joint_dim(self) -> int:
        """Width J; 0 without the joint encoder."""
        return 0 if self._joint is None else self._joint.dim

    def of_sequences(self, sequences: Sequence[str], told: Told = untold) -> Tensor:
        """Shape=(n, 2 D)."""
        config = PooledConfig(embedding_dim=self._embedder.dim)

        def make(rows: Sequence[int]) -> Tensor:
            embedded = self._embedder.embed([sequences[row] for row in rows])
            nowhere = [np.zeros(len(one.sequence), dtype=bool) for one in embedded]
            return torch.stack(
                [
                    numbers_of(Read(one.residues, None, none), config)
                    for one, none in zip(embedded, nowhere, strict=True)
                ]
            )

        keys = [_key(sequence) for sequence in sequences]
        return _kept(keys, make, self._kept / "sequences.safetensors", self._embedder.name, told)

    def of_structures(
        self, sequences: Sequence[str], backbones: Sequence[Backbone | None], told: Told = untold
    ) -> Tensor:
        """Shape=(n, 2 J + 1): by the joint encoder; zeros where there is no backbone."""
        if self._joint is None:
            raise InputError("structures need the joint encoder.")
        joint, config = self._joint, PooledConfig(joint_dim=self._joint.dim)
        found = torch.zeros(len(sequences), config.inputs)
        there = [row for row, one in enumerate(backbones) if one is not None]

        def make(rows: Sequence[int]) -> Tensor:
            some = [there[row] for row in rows]
            embedded = self._embedder.embed([sequences[row] for row in some])
            numbers = []
            for row, one in zip(some, embedded, strict=True):
                sites = sites_of_backbone(backbones[row])
                residues = one.residues.float().cpu()
                read = Read(residues, joint.read(sites, residues), sites.known)
                numbers.append(numbers_of(read, config))
            return torch.stack(numbers)

        keys = [_key(sequences[row], backbones[row]) for row in there]
        name = f"{self._embedder.name} {joint.name}"
        if there:
            path = self._kept / f"structures-{_key(name)[:8]}.safetensors"
            found[there] = _kept(keys, make, path, name, told)
        return found


def sites_of_backbone(backbone: Backbone | None) -> Sites:
    """The residues of one chain as the joint encoder takes them."""
    if backbone is None:
        raise ValueError("no backbone")
    return Sites(
        backbone.coordinates[:, :3], backbone.numbers, np.zeros(len(backbone), dtype=np.int64)
    )


def _key(sequence: str, backbone: Backbone | None = None) -> str:
    digest = hashlib.sha256(sequence.encode())
    if backbone is not None:
        digest.update(np.ascontiguousarray(backbone.coordinates[:, :3]).tobytes())
    return digest.hexdigest()[:24]


def _kept(
    keys: Sequence[str],
    make: Callable[[Sequence[int]], Tensor],
    path: Path,
    reader: str,
    told: Told,
) -> Tensor:
    """Rows by their keys; those that the file lacks are made and put into it."""
    there: dict[str, Tensor] = {}
    if path.is_file():
        with safe_open(path, "pt") as file:
            meta = file.metadata() or {}
            rows = file.get_tensor("rows")
        if meta.get("reader") != reader:
            raise InputError(f"{path}: was read by {meta.get('reader')}, not {reader}; remove it.")
        there = dict(zip(meta["keys"].split(","), rows, strict=True))
    places = {key: row for row, key in reversed(list(enumerate(keys))) if key not in there}
    missing = list(places.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    for begin in range(0, len(missing), _TOGETHER):
        some = missing[begin : begin + _TOGETHER]
        there |= {keys[row]: one for row, one in zip(some, make(some).half(), strict=True)}
        done = begin + len(some)
        told(done)
        if done == len(missing) or done // _SAVED_EVERY > begin // _SAVED_EVERY:
            unfinished = path.with_suffix(".part")
            rows = torch.stack(list(there.values()))
            save_file({"rows": rows}, unfinished, {"reader": reader, "keys": ",".join(there)})
            unfinished.replace(path)
    return torch.stack([there[key] for key in keys]).float()
