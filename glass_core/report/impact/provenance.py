"""How the results of a report were made, as rows of name and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glass_core.impact.conditions import NOT_USED, conditions
from glass_core.impact.record import Impact


def provenance_rows(impacts: Sequence[Impact]) -> list[tuple[str, str]]:
    """Date and conditions; where variants differ in one, each with its own."""
    made = [
        {"date": impact.provenance.date, **conditions(impact.prediction.model, impact.provenance)}
        for impact in impacts
    ]
    names = dict.fromkeys(name for each in made for name in each)
    return [(name, _said(name, made, labels(impacts))) for name in names]


def labels(impacts: Sequence[Impact]) -> list[str]:
    """What each is called among the others; its place, from 1, where a variant comes twice."""
    texts = [impact.written for impact in impacts]
    return [
        text if texts.count(text) == 1 else f"{text} ({place})"
        for place, text in enumerate(texts, start=1)
    ]


def _said(name: str, made: Sequence[Mapping[str, str]], called: Sequence[str]) -> str:
    values = [each.get(name) or NOT_USED for each in made]
    if len(set(values)) == 1:
        return values[0]
    pairs = zip(called, values, strict=True)
    return "; ".join(f"{label}: {value}" for label, value in pairs)
