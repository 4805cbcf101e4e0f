"""The training loop, its losses and the two recipes, on tiny models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from glass_core.embedders.cache import CachedEmbedder
from glass_core.embedders.compact import CompactEmbedder
from glass_core.embedders.compact_encoder import CompactConfig, CompactEncoder
from glass_core.errors import InputError, UnavailableError
from glass_core.models.card import ModelCard
from glass_core.models.checkpoint import load_heads, save_encoder
from glass_core.models.heads.siamese import SiameseConfig, SiameseTransformer
from glass_core.models.registry import load_predictor
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.settings import Settings
from glass_core.training import effect, precision
from glass_core.training.batches import Corpus
from glass_core.training.copies import MOST_CUT, Unpaired, exchange_rates, mutated
from glass_core.training.data.assays import Assay
from glass_core.training.data.pair_batches import PairBatch, Pairs
from glass_core.training.effect import (
    EFFECT_SCHEDULE,
    calibrate,
    correlation,
    effect_figures,
    effect_losses,
    train_effect,
)
from glass_core.training.encoder import EncoderTraining
from glass_core.training.loop import Schedule, Validation, data_sha256, fit
from glass_core.training.precision import check_precision, cpu_precision
from glass_core.training.residues import pad_residues
from glass_core.training.siamese import (
    HEAD_RECIPES,
    TM_SHARE,
    HeadTraining,
    contrast_loss,
    pair_loss,
    train_head,
)

TINY = CompactConfig(dim=16, layers=1, heads=2, feedforward=24, conv_layers=1)
CPU = torch.device("cpu")
LETTERS = list("ACDEFGHIKL")


def quiet(words: str) -> None:
    """Says nothing."""


@pytest.fixture(scope="module")
def embedder():
    torch.manual_seed(0)
    return CompactEmbedder(CompactEncoder(TINY), "tiny", CPU)


def random_sequence(rng: np.random.Generator, n: int) -> str:
    return "".join(rng.choice(LETTERS, n))


@pytest.fixture(scope="module")
def pair_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for k in range(24):
        sequence = random_sequence(rng, 30 + k)
        aligned = np.stack([np.arange(len(sequence))] * 2, axis=1).astype(np.int16).ravel()
        rows.append(
            {
                "kind": "fold" if k % 2 else "point_mutant",
                "reference": sequence,
                "subject": "W" + sequence[1:],
                "group": str(k),
                "subject_group": str(k),
                "side": ("train", "train", "validation", "test")[k % 4],
                "rearranged": k == 0,
                "tm": 0.3 + 0.025 * k,
                "aligned": aligned,
                "pool": "given",
                "reference_id": f"a{k}",
                "subject_id": f"b{k}",
                "lddt": np.full(len(sequence), 0.8, dtype=np.float32),
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def pairs_folder(pair_table, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pairs") / "shards"
    folder.mkdir()
    pair_table.to_parquet(folder / "given-00000.parquet")
    return folder


@pytest.fixture(scope="module")
def effects_file(tmp_path_factory) -> Path:
    rng = np.random.default_rng(1)
    rows = []
    for k, side in enumerate(["train", "train", "validation", "test"] * 2):
        sequence = random_sequence(rng, 40)
        kind = "stability" if k < 4 else "clinical"
        for i in range(20):
            mutant = "W" if i % 2 else "P"
            value = float(mutant == "P") if kind == "clinical" else (mutant == "P") + i / 100
            rows.append(
                {
                    "assay": f"{kind} {k}",
                    "kind": kind,
                    "sequence": sequence,
                    "mutant": f"{sequence[i]}{i + 1}{mutant}",
                    "value": value,
                    "group": str(k),
                    "side": side,
                }
            )
    path = tmp_path_factory.mktemp("effects") / "effects.parquet"
    pd.DataFrame(rows).to_parquet(path)
    return path


class Line(nn.Module):
    """A line through points; the smallest thing that can be trained."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 1)
        self.dropout = nn.Dropout(0.2)

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        loss = (self.layer(self.dropout(batch))[:, 0] - batch.sum(dim=1)).square().mean()
        return {"total": loss}


