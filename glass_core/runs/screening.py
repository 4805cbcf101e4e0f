"""A screen as a run: begun, done piece by piece, taken up again, here or on a cluster."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby, islice

from glass_core.compute import Runner, run_here
from glass_core.errors import Cancelled, GlassError, InputError, RunError
from glass_core.impact.provenance import provenance
from glass_core.inputs.lists import VariantRequest, read_request
from glass_core.models.prediction import ModelInfo, Table
from glass_core.models.predictor import Predictor
from glass_core.models.registry import kept_predictor
from glass_core.progress import Rate, ignore
from glass_core.protein.protein import Protein
from glass_core.runs.second_stage import second_stage
from glass_core.runs.store import RunStore
from glass_core.runs.view import View
from glass_core.screen.columns import RANKINGS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow, finished_row, first_row
from glass_core.screen.stream import screen
from glass_core.settings import Settings

CHUNK_RESIDUES = 20_000
"""Residues of mutants in one piece of work: what is lost at most when a process is killed."""
PIECES_AT_ONCE = 32
SAMPLE_RESIDUES = 2_000
"""Residues of the mutants that are timed for an estimate."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of one protein that are done together, with all that is known of it; they travel."""

    protein: Protein
    rows: tuple[ScreenRow, ...]


def estimate(predictor: Predictor, requests: Sequence[VariantRequest]) -> float:
    """Seconds that predicting `requests` will take, from timing a few of them."""
    readable = [a for a in requests if a.variant is not None]
    if not readable:
        return 0.0
    mean = sum(len(a.protein) for a in readable) / len(readable)
    sample = min(max(int(SAMPLE_RESIDUES / mean), 1), len(readable))
    chosen = readable[:: len(readable) // sample][:sample]
    began = time.perf_counter()
    for _ in screen(chosen, predictor=predictor):
        pass
    residues = sum(len(a.protein) for a in chosen)
    return (time.perf_counter() - began) / residues * sum(len(a.protein) for a in readable)


def begin(
    store: RunStore,
    request: ScreenRequest,
    requests: Iterable[VariantRequest],
    *,
    predictor: Predictor,
    name: str = "",
    digest: str = "",
) -> str:
    """Make the run of a screen; its rows hold at once what the wild types alone tell.

    Parameters
    ----------
    request : ScreenRequest
        Its provenance is filled in.
    name : str
        For lists of runs; by default the request's source.
    digest : str
        See `digest_of`.

    Returns
    -------
    str
        The run's id.

    Raises
    ------
    InputError
        It is to be ranked by an external score that none of the proteins has.
    """
    order = RANKINGS[request.ranking]
    kinds = {scores.kind for protein in request.proteins for scores in protein.external}
    if order.external and order.column not in kinds:
        raise InputError(
            f"rank '{request.ranking}': no such external scores are at hand; look the protein up "
            "by its accession for AlphaMissense, or ask ESM-2 as well."
        )
    first = request.proteins[0]
    request = replace(request, provenance=asdict(provenance(first, first.sequence, {})))
    tables: dict[Protein, tuple[Table, ...]] = {}

    def rows() -> Iterator[ScreenRow]:
        for each in requests:
            if each.protein not in tables:
                tables[each.protein] = predictor.tables(each.protein)
            yield first_row(each, tables[each.protein], predictor.info)

    return store.create(request, rows(), name, digest)


def advance(
    store: RunStore,
    run: str,
    *,
    settings: Settings,
    predictor: Predictor | None = None,
    runner: Runner = run_here,
    tell: Callable[[Rate], None] = ignore,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Do what is still to be done of a run; safe to call again after any kind of end.

    Parameters
    ----------
    predictor : Predictor, optional
        The loaded model where the work is done in this process; otherwise each worker
        of `runner` loads the run's model by `settings`.
    tell : callable
        Called after every piece.
    cancelled : callable
        Asked after every piece; what is done stays.

    Raises
    ------
    Cancelled
        `cancelled` answered True; the run says so.
    GlassError
        The run cannot go on; it says why, and can be taken up again.
    """
    inputs, known = store.inputs(run), store.get(run)
    if known is None:
        raise RunError(f"run '{run[:40]}': is not known here.")
    proteins = {p.short_name: p for p in inputs.proteins}
    work = partial(score_piece, settings=settings, model=inputs.model, predictor=predictor)
    store.set_state(run, "running")
    done, total = known.total - known.waiting, known.total
    began, new = time.monotonic(), 0
    try:
        while pieces := _next_pieces(store, run, proteins):
            for _, rows in runner(work, pieces):
                store.write(run, rows)
                done, new = done + len(rows), new + len(rows)
                tell(Rate(done, total, new / (time.monotonic() - began), "predicting"))
                if cancelled():
                    raise Cancelled("The screen was cancelled; what is done is kept.")
        if inputs.remodel and inputs.remodel_top:
            second_stage(
                store,
                run,
                settings,
                predictor or kept_predictor(settings, inputs.model),
                tell,
                cancelled,
            )
    except Cancelled:
        store.set_state(run, "cancelled")
        raise
    except GlassError as error:
        store.set_state(run, "failed", str(error))
        raise
    except Exception as error:
        # A bug, or a cluster that gave up: the run must not look as if it went on.
        store.set_state(run, "failed", f"unexpected {type(error).__name__}; it can be taken up.")
        raise
    store.set_state(run, "done")


def score_piece(
    piece: Piece, *, settings: Settings, model: str, predictor: Predictor | None = None
) -> list[ScreenRow]:
    """The finished rows of a piece; runs in this process or on a worker."""
    predictor = predictor or kept_predictor(settings, model)
    requests = [
        read_request(row.row, row.variant, piece.protein, numbering="sequence")
        for row in piece.rows
    ]
    outcomes = screen(requests, predictor=predictor, chunk_residues=CHUNK_RESIDUES)
    return [finished_row(row, made) for row, made in zip(piece.rows, outcomes, strict=True)]


def _next_pieces(store: RunStore, run: str, proteins: dict[str, Protein]) -> list[Piece]:
    """The next waiting rows, as pieces of one protein each."""
    shortest = min(len(p) for p in proteins.values())
    at_most = max(CHUNK_RESIDUES // shortest, 1)
    waiting = store.rows(
        run, View(order="protein", status="waiting", limit=at_most * PIECES_AT_ONCE)
    )
    pieces = []
    for name, members in groupby(waiting, key=lambda row: row.protein):
        size = max(CHUNK_RESIDUES // len(proteins[name]), 1)
        rest = iter(list(members))
        while rows := tuple(islice(rest, size)):
            pieces.append(Piece(proteins[name], rows))
    return pieces[:PIECES_AT_ONCE]


def digest_of(
    proteins: Sequence[Protein], requests: Iterable[VariantRequest], model: ModelInfo, *options: str
) -> str:
    """What makes two screens the same: proteins with what is known, variants, model, options."""
    digest = hashlib.sha256()

    def add(*parts: object) -> None:
        digest.update(json.dumps([str(p) for p in parts]).encode())

    add(model.name, model.sha256, *options)
    for protein in proteins:
        add(protein.name, protein.sequence)
        if protein.structure is not None:
            add(protein.structure.chain, protein.ca.round(3).tolist())
        if protein.profile is not None:
            add(protein.profile.sha256)
        for scores in protein.computed:
            add(scores.kind, scores.source, scores.version)
        if protein.own_counting is not None:
            add(protein.own_counting.words, *protein.own_counting.labels)
    for each in requests:
        text = each.text if each.variant is None else each.variant.text
        add(each.protein.name, each.text, text, each.label, each.measured_value)
    return digest.hexdigest()
