"""What is trained on: splits, chains, pairs, masked batches, effects."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from glass_core.embedders.compact_encoder import MASK_TOKEN, tokenise
from glass_core.errors import InputError
from glass_core.search.mmseqs import is_leak
from glass_core.training.batches import IGNORED, Corpus, Example, burial_of, make_batch
from glass_core.training.data.assays import Assay, AssayDraw, parse_singles, read_assays
from glass_core.training.data.candidates import Candidates, distance_profile, tm_bin
from glass_core.training.data.chains import read_chains
from glass_core.training.data.pairs import (
    PAIR_COLUMNS,
    PairPlan,
    build_pairs,
    label_pair,
    read_listed,
    read_shards,
)
from glass_core.training.data.splits import (
    largest,
    protein_sides,
    side_of_digit,
    split_lists,
    split_of,
    split_of_name,
)
from glass_core.training.data.tables import read_columns
from glass_core.training.encoder import IGNORED as NO_BIN
from glass_core.training.encoder import distance_targets

SPLIT_FILE = Path(__file__).parents[1] / "assets" / "models" / "compact" / "split.json"


def helix(n: int, seed: int = 0, noise: float = 0.0) -> np.ndarray:
    """An ideal helix of C-alpha atoms, shape=(n, 3) in Å, blurred by `noise` Å."""
    k = np.arange(n)
    coord = np.stack([2.3 * np.cos(1.745 * k), 2.3 * np.sin(1.745 * k), 1.5 * k], axis=1)
    return coord + np.random.default_rng(seed).normal(0, noise, (n, 3))


def run_here(function, items):
    """In place of a cluster: one after the other, last first."""
    for place in reversed(range(len(items))):
        yield place, function(items[place])


@pytest.fixture
def chain_table(tmp_path) -> Path:
    """A table of 60 chains in 20 families of three."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "id": f"c{k}",
            "sequence": "".join(rng.choice(list("ACDEFGHIKL"), 45)),
            "ca": helix(45, k, 0.8 * (k % 3)).ravel(),
            "cluster40": k // 3,
            "split_group": k // 3,
        }
        for k in range(60)
    ]
    path = tmp_path / "chains.parquet"
    pd.DataFrame(rows).to_parquet(path)
    return path


def test_sides_follow_the_last_digit():
    for group in range(200):
        digit = hashlib.md5(str(group).encode(), usedforsecurity=False).hexdigest()[-1]
        wanted = {"0": "test", "1": "test", "2": "validation"}.get(digit, "train")
        assert split_of(group, largest_group=-1) == wanted
        assert split_of(group, largest_group=group) == "train"
        assert split_of_name(str(group), "-1") == wanted
    assert protein_sides(["ab0", "ab1", "ab2", "abf"]) == ["test", "test", "validation", "train"]


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
        assert lists[f"proteins_{side}"]
        assert all(side_of_digit(name[-1]) == side for name in lists[f"proteins_{side}"])


@pytest.mark.data
def test_committed_lists_are_those_of_the_data(shared_data):
    groups = pd.read_parquet(shared_data / "structures/chains.parquet", columns=["split_group"])[
        "split_group"
    ]
    lists = json.loads(SPLIT_FILE.read_text())
    fresh = split_lists([int(g) for g in groups])
    assert {k: lists[k] for k in fresh} == fresh


def test_chains_of_a_table(chain_table):
    chains = read_chains(chain_table, pytest.fail)
    assert len(chains) == 60
    assert chains["ca"].iloc[0].shape == (45, 3)
    per_group = chains.groupby("group")["side"].nunique()
    assert (per_group == 1).all()
    fewer = read_chains(chain_table, pytest.fail, ("split_group < 5",))
    assert len(fewer) == 45


def test_chains_of_a_folder(tmp_path, globin_file):
    (tmp_path / "broken.pdb").write_text("<html>not found</html>")
    (tmp_path / "2gtl.pdb").write_bytes(globin_file.read_bytes())
    rejected: list[str] = []
    chains = read_chains(tmp_path, rejected.append)
    assert "2gtl_A" in set(chains["id"])
    assert len(rejected) == 1 and rejected[0].startswith("broken.pdb")
    assert chains["group"].nunique() == 1, "chains of one file stay together"


