"""Backbones of the wild types of the variant data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.embedders.mpnn import StructureEmbedder, StructureEmbedding, View
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import THREE_LETTER
from glass_core.protein.structure.backbone import BACKBONE_ATOMS, Backbone
from glass_core.protein.structure.structure import Structure
from glass_core.records import require
from glass_core.training.data.tables import read_columns

_COLUMNS = (
    "wt_sequence",
    "kind",
    "license_note",
    "sequence_of_structure",
    "position_of_residue",
    "held_back_family",
    "backbone",
)
_RESTRICTED = "NC-SA|non-commercial|non-profit"


@dataclass(frozen=True, eq=False)
class WildStructure:
    """A wild type's backbone.

    Attributes
    ----------
    sequence : str
        Of the wild type.
    kind : str
        How the structure was made: xray, nmr, af (AlphaFold), model or unknown.
    backbone : Backbone
    place : ndarray, shape=(n,), dtype=int
        0-based position in the sequence of each residue; -1 for one that it lacks.
    may_train : bool
        False where the source's licence restricts its use, or the protein is held back.
    """

    sequence: str
    kind: str
    backbone: Backbone
    place: NDArray[np.int64]
    may_train: bool

    def __post_init__(self) -> None:
        require(len(self.place) == len(self.backbone), "place", "has an entry per residue")
        require(bool((self.place < len(self.sequence)).all()), "place", "lies in the sequence")

    def embedded(
        self, embedder: StructureEmbedder, view: View, sequences: Sequence[str] = ()
    ) -> list[StructureEmbedding]:
        """What is made of it, with the letters of each mutant, or those of the wild type."""
        return embedder.embed_backbone(
            view, self.backbone, self.place, sequences or [self.sequence]
        )

    def protein(self, sequence: str = "") -> Protein:
        """The wild type with its backbone; of a mutant `sequence` on it where one is given."""
        import biotite.structure as struc

        n = len(self.backbone)
        atoms = struc.AtomArray(n * len(BACKBONE_ATOMS))
        atoms.coord = self.backbone.coordinates.reshape(-1, 3)
        atoms.atom_name = np.tile(BACKBONE_ATOMS, n)
        atoms.element = np.tile([name[0] for name in BACKBONE_ATOMS], n)
        atoms.chain_id[:] = "A"
        # Author numbers are places along the chain, so that gaps stay gaps.
        atoms.res_id = np.repeat(self.backbone.numbers + 1, len(BACKBONE_ATOMS))
        names = [THREE_LETTER.get(letter, "UNK") for letter in self.backbone.letters]
        atoms.res_name = np.repeat(names, len(BACKBONE_ATOMS))
        structure = Structure.from_atoms(
            atoms[np.isfinite(atoms.coord).all(axis=1)], self.kind, "unknown"
        )
        index = np.full(len(self.sequence), -1)
        index[self.place[self.place >= 0]] = np.flatnonzero(self.place >= 0)
        return Protein(sequence or self.sequence, "", structure, index)


def read_wild_structures(path: Path) -> dict[str, WildStructure]:
    """Wild type -> its backbone, from a Parquet table.

    ``position_of_residue`` counts from 1 and is null where the wild type lacks the residue;
    ``backbone`` holds N, CA, C, O of each residue, flat, in Å.

    Raises
    ------
    InputError
        It is no Parquet table, or a column is missing.
    """
    table = read_columns(path, _COLUMNS)
    restricted = table["license_note"].str.contains(_RESTRICTED, case=False)
    free = ~restricted & table["held_back_family"].isna()
    return {
        row.wt_sequence: _structure(row, bool(may_train))
        for row, may_train in zip(table.itertuples(), free, strict=True)
    }


def _structure(row: Any, may_train: bool) -> WildStructure:
    coordinates = np.asarray(row.backbone, dtype=np.float32).reshape(-1, 4, 3)
    given = np.asarray(row.position_of_residue, dtype=float)
    place = np.where(np.isnan(given), 0, given).astype(np.int64) - 1
    backbone = Backbone.of_chain(row.sequence_of_structure, coordinates, place)
    return WildStructure(row.wt_sequence, row.kind, backbone, place, may_train)
