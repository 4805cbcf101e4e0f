"""The table of a screen: one row per variant asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.baselines import blosum62
from glass_core.impact.record import Impact
from glass_core.inputs.cells import Cell
from glass_core.inputs.lists import VariantRequest
from glass_core.metrics.noise import AboveFloor
from glass_core.models.prediction import ModelInfo, Table
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.records import known_mean, nullable, require, require_one_of
from glass_core.screen.columns import EXTERNAL_COLUMNS, RENAMED, SCREEN_COLUMNS, TOLD_COLUMNS
from glass_core.screen.stream import Failure

Status = Literal["waiting", "done", "rejected", "failed"]
_STATUSES = get_args(Status)
REMODEL_FAILED = "Remodelling failed:"
"""Begins the reason of a row whose prediction is there and whose measurement is not."""


@dataclass(frozen=True)
class ScreenRow:
    """One row; fields as `SCREEN_COLUMNS`, None = no value.

    `told` holds what the model's heads tell, by column, and `external` other people's scores;
    ``row[column]`` is the value of any column. `own` holds all cells of the user's table, by its
    columns, the same ones in all rows of a screen. `written` is `variant` where nothing else is
    known, as in rows of earlier versions.
    """

    row: int
    protein: str
    variant: str
    status: Status
    reason: str = ""
    given: str | None = None
    written: str | None = None
    numbering: str | None = None
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
    blosum62: int | None = None
    measured_tm: float | None = None
    measured_lddt_site: float | None = None
    measured_strain_site: float | None = None
    above_floor_lddt: int | None = None
    above_floor_strain: int | None = None
    protocol: str | None = None
    label: int | None = None
    measured_value: float | None = None
    analysis: str | None = None
    model: str | None = None
    told: Mapping[str, float] = field(default_factory=dict)
    external: Mapping[str, float | str] = field(default_factory=dict)
    own: Mapping[str, Cell] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(isinstance(self.row, int) and self.row >= 1, "row", "is 1 or more")
        require_one_of(self.status, _STATUSES, "status")
        if self.written is None:
            object.__setattr__(self, "written", self.variant)
        require(self.told.keys() <= TOLD_COLUMNS.keys(), "told", "holds columns that heads tell")
        require(
            self.external.keys() <= EXTERNAL_COLUMNS.keys(), "external", "holds external columns"
        )

    def __getitem__(self, column: str) -> Any:
        if column in TOLD_COLUMNS:
            return self.told.get(column)
        if column in EXTERNAL_COLUMNS:
            return self.external.get(column)
        return getattr(self, column)

    def to_dict(self) -> dict[str, Any]:
        """Values by column, in the order of `SCREEN_COLUMNS`."""
        return {name: self[name] for name in SCREEN_COLUMNS}


_FIELDS = {f.name for f in fields(ScreenRow)} - {"told", "external", "own"}


def first_row(request: VariantRequest, tables: Sequence[Table], info: ModelInfo) -> ScreenRow:
    """What is known before any mutant was embedded: what heads tell from the wild type alone."""
    label, variant = None if request.label is None else int(request.label), request.variant
    row = ScreenRow(
        request.row,
        request.protein.short_name,
        request.text if variant is None else variant.text,
        "rejected" if variant is None else "waiting",
        request.reason,
        given=request.text,
        written=request.text if variant is None else request.protein.written(variant),
        numbering=request.protein.counting.words,
        label=label,
        measured_value=request.measured_value,
        own=dict(request.own),
    )
    if variant is None:
        return row
    index = variant.positions[0] - 1
    site = _sites(request.protein)
    return replace(
        row,
        hgvs=variant.hgvs,
        position=index + 1,
        changes=len(variant.changes),
        wild_type=":".join(c.wild for c in variant.changes),
        mutant=":".join(c.mutant for c in variant.changes),
        chain=site.chain[index],
        author_number=site.author_number[index],
        uniprot_position=request.protein.uniprot_position(index),
        secondary_structure=site.secondary[index],
        neighbours=None if np.isnan(site.neighbours[index]) else int(site.neighbours[index]),
        blosum62=blosum62(variant),
        model=info.stamp,
        told={k: v for table in tables for k, v in table.told(variant).items()},
        external=_external(request.protein, variant),
    )


def _external(protein: Protein, variant: Variant) -> dict[str, float | str]:
    """What other people's models say of a variant, by column; kinds without columns are left."""
    values: dict[str, float | str] = {}
    stamps = []
    for scores in protein.external:
        called = {f"{scores.kind}_class": scores.class_of(variant)}
        told: dict[str, float | str] = {**scores.told(variant), **called}
        fitting = {n: v for n, v in told.items() if n in EXTERNAL_COLUMNS and v != ""}
        if fitting:
            values |= fitting
            stamps.append(scores.stamp)
    return values | {"external_source": " | ".join(stamps)} if stamps else {}


