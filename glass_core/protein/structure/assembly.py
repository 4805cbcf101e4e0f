"""The first biological assembly that a file describes, by gemmi from its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glass_core.protein.structure.table import Copy

if TYPE_CHECKING:
    import gemmi

CATEGORIES = ("_pdbx_struct_assembly.", "_pdbx_struct_assembly_gen.", "_pdbx_struct_oper_list.")
"""Of mmCIF, that describe assemblies."""
MAX_COPIES = 1000
"""Assemblies of more operations are not built; the largest capsids have 60 to some hundred."""


def first_assembly(structure: gemmi.Structure) -> tuple[Copy, ...]:
    """The copies of the first assembly; empty where there is none, or far too large a one."""
    if not len(structure.assemblies):
        return ()
    copies = []
    for generator in structure.assemblies[0].generators:
        for operator in generator.operators:
            moved = operator.transform
            copies.append(
                Copy(
                    frozenset(generator.subchains or generator.chains),
                    np.array(moved.mat.tolist(), dtype=float),
                    np.array(moved.vec.tolist(), dtype=float),
                    of_subchains=bool(generator.subchains),
                )
            )
    return tuple(copies) if len(copies) <= MAX_COPIES else ()
