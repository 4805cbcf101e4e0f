"""One search through several databases, each on a worker of its own where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from glass_core.compute import Runner, run_here
from glass_core.models.registry import fold_chances_of, kept_predictor
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.sequence import NamedSequence
from glass_core.protein.structure.structure import Structure
from glass_core.search.aligners import aligner_of
from glass_core.search.confirming import confirmed
from glass_core.search.neighbours import TOP, Neighbour, search
from glass_core.search.packing import open_database
from glass_core.settings import Settings


@dataclass(frozen=True)
class SearchRequest:
    """What is asked of every database.

    Attributes
    ----------
    queries : tuple of NamedSequence
    model : str
    top : int
    min_tm : float or None
    aligned : bool
        Whether alignments rank the candidates.
    deepblast : Path or None
        A checkpoint of DeepBLAST that aligns.
    structure : Structure or None
        Of the one query, to confirm TM-scores.
    """

    queries: tuple[NamedSequence, ...]
    model: str
    top: int = TOP
    min_tm: float | None = None
    aligned: bool = True
    deepblast: Path | None = None
    structure: Structure | None = None


def search_each(
    request: SearchRequest,
    databases: Sequence[Path | None],
    settings: Settings,
    *,
    runner: Runner = run_here,
    watch: Watch = UNWATCHED,
) -> list[list[Neighbour]]:
    """The neighbours of each query in all databases together; None is the one that comes along.

    Workers of a cluster read the databases and the model from the same places as this machine.

    Raises
    ------
    GlassError
        As `neighbours.search` does, for any of them.
    """
    alone = len(databases) == 1 and runner is run_here
    work = partial(_search_one, request=request, settings=settings, watch=watch if alone else None)
    parts: dict[int, list[list[Neighbour]]] = {}
    for done, (place, found) in enumerate(runner(work, databases), start=1):
        parts[place] = found
        watch.tell("searching", done / len(databases))
    by_shard = [parts[place] for place in sorted(parts)]
    return [
        merged([some[number] for some in by_shard], request.top)
        for number in range(len(request.queries))
    ]


def merged(shards: Sequence[Sequence[Neighbour]], top: int) -> list[Neighbour]:
    """The neighbours of one query from several databases, ranked as in one."""
    every = [one for some in shards for one in some]
    order = np.argsort([-_score(one) for one in every], kind="stable")[:top]
    return [replace(every[place], rank=rank) for rank, place in enumerate(order.tolist(), start=1)]


def _score(one: Neighbour) -> float:
    """What it is ranked by; those without a sequence to align come last."""
    if one.alignment is None:
        return one.tm_score - 1
    return one.alignment.score


def _search_one(
    database: Path | None, *, request: SearchRequest, settings: Settings, watch: Watch | None
) -> list[list[Neighbour]]:
    """The neighbours in one database; runs in this process or on a worker."""
    there = open_database(database, settings)
    predictor = kept_predictor(settings, request.model)
    found = search(
        request.queries,
        there,
        predictor=predictor,
        top=request.top,
        min_tm=request.min_tm,
        chances=fold_chances_of(settings, request.model),
        aligner=aligner_of(predictor, request.deepblast) if request.aligned else None,
        watch=watch or UNWATCHED,
    )
    if request.structure is None:
        return found
    return [confirmed(request.structure, some, there.folder) for some in found]
