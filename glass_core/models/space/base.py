"""What a space of sequences and structures offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.structure.backbone import Backbone

SHORTEST = 10
"""Residues of a stretch at least."""
Told = Callable[[int], None]
"""Told how many are done."""


def untold(done: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class SpaceInfo:
    """Which space vectors lie in; those of two spaces cannot be compared.

    Attributes
    ----------
    name, version : str
    sha256 : str
        Of all weights behind it, in hex.
    dim : int
        Dimensions Z.
    sequences, structures : str
        What reads either; '' for structures where it places none.
    """

    name: str
    version: str
    sha256: str
    dim: int
    sequences: str
    structures: str


class Space(Protocol):
    """Places sequences and structures among each other: unit vectors, near where they belong."""

    @property
    def info(self) -> SpaceInfo:
        """Which space this is."""
        ...

    def of_sequences(self, sequences: Sequence[str], told: Told = untold) -> NDArray[np.float32]:
        """Places of sequences, or of stretches of some, shape=(n, Z).

        Raises
        ------
        SequenceError
            One is empty or holds a letter that is no residue.
        """
        ...

    def of_structures(
        self, backbones: Sequence[Backbone], told: Told = untold
    ) -> NDArray[np.float32]:
        """Places of structures, shape=(n, Z); their letters are not read.

        Raises
        ------
        InputError
            One has too few residues with N, CA, C and O.
        UnavailableError
            This space places no structures here; says why.
        """
        ...


def stretch(sequence: str, rng: np.random.Generator) -> str:
    """A random stretch of at least `SHORTEST` residues, every length as likely."""
    if len(sequence) <= SHORTEST:
        return sequence
    length = int(rng.integers(SHORTEST, len(sequence) + 1))
    start = int(rng.integers(len(sequence) - length + 1))
    return sequence[start : start + length]
