"""The answer about one variant: a line for each thing that is known, and where they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from glass_core.impact.answer import chance_percentile, combined, leading_chance
from glass_core.impact.checks.base import Check
from glass_core.impact.evidence import agreement, piece, side_of_chance
from glass_core.impact.gather import DATABASES
from glass_core.impact.record import Impact
from glass_core.models.evaluation import Evaluation
from glass_core.records import require, require_one_of
from glass_core.report.evidence.ranking import Basis, ranking_quality
from glass_core.report.impact.annotation import placed_features
from glass_core.report.impact.evidence import explaining, value_words

Whose = Literal["predicted", "measured", "external", "structure", "record"]
WHOSE = ("predicted", "measured", "external", "structure", "record")
SITE_CHECKS = frozenset(
    {
        "annotated_site",
        "phosphorylation_lost",
        "glycosylation_lost",
        "disulphide_lost",
        "metal_ligand_lost",
        "ligand_contact",
        "interface_contact",
    }
)
"""Checks that say what stands at the site; the others say what the change does to the fold."""
MOST_LISTED = 3


@dataclass(frozen=True)
class CardLine:
    """One thing that is known of a variant.

    Attributes
    ----------
    name : str
        Of the line, a word or two.
    says : str
        The answer in a few words.
    detail : str
        What carries it.
    meaning : str
        What the line is, for those who do not know.
    whose : {"predicted", "measured", "external", "structure", "record"}
        Where it comes from: a model of ours, a measurement on structures, others' databases and
        models, what the wild type's structure and annotation show, or the model's records.
    link : str
        Where to read more; '' for nowhere.
    """

    name: str
    says: str
    detail: str
    meaning: str
    whose: Whose
    link: str = ""

    def __post_init__(self) -> None:
        require_one_of(self.whose, WHOSE, "whose")
        require(bool(self.name and self.says), "says", "is given")


@dataclass(frozen=True)
class Card:
    """The lines, the most telling first, and one sentence on where they agree or differ."""

    lines: tuple[CardLine, ...]
    together: str


def answer_card(impact: Impact, records: Mapping[str, Evaluation], measuring: bool = False) -> Card:
    """The card of an analysis.

    Parameters
    ----------
    records : mapping
        The model's evaluation records, by set.
    measuring : bool
        Whether the mutant is being remodelled and measured now.
    """
    lines = (
        *_chance(impact),
        *_databases(impact),
        *_site(impact),
        *_stability(impact),
        *_measured(impact, measuring),
        _trust(impact, records),
    )
    return Card(lines, _together(impact))


def _chance(impact: Impact) -> Iterator[CardLine]:
    told = impact.prediction.told
    chance, found = leading_chance(told), combined(told)
    if chance is None:
        return
    side = side_of_chance(chance)
    says = {"damaging": "damaging", "tolerated": "tolerated", "neither": "takes no side"}[side]
    rests = "the sequence"
    if found is not None:
        more = ["the structure"] * found.structure + ["the alignment"] * ("alignment" in found.used)
        rests = " and ".join(filter(None, [", ".join([rests, *more[:-1]]), *more[-1:]]))
    percentile = chance_percentile(told)
    rank = (
        ""
        if percentile is None
        else (f"higher than that of {percentile:.0f}% of all substitutions of this protein; ")
    )
    yield CardLine(
        "Chance of being damaging",
        f"{chance:.2f}, {says}",
        f"{rank}from {rests}",
        "Predicted chance that a clinical database would call the variant damaging, calibrated on "
        "other proteins. From 0.8 on it speaks for damage, up to 0.2 against it.",
        "predicted",
    )


def _databases(impact: Impact) -> Iterator[CardLine]:
    annotation = impact.protein.annotation
    if annotation is None or not annotation.variants:
        return
    meaning = "What clinical databases call this very variant. They say it, not this program."
    listed = piece(impact.evidence, DATABASES)
    sites = set(impact.variant.positions)
    beside = [
        f"{known.text} ({known.significance})"
        for known, change in impact.protein.known_changes
        if change.position in sites and known.significance and change not in impact.variant.changes
    ]
    others = f"at the same residue: {', '.join(beside[:MOST_LISTED])}" if beside else ""
    if listed is not None:
        detail = "; ".join(filter(None, (listed.source, others)))
        links = (
            known.link
            for known, change in impact.protein.known_changes
            if (change,) == impact.variant.changes
        )
        yield CardLine(
            "Databases", listed.says, detail, meaning, "external", next(filter(None, links), "")
        )
    else:
        yield CardLine("Databases", "this variant is not classified", others, meaning, "external")


def _site(impact: Impact) -> Iterator[CardLine]:
    sites = set(impact.variant.positions)
    features = [
        str(placed.feature)
        for placed in placed_features(impact.protein)
        if any(placed.first <= site <= placed.last for site in sites)
        and (not _bonds_ends(placed.feature.kind) or {placed.first, placed.last} & sites)
    ]
    found = [c.text for c in explaining(impact.checks) if c.name in SITE_CHECKS]
    known = list(dict.fromkeys([*found, *features]))
    if not known and impact.protein.structure is None and impact.protein.annotation is None:
        return
    if impact.protein.annotation is not None:
        unknown = "nothing is known to stand here"
    else:
        unknown = (
            "no ligand, metal or other chain within reach; no accession, so databases were not "
            "asked"
        )
    says = known[0] if known else unknown
    yield CardLine(
        "At the site",
        says.rstrip("."),
        "; ".join(known[1 : 1 + MOST_LISTED]),
        "Active and binding sites, modified residues, disulphides and domains that UniProt "
        "lists; ligands, metals and other chains that the structure shows within reach.",
        "structure",
    )


def _bonds_ends(kind: str) -> bool:
    """Whether such a feature's ends are two residues, and not a stretch."""
    return kind in ("Disulfide bond", "Cross-link")


