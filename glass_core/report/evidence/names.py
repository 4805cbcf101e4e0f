"""What the sets, predictors and structures of evaluation records are called, and their order.

A set's name is what was measured, and after a dash what was known of the wild type beside its
sequence: ``scan``, ``scan-structure``, ``scan-alignment``. Sets and predictors that have no name
here are shown by their own, behind the others.
"""

from __future__ import annotations

from collections.abc import Mapping

from glass_core.models.evaluation import (
    ALIGNMENT,
    BLOSUM,
    BURIAL,
    BY_ALIGNMENT,
    BY_VECTORS,
    COLUMN,
    COMBINED,
    COMBINED_UNALIGNED,
    COSINE,
    ESTIMATE,
    LETTER_PAIRS,
    MEAN,
    MMSEQS,
    MODEL,
    MODEL_SEQUENCE,
    STABILITY,
    STABILITY_SEQUENCE,
    UNTRAINED,
    WITHOUT_SITE,
    Evaluation,
)

SAME_SEQUENCE, LOCAL_CHANGE = "same_sequence", "local change"
SEARCH, RELATIVES = "search", "relatives"

SET_NAMES = {
    "clinical": "clinical, sequence alone",
    "clinical-structure": "clinical, with structure",
    "clinical-alignment": "clinical, with alignment",
    "stability-structure": "mega-scale, with structure",
    "stability": "mega-scale, sequence alone",
    "ddg-classical": "classical, with structure",
    "ddg": "classical, sequence alone",
    "ssym": "Ssym",
    "stability-alignment": "mega-scale, with alignment",
    "ddg-alignment": "classical, with alignment",
    "scan-structure": "scans, with structure",
    "scan-alignment": "scans, with alignment",
    "scan": "scans, sequence alone",
    LOCAL_CHANGE: "local change between two structures",
    "fold": "fold pairs (different proteins)",
    "point_mutant": "point mutants, two crystals",
    "model_wt_mutant": "mutants, one side modelled",
    "af_wt_mutant": "mutants, both AlphaFold",
    "homolog": "90% identical and more",
    "bound_unbound": "bound and unbound",
    SAME_SEQUENCE: "same sequence solved twice",
    "rearranged": "rearrangements over 10 Å",
    ESTIMATE: "estimates of the model's own predictions",
    SEARCH: "search for relatives",
    RELATIVES: "what stands in relatives",
    "secondary structure": "secondary structure",
}
DAMAGING, FOLDS, WORKS = "Is it damaging?", "Does it fold?", "Does it still work?"
OTHERS = "Other variant effects"
CHANGES, PAIRS = "Where does the structure change?", "How alike are two structures?"
KIN = "Which proteins share its fold?"
SPACE = "Do sequences lie by their structures?"
PROPERTIES = "How well are properties of whole proteins told?"
_QUESTIONS = {"clinical": DAMAGING, "stability": FOLDS, "ddg": FOLDS, "scan": WORKS}

_ROWS = {"stability": "domains", "ddg": "proteins", "scan": "scans"}
"""What an assay of a set is."""
_OWN = {
    COMBINED: "all evidence",
    COMBINED_UNALIGNED: "all evidence but the alignment",
    MODEL: "effect head, with structure",
    MODEL_SEQUENCE: "effect head, sequence alone",
    STABILITY: "stability head, with structure",
    STABILITY_SEQUENCE: "stability head, sequence alone",
    "predicted TM deficit": "predicted TM-score deficit",
    "predicted lDDT deficit": "predicted lDDT deficit",
    WITHOUT_SITE: "model without the site",
    "predicted lDDT": "predicted lDDT",
    ESTIMATE: "estimate head",
    BY_ALIGNMENT: "alignment head",
    BY_VECTORS: "nearest vectors",
    COLUMN: "column of the relatives",
}
"""What the model itself tells."""
_BASELINES = (
    ALIGNMENT,
    MMSEQS,
    MEAN,
    COSINE,
    UNTRAINED,
    "Gaussian network",
    "Gaussian network, between neighbours",
    "elastic network without cut-off, between neighbours",
    "closeness to the site",
    BURIAL,
    LETTER_PAIRS,
    BLOSUM,
    "hydrophobicity change",
    "encoder's burial",
    "encoder's letters",
)
_SHORT = {
    "Gaussian network, between neighbours": "Gaussian network, neighbours",
    "elastic network without cut-off, between neighbours": "network without cut-off",
}
_STRUCTURES = {
    "xray": "crystal",
    "nmr": "NMR",
    "af": "AlphaFold",
    "model": "another model",
    "unknown": "unknown",
    "none": "no structure",
    "": "no structure",
}


