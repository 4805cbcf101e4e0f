"""The backbone of residues: what a network that reads structures is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.sequence import ONE_LETTER, UNKNOWN
from glass_core.records import frozen_array, require

if TYPE_CHECKING:
    from biotite.structure import AtomArray

BACKBONE_ATOMS = ("N", "CA", "C", "O")
CA_STEP = 4.5
"""Å between neighbouring C-alphas at most; ideal is 3.8."""
CONTEXT = 20.0
"""Å between C-alphas within which residues of other chains belong to a chain's surroundings."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """Residues of one or more chains, one chain behind another.

    Attributes
    ----------
    letters : str
        One per residue, X where it is none of the 20.
    coordinates : ndarray, shape=(n, 4, 3), dtype=float32
        N, CA, C, O in Å; NaN where the file lacks the atom. C-alphas are always there.
    numbers : ndarray, shape=(n,), dtype=int
        Place along the chain: one more than the residue before where that is its neighbour,
        else by the numbers of the file, and two more at least.
    chains : tuple of str
        Per residue.
    """

    letters: str
    coordinates: NDArray[np.float32]
    numbers: NDArray[np.int64]
    chains: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.letters)
        coordinates = frozen_array(self.coordinates, (n, 4, 3), "coordinates", np.float32)
        object.__setattr__(self, "coordinates", coordinates)
        object.__setattr__(self, "numbers", frozen_array(self.numbers, (n,), "numbers", int))
        require(bool(np.isfinite(self.ca).all()), "coordinates", "has every C-alpha")
        require(len(self.chains) == n, "chains", "has an entry per residue")

    @staticmethod
    def of(atoms: AtomArray) -> Backbone:
        """The residues of `atoms` that have a C-alpha; the first atom of each name counts."""
        import biotite.structure as struc

        starts = struc.get_residue_starts(atoms)
        residue = struc.get_all_residue_positions(atoms)
        coordinates = np.full((len(starts), len(BACKBONE_ATOMS), 3), np.nan, dtype=np.float32)
        for column, name in enumerate(BACKBONE_ATOMS):
            rows = np.flatnonzero((atoms.atom_name == name) & (atoms.element != "CA"))[::-1]
            coordinates[residue[rows], column] = atoms.coord[rows]
        kept = np.isfinite(coordinates[:, 1]).all(axis=1)
        starts, coordinates = starts[kept], coordinates[kept]
        chains = atoms.chain_id[starts]
        return Backbone(
            "".join(ONE_LETTER.get(str(name), UNKNOWN) for name in atoms.res_name[starts]),
            coordinates,
            numbers_along(coordinates[:, 1], atoms.res_id[starts], chains),
            tuple(map(str, chains)),
        )

    @staticmethod
    def of_chain(
        letters: str, coordinates: NDArray[np.float32], given: NDArray[np.integer]
    ) -> Backbone:
        """One chain whose residues have the numbers `given`, shape=(n,)."""
        chain = np.full(len(letters), "A")
        numbers = numbers_along(coordinates[:, 1], given, chain)
        return Backbone(letters, coordinates, numbers, tuple(map(str, chain)))

    def __len__(self) -> int:
        return len(self.letters)

    def __getitem__(self, cut: slice) -> Backbone:
        """A stretch of the residues."""
        return Backbone(
            self.letters[cut], self.coordinates[cut], self.numbers[cut], self.chains[cut]
        )

    @property
    def ca(self) -> NDArray[np.float32]:
        """C-alpha coordinates, shape=(n, 3), in Å."""
        return self.coordinates[:, 1]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which residues have all four atoms, shape=(n,)."""
        return np.asarray(np.isfinite(self.coordinates).all(axis=(1, 2)), dtype=bool)

    def with_letters(self, letters: str) -> Backbone:
        """The same residues under other letters."""
        return replace(self, letters=letters)

    def near(self, points: NDArray[np.floating]) -> Backbone:
        """The residues with a C-alpha within `CONTEXT` Å of one of `points`, shape=(m, 3)."""
        from scipy.spatial import cKDTree

        if not len(self):
            return self
        distance = cKDTree(points).query(self.ca, distance_upper_bound=CONTEXT)[0]
        return self.only(np.isfinite(distance))

    def only(self, chosen: NDArray[np.bool_]) -> Backbone:
        """Some of the residues, by a mask of shape=(n,)."""
        rows = np.flatnonzero(chosen)
        return Backbone(
            "".join(self.letters[row] for row in rows),
            self.coordinates[rows],
            self.numbers[rows],
            tuple(self.chains[row] for row in rows),
        )


def numbers_along(
    ca: NDArray[np.float32], given: NDArray[np.integer], chain: NDArray[np.str_]
) -> NDArray[np.int64]:
    """Place of each residue along its chain, see `Backbone.numbers`, from the numbers given."""
    bonded = (np.linalg.norm(np.diff(ca, axis=0), axis=1) <= CA_STEP) & (chain[1:] == chain[:-1])
    steps = np.where(bonded, 1, np.maximum(np.diff(given), 2))
    return np.cumsum(np.concatenate([[0], steps]))[: len(ca)].astype(np.int64)