def _stability(impact: Impact) -> Iterator[CardLine]:
    stability = piece(impact.evidence, "stability")
    reasons = [c for c in explaining(impact.checks) if c.name not in SITE_CHECKS]
    if stability is None and not impact.checks:
        return
    says = "no prediction" if stability is None else f"ΔΔG {value_words(stability)}"
    detail = [] if stability is None else [stability.says]
    detail += [reason.text.rstrip(".") for reason in reasons[:MOST_LISTED]]
    yield CardLine(
        "Stability and structure",
        says,
        "; ".join(detail),
        "Predicted change of folding stability with its 90% interval, positive = destabilising; "
        "then what the wild type's structure shows that may explain an effect.",
        "predicted",
    )


def _measured(impact: Impact, measuring: bool) -> Iterator[CardLine]:
    meaning = (
        "The mutant is rebuilt and relaxed, and measured against the wild type treated alike. The "
        "noise floor is what the same protocol does to the unchanged wild type."
    )
    deficit, strain = impact.deficit_above_floor, impact.strain_above_floor
    if not impact.measured:
        if impact.protein.structure is not None and impact.variant.only_substitutions:
            says = "being measured now" if measuring else "not yet: remodel the mutant"
            yield CardLine("Measured", says, "", meaning, "measured")
        return
    tm = f"TM-score {impact.tm_score:.3f}"
    if deficit is None or strain is None or impact.noise_floor is None:
        detail = f"{tm}; there is no noise floor to compare with"
        yield CardLine("Measured", "on the structure given", detail, meaning, "measured")
        return
    by_lddt, by_strain = int(deficit.significant.sum()), int(strain.significant.sum())
    says = (
        f"{max(by_lddt, by_strain)} of {len(strain.significant)} residues rise above the noise"
        if by_lddt or by_strain
        else "nothing rises above the noise"
    )
    detail = (
        f"{by_lddt} by lDDT, {by_strain} by strain; {tm}, noise floor "
        f"{impact.noise_floor.tm_score:.3f}"
    )
    yield CardLine("Measured", says, detail, meaning, "measured")


def _trust(impact: Impact, records: Mapping[str, Evaluation]) -> CardLine:
    found = combined(impact.prediction.told)
    basis = Basis()
    if found is not None:
        basis = Basis(found.structure, "alignment" in found.used)
    told = impact.prediction.told
    ranking = "p_combined" if "p_combined" in told else "p_damaging"
    quality = []
    if leading_chance(told) is not None:
        quality.append(f"The chance: {_lower(ranking_quality(records, ranking, basis))}")
    if "ddg" in told:
        by = Basis(bool(told.get("ddg_structure")))
        quality.append(f"ΔΔG: {_lower(ranking_quality(records, 'ddg', by))}")
    flags = impact.flags
    says = (
        "nothing speaks against the prediction here"
        if not flags
        else f"a reason to be careful: {flags[0].rstrip('.')}"
        if len(flags) == 1
        else f"{len(flags)} reasons to be careful, the first: {flags[0].rstrip('.')}"
    )
    return CardLine(
        "How far to trust it",
        says,
        " ".join(quality).rstrip("."),
        "Reasons to doubt the numbers for this input, and how well such predictions did on "
        "proteins that the model had not seen; more on the Evidence page.",
        "record",
    )


def _lower(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _together(impact: Impact) -> str:
    """Where the evidence agrees or differs, and what the measurement adds to it."""
    said = agreement(impact.evidence)
    whole = combined(impact.prediction.told)
    if whole is not None and len(whole.used) > 1:
        side = side_of_chance(whole.probability)
        together = "takes no side" if side == "neither" else f"is predicted {side}"
        said = (
            f"Taken together it {together}; the chance weighs the numbers themselves, not these "
            f"sides. {said}"
        ).strip()
    if not impact.measured or impact.noise_floor is None:
        return said
    deficit, strain = impact.deficit_above_floor, impact.strain_above_floor
    moved = any(one is not None and one.significant.any() for one in (deficit, strain))
    against = any(one.side == "damaging" for one in impact.evidence)
    if moved:
        more = "The remodel shows where the neighbours give way, not whether the fold holds."
    elif against:
        more = (
            "The remodel holds the backbone in place and cannot show unfolding or lost function: "
            "that it stays still does not speak against the evidence."
        )
    else:
        more = "The remodel stays within its noise."
    return f"{said} {more}".strip()


def reasons(impact: Impact) -> tuple[Check, ...]:
    """The checks that hold, those of the fold before those of the site."""
    held = explaining(impact.checks)
    return (
        *(check for check in held if check.name not in SITE_CHECKS),
        *(check for check in held if check.name in SITE_CHECKS),
    )


def thin(impact: Impact) -> str:
    """That little is known of the mechanism, where that is so; '' otherwise."""
    if not impact.variant.only_substitutions:
        return "Checks are made of substitutions only."
    if impact.protein.structure is None:
        return "Without a structure little can be said of the mechanism."
    if not explaining(impact.checks):
        return (
            "None of the checks holds: nothing in the wild type's structure explains an effect, "
            "which does not mean that there is none."
        )
    if side_of_chance(leading_chance(impact.prediction.told) or 0.5) == "tolerated":
        return (
            "These hold although the prediction speaks for no damage: many such sites tolerate it."
        )
    return ""
