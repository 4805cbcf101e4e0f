"""The estimate head: its table, what it is trained on, its training, its record, its words."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from lightning_fabric import Fabric

from glass_core.cli.main import main
from glass_core.errors import InputError, RecordError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json, to_json
from glass_core.impact.baselines import Baselines, baselines
from glass_core.models.card import ModelCard
from glass_core.models.checkpoint import load_heads, save_head
from glass_core.models.evaluation import BLOSUM, ESTIMATE, LETTER_PAIRS, Evaluation
from glass_core.models.heads.base import Embedded, TableHead
from glass_core.models.heads.estimate import (
    EstimateConfig,
    EstimateHead,
    EstimateInputs,
    EstimateTable,
)
from glass_core.models.heads.kinds import head_kind
from glass_core.models.predictor import SiamesePredictor
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.report.evidence.names import set_name
from glass_core.report.evidence.ranking import ranking_quality
from glass_core.report.evidence.tables import estimate_table
from glass_core.report.evidence.words import can_and_cannot, estimate_counts
from glass_core.report.impact.verdict import verdict
from glass_core.training.data.exact import (
    ExactPlan,
    ExactValues,
    check_model,
    draw_substitutions,
    exact_values,
    read_exact,
    write_exact,
)
from glass_core.training.estimate import (
    BATCH,
    ESTIMATE_SCHEDULE,
    EstimateTraining,
    drawing,
    estimate_figures,
    prepare,
    train_estimate,
)
from glass_core.training.evaluation.estimate import evaluate_estimate, letter_pair_means

WILD = "MCDEFGHIKLXNPQ"
TINY = EstimateConfig(16, hidden_dim=16, dropout=0.0, input_dropout=0.0)
PLAN = ExactPlan(6, 2, 3, scattered=8, held_sites=2, held_scattered=6, chunk=4)


@pytest.fixture
def head():
    torch.manual_seed(1)
    return EstimateHead(TINY).eval()


@pytest.fixture
def estimating(tiny_predictor, head):
    """The tiny model with an estimate head."""
    heads = {"siamese": tiny_predictor._siamese, "estimate": head}
    return SiamesePredictor(tiny_predictor.embedder, heads, tiny_predictor.info)


@pytest.fixture(scope="module")
def chains():
    rng = np.random.default_rng(0)
    rows = []
    for side, count in (("train", 8), ("validation", 2), ("test", 4)):
        for k in range(count):
            letters = rng.choice(list(STANDARD), 40 + 3 * k)
            group = f"{side} {k // 2 if side == 'train' and k < 2 else k}"
            rows.append(
                {"id": f"{side}{k}", "sequence": "".join(letters), "group": group, "side": side}
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def exact(chains, tiny_predictor, tmp_path_factory):
    out = tmp_path_factory.mktemp("exact")
    write_exact(tiny_predictor, chains, out, PLAN)
    return out


def table_of(values):
    """A table in which TM-scores and lDDT of a short wild type are given."""
    return EstimateTable("AC", values, values - 0.5)


def test_a_table_tells_ranks_and_percentiles():
    tm = np.full((2, 20), 0.9)
    tm[0, STANDARD.index("A")] = tm[1, STANDARD.index("C")] = np.nan
    tm[0, STANDARD.index("W")], tm[0, STANDARD.index("P")] = 0.7, 0.5
    told = table_of(tm).told(Variant.parse("A1W", "AC"))
    assert told == {
        "estimated_tm": pytest.approx(0.7),
        "estimated_lddt_site": pytest.approx(0.2),
        "estimated_tm_percentile": pytest.approx(100 * 36 / 38),
        "estimated_tm_site_rank": 2.0,
    }
    assert set(told) == set(head_kind("estimate").tells)
    mildest = table_of(tm).told(Variant.parse("C2D", "AC"))
    assert mildest["estimated_tm_percentile"] == 0 and mildest["estimated_tm_site_rank"] == 1
    assert table_of(tm).tracks == {}
    both = table_of(tm).told(Variant.parse("A1W:C2D", "AC"))
    assert both == {"estimated_tm": pytest.approx(0.6), "estimated_lddt_site": pytest.approx(0.3)}
    worst = table_of(tm - 1.2).told(Variant.parse("A1P:C2D", "AC"))
    assert worst["estimated_tm"] == -1
    for text in ("A1del", "A1_C2insG"):
        assert table_of(tm).told(Variant.parse(text, "AC")) == {}
    assert table_of(tm).told(Variant.parse("G1W", "GC")) == {}
    with pytest.raises(RecordError, match="lddt"):
        EstimateTable("AC", tm, tm[:1])


def test_the_head_tells_every_substitution(head, tiny_predictor):
    assert isinstance(head, TableHead)
    protein = Protein.from_sequence(WILD)
    table = head.table(protein, Embedded(tiny_predictor.embedder.embed([WILD])[0]))
    own = np.array([STANDARD.find(letter) for letter in WILD])
    for values in (table.tm, table.lddt):
        assert np.isnan(values[own < 0]).all()
        assert np.isnan(values[np.flatnonzero(own >= 0), own[own >= 0]]).all()
        assert np.isnan(values).sum() == 20 + 13
        assert np.nanmax(values) < 1 and np.nanmin(values) >= -1


def test_inputs_hold_the_protein_and_its_surroundings(tiny_predictor):
    residues = tiny_predictor.embedder.embed([WILD])[0].residues
    inputs = EstimateInputs.of(residues, WILD)
    normed = torch.nn.functional.layer_norm(residues, (16,))
    torch.testing.assert_close(inputs.residues[:, :16], normed)
    torch.testing.assert_close(inputs.residues[6, 16:], normed[2:11].mean(0))
    torch.testing.assert_close(inputs.protein[3], torch.cat([normed.mean(0), normed.std(0, False)]))
    assert inputs.length[0].item() == pytest.approx(np.log(len(WILD) / 150))
    some = EstimateInputs.joined([inputs.at(torch.tensor([3, 1])), inputs.at(torch.tensor([10]))])
    assert some.wild.tolist() == [STANDARD.index("E"), STANDARD.index("C"), 20]
    torch.testing.assert_close(some.residues[2], inputs.residues[10])


def test_the_head_is_small_and_survives_half_precision(head, tiny_assets, tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    save_head(folder, "estimate", head, torch.float16)
    loaded = load_heads(ModelCard.read(folder))["estimate"]
    assert loaded.config == TINY
    full = EstimateHead(EstimateConfig(256))
    assert 2 * sum(v.numel() for v in full.state_dict().values()) < 1.5e6


def test_ranks_cost_no_further_prediction(estimating, monkeypatch):
    asked = []
    plain = SiamesePredictor.predict

    def counting(self, protein, variants, progress=None):
        asked.extend(variants)
        return plain(self, protein, variants, progress)

    monkeypatch.setattr(SiamesePredictor, "predict", counting)
    protein, variant = Protein.from_sequence(WILD), Variant.parse("C2W", WILD)
    impact = analyse(protein, variant, predictor=estimating)
    assert asked == [variant]
    ranks, told = impact.baselines, impact.prediction.told
    assert ranks.ranked_by == "estimated"
    assert ranks.site_rank == told["estimated_tm_site_rank"] and ranks.site_size == 19
    assert ranks.percentile == told["estimated_tm_percentile"]
    assert ranks.sample_size == 13 * 19
    said = " ".join(verdict(impact).sentences)
    assert f"lower estimated TM than {ranks.percentile:.0f}% of all single substitutions" in said
    assert "(1 = lowest estimated TM)" in said
    text = to_json(impact)
    assert to_json(from_json(text)) == text
    predicted = analyse(protein, variant, predictor=estimating, background=4).baselines
    assert predicted.ranked_by == "predicted" and predicted.sample_size == 4
    assert len(asked) == 1 + 1 + (1 + 18 + 4)


def test_without_the_head_nothing_is_ranked_unasked(tiny_predictor):
    protein, variant = Protein.from_sequence(WILD), Variant.parse("C2W", WILD)
    ranks = analyse(protein, variant, predictor=tiny_predictor).baselines
    assert ranks == Baselines(1.0, -2, None, None, None, 0)
    assert baselines(Variant.parse("C2W:E4P", WILD), {}).blosum62 == -3


def test_ranks_of_older_files_are_of_predictions(estimating):
    protein, variant = Protein.from_sequence(WILD), Variant.parse("C2W", WILD)
    impact = analyse(protein, variant, predictor=estimating, background=4)
    content = json.loads(to_json(impact))
    del content["baselines"]["ranked_by"]
    older = from_json(json.dumps(content))
    assert older.baselines == impact.baselines
    with pytest.raises(RecordError, match="ranked_by"):
        replace(older.baselines, ranked_by="guessed")


def test_substitutions_are_drawn_once_each():
    index, letter, whole = draw_substitutions(WILD, 2, 30, np.random.default_rng(0))
    assert len({*zip(index.tolist(), letter.tolist(), strict=True)}) == len(index) == 2 * 19 + 30
    assert whole.sum() == 38 and len(set(index[whole])) == 2
    assert not set(index[whole]) & set(index[~whole]) and 10 not in index
    assert all(WILD[i] != STANDARD[k] for i, k in zip(index, letter, strict=True))
    few = draw_substitutions("ACX", 5, 50, np.random.default_rng(0))
    assert len(few[0]) == 38 and few[2].all()


def test_exact_values_are_those_of_the_model(exact, chains, tiny_predictor):
    found = read_exact(exact, "train", "validation", "test")
    assert [one.side for one in found].count("train") == 6, "two of one group are one"
    assert len({one.group for one in found}) == len(found) == 6 + 2 + 3
    held = [one for one in found if one.side != "train"]
    assert all(one.whole.sum() == 38 and len(one.index) == 44 for one in held)
    one = next(one for one in found if one.side == "train")
    assert len(one.index) == 8 and not one.whole.any()
    letter = STANDARD[one.letter[0]]
    variant = Variant.parse(f"{one.sequence[one.index[0]]}{one.index[0] + 1}{letter}", one.sequence)
    made = tiny_predictor.predict(Protein.from_sequence(one.sequence), [variant])[0]
    assert one.tm[0] == pytest.approx(made.tm_score, abs=1e-6)
    assert one.lddt[0] == pytest.approx(made.lddt[one.index[0]], abs=1e-6)
    with pytest.raises(InputError, match="no exact values of the test side"):
        read_exact(exact / "nothing", "test")
    with pytest.raises(RecordError, match="lddt"):
        replace(one, lddt=one.lddt[1:])


def test_what_was_made_is_taken_up_again(chains, tiny_predictor, tmp_path, monkeypatch):
    made, rates = [], []
    plain = exact_values

    def counting(predictor, sequence, index, letter):
        made.append(sequence)
        return plain(predictor, sequence, index, letter)

    monkeypatch.setattr("glass_core.training.data.exact.exact_values", counting)
    pieces = write_exact(tiny_predictor, chains, tmp_path, PLAN, rates.append)
    whole = {p.name: p.read_bytes() for p in sorted(pieces.iterdir())}
    assert len(whole) == 3 and len(made) == 11 and rates[-1].done == rates[-1].total == 3
    (pieces / "00001.parquet").unlink()
    (pieces / "00001.partial").write_bytes(b"half")
    made.clear()
    write_exact(tiny_predictor, chains, tmp_path, PLAN)
    assert len(made) == 1 + 4, "one to check the model, and the piece that was not there"
    again = {p.name: pd.read_parquet(p) for p in sorted(pieces.glob("*.parquet"))}
    assert again.keys() == whole.keys() and len(read_exact(tmp_path, "train")) == 6
    with pytest.raises(InputError, match="another plan or other chains"):
        write_exact(tiny_predictor, chains, tmp_path, replace(PLAN, train=5))


def test_values_of_another_model_are_refused(exact, tiny_predictor):
    found = read_exact(exact, "test")
    check_model(tiny_predictor, found)
    other = replace(found[0], tm=found[0].tm - 0.1)
    with pytest.raises(InputError, match=r"not of compact as it is now \(off by 0.100\)"):
        check_model(tiny_predictor, [other])


def test_a_batch_is_a_function_of_its_number(exact, tiny_predictor):
    prepared = 8 * prepare(tiny_predictor.embedder, read_exact(exact, "train"))
    draw = drawing(prepared, 0)
    first, again, other = (draw(k) for k in (3, 3, 4))
    assert len(first) == BATCH
    assert [a is b for a, b in zip(first, again, strict=True)] == [True] * BATCH
    assert [a is b for a, b in zip(first, other, strict=True)] != [True] * BATCH


def test_training_learns_the_exact_values(exact, tiny_predictor, tiny_assets, tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    schedule = replace(ESTIMATE_SCHEDULE, steps=150, every=50, peak=1e-2, weight_decay=0.0)
    fabric = Fabric(accelerator="cpu", devices=1)
    embedder = tiny_predictor.embedder
    history = train_estimate(embedder, exact, folder, fabric, schedule, TINY)
    assert len(history.curve) == 150 and len(history.validation) == 3
    assert history.curve[-1]["total"] < 0.3 * history.curve[0]["total"]
    loaded = load_heads(ModelCard.read(folder))["estimate"]
    prepared = prepare(embedder, read_exact(exact, "train"))
    with torch.no_grad():
        figures = estimate_figures(EstimateTraining(loaded), prepared)
    assert figures["tm_spearman"] > 0.5 and figures["lddt_spearman"] > 0.5
    assert figures["loss"] == pytest.approx(figures["tm"] + figures["lddt"])
    record = json.loads((folder / "estimate-training.json").read_text())
    assert record["config"]["chains"] == 6 and record["data_sha256"]["exact"]
    resumed = train_estimate(embedder, exact, folder, fabric, schedule, TINY)
    assert resumed.curve == history.curve


def told_exactly(chains):
    """A record in which the estimate head is as good as the values themselves."""

    class Knowing:
        heads = frozenset({"estimate"})

        def tables(self, protein):
            one = next(c for c in chains if c.sequence == protein.sequence)
            tm, lddt = np.full((2, len(protein), 20), 0.5)
            tm[one.index, one.letter], lddt[one.index, one.letter] = one.tm, one.lddt
            return (EstimateTable(one.sequence, tm, lddt),)

    return Knowing()


def test_the_record_of_a_perfect_estimate(exact, monkeypatch):
    held, train = read_exact(exact, "test"), read_exact(exact, "train")
    monkeypatch.setattr("glass_core.training.evaluation.estimate.check_model", lambda *given: None)
    record = evaluate_estimate(told_exactly(held), held, train, lambda words: None)
    assert record["proteins"] == record["groups"] == 3 and record["substitutions"] == 3 * 44
    assert record["trained_on"] == {"proteins": 6, "substitutions": 48}
    perfect = record["figures"][ESTIMATE]
    for name, figure in perfect.items():
        assert figure["value"] == (1 if "spearman" in name else 0), name
    assert set(record["figures"]) == {ESTIMATE, LETTER_PAIRS, BLOSUM}
    assert "tm_error" not in record["figures"][BLOSUM]
    assert record["figures"][BLOSUM]["percentile_error"]["value"] > 5
    assert record["exact"]["tm_p5"] <= record["exact"]["tm_median"] <= record["exact"]["tm_p95"]
    json.dumps(record, allow_nan=False)
    evaluation = Evaluation("estimate", "estimate", "test", {}, record)
    table = estimate_table(evaluation)
    assert table["predictor"].iloc[0] == "estimate head"
    assert table["TM-score, error"].iloc[-1] == "", "BLOSUM62 tells no TM-score"
    assert set_name("estimate") != "estimate" and "3 unseen proteins" in estimate_counts(evaluation)
    said = can_and_cannot({"estimate": evaluation})
    assert any("with Spearman 1.00" in sentence for sentence in said)
    assert any("not to a measurement" in sentence for sentence in said)
    quality = ranking_quality({"estimate": evaluation}, "estimated_tm_deficit")
    assert quality.startswith("An estimate of the predicted TM-score: Spearman 1.00")
    assert "not recorded" in ranking_quality({}, "estimated_lddt_deficit")


def test_means_of_letter_pairs_by_hand():
    def chain(sequence, letter, tm):
        one = np.array([0])
        return ExactValues(
            sequence,
            "g",
            "train",
            one,
            np.array([letter]),
            one > 0,
            np.array([tm]),
            np.array([0.9]),
        )

    means = letter_pair_means([chain("AC", 5, 0.9), chain("AD", 5, 0.999), chain("CA", 5, 0.5)])
    assert means[STANDARD.index("A"), 5] == pytest.approx([0.01, 0.1])
    assert means[STANDARD.index("C"), 5, 0] == pytest.approx(0.5)
    assert means[STANDARD.index("D"), 5] == pytest.approx([(0.1 * 0.001 * 0.5) ** (1 / 3), 0.1])


def test_a_model_without_the_head_is_refused(exact, tiny_predictor):
    held = read_exact(exact, "test")
    with pytest.raises(InputError, match="has no estimate head"):
        evaluate_estimate(tiny_predictor, held, held, lambda words: None)


def test_the_steps_of_the_command_line(chains, tiny_assets, tmp_path):
    folder, source, out = tmp_path / "m", tmp_path / "chains.parquet", tmp_path / "exact"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    rng = np.random.default_rng(1)
    rows = [
        {
            "id": f"c{k}",
            "sequence": "".join(rng.choice(list(STANDARD), 45)),
            "ca": np.zeros(135),
            "split_group": k,
        }
        for k in range(40)
    ]
    pd.DataFrame(rows).to_parquet(source)
    counts = ["--chains", "4", "--validation", "1", "--test", "2"]
    asked = ["train", "exact", str(source), "--model", str(folder), "--out", str(out), *counts]
    made = CliRunner().invoke(main, [*asked, "--device", "cpu", "--threads", "1"])
    assert made.exit_code == 0, made.output
    asked = ["train", "estimate", str(out), "--model", str(folder), "--steps", "2"]
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    shutil.copy(folder / "encoder.safetensors", encoder)
    shape = json.loads((folder / "card.json").read_text())["encoder"]
    (encoder / "encoder.json").write_text(json.dumps(shape))
    where = ["--encoder", str(encoder), "--cache", str(tmp_path / "kept"), "--accelerator", "cpu"]
    made = CliRunner().invoke(main, [*asked, *where, "--device", "cpu"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout.splitlines()[-1])["steps"] == 2
    assert head_kind("estimate").file in ModelCard.read(folder).sha256
    asked = ["evaluate", str(folder), "--exact", str(out), "--out", str(tmp_path / "e")]
    made = CliRunner().invoke(main, [*asked, "--device", "cpu"])
    assert made.exit_code == 0, made.output
    record = Evaluation.read(tmp_path / "e" / "estimate.json")
    assert record.kind == record.set == "estimate" and record.side == "test"
    assert record.figure(ESTIMATE, "tm_spearman").value is not None
