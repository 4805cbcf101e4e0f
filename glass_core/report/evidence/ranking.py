"""How well what variants are ranked by does on proteins not seen in training, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glass_core.models.evaluation import ALIGNMENT, MODEL, STABILITY, STABILITY_SEQUENCE, Evaluation
from glass_core.report.evidence.names import BLOSUM, COMBINED, with_structure

_BY_SEQUENCE = {"p_damaging": MODEL, "effect": MODEL, "ddg": STABILITY_SEQUENCE}
_BY_STRUCTURE = {"p_damaging": MODEL, "effect": MODEL, "ddg": STABILITY}
"""Rankings of heads that read a structure where there is one -> who they are in records."""
_BY_ALIGNMENT = {"alignment_log_odds": ALIGNMENT, "p_combined": COMBINED}
_ON_SAMPLES = {"tm_deficit": "predicted TM deficit", "lddt_deficit": "predicted lDDT deficit"}
_WHERE = (
    ("clinical", "auroc", "AUROC {} on clinical labels"),
    ("scan", "spearman", "Spearman {} in mutational scans"),
    ("stability", "spearman", "Spearman {} for the stability of domains"),
)
"""What was measured, figure, words."""
_CLASSICAL = ("ddg", "spearman", "Spearman {} on classical measurements of stability")
"""For rankings by stability."""


def ranking_quality(
    records: Mapping[str, Evaluation], ranking: str, structure_read: bool = False
) -> str:
    """How well one of a screen's rankings does, in a sentence.

    Parameters
    ----------
    records : mapping
        Of the model, by set.
    ranking : str
        One of the screen's.
    structure_read : bool
        Whether the structure was read for the values it goes by, or the sequence alone.
    """
    parts = []
    for base, figure, words in (*_WHERE, *([_CLASSICAL] if ranking == "ddg" else ())):
        figures = _figures(records, base, ranking, structure_read)
        value, beside = (figures.get(w, {}).get(figure, {}).get("value") for w in ("own", BLOSUM))
        if value is not None:
            against = "" if beside is None or ranking == "blosum62" else f" (BLOSUM62 {beside:.2f})"
            parts.append(words.format(f"{value:.2f}") + against)
    how = ", from a structure" if structure_read else ", by sequence alone"
    how = how if ranking in _BY_SEQUENCE else ""
    if not parts:
        return (
            f"How well this ranks variants of unseen proteins{how} is not recorded for this model."
        )
    sample = ", on a sample of variants" if ranking in _ON_SAMPLES else ""
    return f"On proteins not seen in training{how}: {', '.join(parts)}{sample}."


def _figures(
    records: Mapping[str, Evaluation], base: str, ranking: str, structure_read: bool
) -> dict[str, Any]:
    """Figures of the record where the ranking was measured as it is used, its own as ``own``."""
    structured = with_structure(base)
    if ranking in _BY_ALIGNMENT:
        who = _BY_ALIGNMENT[ranking]
        sets = [f"{base}-alignment", *([structured] if structure_read else [])]
    elif structure_read and ranking in _BY_STRUCTURE:
        who, sets = _BY_STRUCTURE[ranking], [structured]
    else:
        who = (_BY_SEQUENCE | _ON_SAMPLES | {"blosum62": BLOSUM})[ranking]
        sets = [base]
    for name in sets:
        content = records[name].content if name in records else {}
        content = content.get("sampled", {}) if ranking in _ON_SAMPLES else content
        figures = content.get("figures", {})
        if who in figures:
            return {**figures, "own": figures[who]}
    return {}
