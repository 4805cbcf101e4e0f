"""The alignment head: what it computes, how it is trained, what becomes of it in a model."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric
from scipy.special import erf, log_softmax

from glass_core.errors import InputError, RecordError
from glass_core.models.heads.alignment import ALONE, AlignmentConfig, AlignmentHead, letters_of
from glass_core.models.registry import load_predictor
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.sequence import STANDARD
from glass_core.search.aligners import HeadAligner, aligner_of
from glass_core.settings import Settings
from glass_core.training.alignment import (
    ALONE_WEIGHT,
    AlignmentTraining,
    FacingPair,
    facing_pairs,
    related_pairs,
    train_alignment,
)
from glass_core.training.data.pairs import PAIR_COLUMNS
from glass_core.training.data.relatives import likely_relatives
from glass_core.training.loop import Schedule
from tests.test_search_database import letters

SMALL = AlignmentConfig(
    6, channels=4, products=2, pair_channels=3, layers=1, dilations=(1, 2), dropout=0.5
)


def random_head(seed=0):
    """A head with no number at its default."""
    draw = torch.Generator().manual_seed(seed)
    head = AlignmentHead(SMALL)
    head.load_state_dict(
        {k: 0.5 * torch.randn(v.shape, generator=draw) for k, v in head.state_dict().items()}
    )
    return head.eval()


def gelu(x):
    return x * 0.5 * (1 + erf(x / math.sqrt(2)))


def normalised(x, weight=None, bias=None):
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return x if weight is None else x * weight + bias


def convolved(x, weight, bias, dilation):
    """Channels x rows x columns, by plain loops."""
    out, _, size, _ = weight.shape
    made = np.zeros((out, *x.shape[1:]))
    half = size // 2
    for o in range(out):
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                total = bias[o]
                for a in range(size):
                    for b in range(size):
                        r, c = i + (a - half) * dilation, j + (b - half) * dilation
                        if 0 <= r < x.shape[1] and 0 <= c < x.shape[2]:
                            total += weight[o, :, a, b] @ x[:, r, c]
                made[o, i, j] = total
    return made


def chain_of(w, residues, sequence):
    centred = normalised(residues) - w["centre"]
    x = centred @ w["enter.weight"].T + w["enter.bias"]
    x += w["letter.weight"][[(STANDARD + "X").index(s) for s in sequence]]
    seen = normalised(x, w["norms.0.weight"], w["norms.0.bias"])
    kernel, moved = w["along.0.weight"], np.zeros_like(x)
    for i in range(len(x)):
        moved[i] = w["along.0.bias"]
        for a in range(7):
            if 0 <= i + a - 3 < len(x):
                moved[i] += kernel[:, :, a] @ seen[i + a - 3]
    x = x + gelu(moved)
    channels = normalised(x) @ w["leave.weight"].T + w["leave.bias"]
    return centred, channels, (x @ w["alone.weight"].T + w["alone.bias"])[:, 0]


@torch.no_grad()
def test_scores_are_those_written_out_in_numpy():
    head = random_head()
    w = {k: v.double().numpy() for k, v in head.state_dict().items()}
    first, second = torch.randn(5, 6), torch.randn(7, 6)
    query, target = "MKXAY", "IAKQRQI"
    a, b = (chain_of(w, x.double().numpy(), s) for x, s in ((first, query), (second, target)))
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a[0], b[0])]
    alike = blosum62_matrix()
    products = [a[1][:, 2 * h : 2 * h + 2] @ b[1][:, 2 * h : 2 * h + 2].T for h in (0, 1)]
    seen = np.stack(
        [
            *(one / math.sqrt(2) for one in products),
            unit[0] @ unit[1].T,
            np.array([[alike[p, q] for q in target] for p in query]),
        ]
    )
    x = gelu(convolved(seen, w["first.weight"], w["first.bias"], 1))
    for layer, dilation in ((0, 1), (1, 2)):
        name = f"around.{layer}"
        x = x + gelu(convolved(x, w[f"{name}.weight"], w[f"{name}.bias"], dilation))
    last = convolved(x, w["last.weight"], w["last.bias"], 1)
    scores = (convolved(seen, w["direct.weight"], w["direct.bias"], 1) + last)[0]
    chains = head.chain(first, query), head.chain(second, target)
    np.testing.assert_allclose(head.pairs(*chains), scores, atol=1e-4)
    forth = log_softmax(np.concatenate([scores, a[2][:, None]], 1), axis=1)[:, :-1]
    back = log_softmax(np.concatenate([scores, b[2][None]], 0), axis=0)[:-1]
    counted, likely = head(*chains)
    np.testing.assert_allclose(counted, scores - ALONE * (a[2][:, None] + b[2]), atol=1e-4)
    np.testing.assert_allclose(likely, np.exp((forth + back) / 2), atol=1e-5)
    assert likely.min() >= 0 and likely.max() <= 1


def test_letters_and_shapes():
    assert letters_of("ACYX*").tolist() == [0, 1, 19, 20, 20]
    with pytest.raises(RecordError, match="multiple of products"):
        AlignmentConfig(8, channels=6, products=4)
    again = AlignmentConfig(**SMALL.to_dict())
    assert again == SMALL


@torch.no_grad()
def test_the_loss_is_that_of_choosing_the_facing_residue():
    head = random_head()
    residues = {"MKTA": torch.randn(4, 6), "IAKQR": torch.randn(5, 6)}
    weight = torch.tensor([1.0, 0.5])
    pair = FacingPair("MKTA", "IAKQR", torch.tensor([[0, 1], [2, 3]]), weight)
    training = AlignmentTraining(head, residues).eval()
    chains = [head.chain(residues[s], s) for s in ("MKTA", "IAKQR")]
    forth, back = (x.detach().numpy() for x in head.log_shares(head.pairs(*chains), *chains))
    alone = ALONE_WEIGHT
    lost = forth[0, 1] + 0.5 * forth[2, 3] + alone * (forth[1, 5] + forth[3, 5])
    lost += back[0, 1] + 0.5 * back[2, 3] + alone * (back[4, 0] + back[4, 2] + back[4, 4])
    total = 2 * 1.5 + alone * 5
    assert float(training.loss(pair)) == pytest.approx(-lost / total, rel=1e-5)
    turned = training.loss(pair.turned())
    assert turned != training.loss(pair)  # the head tells query and target apart
    assert float(training([pair, pair])["total"]) == pytest.approx(-lost / total, rel=1e-5)
    none = training.loss(pair.apart(pair.turned()))
    assert torch.isfinite(none)


def table(rows):
    """Pairs of sequences of which the second is the first without its ends."""
    made = []
    for number, (side, tm, cut) in enumerate(rows):
        reference = letters(number, 40)
        subject = "".join(
            STANDARD[(STANDARD.index(x) + 1) % 20] if k % 3 else x
            for k, x in enumerate(reference[cut:])
        )
        made.append(
            dict.fromkeys(PAIR_COLUMNS)
            | {
                "reference": reference,
                "subject": subject,
                "group": str(number % 3),
                "side": side,
                "tm": tm,
                "aligned": np.stack([np.arange(cut, 40), np.arange(40 - cut)], 1).ravel(),
                "lddt": np.full(40 - cut, 0.9, np.float32),
            }
        )
    return pd.DataFrame(made)


def test_related_pairs_are_learnt_from():
    some = table([("train", 0.8, 3), ("train", 0.4, 3), ("validation", 0.6, 2)])
    equal = some.iloc[:1].assign(subject=some["reference"][0][3:])
    kept = related_pairs(pd.concat([some, equal]))
    assert list(kept["tm"]) == [0.8, 0.6]
    (first, _) = facing_pairs(kept)
    assert first.facing[0].tolist() == [3, 0]
    assert first.weight.tolist() == pytest.approx([0.9] * 37)
    assert first.turned().facing[0].tolist() == [0, 3]


@pytest.fixture
def pairs(tmp_path):
    folder = tmp_path / "pairs" / "shards"
    folder.mkdir(parents=True)
    rows = [("train", 0.8, k % 5) for k in range(12)] + [("validation", 0.7, 2)] * 2
    table(rows).to_parquet(folder / "0.parquet")
    return folder.parent


def test_it_is_trained_and_joins_the_model(tiny_assets, tmp_path, pairs):
    model = tmp_path / "models" / "mine"
    shutil.copytree(tiny_assets / "models" / "compact", model)
    before = load_predictor(Settings(assets=tiny_assets, device="cpu"), model)
    schedule = Schedule(steps=30, peak=5e-3, every=10)
    fabric = Fabric(accelerator="cpu", devices=1)
    history = train_alignment(before.embedder, pairs / "shards", model, fabric, schedule)
    assert history.best < history.validation[0]["loss"]
    after = load_predictor(Settings(assets=tiny_assets, device="cpu"), model)
    assert after.info.sha256 != before.info.sha256
    assert after.pooling == before.pooling, "databases of vectors stay of use"
    aligner = aligner_of(after)
    assert isinstance(aligner, HeadAligner)
    assert aligner.name == "alignment head over compact encoder 0"
    query = letters(3, 40)
    (made,) = aligner.align(query, [query])
    assert made.identity > 0.9
    assert ((made.confidence >= 0) & (made.confidence <= 1)).all()
    with pytest.raises(InputError, match="holds no training pair"):
        (pairs / "shards" / "0.parquet").unlink()
        table([("train", 0.3, 1)]).to_parquet(pairs / "shards" / "0.parquet")
        train_alignment(before.embedder, pairs / "shards", model, fabric, schedule)


def test_the_commands_list_pairs_and_train(run, tiny_assets, tmp_path, pairs):
    rng = np.random.default_rng(0)
    chains = pd.DataFrame(
        {
            "id": [f"c{k}" for k in range(8)],
            "sequence": [letters(k % 4, 40) + letters(k, 10) for k in range(8)],
            "ca": [rng.normal(size=150).tolist() for _ in range(8)],
            "split_group": ["0"] * 6 + ["1", "1"],
        }
    )
    chains.to_parquet(tmp_path / "chains.parquet")
    classes = pd.DataFrame({"id": ["c0", "c5"], "scheme": "SCOP", "superfamily": "a.1"})
    classes.to_parquet(tmp_path / "folds.parquet")
    listed = tmp_path / "listed.tsv"
    code, out, told = run(
        "train", "relatives", tmp_path / "chains.parquet", "--folds", tmp_path / "folds.parquet",
        "--out", listed,
    )  # fmt: skip
    assert code == 0, told
    assert "pairs in" in out
    assert list(pd.read_csv(listed, sep="\t")) == ["reference_id", "subject_id", "tm"]
    model = tmp_path / "mine"
    shutil.copytree(tiny_assets / "models" / "compact", model)
    code, _, told = run(
        "train", "alignment", "--pairs", pairs, "--model", model, "--steps", 2, "--every", 1,
        "--cache", tmp_path / "cache",
    )  # fmt: skip
    assert code == 0, told
    assert (model / "alignment.safetensors").is_file()
    assert (model / "alignment-training.json").is_file()


def test_likely_relatives_are_on_one_side_and_each_once():
    chains = pd.DataFrame(
        {
            "id": [f"c{k}" for k in range(6)],
            "sequence": [letters(0), letters(1), letters(0)[:29] + "A", *map(letters, (5, 6, 7))],
            "group": ["a", "b", "c", "d", "d", "e"],
            "side": ["train", "train", "train", "train", "test", "test"],
        }
    )
    vectors = np.eye(6, dtype=np.float32)
    classes = pd.DataFrame(
        {"id": ["c1", "c3", "c5"], "scheme": "CATH", "superfamily": ["1.1", "1.1", "1.1"]}
    )
    made = likely_relatives(chains, vectors, classes)
    found = set(zip(made["reference_id"], made["subject_id"], strict=True))
    assert len(found) == len(made)
    assert ("c0", "c2") in found, "alike words"
    assert ("c1", "c3") in found, "one class"
    assert ("c3", "c5") not in found, "of two sides"
    side = dict(zip(chains["id"], chains["side"], strict=True))
    assert all(side[a] == side[b] for a, b in found)
