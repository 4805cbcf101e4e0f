"""The table of a screen: one row per variant asked for, every column documented."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.baselines import blosum62
from glass_core.impact.record import Impact
from glass_core.inputs.lists import Asked, name_of
from glass_core.models.prediction import EffectScore, EffectTable, ModelInfo
from glass_core.protein.protein import Protein
from glass_core.records import require
from glass_core.screen.stream import Failure

Status = Literal["waiting", "done", "rejected", "failed"]
OTHERS_AT_SITE = 19
REMODEL_FAILED = "Remodelling failed:"
"""Begins the reason of a row whose prediction is there and whose measurement is not."""


@dataclass(frozen=True)
class Column:
    """What a column of the table means."""

    meaning: str
    unit: str = ""
    span: str = ""


COLUMNS: dict[str, Column] = {
    "row": Column("number of the entry in the input", span="1 and up"),
    "protein": Column("name of the wild type, up to its first space"),
    "variant": Column("as read; positions count from 1. What could not be read stands as given"),
    "given": Column("as it stood in the input; of a mutant sequence its name"),
    "hgvs": Column("the same in HGVS and MAVE-HGVS notation"),
    "position": Column("first changed residue", span="1 to the length"),
    "changes": Column("number of changes", span="1 and up"),
    "wild_type": Column("residue(s) taken out; several changes joined by ':'"),
    "mutant": Column("residue(s) put in; empty for a deletion"),
    "chain": Column("author chain of the first changed residue; empty without coordinates"),
    "author_number": Column("its author residue number with insertion code"),
    "uniprot_position": Column("its UniProt position, where it is known", span="1 and up"),
    "secondary_structure": Column(
        "of the first changed residue in the wild-type structure",
        span="H helix, E strand, C coil, - no coordinates",
    ),
    "neighbours": Column(
        "C-alpha within 10 Å of it in the wild-type structure, its burial", "count", "0 and up"
    ),
    "predicted_tm": Column(
        "predicted TM-score, normalised by the wild type; a cosine", span="-1 to 1, 1 = same fold"
    ),
    "predicted_lddt_site": Column(
        "predicted lDDT, mean over the changed residues; a cosine", span="-1 to 1, 1 = unmoved"
    ),
    "predicted_lddt_min": Column("lowest predicted lDDT of any residue", span="-1 to 1"),
    "effect": Column(
        "predicted effect score, higher = more damaging; compare within one protein "
        "only. Several substitutions: their sum"
    ),
    "p_damaging": Column(
        "predicted, calibrated chance that a clinical database would call it damaging",
        span="0 to 1",
    ),
    "percentile_site": Column(
        "percent of the 19 substitutions of the site with a lower effect", "%", "0 to 100"
    ),
    "percentile_protein": Column(
        "percent of all single substitutions of the protein with a lower effect", "%", "0 to 100"
    ),
    "blosum62": Column(
        "BLOSUM62 score, the baseline; low = unlike. Several: their sum", span="-4 to 3 each"
    ),
    "measured_tm": Column(
        "TM-score measured on remodelled structures, mean over seeds", span="0 to 1"
    ),
    "measured_lddt_site": Column(
        "lDDT measured there, mean over the changed residues", span="0 to 1"
    ),
    "protocol": Column("how the mutant structure was made, with seeds; empty without one"),
    "label": Column("the input's own label: 1 damaging, 0 harmless", span="0 or 1"),
    "score": Column("the input's own measured value"),
    "status": Column("how far it got", span="done, waiting, rejected (not read) or failed"),
    "reason": Column("why it was rejected or failed, or why to doubt the numbers"),
    "model": Column("the model that predicted, with version and the start of its SHA-256"),
}
"""Column -> meaning. Empty means no value, never 0."""

SCORES = {
    "p_damaging": "chance of being damaging",
    "effect": "effect score",
    "lddt_deficit": "predicted lDDT deficit at the site",
    "tm_deficit": "predicted TM-score deficit",
    "blosum62": "BLOSUM62, turned round",
}
"""What variants can be ranked by, highest = most damaging; see `ranking`."""
TURNED = {
    "lddt_deficit": ("predicted_lddt_site", 1),
    "tm_deficit": ("predicted_tm", 1),
    "blosum62": ("blosum62", 0),
}
"""Scores that are this number minus a column; the others are columns themselves."""
WHOLE = ("row", "position", "changes", "uniprot_position", "neighbours", "blosum62", "label")
"""Columns of whole numbers."""


@dataclass(frozen=True)
class ScreenRow:
    """One row; fields as `COLUMNS`, None = no value."""

    row: int
    protein: str
    variant: str
    status: Status
    reason: str = ""
    given: str | None = None
    hgvs: str | None = None
    position: int | None = None
    changes: int | None = None
    wild_type: str | None = None
    mutant: str | None = None
    chain: str | None = None
    author_number: str | None = None
    uniprot_position: int | None = None
    secondary_structure: str | None = None
    neighbours: int | None = None
    predicted_tm: float | None = None
    predicted_lddt_site: float | None = None
    predicted_lddt_min: float | None = None
    effect: float | None = None
    p_damaging: float | None = None
    percentile_site: float | None = None
    percentile_protein: float | None = None
    blosum62: int | None = None
    measured_tm: float | None = None
    measured_lddt_site: float | None = None
    protocol: str | None = None
    label: int | None = None
    score: float | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        require(isinstance(self.row, int) and self.row >= 1, "row", "is 1 or more")
        require(self.status in get_args(Status), "status", f"is one of {get_args(Status)}")

    def to_dict(self) -> dict[str, Any]:
        """Values by column, in the order of `COLUMNS`."""
        return {name: getattr(self, name) for name in COLUMNS}


def ranking(row: ScreenRow, score: str) -> float | None:
    """`row`'s value of one of `SCORES`, higher = more damaging."""
    column, minuend = TURNED.get(score, (score, None))
    value: float | None = getattr(row, column)
    return value if value is None or minuend is None else float(minuend - value)


