"""Whether the numbers of a variant could also have been meant in another way."""

from __future__ import annotations

from glass_core.errors import InputError
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant


def also_by_author(protein: Protein, variant: Variant) -> str:
    """That by the structure's author numbers the variant would be of another residue.

    Asked only where the sequence is the structure's own and counted from 1, so that the user's
    numbers may well be the author's. '' where the numbers fit in one way alone.
    """
    structure = protein.structure
    if structure is None or protein.sequence != structure.sequence:
        return ""
    if not protein.counting.by_sequence:
        return ""
    try:
        author = protein.numbering("author")
    except InputError:
        return ""
    elsewhere = []
    for change in variant.changes:
        label = str(change.position)
        place = author.labels.index(label) if label in author.labels else -1
        other = place >= 0 and place + 1 != change.position
        if not other or protein.sequence[place] != change.wild[:1]:
            return ""
        elsewhere.append(f"{change.wild[:1]}{label} is position {place + 1}")
    if not elsewhere:
        return ""
    return (
        "Residues were counted from 1. By the numbers in the structure file the same text is of "
        f"another residue ({'; '.join(elsewhere)}): choose those numbers if you meant them."
    )
