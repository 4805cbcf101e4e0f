"""The fold head: moments, the discriminant it begins as, its training and its place in a model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from lightning_fabric import Fabric

from glass_core.cli.main import main
from glass_core.embedders.compact import CompactEmbedder
from glass_core.embedders.compact_encoder import CompactConfig, CompactEncoder
from glass_core.errors import InputError, ModelError, RecordError
from glass_core.models.card import CARD_FILE, ModelCard
from glass_core.models.checkpoint import load_heads, save_encoder, save_head, save_model
from glass_core.models.heads.fold import COMMON, FoldConfig, FoldHead
from glass_core.models.heads.kinds import head_kind
from glass_core.models.heads.siamese import SiameseConfig, SiameseTransformer, predicted_tm
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.registry import load_predictor
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.settings import Settings
from glass_core.training.fold import (
    BIN_SHARES,
    FOLD_SCHEDULE,
    LONGEST,
    discriminant,
    fold_chances,
    new_head,
    train_fold,
    training_pairs,
)

CPU = torch.device("cpu")
TINY = CompactConfig(dim=16, layers=1, heads=2, feedforward=24, conv_layers=1)


def random_head(seed: int = 0, width: int = 6, axes: int = 3) -> FoldHead:
    """A head with no number at its default."""
    draw = torch.Generator().manual_seed(seed)
    head = FoldHead(FoldConfig(width, axes))
    state = {k: torch.randn(v.shape, generator=draw) for k, v in head.state_dict().items()}
    state["scale"] = state["scale"].abs() + 0.5
    head.load_state_dict(state)
    return head.eval()


def padded(*rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.bool)
    for k, row in enumerate(rows):
        mask[k, : len(row)] = True
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=9), mask


@torch.no_grad()
def test_moments_are_those_written_out_in_numpy():
    head = random_head()
    residues = torch.randn(7, 6)
    x = residues.double().numpy()
    x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    along = (x - head.centre.numpy()) @ head.axes.numpy().T
    second = [np.mean(along[:, i] * along[:, j]) for i in range(3) for j in range(i, 3)]
    rooted = [s / np.sqrt(abs(s) + 0.01) for s in second]
    made = head.moments(*padded(residues))[0]
    assert made.shape == (head.config.moments,) == (6 + 6,)
    np.testing.assert_allclose(made, [*x.mean(0), *rooted], atol=2e-6)
    z = head(*padded(residues))[0]
    mapped = head.matrix.numpy() @ ((made.numpy() - head.mean.numpy()) / head.scale.numpy())
    np.testing.assert_allclose(z[:-1], mapped / np.linalg.norm(mapped), atol=1e-5)
    assert z[-1] == head.common


@torch.no_grad()
def test_what_lies_outside_the_mask_does_not_count():
    head, short, long = random_head(), torch.randn(4, 6), torch.randn(9, 6)
    together = head(*padded(short, long))
    np.testing.assert_allclose(together[0], head(*padded(short))[0], atol=1e-6)
    np.testing.assert_allclose(together[1], head(*padded(long))[0], atol=1e-6)


@torch.no_grad()
def test_order_does_not_count_and_what_is_shared_bounds_the_cosine():
    head, residues = random_head(), torch.randn(8, 6)
    head.common.fill_(COMMON)
    told = predicted_tm(head(*padded(residues)), head(*padded(residues.flip(0))))
    assert float(told) == pytest.approx(1, abs=1e-6)
    moments = torch.zeros(2, head.config.moments)
    moments[0], moments[1] = head.mean + head.scale, head.mean - head.scale
    opposite = predicted_tm(*head.direct(moments).split(1))
    assert float(opposite) == pytest.approx((COMMON**2 - 1) / (COMMON**2 + 1), abs=1e-5)


@pytest.mark.parametrize(("width", "axes"), [(0, 4), (16, 0), (10**6, 4), (16, 10**4), (8, "4")])
def test_absurd_shapes_are_refused(width, axes):
    with pytest.raises(RecordError):
        FoldConfig(width, axes)


def test_the_discriminant_finds_what_related_sequences_share():
    """Two of eight features are alike within a family; the others are louder, and noise."""
    rng = np.random.default_rng(0)
    family = np.repeat(np.arange(60), 2)
    features = rng.normal(size=(120, 8)) * np.array([1, 1, 4, 4, 4, 4, 4, 4.0])
    features[:, :2] = rng.normal(size=(60, 2))[family] + rng.normal(0, 0.1, (120, 2))
    features -= features.mean(axis=0)
    matrix = discriminant(features, features[::2] - features[1::2])
    told = features @ matrix.T
    assert np.mean(np.sum(told**2, axis=1)) == pytest.approx(1)
    unit = told / np.linalg.norm(told, axis=1, keepdims=True)
    plain = features / np.linalg.norm(features, axis=1, keepdims=True)

    def gap(rows):
        cosines = rows @ rows.T
        inside = (family[:, None] == family) & ~np.eye(120, dtype=bool)
        return cosines[inside].mean() - cosines[family[:, None] != family].mean()

    assert gap(unit) > 0.3 > 5 * gap(plain)
    strength = np.linalg.norm(matrix, axis=1)
    assert (strength[:2] > 0.1).all() and strength[-1] < 0.1, "the best directions come first"


def test_axes_are_the_widest_directions_of_residues():
    draw = torch.Generator().manual_seed(0)
    residues = torch.randn(400, 5, generator=draw) * torch.tensor([5.0, 3.0, 1.0, 1.0, 1.0])
    head = new_head(residues)
    normed = torch.nn.functional.layer_norm(residues, (5,))
    along = (normed - head.centre) @ head.axes.T
    assert head.config.axes == 5, "no more axes than the embedder is wide"
    spread = along[:, :4].var(dim=0)
    np.testing.assert_allclose(spread, 1, atol=0.02)
    assert head.axes.norm(dim=1)[0] < head.axes.norm(dim=1)[3], "whitened: the widest is shrunk"


def families(rng: np.random.Generator, count: int, side: str, first: int) -> list[dict]:
    """Pairs within a family share letters, pairs across do not."""
    rows = []
    for k in range(first, first + count):
        letters = rng.choice(list(STANDARD), 6, replace=False)
        a, b = ("".join(rng.choice(letters, 50)) for _ in range(2))
        other = "".join(rng.choice(list(STANDARD), 50))
        common = {
            "reference": a,
            "group": str(k),
            "subject_group": str(k),
            "side": side,
            "rearranged": False,
            "aligned": np.zeros(2, np.int16),
            "lddt": np.zeros(1, np.float32),
            "reference_id": f"a{k}",
        }
        rows += [
            {
                **common,
                "subject": b,
                "tm": 0.85,
                "kind": "fold",
                "pool": "group",
                "subject_id": f"b{k}",
            },
            {
                **common,
                "subject": other,
                "tm": 0.3,
                "kind": "fold",
                "pool": "alike",
                "subject_id": f"c{k}",
            },
            {
                **common,
                "subject": "W" + a[1:],
                "tm": 0.98,
                "kind": "point_mutant",
                "pool": "given",
                "subject_id": f"d{k}",
            },
        ]
    return rows


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("families") / "shards"
    folder.mkdir()
    pd.DataFrame(families(rng, 60, "train", 0) + families(rng, 20, "validation", 60)).to_parquet(
        folder / "fold-00000.parquet"
    )
    return folder


@pytest.fixture
def tiny(tmp_path):
    """A tiny model without a fold head, and its embedder."""
    torch.manual_seed(0)
    folder = tmp_path / "m"
    encoder = CompactEncoder(TINY)
    save_encoder(folder, encoder)
    head = SiameseTransformer(SiameseConfig(prottrans_dim=16, hidden_dim=16, output_dim=16))
    save_model(
        folder,
        {"siamese": head},
        name="m",
        version="1",
        embedder={"kind": "compact"},
        extra={"encoder": TINY.to_dict()},
    )
    return folder, CompactEmbedder.load(folder, TINY.to_dict(), "tiny", CPU)


def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


def test_bins_come_up_by_their_shares_and_groups_by_the_root_of_their_pairs():
    table = pd.DataFrame(
        {"tm": [0.1, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.7, 0.9], "group": list("abcccccab"[:9])}
    )
    table.loc[6, "group"] = "z"
    chance = fold_chances(table)
    assert chance.sum() == pytest.approx(1) and chance[0] == 0, "below the first bin: never"
    assert [chance[1], chance[2:7].sum(), chance[7], chance[8]] == pytest.approx(BIN_SHARES)
    assert chance[6] == pytest.approx(2 * chance[2]), "one pair against four: root of a quarter"


def test_training_pairs_leave_out_long_rearranged_and_other_sides(pairs):
    table = pd.read_parquet(pairs / "fold-00000.parquet")
    table.loc[0, "rearranged"] = True
    table.loc[3, "subject"] = "A" * (LONGEST + 1)
    held_random = table["side"].eq("validation") & table["tm"].eq(0.3)
    table.loc[held_random[held_random].index[:5], "pool"] = "random"
    fold, near, held = training_pairs(table)
    assert len(fold) == 118 and len(near) == 60
    assert set(fold["side"]) == {"train"} and set(held["side"]) == {"validation"}
    assert held["tm"].value_counts().to_dict() == {0.3: 15, 0.85: 20}
    assert "random" not in set(held["pool"])


def test_a_fold_head_is_trained_resumed_and_gives_the_models_tm(pairs, tiny, tmp_path, monkeypatch):
    folder, embedder = tiny
    before = load_predictor(Settings(models=tmp_path, device="cpu"), "m")
    schedule = replace(FOLD_SCHEDULE, steps=30, every=10)
    history = train_fold(embedder, pairs, folder, fabric(), schedule)
    assert history.validation[0]["step"] == 0, "the discriminant may be the best there is"
    assert min(v["loss"] for v in history.validation) < 0.15, "constant would be 0.275"
    record = json.loads((folder / "fold-training.json").read_text())
    assert len(record["curve"]) == 30 and "pairs" in record["data_sha256"]

    (folder / "fold.pt").unlink()
    seen = []
    choice = np.random.default_rng

    def stops(seed):
        seen.append(seed)
        if len(seen) == 16:
            raise KeyboardInterrupt
        return choice(seed)

    monkeypatch.setattr("glass_core.training.fold.np.random.default_rng", stops)
    with pytest.raises(KeyboardInterrupt):
        train_fold(embedder, pairs, folder, fabric(), schedule)
    monkeypatch.undo()
    assert train_fold(embedder, pairs, folder, fabric(), schedule).curve == history.curve

    after = load_predictor(Settings(models=tmp_path, device="cpu"), "m")
    variant = Variant.parse("A1P", "ACDEFGHIKLMNPQRSTVWY" * 3)
    protein = Protein.from_sequence(variant.wild_type)
    (old,), (new,) = before.predict(protein, [variant]), after.predict(protein, [variant])
    np.testing.assert_array_equal(old.lddt, new.lddt, err_msg="lDDT stays the Siamese head's")
    with torch.no_grad():
        z = [
            after._fold(e.residues[None], torch.ones(1, 60, dtype=torch.bool))
            for e in embedder.embed([variant.wild_type, variant.mutant])
        ]
    assert new.tm_score == pytest.approx(float(predicted_tm(*z)), abs=1e-6)
    assert new.tm_score != old.tm_score
    assert new.model.sha256 != old.model.sha256, "other weights, another sum"


def test_without_alike_pairs_there_is_nothing_to_begin_with(pairs, tiny, tmp_path):
    table = pd.read_parquet(pairs / "fold-00000.parquet")
    low = tmp_path / "low"
    low.mkdir()
    table[table["tm"] < 0.6].to_parquet(low / "fold-00000.parquet")
    with pytest.raises(InputError, match=r"no training pair above TM-score 0\.7"):
        train_fold(tiny[1], low, tiny[0], fabric(), FOLD_SCHEDULE)


def test_a_fold_head_survives_the_disk_and_a_damaged_one_is_refused(tiny):
    folder, _ = tiny
    assert "fold" not in load_heads(ModelCard.read(folder))
    head = random_head(width=16, axes=3)
    card = save_head(folder, "fold", head, torch.float32)
    again = load_heads(card)["fold"]
    for name, tensor in head.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    content = json.loads((folder / CARD_FILE).read_text())
    for entry, words in (
        ({"embedding_dim": 16, "axes": 10**9}, "not usable"),
        ({"axes": 3}, "not usable"),
        ({"embedding_dim": 16, "axes": 4}, "expected"),
    ):
        (folder / CARD_FILE).write_text(
            json.dumps(content | {"heads": content["heads"] | {"fold": entry}})
        )
        with pytest.raises(ModelError, match=words):
            load_heads(ModelCard.read(folder))
    (folder / head_kind("fold").file).unlink()
    (folder / CARD_FILE).write_text(json.dumps(content))
    with pytest.raises(ModelError, match="missing"):
        load_heads(ModelCard.read(folder))


def test_a_fold_head_of_another_width_is_refused(tiny):
    _, embedder = tiny
    head = SiameseTransformer(SiameseConfig(prottrans_dim=16, hidden_dim=16, output_dim=16))
    info = load_predictor(Settings(device="cpu")).info
    with pytest.raises(ModelError, match="fold head takes embeddings of width 6"):
        SiamesePredictor(embedder, {"siamese": head, "fold": random_head(width=6)}, info)


def test_train_fold_from_the_shell(pairs, tiny, tmp_path):
    folder, _ = tiny
    (folder / "encoder.json").write_text(json.dumps(TINY.to_dict()))
    found = CliRunner().invoke(
        main,
        [
            "train-fold",
            "--pairs",
            str(pairs.parent),
            "--model",
            str(folder),
            "--encoder",
            str(folder),
            "--cache",
            str(tmp_path / "cache"),
            "--steps",
            "4",
            "--every",
            "2",
            "--accelerator",
            "cpu",
            "--device",
            "cpu",
        ],
        catch_exceptions=False,
    )
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["steps"] == 4
    assert ModelCard.read(folder).heads["fold"] == {"embedding_dim": 16, "axes": 16}
    found = CliRunner().invoke(main, ["train-fold", "--pairs", "x", "--model", str(tmp_path)])
    assert found.exit_code == 2 and found.stderr.count("\n") == 1
