"""What a model can and cannot tell, in words that are never stronger than its records."""

from __future__ import annotations

from collections.abc import Mapping

from glass_core.models.evaluation import ALIGNMENT, MODEL, STABILITY, Evaluation
from glass_core.report.evidence.tables import best_baseline
from glass_core.screen.columns import RANKINGS


def can_and_cannot(records: Mapping[str, Evaluation]) -> tuple[str, ...]:
    """What the model can and cannot tell, in words that follow from its figures."""
    sentences = []
    if "fold" in records:
        fold = records["fold"]
        own, best = fold.figure(MODEL, "tm_mae"), best_baseline(fold)
        trivial = fold.figure(best, "tm_mae")
        verb = _compared(own.high, own.low, trivial.value)
        sentences.append(
            f"Between different proteins its TM-score is off by {own.value:.3f} on average, "
            f"{verb} the best trivial baseline ({best}, {trivial.value:.3f}); it ranks pairs with "
            f"Spearman {fold.figure(MODEL, 'tm_spearman').value:.2f}."
        )
    if "point_mutant" in records:
        mutants = records["point_mutant"]
        own, constant = (mutants.figure(w, "tm_mae") for w in (MODEL, "constant 1"))
        rank = mutants.figure(MODEL, "lddt_within_spearman")
        verb = _compared(own.high, own.low, constant.value)
        tells = "points to" if rank.low is not None and rank.low > 0 else "does not reliably show"
        sentences.append(
            f"For point mutants its TM error is {own.value:.3f}, {verb} saying that nothing changes"
            f" ({constant.value:.3f}), and its lDDT {tells} the residues that move (Spearman "
            f"{rank})."
        )
    if "point_mutant" in records and "same_sequence" in records:
        noise = records["same_sequence"].figure("constant 1", "tm_mae").value
        moved = records["point_mutant"].figure("constant 1", "tm_mae").value
        sentences.append(
            "The same sequence solved twice differs by "
            f"{noise:.3f} in TM-score, point mutants by {moved:.3f}: most single substitutions "
            "move the backbone no more than a second crystal does, so no model could do much "
            "better here."
        )
    for name, words in (("stability", "unseen domains"), ("scan", "scans of unseen proteins")):
        if name in records:
            own, blosum = (records[name].figure(w, "spearman") for w in (MODEL, "BLOSUM62"))
            sentences.append(
                f"Its effect score ranks substitutions of {words} with Spearman {own} "
                f"(BLOSUM62 {blosum})."
            )
    if "clinical" in records:
        clinical = records["clinical"]
        error = clinical.content["calibration_error"]["value"]
        sentences.append(
            f"Its probability separates clinical labels of unseen proteins with AUROC "
            f"{clinical.figure(MODEL, 'auroc')} (BLOSUM62 {clinical.figure('BLOSUM62', 'auroc')}) "
            f"and is off by {error:.3f} on average. It holds for a mix of labels as in that set "
            "and is no diagnosis."
        )
    sentences.append("TM-score and lDDT are symmetric: they cannot tell a gain from a loss.")
    return tuple(sentences)


def _compared(high: float | None, low: float | None, other: float | None) -> str:
    if high is None or low is None or other is None:
        return "to be compared with"
    return "better than" if high < other else "worse than" if low > other else "no different from"


def ranking_quality(records: Mapping[str, Evaluation], score: str) -> list[str]:
    """How well one of the screen's scores ranks variants of unseen proteins, in sentences."""
    if RANKINGS[score].external:
        return ["An external score, not ours; how well it ranks variants is not recorded here."]
    own = {
        "p_damaging": MODEL,
        "effect": MODEL,
        "ddg": STABILITY,
        "alignment_log_odds": ALIGNMENT,
        "tm_deficit": "predicted TM deficit",
        "lddt_deficit": "predicted lDDT deficit",
        "blosum62": "BLOSUM62",
    }[score]
    sampled = own in ("predicted TM deficit", "predicted lDDT deficit")
    parts = []
    for name, figure, words in (
        ("clinical", "auroc", "AUROC {} on clinical labels"),
        ("scan", "spearman", "Spearman {} in mutational scans"),
        ("stability", "spearman", "{} for stability"),
    ):
        if name not in records:
            continue
        content = records[name].content
        figures = (content.get("sampled", {}) if sampled else content).get("figures", {})
        value = figures.get(own, {}).get(figure, {}).get("value")
        beside = figures.get("BLOSUM62", {}).get(figure, {}).get("value")
        if value is not None:
            phrase = words.format(f"{value:.2f}")
            parts.append(
                phrase
                if own == "BLOSUM62" or beside is None
                else f"{phrase} (BLOSUM62 {beside:.2f})"
            )
    if not parts:
        return [
            "How well this score ranks variants of unseen proteins is not recorded for this model."
        ]
    return [
        f"On proteins not seen in training: {', '.join(parts)}"
        + (", on a sample of variants." if sampled else ".")
    ]
