"""Which ranking a goal is served by, from made records and from the committed ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from glass_core.errors import RecordError
from glass_core.models.evaluation import Evaluation, read_evaluations
from glass_core.protein.protein import Protein
from glass_core.report.evidence.defaults import TIE, basis_of, best_ranking
from glass_core.report.evidence.ranking import Basis
from glass_core.screen.columns import rankings_of
from glass_core.screen.goal import GOALS

ROOT = Path(__file__).parents[1]
OFFERED = ["p_combined", "p_damaging", "effect", "ddg", "tm_deficit", "blosum62", "esm2"]


def record(name, figures, kind="effects", figure="spearman", **content):
    return Evaluation(
        kind,
        name,
        "test",
        {},
        {"figures": {who: {figure: {"value": v}} for who, v in figures.items()}, **content},
    )


def records(*made):
    return {one.set: one for one in made}


def test_the_best_figure_on_the_sets_of_the_goal_leads():
    known = records(
        record("stability", {"model": 0.4, "stability from sequence": 0.6, "BLOSUM62": 0.2}),
        record("scan", {"model": 0.5, "stability from sequence": 0.3, "BLOSUM62": 0.55}),
        record("clinical", {"model": 0.8, "BLOSUM62": 0.7}, "clinical", "auroc"),
    )
    chosen = {goal: best_ranking(known, goal, Basis(), OFFERED) for goal in GOALS}
    assert {goal: one.ranking for goal, one in chosen.items()} == {
        "stability": "ddg",
        "clinical": "p_combined",
        "any": "blosum62",
    }
    assert chosen["stability"].value == 0.6
    assert "0.60" in chosen["stability"].why and "0.40" in chosen["stability"].why
    assert "AUROC 0.80" in chosen["clinical"].why


def test_what_is_at_hand_decides_which_record_answers():
    known = records(
        record("scan", {"model": 0.3, "BLOSUM62": 0.2}),
        record(
            "scan-structure",
            {"model": 0.4, "model from sequence": 0.3, "stability": 0.6, "BLOSUM62": 0.2},
        ),
        record(
            "scan-alignment",
            {"combined": 0.7, "model": 0.4, "model from sequence": 0.3, "stability": 0.65},
            structures={"af": 3},
        ),
    )
    assert best_ranking(known, "any", Basis(), OFFERED).ranking == "p_combined"
    assert best_ranking(known, "any", Basis(structure=True), OFFERED).ranking == "ddg"
    both = best_ranking(known, "any", Basis(True, True), OFFERED)
    assert (both.ranking, both.value) == ("p_combined", 0.7)
    alone = best_ranking(known, "any", Basis(alignment=True), OFFERED)
    assert alone.value == 0.3, "what rests on structures tells nothing without one"


def test_an_alignment_counts_where_records_were_made_without_structures():
    known = records(
        record("scan", {"model": 0.3}),
        record(
            "scan-alignment",
            {"combined": 0.5, "model from sequence": 0.3, "alignment": 0.55},
            structures={"none": 4, "xray": 1},
        ),
    )
    offered = [*OFFERED, "alignment_log_odds"]
    best = best_ranking(known, "any", Basis(alignment=True), offered)
    assert best.ranking == "alignment_log_odds"


def test_near_figures_are_equal_and_the_first_offered_leads():
    near = records(record("scan", {"model": 0.5, "BLOSUM62": 0.5 + TIE / 2}))
    best = best_ranking(near, "any", Basis(), OFFERED)
    assert best.ranking == "p_combined" and "no better" in best.why
    apart = records(record("scan", {"model": 0.5, "BLOSUM62": 0.5 + 2 * TIE}))
    assert best_ranking(apart, "any", Basis(), OFFERED).ranking == "blosum62"


def test_of_several_sets_the_mean_counts_of_what_is_on_all():
    known = records(
        record("stability", {"model": 0.5, "stability from sequence": 0.6, "BLOSUM62": 0.9}),
        record("ddg", {"model": 0.5, "stability from sequence": 0.3}),
    )
    best = best_ranking(known, "stability", Basis(), OFFERED)
    assert best.ranking == "p_combined" and best.value == 0.5


@pytest.mark.parametrize("goal", GOALS)
def test_without_a_record_the_default_stays(goal):
    best = best_ranking({}, goal, Basis(), OFFERED)
    assert (best.ranking, best.value) == ("p_combined", None)
    assert "no record" in best.why
    assert best_ranking({}, goal, Basis(), ["blosum62"]).ranking == "blosum62"


def test_samples_and_external_scores_are_never_chosen():
    known = records(
        record("scan", {"model": 0.3}, sampled={"figures": {"predicted TM deficit": 0.9}})
    )
    assert best_ranking(known, "any", Basis(), ["tm_deficit", "esm2"]).value is None


def test_the_goal_is_checked():
    with pytest.raises(RecordError, match="goal"):
        best_ranking({}, "beauty", Basis(), OFFERED)
    with pytest.raises(RecordError, match="offered"):
        best_ranking({}, "any", Basis(), [])


def test_the_committed_records_rank_stability_by_stability():
    known = read_evaluations(ROOT / "assets" / "models" / "compact")
    offered = rankings_of(["combined", "structure_effect", "stability", "siamese"])
    for basis in (Basis(), Basis(structure=True), Basis(alignment=True), Basis(True, True)):
        best = best_ranking(known, "stability", basis, offered)
        assert best.ranking == "ddg"
        assert best.value > 0.6
    assert best_ranking(known, "clinical", Basis(True), offered).ranking == "p_combined"


def test_the_basis_is_what_all_proteins_have(globin):
    bare, folded = Protein.from_sequence("ACDEFGHIK"), Protein.from_structure(globin)
    assert basis_of([folded]) == Basis(structure=True)
    assert basis_of([folded, bare]) == Basis()
    assert basis_of([folded], reads_structures=False) == Basis()
