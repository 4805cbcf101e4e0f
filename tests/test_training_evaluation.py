"""Evaluation: statistics by hand, records, and the whole path from the shell."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.stats import ttest_ind

from glass_core.cli.main import main
from glass_core.errors import InputError
from glass_core.metrics.agreement import auroc, calibration_error, spearman
from glass_core.models.evaluation import Evaluation, read_evaluations
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.training.data.assays import Assay
from glass_core.training.evaluation.pairs import (
    Scored,
    baseline_scores,
    evaluate_pairs,
    similarities,
    similarity,
    summarise,
)
from glass_core.training.evaluation.statistics import (
    mean_of,
    weighted_correlation,
    weighted_spearman,
    welch,
    with_interval,
)
from glass_core.training.evaluation.variants import (
    DEFICITS,
    deficit_scores,
    effect_baselines,
    evaluate_effects,
)


def pairs(n: int = 12, kind: str = "fold") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for k in range(n):
        sequence = "".join(rng.choice(list("ACDEFGHIKL"), 30 + k))
        aligned = np.stack([np.arange(len(sequence))] * 2, axis=1).astype(np.int16).ravel()
        rows.append(
            {
                "kind": kind,
                "reference": sequence,
                "subject": "WW" + sequence[2:],
                "group": str(k),
                "subject_group": str(k),
                "rearranged": False,
                "tm": 0.25 + 0.06 * k,
                "aligned": aligned,
                "lddt": rng.random(len(sequence)).astype(np.float32),
            }
        )
    return pd.DataFrame(rows)


def test_correlations_with_weights():
    x, y = np.array([0.0, 1, 2, 9]), np.array([0.0, 2, 4, -9])
    assert weighted_correlation(x, y, np.array([1.0, 1, 1, 0])) == pytest.approx(1)
    assert np.isnan(weighted_correlation(np.ones(4), y, np.ones(4)))
    assert weighted_spearman(x, np.exp(x), np.ones(4)) == pytest.approx(1)
    assert np.isnan(spearman(np.array([1, 2, np.nan]), np.array([1, 2, 3.0])))


def test_each_group_counts_once_and_the_interval_holds_the_value():
    values = np.array([1.0, 1, 1, 3])
    found = with_interval(mean_of(values), np.array([1, 1, 1, 2]))
    assert found["value"] == 2
    assert found["low"] == 1 and found["high"] == 3


def test_auroc_by_hand():
    assert auroc(np.array([1.0, 2, 3, 4]), np.array([0, 0, 1, 1.0])) == 1
    assert auroc(np.array([1.0, 1, 1, 1]), np.array([0, 0, 1, 1.0])) == 0.5
    assert np.isnan(auroc(np.ones(3), np.ones(3)))


def test_calibration_error_by_hand():
    chance = np.array([0.05, 0.05, 0.95, 0.95])
    assert calibration_error(chance, np.array([0, 0, 1, 1.0])) == pytest.approx(0.05)
    assert calibration_error(chance, np.array([1, 1, 0, 0.0])) == pytest.approx(0.95)


def test_welch_is_that_of_the_groups_means():
    rng = np.random.default_rng(0)
    a, b = rng.random(30), rng.random(30) + 0.3
    group = np.repeat(np.arange(10), 3)
    means = [v.reshape(10, 3).mean(axis=1) for v in (a, b)]
    wanted = ttest_ind(*means, equal_var=False).pvalue
    assert welch(a, b, group) == pytest.approx(wanted, abs=1e-6)
    assert welch(a[:6], b[:6], group[:6]) is None


def test_rounding_is_no_correlation():
    table = pairs()
    noise = np.random.default_rng(0).uniform(-2e-7, 2e-7, len(table))
    figures = summarise(
        table,
        Scored(
            1 + noise,
            [
                1 + np.random.default_rng(k).uniform(-2e-7, 2e-7, len(t))
                for k, t in enumerate(table["lddt"])
            ],
        ),
    )
    assert figures["tm_pearson"]["value"] is None
    assert figures["tm_spearman"]["value"] is None
    assert figures["lddt_within_spearman"]["value"] is None
    assert figures["tm_mae"]["value"] == pytest.approx(np.mean(1 - table["tm"]), abs=1e-4)
    assert figures["tm_mae from 0.2"]["value"] > figures["tm_mae from 0.8"]["value"]


def test_sequence_similarity_baselines():
    assert similarity("ACDEFGHIKL", "ACDEFGHIKL") == (1.0, 1.0, 1.0)
    identity, blosum, coverage = similarity("ACDEFGHIKL", "ACDEFGHIRL")
    assert identity == pytest.approx(0.9) and 0.9 < blosum < 1 and coverage == 1
    table = pairs()
    told = baseline_scores(table, table, similarities(table))
    assert set(told) == {
        "training mean",
        "constant 1",
        "sequence identity",
        "fit on identity",
        "BLOSUM62 similarity",
    }
    assert told["training mean"].tm[0] == pytest.approx(table["tm"].mean(), abs=1e-6)


def test_effect_baselines_by_hand(tiny_predictor):
    assay = Assay(
        "a",
        "scan",
        "AWX",
        np.array([0, 1, 2]),
        np.array([18, 0, 0]),
        np.zeros(3, np.float32),
        "g",
        "test",
    )
    told = effect_baselines(assay, tiny_predictor.embedder)
    assert told["BLOSUM62"].tolist()[:2] == [3, 3], "A to W and back score -3"
    assert told["hydrophobicity change"][0] == pytest.approx(2.7)
    assert np.isnan(told["hydrophobicity change"][2])
    assert np.isfinite(told["encoder's letters"][:2]).all()
    assert np.isnan(told["encoder's letters"][2])


def test_pairs_of_every_kind_are_reported_apart(tiny_predictor):
    table = pd.concat(
        [pairs(), pairs(4, "point_mutant"), pairs(3, "homolog").assign(rearranged=True)],
        ignore_index=True,
    )
    found = evaluate_pairs(tiny_predictor, table, pairs(), lambda words: None)
    assert list(found) == ["fold", "point_mutant", "rearranged"]
    fold = found["fold"]
    kept = fold["pairs"]
    assert kept == len(fold["rows"]["predicted_tm"]) == 11, "3, 3, 4 and 2 pairs, at most 3 a bin"
    own = np.abs(np.array(fold["rows"]["predicted_tm"]) - np.array(fold["rows"]["tm"])).mean()
    assert fold["figures"]["model"]["tm_mae"]["value"] == pytest.approx(own, abs=1e-3)
    assert set(fold["welch_p"]) == set(fold["figures"]) - {"model"}
    json.dumps(found, allow_nan=False)


def test_effects_are_reported_by_kind_or_not_at_all(tiny_predictor):
    rng = np.random.default_rng(0)
    assays = [
        Assay(
            f"{kind} {n}",
            kind,
            "ACDEFGHIKL",
            np.arange(10),
            np.full(10, 18),
            np.arange(10) % 2 if kind == "clinical" else rng.random(10),
            f"g{n}",
            "test",
        )
        for kind in ("scan", "clinical")
        for n in range(3)
    ]
    found = evaluate_effects(tiny_predictor, assays, lambda words: None)
    assert found["scan"]["assays"] == 3 and found["clinical"]["labels"] == 30
    assert set(found["clinical"]["figures"]) == {
        "model",
        "BLOSUM62",
        "hydrophobicity change",
        "encoder's letters",
        "encoder's burial",
    }
    sampled = found["clinical"]["sampled"]
    assert sampled["labels"] == 9 and set(sampled["figures"]) == {"model", "BLOSUM62", *DEFICITS}
    assert set(found["scan"]["sampled"]["figures"]) == set(sampled["figures"])
    table = tiny_predictor.predict(
        Protein.from_sequence("ACDEFGHIKL"), [Variant.parse("C2W", "ACDEFGHIKL")]
    )[0]
    told = deficit_scores(tiny_predictor, assays[0], 100)
    assert told[DEFICITS[1]][1] == pytest.approx(1 - table.lddt[1], abs=1e-5)
    assert all(0 <= p <= 1 for p in found["clinical"]["rows"]["probability"])
    json.dumps(found, allow_nan=False)

    class Headless:
        embedder = tiny_predictor.embedder

        def effects(self, wild_type):
            return None

    assert evaluate_effects(Headless(), assays, lambda words: None) == {}


@pytest.mark.parametrize("text", ["", "{}", '{"format": "glass-evaluation/1", "kind": "x"}'])
def test_other_files_are_no_records(text, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match="no evaluation record"):
        Evaluation.read(path)


def shell(*words: str) -> str:
    found = CliRunner().invoke(main, [str(w) for w in words], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


@pytest.mark.slow
def test_from_structures_to_figures_on_a_tiny_prott5(tiny_t5, tmp_path, monkeypatch):
    """The commands of the README's 'Train the full model', in order."""
    rng = np.random.default_rng(0)
    k = np.arange(40)
    coil = np.stack([2.3 * np.cos(1.745 * k), 2.3 * np.sin(1.745 * k), 1.5 * k], axis=1)
    pd.DataFrame(
        [
            {
                "id": f"c{n}",
                "sequence": "".join(rng.choice(list("ACDEFGHIKL"), 40)),
                "ca": (coil + rng.normal(0, 0.8 * (n % 3), coil.shape)).ravel(),
                "split_group": n // 3,
            }
            for n in range(90)
        ]
    ).to_parquet(tmp_path / "chains.parquet")
    effects = [
        {
            "assay": f"s{n}",
            "kind": kind,
            "sequence": sequence,
            "group": str(n),
            "side": side,
            "mutant": f"{sequence[i]}{i + 1}W",
            "value": float(i % 2),
        }
        for n, (kind, side) in enumerate(
            [("scan", s) for s in ("train", "validation", "test")]
            + [("clinical", s) for s in ("train", "validation", "test")]
        )
        for sequence in ["".join(rng.choice(list("ACDEFGHIKL"), 40))]
        for i in range(20)
    ]
    pd.DataFrame(effects).to_parquet(tmp_path / "effects.parquet")
    monkeypatch.setenv("GLASS_PROTT5", str(tiny_t5))
    monkeypatch.setenv("GLASS_DEVICE", "cpu")
    where = ("--embedder", "prott5", "--cache", tmp_path / "cache", "--accelerator", "cpu")
    said = shell(
        "build-pairs",
        tmp_path / "chains.parquet",
        "--out",
        tmp_path / "pairs",
        "--per-bin",
        "4",
        "--rounds",
        "1",
        "--chunk",
        "8",
        "--workers",
        "1",
    )
    assert "train" in said and "test" in said
    said = shell(
        "train",
        "--pairs",
        tmp_path / "pairs",
        "--out",
        tmp_path / "models" / "mine",
        "--preset",
        "paper",
        "--epochs",
        "1",
        *where,
    )
    assert json.loads(said)["steps"] >= 1
    shell(
        "train-fold",
        "--pairs",
        tmp_path / "pairs",
        "--model",
        tmp_path / "models" / "mine",
        "--steps",
        "4",
        "--every",
        "2",
        *where,
    )
    shell(
        "train-effect",
        tmp_path / "effects.parquet",
        "--model",
        tmp_path / "models" / "mine",
        "--steps",
        "4",
        "--every",
        "2",
        *where,
    )
    shell(
        "evaluate",
        tmp_path / "models" / "mine",
        "--pairs",
        tmp_path / "pairs",
        "--effects",
        tmp_path / "effects.parquet",
        "--out",
        tmp_path / "models" / "mine" / "evaluation",
    )
    records = read_evaluations(tmp_path / "models" / "mine")
    assert {"fold", "scan", "clinical"} <= set(records)
    assert "encoder's letters" not in records["scan"].content["figures"]
    monkeypatch.setenv("GLASS_MODELS", str(tmp_path / "models"))
    assert "mine" in shell("models")
    out = shell(
        "impact", "--wild", "ACDEFGHIKLACDEFGHIKL", "--variant", "C2W", "--model", "mine", "--json"
    )
    told = json.loads(out)["prediction"]["told"]
    assert 0 <= told["p_damaging"] <= 1 and 1 <= told["site_rank"] <= 19


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "compact", "--out", "x"),
        ("train", "--pairs", "nowhere", "--out", "x", "--preset", "other"),
        ("build-pairs", "nowhere", "--out", "x"),
        ("train-effect", "nowhere.parquet", "--model", "nowhere"),
    ],
)
def test_wrong_use_is_one_line(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(main, list(words))
    assert found.exit_code == 2
    assert found.stderr.startswith("Error: ") and found.stderr.count("\n") == 1