@pytest.mark.parametrize("content", ["nothing", "columns"])
def test_chains_that_cannot_be_read_are_refused(content, tmp_path):
    path = tmp_path / "x.parquet"
    if content == "columns":
        pd.DataFrame({"id": ["a"]}).to_parquet(path)
    with pytest.raises(InputError):
        read_chains(path, pytest.fail)


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


def test_drawn_pairs_are_new_capped_and_ask_the_pool_that_fills(chain_table):
    chains = read_chains(chain_table, pytest.fail)
    candidates = Candidates(chains, cap=4)
    nothing = pd.DataFrame(columns=["first", "second", "pool", "tm"])
    drawn = candidates.draw(40, nothing, 50, np.random.default_rng(0))
    pairs = {frozenset(p) for p in drawn[["first", "second"]].to_numpy().tolist()}
    assert len(pairs) == len(drawn) > 10
    ends = [(chains["group"][row.first], chains["group"][row.second]) for row in drawn.itertuples()]
    used = [(g, a == b) for a, b in ends for g in {a, b}]
    assert max(used.count(u) for u in set(used)) <= 4, "inside a group and out of it"
    free = Candidates(chains, cap=10_000)
    gave = [("cluster", 0.3)] * 9 + [("group", 0.5)] * 9 + [("alike", 0.7)] * 9
    gave += [("random", 0.9)] * 3
    seen = pd.DataFrame(gave, columns=["pool", "tm"]).assign(first=range(30), second=range(30, 60))
    again = free.draw(4, seen, 50, np.random.default_rng(2))
    assert (again["pool"] == "random").all(), "only random pairs reached the emptiest bin"
    assert free.draw(20, seen, 0, np.random.default_rng(2)).empty, "every bin is full"


def build(chain_table, out, run=run_here, **changes):
    plan = PairPlan(per_bin=6, chunk=4, chunks_per_round=3, rounds=2, **changes)
    return build_pairs(read_chains(chain_table, pytest.fail), out, plan, run)


def test_pairs_lie_on_one_side_and_hold_their_truth(chain_table, tmp_path):
    table = read_shards(build(chain_table, tmp_path / "pairs"))
    assert list(table.columns) == list(PAIR_COLUMNS)
    chains = read_chains(chain_table, pytest.fail).set_index("id")
    for row in table.itertuples():
        assert chains["side"][row.reference_id] == chains["side"][row.subject_id] == row.side
        assert len(row.lddt) * 2 == len(row.aligned)
    assert not table.duplicated(["reference_id", "subject_id"]).any()
    assert {"train", "test"} <= set(table["side"])


def test_a_killed_build_goes_on_with_nothing_lost_or_doubled(chain_table, tmp_path):
    whole = read_shards(build(chain_table, tmp_path / "whole"))
    calls = 0

    def killed(function, items):
        nonlocal calls
        for place, item in enumerate(items):
            calls += 1
            if calls == 4:
                raise KeyboardInterrupt
            yield place, function(item)

    with pytest.raises(KeyboardInterrupt):
        build(chain_table, tmp_path / "parts", killed)
    done = len(list((tmp_path / "parts" / "shards").glob("*.parquet")))
    assert done == 3
    again = read_shards(build(chain_table, tmp_path / "parts"))
    pd.testing.assert_frame_equal(again, whole)


def test_a_folder_belongs_to_one_plan(chain_table, tmp_path):
    build(chain_table, tmp_path / "pairs")
    with pytest.raises(InputError, match="another plan"):
        build(chain_table, tmp_path / "pairs", seed=1)