def first_row(asked: Asked, table: EffectTable | None, info: ModelInfo) -> ScreenRow:
    """What is known before any mutant was embedded: the effect, from the wild type alone."""
    label, variant = None if asked.label is None else int(asked.label), asked.variant
    if variant is None:
        return ScreenRow(
            asked.row,
            name_of(asked.protein),
            asked.text,
            "rejected",
            asked.reason,
            given=asked.text,
            label=label,
            score=asked.score,
        )
    index = variant.positions[0] - 1
    shape = _surroundings(asked.protein)
    row = ScreenRow(
        asked.row,
        name_of(asked.protein),
        variant.text,
        "waiting",
        given=asked.text,
        label=label,
        score=asked.score,
        hgvs=variant.hgvs,
        position=index + 1,
        changes=len(variant.changes),
        wild_type=":".join(c.wild for c in variant.changes),
        mutant=":".join(c.mutant for c in variant.changes),
        chain=shape.chain[index],
        author_number=shape.author_number[index],
        uniprot_position=asked.protein.uniprot_position(index),
        secondary_structure=shape.secondary[index],
        neighbours=None if np.isnan(shape.neighbours[index]) else int(shape.neighbours[index]),
        blosum62=blosum62(variant),
        model=_stamp(info),
    )
    return _with_effect(row, None if table is None else table.of(variant))


def finished_row(row: ScreenRow, outcome: Impact | Failure) -> ScreenRow:
    """`row` with what the screen found."""
    if isinstance(outcome, Failure):
        return replace(row, status="failed", reason=outcome.reason)
    prediction, sites = outcome.prediction, [p - 1 for p in outcome.variant.positions]
    made = replace(
        _with_effect(row, prediction.effect),
        status="done",
        reason=" ".join(prediction.flags),
        predicted_tm=prediction.tm_score,
        predicted_lddt_site=_mean(prediction.lddt[sites]),
        predicted_lddt_min=_least(prediction.lddt),
        model=_stamp(prediction.model),
    )
    if not outcome.measured:
        return made
    return replace(
        made,
        measured_tm=outcome.tm_score,
        measured_lddt_site=_mean(outcome.measured_lddt[sites]),
        protocol=outcome.provenance.protocol_text,
    )


def _stamp(info: ModelInfo) -> str:
    return f"{info} ({info.sha256[:12]})"


def gave_nothing(row: ScreenRow) -> bool:
    """Whether something that was asked of the row failed: it was not read, or not measured."""
    return row.status in ("rejected", "failed") or row.reason.startswith(REMODEL_FAILED)


def row_from(values: dict[str, Any]) -> ScreenRow:
    """Inverse of `ScreenRow.to_dict`; unknown columns are left out, NaN is None."""
    known = {f.name for f in fields(ScreenRow)}
    clean: dict[str, Any] = {
        name: None if isinstance(value, float) and np.isnan(value) else value
        for name, value in values.items()
        if name in known
    }
    return ScreenRow(**clean)


def as_table(rows: Iterable[ScreenRow]) -> dict[str, list[Any]]:
    """Columns of values, as `COLUMNS`."""
    made: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for row in rows:
        for name, values in made.items():
            values.append(getattr(row, name))
    return made


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """Per position what the structure says."""

    chain: tuple[str | None, ...]
    author_number: tuple[str | None, ...]
    secondary: str
    neighbours: NDArray[np.float64]


@lru_cache(maxsize=8)
def _surroundings(protein: Protein) -> _Surroundings:
    from glass_core.metrics.distances import neighbour_counts
    from glass_core.metrics.secondary import positions_secondary

    structure = protein.structure
    chain = None if structure is None else structure.chain
    return _Surroundings(
        chain=tuple(chain if seen else None for seen in protein.covered),
        author_number=tuple(protein.author_number(i) or None for i in range(len(protein))),
        secondary=positions_secondary(protein),
        neighbours=neighbour_counts(protein.ca),
    )


def _with_effect(row: ScreenRow, effect: EffectScore | None) -> ScreenRow:
    if effect is None:
        return row
    others = None if effect.site_rank is None else OTHERS_AT_SITE - effect.site_rank
    return replace(
        row,
        effect=effect.score,
        p_damaging=effect.probability,
        percentile_protein=effect.percentile,
        percentile_site=None if others is None else 100 * others / OTHERS_AT_SITE,
    )


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _least(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.min()) if len(known) else None
