"""What leads, chosen from the model's evaluation records: a screen's ranking, a track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glass_core.models.evaluation import (
    ALIGNMENT,
    BLOSUM,
    COMBINED,
    MODEL,
    MODEL_SEQUENCE,
    STABILITY,
    STABILITY_SEQUENCE,
    Evaluation,
)
from glass_core.protein.protein import Protein
from glass_core.records import require, require_one_of
from glass_core.report.colouring import ChangeBy
from glass_core.report.evidence.names import LOCAL_CHANGE, figure_name, with_structure
from glass_core.report.evidence.ranking import Basis
from glass_core.screen.columns import RANKINGS
from glass_core.screen.goal import GOALS, Goal

PREDICTED_LDDT = "predicted lDDT"
"""Who it is among the predictors of a record."""
TIE = 0.01
"""Figures nearer to each other than this are called equal; the ranking offered first leads."""
_ANSWERS: dict[Goal, tuple[tuple[str, str], ...]] = {
    "stability": (
        ("stability", "the stability of unseen domains"),
        ("ddg", "classical measurements of stability"),
    ),
    "clinical": (("clinical", "clinical labels of unseen proteins"),),
    "any": (("scan", "mutational scans of unseen proteins"),),
}
"""The sets that answer a goal, and what they hold; a scan measures whatever a change does."""
_FIGURES = {"spearman": "Spearman", "auroc": "AUROC"}


@dataclass(frozen=True)
class BestRanking:
    """The ranking that a goal is best served by.

    Attributes
    ----------
    ranking : str
        One of `RANKINGS`.
    value : float or None
        Its figure on the first set that answers the goal; None where no record does.
    why : str
        In a sentence.
    """

    ranking: str
    value: float | None
    why: str

    def __post_init__(self) -> None:
        require_one_of(self.ranking, tuple(RANKINGS), "ranking")
        require(bool(self.why), "why", "is given")


def basis_of(proteins: Sequence[Protein], reads_structures: bool = True) -> Basis:
    """What rankings rest on for these proteins: what all of them have, and the model reads."""
    return Basis(
        structure=reads_structures and all(p.structure is not None for p in proteins),
        alignment=all(p.profile is not None and p.profile.usable for p in proteins),
    )


def best_ranking(
    records: Mapping[str, Evaluation], goal: Goal, basis: Basis, offered: Sequence[str]
) -> BestRanking:
    """The ranking that does best on the sets that answer a goal, as it would be used.

    All are compared on the same rows: those of the records that were made with what is at
    hand. Of several sets the mean counts, for rankings that were measured on all of them.
    External scores are not recorded, and predicted TM-score and lDDT on a sample of rows only;
    neither is ever chosen.

    Parameters
    ----------
    records : mapping
        Of the model, by set.
    basis : Basis
        What is at hand beside the sequence.
    offered : sequence of str
        Names in `RANKINGS`, the default first: it is taken where no record answers.
    """
    require_one_of(goal, GOALS, "goal")
    require(bool(offered), "offered", "holds a ranking")
    sets = [
        (record, words)
        for base, words in _ANSWERS[goal]
        if (record := _record(records, base, basis)) is not None
    ]
    figures = {
        ranking: values
        for ranking in offered
        if (values := _values(ranking, [record for record, _ in sets], basis))
    }
    if not figures:
        title = RANKINGS[offered[0]].title
        return BestRanking(
            offered[0], None, f"By {title}: no record of this model tells which ranking is best."
        )
    means = {ranking: sum(values) / len(values) for ranking, values in figures.items()}
    best = max(means.values())
    chosen = next(ranking for ranking in means if means[ranking] > best - TIE)
    return BestRanking(chosen, figures[chosen][0], _why(chosen, figures, sets))


def leading_change(records: Mapping[str, Evaluation]) -> ChangeBy:
    """Which predicted track tells better where an unseen structure changes.

    By the record of local change, the correlation with measured changes of distances; "change"
    where no record answers.
    """
    record = records.get(LOCAL_CHANGE)
    if record is None:
        return "change"
    change, deficit = (
        record.figure(who, "distance_change").value for who in (MODEL, PREDICTED_LDDT)
    )
    return "deficit" if deficit is not None and deficit > (change or 0.0) else "change"


def _record(records: Mapping[str, Evaluation], base: str, basis: Basis) -> Evaluation | None:
    """The record of a set that was made with what is at hand, or with less."""
    names = [f"{base}-alignment"] * basis.alignment + [with_structure(base)] * basis.structure
    made = (records[name] for name in (*names, base) if name in records)
    return next((r for r in made if basis.structure or not _rests_on_structures(r)), None)


def _rests_on_structures(record: Evaluation) -> bool:
    """Whether most proteins of a record had a structure that was read."""
    kinds = record.content.get("structures", {})
    return 2 * kinds.get("none", 0) < sum(kinds.values())


def _values(ranking: str, sets: Sequence[Evaluation], basis: Basis) -> list[float]:
    """The ranking's figure on each set; () where it lacks one."""
    found = [
        record.figure(who, figure_name(record)).value
        for record in sets
        if (who := _who(ranking, record, basis)) is not None
    ]
    known = [value for value in found if value is not None]
    return known if len(known) == len(sets) else []


def _who(ranking: str, record: Evaluation, basis: Basis) -> str | None:
    """Who a ranking is among the predictors of a record; None where it is none."""
    has = record.content.get("figures", {})
    by_structure = basis.structure or MODEL_SEQUENCE not in has
    by_head = MODEL if by_structure else MODEL_SEQUENCE
    names = {
        "p_combined": COMBINED if COMBINED in has else by_head,
        "p_damaging": by_head,
        "effect": by_head,
        "ddg": STABILITY if basis.structure and STABILITY in has else STABILITY_SEQUENCE,
        "alignment_log_odds": ALIGNMENT,
        "blosum62": BLOSUM,
    }
    return names.get(ranking)


def _why(
    chosen: str, figures: Mapping[str, Sequence[float]], sets: Sequence[tuple[Evaluation, str]]
) -> str:
    told = ", ".join(
        f"{_FIGURES[figure_name(record)]} {value:.2f} on {words}"
        for value, (record, words) in zip(figures[chosen], sets, strict=True)
    )
    others = {r: values[0] for r, values in figures.items() if r != chosen}
    if not others:
        return f"By {RANKINGS[chosen].title}: {told}."
    other = max(others, key=others.__getitem__)
    beside = f"{RANKINGS[other].title} {others[other]:.2f}"
    if abs(others[other] - figures[chosen][0]) < TIE:
        return f"By {RANKINGS[chosen].title}: {told}; no better: {beside}."
    return f"By {RANKINGS[chosen].title}, the best for it: {told}; next {beside}."
