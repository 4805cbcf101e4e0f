"""Turning a new side chain about its first two bonds.

A side chain that is built by template lies in an arbitrary rotamer, and a
minimisation does not leave it: it would rather push its surroundings away. So
the new side chain first takes over the chi angles of the old one, as
comparative modelling does (Šali & Blundell, J. Mol. Biol. 234, 779 (1993)),
and the other staggered rotamers are tried after that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

TURNS = (0.0, 120.0, 240.0)
"""Degrees tried about each of the first two bonds."""
_GAMMA = ("CG", "CG1", "OG", "OG1", "SG")
_DELTA = ("CD", "CD1", "OD1", "ND1", "SD")


@dataclass(frozen=True)
class Turn:
    """A rotatable bond of a side chain.

    Attributes
    ----------
    atoms : tuple of int
        Indices of the four atoms of its chi angle; the bond is the middle two.
    moved : tuple of int
        Indices of the atoms that turn about it.
    """

    atoms: tuple[int, int, int, int]
    moved: tuple[int, ...]


def chi_atoms(names: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Atom names of chi 1 and chi 2, as far as a residue of these atoms has them."""
    found = []
    gamma = next((name for name in _GAMMA if name in names), None)
    delta = next((name for name in _DELTA if name in names), None)
    if gamma is not None and {"N", "CA", "CB"} <= set(names):
        found.append(("N", "CA", "CB", gamma))
        if delta is not None:
            found.append(("CA", "CB", gamma, delta))
    return found


def chi_angles(atoms: Mapping[str, NDArray[np.float64]]) -> list[float]:
    """Chi 1 and chi 2 in degrees, as far as there are, from atom name -> position."""
    return [
        dihedral(*(np.asarray(atoms[name], dtype=float) for name in four))
        for four in chi_atoms(list(atoms))
    ]


def side_chain_turns(
    names: Sequence[str], indices: Sequence[int], bonds: Sequence[tuple[int, int]]
) -> list[Turn]:
    """The first two rotatable bonds of one residue, at most; none for Gly, Ala and Pro.

    Parameters
    ----------
    names : sequence of str
        Atom names of the residue, hydrogens included.
    indices : sequence of int
        Their indices in the coordinates to be turned.
    bonds : sequence of (int, int)
        Bonds within the residue, by those indices.
    """
    place = dict(zip(names, indices, strict=True))
    neighbours: dict[int, set[int]] = {index: set() for index in indices}
    for first, second in bonds:
        neighbours[first].add(second)
        neighbours[second].add(first)
    turns = []
    for before, origin, end, after in chi_atoms(names):
        moved = _beyond(place[origin], place[end], neighbours)
        if moved is not None:
            four = (place[before], place[origin], place[end], place[after])
            turns.append(Turn(four, tuple(sorted(moved))))
    return turns


def _beyond(origin: int, end: int, neighbours: Mapping[int, set[int]]) -> set[int] | None:
    """Atoms on the far side of the bond; None when they lead back (a ring)."""
    found, front = {end}, [end]
    while front:
        atom = front.pop()
        for other in neighbours[atom] - found:
            if other == origin:
                if atom != end:
                    return None
                continue
            found.add(other)
            front.append(other)
    return found - {end}


def rotamers(
    coord: NDArray[np.float64], turns: Sequence[Turn], inherited: Sequence[float]
) -> Iterator[NDArray[np.float64]]:
    """Copies of `coord`, shape=(n, 3), turned to every combination of `TURNS`.

    The first has the chi angles in `inherited` (degrees), as far as given.
    """
    start = coord.copy()
    for turn, wanted in zip(turns, inherited, strict=False):
        _turn(start, turn, wanted - dihedral(*start[list(turn.atoms)]))
    for degrees in product(TURNS, repeat=len(turns)):
        turned = start.copy()
        for turn, angle in zip(turns, degrees, strict=True):
            _turn(turned, turn, angle)
        yield turned


def _turn(coord: NDArray[np.float64], turn: Turn, degrees: float) -> None:
    """Turn in place, by the right-hand rule about the bond, so that chi grows by `degrees`."""
    origin, end = coord[turn.atoms[1]], coord[turn.atoms[2]]
    x, y, z = (end - origin) / np.linalg.norm(end - origin)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    moved = list(turn.moved)
    coord[moved] = (coord[moved] - end) @ rotation.T + end


def dihedral(
    a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64], d: NDArray[np.float64]
) -> float:
    """Dihedral angle of four points, shape=(3,) each, in degrees (IUPAC sign)."""
    first, axis, last = b - a, c - b, d - c
    normal = np.cross(axis, last)
    sine = np.linalg.norm(axis) * first @ normal
    cosine = np.cross(first, axis) @ normal
    return float(np.degrees(np.arctan2(sine, cosine)))