def test_listed_pairs_in_tm_vecs_layout(chain_table, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("chain_1,chain_2,tm_score\nc0,c1,0.9\nc3,c4,0.8\nc0,gone,0.1\n")
    chains = read_chains(chain_table, pytest.fail)
    out = build_pairs(chains, tmp_path / "out", PairPlan(), run_here, listed=read_listed(path))
    table = read_shards(out)
    assert table["reference_id"].tolist() == ["c0", "c3"]
    assert 0 < table["tm"].min() <= 1, "measured anew"


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_pairs(chain_table, tmp_path):
    from dask.distributed import LocalCluster

    from glass_core.compute import dask_runner

    here = read_shards(build(chain_table, tmp_path / "here"))
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        dask_runner(cluster.scheduler_address) as run,
    ):
        there = read_shards(build(chain_table, tmp_path / "there", run))
    pd.testing.assert_frame_equal(there, here)


def test_masking_asks_only_for_known_letters():
    rng = np.random.default_rng(0)
    examples = [Example("ACDEFGHIKLMNPQRSTVWY" * 15, "H-EC" * 75) for _ in range(8)]
    examples.append(Example("X" * 50, disorder="01-" * 16 + "01"))
    batch = make_batch(examples, rng, 320)
    original, _ = tokenise([e.sequence for e in examples])
    asked = (batch.letters != IGNORED)[:, :300]
    assert not asked[-1].any()
    assert 0.08 < asked[:-1].float().mean() < 0.22
    assert torch.equal(batch.letters[:, :300][asked], original[asked])
    assert torch.equal(batch.tokens[:, :300][~asked], original[~asked])
    assert 0.65 < (batch.tokens[:, :300][asked] == MASK_TOKEN).float().mean() < 0.95
    assert batch.mask.sum() == 8 * 300 + 50
    assert batch.secondary[0, :4].tolist() == [0, IGNORED, 1, 2]
    assert (batch.secondary[-1] == IGNORED).all()
    assert torch.isnan(batch.disorder[:-1]).all()
    assert batch.disorder[-1, :2].tolist() == [0.0, 1.0] and torch.isnan(batch.disorder[-1, 2])


def test_windows_cut_everything_alike():
    ca = helix(8).astype(np.float32)
    cut = Example("ACDEFGHI", "HHHHEEEE", None, "00001111", ca, burial_of(ca)).window(2, 3)
    assert (cut.sequence, cut.secondary, cut.conservation, cut.disorder) == (
        "DEF",
        "HHE",
        None,
        "001",
    )
    np.testing.assert_array_equal(cut.ca, ca[2:5])
    assert len(cut.burial) == 3


def test_burial_counts_neighbours():
    line = np.stack([np.arange(5) * 6.0, np.zeros(5), np.zeros(5)], axis=1)
    count = burial_of(line) * 8 + 17
    np.testing.assert_allclose(count, [1, 2, 2, 2, 1], atol=1e-5)


def test_distance_bins_by_hand():
    ca = torch.zeros(1, 20, 3)
    ca[0, :, 0] = torch.arange(20) * 1.3
    ca[0, 19] = float("nan")
    bins = distance_targets(ca)[0]
    assert bins[0, 5] == NO_BIN, "too near along the chain"
    assert bins[0, 6] == 0 and bins[0, 7] == 1 and bins[0, 10] == 2 and bins[0, 15] == 3
    assert (bins[19] == NO_BIN).all()


def test_clusters_count_once_and_batches_repeat():
    table = pd.DataFrame(
        {
            "source": "natural",
            "cluster": ["big"] * 50 + ["small"],
            "sequence": ["A" * 60] * 50 + ["C" * 60],
            "secondary": None,
            "conservation": None,
            "disorder": None,
            "ca": None,
        }
    )
    corpus = Corpus(table, {"natural": 1.0})
    first = corpus.batch(6400, 0, 0)
    assert first.tokens.shape == (100, 64)
    share = (first.letters == 1).sum() / (first.letters != IGNORED).sum()
    assert 0.3 < share < 0.7
    assert torch.equal(first.tokens, corpus.batch(6400, 0, 0).tokens)
    assert not torch.equal(first.tokens, corpus.batch(6400, 0, 1).tokens)


