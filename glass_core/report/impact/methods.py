"""What each number of a report is and whose work it stands on: of what was used alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from glass_core.impact.record import Impact
from glass_core.report.references import REFERENCES, numbered

_GIVEN, _ENGINE = "mutant_structure", "remodeller"


@dataclass(frozen=True)
class Method:
    """A number or picture of a report, how it comes about, and what to cite for it.

    Attributes
    ----------
    title, text : str
    references : tuple of str
        Names in `report.references.REFERENCES`.
    """

    title: str
    text: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cited:
    """Methods with the numbers of their references, and the list of those.

    Attributes
    ----------
    methods : tuple of (Method, str)
        Each with its numbers, such as ``[1, 3]``; '' without.
    references : tuple of str
        Citations; the first has number 1.
    """

    methods: tuple[tuple[Method, str], ...]
    references: tuple[str, ...]


def cited(impacts: Sequence[Impact]) -> Cited:
    """The methods behind some impacts, each once, in the order of the report."""
    found = tuple(dict.fromkeys(method for impact in impacts for method in methods(impact)))
    numbers = numbered(name for method in found for name in method.references)
    return Cited(
        tuple((method, _marks(method, numbers.__getitem__)) for method in found),
        tuple(REFERENCES[name] for name in numbers),
    )


def how_to_cite(impact: Impact) -> str:
    """A sentence for the methods section of whoever uses the result."""
    model, made = impact.prediction.model, impact.provenance
    words = (
        f"Variants were analysed with GLASS {made.versions.get('glass', '')} (model {model.stamp}, "
        f"{model.embedder}"
    )
    if reads_structure(impact):
        words += f", structure read by {model.structure_embedder}"
    protocol = made.protocol
    if _ENGINE in protocol:
        words += (
            f"; mutants remodelled with {protocol[_ENGINE]}, protocol {protocol['protocol']}, "
            f"seeds {protocol['seeds'].replace(',', ', ')}"
        )
    return f"{words})."


def reads_structure(impact: Impact) -> bool:
    """Whether a head read the structure of the wild type."""
    told = impact.prediction.told
    flags = ("combined_structure", "effect_structure", "ddg_structure")
    return any(told.get(flag) for flag in flags) or impact.predicted_change is not None


def methods(impact: Impact) -> Iterator[Method]:
    """What was used for one impact."""
    yield from _predicted(impact)
    yield from _beside(impact)
    if impact.measured:
        yield from _measured(impact)
    if impact.protein.structure is not None:
        yield Method(
            "Parts of the fold",
            "Helices and strands after P-SEA, and compact parts as communities of the contacts "
            "between C-alphas. p: share of placements of equally long stretches along the chain "
            "with at least this mean; not corrected for the number of rows.",
            ("p-sea", "communities"),
        )
        yield Method("3D view", "Drawn by 3Dmol.js.", ("3dmol",))


def _predicted(impact: Impact) -> Iterator[Method]:
    told, model = impact.prediction.told, impact.prediction.model
    if "p_combined" in told:
        yield Method(
            "Chance of being damaging",
            "One chance from the evidence that stands beside it, calibrated on clinical labels of "
            "other proteins. It ranks variants and is no diagnosis.",
        )
    if "p_damaging" in told:
        yield Method(
            "Clinical likeness",
            "Of the effect head, for all substitutions of the wild type in one pass; its chance "
            "is calibrated on clinical labels of other proteins.",
        )
    if "ddg" in told:
        yield Method(
            "ΔΔG",
            "Change of folding stability in kcal/mol, positive = destabilising, of the stability "
            "head; the interval is meant to hold 90% of measurements.",
        )
    if reads_structure(impact):
        yield Method(
            "Structure of the wild type",
            f"Read for these heads by {model.structure_embedder}.",
            ("proteinmpnn",),
        )
    yield Method(
        "Predicted TM-score and lDDT",
        f"Cosines of the embeddings that {model} makes of both sequences alone, which are read by "
        f"{model.embedder}. 1 for identical sequences by construction, and symmetric: they cannot "
        "tell a gain from a loss. TM-score: of the whole chain, by the length of the wild type. "
        "lDDT: of each residue.",
        ("glass", "tm-score", "lddt", *(("prott5",) if _is_prott5(model.embedder) else ())),
    )
    if impact.predicted_change is not None:
        yield Method(
            "Predicted change",
            "Mean change of the distances to neighbours within 15 Å that two experimental "
            "structures would show, in Å; beside it the same without the mutation, which is "
            "mostly flexibility, as elastic networks tell it.",
            ("gaussian network",),
        )


def _is_prott5(embedder: str) -> bool:
    """Told by the name of its weights; those in a folder may be called anything."""
    return "prot_t5" in embedder.lower()


def _beside(impact: Impact) -> Iterator[Method]:
    if "alignment_log_odds" in impact.prediction.told or impact.conservation is not None:
        yield Method(
            "Alignment",
            "Log-odds of the new residue against the wild type's in the column of the alignment, "
            "and 1 - entropy of the column as conservation; rows that are alike count as one.",
            ("sift", "independent"),
        )
    if impact.baselines.blosum62 is not None:
        yield Method(
            "BLOSUM62",
            "The baseline that any prediction must beat, -4 to 3, low = unlike; of several "
            "substitutions their sum.",
            ("blosum62",),
        )
    if impact.checks:
        yield Method(
            "Structural checks",
            "Rules that may explain an effect, each after the work beside it. They score nothing.",
        )


def _measured(impact: Impact) -> Iterator[Method]:
    protocol, says = impact.provenance.protocol, impact.provenance.definitions
    if _GIVEN in protocol:
        yield Method("Mutant structure", "Given by the user; there is no noise floor.")
    else:
        engine = protocol.get(_ENGINE, "")
        yield Method(
            "Remodelled structures",
            f"Made with {engine}: for each seed the wild type after the protocol, the mutant, and "
            "the wild type mutated to itself. A remodelled mutant is a model, not an experiment.",
            ("modeller",) if engine.lower().startswith("modeller") else ("openmm", "ff14sb"),
        )
    for title, name, references in (
        ("Measured TM-score", "tm_score", ("tm-align", "tm-score")),
        ("Measured lDDT", "lddt", ("glass", "lddt")),
        ("Effective strain", "strain", ("strain",)),
        ("Measured change", "distance_change", ()),
    ):
        if name in says:
            yield Method(title, f"{says[name][:1].upper()}{says[name][1:]}.", references)
    if impact.noise_floor is not None:
        yield Method(
            "Noise floor",
            "The wild type after the protocol against the wild type mutated to itself, same "
            "seeds. A residue is above it at a false discovery rate of 5%.",
            ("discovery rate",),
        )


def _marks(method: Method, number: Callable[[str], int]) -> str:
    if not method.references:
        return ""
    return f"[{', '.join(str(number(name)) for name in method.references)}]"
