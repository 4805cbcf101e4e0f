"""Every rotamer of an ideal side chain, and how it comes to stand on a backbone."""

from __future__ import annotations

from functools import cache
from itertools import product, zip_longest

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.checks.templates import BACKBONE, template
from glass_core.records import frozen_array
from glass_core.remodel.rotamers import Turn, rotamers

FRAME = ("N", "CA", "C")
"""Backbone atoms on which a side chain is put."""
SWING = (-20.0, 0.0, 20.0)
"""Degrees that real side chains swing about a staggered chi 1 and chi 2."""
_STAGGERED, _ACROSS, _ALONG = (60.0,), (90.0,), (0.0,)
_EITHER_WAY = (90.0, 270.0)
_CHI: dict[str, tuple[str, tuple[float, ...]]] = {
    "C": ("SG", _STAGGERED),
    "D": ("CG OD1", _ALONG),
    "E": ("CG CD OE1", _ALONG),
    "F": ("CG CD1", _ACROSS),
    "H": ("CG ND1", _EITHER_WAY),
    "I": ("CG1 CD1", _STAGGERED),
    "K": ("CG CD CE NZ", _STAGGERED),
    "L": ("CG CD1", _STAGGERED),
    "M": ("CG SD CE", _STAGGERED),
    "N": ("CG OD1", _ALONG),
    "Q": ("CG CD OE1", _ALONG),
    "R": ("CG CD NE CZ", _STAGGERED),
    "S": ("OG", _STAGGERED),
    "T": ("OG1", _STAGGERED),
    "V": ("CG1", _STAGGERED),
    "W": ("CG CD1", _EITHER_WAY),
    "Y": ("CG CD1", _ACROSS),
}
"""Atoms along which the chi angles run on from N, CA, CB, and values of the last to start from."""


@cache
def side_chain_names(letter: str) -> tuple[str, ...]:
    """Names of a side chain's heavy atoms, in the order of `library` and `placed`."""
    names = map(str, template(letter).atom_name)
    return tuple(name for name in names if name not in BACKBONE)


@cache
def library(letter: str) -> NDArray[np.float64]:
    """Every rotamer of a residue, shape=(k, m, 3), in Å, all on one backbone; none for Gly.

    All staggered values of each chi and, for chi 1 and chi 2, a swing about them.
    """
    atoms = template(letter)
    side = ~np.isin(atoms.atom_name, BACKBONE)
    turns, starts = _turns(letter)
    coord = atoms.coord.astype(float)
    made = [
        turned[side]
        for swing in product(SWING, repeat=min(len(turns), 2))
        for start in starts
        for turned in rotamers(coord, turns, _added(start, swing))
    ]
    return frozen_array(np.array(made), (None, None, 3), "library")


def placed(letter: str, frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotamers on a backbone, shape=(k, m, 3), in Å.

    Parameters
    ----------
    letter : str
    frame : ndarray, shape=(3, 3), dtype=float
        N, CA and C of the residue in Å, by rows.
    """
    import biotite.structure as struc

    atoms = template(letter)
    own = np.array([atoms.coord[atoms.atom_name == name][0] for name in FRAME], dtype=float)
    _, move = struc.superimpose(frame, own)
    made = library(letter)
    return np.asarray(move.apply(made.reshape(-1, 3)), dtype=float).reshape(made.shape)


def _turns(letter: str) -> tuple[list[Turn], list[list[float]]]:
    """The rotatable bonds of a residue, and the values of chi to start from."""
    import biotite.structure as struc

    if letter not in _CHI:
        return [], [[]]
    further, last = _CHI[letter]
    atoms = template(letter)
    names = list(map(str, atoms.atom_name))
    path = [names.index(name) for name in ("N", "CA", "CB", *further.split())]
    turns = []
    for four in zip(path, path[1:], path[2:], path[3:], strict=False):
        bonds = atoms.bonds.copy()
        bonds.remove_bond(four[1], four[2])
        beyond = set(struc.find_connected(bonds, four[2]).tolist()) - {four[2]}
        turns.append(Turn(four, tuple(sorted(beyond))))
    return turns, [[*_STAGGERED] * (len(turns) - 1) + [value] for value in last]


def _added(start: list[float], swing: tuple[float, ...]) -> list[float]:
    return [a + b for a, b in zip_longest(start, swing, fillvalue=0.0)]
