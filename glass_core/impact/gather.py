"""Everything at hand about a variant, as pieces of evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from glass_core.impact.evidence import LIKELY, UNLIKELY, Evidence, Side, side_of_chance
from glass_core.inputs.labels import read_label
from glass_core.models.prediction import Prediction
from glass_core.protein.external import ExternalScores
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant

DESTABILISING, NEUTRAL = 1.0, 0.5
"""kcal/mol: ddG from which a change counts as destabilising, below which as no change."""
RARE, ACCEPTED = -3.0, -1.0
"""Log-odds among homologues below which the new residue counts as rare, above as accepted:
a twentieth and a third as frequent as the wild type's."""
DATABASES = "databases"
"""Name of what clinical databases call the very change."""
_CLASS_SIDES: Mapping[str, Side] = {"likely benign": "tolerated", "likely pathogenic": "damaging"}
"""What the classes of other people's models speak for; any other takes no side."""
_LABEL_SIDES: Mapping[bool | None, Side] = {True: "damaging", False: "tolerated", None: "neither"}


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
    return (*own, *filter(None, (_listed(protein, variant), *external)))


def _listed(protein: Protein, variant: Variant) -> Evidence | None:
    """What clinical databases call this very change; None where they say nothing."""
    if len(variant.changes) != 1:
        return None
    for known, change in protein.known_changes:
        if change == variant.changes[0] and known.significance:
            names = ", ".join(known.ids)
            return Evidence(
                DATABASES,
                "the database entry",
                None,
                "",
                None,
                _LABEL_SIDES[read_label(known.significance)],
                known.significance,
                (f"{known.source} ({names})" if names else known.source)
                + (f", review status: {known.review_status}" if known.review_status else ""),
                whose="external",
            )
    return None


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
    if told["ddg_low"] <= 0 <= told["ddg_high"] and side == "damaging":
        says = f"perhaps {says} (0 lies in its interval)"
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
        "clinical likeness",
        chance,
        "",
        told.get("damaging_percentile"),
        side,
        f"no side (between {UNLIKELY} and {LIKELY})" if side == "neither" else side,
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
