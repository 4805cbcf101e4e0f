"""Effect scores: tables, ranks, probabilities, and what the result says of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from glass_core.embedders.base import Embedding
from glass_core.errors import ModelError, RecordError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json, to_json
from glass_core.models.card import CARD_FILE, ModelCard
from glass_core.models.checkpoint import load_heads
from glass_core.models.heads.base import Embedded
from glass_core.models.heads.effect import EffectConfig, EffectHead, EffectTable
from glass_core.models.heads.residue_network import wild_letters
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.report.impact.tables import residue_table
from glass_core.report.impact.verdict import verdict

WILD = "ACDEFGHIKL"


def table(score, probability=None) -> EffectTable:
    """A table of WILD with the scores and probabilities given by (position, letter)."""
    scores = np.zeros((10, 20))
    chances = np.full((10, 20), 0.5)
    for target, values in ((scores, score), (chances, probability or {})):
        for (position, letter), value in values.items():
            target[position - 1, "ACDEFGHIKLMNPQRSTVWY".index(letter)] = value
    for place, letter in enumerate(WILD):
        for target in (scores, chances):
            target[place, "ACDEFGHIKLMNPQRSTVWY".index(letter)] = np.nan
    return EffectTable(WILD, scores, chances)


def test_a_single_substitution_has_ranks():
    effects = table({(2, "W"): 3.0, (2, "Y"): 5.0, (4, "W"): 9.0}, {(2, "W"): 0.8})
    assert effects.told(Variant.parse("C2W", WILD)) == pytest.approx(
        {
            "effect": 3,
            "p_damaging": 0.8,
            "site_rank": 2,
            "percentile_site": 100 * 17 / 19,
            "percentile_protein": 100 * 187 / 190,
            "damaging_percentile": 100 * 189 / 190,
            "effect_structure": 0,
        }
    )
    assert effects.tracks["sensitivity"][1] == pytest.approx(8 / 19)


def test_several_substitutions_add_and_chances_combine():
    told = table({(2, "W"): 3.0, (4, "W"): 1.0}, {(2, "W"): 0.8, (4, "W"): 0.5}).told(
        Variant.parse("C2W:E4W", WILD)
    )
    wanted = {"effect": 4, "p_damaging": 1 - 0.2 * 0.5, "effect_structure": 0}
    assert told == pytest.approx(wanted), "and no rank"


@pytest.mark.parametrize("variant", ["C2del", "C2Xaa", "C2_D3insW"])
def test_gaps_and_unknown_residues_have_no_score(variant):
    assert table({}).told(Variant.parse(variant, WILD)) == {}


def test_tables_of_the_wrong_shape_are_refused():
    with pytest.raises(RecordError):
        EffectTable(WILD, np.zeros((9, 20)), np.zeros((10, 20)))


def test_the_head_gives_zero_to_the_wild_type_and_ignores_padding():
    torch.manual_seed(0)
    head = EffectHead(EffectConfig(embedding_dim=8, hidden_dim=16, num_layers=1)).eval()
    residues = torch.randn(1, 6, 8)
    wild = wild_letters("ACXDEF")[None]
    mask = torch.ones(1, 6, dtype=torch.bool)
    score, logit = head(residues, mask, wild)
    assert score[0, 0, 0] == 0 and score[0, 1, 1] == 0
    assert (score[0, 2] != 0).all(), "X is none of the 20"
    padded = torch.cat([residues, torch.full((1, 3, 8), 9.0)], dim=1)
    longer = torch.cat([mask, torch.zeros(1, 3, dtype=torch.bool)], dim=1)
    again, _ = head(padded, longer, torch.cat([wild, wild[:, :3]], dim=1))
    torch.testing.assert_close(again[:, :6], score, atol=1e-5, rtol=0)
    head.config = replace(head.config, scale=2.0, offset=-1.0)
    told = head.table(Protein.from_sequence("ACXDEF"), Embedded(Embedding("ACXDEF", residues[0])))
    assert np.isnan(told.score[2]).all() and np.isnan(told.probability[0, 0])
    wanted = 1 / (1 + np.exp(-(2 * float(logit[0, 0, 5].detach()) - 1)))
    assert told.probability[0, 5] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("change", [{"scale": "x"}, {"nhead": 3}, {"embedding_dim": 99}])
def test_a_card_that_does_not_fit_is_one_line(change, tiny_assets, tmp_path):
    import shutil

    folder = tmp_path / "m"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    content = json.loads((folder / CARD_FILE).read_text())
    content["heads"]["effect"] |= change
    (folder / CARD_FILE).write_text(json.dumps(content))
    with pytest.raises(ModelError) as caught:
        load_heads(ModelCard.read(folder))
    assert "\n" not in str(caught.value)


def test_one_pass_serves_all_variants_of_a_protein(tiny_predictor):
    variants = [Variant.parse(v, WILD) for v in ("C2W", "E4P", "C2del")]
    protein = Protein.from_sequence(WILD)
    first, second, third = tiny_predictor.predict(protein, variants)
    every = tiny_predictor.effects(protein)
    assert first.told["effect"] == pytest.approx(every.score[1, 18], abs=1e-5)
    assert second.told["effect"] == pytest.approx(every.score[3, 12], abs=1e-5)
    assert third.told == {} and third.tracks == {}


def test_the_result_tells_the_chance_with_its_rank(tiny_predictor):
    impact = analyse(
        Protein.from_sequence(WILD),
        Variant.parse("C2W", WILD),
        predictor=tiny_predictor,
        background=3,
    )
    told, tracks = impact.prediction.told, impact.prediction.tracks
    said = verdict(impact)
    assert f"(P {told['p_damaging']:.2f}" in said.headline
    assert "chance of being damaging" in said.sentences[0]
    assert f"rank {told['site_rank']} of 19" in said.sentences[0]
    column = residue_table(impact)["predicted_sensitivity"]
    np.testing.assert_allclose(column, tracks["sensitivity"])
    text = to_json(impact)
    assert json.loads(text)["prediction"]["told"] == told
    assert to_json(from_json(text)) == text
