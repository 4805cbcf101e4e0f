"""One conformation of each residue, where a file gives several."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.structure.table import AtomTable

BACKBONE = ("N", "CA", "C", "O")


def one_conformation(atoms: AtomTable, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of a residue's rows those of the conformation with the highest mean occupancy.

    A conformation is a location of one residue type; of equal ones the first counts. Atoms
    without a location belong to all of their type, unless they are a conformation of their own
    beside a lettered one. A conformation with a C-alpha is preferred, and takes from the others
    what its backbone lacks, so that no residue is lost. An atom that is there twice counts once.
    """
    locations, types, names = atoms.location[rows], atoms.residue[rows], atoms.atom[rows]
    if not any(locations.tolist()) and len(set(types.tolist())) == 1:
        plain = len(set(names.tolist())) == len(rows)
        return rows if plain else rows[_first_of_each(names)]
    groups: dict[tuple[str, str], list[int]] = {}
    for place, (location, kind) in enumerate(zip(locations, types, strict=True)):
        groups.setdefault((str(location), str(kind)), []).append(place)
    labelled = {key: group for key, group in groups.items() if key[0]}
    lettered_names = {str(names[i]) for group in labelled.values() for i in group}
    own = {
        key: group
        for key, group in groups.items()
        if key[0] or not labelled or lettered_names & {str(names[i]) for i in group}
    }
    shared = {key[1]: group for key, group in groups.items() if key not in own}

    def with_shared(key: tuple[str, str]) -> list[int]:
        return own[key] + shared.get(key[1], [])

    whole = {key: with_shared(key) for key in own}
    complete = [key for key, group in whole.items() if "CA" in names[group]] or list(whole)
    chosen = max(complete, key=lambda key: float(atoms.occupancy[rows[own[key]]].mean()))
    kept = whole[chosen]
    others = [i for key, group in groups.items() if key[1] == chosen[1] for i in group]
    kept += [i for i in others if names[i] in BACKBONE and names[i] not in names[kept]]
    order = np.array(kept)[_first_of_each(names[kept])]
    return rows[np.sort(order)]


def _first_of_each(names: Iterable[str]) -> NDArray[np.int64]:
    """Places at which each of the names stands first."""
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        first.setdefault(str(name), place)
    return np.fromiter(first.values(), dtype=np.int64)
