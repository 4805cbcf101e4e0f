"""The heads that read the structure: stability and effect, alone and in a predictor."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from glass_core.embedders.base import Embedding
from glass_core.errors import RecordError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json, to_dict, to_json
from glass_core.models.checkpoint import load_heads, save_model
from glass_core.models.heads.base import Embedded
from glass_core.models.heads.stability import (
    SHORT,
    Interval,
    StabilityConfig,
    StabilityTable,
    conformal,
)
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.wild_types import KeptWildTypes, Projected, WildType
from glass_core.protein.as_json import protein_dict, protein_from
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from tests.tools.mpnn import WIDE, effect_head, stability_head


def table(ddg: dict[tuple[int, str], float]) -> StabilityTable:
    values = np.full((4, 20), np.nan)
    for (position, letter), value in ddg.items():
        values[position - 1, STANDARD.index(letter)] = value
    return StabilityTable("ACDE", values, values - 1, values + 2, np.array([True] * 3 + [False]))


def test_a_table_tells_a_substitution_and_several():
    told = table({(1, "W"): 2.0, (2, "W"): -0.5, (4, "K"): 1.0}).told(Variant.parse("A1W", "ACDE"))
    assert told == pytest.approx(
        {
            "ddg": 2.0,
            "ddg_low": 1.0,
            "ddg_high": 4.0,
            "ddg_structure": 1.0,
            "ddg_percentile": 100 * 2 / 3,
        }
    )
    both = table({(1, "W"): 2.0, (4, "K"): 1.0}).told(Variant.parse("A1W:E4K", "ACDE"))
    assert both == pytest.approx(
        {
            "ddg": 0.75 * 3.0,
            "ddg_low": 0.75 * 3.0 - np.sqrt(2),
            "ddg_high": 0.75 * 3.0 + np.sqrt(8),
            "ddg_structure": 0.0,
        }
    )


@pytest.mark.parametrize("variant", ["A1Y", "A1_C2del", "A1W:C2Y"])
def test_a_table_says_nothing_of_what_it_has_no_value_for(variant):
    assert table({(1, "W"): 2.0}).told(Variant.parse(variant, "ACDE")) == {}
    assert table({(1, "W"): 2.0}).told(Variant.parse("A1W", "ACDF")) == {}


def test_a_track_is_the_mean_of_what_is_known():
    track = table({(1, "W"): 2.0, (1, "Y"): 1.0}).tracks["ddg"]
    assert track[0] == 1.5 and np.isnan(track[1:]).all()


def test_an_interval_is_interpolated_and_keeps_nan():
    low, high = WIDE.around(np.array([-5.0, -1.0, 1.0, 3.0, 9.0, np.nan]))
    np.testing.assert_allclose(low, [-5.5, -1.5, 0.0, 1.5, 7.5, np.nan])
    np.testing.assert_allclose(high, [-4.0, 0.0, 2.5, 5.0, 11.0, np.nan])
    with pytest.raises(RecordError, match="ascends"):
        Interval((1.0, 0.0), (0.0, 0.0), (0.0, 0.0))
    with pytest.raises(RecordError, match="distance"):
        Interval((1.0,), (-1.0,), (0.0,))


def test_short_wild_types_have_intervals_of_their_own():
    narrow, wide = Interval((0.0,), (0.5,), (0.5,)), Interval((0.0,), (3.0,), (3.0,))
    config = StabilityConfig(16, with_structure=wide, with_sequence=wide)
    assert config.intervals(SHORT) == (wide, wide), "where none were learnt"
    config = replace(config, short_with_structure=narrow)
    assert config.intervals(SHORT) == (narrow, wide)
    assert config.intervals(SHORT + 1) == (wide, wide)


def test_a_conformal_interval_covers_what_it_says_on_others():
    rng = np.random.default_rng(0)
    predicted = rng.uniform(-1, 4, 6000)
    measured = predicted + rng.normal(size=6000) * (0.2 + 0.3 * np.abs(predicted))
    made = conformal(predicted[:3000], measured[:3000], np.ones(3000), [-1, 0, 1, 2, 3, 4])
    low, high = made.around(predicted[3000:])
    inside = (measured[3000:] >= low) & (measured[3000:] <= high)
    assert 0.87 < inside.mean() < 0.93
    assert made.above[-1] > 2 * made.above[1], "wider where errors are larger"


def test_weights_count_in_a_conformal_interval():
    error = np.tile([0.0] * 9 + [5.0], 10)
    alike = conformal(np.zeros(100), error, np.ones(100), [0.0])
    weighted = conformal(np.zeros(100), error, np.where(error > 0, 100.0, 1.0), [0.0])
    assert weighted.above == (5.0,) and alike.above[0] <= 5.0


@pytest.mark.parametrize("make", [stability_head, effect_head])
def test_a_head_comes_back_from_disk(make, tmp_path):
    head = make()
    name = {"StabilityHead": "stability", "StructureEffectHead": "structure_effect"}[
        type(head).__name__
    ]
    card = save_model(tmp_path, {name: head}, name="m", version="1", embedder={"kind": "compact"})
    back = load_heads(card)[name]
    assert back.config == head.config
    for tensor, other in zip(head.parameters(), back.parameters(), strict=True):
        assert torch.equal(tensor, other)


def test_every_letter_against_the_wild_type_s():
    embedded = Embedded(Embedding("ACXE", torch.randn(4, 16)))
    told = stability_head().table(Protein.from_sequence("ACXE"), embedded)
    own = [STANDARD.index("A"), STANDARD.index("C"), STANDARD.index("E")]
    assert np.isnan(told.ddg[[0, 1, 3], own]).all(), "the wild type's own letter"
    assert np.isnan(told.ddg[2]).all(), "an unknown residue"
    assert np.isfinite(told.ddg).sum() == 3 * 19
    assert not told.from_structure.any()
    np.testing.assert_allclose(told.low[0], told.ddg[0])  # the interval of sequence has no width


def test_a_predictor_reads_the_structure_where_there_is_one(seeing, globin):
    protein = Protein.combine("GS" + globin.sequence, globin)
    variant = Variant.parse(f"{protein.sequence[40]}41P", protein.sequence)
    bare = Protein.from_sequence(protein.sequence)
    (seen,), (unseen,) = seeing.predict(protein, [variant]), seeing.predict(bare, [variant])
    assert seen.told["ddg_structure"] == seen.told["effect_structure"] == 1
    assert unseen.told["ddg_structure"] == unseen.told["effect_structure"] == 0
    assert seen.told["ddg"] != unseen.told["ddg"]
    assert seen.told["ddg_low"] < seen.told["ddg"] < seen.told["ddg_high"]
    first = Variant.parse("G1P", protein.sequence)
    assert seeing.predict(protein, [first])[0].told["ddg_structure"] == 0, "no coordinates there"
    assert len(seen.tracks["ddg"]) == len(protein)


def test_what_is_made_of_a_protein_is_kept_by_what_was_read_of_it(seeing, globin):
    protein, bare = Protein.from_structure(globin), Protein.from_sequence(globin.sequence)
    assert not seeing.knows(protein)
    first = seeing.tables(protein)
    assert seeing.knows(protein) and not seeing.knows(bare)
    assert seeing.tables(replace(protein, name="of another name")) is first
    assert protein_from(protein_dict(protein)) is not protein
    assert seeing.tables(protein_from(protein_dict(protein))) is first  # read back from disk
    assert seeing.tables(bare) is not first
    assert seeing.tables(protein) is first
    moved = globin.atoms.copy()
    moved.coord = moved.coord + np.array([0, 0, 0.01], dtype=np.float32)
    shifted = Protein.from_structure(replace(globin, atoms=moved))
    assert seeing.tables(shifted) is not first


def test_as_many_wild_types_are_kept_as_have_room(monkeypatch):
    monkeypatch.setattr("glass_core.models.wild_types.MOST_RESIDUES", 25)
    kept, made = KeptWildTypes(), []

    def ask(sequence):
        def make():
            made.append(sequence)
            return WildType(Projected(torch.zeros(1), torch.zeros(1)), ())

        return kept.get(Protein.from_sequence(sequence), make)

    for letter in "ACA":
        ask(letter * 10)
    assert made == ["A" * 10, "C" * 10]
    ask("D" * 10)  # the one not asked for last goes
    ask("A" * 10)
    ask("C" * 10)
    assert made == ["A" * 10, "C" * 10, "D" * 10, "C" * 10]
    ask("E" * 30)  # one larger than all the room is kept while it is the last
    ask("E" * 30)
    assert made[-1] == "E" * 30 and made.count("E" * 30) == 1


def test_without_weights_the_sequence_is_read_and_that_is_said(tiny_predictor, globin):
    heads = {"siamese": tiny_predictor._siamese, "stability": stability_head()}
    blind = SiamesePredictor(
        tiny_predictor.embedder, heads, tiny_predictor.info, None, "Fetch the weights."
    )
    protein = Protein.from_structure(globin)
    (said,) = blind.predict(protein, [Variant.parse("D1P", protein.sequence)])
    assert said.told["ddg_structure"] == 0
    assert "The structure was not read for the prediction. Fetch the weights." in said.flags
    (said,) = blind.predict(Protein.from_sequence("ACDEF"), [Variant.parse("A1C", "ACDEF")])
    assert not any("not read" in flag for flag in said.flags)


def test_json_holds_the_contract(seeing, globin):
    protein = Protein.from_structure(globin)
    impact = analyse(protein, Variant.parse("D1P", protein.sequence), predictor=seeing)
    content = to_dict(impact)
    stability = content["prediction"]["stability"]
    assert stability["takes"] == "structure"
    assert stability["low"] < stability["ddg"] < stability["high"]
    names = [one["name"] for one in content["evidence"]]
    assert names == ["stability", "effect"]
    for one in content["evidence"]:
        assert {"name", "value", "percentile", "side", "says", "source", "whose"} <= set(one)
    for check in content["checks"]:
        assert {"name", "holds", "text"} <= set(check)
    back = from_json(to_json(impact))
    assert json.loads(to_json(back)) == json.loads(to_json(impact))


def test_a_structure_of_c_alphas_alone_is_said(seeing, globin):
    atoms = globin.atoms[globin.atoms.atom_name == "CA"]
    trace = Protein.from_structure(Structure.from_atoms(atoms, "trace"))
    variant = Variant.parse("D1P", trace.sequence)
    (said,) = seeing.predict(trace, [variant])
    assert any("read by them alone" in flag for flag in said.flags)
    assert said.told["ddg_structure"] == 1
    (said,) = seeing.predict(Protein.from_structure(globin), [variant])
    assert not any("read by them alone" in flag for flag in said.flags)
