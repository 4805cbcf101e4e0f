"""Where a substitution takes place: what stands around it, as far as the structure shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import RecordError
from glass_core.impact.checks.templates import BACKBONE, atom_names, radius
from glass_core.metrics.secondary import secondary_structure
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.structure import Structure
from glass_core.records import frozen_array, require

Verdict = tuple[bool | None, str]
"""Whether a rule holds (None: cannot be told), and the sentence that says so."""

LARGEST_AREA = {
    "A": 129.0,
    "R": 274.0,
    "N": 195.0,
    "D": 193.0,
    "C": 167.0,
    "Q": 225.0,
    "E": 223.0,
    "G": 104.0,
    "H": 224.0,
    "I": 197.0,
    "L": 201.0,
    "K": 236.0,
    "M": 224.0,
    "F": 240.0,
    "P": 159.0,
    "S": 155.0,
    "T": 172.0,
    "W": 285.0,
    "Y": 263.0,
    "V": 174.0,
}
"""Å² that solvent reaches at most of a residue X in Gly-X-Gly, in theory.

Tien et al., PLoS ONE 8, e80635 (2013), Table 1.
"""
HELIX_PHI, HELIX_PSI, HELIX_SPREAD = -63.0, -42.0, 30.0
"""Degrees: the ideal alpha helix and how far a residue of one may be from it."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the checks read of one chain; made once, used for every variant.

    Other chains and ligands are left out of it: a residue that only they cover is exposed here.

    Attributes
    ----------
    structure : Structure
    accessibility : ndarray, shape=(n,), dtype=float
        Area that solvent reaches over `LARGEST_AREA` of the residue; NaN where the residue
        lacks heavy atoms or is unknown. May exceed 1 at the ends.
    phi, psi : ndarray, shape=(n,), dtype=float
        Degrees; NaN at ends and breaks and where the backbone lacks atoms.
    omega : ndarray, shape=(n,), dtype=float
        Degrees, of the peptide bond before the residue; NaN likewise.
    secondary : str
        H helix, E strand, C coil; one letter per residue.
    """

    structure: Structure
    accessibility: NDArray[np.float64]
    phi: NDArray[np.float64]
    psi: NDArray[np.float64]
    omega: NDArray[np.float64]
    secondary: str

    def __post_init__(self) -> None:
        count = len(self.structure)
        for field in ("accessibility", "phi", "psi", "omega"):
            track = frozen_array(getattr(self, field), (count,), field)
            object.__setattr__(self, field, track)
        require(len(self.secondary) == count, "secondary", "has a letter per residue")

    @staticmethod
    @lru_cache(maxsize=8)
    def of(structure: Structure) -> Surroundings:
        """Measure a chain; a moment for a few hundred residues. Kept for its further variants."""
        return Surroundings(
            structure,
            _accessibility(structure),
            *_torsions(structure),
            secondary_structure(structure),
        )

    def atom(self, place: int, name: str) -> NDArray[np.float64] | None:
        """Å, shape=(3,): an atom of the residue at a 0-based index; None where it is missing."""
        row = self._rows[place].get(name)
        return None if row is None else self.coord[row]

    def rows(self, place: int, names: tuple[str, ...] | frozenset[str]) -> dict[str, int]:
        """Name -> index into the structure's atoms, of those of a residue that are there."""
        return {name: row for name, row in self._rows[place].items() if name in names}

    def complete(self, place: int) -> bool:
        """Whether a residue has all its heavy atoms."""
        return _is_complete(self.structure.sequence[place], self._rows[place])

    def step(self, place: int, by: int) -> int | None:
        """Index of the residue so many along the chain; None beyond an end or a break."""
        end = place + by
        low, high = sorted((place, end))
        if low < 0 or high >= len(self.structure):
            return None
        return None if any(low <= i < high for i in self.structure.breaks) else end

    def helical(self, place: int | None) -> bool:
        """Whether phi and psi are those of an alpha helix; not where they are unknown."""
        if place is None:
            return False
        return bool(
            abs(self.phi[place] - HELIX_PHI) <= HELIX_SPREAD
            and abs(self.psi[place] - HELIX_PSI) <= HELIX_SPREAD
        )

    @cached_property
    def coord(self) -> NDArray[np.float64]:
        """Å, shape=(n_atoms, 3)."""
        return frozen_array(self.structure.atoms.coord, (None, 3), "coord")

    @cached_property
    def radii(self) -> NDArray[np.float64]:
        """Å, shape=(n_atoms,)."""
        return frozen_array(_radii(self.structure), (None,), "radii")

    @cached_property
    def tree(self) -> Any:
        """The structure's atoms, for asking which are near (scipy's cKDTree)."""
        from scipy.spatial import cKDTree

        return cKDTree(self.coord)

    @cached_property
    def _rows(self) -> list[dict[str, int]]:
        return _rows(self.structure)


