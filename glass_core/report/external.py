"""Whose other people's scores are, in the words that stand wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from glass_core.protein.external import ExternalScores


def external_words(scores: Iterable[ExternalScores]) -> str:
    """That they are not ours, then source, version and licence of each; '' without any."""
    credits = dict.fromkeys(one.credit for one in scores)
    if not credits:
        return ""
    return (
        "External scores are other people's, and nothing of GLASS is computed from them. "
        + " ".join(f"{credit}." for credit in credits)
    )
