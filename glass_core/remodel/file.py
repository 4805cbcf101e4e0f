"""A mutant structure the user brings, in place of a remodel."""

from __future__ import annotations

from glass_core.alignment import GAP, global_alignment
from glass_core.errors import StructureError
from glass_core.remodel.base import Replicate
from glass_core.structure import Structure
from glass_core.variant import Variant


def from_file(wild: Structure, mutant: Structure, variant: Variant) -> Replicate:
    """Pair the wild type with a given mutant structure; there is no noise floor.

    Raises
    ------
    StructureError
        The structure's residues are not those of the mutant sequence; the
        message names the first that differs.
    """
    expected, found = global_alignment(variant.mutant, mutant.sequence, free_ends=True)
    position = 0
    for a, b in zip(expected, found, strict=True):
        position += a != GAP
        if GAP not in (a, b) and a != b and b != "X":
            raise StructureError(
                f"{mutant.name}: is not the structure of {variant.text}, it has {b} where the "
                f"mutant's residue {position} is {a}; give the structure of this mutant."
            )
    return Replicate(seed=0, reference=wild, mutant=mutant, floor=None)
