"""What is told of a protein's properties: tables for people, rows for scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from glass_core.models.prediction import ModelInfo
from glass_core.models.properties.base import Properties, PropertyChange, PropertyValue
from glass_core.models.properties.kinds import property_kind
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant

PROPERTIES_FORMAT = "glass-properties/1"
TOLD, UNTOLD, UNKNOWN = "beyond the noise", "not distinguishable", "noise not known"
VALUES_BETWEEN = (
    "Between: of a chance, 90 in 100 by how the head's members differ; of a temperature or a "
    "quality, what held 90 of 100 measurements of unseen proteins."
)
CHANGES_BETWEEN = (
    "Between: 90 in 100 by how the head's members differ. Noise: what conservative substitutions "
    "of proteins of this length change a number by, at most, 95 times in 100. A change within it, "
    "or on whose sign the members differ, is not distinguishable."
)
UNTESTED = (
    "No head but that of binding was tested on variants: beyond the noise means that the head "
    "reads the mutant otherwise, not that it is right."
)


def value_table(properties: Properties) -> pd.DataFrame:
    """Each value with its interval."""
    return pd.DataFrame(
        [
            {
                "property": _title(one),
                "value": _number(one.head, one.value, one.unit),
                "between": _between(one.head, one.low, one.high),
                "meaning": property_kind(one.head).meaning,
            }
            for one in properties.values
        ],
        columns=["property", "value", "between", "meaning"],
    )


def change_table(properties: Properties) -> pd.DataFrame:
    """What the variant changes, and whether that is told from none."""
    return pd.DataFrame(
        [
            {
                "property": _title(one),
                "verdict": _verdict(one),
                "difference": _signed(one, one.difference),
                "between": _between(one.head, one.low, one.high, signed=True),
                "noise": "–"
                if math.isnan(one.noise)
                else f"±{one.noise:.{_digits(one.head) + 1}f}",
                "wild type": _number(one.head, one.wild, one.unit),
                "mutant": _number(one.head, one.mutant, one.unit),
            }
            for one in properties.changes
        ],
        columns=["property", "verdict", "difference", "between", "noise", "wild type", "mutant"],
    )


def change_words(properties: Properties) -> str:
    """One sentence about what is told apart."""
    if not properties.changes:
        return "Nothing is told of a change."
    if all(math.isnan(one.noise) for one in properties.changes):
        return "No difference is told from none: its noise is not known."
    apart = [one for one in properties.changes if one.distinguishable]
    if not apart:
        return "Not distinguishable: every difference lies within the noise of its head."
    named = "; ".join(f"{_title(one)} {_signed(one, one.difference)}" for one in apart)
    return f"Beyond the noise: {named}."


def _verdict(one: PropertyChange) -> str:
    if math.isnan(one.noise):
        return UNKNOWN
    return TOLD if one.distinguishable else UNTOLD


def as_rows(
    properties: Properties,
    model: ModelInfo,
    protein: Protein,
    variant: Variant | None,
    caveats: Sequence[str] = (),
) -> dict[str, Any]:
    """All of it as plain values; what is not there is None.

    Parameters
    ----------
    caveats : sequence of str
        How well each property is told.
    """
    return {
        "format": PROPERTIES_FORMAT,
        "protein": {"name": protein.name, "sequence": protein.sequence},
        "variant": None if variant is None else variant.text,
        "model": {"name": model.name, "version": model.version, "sha256": model.sha256},
        "with_structure": properties.with_structure,
        "values": [
            {
                "head": one.head,
                "name": one.name,
                "unit": one.unit,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "meaning": property_kind(one.head).meaning,
            }
            for one in properties.values
        ],
        "changes": [
            {
                "head": one.head,
                "name": one.name,
                "unit": one.unit,
                "wild": _plain(one.wild),
                "mutant": _plain(one.mutant),
                "difference": one.difference,
                "low": one.low,
                "high": one.high,
                "noise": _plain(one.noise),
                "distinguishable": one.distinguishable,
            }
            for one in properties.changes
        ],
        "attributions": [
            {"head": one.head, "name": one.name, "share": [round(float(x), 6) for x in one.share]}
            for one in properties.attributions
        ],
        "notes": list(properties.notes),
        "caveats": list(caveats),
    }


def _title(one: PropertyValue | PropertyChange) -> str:
    kind = property_kind(one.head)
    return one.name if one.name == kind.title else f"{kind.title}: {one.name}"


def _digits(head: str) -> int:
    return property_kind(head).digits


def _number(head: str, value: float, unit: str) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.{_digits(head)}f} {unit}".strip()


def _signed(one: PropertyChange, value: float) -> str:
    return f"{value:+.{_digits(one.head) + 1}f} {one.unit}".strip()


def _between(head: str, low: float, high: float, signed: bool = False) -> str:
    digits = _digits(head) + (1 if signed else 0)
    sign = "+" if signed else ""
    return f"{low:{sign}.{digits}f} to {high:{sign}.{digits}f}"


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
