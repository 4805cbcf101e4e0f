"""Training steps on tiny inputs: splits, pairs, masking, losses, exact resume, figures."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from glass_core.embedders.compact import MASK_TOKEN, CompactConfig, CompactEncoder, tokenise
from glass_core.errors import InputError
from glass_core.models.siamese import SiameseConfig, SiameseTransformer
from glass_core.training.batches import IGNORED, crop, learning_rate, masked_batch
from glass_core.training.evaluate import Scored, similarity, summarise, weighted_correlation
from glass_core.training.head import HeadConfig, Pairs, forward_pairs, pair_loss, train_head
from glass_core.training.pairs import (
    distance_profile,
    fold_pairs,
    label_pair,
    read_chains,
    tm_bin,
)
from glass_core.training.pretrain import Corpus, PretrainConfig, pretrain
from glass_core.training.splits import is_leak, largest, split_lists, split_of

SPLIT_FILE = Path(__file__).parents[1] / "assets" / "models" / "compact" / "split.json"
TINY = CompactConfig(dim=16, layers=1, heads=2, feedforward=24, conv_layers=1)


def helix(n: int, seed: int = 0, noise: float = 0.0) -> np.ndarray:
    """An ideal helix of C-alpha atoms, shape=(n, 3) in Å, blurred by `noise` Å."""
    k = np.arange(n)
    coord = np.stack([2.3 * np.cos(1.745 * k), 2.3 * np.sin(1.745 * k), 1.5 * k], axis=1)
    return coord + np.random.default_rng(seed).normal(0, noise, (n, 3))


def test_sides_follow_the_last_digit():
    for group in range(200):
        digit = hashlib.md5(str(group).encode(), usedforsecurity=False).hexdigest()[-1]
        wanted = {"0": "test", "1": "test", "2": "validation"}.get(digit, "train")
        assert split_of(group, largest_group=-1) == wanted
        assert split_of(group, largest_group=group) == "train"


def test_largest_group_and_lists():
    assert largest([5, 5, 3, 3, 9]) == 3
    with pytest.raises(InputError):
        largest([])
    lists = split_lists([*range(100), 7, 7])
    assert lists["largest_group"] == 7
    assert sum(lists["chains"].values()) == 102
    assert sum(lists["groups"].values()) == 100
    assert not set(lists["test"]) & set(lists["validation"])
    assert 7 not in lists["test"]


@pytest.mark.parametrize(
    ("identity", "aligned", "lengths", "leak"),
    [
        (0.40, 50, (100, 300), True),
        (0.39, 100, (100, 300), False),
        (0.90, 19, (40, 300), False),
        (0.90, 20, (40, 300), True),
        (0.90, 50, (400, 400), True),  # a shared domain, though only an eighth of either
    ],
)
def test_leaks(identity, aligned, lengths, leak):
    assert is_leak(identity, aligned, *lengths) is leak


def test_committed_lists_obey_the_rule():
    lists = json.loads(SPLIT_FILE.read_text())
    for side in ("test", "validation"):
        assert lists[side] == sorted(set(lists[side]))
        assert len(lists[side]) == lists["groups"][side]
        assert all(split_of(g, lists["largest_group"]) == side for g in lists[side])


@pytest.mark.data
def test_committed_lists_are_those_of_the_data(shared_data):
    groups = pd.read_parquet(
        shared_data / "structures/chains.parquet", columns=["split_group"]
    )["split_group"]
    lists = json.loads(SPLIT_FILE.read_text())
    fresh = split_lists([int(g) for g in groups])
    assert {k: lists[k] for k in fresh} == fresh


@pytest.mark.data
def test_no_restricted_chain_and_no_model_is_trained_on(shared_data):
    chains = read_chains(shared_data)
    assert not chains["license_note"].str.contains("NC-SA|non-commercial", case=False).any()
    assert "model" not in set(chains["kind"])


@pytest.mark.parametrize(
    ("tm", "index"), [(0.1, None), (0.2, 0), (0.39, 0), (0.4, 1), (0.6, 2), (0.8, 3), (1.0, 3)]
)
def test_bins(tm, index):
    assert tm_bin(tm) == index


def test_labels_of_a_pair():
    ca, sequence = helix(40), "A" * 40
    turned = ca @ np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]) + 5
    for facing in (False, True):
        label = label_pair(ca, turned, sequence, sequence, facing)
        assert label["tm"] == pytest.approx(1, abs=1e-4)
        assert label["aligned"].reshape(-1, 2).tolist() == [[i, i] for i in range(40)]
        np.testing.assert_allclose(label["lddt"], 1, atol=1e-6)
    bent = helix(40, noise=1.0)
    assert label_pair(ca, bent, sequence, sequence, True)["lddt"].mean() < 0.95


def test_profile_ignores_the_frame_and_short_chains_have_one():
    ca = helix(60, noise=0.5)
    np.testing.assert_allclose(distance_profile(ca), distance_profile(-ca + 3), atol=1e-9)
    assert np.isfinite(distance_profile(helix(10))).all()


def test_fold_pairs_respect_bins_cap_and_groups():
    n = 24
    chains = pd.DataFrame({
        "sequence": ["A" * 45] * n, "length": 45, "cluster40": np.arange(n) // 2,
        "split_group": np.arange(n) // 2, "ca": [helix(45, k, 1.5 * (k % 4)) for k in range(n)],
    })
    rows = list(fold_pairs(chains, 4, 20, np.random.default_rng(0), cap=3))
    bins = [tm_bin(r["tm"]) for r in rows]
    assert rows and max(bins.count(b) for b in set(bins)) <= 4
    used = [g for r in rows for g in {r["group"], r["subject_group"]}]
    assert max(used.count(g) for g in set(used)) <= 3
    assert all(len(r["lddt"]) * 2 == len(r["aligned"]) for r in rows)


def test_masking_asks_only_for_known_letters():
    rng = np.random.default_rng(0)
    batch = masked_batch(["ACDEFGHIKLMNPQRSTVWY" * 20, "X" * 50], ["H-EC" * 100, None], rng)
    original, mask = tokenise(["ACDEFGHIKLMNPQRSTVWY" * 20, "X" * 50])
    asked = batch.letters != IGNORED
    assert not asked[1].any()
    assert 0.10 < asked[0].float().mean() < 0.20
    assert torch.equal(batch.letters[asked], original[asked])
    assert torch.equal(batch.tokens[~asked], original[~asked])
    hidden = (batch.tokens[asked] == MASK_TOKEN).float().mean()
    assert 0.65 < hidden < 0.95
    assert torch.equal(batch.mask, mask)
    assert batch.states[0, :4].tolist() == [0, IGNORED, 1, 2]
    assert (batch.states[1] == IGNORED).all()


def test_windows_cut_labels_alike():
    sequence, states = crop("ABCDEFGH", "abcdefgh", 3, np.random.default_rng(0))
    assert len(sequence) == 3 and states == sequence.lower()
    assert crop("ABC", None, 3, np.random.default_rng(0)) == ("ABC", None)


def test_learning_rate_rises_then_falls():
    rates = [learning_rate(s, 100, 1.0, 10) for s in range(100)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == pytest.approx(1)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0.05 <= rates[-1] < 0.06


def test_clusters_count_once():
    sequences = pd.DataFrame({
        "sequence": ["A" * 40] * 50 + ["C" * 40], "cluster": ["big"] * 50 + ["small"],
    })
    labelled = pd.DataFrame({
        "sequence": ["G" * 40], "label": ["H" * 40], "resolved": ["1" * 20 + "0" * 20],
    })
    corpus = Corpus(sequences, labelled)
    config = PretrainConfig(tokens=4000, labelled_share=0.0)
    first = corpus.batch(config, 0)
    share = (first.letters == 1).sum() / (first.letters != IGNORED).sum()
    assert 0.3 < share < 0.7
    assert torch.equal(first.tokens, corpus.batch(config, 0).tokens)
    assert not torch.equal(first.tokens, corpus.batch(config, 1).tokens)
    only = corpus.batch(PretrainConfig(tokens=400, labelled_share=1.0), 0)
    assert (only.states[:, :20] == 0).all() and (only.states[:, 20:] == IGNORED).all()


def test_pretraining_resumes_on_the_same_curve(tmp_path):
    rng = np.random.default_rng(3)
    sequences = pd.DataFrame({
        "sequence": ["".join(rng.choice(list("ACDEFG"), 40)) for _ in range(20)],
        "cluster": range(20),
    })
    labelled = pd.DataFrame({
        "sequence": ["ACDEFG" * 6], "label": ["HEC" * 12], "resolved": ["1" * 36],
    })
    corpus = Corpus(sequences, labelled)

    def run(steps: int, name: str) -> list[tuple[float, float]]:
        torch.manual_seed(0)
        # The schedule is that of the whole run; a shorter one is a run that was stopped.
        config = PretrainConfig(steps=6, tokens=300, warmup=2)
        stopped = tmp_path / name

        def batch_of(step: int):
            if step >= steps:
                raise KeyboardInterrupt
            return corpus.batch(config, step)

        try:
            return pretrain(CompactEncoder(TINY), batch_of, config, stopped, every=3)
        except KeyboardInterrupt:
            return []

    whole = run(6, "whole.pt")
    assert run(4, "parts.pt") == []
    np.testing.assert_allclose(run(6, "parts.pt"), whole, rtol=1e-5)
    assert len(whole) == 6


def test_loss_by_hand():
    nan = float("nan")
    tm = torch.tensor([0.5, 0.5, 0.9, 0.8])
    true_tm = torch.tensor([0.05, 0.3, 0.8, 0.7])
    lddt = [torch.tensor([0.5, 0.5])] * 4
    true_lddt = [torch.tensor([0.9, 0.9]), torch.tensor([0.9, 0.9]),
                 torch.tensor([0.7, nan]), torch.tensor([0.4, 0.8])]
    wanted = np.mean([0.2, 0.7 * 0.2 + 0.3 * 0.1, 0.7 * 0.2 + 0.3 * 0.1])
    assert float(pair_loss(tm, true_tm, lddt, true_lddt)) == pytest.approx(wanted, abs=1e-6)
    assert float(pair_loss(tm[:1], true_tm[:1], lddt[:1], true_lddt[:1])) == 0


def pair_table(n: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for k in range(n):
        length = 20 + k
        sequence = "".join(rng.choice(list("ACDEFGHIKL"), length))
        aligned = np.stack([np.arange(length)] * 2, axis=1).astype(np.int16).ravel()
        rows.append({
            "kind": "fold" if k % 2 else "point_mutant", "reference": sequence,
            "subject": "W" + sequence[1:], "group": k, "rearranged": k == 0,
            "tm": 0.3 + 0.08 * k, "aligned": aligned,
            "lddt": np.full(length, 0.8, dtype=np.float32),
        })
    return pd.DataFrame(rows)


def tiny_pair() -> tuple[CompactEncoder, SiameseTransformer]:
    torch.manual_seed(0)
    head = SiameseTransformer(SiameseConfig(
        prottrans_dim=16, hidden_dim=16, output_dim=16, nhead=2, num_layers=1, dropout=0.0
    ))
    return CompactEncoder(TINY), head


def test_long_and_rearranged_pairs_are_not_trained_on():
    pairs = Pairs(pair_table(), longest=25)
    assert pairs.table["reference"].str.len().max() <= 25
    assert not pairs.table["rearranged"].any()


def test_predictions_of_pairs_do_not_depend_on_their_company():
    encoder, head = tiny_pair()
    encoder.eval()
    head.eval()
    table = pair_table()
    tm, lddt = forward_pairs(encoder, head, table)
    alone, track = forward_pairs(encoder, head, table.iloc[2:3])
    torch.testing.assert_close(tm[2:3], alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(lddt[2], track[0], atol=1e-5, rtol=0)
    assert [len(t) for t in lddt] == [len(s) for s in table["reference"]]


def test_head_training_resumes_on_the_same_curve(tmp_path, monkeypatch):
    pairs = Pairs(pair_table(), longest=64)
    config = HeadConfig(steps=6, batch=3, warmup=2)

    def run(checkpoint: Path) -> list[float]:
        return train_head(*tiny_pair(), pairs, pairs, config, checkpoint, every=3)

    whole = run(tmp_path / "whole.pt")
    draw = Pairs.draw

    def stop_at_four(self, config, step):
        if step == 4:
            raise KeyboardInterrupt
        return draw(self, config, step)

    monkeypatch.setattr(Pairs, "draw", stop_at_four)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts.pt")
    monkeypatch.setattr(Pairs, "draw", draw)
    np.testing.assert_allclose(run(tmp_path / "parts.pt"), whole, rtol=1e-5)


def test_correlation_with_weights():
    x, y = np.array([0.0, 1, 2, 9]), np.array([0.0, 2, 4, -9])
    assert weighted_correlation(x, y, np.array([1.0, 1, 1, 0])) == pytest.approx(1)
    assert np.isnan(weighted_correlation(np.ones(4), y, np.ones(4)))


def test_rounding_is_no_correlation():
    table = pair_table()
    noise = np.random.default_rng(0).uniform(-2e-7, 2e-7, len(table))
    figures = summarise(table, Scored(1 + noise, [
        1 + np.random.default_rng(k).uniform(-2e-7, 2e-7, len(t))
        for k, t in enumerate(table["lddt"])
    ]))
    assert figures["tm_pearson"]["value"] is None
    assert figures["tm_spearman"]["value"] is None
    assert figures["lddt_within_spearman"]["value"] is None
    assert figures["tm_mae"]["value"] == pytest.approx(np.mean(1 - table["tm"]), abs=1e-4)


def test_each_group_counts_once():
    table = pair_table(4)
    table["group"] = [1, 1, 1, 2]
    table["tm"] = [0.5, 0.5, 0.5, 0.9]
    ones = Scored(np.ones(4), [np.ones(len(t)) for t in table["lddt"]])
    assert summarise(table, ones)["tm_mae"]["value"] == pytest.approx((0.5 + 0.1) / 2)


def test_sequence_similarity_baselines():
    assert similarity("ACDEFGHIKL", "ACDEFGHIKL") == (1.0, 1.0)
    identity, blosum = similarity("ACDEFGHIKL", "ACDEFGHIRL")
    assert identity == pytest.approx(0.9) and 0.9 < blosum < 1
