"""Between a `Structure` and the plain numbered chain that an engine works on.

Engines get residues numbered from 1 in chains that have no gap; the result is
put back, residue by residue in order, under the numbering the file had.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import RemodelError
from glass_core.protein.sequence import THREE_LETTER
from glass_core.protein.structure.structure import Structure

if TYPE_CHECKING:
    from biotite.structure import AtomArray

SEGMENT_CHAINS = string.ascii_uppercase + string.ascii_lowercase + string.digits
_MAX_RESIDUES = 9999
"""The PDB format, which the engines read, has four digits."""


def segments(wild: Structure) -> NDArray[np.int64]:
    """Number of the unbroken segment of each residue, shape=(n,).

    Raises
    ------
    RemodelError
        More residues or segments than an engine's file format holds.
    """
    number = np.searchsorted(np.array(wild.breaks, dtype=int), np.arange(len(wild)), side="left")
    if number[-1] >= len(SEGMENT_CHAINS):
        raise RemodelError(
            f"{wild.name}: has {number[-1]} chain breaks, too many to remodel; use a more "
            "complete structure."
        )
    if len(wild) > _MAX_RESIDUES:
        raise RemodelError(
            f"{wild.name}: has {len(wild)} residues, more than {_MAX_RESIDUES}; cut out the "
            "domain of interest."
        )
    return np.asarray(number)


def start_atoms(
    wild: Structure,
    start: Structure,
    rebuilt: Mapping[int, str],
    kept: Iterable[str],
    noise: NDArray[np.float64],
) -> AtomArray:
    """What an engine starts from: perturbed atoms without the side chains to be rebuilt.

    Parameters
    ----------
    wild : Structure
        Tells where the chain is broken.
    start : Structure
        The coordinates, residue by residue those of `wild`.
    rebuilt : mapping of int to str
        0-based residue index -> letter of the residue it becomes; only the
        atoms named in `kept` stay.
    noise : ndarray, shape=(n_atoms, 3), dtype=float
        Added to the coordinates, in Å.
    """
    atoms = start.atoms.copy()
    atoms.coord = (atoms.coord + noise).astype(np.float32)
    residue = start.residue_of_atom
    keep = ~np.isin(residue, list(rebuilt)) | np.isin(atoms.atom_name, list(kept))
    for place, letter in rebuilt.items():
        atoms.res_name[residue == place] = THREE_LETTER[letter].upper()
    atoms.chain_id = np.array([SEGMENT_CHAINS[s] for s in segments(wild)[residue]])
    atoms.res_id, atoms.ins_code = residue + 1, np.full(len(atoms), "")
    return atoms[keep]


def as_structure(wild: Structure, atoms: AtomArray, residue: NDArray[np.integer]) -> Structure:
    """An engine's atoms under the wild type's chain and numbers, superposed on it.

    Parameters
    ----------
    atoms : AtomArray
        With one C-alpha per residue of the wild type, in order.
    residue : ndarray, shape=(n_atoms,), dtype=int
        0-based residue index of each atom.
    """
    import biotite.structure as struc

    first = wild.residue_starts[residue]
    atoms.chain_id = np.full(len(atoms), wild.chain)
    atoms.res_id, atoms.ins_code = wild.atoms.res_id[first], wild.atoms.ins_code[first]
    mobile = atoms.coord[atoms.atom_name == "CA"]
    _, move = struc.superimpose(wild.atoms.coord[wild.ca_mask], mobile)
    atoms.coord = move.apply(atoms.coord)
    return Structure.from_atoms(atoms, wild.name, "remodelled")
