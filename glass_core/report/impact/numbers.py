"""The numbers that stand above everything else, the most telling first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glass_core.impact.answer import combined, leading_chance
from glass_core.impact.evidence import LIKELY, UNLIKELY
from glass_core.impact.record import Impact

NOTHING = "none"
"""In place of a number that the model does not tell."""


@dataclass(frozen=True)
class Number:
    """A number with its name, what it is, and a note of a few words below it."""

    name: str
    value: str
    meaning: str
    note: str = ""


def leading_numbers(impact: Impact) -> tuple[Number, ...]:
    """The chance, ddG, TM-scores; what was measured and its noise floor only where it was."""
    return (*_predicted(impact), *_measured(impact), _baselines(impact))


def _predicted(impact: Impact) -> Iterator[Number]:
    told = impact.prediction.told
    chance, found = leading_chance(told), combined(told)
    yield Number(
        "Chance of being damaging",
        NOTHING if chance is None else f"{chance:.2f}",
        "Predicted from the wild type's sequence, its structure and an alignment where they are "
        "there; calibrated on clinical labels of other proteins. "
        f"From {LIKELY} on it speaks for damage, up to {UNLIKELY} against it, between them for "
        "neither. Listed variants are damaging more often "
        "(about half; two thirds where there is a structure) than any substitution is: read it as "
        "of a variant that was found in a patient. It is no diagnosis.",
        "" if found is None else f"from {', '.join(found.used)}",
    )
    if "ddg" in told:
        yield Number(
            "ΔΔG, predicted",
            f"{told['ddg']:+.1f}",
            "Change of folding stability in kcal/mol, positive = destabilising; below it the 90% "
            "interval.",
            f"kcal/mol, {told['ddg_low']:+.1f} to {told['ddg_high']:+.1f}",
        )
    yield Number(
        "TM-score, predicted",
        f"{impact.prediction.tm_score:.4f}",
        f"By {impact.prediction.model}, from sequences alone.",
    )


def _measured(impact: Impact) -> Iterator[Number]:
    if not impact.measured:
        return
    yield Number(
        "TM-score, measured",
        f"{impact.tm_score:.4f}",
        "TM-align of the remodelled wild type against the remodelled mutant, normalised by the "
        "wild type; mean over seeds.",
    )
    floor = impact.noise_floor
    yield Number(
        "Noise floor",
        NOTHING if floor is None else f"{floor.tm_score:.4f}",
        "The wild type mutated to itself by the same protocol and seeds.",
    )


def _baselines(impact: Impact) -> Number:
    blosum = impact.baselines.blosum62
    return Number(
        "BLOSUM62",
        "n/a" if blosum is None else f"{blosum:+d}",
        "The baseline that any prediction must beat; -4 to 3, low = unlike. A TM-score's is 1: "
        "nothing changes.",
    )