def test_widths_are_drawn_by_their_residues():
    table = pd.DataFrame(
        {
            "source": "natural",
            "cluster": range(20),
            "sequence": ["A" * 50] * 10 + ["C" * 500] * 10,
            "secondary": None,
            "conservation": None,
            "disorder": None,
            "ca": None,
        }
    )
    corpus = Corpus(table, {"natural": 1.0})
    np.testing.assert_allclose(corpus.width_share, [50 / 370, 0, 0, 0, 320 / 370])


def test_single_substitutions_are_parsed():
    index, letter = parse_singles(["A1C", "W20Y", "A1C:D2E", "A1*", "A1X"])
    assert index.tolist() == [0, 19, -1, -1, -1]
    assert letter[:2].tolist() == [1, 19]


def assay(kind="scan", sequence="ACDEFGHIKLMNPQRSTVWY" * 3, n=30, name="one", group="a"):
    rng = np.random.default_rng(0)
    value = rng.integers(0, 2, n) if kind == "clinical" else rng.normal(size=n)
    return Assay(
        name,
        kind,
        sequence,
        np.arange(n),
        (np.arange(n) + 1) % 20,
        value.astype(np.float32),
        group,
        "train",
    )


def test_assays_of_a_table(tmp_path):
    rows = [
        {
            "assay": "one",
            "kind": "scan",
            "sequence": "ACDEFGHIKLMN",
            "mutant": m,
            "value": v,
            "group": "g",
            "side": "test",
        }
        for v, m in enumerate(
            ["A1G", "C2G", "D3G", "E4G", "F5G", "G6A", "H7G", "I8G", "K9G", "L10G", "L99G"]
        )
    ]
    label = {
        "assay": "p",
        "kind": "clinical",
        "sequence": "MMM",
        "mutant": "M1A",
        "value": 1.0,
        "group": "h",
        "side": "train",
    }
    path = tmp_path / "effects.parquet"
    pd.DataFrame([*rows, label, {**rows[0], "assay": "too small"}]).to_parquet(path)
    clinical, scan = read_assays(path)
    assert (scan.name, scan.side, len(scan.value)) == ("one", "test", 10)
    assert clinical.kind == "clinical" and clinical.value.tolist() == [1.0]
    pd.DataFrame(rows).drop(columns="side").to_parquet(path)
    with pytest.raises(InputError, match="side"):
        read_assays(path)


def test_ranks_and_windows_of_an_assay():
    whole = assay()
    ranks = whole.ranked()
    assert ranks.min() > -1 and ranks.max() < 1
    assert np.array_equal(np.argsort(ranks), np.argsort(whole.value))
    part = whole.window(10, 15)
    assert part.sequence == whole.sequence[10:25] and part.whole == whole.sequence
    assert part.index.tolist() == list(range(15)) and part.start == 10
    np.testing.assert_array_equal(part.value, whole.value[10:25])


def test_drawn_assays_fit_and_cover_all_kinds():
    source = AssayDraw(
        [assay(), assay("clinical", name="labels"), assay("ddg", name="far", sequence="A" * 2000)],
        {"scan": 1.0, "clinical": 1.0, "ddg": 1.0},
    )
    drawn = [source.draw(np.random.default_rng(k), 40) for k in range(30)]
    assert {a.kind for a in drawn} == {"scan", "clinical", "ddg"}
    assert all(len(a.sequence) <= 40 and len(a.value) for a in drawn)


@pytest.mark.parametrize(
    "content, words",
    [(b"no table", "bad.parquet: is no Parquet table"), (None, "bad.parquet: is no Parquet table")],
)
def test_a_table_that_cannot_be_read_is_one_line(content, words, tmp_path):
    path = tmp_path / "bad.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_columns(path, ["a"])


def test_columns_of_a_table_are_read_or_named(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1], "b": [2], "c": [3]}).to_parquet(path)
    assert list(read_columns(path, ["c", "a"])) == ["c", "a"]
    with pytest.raises(InputError, match="lacks the column d, e"):
        read_columns(path, ["e", "a", "d"])
