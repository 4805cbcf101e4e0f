"""What a predictor made of the last wild types, kept by what it reads of them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from torch import Tensor

from glass_core.models.prediction import Table
from glass_core.protein.protein import Protein
from glass_core.protein.structure.backbone import Backbone

MOST_RESIDUES = 30_000
"""Of all kept wild types together, some 3 kB each; the one that was asked for last always stays."""


@dataclass(frozen=True, eq=False)
class Projected:
    """What the heads that compare make of one sequence.

    Attributes
    ----------
    residues : Tensor, shape=(L, O)
        Y, of the Siamese head.
    pooled : Tensor, shape=(Z,)
        Of the head that gives TM-scores.
    """

    residues: Tensor
    pooled: Tensor


@dataclass(frozen=True, eq=False)
class WildType:
    """What a predictor makes of a wild type, before it has seen a variant.

    Attributes
    ----------
    projected : Projected
    tables : tuple of Table
        What is told of every single substitution.
    """

    projected: Projected
    tables: tuple[Table, ...]


class KeptWildTypes:
    """The wild types that were asked for last; any number of threads may ask.

    Two proteins that are read alike are the same here, whatever else is known of them.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, WildType]] = OrderedDict()
        self._lock = Lock()

    def get(self, protein: Protein, make: Callable[[], WildType]) -> WildType:
        """What is kept of `protein`, else what `make` gives, which is kept."""
        key = read_of(protein)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][1]
        made = make()  # beside others: at worst two make the same
        with self._lock:
            self._kept[key] = len(protein), made
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self._residues() > MOST_RESIDUES:
                self._kept.popitem(last=False)
        return made

    def __contains__(self, protein: Protein) -> bool:
        with self._lock:
            return read_of(protein) in self._kept

    def _residues(self) -> int:
        return sum(length for length, _ in self._kept.values())


def read_of(protein: Protein) -> str:
    """SHA-256 of what models read of a protein: sequence, backbones and alignment."""
    digest = hashlib.sha256(protein.sequence.encode())
    structure, profile = protein.structure, protein.profile
    for backbone in () if structure is None else (structure.backbone, structure.partners):
        digest.update(b"backbone" if backbone is None else _bytes_of(backbone))
    if structure is not None:
        digest.update(np.ascontiguousarray(protein.structure_index).tobytes())
    if profile is not None:
        digest.update(f"{profile.sha256} {profile.depth} {profile.neff}".encode())
        digest.update(np.ascontiguousarray(profile.counts).tobytes())
    return digest.hexdigest()


def _bytes_of(backbone: Backbone) -> bytes:
    parts = (backbone.letters, " ".join(backbone.chains))
    arrays = (backbone.coordinates, backbone.numbers)
    return "|".join(parts).encode() + b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)
