"""What is done with single rows of a screen: remodelled, measured, opened; and kept whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from glass_core.errors import Cancelled, InputError
from glass_core.impact.analyse import analyse
from glass_core.inputs.lists import read_request
from glass_core.models.predictor import Predictor
from glass_core.progress import Rate, Watch
from glass_core.remodel import get_remodeller
from glass_core.remodel.base import Remodelling
from glass_core.remodel.duration import remodel_seconds
from glass_core.runs.store import RunStore
from glass_core.runs.view import View
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import REMODEL_FAILED, finished_row, gave_nothing
from glass_core.screen.stream import Failure, measure_each
from glass_core.settings import Settings


def estimate_second_stage(request: ScreenRequest) -> float:
    """Seconds that the second stage of a screen will take, at most; 0 where there is none."""
    if not request.remodel:
        return 0.0
    return request.remodel_top * max(remodel_seconds(len(p)) for p in request.proteins)


def second_stage(
    store: RunStore,
    run: str,
    settings: Settings,
    predictor: Predictor,
    tell: Callable[[Rate], None],
    cancelled: Callable[[], bool],
) -> None:
    """Remodel and measure the variants on top that were not measured yet, and keep all of it."""
    request = store.inputs(run)
    proteins = {p.short_name: p for p in request.proteins}
    view = View(order=request.ranking, descending=True, status="done", limit=request.remodel_top)
    todo = [
        row for row in store.rows(run, view) if row.measured_tm is None and not gave_nothing(row)
    ]
    remodelling = Remodelling(get_remodeller(request.remodel, settings.relaxed.expanduser()))
    began = time.monotonic()
    for place, row in enumerate(todo):
        taken = time.monotonic() - began
        rate = place / taken if place else 1 / remodel_seconds(len(proteins[row.protein]))
        tell(Rate(place, len(todo), rate, f"remodelling {row.written}"))
        requests = [read_request(row.row, row.variant, proteins[row.protein], numbering="sequence")]
        watch = Watch(cancelled=cancelled)
        for outcome in measure_each(
            requests, predictor=predictor, remodelling=remodelling, watch=watch
        ):
            (now,) = store.rows(run, View(row=row.row))  # which may have been opened meanwhile
            if isinstance(outcome, Failure):
                failed = replace(now, reason=f"{REMODEL_FAILED} {outcome.reason}")
                store.write(run, [failed])
            else:
                study = store.studies.of_screen(run, proteins[row.protein])
                kept = store.keep_impact(outcome, run=now.analysis, study=study.id)
                store.write(run, [replace(finished_row(now, outcome), analysis=kept)])
        if cancelled():
            raise Cancelled("The screen was cancelled; what is done is kept.")


def analysis_of(store: RunStore, run: str, number: int, *, predictor: Predictor) -> str:
    """The id of the whole analysis of a row: as it was measured, else predicted now and kept.

    It belongs to the study of the row's protein; see `Studies.of_screen`.

    Raises
    ------
    InputError
        The row is not there, or could not be read.
    RunError
        The runs cannot be used.
    """
    request, rows = store.inputs(run), store.rows(run, View(row=number))
    if not rows:
        raise InputError(f"row {number}: is not in this screen.")
    (row,) = rows
    if row.analysis is not None and store.get(row.analysis) is not None:
        return row.analysis
    protein = next(p for p in request.proteins if p.short_name == row.protein)
    read = read_request(row.row, row.variant, protein, numbering="sequence")
    if read.variant is None:
        raise InputError(read.reason)
    study = store.studies.of_screen(run, protein)
    impact = analyse(study.protein, read.variant, predictor=predictor)
    kept = store.keep_impact(impact, study=study.id)
    store.set_analysis(run, number, kept)
    return kept
