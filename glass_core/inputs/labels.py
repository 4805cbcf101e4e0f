"""What clinical databases and tables call a variant: damaging or not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NOTHING = {"", "na", "nan", "none", "null", "n/a", "-", "--", ".", "?", "<na>"}
"""What cells without a value hold, in lower case."""
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
    "destabilised",
    "destabilising",
    "destabilized",
    "destabilizing",
    "disease",
    "disease causing",
    "inactive",
    "likely damaging",
    "likely deleterious",
    "probably damaging",
    "unstable",
    "loss of function",
    "lof",
    "nonfunctional",
    "non functional",
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
    "likely tolerated",
    "functional",
    "harmless",
    "neutral",
    "no effect",
    "stabilised",
    "stabilising",
    "stabilized",
    "stabilizing",
    "stable",
    "wild type like",
    "wt like",
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


@dataclass(frozen=True)
class LabelWord:
    """What entries of a column of labels say, and how it is read.

    Attributes
    ----------
    word : str
        As `plain_label` has it.
    rows : int
        Entries that say so.
    damaging : bool or None
        None where it is left out.
    """

    word: str
    rows: int
    damaging: bool | None


def plain_label(value: Any) -> str:
    """An entry as it is looked up: lower case, without remarks, words parted by spaces."""
    text = _REMARK.sub("", str(value)).strip().lower()
    return re.sub(r"[\s_]+|(?<=[a-z])-(?=[a-z])", " ", text).strip()


def read_label(
    value: Any, one_is_fit: bool = False, assigned: Mapping[str, bool | None] | None = None
) -> bool | None:
    """Damaging or not, by what such columns hold; None for anything else.

    Of several words, as ``Pathogenic/Likely pathogenic; drug response``, all that classify
    must agree, and be clear. `one_is_fit` turns numbers and true and false round, not words
    such as benign.

    `assigned`: what whole entries mean by their user, by `plain_label`; None leaves them out.
    """
    text = plain_label(value)
    if assigned and text in assigned:
        return assigned[text]
    words = [word.strip() for word in re.split(r"[;/|,]", text)]
    labels = {_of_word(word, one_is_fit) for word in words if word not in _BESIDE}
    return labels.pop() if len(labels) == 1 else None


def label_words(
    values: Iterable[Any],
    one_is_fit: bool = False,
    assigned: Mapping[str, bool | None] | None = None,
) -> tuple[LabelWord, ...]:
    """All that a column of labels says, the commonest first; empty cells are left out.

    Examples
    --------
    >>> label_words(["Neutral", "unclear", "neutral"])[1]
    LabelWord(word='unclear', rows=1, damaging=None)
    """
    told = Counter(word for value in values if (word := plain_label(value)) not in NOTHING)
    return tuple(
        LabelWord(word, rows, read_label(word, one_is_fit, assigned))
        for word, rows in told.most_common()
    )


def _of_word(word: str, one_is_fit: bool) -> bool | None:
    if word not in _DAMAGING | _HARMLESS:
        return None
    return (word in _DAMAGING) != (one_is_fit and word in _BINARY)
