"""The 20 residues as the chemical dictionary has them: heavy atoms, bonds, radii."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from glass_core.protein.sequence import THREE_LETTER

if TYPE_CHECKING:
    from biotite.structure import AtomArray

BACKBONE = ("N", "CA", "C", "O", "OXT")
_OTHER_RADIUS = 1.8
"""Å, of an atom that the set of radii lacks."""


@cache
def template(letter: str) -> AtomArray:
    """Heavy atoms of a residue inside a chain, with ideal coordinates and bonds; read-only.

    They are those of wwPDB's chemical component dictionary, kept in ``templates.json``, for to
    read the dictionary takes seconds.
    """
    import biotite.structure as struc

    known = _templates()[letter]
    atoms = struc.AtomArray(len(known["names"]))
    atoms.coord = np.array(known["coordinates"], dtype=np.float32)
    atoms.atom_name[:] = known["names"]
    atoms.element[:] = [name[0] for name in known["names"]]
    atoms.res_name[:] = THREE_LETTER[letter].upper()
    atoms.bonds = struc.BondList(len(atoms), np.array(known["bonds"]).reshape(-1, 3))
    return atoms


@cache
def _templates() -> dict[str, Any]:
    text = files(__package__).joinpath("templates.json").read_text(encoding="utf-8")
    templates: dict[str, Any] = json.loads(text)
    return templates


@cache
def atom_names(letter: str) -> frozenset[str]:
    """Names of the heavy atoms of a residue inside a chain."""
    return frozenset(map(str, template(letter).atom_name))


@cache
def bonded(letter: str, name: str) -> tuple[str, ...]:
    """Heavy atoms of the same residue that an atom is bonded to."""
    atoms = template(letter)
    (index,) = (atoms.atom_name == name).nonzero()[0][:1]
    return tuple(str(atoms.atom_name[i]) for i in atoms.bonds.get_bonds(index)[0])


@cache
def radius(residue: str, name: str) -> float:
    """Å; of a heavy atom with its hydrogens (Tsai et al., J. Mol. Biol. 290, 253 (1999))."""
    from biotite.structure.info import vdw_radius_protor

    try:
        found = vdw_radius_protor(residue, name)
    except KeyError:
        found = None
    return float(found or _OTHER_RADIUS)