def set_name(name: str) -> str:
    """A set for a reader."""
    return SET_NAMES.get(name, name)


def with_structure(base: str) -> str:
    """The set where what ``base`` measures was told from structures."""
    return "ddg-classical" if base == "ddg" else f"{base}-structure"


def in_order(records: Mapping[str, Evaluation], *kinds: str) -> list[Evaluation]:
    """The records of these kinds, those of `SET_NAMES` first."""
    order = list(SET_NAMES)
    chosen = [r for r in records.values() if r.kind in kinds]
    return sorted(chosen, key=lambda r: order.index(r.set) if r.set in order else len(order))


def of_question(records: Mapping[str, Evaluation], question: str) -> list[Evaluation]:
    """Records of variant effects that answer a question; `OTHERS` = sets not known by name."""
    return [
        r
        for r in in_order(records, "effects", "clinical")
        if _QUESTIONS.get(r.set.split("-")[0], OTHERS) == question
    ]


def figure_name(record: Evaluation) -> str:
    """What predictors of variant effects are compared by: ``auroc`` or ``spearman``."""
    return "auroc" if record.kind == "clinical" else "spearman"


def lead(record: Evaluation) -> tuple[str, str | None]:
    """The predictor that a set is there for, and what it adds to; None where it adds to none."""
    has = record.content["figures"]
    if _QUESTIONS.get(record.set.split("-")[0]) == FOLDS:
        pairs = [(STABILITY, STABILITY_SEQUENCE), (STABILITY_SEQUENCE, MODEL)]
    else:
        pairs = [(COMBINED, MODEL)]
    own, beside = next((pair for pair in pairs if pair[0] in has), (MODEL, MODEL_SEQUENCE))
    return own, beside if beside in has else None


def predictor(record: Evaluation, who: str) -> str:
    """What `who` of a record is, whatever the set: `MODEL` by sequence is `MODEL_SEQUENCE`."""
    if who != MODEL or record.kind not in ("effects", "clinical"):
        return who
    return MODEL if MODEL_SEQUENCE in record.content["figures"] else MODEL_SEQUENCE


def predictor_name(record: Evaluation, who: str) -> str:
    """A predictor for a reader; the same name is the same thing in every set."""
    if who == MODEL and record.kind not in ("effects", "clinical"):
        return MODEL
    who = predictor(record, who)
    return (_OWN | _SHORT).get(who, who)


def role(who: str) -> str:
    """``model``, ``baseline``, or '' where that is not known."""
    return "model" if who in _OWN else "baseline" if who in _BASELINES else ""


def rank(who: str) -> tuple[int, int]:
    """Where a predictor stands among others: the model's own, unknown ones, baselines."""
    known = [*_OWN, *_BASELINES]
    return {"model": 0, "": 1, "baseline": 2}[role(who)], known.index(who) if who in known else 0


def predictors(record: Evaluation) -> list[str]:
    """A record's predictors in order."""
    return sorted(record.content["figures"], key=rank)


def structure_name(kind: str) -> str:
    """How structures were made, for a reader."""
    return _STRUCTURES.get(kind, kind)


def counts(record: Evaluation) -> str:
    """How much a set of variant effects holds, and what its structures were, in words."""
    content, base = record.content, record.set.split("-")[0]
    if record.kind == "clinical":
        size = [f"{content['labels']:,} labels, {content['damaging']:,} of them damaging"]
        size += [f"{content['proteins']} proteins"] if "proteins" in content else []
    else:
        variants = sum(row["variants"] for row in content["rows"])
        size = [f"{content['assays']} {_ROWS.get(base, 'assays')}, {variants:,} variants"]
    told = ", ".join([*size, f"{content['groups']} groups"])
    kinds = content.get("structures")
    if kinds:
        return f"{told}; {structures_words(kinds)}"
    return told if base != record.set else f"{told}; no structure read"


def structures_words(kinds: Mapping[str, int]) -> str:
    """How many structures were made each way, in words."""
    most_first = sorted(kinds.items(), key=lambda item: -item[1])
    told = ", ".join(f"{number} {structure_name(kind)}" for kind, number in most_first)
    return f"structures: {told}"
