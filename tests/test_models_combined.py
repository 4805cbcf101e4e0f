"""The head that makes one chance of all evidence, and how its weights are fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from glass_core.impact.analyse import analyse
from glass_core.impact.answer import combined, leading_chance
from glass_core.impact.as_json import from_json, to_dict, to_json
from glass_core.models.alignment import AlignmentTable
from glass_core.models.checkpoint import load_heads, save_model
from glass_core.models.heads.combined import INGREDIENTS, CombinedConfig, CombinedHead
from glass_core.models.heads.effect import EffectTable
from glass_core.models.heads.stability import StabilityTable
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import no_substitution
from glass_core.protein.variant import Variant
from glass_core.report.impact.numbers import leading_numbers
from glass_core.report.impact.verdict import verdict
from glass_core.training.combined import FEWEST_LABELS, Judged, fitted
from tests.tools.mpnn import combined_head

WILD = "ACDE"
STRUCTURE = np.array([True, True, False, False])
"""Where it was read."""
COLUMNS = np.array([True, False, True, False])
"""Where the alignment has a column."""


def profile(wild: str = WILD, rows: float = 30.0, columns: np.ndarray = COLUMNS):
    """Thirty rows: of each column two thirds alanine, one third glycine."""
    counts = np.zeros((len(wild), 20))
    counts[:, STANDARD.index("A")], counts[:, STANDARD.index("G")] = 2 * rows / 3, rows / 3
    counts[~columns] = np.nan
    return AlignmentProfile(wild, "x.a3m", "0" * 64, int(rows), int(rows), rows, counts)


def tables(wild: str = WILD, structure: np.ndarray = STRUCTURE):
    """What the other heads tell: the same of every substitution but for its letter."""
    letters = np.tile(np.arange(20) / 10, (len(wild), 1))
    score = np.where(no_substitution(wild), np.nan, letters - 1)
    chance = np.where(no_substitution(wild), np.nan, 0.2 + letters / 4)
    ddg = np.where(no_substitution(wild), np.nan, 3.2 * letters)
    effect = EffectTable(wild, score, chance, structure)
    return effect, StabilityTable(wild, ddg, ddg - 1, ddg + 1, structure)


@pytest.fixture
def deep(monkeypatch):
    """Let four columns be enough."""
    monkeypatch.setattr("glass_core.protein.profile.MIN_COVERED", 2)


@pytest.mark.parametrize("text", ["A1W", "C2W", "D3W", "E4W"])
def test_the_weights_of_a_pattern_are_those_of_what_is_known_there(text, deep):
    protein = replace(Protein.from_sequence(WILD), profile=profile())
    head, (effect, stability) = combined_head(), tables()
    assert protein.profile.usable
    made = head.combine(protein, (effect, stability, AlignmentTable(protein.profile)))
    index, letter = int(text[1]) - 1, STANDARD.index("W")
    read, aligned = int(STRUCTURE[index]), int(COLUMNS[index])
    chance = effect.probability[index, letter]
    values = [
        effect.score[index, letter],
        np.log(chance / (1 - chance)),
        5.0,  # ddG is cut at 5 kcal/mol
        -protein.profile.log_odds[index, letter] if aligned else 0.0,
    ]
    assert stability.ddg[index, letter] > 5
    logit = np.dot(head.weight[read, aligned].detach().numpy(), values)
    logit += head.offset[read, aligned].item()
    told = made.told(Variant.parse(text, WILD))
    assert told["p_combined"] == pytest.approx(1 / (1 + np.exp(-logit)))
    assert (told["combined_structure"], told["combined_alignment"]) == (read, aligned)
    assert told["combined_percentile"] == pytest.approx(
        100 * np.mean(made.probability[~np.isnan(made.probability)] < told["p_combined"])
    )


def test_several_substitutions_and_none(deep):
    protein = replace(Protein.from_sequence(WILD), profile=profile())
    made = combined_head().combine(protein, (*tables(), AlignmentTable(protein.profile)))
    one, other, both = (made.told(Variant.parse(text, WILD)) for text in ("A1G", "C2G", "A1G:C2G"))
    assert both["p_combined"] == pytest.approx(
        1 - (1 - one["p_combined"]) * (1 - other["p_combined"])
    )
    assert both["combined_structure"] == 1 and both["combined_alignment"] == 0
    assert "combined_percentile" not in both
    assert made.told(Variant.parse("C2del", WILD)) == {}
    assert not made.tracks
    assert np.isnan(made.probability).sum() == len(WILD)


def test_a_new_head_leaves_the_chance_as_it_is():
    effect, stability = tables()
    made = CombinedHead(CombinedConfig()).combine(Protein.from_sequence(WILD), (effect, stability))
    np.testing.assert_allclose(made.probability, effect.probability)


def test_what_is_missing_is_not_counted(deep):
    bare, head, (effect, stability) = Protein.from_sequence(WILD), combined_head(), tables()
    assert head.combine(bare, (effect,)) is None
    assert head.combine(bare, (stability,)) is None
    assert not head.combine(bare, (effect, stability)).alignment.any()
    shallow = replace(bare, profile=profile(rows=3.0))
    unused = head.combine(shallow, (effect, stability, AlignmentTable(shallow.profile)))
    np.testing.assert_array_equal(
        unused.probability, head.combine(bare, (effect, stability)).probability
    )
    with torch.no_grad():
        head.weight[1, 1, -1] = 0  # as training leaves it that had too few alignments
    aligned = replace(bare, profile=profile())
    made = head.combine(aligned, (effect, stability, AlignmentTable(aligned.profile)))
    assert list(made.alignment) == [False, False, True, False]


def test_a_head_comes_back_from_disk(tmp_path):
    head = combined_head()
    card = save_model(
        tmp_path / "m", {"combined": head}, name="m", version="1", embedder={"kind": "compact"}
    )
    back = load_heads(card)["combined"]
    torch.testing.assert_close(back.weight, head.weight)
    torch.testing.assert_close(back.offset, head.offset)


def test_the_answer_says_what_it_used(answering, globin):
    structure = Protein.from_structure(globin)
    everywhere = np.ones(len(structure), dtype=bool)
    protein = replace(structure, profile=profile(structure.sequence, columns=everywhere))
    impact = analyse(protein, Variant.parse("D1P", protein.sequence), predictor=answering)
    content = to_dict(impact)
    assert content["combined"]["used"] == ["effect", "stability", "alignment"]
    assert content["combined"]["structure"] is True
    assert content["combined"]["probability"] == impact.prediction.told["p_combined"]
    assert {one["name"] for one in content["evidence"]} >= set(content["combined"]["used"])
    assert to_dict(from_json(to_json(impact)))["combined"] == content["combined"]
    assert "the sequence, the structure and the alignment" in verdict(impact).sentences[0]
    assert f"(P {impact.prediction.told['p_combined']:.2f}" in verdict(impact).headline
    bare = Protein.from_sequence(protein.sequence)
    alone = analyse(bare, Variant.parse("D1P", protein.sequence), predictor=answering)
    found = combined(alone.prediction.told)
    assert found.used == ("effect",) and not found.structure
    assert "from the sequence, fitted" in verdict(alone).sentences[0]


def test_without_the_head_the_effect_leads():
    assert combined({"p_damaging": 0.3}) is None
    assert leading_chance({"p_damaging": 0.3}) == 0.3
    assert leading_chance({"p_damaging": 0.3, "p_combined": 0.6}) == 0.6
    assert leading_chance({}) is None


def made_up(n: int, weight: tuple[float, ...], offset: float, seed: int = 0) -> Judged:
    """Labels drawn with the chances that the weights give."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, len(INGREDIENTS)))
    chance = 1 / (1 + np.exp(-(values @ np.array(weight) + offset)))
    return Judged(
        values,
        (rng.random(n) < chance).astype(float),
        np.ones(n, dtype=bool),
        np.zeros(n, dtype=bool),
        np.array([f"p{i % 100}" for i in range(n)], dtype=object),
        np.array([f"p{i % 100}" for i in range(n)], dtype=object),
    )


