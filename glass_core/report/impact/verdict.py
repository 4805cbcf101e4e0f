"""The result in words, never stronger than the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from glass_core.impact.answer import Combined, chance_percentile, combined, leading_chance
from glass_core.impact.evidence import piece, side_of_chance
from glass_core.impact.gather import DATABASES
from glass_core.impact.record import Impact
from glass_core.models.prediction import LDDT_TRAINED_ABOVE, MIN_COVERAGE
from glass_core.records import known_mean


@dataclass(frozen=True)
class Verdict:
    """A headline and the sentences that carry it."""

    headline: str
    sentences: tuple[str, ...]


def verdict(impact: Impact) -> Verdict:
    """Say what the prediction and the measurement, if any, show.

    What was measured is added to the answer and does not replace it.
    """
    headline, predicted = _predicted_headline(impact) + _listed(impact), _predicted(impact)
    if not impact.measured:
        return Verdict(headline, tuple(predicted))
    what, measured = _measured(impact)
    first, *rest = predicted
    return Verdict(f"{headline}; {what}", (first, *measured, *rest))


def hgvs_words(impact: Impact) -> str:
    """The variant in HGVS, and whose numbers those are."""
    text, numbers = impact.protein.hgvs(impact.variant)
    return f"HGVS: {text} ({numbers})."


def _listed(impact: Impact) -> str:
    """A semicolon and what clinical databases call this very variant; '' where they do not."""
    known = piece(impact.evidence, DATABASES)
    return "" if known is None else f"; databases: {known.says}"


def _predicted_headline(impact: Impact) -> str:
    coverage = float((impact.variant.mutant_index >= 0).mean())
    if impact.prediction.tm_score < LDDT_TRAINED_ABOVE or coverage < MIN_COVERAGE:
        return f"{impact.written}: outside what the model can tell"
    chance = leading_chance(impact.prediction.told)
    if chance is not None:
        side = side_of_chance(chance)
        if side != "neither":
            return f"{impact.written}: predicted {side} (P {chance:.2f})"
        percentile = chance_percentile(impact.prediction.told)
        rank = "" if percentile is None else f", percentile {percentile:.0f} of its substitutions"
        return f"{impact.written}: the prediction takes no side (P {chance:.2f}{rank})"
    if not impact.variant.only_substitutions:
        return (
            f"{impact.written}: no chance of being damaging is told of insertions and "
            f"deletions; predicted TM-score {impact.prediction.tm_score:.3f}"
        )
    percentile = impact.baselines.percentile
    if percentile is None:
        return f"{impact.written}: predicted TM-score {impact.prediction.tm_score:.3f}"
    if percentile >= 90:
        return f"{impact.written}: predicted among the most disruptive substitutions"
    if percentile >= 60:
        return f"{impact.written}: predicted more disruptive than most substitutions"
    if percentile <= 10:
        return f"{impact.written}: predicted among the mildest substitutions"
    return f"{impact.written}: predicted effect is ordinary for this protein"


def _predicted(impact: Impact) -> list[str]:
    prediction, ranks = impact.prediction, impact.baselines
    known = impact.predicted_lddt[~np.isnan(impact.predicted_lddt)]
    lddt = f", mean lDDT {known.mean():.4f}, lowest {known.min():.4f}" if known.size else ""
    sentences = [
        f"Predicted by {prediction.model}: TM-score {prediction.tm_score:.4f}{lddt}; 'nothing "
        "changes' would be 1 and a score near 1 alone says little."
    ]
    found = combined(prediction.told)
    if found is not None:
        sentences.insert(0, _combined_sentence(found))
    elif "p_damaging" in prediction.told:
        sentences.insert(0, _effect_sentence(prediction.told))
    parts = []
    if ranks.site_rank is not None:
        parts.append(
            f"rank {ranks.site_rank} of {ranks.site_size} at its site "
            f"(1 = lowest {ranks.ranked_by} TM)"
        )
    if ranks.percentile is not None:
        compared = (
            "all single substitutions"
            if ranks.ranked_by == "estimated"
            else f"{ranks.sample_size} random variants"
        )
        parts.append(
            f"lower {ranks.ranked_by} TM than {ranks.percentile:.0f}% of {compared} of this protein"
        )
    if ranks.blosum62 is not None:
        parts.append(f"BLOSUM62 {ranks.blosum62:+d}")
    if parts:
        sentences.append("Beside it: " + ", ".join(parts) + ".")
    sentences.append("The prediction is symmetric: it cannot tell a gain from a loss.")
    return sentences


def _combined_sentence(found: Combined) -> str:
    """The chance from all evidence, what it rests on, and its rank."""
    rests = "the sequence and the structure" if found.structure else "the sequence"
    if "alignment" in found.used:
        rests = f"{rests.replace(' and ', ', ')} and the alignment"
    rank = (
        ""
        if found.percentile is None
        else f"; higher than that of {found.percentile:.0f}% of all single substitutions of "
        "this protein"
    )
    return (
        f"Predicted chance of being damaging: {found.probability:.2f}, from {rests}, fitted to "
        f"clinical labels of other proteins (Evidence says how well){rank}."
    )


def _effect_sentence(told: Mapping[str, float]) -> str:
    """What the effect head says, with its rank."""
    rank = (
        ""
        if "site_rank" not in told
        else (
            f"; its effect score is higher than that of {told['percentile_protein']:.0f}% of all "
            f"single substitutions of this protein, rank {told['site_rank']:.0f} of 19 at its site"
        )
    )
    return (
        f"Predicted chance of being damaging: {told['p_damaging']:.2f}, fitted to clinical "
        f"labels of other proteins (Evidence says how well){rank}."
    )


def _measured(impact: Impact) -> tuple[str, list[str]]:
    """What was measured in a few words, and in sentences."""
    seeds = len(impact.replicates)
    spread = "" if np.isnan(impact.tm_score_sd) else f" ± {impact.tm_score_sd:.4f}"
    floor, deficit = impact.noise_floor, impact.deficit_above_floor
    strain = impact.strain_above_floor
    if floor is None or deficit is None or strain is None:
        return "measured against the given mutant structure", [
            f"Measured on the structure given: TM-score {impact.tm_score:.4f}, mean lDDT "
            f"{known_mean(impact.measured_lddt):.4f}; there is no noise floor to compare with."
        ]
    by_lddt, by_strain = int(deficit.significant.sum()), int(strain.significant.sum())
    plural = "s" if seeds > 1 else ""
    sentences = [
        f"Measured on {seeds} remodelled replicate{plural}: TM-score {impact.tm_score:.4f}{spread} "
        f"(noise floor {floor.tm_score:.4f}), mean lDDT {known_mean(impact.measured_lddt):.4f} "
        f"(noise floor {known_mean(impact.floor_lddt):.4f}).",
        f"Of {len(deficit.significant)} residues {by_lddt} rise above the floor by lDDT and "
        f"{by_strain} by effective strain, which also sees shifts under 0.5 Å (5% false "
        "discovery rate).",
        "A remodelled mutant is a model, not an experiment: the backbone is held near that of the "
        "wild type, so it shows how neighbours give way, and neither unfolding nor lost function.",
    ]
    if not by_lddt and not by_strain:
        return "remodelled without a change beyond the noise", sentences
    told = {s.name: s.p_value if by_lddt else s.strain_p_value for s in impact.subdomains}
    elements = [s.name for s in impact.subdomains if s.kind == "element" and told[s.name] <= 0.05]
    most = min(elements, key=told.__getitem__, default="")
    rising = by_lddt or by_strain
    where = f" at {rising} residue{'s' if rising > 1 else ''}" + (
        f", most in {most}" if most else ""
    )
    if not by_lddt:
        return f"remodelled with shifts under 0.5 Å above the noise floor{where}", sentences
    extent = "local change" if by_lddt <= 0.25 * len(impact.protein) else "widespread change"
    return f"remodelled with {extent} above the noise floor{where}", sentences
