"""Secondary structure from C-alphas, by biotite's P-SEA.

Labesse et al., Comput. Appl. Biosci. 13, 291 (1997).
"""

from __future__ import annotations

from dataclasses import dataclass

from glass_core.protein.protein import Protein
from glass_core.protein.structure.structure import Structure

HELIX, STRAND, COIL, ABSENT = "H", "E", "C", "-"
KIND_NAMES = {HELIX: "helix", STRAND: "strand", COIL: "coil"}
_FROM_PSEA = {"a": HELIX, "b": STRAND, "c": COIL, "": COIL}


@dataclass(frozen=True)
class Element:
    """A run of one kind of secondary structure; indices from `start` to before `stop`."""

    kind: str
    start: int
    stop: int


def secondary_structure(structure: Structure) -> str:
    """One letter per residue with coordinates: H helix, E strand, C coil."""
    import biotite.structure as struc

    ca = structure.atoms[structure.ca_mask].copy()
    ca.res_id, ca.ins_code[:] = _numbering_with_breaks(structure), ""
    return "".join(_FROM_PSEA[str(letter)] for letter in struc.annotate_sse(ca))


def positions_secondary(protein: Protein) -> str:
    """One letter per sequence position; ``-`` where it has no coordinates."""
    if protein.structure is None:
        return ABSENT * len(protein)
    letters = secondary_structure(protein.structure)
    return "".join(letters[j] if j >= 0 else ABSENT for j in protein.structure_index)


def _numbering_with_breaks(structure: Structure) -> list[int]:
    """Consecutive numbers that jump only where the chain does (not at insertion codes)."""
    number, numbers, breaks = 0, [], set(structure.breaks)
    for index in range(len(structure)):
        number += 1
        numbers.append(number)
        if index in breaks:
            number += 10
    return numbers


def elements(letters: str, kinds: str = HELIX + STRAND, minimum: int = 3) -> list[Element]:
    """Runs of the given kinds, at least `minimum` residues long, in chain order."""
    runs, start = [], 0
    for stop in range(1, len(letters) + 1):
        if stop == len(letters) or letters[stop] != letters[start]:
            if letters[start] in kinds and stop - start >= minimum:
                runs.append(Element(letters[start], start, stop))
            start = stop
    return runs