def points(number: int) -> torch.Tensor:
    return torch.randn(8, 3, generator=torch.Generator().manual_seed(number))


def test_learning_rate_rises_stays_and_falls():
    schedule = Schedule(steps=100, peak=1.0, warmup=10, decay=0.5)
    rates = [schedule.rate(s) for s in range(100)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == 1
    assert rates[10:50] == [1.0] * 40
    assert rates[50:] == sorted(rates[50:], reverse=True) and rates[-1] == pytest.approx(0.02)
    assert Schedule(steps=5, peak=0.3).rate(4) == 0.3


def test_training_lowers_the_loss_and_keeps_the_best(tmp_path):
    line, seen = Line(), []

    def validate():
        seen.append({k: v.clone() for k, v in line.state_dict().items()})
        return {"loss": [3.0, 1.0, 2.0, 4.0][len(seen) - 1]}

    history = fit(
        line,
        points,
        Schedule(steps=40, peak=0.05, every=10),
        tmp_path / "a.pt",
        validation=Validation(validate),
        say=quiet,
    )
    totals = [entry["total"] for entry in history.curve]
    assert np.mean(totals[-5:]) < np.mean(totals[:5])
    assert history.best_step == 20
    assert torch.equal(line.state_dict()["layer.weight"], seen[1]["layer.weight"])


def test_training_stops_when_validation_does_not_improve(tmp_path):
    history = fit(
        Line(),
        points,
        Schedule(steps=100, peak=0.01, every=5, patience=2),
        tmp_path / "a.pt",
        validation=Validation(lambda: {"loss": 1.0}),
        say=quiet,
    )
    assert len(history.curve) == 15


@pytest.mark.parametrize("stop", [3, 6, 7])
def test_a_killed_run_goes_on_along_the_same_curve(stop, tmp_path):
    schedule = Schedule(steps=9, peak=0.05, warmup=2, every=3, accumulate=2)
    whole = fit(Line(), points, schedule, tmp_path / "whole.pt", say=quiet)

    def killed(number: int) -> torch.Tensor:
        if number == 2 * stop:
            raise KeyboardInterrupt
        return points(number)

    with pytest.raises(KeyboardInterrupt):
        fit(Line(), killed, schedule, tmp_path / "parts.pt", say=quiet)
    line = Line()
    again = fit(line, points, schedule, tmp_path / "parts.pt", say=quiet)
    assert again.curve == whole.curve


def test_accumulated_batches_are_one_large_one(tmp_path):
    class Plain(Line):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = nn.Dropout(0.0)

    small, large = Plain(), Plain()
    fit(small, points, Schedule(steps=2, peak=0.05, accumulate=2), tmp_path / "s.pt", say=quiet)
    fit(
        large,
        lambda n: torch.cat([points(2 * n), points(2 * n + 1)]),
        Schedule(steps=2, peak=0.05),
        tmp_path / "l.pt",
        say=quiet,
    )
    torch.testing.assert_close(small.layer.weight, large.layer.weight)


def test_data_hashes_know_files_and_folders(tmp_path):
    (tmp_path / "a").write_text("x")
    one = data_sha256(tmp_path)
    (tmp_path / "a").write_text("y")
    assert data_sha256(tmp_path) != one
    two = data_sha256(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert data_sha256(tmp_path / "b") != two
    with pytest.raises(InputError):
        data_sha256(tmp_path / "gone")


def test_padding_is_to_few_widths():
    padded, mask = pad_residues([torch.ones(3, 2), torch.ones(65, 2)])
    assert padded.shape == (2, 128, 2)
    assert mask.sum().item() == padded[..., 0].sum().item() == 68


def test_the_encoder_learns_every_task(tmp_path):
    rng = np.random.default_rng(3)
    n = 40
    k = np.arange(n)
    ca = np.stack([2.3 * np.cos(1.745 * k), 2.3 * np.sin(1.745 * k), 1.5 * k], axis=1)
    table = pd.DataFrame(
        {
            "source": "all",
            "cluster": range(12),
            "sequence": [random_sequence(rng, n) for _ in range(12)],
            "secondary": "H" * n,
            "conservation": "19" * (n // 2),
            "disorder": "0" * n,
            "ca": [ca.ravel()] * 12,
        }
    )
    corpus = Corpus(table, {"all": 1.0})
    torch.manual_seed(0)
    training = EncoderTraining(CompactEncoder(TINY))
    history = fit(
        training,
        lambda number: corpus.batch(640, 0, number),
        Schedule(steps=30, peak=5e-3, every=10),
        tmp_path / "e.pt",
        say=quiet,
    )
    first, last = pd.DataFrame(history.curve[:5]).mean(), pd.DataFrame(history.curve[-5:]).mean()
    for name in ("secondary", "conservation", "disorder", "burial", "distance"):
        assert last[name] < first[name], name


def test_loss_by_hand():
    nan = float("nan")
    tm = torch.tensor([0.5, 0.5, 0.9, 0.8])
    true_tm = torch.tensor([0.05, 0.3, 0.8, 0.7])
    lddt = [torch.tensor([0.5, 0.5])] * 4
    true_lddt = [
        torch.tensor([0.9, 0.9]),
        torch.tensor([0.9, 0.9]),
        torch.tensor([0.7, nan]),
        torch.tensor([0.4, 0.8]),
    ]
    wanted = np.mean([0.2, 0.7 * 0.2 + 0.3 * 0.1, 0.7 * 0.2 + 0.3 * 0.1])
    assert float(pair_loss(tm, true_tm, lddt, true_lddt)) == pytest.approx(wanted, abs=1e-6)
    assert float(pair_loss(tm[:1], true_tm[:1], lddt[:1], true_lddt[:1])) == 0


def test_contrast_asks_only_chains_of_different_groups():
    alike = torch.tensor([[1.0, 0], [1, 0], [0.31, (1 - 0.31**2) ** 0.5]])
    assert float(contrast_loss(alike, ["a", "a", "b"])) == pytest.approx(0, abs=1e-6)
    same = torch.ones(2, 3)
    assert float(contrast_loss(same, ["a", "b"])) == pytest.approx(1 - 0.31 - 0.06, abs=1e-6)
    assert float(contrast_loss(same, ["a", "a"])) == 0


def tiny_head(seed: int = 0) -> SiameseTransformer:
    torch.manual_seed(seed)
    return SiameseTransformer(
        SiameseConfig(
            prottrans_dim=16, hidden_dim=16, output_dim=16, nhead=2, num_layers=1, dropout=0.0
        )
    )


def test_predictions_of_pairs_do_not_depend_on_their_company(embedder, pair_table):
    training = HeadTraining(
        tiny_head(), lambda sequences: [e.residues for e in embedder.embed(sequences)]
    ).eval()
    tm, lddt, _ = training.predict(PairBatch.of(pair_table))
    alone, track, _ = training.predict(PairBatch.of(pair_table.iloc[2:3]))
    torch.testing.assert_close(tm[2:3], alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(lddt[2], track[0], atol=1e-5, rtol=0)
    assert [len(t) for t in lddt] == [len(s) for s in pair_table["reference"]]


def test_an_epoch_sees_every_pair_once(pair_table):
    pairs = Pairs(pair_table, longest=100, batch=4)
    seen = [s for n in range(pairs.batches_per_epoch) for s in pairs.batch(n).reference]
    assert sorted(seen) == sorted(pairs.table["reference"])
    assert "AAAA" not in seen and len(seen) == 23, "the rearrangement is left out"
    assert pairs.batch(3).reference == pairs.batch(3).reference
    assert Pairs(pair_table, longest=40, batch=4).length.max() <= 40


def test_drawn_batches_hold_both_kinds(pair_table):
    pairs = Pairs(pair_table, longest=100, batch=8, near_share=0.5)
    near = set(pair_table.loc[pair_table["kind"] != "fold", "reference"])
    share = np.mean([s in near for n in range(20) for s in pairs.batch(n).reference])
    assert 0.3 < share < 0.7


def test_copies_keep_what_their_expected_tm_says():
    exchange = exchange_rates()
    np.testing.assert_allclose(exchange.sum(axis=1), 1)
    leucine = exchange[STANDARD.index("L")]
    assert leucine[STANDARD.index("I")] > 4 * leucine[STANDARD.index("D")]
    sequence = random_sequence(np.random.default_rng(0), 200)
    for seed in range(20):
        copy, tm = mutated(sequence, exchange, np.random.default_rng(seed))
        kept = len(copy) / len(sequence)
        assert 1 - MOST_CUT <= kept <= 1
        assert 0.7 * kept <= tm <= kept


def test_unpaired_sequences_are_a_function_of_the_number(embedder, pair_table):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "sequence": [random_sequence(rng, 60) for _ in range(12)] + ["ACD"],
            "cluster": [str(i // 2) for i in range(12)] + ["short"],
        }
    )
    unpaired = Unpaired(table, longest=50, pool=5)
    assert len(unpaired.sequences) == 5 == len(set(unpaired.groups))
    assert unpaired.draw(3, 4) == unpaired.draw(3, 4) != unpaired.draw(4, 4)
    assert {len(s) for s in unpaired.draw(0, 9).original} == {50}
    pairs = Pairs(pair_table, longest=100, batch=8, near_share=0.5, unpaired=unpaired)
    training = HeadTraining(
        tiny_head(), lambda sequences: [e.residues for e in embedder.embed(sequences)], contrast=0.5
    )
    batch = pairs.batch(0)
    assert len(batch.copies.original) == 4
    training.train()
    found = training(batch)
    wanted = found["pair"] + TM_SHARE * found["copies"] + 0.5 * found["contrast"]
    torch.testing.assert_close(found["total"], wanted)
    found["total"].backward()
    training.eval()
    assert set(training(batch)) == {"total", "pair", "tm"}, "validation sees measured pairs only"


def test_effect_losses_by_hand():
    score = torch.zeros(2, 4, 20)
    score[0, :3, 0] = torch.tensor([1.0, 2.0, 3.0])
    logit = torch.full((2, 4, 20), 2.0)
    scan = Assay(
        "s",
        "scan",
        "CCCC",
        np.arange(3),
        np.zeros(3, int),
        np.array([5, 6, 9], np.float32),
        "g",
        "train",
    )
    label = Assay(
        "c",
        "clinical",
        "CCCC",
        np.arange(2),
        np.zeros(2, int),
        np.array([1, 0], np.float32),
        "g",
        "train",
    )
    found = effect_losses(score, logit, [scan, label])
    assert float(found["rank"]) == pytest.approx(0, abs=1e-5)
    wanted = np.mean([np.log1p(np.exp(-2)), 2 + np.log1p(np.exp(-2))])
    assert float(found["label"]) == pytest.approx(wanted, abs=1e-5)
    assert float(correlation(torch.ones(4), torch.arange(4.0))) == 0


def test_figures_of_effects():
    scan = Assay(
        "s",
        "scan",
        "CCCC",
        np.arange(4),
        np.zeros(4, int),
        np.array([1, 2, 3, 4], np.float32),
        "g",
        "test",
    )
    label = Assay(
        "c",
        "clinical",
        "CCCC",
        np.arange(4),
        np.zeros(4, int),
        np.array([0, 1, 0, 1], np.float32),
        "g",
        "test",
    )
    table = np.zeros((4, 20), np.float32)
    table[:, 0] = [1, 2, 3, 4]
    figures = effect_figures([scan, label], lambda assay: (table, table))
    assert figures["scan"] == pytest.approx(1)
    assert figures["clinical"] == pytest.approx(0.75)
    assert figures["loss"] == pytest.approx(1 - 0.875)


def test_calibration_finds_scale_and_offset():
    rng = np.random.default_rng(0)
    logit = rng.normal(size=(4000, 20)).astype(np.float32)
    label = (rng.random(4000) < 1 / (1 + np.exp(-(2 * logit[:, 0] - 1)))).astype(np.float32)
    assay = Assay(
        "c", "clinical", "C" * 4000, np.arange(4000), np.zeros(4000, int), label, "g", "validation"
    )
    scale, offset = calibrate([assay], lambda a: (logit, logit))
    assert scale == pytest.approx(2, abs=0.2)
    assert offset == pytest.approx(-1, abs=0.15)
    assert calibrate([], lambda a: (logit, logit)) == (1.0, 0.0)


def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


def short(recipe: str = "compact"):
    from dataclasses import replace

    chosen = HEAD_RECIPES[recipe]
    return replace(
        chosen,
        batch=4,
        schedule=replace(chosen.schedule, steps=6, warmup=0, every=3),
        hidden=16 if recipe == "paper" else None,
    )


def test_a_head_is_trained_resumed_and_loads(embedder, pairs_folder, tmp_path, monkeypatch):
    folder = tmp_path / "encoder"
    save_encoder(folder, embedder.encoder)
    embedder = CompactEmbedder.load(folder, TINY.to_dict(), "tiny", CPU)

    def run(out: Path):
        return train_head(embedder, pairs_folder, out, short(), fabric(), version="1")

    whole = run(tmp_path / "whole")
    batch = Pairs.batch
    monkeypatch.setattr(
        Pairs,
        "batch",
        lambda self, number: (
            batch(self, number) if number != 4 else (_ for _ in ()).throw(KeyboardInterrupt)
        ),
    )
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts")
    monkeypatch.setattr(Pairs, "batch", batch)
    again = run(tmp_path / "parts")
    assert again.curve == whole.curve
    card = ModelCard.read(tmp_path / "parts")
    assert load_heads(card)["siamese"].config.prottrans_dim == 16
    record = json.loads((tmp_path / "parts" / "head-training.json").read_text())
    assert record["format"] == "glass-training/1"
    assert len(record["curve"]) == 6 and len(record["validation"]) == 2
    assert record["data_sha256"]["pairs"] == data_sha256(pairs_folder)
    predictor = load_predictor(Settings(models=tmp_path, device="cpu"), "parts")
    assert predictor.effects(Protein.from_sequence("ACDEF")) is None, "no effect head yet"


def test_the_papers_recipe_counts_epochs(embedder, pairs_folder, tmp_path):
    history = train_head(
        embedder, pairs_folder, tmp_path / "m", short("paper"), fabric(), version="1"
    )
    assert len(history.curve) == 5 * 3, "five epochs of eleven pairs in batches of four"
    record = json.loads((tmp_path / "m" / "head-training.json").read_text())
    schedule = record["config"]["recipe"]["schedule"]
    assert (schedule["peak"], schedule["weight_decay"], schedule["clip"]) == (1e-4, 1e-5, 1.0)
    assert record["config"]["recipe"]["contrast"] == 0
    assert HEAD_RECIPES["paper"].batch == 16 and HEAD_RECIPES["paper"].hidden == 512


def test_an_effect_head_is_trained_and_calibrated(
    embedder, pairs_folder, effects_file, tmp_path, monkeypatch
):
    from dataclasses import replace

    monkeypatch.setattr(effect, "EFFECT_TOKENS", 400)  # ten small proteins a step, not two hundred
    folder, model = tmp_path / "encoder", tmp_path / "m"
    save_encoder(folder, embedder.encoder)
    source = CompactEmbedder.load(folder, TINY.to_dict(), "tiny", CPU)
    train_head(source, pairs_folder, model, short(), fabric(), version="1")
    schedule = replace(EFFECT_SCHEDULE, steps=60, every=20, warmup=5, peak=3e-3)
    history = train_effect(source, effects_file, model, fabric(), schedule)
    assert history.validation[-1]["stability"] > 0.5, "proline is easily told from tryptophan"
    config = load_heads(ModelCard.read(model))["effect"].config
    assert (config.scale, config.offset) != (1, 0), "calibrated"
    predictor = load_predictor(Settings(models=tmp_path, device="cpu"), "m")
    table = predictor.effects(Protein.from_sequence("ACDEFGHIKL" * 4))
    assert table.probability[5, 12] > table.probability[5, 18], "P is called damaging, W is not"
    assert np.isnan(table.score[0, 0]), "the wild type's own letter has no score"


def test_weights_to_begin_with_are_kept_when_nothing_is_better(tmp_path):
    line = Line()
    before = line.layer.weight.detach().clone()
    values = iter([1.0, 2.0, 3.0])
    history = fit(
        line,
        points,
        Schedule(steps=4, peak=0.1, every=2),
        tmp_path / "a.pt",
        validation=Validation(lambda: {"loss": next(values)}, first=True),
        say=quiet,
    )
    assert history.best_step == 0 and len(history.validation) == 3
    assert torch.equal(line.layer.weight, before)


def test_embeddings_are_kept_by_content(embedder, tmp_path):
    calls: list[list[str]] = []

    class Counting(CompactEmbedder):
        def embed(self, sequences, progress=None):
            calls.append(list(sequences))
            return super().embed(sequences, progress)

    source = Counting(embedder.encoder, "tiny", CPU)
    cache = CachedEmbedder(source, tmp_path, 10**9)
    first = cache.embed(["ACD", "EFG", "ACD"])
    again = cache.embed(["EFG", "ACD"])
    assert calls == [["ACD", "EFG"]]
    assert torch.equal(first[0].residues, again[1].residues)
    cache.close()
    CachedEmbedder(Counting(embedder.encoder, "other", CPU), tmp_path, 10**9).embed(["ACD"])
    assert calls[-1] == ["ACD"], "another model has other embeddings"
    half = CachedEmbedder(source, tmp_path / "half", 10**9, stored=torch.float16)
    half.embed(["ACD"])
    torch.testing.assert_close(
        half.embed(["ACD"])[0].residues, first[0].residues, atol=5e-3, rtol=1e-2
    )


def test_the_cache_keeps_its_size(embedder, tmp_path):
    cache = CachedEmbedder(embedder, tmp_path, 300_000)
    rng = np.random.default_rng(0)
    for _ in range(60):
        cache.embed([random_sequence(rng, 200)])
    stored = sum(p.stat().st_size for p in tmp_path.rglob("*.val"))
    assert 0 < stored <= 400_000, "60 times 13 kB were put in"


# -- precision -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("fast", "chosen"), [(True, "bf16-mixed"), (False, "32-true")])
def test_bf16_is_for_processors_that_are_fast_in_it(monkeypatch, fast, chosen):
    monkeypatch.setattr(precision, "fast_bfloat16", lambda device: fast)
    assert cpu_precision() == chosen
    check_precision(chosen, CPU)
    check_precision("bf16-mixed", torch.device("cuda"))


@pytest.mark.parametrize("asked", ["bf16-mixed", "bf16-true"])
def test_bf16_is_refused_where_it_is_slow(monkeypatch, asked):
    monkeypatch.setattr(precision, "fast_bfloat16", lambda device: False)
    with pytest.raises(UnavailableError, match=f"'{asked}': .* use 32-true"):
        check_precision(asked, CPU)


def test_the_command_line_refuses_it_too(monkeypatch):
    from glass_core.training.setup import open_fabric

    monkeypatch.setattr(precision, "fast_bfloat16", lambda device: False)
    with pytest.raises(UnavailableError, match="use 32-true"):
        open_fabric("cpu", "1", 1, "auto", "bf16-mixed", None)
