"""Which entries of a database probably share a protein's fold, and how they align with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from glass_core.errors import InputError
from glass_core.metrics.tmalign import StructuralAlignment
from glass_core.models.fold_chance import FoldChance, FoldChances
from glass_core.models.predictor import Predictor
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.sequence import NamedSequence
from glass_core.search.alignment import MOST_RESIDUES, Alignment, can_be_aligned
from glass_core.search.database import Database, VectorModel
from glass_core.search.entry import Entry
from glass_core.search.exact import compare_some
from glass_core.search.nearest import nearest
from glass_core.search.shared_words import word_index

TOP = 20
FEWEST_RESIDUES = 20
"""Of a query; models were trained on chains of so many and more."""
BY_VECTORS, BY_WORDS = 60, 30
"""Candidates that are aligned with a query: of the nearest vectors, and of alike words."""
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
        From 1: by the alignment's score where there are alignments, else by `tm_score`. The
        query itself has one, too, where it is in the database.
    entry : Entry
    tm_score : float
        Predicted, 0 to 1: the product of both vectors, cut off at either end.
    fold_chance : float
        How often such a score was found to mean the same fold; NaN where nobody has counted.
    is_query : bool
        Whether it is the query's own sequence.
    alignment : Alignment or None
        Predicted, from both sequences; None where it was not asked for, the entry has no
        sequence, or the two are too long.
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
    chances: FoldChances | None = None,
    aligner: Aligner | None = None,
    watch: Watch = UNWATCHED,
) -> list[list[Neighbour]]:
    """The entries that are nearest to each query, the nearest first.

    Without an aligner those whose vectors are nearest. With one, more of these and those whose
    sequences share alike words are aligned with the query, and the alignments rank them.

    Parameters
    ----------
    top : int
        At most so many for each query.
    min_tm : float, optional
        Only those with at least this predicted TM-score.
    chances : FoldChances, optional
        What was counted for the predictor.
    aligner : Aligner, optional

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
    if min_tm is not None and not 0 <= min_tm <= 1:
        raise InputError(f"least TM-score {min_tm:g}: give a number from 0 to 1.")
    longest = max(len(query.residues) for query in queries)
    if aligner is not None and longest >= MOST_RESIDUES:
        raise InputError(
            f"a query of {longest:,} residues is too long to be aligned; give its domains (on the "
            "command line, --no-align searches by vectors alone)."
        )
    database.require_model(VectorModel.of(predictor))
    if not len(database):
        raise InputError(f"{database.folder}: is empty; there is nothing to be found in it.")
    watch.tell("embedding", 0.05)
    vectors = predictor.vectors([query.residues for query in queries])
    watch.stop_if_cancelled("The search")
    watch.tell("comparing", 0.2)
    near, products = nearest(vectors, database, top if aligner is None else max(top, BY_VECTORS))
    if aligner is None:
        chance = None if chances is None else chances.tm_score
        return [
            _by_vectors(_named(query, number), database.entries(rows), scores, min_tm, chance)
            for number, (query, rows, scores) in enumerate(
                zip(queries, near.tolist(), products, strict=True), start=1
            )
        ]
    words, found = word_index(database), []
    for done, query in enumerate(queries):
        watch.tell("aligning", 0.3 + 0.7 * done / len(queries))
        watch.stop_if_cancelled("The search")
        rows, scores = near[done], products[done]
        if words is not None:
            more = np.setdiff1d(words.candidates(query.residues, BY_WORDS), rows)
            others, theirs = compare_some(vectors[done : done + 1], database, more[None], len(more))
            rows, scores = np.append(rows, others), np.append(scores, theirs)
        listed = _by_vectors(
            _named(query, done + 1), database.entries(rows.tolist()), scores, min_tm, None
        )
        found.append(_by_alignments(query, listed, aligner, chances)[:top])
    return found


def short_query(residues: str) -> str:
    """What to say of a query that is too short for its neighbours to mean anything."""
    return (
        f"a query of {len(residues)} residues: with fewer than {FEWEST_RESIDUES}, neighbours are "
        "hardly more than chance."
    )


def name_of(query: NamedSequence, number: int) -> str:
    """What a query is called in tables: the first word of its name, else its number."""
    return query.name.split()[0] if query.name.split() else f"query_{number}"


def _named(query: NamedSequence, number: int) -> NamedSequence:
    return NamedSequence(query.residues, name_of(query, number))


def _by_vectors(
    query: NamedSequence,
    entries: Sequence[Entry],
    products: ArrayLike,
    min_tm: float | None,
    chance: FoldChance | None,
) -> list[Neighbour]:
    """Entries as neighbours in their order."""
    scores = np.clip(products, 0.0, 1.0)
    likely = np.full(len(scores), np.nan) if chance is None else chance.of(scores)
    return [
        Neighbour(
            query_id=query.name,
            rank=rank,
            entry=entry,
            tm_score=float(score),
            fold_chance=float(share),
            is_query=entry.sequence == query.residues,
        )
        for rank, (entry, score, share) in enumerate(
            zip(entries, scores, likely, strict=True), start=1
        )
        if min_tm is None or score >= min_tm
    ]


def _by_alignments(
    query: NamedSequence,
    neighbours: Sequence[Neighbour],
    aligner: Aligner,
    chances: FoldChances | None,
) -> list[Neighbour]:
    """Neighbours aligned and ranked by that; those that cannot be aligned come last."""
    length = len(query.residues)
    known = [
        one for one in neighbours if one.entry.sequence and can_be_aligned(length, len(one.entry))
    ]
    made = aligner.align(query.residues, [one.entry.sequence for one in known])
    chance = None if chances is None or chances.aligner != aligner.name else chances.alignment
    scores = np.array([one.normalised_score for one in made])
    likely = np.full(len(made), np.nan) if chance is None else chance.of(scores)
    aligned = [
        replace(known[k], alignment=made[k], fold_chance=float(likely[k]))
        for k in np.argsort(-scores, kind="stable")
    ]
    rest = [one for one in neighbours if one not in known]
    return [replace(one, rank=rank) for rank, one in enumerate([*aligned, *rest], start=1)]
