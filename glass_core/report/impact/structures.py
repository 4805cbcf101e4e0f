"""The superposition as a structure file with the score in the B-factor column."""

from __future__ import annotations

from typing import Literal

import numpy as np

from glass_core.errors import InputError
from glass_core.impact.record import Impact
from glass_core.protein.structure.structure import Structure

NO_SCORE = -1.0
"""B-factor of residues without a value: the formats know no NaN."""
SCORE_SCALE = 100.0
"""The column holds 100 x (1 - lDDT), so that two decimals suffice."""


def superposed(impact: Impact, file_format: Literal["mmcif", "pdb"]) -> str:
    """Wild type (its own chain) and mutant (another chain), superposed by TM-align.

    The B-factor is 100 x deficit: measured where measured, else predicted, on
    the wild type alone. `NO_SCORE` marks residues without a value.

    Raises
    ------
    InputError
        There is no structure.
    """
    from glass_core.protein.structure.write import write_atoms

    wild = impact.protein.structure
    if wild is None:
        raise InputError("structure export: needs a structure; give a structure file.")
    per_residue = np.full(len(wild), np.nan)
    covered = impact.protein.covered
    per_residue[impact.protein.structure_index[covered]] = impact.deficit[covered]
    if not impact.measured:
        return write_atoms(_scored(wild, per_residue), file_format)
    replicate, alignment = impact.replicates[0], impact.measurements[0].alignment
    mutant = replicate.mutant
    scores = np.full(len(mutant), np.nan)
    scores[alignment.pairs[:, 1]] = per_residue[alignment.pairs[:, 0]]
    moved = _scored(mutant, scores)
    moved.coord = alignment.onto_reference(moved.coord).astype(np.float32)
    moved.chain_id[:] = "M" if wild.chain != "M" else "N"
    return write_atoms(_scored(replicate.reference, per_residue) + moved, file_format)


def _scored(structure: Structure, per_residue: np.ndarray):  # type: ignore[no-untyped-def]
    atoms = structure.atoms.copy()
    values = np.where(np.isnan(per_residue), NO_SCORE, SCORE_SCALE * per_residue)
    residue = structure.residue_of_atom
    atoms.b_factor = values[residue].astype(np.float32)
    return atoms