def joined(*parts: Judged) -> Judged:
    names = parts[0].__dataclass_fields__
    return Judged(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def scan(by: int, name: str, n: int = 400) -> Judged:
    """A scan whose values follow one ingredient."""
    drawn = made_up(n, (0.0,) * len(INGREDIENTS), 0.0, seed=len(name))
    whole = np.array([name] * n, dtype=object)
    return Judged(
        drawn.values, 3 * drawn.values[:, by], np.zeros(n, dtype=bool), drawn.known, whole, whole
    )


def test_weights_that_made_the_labels_are_found_again():
    weight, offset = fitted(made_up(20_000, (0.5, 1.0, 0.0, 0.3), -0.4), 4)
    np.testing.assert_allclose(weight, (0.5, 1.0, 0.0, 0.3), atol=0.06)
    assert offset == pytest.approx(-0.4, abs=0.06)
    fewer, _ = fitted(made_up(20_000, (0.5, 1.0, 0.0, 0.3), -0.4), 3)
    assert len(fewer) == 3


def test_no_evidence_counts_against_what_it_says():
    weight, _ = fitted(made_up(5_000, (1.0, -1.0, 0.5, 0.5), 0.0), 4)
    assert (weight >= 0).all() and weight[1] == 0


def test_scans_say_what_ranks_and_a_family_of_them_counts_once():
    labels = made_up(5_000, (1.0, 0.2, 0.2, 0.0), 0.0)
    alone, _ = fitted(labels, 3)
    beside, _ = fitted(joined(labels, scan(2, "scan")), 3)
    assert beside[2] / beside[0] > 2 * alone[2] / alone[0]
    family = [replace(scan(2, f"scan {i}"), group=np.array(["one"] * 400, object)) for i in "ab"]
    other = scan(1, "other scan")
    once, _ = fitted(joined(labels, family[0], other), 3)
    twice, _ = fitted(joined(labels, *family, other), 3)
    np.testing.assert_allclose(once, twice, rtol=0.1)


def test_one_well_studied_family_does_not_set_the_weights():
    many = made_up(4_000, (0.0, 2.0, 0.0, 0.0), 3.0, seed=3)
    crowd = replace(many, group=np.array(["one"] * 4_000, dtype=object))
    _, offset = fitted(joined(made_up(8_000, (1.0, 0.0, 0.0, 0.0), 0.0), crowd), 3)
    assert abs(offset) < 0.25


def test_how_much_is_enough():
    few = made_up(2 * FEWEST_LABELS, (0.0,) * 4, 0.0)
    assert not replace(few, value=np.zeros(len(few.value))).enough
    assert replace(few, value=np.arange(len(few.value)) % 2.0).enough
    assert not replace(few, labelled=np.zeros(len(few.value), dtype=bool)).enough


def test_the_chance_and_its_basis_stand_first(answering, globin):
    protein = Protein.from_structure(globin)
    impact = analyse(protein, Variant.parse("D1P", protein.sequence), predictor=answering)
    first, second, *rest = leading_numbers(impact)
    assert first.value == f"{impact.prediction.told['p_combined']:.2f}"
    assert first.note == "from effect, stability"
    assert second.value == f"{impact.prediction.told['ddg']:+.1f}" and "kcal/mol" in second.note
    assert [one.name for one in rest] == ["TM-score, predicted", "BLOSUM62"]
