"""A protein with its neighbours in one database: what a page shows of a search."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glass_core.models.fold_chance import FoldChances
from glass_core.models.prediction import ModelInfo
from glass_core.models.predictor import Predictor
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import NamedSequence
from glass_core.records import frozen_array, require
from glass_core.search.aligners import aligner_of
from glass_core.search.confirming import confirmed
from glass_core.search.database import Database, DatabaseMeta
from glass_core.search.exact import score_counts
from glass_core.search.neighbours import TOP, Neighbour, search
from glass_core.search.site import SiteColumn, site_column

LIKELY = 0.5
"""Chance of the same fold from which on a neighbour is called a relative."""


@dataclass(frozen=True, eq=False)
class Relatives:
    """The neighbours of one protein.

    Attributes
    ----------
    protein : Protein
    neighbours : tuple of Neighbour
        The likeliest first, each aligned where it has a sequence.
    counts : ndarray, shape=(k,), dtype=int64
        How many entries of the database have a predicted TM-score in each k-th part of 0 to 1.
    folder : Path
        Of the database.
    database : DatabaseMeta
    model : ModelInfo
    aligner : str
        What aligned them.
    """

    protein: Protein
    neighbours: tuple[Neighbour, ...]
    counts: NDArray[np.int64]
    folder: Path
    database: DatabaseMeta
    model: ModelInfo
    aligner: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", frozen_array(self.counts, (None,), "counts", np.int64))
        require(bool((self.counts >= 0).all()), "counts", "is 0 or more")

    @property
    def others(self) -> tuple[Neighbour, ...]:
        """The neighbours but the protein itself."""
        return tuple(one for one in self.neighbours if not one.is_query)

    @property
    def likely(self) -> tuple[Neighbour, ...]:
        """Those that probably share its fold, itself aside; none where no chance is known."""
        return tuple(one for one in self.others if one.fold_chance >= LIKELY)

    def column(self, position: int) -> SiteColumn:
        """What stands at a 1-based position in the likely ones; in all where none is likely."""
        return site_column(self.protein.sequence, position, self.likely or self.others)


def find_relatives(
    protein: Protein,
    database: Database,
    predictor: Predictor,
    chances: FoldChances | None = None,
    *,
    top: int = TOP,
    watch: Watch = UNWATCHED,
) -> Relatives:
    """Search a database for one protein, align what is found, and confirm it where possible.

    TM-scores are confirmed where the protein has a structure and the database names files.

    Raises
    ------
    ModelError, InputError, Cancelled
        As `search` does.

    Examples
    --------
    >>> from glass_core import Protein, Settings, embedded_database, find_relatives, load_predictor
    >>> globin = Protein.from_sequence("VLSEGEWQLVLHVWAKVEADVAGHGQDILIRLFKSHPETLEKFDRFKHLKTEAEM")
    >>> found = find_relatives(globin, embedded_database(Settings()), load_predictor(Settings()))
    >>> found.others[0].alignment.facing(30) is not None
    True
    """
    query = NamedSequence(protein.sequence, protein.short_name)
    aligner = aligner_of(predictor)
    (found,) = search(
        [query],
        database,
        predictor=predictor,
        top=top,
        chances=chances,
        aligner=aligner,
        watch=watch.part(0.0, 0.9),
    )
    if protein.structure is not None:
        watch.tell("superposing", 0.9)
        found = confirmed(protein.structure, found, database.folder)
    counts = score_counts(predictor.vectors([protein.sequence]), database)[0]
    return Relatives(
        protein, tuple(found), counts, database.folder, database.meta, predictor.info, aligner.name
    )
