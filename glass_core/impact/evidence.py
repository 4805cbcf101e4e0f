"""The pieces of evidence about a variant side by side, and where they agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from glass_core.models.prediction import Prediction
from glass_core.protein.external import ExternalScores
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.records import require, require_one_of

Side = Literal["damaging", "tolerated", "neither"]
SIDES = ("damaging", "tolerated", "neither")
Whose = Literal["GLASS", "alignment", "external"]
WHOSE = ("GLASS", "alignment", "external")
LIKELY, UNLIKELY = 0.8, 0.2
"""Chances of being damaging from and below which they speak for a side."""
DESTABILISING, NEUTRAL = 1.0, 0.5
"""kcal/mol: ddG from which a change counts as destabilising, below which as no change."""
RARE, ACCEPTED = -3.0, -1.0
"""Log-odds among homologues below which the new residue counts as rare, above as accepted:
a twentieth and a third as frequent as the wild type's."""
_CLASS_SIDES: Mapping[str, Side] = {"likely benign": "tolerated", "likely pathogenic": "damaging"}
"""What the classes of other people's models speak for; any other takes no side."""


@dataclass(frozen=True)
class Evidence:
    """What one source says of a variant.

    Attributes
    ----------
    name : str
        For programs.
    title : str
        For a reader.
    value : float
    unit : str
    low, high : float or None
        Bounds of the value, where its source gives them.
    percentile : float or None
        Percent of all single substitutions of the protein that it places below this one,
        higher = more damaging; None for several changes.
    side : {"damaging", "tolerated", "neither"}
        What it speaks for.
    says : str
        The same in words.
    source : str
        Where it comes from.
    whose : {"GLASS", "alignment", "external"}
        Told by a model of ours, by the homologues that the user gave, or by other people's
        model: nothing of ours is computed from that.
    """

    name: str
    title: str
    value: float
    unit: str
    percentile: float | None
    side: Side
    says: str
    source: str
    low: float | None = None
    high: float | None = None
    whose: Whose = "GLASS"

    def __post_init__(self) -> None:
        require_one_of(self.side, SIDES, "side")
        require_one_of(self.whose, WHOSE, "whose")
        for field in ("name", "title", "says", "source"):
            require(bool(getattr(self, field)), field, "is given")


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

    @property
    def side(self) -> Side:
        """What it speaks for."""
        return side_of_chance(self.probability)


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


def side_of_chance(chance: float) -> Side:
    """What a chance of being damaging speaks for."""
    if chance >= LIKELY:
        return "damaging"
    return "tolerated" if chance <= UNLIKELY else "neither"


def gather(protein: Protein, variant: Variant, prediction: Prediction) -> tuple[Evidence, ...]:
    """Everything at hand about a variant of `protein`: the most telling first, external last."""
    told = prediction.told
    kinds: tuple[tuple[str, Callable[[Protein, Prediction], Evidence]], ...] = (
        ("ddg", _stability),
        ("p_damaging", _effect),
        ("alignment_log_odds", _alignment),
    )
    own = (make(protein, prediction) for column, make in kinds if column in told)
    external = (_external(scores, variant) for scores in protein.external)
    return (*own, *filter(None, external))


def agreement(evidence: Sequence[Evidence]) -> str:
    """Where the pieces agree or differ, in one sentence; '' with fewer than two."""
    if len(evidence) < 2:
        return ""
    sides: Mapping[Side, list[Evidence]] = {
        side: [e for e in evidence if e.side == side] for side in ("damaging", "tolerated")
    }
    against, fine = sides["damaging"], sides["tolerated"]
    if against and fine:
        return f"The evidence differs: {_listed(against)}, but {_listed(fine)}."
    taken = against or fine
    if len(taken) == len(evidence):
        return f"All of it agrees: {_listed(taken)}."
    if taken:
        return f"One side only is taken: {_listed(taken)}; the rest takes none."
    return "None of it takes a side."


def _listed(evidence: Sequence[Evidence]) -> str:
    return " and ".join(f"{one.title} says {one.says}" for one in evidence)


def _stability(protein: Protein, prediction: Prediction) -> Evidence:
    told = prediction.told
    ddg = told["ddg"]
    side: Side = "neither"
    if ddg >= DESTABILISING:
        side, says = "damaging", "destabilising"
    elif ddg <= -DESTABILISING:
        says = "stabilising"
    elif abs(ddg) < NEUTRAL:
        side, says = "tolerated", "little change of stability"
    else:
        says = "mildly destabilising" if ddg > 0 else "mildly stabilising"
    return Evidence(
        "stability",
        "stability",
        ddg,
        "kcal/mol",
        told.get("ddg_percentile"),
        side,
        says,
        f"{prediction.model}, from {_read(prediction, told['ddg_structure'])}",
        told["ddg_low"],
        told["ddg_high"],
    )


def _effect(protein: Protein, prediction: Prediction) -> Evidence:
    told = prediction.told
    chance = told["p_damaging"]
    side = side_of_chance(chance)
    return Evidence(
        "effect",
        "likeness to clinical variants",
        chance,
        "",
        told.get("percentile_protein"),
        side,
        "no side" if side == "neither" else side,
        f"{prediction.model}, from {_read(prediction, told.get('effect_structure'))}",
    )


def _read(prediction: Prediction, structure: float | None) -> str:
    """What a head went by."""
    if structure:
        return f"the structure ({prediction.model.structure_embedder}) and the sequence"
    return "the sequence alone"


def _alignment(protein: Protein, prediction: Prediction) -> Evidence:
    told = prediction.told
    log_odds = told["alignment_log_odds"]
    side: Side = "neither"
    says = "uncommon among homologues"
    if log_odds <= RARE:
        side, says = "damaging", "rare among homologues"
    elif log_odds >= ACCEPTED:
        side, says = "tolerated", "accepted by homologues"
    profile = protein.profile
    depth = "" if profile is None else f", {profile.depth:,} rows, Neff {profile.neff:,.0f}"
    name = "an alignment" if profile is None else profile.name
    return Evidence(
        "alignment",
        "the alignment",
        log_odds,
        "log-odds",
        told.get("alignment_percentile"),
        side,
        says,
        f"{name}{depth}",
        whose="alignment",
    )


def _external(scores: ExternalScores, variant: Variant) -> Evidence | None:
    """What other people's model says; a side only by a class of its authors'."""
    told = scores.told(variant)
    if not told:
        return None
    called = scores.class_of(variant)
    return Evidence(
        scores.kind,
        scores.name,
        told[scores.kind],
        "",
        told.get(f"{scores.kind}_percentile"),
        _CLASS_SIDES.get(called, "neither"),
        called or "no class",
        f"{scores.credit}; {scores.scale}",
        whose="external",
    )
