"""The space along a protein: which stretches a variant moves, and whether by more than noise.

Every window of some width that holds a changed residue is placed as wild type and as mutant. The
same windows around conservative substitutions at random places tell what such a shift means
where nothing of note happens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError, UnavailableError
from glass_core.models.space.base import SHORTEST, Space
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.protein import Protein
from glass_core.protein.substitutions import conservative_mutants
from glass_core.protein.variant import Variant
from glass_core.records import frozen_array, require

WIDTHS = (20, 50, 10)
"""Residues of a window, the default first."""
RANDOM = 12
"""Conservative substitutions from which the noise is measured."""
QUANTILE = 0.95


@dataclass(frozen=True, eq=False)
class StretchShift:
    """What a variant does to the stretches around it.

    Attributes
    ----------
    width : int
        Residues of a window.
    centres : ndarray, shape=(n,), dtype=int
        0-based position of the middle of each window that holds a changed residue.
    apart : ndarray, shape=(n,)
        Distance between wild type and mutant in the whole space, 0 to 2.
    nearer : ndarray, shape=(n,), or None
        How much nearer the mutant lies to the whole structure, as a difference of cosines:
        below 0, it looks less like it. None where no structure could be placed.
    noise, noise_nearer : float
        What conservative substitutions do, at most, 95 times in 100.
    """

    width: int
    centres: NDArray[np.int64]
    apart: NDArray[np.float64]
    nearer: NDArray[np.float64] | None
    noise: float
    noise_nearer: float

    def __post_init__(self) -> None:
        n = len(self.centres)
        object.__setattr__(self, "centres", frozen_array(self.centres, (n,), "centres", int))
        object.__setattr__(self, "apart", frozen_array(self.apart, (n,), "apart"))
        if self.nearer is not None:
            object.__setattr__(self, "nearer", frozen_array(self.nearer, (n,), "nearer"))
        require(min(self.noise, self.noise_nearer) >= 0, "noise", "is a distance")

    @property
    def beyond(self) -> int:
        """Windows that move by more than the noise."""
        return int((self.apart > self.noise).sum())

    @property
    def furthest(self) -> int:
        """0-based position of the middle of the window that moves most."""
        return int(self.centres[self.apart.argmax()])


def stretch_shift(
    protein: Protein,
    variant: Variant,
    space: Space,
    width: int = WIDTHS[0],
    seed: int = 0,
    watch: Watch = UNWATCHED,
) -> StretchShift:
    """Place the windows around a variant, and those around random conservative substitutions.

    Raises
    ------
    InputError
        The variant inserts or deletes residues, or the protein is shorter than a window.
    """
    if not variant.only_substitutions:
        raise InputError("stretches are compared residue by residue: substitutions only.")
    if not SHORTEST <= width <= len(protein):
        raise InputError(f"a window of {width} residues needs a protein of as many.")
    structure = _structure(protein, space)
    watch.tell("placing stretches", 0.0)
    changed = [change.position - 1 for change in variant.changes]
    starts, apart, nearer = _shift(
        protein.sequence, variant.mutant, changed, width, space, structure
    )
    others, others_nearer = [], []
    mutants = conservative_mutants(protein.sequence, RANDOM, seed)
    for done, mutant in enumerate(mutants, start=1):
        watch.stop_if_cancelled("Placing")
        place = next(
            k for k, (a, b) in enumerate(zip(protein.sequence, mutant, strict=True)) if a != b
        )
        _, one, one_nearer = _shift(protein.sequence, mutant, [place], width, space, structure)
        others.append(one)
        others_nearer.append(np.abs(one_nearer))
        watch.tell("placing stretches", done / len(mutants))
    return StretchShift(
        width,
        starts + width // 2,
        apart,
        None if structure is None else nearer,
        float(np.quantile(np.concatenate(others), QUANTILE)) if others else 0.0,
        float(np.quantile(np.concatenate(others_nearer), QUANTILE)) if others else 0.0,
    )


def _structure(protein: Protein, space: Space) -> NDArray[np.float32] | None:
    """The place of the whole structure; None without one, or where none can be placed."""
    if protein.structure is None:
        return None
    try:
        found: NDArray[np.float32] = space.of_structures([protein.structure.backbone])[0]
    except (InputError, UnavailableError):
        return None
    return found


def _shift(
    wild: str,
    mutant: str,
    changed: list[int],
    width: int,
    space: Space,
    structure: NDArray[np.float32] | None,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Starts of the windows that hold a change, how far they move, and how much nearer."""
    starts = sorted(
        {
            start
            for place in changed
            for start in range(max(place - width + 1, 0), min(place, len(wild) - width) + 1)
        }
    )
    placed = space.of_sequences([text[s : s + width] for text in (wild, mutant) for s in starts])
    own, other = placed[: len(starts)].astype(float), placed[len(starts) :].astype(float)
    apart = np.linalg.norm(own - other, axis=1)
    nearer = np.zeros(len(starts)) if structure is None else (other - own) @ structure
    return np.array(starts, dtype=np.int64), apart, nearer
