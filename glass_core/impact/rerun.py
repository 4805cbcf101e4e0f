"""Repeat an `Impact` with what is installed now, and tell what differs and what was changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from glass_core.errors import InputError, RemodelError, UnavailableError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json, to_dict
from glass_core.impact.compare import Comparison, Stated, changed, differences, tolerance_of
from glass_core.impact.conditions import conditions
from glass_core.impact.record import Impact
from glass_core.models.alignment import ALIGNMENT_COLUMNS
from glass_core.models.heads.kinds import told_columns
from glass_core.models.predictor import Predictor
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.protein import Protein
from glass_core.protein.structure.structure import Structure
from glass_core.remodel import get_remodeller
from glass_core.remodel.base import Remodeller, Remodelling

SCORE_TOLERANCE = 0.001
"""Of TM-score, lDDT and strain: less than what is read into any of them."""
DISTANCE_TOLERANCE = 0.01
"""Å."""
TRACK_TOLERANCE = 0.01
"""Of what heads tell per position, in its unit."""
_RANK, _PERCENT = 1.0, 1.0
_GIVEN = "mutant_structure"


@dataclass(frozen=True, eq=False)
class Rerun:
    """A result made again, and how it compares to the one there was."""

    impact: Impact
    comparison: Comparison


def rerun(
    text: str,
    *,
    predictor: Predictor,
    remodeller: Callable[[str], Remodeller] = get_remodeller,
    watch: Watch = UNWATCHED,
) -> Rerun:
    """Repeat the analysis that `text` holds: same inputs, protocol, seeds and ranks.

    What was looked up, alignments and scores of other models are taken from it as they are.
    A remodel that cannot be repeated is left out, which is said, and the rest is compared.

    Parameters
    ----------
    text : str
        JSON of an `Impact`, of this format or the one before.
    predictor : Predictor
        Of the same name as then, or any other.
    remodeller : callable
        Gives the backend of a name.
    watch : Watch
        Who is told the stages, and may stop the work.

    Raises
    ------
    InputError
        Not the JSON of an `Impact`.
    Cancelled
        That was asked for.
    """
    before = from_json(text)
    left_out: tuple[str, ...] = ()
    try:
        now = _again(before, predictor, _mutant(before, remodeller), watch)
    except (UnavailableError, RemodelError, InputError) as error:
        if not before.measured:
            raise
        now = _again(before, predictor, None, watch)
        left_out = (f"The mutant was not measured again. {error}",)
    was, is_now = dict(_predicted(before)), dict(_predicted(now))
    if now.measured:
        was, is_now = was | dict(_measured(before)), is_now | dict(_measured(now))
    was, is_now = was | _concluded(json.loads(text)), is_now | _concluded(to_dict(now))
    comparison = Comparison(
        len(was),
        tuple(differences(was, is_now)),
        changed(_conditions(before, now.measured), _conditions(now, now.measured)),
        left_out,
        (*kept_of(before.protein), *_kept_mutant(before)),
    )
    return Rerun(now, comparison)


def kept_of(protein: Protein) -> Iterator[str]:
    """What is known of a protein that a repetition takes as it stands."""
    known = protein.annotation
    if known is not None and known.retrieved:
        yield f"what was looked up: {'; '.join(map(str, known.retrieved))}"
    if protein.profile is not None:
        yield f"the counts of the alignment {protein.profile.name}"
    for scores in protein.external:
        yield f"the scores of {scores.name} (external)"


def _kept_mutant(before: Impact) -> Iterator[str]:
    if _GIVEN in before.provenance.protocol:
        yield f"the mutant structure that was given, {before.provenance.protocol[_GIVEN]}"


def _mutant(
    before: Impact, remodeller: Callable[[str], Remodeller]
) -> Remodelling | Structure | None:
    """How the mutant's structure was come by."""
    if not before.measured:
        return None
    if _GIVEN in before.provenance.protocol:
        return before.replicates[0].mutant
    return Remodelling.from_protocol(before.provenance.protocol, remodeller)