@dataclass(frozen=True, eq=False)
class Site:
    """One substitution and its place in the structure.

    Attributes
    ----------
    protein : Protein
    change : Change
        One residue for one residue.
    surroundings : Surroundings or None
        Of the protein's structure.
    """

    protein: Protein
    change: Change
    surroundings: Surroundings | None = None

    def __post_init__(self) -> None:
        require(self.change.is_substitution, "change", "is one residue for one residue")
        wild = self.protein.sequence[self.position - 1 : self.position]
        require(wild == self.wild, "change", "agrees with the protein")
        own = self.surroundings is None or self.surroundings.structure is self.protein.structure
        require(own, "surroundings", "are those of the protein's structure")

    @property
    def position(self) -> int:
        """1-based."""
        return self.change.position

    @property
    def wild(self) -> str:
        """The letter taken out."""
        return self.change.wild

    @property
    def mutant(self) -> str:
        """The letter put in."""
        return self.change.mutant

    @property
    def is_standard(self) -> bool:
        """Whether both letters are among the 20."""
        return self.wild in STANDARD and self.mutant in STANDARD

    @property
    def label(self) -> str:
        """Such as ``R175``, as the protein's user counts."""
        return self.protein.named(self.position)

    @property
    def place(self) -> int:
        """0-based index into the structure's residues, -1 where it has no coordinates."""
        return int(self.protein.structure_index[self.position - 1])

    @property
    def around(self) -> Surroundings:
        """The surroundings.

        Raises
        ------
        RecordError
            There are none.
        """
        if self.surroundings is None:
            raise RecordError("surroundings: are asked for where there is no structure.")
        return self.surroundings

    @property
    def gap(self) -> str:
        """Why the structure does not show the wild-type residue; '' where it does."""
        if self.surroundings is None:
            return "there is no structure"
        if self.place < 0:
            return "the structure has no coordinates here"
        shown = self.around.structure.sequence[self.place]
        return "" if shown == self.wild else f"the structure shows {shown} here"

    @property
    def accessibility(self) -> float:
        """Relative, NaN where unknown."""
        return float(self.around.accessibility[self.place])

    def untold(self, why: str) -> Verdict:
        """The verdict where nothing can be told."""
        return None, f"{self.label}: cannot be told, for {why}."

    def name_of(self, place: int) -> str:
        """Letter and position of another residue of the structure, such as ``D93``."""
        letter = self.around.structure.sequence[place]
        found = np.flatnonzero(self.protein.structure_index == place)
        if len(found):
            return f"{letter}{self.protein.label(int(found[0]) + 1)}"
        return f"{letter} (author number {self.around.structure.residue_numbers[place]})"


def _rows(structure: Structure) -> list[dict[str, int]]:
    """Per residue its atoms' names and their indices; the first of a name counts."""
    rows: list[dict[str, int]] = [{} for _ in range(len(structure))]
    names = map(str, structure.atoms.atom_name)
    for row, (place, name) in enumerate(zip(structure.residue_of_atom, names, strict=True)):
        rows[place].setdefault(name, row)
    return rows


def _is_complete(letter: str, have: dict[str, int]) -> bool:
    return letter in STANDARD and atom_names(letter) <= have.keys()


def _radii(structure: Structure) -> list[float]:
    atoms = structure.atoms
    return [radius(str(r), str(a)) for r, a in zip(atoms.res_name, atoms.atom_name, strict=True)]


def _accessibility(structure: Structure) -> NDArray[np.float64]:
    """Shrake & Rupley, J. Mol. Biol. 79, 351 (1973), by biotite; probe 1.4 Å."""
    import biotite.structure as struc

    share = np.full(len(structure), np.nan)
    complete = [
        _is_complete(*pair) for pair in zip(structure.sequence, _rows(structure), strict=True)
    ]
    if not any(complete):
        return share
    atoms = structure.atoms.copy()
    atoms.coord = atoms.coord.copy()  # biotite wants it writable
    area = struc.sasa(atoms, vdw_radii=np.array(_radii(structure), dtype=np.float32))
    total = np.bincount(structure.residue_of_atom, np.nan_to_num(area), len(structure))
    for place in np.flatnonzero(complete):
        share[place] = total[place] / LARGEST_AREA[structure.sequence[place]]
    return share


def _torsions(
    structure: Structure,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Phi, psi, and the omega of the bond before, in degrees."""
    import biotite.structure as struc

    atoms = structure.atoms[np.isin(structure.atoms.atom_name, BACKBONE)]
    with np.errstate(invalid="ignore"):  # atoms on top of each other have no angle
        phi, psi, omega = (np.degrees(a.astype(float)) for a in struc.dihedral_backbone(atoms))
    ends = list(structure.breaks)
    psi[ends] = omega[ends] = phi[[i + 1 for i in ends]] = np.nan
    return phi, psi, np.append(np.nan, omega[:-1])
