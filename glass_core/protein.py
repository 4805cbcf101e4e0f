"""A protein: its sequence and, where known, the structure that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.alignment import GAP, aligned_pairs, global_alignment
from glass_core.errors import StructureError
from glass_core.records import frozen_array, require
from glass_core.sequence import UNKNOWN, check_residues
from glass_core.structure import Structure

_MIN_IDENTITY = 0.5
"""Below this identity over the aligned residues the structure is another protein's."""
_MIN_ALIGNED = 3


@dataclass(frozen=True)
class Mismatch:
    """A residue where sequence and structure disagree; the sequence is followed."""

    position: int
    sequence_residue: str
    structure_residue: str
    author_number: str

    def __str__(self) -> str:
        return (
            f"position {self.position} is {self.sequence_residue} in the sequence but "
            f"{self.structure_residue} in the structure (residue {self.author_number})"
        )


@dataclass(frozen=True, eq=False)
class Protein:
    """A wild type: a sequence, and the structure residue of each position.

    Build with `from_sequence`, `from_structure` or `combine`.

    Attributes
    ----------
    sequence : str
    name : str
    structure : Structure or None
    structure_index : ndarray, shape=(L,), dtype=int
        0-based index into the structure's residues, -1 where the position has
        no coordinates.
    """

    sequence: str
    name: str
    structure: Structure | None
    structure_index: NDArray[np.int64]

    def __post_init__(self) -> None:
        check_residues(self.sequence, "sequence")
        index = frozen_array(self.structure_index, (len(self.sequence),), "structure_index", int)
        object.__setattr__(self, "structure_index", index)
        count = 0 if self.structure is None else len(self.structure)
        require(bool((index < count).all() and (index >= -1).all()), "structure_index",
                "points into the structure")
        require(bool((np.diff(index[index >= 0]) > 0).all()), "structure_index", "is in order")

    @staticmethod
    def from_sequence(sequence: str, name: str = "") -> Protein:
        """A protein known by sequence alone."""
        return Protein(sequence, name, None, np.full(len(sequence), -1))

    @staticmethod
    def from_structure(structure: Structure) -> Protein:
        """A protein whose sequence is that of the residues with coordinates."""
        return Protein(structure.sequence, structure.name, structure, np.arange(len(structure)))

    @staticmethod
    def combine(sequence: str, structure: Structure, name: str = "") -> Protein:
        """A protein with the given sequence; the structure's residues aligned to it.

        Parts of either that the other lacks are allowed (disordered ends,
        expression tags), and single mismatches are reported by `mismatches`.

        Raises
        ------
        StructureError
            The two have less than half of their aligned residues in common, or
            almost nothing aligned: the structure is another protein's.
        """
        check_residues(sequence, "sequence")
        if sequence == structure.sequence:
            rows = (sequence, sequence)
        else:
            rows = global_alignment(sequence, structure.sequence, free_ends=True)
        pairs = aligned_pairs(*rows)
        same = sum(sequence[i] == structure.sequence[j] for i, j in pairs)
        shorter = min(len(sequence), len(structure))
        if len(pairs) < min(_MIN_ALIGNED, shorter) or same < _MIN_IDENTITY * max(
            len(pairs), shorter / 2
        ):
            raise StructureError(
                f"{structure.name}: chain {structure.chain} and the sequence disagree, only "
                f"{same} of {shorter} residues match; give the structure of this protein or "
                "leave the sequence empty to use the structure's own."
            )
        index = np.full(len(sequence), -1)
        index[pairs[:, 0]] = pairs[:, 1]
        return Protein(sequence, name or structure.name, structure, index)

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Positions with coordinates, shape=(L,)."""
        return np.asarray(self.structure_index >= 0)

    @property
    def coverage(self) -> float:
        """Fraction of positions with coordinates."""
        return float(self.covered.mean())

    @property
    def mismatches(self) -> tuple[Mismatch, ...]:
        """Every position where the structure shows another residue than the sequence."""
        if self.structure is None:
            return ()
        return tuple(
            Mismatch(i + 1, self.sequence[i], self.structure.sequence[j],
                     self.structure.residue_numbers[j])
            for i, j in enumerate(self.structure_index)
            if j >= 0 and self.structure.sequence[j] != self.sequence[i]
            and UNKNOWN not in (self.structure.sequence[j], self.sequence[i])
        )

    @property
    def ca(self) -> NDArray[np.float64]:
        """C-alpha coordinates, shape=(L, 3), in Å; NaN rows without coordinates."""
        if self.structure is None:
            return np.full((len(self), 3), np.nan)
        return self.track(self.structure.ca)

    def track(self, per_structure_residue: NDArray[np.floating]) -> NDArray[np.float64]:
        """Values per structure residue, shape=(n, ...), moved to sequence positions.

        Returns shape=(L, ...); NaN where a position has no coordinates.
        """
        values = np.asarray(per_structure_residue, dtype=float)
        result = np.full((len(self), *values.shape[1:]), np.nan)
        result[self.covered] = values[self.structure_index[self.covered]]
        return result

    def author_number(self, index: int) -> str:
        """Author residue number with insertion code, '' without coordinates."""
        j = int(self.structure_index[index])
        return "" if self.structure is None or j < 0 else self.structure.residue_numbers[j]

    def alignment_report(self) -> str:
        """The sequence above the structure's, with a row marking matches, 60 per line."""
        if self.structure is None:
            return "No structure."
        below = "".join(
            self.structure.sequence[j] if j >= 0 else GAP for j in self.structure_index
        )
        marks = "".join(
            "|" if a == b else " " if b == GAP else "x"
            for a, b in zip(self.sequence, below, strict=True)
        )
        return "\n\n".join(
            f"{start + 1:>6} {self.sequence[start:start + 60]}\n"
            f"       {marks[start:start + 60]}\n"
            f"       {below[start:start + 60]}"
            for start in range(0, len(self), 60)
        )
