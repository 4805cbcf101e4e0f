"""The evidence about a variant, and what may explain it, as tables and in words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glass_core.impact.checks.base import Check
from glass_core.impact.evidence import Evidence
from glass_core.impact.record import Impact
from glass_core.report.external import external_words

_SIDES = {"damaging": "damage", "tolerated": "no damage", "neither": ""}


def evidence_table(impact: Impact) -> pd.DataFrame:
    """One row per piece of evidence; empty cells are missing values."""
    return pd.DataFrame(
        [
            {
                "evidence": one.title,
                "says": one.says,
                "speaks for": _SIDES[one.side],
                "value": value_words(one),
                "percentile": one.percentile,
                "whose": one.whose,
                "source": one.source,
            }
            for one in impact.evidence
        ]
    )


def external_note(impact: Impact) -> str:
    """Whose the external rows of `evidence_table` are, and their licences; '' without any."""
    return external_words(s for s in impact.protein.external if s.told(impact.variant))


def value_words(evidence: Evidence) -> str:
    """The value with its unit and, where they are known, its bounds; '' without one."""
    if evidence.value is None:
        return ""
    signed = "+.1f" if evidence.unit else ".2f"
    words = f"{evidence.value:{signed}} {evidence.unit}".strip()
    if evidence.low is None or evidence.high is None:
        return words
    return f"{words} ({evidence.low:{signed}} to {evidence.high:{signed}})"


def explaining(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that hold."""
    return tuple(check for check in checks if check.holds)


def check_table(checks: Sequence[Check]) -> pd.DataFrame:
    """One row per check."""
    answers = {True: "yes", False: "no", None: "cannot be told"}
    return pd.DataFrame(
        [
            {
                "check": check.name.replace("_", " "),
                "holds": answers[check.holds],
                "what was seen": check.text,
                "what decides": check.threshold,
                "after": check.source,
            }
            for check in checks
        ]
    )