def finished_row(row: ScreenRow, outcome: Impact | Failure) -> ScreenRow:
    """`row` with what the screen found."""
    if isinstance(outcome, Failure):
        return replace(row, status="failed", reason=outcome.reason)
    prediction, sites = outcome.prediction, [p - 1 for p in outcome.variant.positions]
    told = {
        **row.told,
        **prediction.told,
        "predicted_tm": prediction.tm_score,
        "predicted_lddt_site": nullable(known_mean(prediction.lddt[sites])),
        "predicted_lddt_min": _least(prediction.lddt),
    }
    predicted = replace(
        row,
        status="done",
        reason=" ".join(prediction.flags),
        model=prediction.model.stamp,
        told={name: value for name, value in told.items() if value is not None},
    )
    if not outcome.measured:
        return predicted
    return replace(
        predicted,
        measured_tm=outcome.tm_score,
        measured_lddt_site=nullable(known_mean(outcome.measured_lddt[sites])),
        measured_strain_site=nullable(known_mean(outcome.strain[sites])),
        above_floor_lddt=_number_above(outcome.deficit_above_floor),
        above_floor_strain=_number_above(outcome.strain_above_floor),
        protocol=outcome.provenance.protocol_text,
    )


def _number_above(found: AboveFloor | None) -> int | None:
    return None if found is None else int(found.significant.sum())


def gave_nothing(row: ScreenRow) -> bool:
    """Whether something that was asked of the row failed: it was not read, or not measured."""
    return row.status in ("rejected", "failed") or row.reason.startswith(REMODEL_FAILED)


def row_from(values: Mapping[str, Any], own: Mapping[str, Cell] | None = None) -> ScreenRow:
    """Inverse of `ScreenRow.to_dict`; NaN is None, columns of format 1 have today's names.

    Unknown columns are left out; `own` are the cells of the user's table.
    """
    clean: dict[str, Any] = {
        RENAMED.get(name, name): None if isinstance(value, float) and value != value else value
        for name, value in values.items()
    }
    return ScreenRow(
        **{name: value for name, value in clean.items() if name in _FIELDS},
        told={n: clean[n] for n in TOLD_COLUMNS if clean.get(n) is not None},
        external={n: clean[n] for n in EXTERNAL_COLUMNS if clean.get(n) is not None},
        own=own or {},
    )


def row_of(values: Sequence[Any], own: Mapping[str, Cell] | None = None) -> ScreenRow:
    """The row whose values stand in the order of `SCREEN_COLUMNS`, None = no value.

    `own` are the cells of the user's table.
    """
    by_name = dict(zip(SCREEN_COLUMNS, values, strict=True))
    told = {n: v for n in TOLD_COLUMNS if (v := by_name.pop(n)) is not None}
    external = {n: v for n in EXTERNAL_COLUMNS if (v := by_name.pop(n)) is not None}
    return ScreenRow(**by_name, told=told, external=external, own=own or {})


def as_table(rows: Iterable[ScreenRow]) -> dict[str, list[Any]]:
    """Lists of values by column, as `SCREEN_COLUMNS`."""
    every = list(rows)
    return {name: [row[name] for row in every] for name in SCREEN_COLUMNS}


@dataclass(frozen=True, eq=False)
class _Sites:
    """What the structure says of every position."""

    chain: tuple[str | None, ...]
    author_number: tuple[str | None, ...]
    secondary: tuple[str | None, ...]
    neighbours: NDArray[np.float64]


@lru_cache(maxsize=8)
def _sites(protein: Protein) -> _Sites:
    from glass_core.metrics.distances import neighbour_counts
    from glass_core.metrics.secondary import positions_secondary

    structure = protein.structure
    chain = None if structure is None else structure.chain
    return _Sites(
        chain=tuple(chain if seen else None for seen in protein.covered),
        author_number=tuple(protein.author_number(i) or None for i in range(len(protein))),
        secondary=tuple(None if structure is None else s for s in positions_secondary(protein)),
        neighbours=neighbour_counts(protein.ca),
    )


def _least(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.min()) if len(known) else None
