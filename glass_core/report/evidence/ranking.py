"""How well what variants are ranked by does on proteins not seen in training, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glass_core.models.evaluation import (
    ALIGNMENT,
    BLOSUM,
    COMBINED,
    ESTIMATE,
    MODEL,
    STABILITY,
    STABILITY_SEQUENCE,
    Evaluation,
)
from glass_core.report.evidence.names import with_structure
from glass_core.screen.columns import RANKINGS


@dataclass(frozen=True, order=True)
class Basis:
    """What the values of a ranking rest on beside the sequence.

    Attributes
    ----------
    structure, alignment : bool
        Whether the wild type's structure was read, and an alignment counted.
    """

    structure: bool = False
    alignment: bool = False


_BY_SEQUENCE = {
    "p_combined": MODEL,
    "p_damaging": MODEL,
    "effect": MODEL,
    "ddg": STABILITY_SEQUENCE,
}
_BY_STRUCTURE = {"p_combined": COMBINED, "p_damaging": MODEL, "effect": MODEL, "ddg": STABILITY}
"""Rankings that rest on a structure where there is one -> who they are in records."""
_BY_ALIGNMENT = {"p_combined": COMBINED, "alignment_log_odds": ALIGNMENT}
_ON_SAMPLES = {"tm_deficit": "predicted TM deficit", "lddt_deficit": "predicted lDDT deficit"}
_ESTIMATED = {"estimated_tm_deficit": "tm", "estimated_lddt_deficit": "lddt"}
"""Rankings by estimates of predictions -> which quantity of the record of these."""
_WHERE = (
    ("clinical", "auroc", "AUROC {} on clinical labels"),
    ("scan", "spearman", "Spearman {} in mutational scans"),
    ("stability", "spearman", "Spearman {} for the stability of domains"),
)
"""What was measured, figure, words."""
_CLASSICAL = ("ddg", "spearman", "Spearman {} on classical measurements of stability")
"""For rankings by stability."""


def ranking_quality(
    records: Mapping[str, Evaluation], ranking: str, basis: Basis | None = None
) -> str:
    """How well one of the screen's rankings does, in a sentence.

    Parameters
    ----------
    records : mapping
        Of the model, by set.
    ranking : str
        One of the screen's.
    basis : Basis, optional
        What its values rest on; by default the sequence alone.
    """
    if RANKINGS[ranking].external:
        return "An external score, not ours; how well it ranks variants is not recorded here."
    if ranking in _ESTIMATED:
        return _estimate_quality(records, _ESTIMATED[ranking])
    basis = basis or Basis()
    parts = []
    for base, figure, words in (*_WHERE, *([_CLASSICAL] if ranking == "ddg" else ())):
        figures = _figures(records, base, ranking, basis)
        value, beside = (figures.get(w, {}).get(figure, {}).get("value") for w in ("own", BLOSUM))
        if value is not None:
            against = "" if beside is None or ranking == "blosum62" else f" (BLOSUM62 {beside:.2f})"
            parts.append(words.format(f"{value:.2f}") + against)
    how = f", {_words(ranking, basis)}" if ranking in _BY_SEQUENCE else ""
    if not parts:
        return (
            f"How well this ranks variants of unseen proteins{how} is not recorded for this model."
        )
    sample = ", on a sample of variants" if ranking in _ON_SAMPLES else ""
    return f"On proteins not seen in training{how}: {', '.join(parts)}{sample}."


def _estimate_quality(records: Mapping[str, Evaluation], quantity: str) -> str:
    """How near estimates come to predictions; what these are worth is told of them."""
    what = f"An estimate of the predicted {'TM-score' if quantity == 'tm' else 'lDDT at the site'}"
    if ESTIMATE not in records:
        return f"{what}; how near it comes is not recorded for this model."
    near = records[ESTIMATE].figure(ESTIMATE, f"{quantity}_spearman").value
    return f"{what}: Spearman {near:.2f} with it within a protein not seen in training."


def _words(ranking: str, basis: Basis) -> str:
    aligned = basis.alignment and ranking in _BY_ALIGNMENT
    if aligned:
        return "with an alignment" + (", and a structure where there is one" * basis.structure)
    return "from a structure" if basis.structure else "by sequence alone"


def _figures(
    records: Mapping[str, Evaluation], base: str, ranking: str, basis: Basis
) -> dict[str, Any]:
    """Figures of the record where the ranking was measured as it is used, its own as ``own``."""
    if ranking in _BY_ALIGNMENT and (basis.alignment or ranking not in _BY_SEQUENCE):
        who, name = _BY_ALIGNMENT[ranking], f"{base}-alignment"
    elif basis.structure and ranking in _BY_STRUCTURE:
        who, name = _BY_STRUCTURE[ranking], with_structure(base)
    else:
        who, name = (_BY_SEQUENCE | _ON_SAMPLES | {"blosum62": BLOSUM})[ranking], base
    content = records[name].content if name in records else {}
    content = content.get("sampled", {}) if ranking in _ON_SAMPLES else content
    figures = content.get("figures", {})
    return {**figures, "own": figures[who]} if who in figures else {}