def _again(
    before: Impact, predictor: Predictor, mutant: Remodelling | Structure | None, watch: Watch
) -> Impact:
    correspondence = (
        before.measurements[0].alignment.correspondence if before.measured else "tmalign"
    )
    ranks = before.baselines
    return analyse(
        before.protein,
        before.variant,
        predictor=predictor,
        mutant=mutant,
        correspondence=correspondence,
        background=ranks.sample_size if ranks.ranked_by == "predicted" else 0,
        watch=watch,
    )


def _predicted(impact: Impact) -> Iterator[tuple[str, Stated]]:
    """What models and baselines say, by its name for a reader."""
    prediction, ranks = impact.prediction, impact.baselines
    yield "predicted TM-score", Stated(prediction.tm_score, SCORE_TOLERANCE)
    yield "predicted lDDT", Stated(prediction.lddt, SCORE_TOLERANCE)
    columns = told_columns() | ALIGNMENT_COLUMNS
    for name, value in prediction.told.items():
        if name in columns:
            column = columns[name]
            yield column.title or name, Stated(value, tolerance_of(column))
    for name, track in prediction.tracks.items():
        yield f"predicted {name.replace('_', ' ')}", Stated(track, TRACK_TOLERANCE)
    if ranks.blosum62 is not None:
        yield "BLOSUM62", Stated(ranks.blosum62)
    if ranks.site_rank is not None:
        yield "rank at its site by predicted TM-score", Stated(ranks.site_rank, _RANK)
    if ranks.percentile is not None:
        yield f"percentile of the {ranks.ranked_by} TM-score", Stated(ranks.percentile, _PERCENT)


def _measured(impact: Impact) -> Iterator[tuple[str, Stated]]:
    """What the structures say, means over the seeds."""
    yield "measured TM-score", Stated(impact.tm_score, SCORE_TOLERANCE)
    rmsd = sum(m.alignment.rmsd for m in impact.measurements) / len(impact.measurements)
    yield "RMSD (Å)", Stated(rmsd, DISTANCE_TOLERANCE)
    yield "measured lDDT", Stated(impact.measured_lddt, SCORE_TOLERANCE)
    yield "lDDT as published", Stated(impact.published_lddt, SCORE_TOLERANCE)
    yield "effective strain", Stated(impact.strain, SCORE_TOLERANCE)
    yield "measured change (Å)", Stated(impact.distance_change, DISTANCE_TOLERANCE)
    if impact.noise_floor is not None:
        yield "noise floor, TM-score", Stated(impact.noise_floor.tm_score, SCORE_TOLERANCE)
        yield "noise floor, lDDT", Stated(impact.floor_lddt, SCORE_TOLERANCE)
        yield "noise floor, strain", Stated(impact.floor_strain, SCORE_TOLERANCE)
    for name, excess in (
        ("lDDT", impact.deficit_above_floor),
        ("strain", impact.strain_above_floor),
    ):
        if excess is not None:
            rising = float(excess.significant.sum())
            yield f"residues above the floor by {name}", Stated(rising, _RANK)


def _concluded(content: Mapping[str, Any]) -> dict[str, Stated]:
    """What was concluded, as the JSON has it: the record would conclude by today's rules."""
    answers = {True: "yes", False: "no", None: "cannot be told"}
    try:
        evidence = {
            f"evidence, {one['name']}": Stated(str(one["says"]))
            for one in content.get("evidence", ())
        }
        checks = {
            f"check at {one['position']}, {one['name']}": Stated(answers[one["holds"]])
            for one in content.get("checks", ())
        }
    except (KeyError, TypeError) as error:
        raise InputError("not a GLASS impact file (its evidence or checks are damaged).") from error
    return evidence | checks


def _conditions(impact: Impact, measured: bool) -> dict[str, str]:
    """What it was made with; without the protocol where nothing is measured now."""
    made = impact.provenance if measured else replace(impact.provenance, protocol={})
    return conditions(impact.prediction.model, made)
