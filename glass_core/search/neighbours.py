"""Which entries of a database probably share a protein's fold, and how they align with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from glass_core.errors import InputError
from glass_core.metrics.tmalign import StructuralAlignment
from glass_core.models.fold_chance import FoldChance
from glass_core.models.predictor import Predictor
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.sequence import NamedSequence
from glass_core.search.alignment import Alignment
from glass_core.search.database import Database, VectorModel
from glass_core.search.entry import Entry
from glass_core.search.nearest import nearest

TOP = 20
MOST_NEIGHBOURS = 1_000


class Aligner(Protocol):
    """Aligns two sequences."""

    @property
    def name(self) -> str:
        """What it is, for provenance."""
        ...

    def align(self, query: str, targets: Sequence[str]) -> list[Alignment]:
        """`query` with each of `targets`."""
        ...


@dataclass(frozen=True, eq=False)
class Neighbour:
    """An entry near a query.

    Attributes
    ----------
    query_id : str
    rank : int
        From 1, by `tm_score`; the query itself has one, too, where it is in the database.
    entry : Entry
    tm_score : float
        Predicted, 0 to 1: the product of both vectors, cut off at either end.
    fold_chance : float
        How often such a score was found to mean the same fold; NaN where nobody has counted.
    is_query : bool
        Whether it is the query's own sequence.
    alignment : Alignment or None
        Predicted, from both sequences; None where it was not asked for, or the entry has no
        sequence.
    confirmed : StructuralAlignment or None
        Of both structures by TM-align, the query as the reference; None where one is missing.
    """

    query_id: str
    rank: int
    entry: Entry
    tm_score: float
    fold_chance: float = float("nan")
    is_query: bool = False
    alignment: Alignment | None = None
    confirmed: StructuralAlignment | None = None


def search(
    queries: Sequence[NamedSequence],
    database: Database,
    *,
    predictor: Predictor,
    top: int = TOP,
    min_tm: float | None = None,
    chance: FoldChance | None = None,
    aligner: Aligner | None = None,
    watch: Watch = UNWATCHED,
) -> list[list[Neighbour]]:
    """The nearest entries of each query, the nearest first.

    Parameters
    ----------
    top : int
        At most so many for each query.
    min_tm : float, optional
        Only those with at least this predicted TM-score.
    chance : FoldChance, optional
        That of the predictor, where it has one.
    aligner : Aligner, optional
        What aligns each of them with the query.

    Raises
    ------
    ModelError
        Another model made the database's vectors.
    InputError
        The database is empty, or `top` is not between 1 and `MOST_NEIGHBOURS`.
    Cancelled
        That was asked for.

    Examples
    --------
    >>> from glass_core.search.packing import embedded_database
    >>> from glass_core import Settings, load_predictor
    >>> from glass_core.protein.sequence import read_sequences
    >>> globin = read_sequences("VLSEGEWQLVLHVWAKVEADVAGHGQDILIRLFKSHPETLEKFDRFKHLKTEAEMKASEDLK")
    >>> database, predictor = embedded_database(Settings()), load_predictor(Settings())
    >>> (found,) = search(globin, database, predictor=predictor, top=3)
    >>> [one.rank for one in found]
    [1, 2, 3]
    """
    if not 1 <= top <= MOST_NEIGHBOURS:
        raise InputError(f"top {top}: give a number from 1 to {MOST_NEIGHBOURS:,}.")
    database.require_model(VectorModel.of(predictor))
    if not len(database):
        raise InputError(f"{database.folder}: is empty; there is nothing to be found in it.")
    watch.tell("embedding", 0.05)
    vectors = predictor.vectors([query.residues for query in queries])
    watch.stop_if_cancelled("The search")
    watch.tell("comparing", 0.3)
    rows, products = nearest(vectors, database, top)
    entries = dict(zip(unique := sorted({*rows.flat}), database.entries(unique), strict=True))
    found = [
        _of_query(query, number, [entries[row] for row in near], scores, min_tm, chance)
        for number, (query, near, scores) in enumerate(
            zip(queries, rows.tolist(), products.tolist(), strict=True), start=1
        )
    ]
    if aligner is None:
        return found
    aligned = []
    for done, (query, neighbours) in enumerate(zip(queries, found, strict=True)):
        watch.tell("aligning", 0.4 + 0.6 * done / len(queries))
        watch.stop_if_cancelled("The search")
        aligned.append(_aligned(query, neighbours, aligner))
    return aligned


def name_of(query: NamedSequence, number: int) -> str:
    """What a query is called in tables: the first word of its name, else its number."""
    return query.name.split()[0] if query.name.split() else f"query_{number}"


def _of_query(
    query: NamedSequence,
    number: int,
    entries: Sequence[Entry],
    products: Sequence[float],
    min_tm: float | None,
    chance: FoldChance | None,
) -> list[Neighbour]:
    scores = np.clip(products, 0.0, 1.0)
    chances = np.full(len(scores), np.nan) if chance is None else chance.of(scores)
    return [
        Neighbour(
            query_id=name_of(query, number),
            rank=rank,
            entry=entry,
            tm_score=float(score),
            fold_chance=float(likely),
            is_query=entry.sequence == query.residues,
        )
        for rank, (entry, score, likely) in enumerate(
            zip(entries, scores, chances, strict=True), start=1
        )
        if min_tm is None or score >= min_tm
    ]


def _aligned(
    query: NamedSequence, neighbours: Sequence[Neighbour], aligner: Aligner
) -> list[Neighbour]:
    known = [one for one in neighbours if one.entry.sequence]
    made = iter(aligner.align(query.residues, [one.entry.sequence for one in known]))
    return [replace(one, alignment=next(made)) if one.entry.sequence else one for one in neighbours]
