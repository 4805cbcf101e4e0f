"""The one chance of being damaging that a prediction comes to, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from glass_core.records import require


@dataclass(frozen=True)
class Combined:
    """One chance of being damaging from all that is at hand.

    Attributes
    ----------
    probability : float
        Calibrated on clinical labels.
    percentile : float or None
        Percent of all single substitutions of the protein with a lower one; None for
        several changes.
    used : tuple of str
        Names of the pieces of `Evidence` behind it.
    structure : bool
        Whether the structure was read for these.
    """

    probability: float
    percentile: float | None
    used: tuple[str, ...]
    structure: bool

    def __post_init__(self) -> None:
        require(0 <= self.probability <= 1, "probability", "lies in [0, 1]")
        require(bool(self.used), "used", "names what it rests on")


def combined(told: Mapping[str, float]) -> Combined | None:
    """The one chance among what a prediction told; None where the model makes none."""
    if "p_combined" not in told:
        return None
    structure, alignment = (bool(told[f"combined_{w}"]) for w in ("structure", "alignment"))
    used: tuple[str, ...] = ("effect",)  # alone from the sequence, see `models.heads.combined`
    if structure or alignment:
        used += ("stability",)
    if alignment:
        used += ("alignment",)
    return Combined(told["p_combined"], told.get("combined_percentile"), used, structure)


def leading_chance(told: Mapping[str, float]) -> float | None:
    """The chance to go by: from all evidence, else that of the effect head; None without."""
    return told.get("p_combined", told.get("p_damaging"))


def chance_percentile(told: Mapping[str, float]) -> float | None:
    """Percent of the protein's single substitutions with a lower chance; None without one."""
    name = "combined_percentile" if "p_combined" in told else "damaging_percentile"
    return told.get(name)
