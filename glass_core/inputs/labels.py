"""What clinical databases and tables call a variant: damaging or not."""

from __future__ import annotations

import re
from typing import Any

_DAMAGING = {
    "1",
    "1.0",
    "true",
    "yes",
    "pathogenic",
    "likely pathogenic",
    "p",
    "lp",
    "damaging",
    "deleterious",
    "destabilising",
    "destabilizing",
    "disease",
    "loss of function",
    "lof",
    "nonfunctional",
    "non functional",
    "non-functional",
}
_HARMLESS = {
    "0",
    "0.0",
    "false",
    "no",
    "benign",
    "likely benign",
    "b",
    "lb",
    "tolerated",
    "functional",
    "neutral",
    "no effect",
}
_BINARY = {"0", "0.0", "1", "1.0", "true", "false", "yes", "no"}
_BESIDE = {
    "",
    "affects",
    "association",
    "confers sensitivity",
    "drug response",
    "low penetrance",
    "not provided",
    "other",
    "protective",
    "risk factor",
}
"""What ClinVar says beside a classification, and which is none."""
_REMARK = re.compile(r"\((?:last reviewed|[^()]*\d{4})[^()]*\)", re.IGNORECASE)


def read_label(value: Any, one_is_fit: bool = False) -> bool | None:
    """Damaging or not, by what such columns hold; None for anything else.

    Of several words, as ``Pathogenic/Likely pathogenic; drug response``, all that classify
    must agree, and be clear. `one_is_fit` turns numbers and true and false round, not words
    such as benign.
    """
    text = _REMARK.sub("", str(value)).strip().lower().replace("_", " ")
    words = [word.strip() for word in re.split(r"[;/|,]", text)]
    labels = {_of_word(word, one_is_fit) for word in words if word not in _BESIDE}
    return labels.pop() if len(labels) == 1 else None


def _of_word(word: str, one_is_fit: bool) -> bool | None:
    if word not in _DAMAGING | _HARMLESS:
        return None
    return (word in _DAMAGING) != (one_is_fit and word in _BINARY)
