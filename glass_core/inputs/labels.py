"""What clinical databases and tables call a variant: damaging or not."""

from __future__ import annotations

from typing import Any

_DAMAGING = {
    "1",
    "1.0",
    "true",
    "yes",
    "pathogenic",
    "likely pathogenic",
    "likely_pathogenic",
    "pathogenic/likely pathogenic",
    "p",
    "lp",
    "damaging",
    "deleterious",
    "disease",
}
_HARMLESS = {
    "0",
    "0.0",
    "false",
    "no",
    "benign",
    "likely benign",
    "likely_benign",
    "benign/likely benign",
    "b",
    "lb",
    "tolerated",
    "neutral",
}
_BINARY = {"0", "0.0", "1", "1.0", "true", "false", "yes", "no"}


def read_label(value: Any, one_is_fit: bool = False) -> bool | None:
    """Damaging or not, by what such columns hold; None for anything else.

    `one_is_fit` turns numbers and true and false round, not words such as benign.
    """
    word = str(value).strip().lower()
    if word not in _DAMAGING | _HARMLESS:
        return None
    return (word in _DAMAGING) != (one_is_fit and word in _BINARY)


def agreed_label(significance: str) -> bool | None:
    """What all clinical significances of ``Pathogenic / Likely pathogenic`` say.

    None where they differ, or one of them is unclear.
    """
    labels = {read_label(word) for word in significance.split("/")}
    return labels.pop() if len(labels) == 1 else None
