"""A mutant structure the user brings, in place of a remodel."""

from __future__ import annotations

from glass_core.errors import StructureError
from glass_core.protein.alignment import GAP, global_alignment
from glass_core.protein.sequence import UNKNOWN
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.protein.writing import Label, write_changes
from glass_core.remodel.base import Replicate

_SHOWN = 3


def check_mutant(mutant: Structure, variant: Variant, label: Label = str) -> None:
    """Raise unless `mutant` is a structure of the variant's mutant sequence.

    The structure may lack residues of the sequence (unresolved ends and
    loops), and unknown residues are let pass; it may not have others. `label` is the number of
    a 1-based position of the wild type in messages.

    Raises
    ------
    StructureError
        One line that names the first residues that differ.
    """
    expected, found = global_alignment(variant.mutant, mutant.sequence, free_ends=True)
    names = _mutant_names(variant, label)
    position, differences, same = 0, [], 0
    for want, have in zip(expected, found, strict=True):
        position += want != GAP
        if GAP in (want, have) or have == UNKNOWN:
            continue
        if want == have:
            same += 1
        else:
            differences.append(f"{have} where the mutant has {want}{names[position - 1]}")
    if differences or not same:
        shown = "; ".join(differences[:_SHOWN]) or "no residue in common"
        more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise StructureError(
            f"{mutant.name}: is not the structure of "
            f"{write_changes(variant.changes, variant.wild_type, label)}: it has {shown}{more}. "
            "Give the structure of this mutant."
        )


def _mutant_names(variant: Variant, label: Label) -> list[str]:
    """The number of each residue of the mutant; of one put in, its place in the mutant."""
    names = [f" at place {place}" for place in range(1, len(variant.mutant) + 1)]
    for index, place in enumerate(variant.mutant_index):
        if place >= 0:
            names[place] = label(index + 1)
    return names


def from_file(
    wild: Structure, mutant: Structure, variant: Variant, label: Label = str
) -> Replicate:
    """Pair the wild type with a given mutant structure; there is no noise floor.

    Raises
    ------
    StructureError
        The structure's residues are not those of the mutant sequence; see
        `check_mutant`.
    """
    check_mutant(mutant, variant, label)
    return Replicate(seed=0, reference=wild, mutant=mutant, floor=None)
