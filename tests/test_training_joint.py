"""Pre-training of the joint encoder, and the space of sequences and structures."""

from __future__ import annotations

import json
import shutil
from zlib import crc32

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric
from scipy.spatial.transform import Rotation

from glass_core.embedders.compact_encoder import CompactConfig, CompactEncoder
from glass_core.embedders.joint_geometry import CA
from glass_core.embedders.joint_network import JointConfig, JointEncoder
from glass_core.errors import InputError
from glass_core.models.registry import load_siamese
from glass_core.models.space.base import stretch
from glass_core.models.space.own import read_card
from glass_core.models.space.structures import JointReader
from glass_core.models.vectors import unit_rows
from glass_core.protein.sequence import STANDARD
from glass_core.settings import Settings
from glass_core.training.data.backbones import ChainDraw, read_backbones
from glass_core.training.data.splits import largest_name, split_of_name
from glass_core.training.evaluation import space as space_record
from glass_core.training.joint import Denoising, Pretraining, pretrain_joint, read_joint
from glass_core.training.joint_views import STAGES, Stage, ViewDraw, moved
from glass_core.training.loop import Schedule
from glass_core.training.space import (
    SpaceTraining,
    ranks,
    retrieval,
    sequences_read,
    structures_read,
    train_space,
)
from tests.tools.chains import chain_table
from tests.tools.mpnn import made_structure_embedder

CONFIG = JointConfig(sequence_dim=16, dim=16, pair_dim=8, layers=1, heads=2, neighbours=6)


@pytest.fixture
def language():
    torch.manual_seed(0)
    shape = CompactConfig(dim=16, layers=1, heads=2, feedforward=16, conv_layers=1, window=48)
    return CompactEncoder(shape).eval()


@pytest.fixture
def table(tmp_path):
    return chain_table(tmp_path / "chains.parquet")


def fabric():
    return Fabric(accelerator="cpu", devices=1)


def test_backbones_are_read_with_their_sides(table):
    chains = read_backbones(table, ["kind == 'model'"])
    assert len(chains) == 78
    assert "trace" not in {one.id for one in chains}
    biggest = largest_name(["0", *map(str, range(40))])
    for one in chains:
        assert one.side == split_of_name(one.family, biggest)
    assert {"train", "validation", "test"} == {one.side for one in chains}
    with pytest.raises(InputError, match="lacks the column cluster40"):
        other = table.with_name("other.parquet")
        pd.read_parquet(table).drop(columns="cluster40").to_parquet(other)
        read_backbones(other)
    with pytest.raises(InputError, match="is no Parquet table"):
        read_backbones(table.with_suffix(".csv"))
    with pytest.raises(InputError, match="no chain with a backbone"):
        read_backbones(table, ["cluster40 >= 0"])


def test_families_count_alike_and_draws_repeat(table):
    chains = read_backbones(table)
    draw = ChainDraw(chains * 1 + [one for one in chains if one.family == "0"] * 50, 20, 3)
    families = [one.family for number in range(40) for one in draw.drawn(number, 20)]
    assert families.count("0") < 50
    assert [one.sequence for one in draw.drawn(5, 4)] == [one.sequence for one in draw.drawn(5, 4)]
    part = draw.drawn(1, 1)[0]
    assert len(part.sequence) == len(part.backbone) == 20
    assert part.backbone.letters == part.sequence


def test_noise_is_that_of_the_schedule():
    much, little = (stage.spread().numpy() for stage in STAGES)
    np.testing.assert_allclose(much[[0, 25, 50, 99]], [0.035, 0.26, 0.98, 13.9], rtol=0.05)
    np.testing.assert_allclose(little, np.sqrt(np.arange(1, 6)) * 0.01, rtol=1e-3)
    share = STAGES[0].hidden(torch.arange(100))
    assert (float(share[0]), float(share[-1])) == pytest.approx((0.15, 1.0))


def test_residues_move_as_rigid_bodies():
    clean = torch.randn(1, 4000, 3, 3)
    noise = torch.Generator().manual_seed(0)
    there = moved(clean, torch.tensor([2.0]), torch.tensor([0.5]), noise)
    shift = (there - clean)[0, :, CA]
    assert float(shift.std()) == pytest.approx(2.0, rel=0.05)
    before, after = clean - clean[:, :, [CA]], there - there[:, :, [CA]]
    torch.testing.assert_close(before.norm(dim=-1), after.norm(dim=-1), atol=1e-4, rtol=1e-4)
    angles = [
        Rotation.align_vectors(b, a)[0].magnitude()
        for a, b in zip(before[0, :300].numpy(), after[0, :300].numpy(), strict=True)
    ]
    chi = np.linalg.norm(np.random.default_rng(0).normal(scale=0.5, size=(20_000, 3)), axis=1)
    assert np.mean(angles) == pytest.approx(chi.mean(), rel=0.1)
    torch.testing.assert_close(moved(clean, 0.0, 0.0, noise), clean, atol=1e-5, rtol=0)


def test_a_view_is_told_from_the_other(table, language):
    chains = [one for one in read_backbones(table) if one.side == "train"]
    encoder = JointEncoder(CONFIG)
    stage = Stage(10, 1e-3, 0.1, 0.5)
    draw = ViewDraw(chains, encoder, language, stage, together=6, longest=32, seed=1)
    batch, again = draw.batch(3), draw.batch(3)
    for one, other in zip(batch.views, again.views, strict=True):
        assert torch.equal(one.noised.coordinates, other.noised.coordinates)
    assert torch.equal(batch.hidden, again.hidden)
    assert batch.hidden.any(dim=1).all()
    assert not (batch.hidden & ~batch.views[0].noised.mask).any()
    module = Denoising(encoder, 0.5)
    silent = module.shift[-1]
    torch.nn.init.zeros_(silent.weight)
    torch.nn.init.zeros_(silent.bias)
    losses = module(batch)
    assert losses["structure"].item() == pytest.approx(1.0), "telling nothing explains nothing"
    assert losses["sequence"].item() == pytest.approx(np.log(20), abs=0.5)
    losses["total"].backward()
    told = {n for n, p in encoder.named_parameters() if p.grad is not None}
    assert len(told) == len(dict(encoder.named_parameters()))


@pytest.mark.parametrize("objective", ["denoising", "self-prediction"])
def test_pretraining_learns_and_resumes(objective, table, language, tmp_path):
    schedule = Schedule(steps=24, peak=3e-3, warmup=2, every=6)
    how = Pretraining(CONFIG, objective, schedule, together=8, longest=24)
    whole = pretrain_joint(table, tmp_path / "whole", language, fabric(), how)
    first = tmp_path / "whole" / "stage-1.pt"
    curve = torch.load(first, weights_only=True)["history"]["curve"]
    assert np.mean([one["total"] for one in curve[-4:]]) < curve[0]["total"]
    assert whole.validation
    encoder = read_joint(tmp_path / "whole")
    assert encoder.config == CONFIG
    again = pretrain_joint(table, tmp_path / "whole", language, fabric(), how)
    assert again.curve == whole.curve, "nothing is left to be done"
    for name, value in read_joint(tmp_path / "whole").state_dict().items():
        assert torch.equal(value, encoder.state_dict()[name])


def test_an_encoder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"holds no joint\.json"):
        read_joint(tmp_path)


def reader():
    torch.manual_seed(1)
    config = JointConfig(dim=8, pair_dim=8, layers=1, heads=2, neighbours=6, fusion="structure")
    return JointReader(JointEncoder(config), "joint tiny")


class Telling:
    """Reads of everything something that nothing else has, and counts what it was asked."""

    sha256, dim = "0" * 64, 12

    def __init__(self, name="telling"):
        self.name, self.asked = name, 0

    def read(self, some, told=lambda done: None):
        self.asked += len(some)
        found = []
        for one in some:
            seed = crc32(getattr(one, "letters", one).encode())
            found.append(torch.randn(12, generator=torch.Generator().manual_seed(seed)))
        return torch.stack(found)


def test_what_was_read_is_not_read_again(table, tmp_path):
    chains, kept = read_backbones(table), tmp_path / "read.safetensors"
    telling = Telling()
    found = structures_read(chains[:5], telling, kept)
    torch.testing.assert_close(structures_read(chains[:5], telling, kept), found)
    assert telling.asked == 5
    more = structures_read(chains[:7], telling, kept)
    assert telling.asked == 7
    torch.testing.assert_close(more[:5], found)
    with pytest.raises(InputError, match="was read by telling, not by other"):
        structures_read(chains[:5], Telling("other"), kept)


def test_sequences_are_read_with_stretches_of_them(table, tmp_path):
    chains = read_backbones(table)[:4]
    found = sequences_read(chains, Telling(), 3, tmp_path / "read.safetensors")
    assert found.shape == (4, 4, 12)
    whole = Telling().read([one.sequence for one in chains])
    torch.testing.assert_close(found[:, 0], whole, atol=1e-2, rtol=1e-2)
    again = sequences_read(chains, Telling(), 3, tmp_path / "again.safetensors")
    torch.testing.assert_close(again, found)


def test_a_structure_is_read_alike_alone_and_among_others(table):
    chains = [one.backbone for one in read_backbones(table)[:9]]
    together = reader().read(chains)
    alone = torch.cat([reader().read([one]) for one in chains])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_stretches_are_within_their_sequence():
    rng, sequence = np.random.default_rng(0), "".join(STANDARD) * 3
    found = [stretch(sequence, rng) for _ in range(300)]
    assert all(one in sequence for one in found)
    assert min(map(len, found)) >= 10
    assert max(map(len, found)) > 50
    assert stretch("MKV", rng) == "MKV"


def test_ranks_count_those_that_are_nearer():
    cosine = np.array([[0.9, 0.1, 0.2], [0.8, 0.7, 0.9], [0.5, 0.5, 0.5]])
    assert ranks(cosine).tolist() == [0, 2, 1]
    assert ranks(cosine, [2, 2, 2]).tolist() == [1, 0, 1]
    found = retrieval(cosine)
    assert found["top 1"] == pytest.approx(1 / 3)
    assert found["mrr"] == pytest.approx((1 + 1 / 3 + 1 / 2) / 3)
    assert found["back top 1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("direction", ["both", "sequence"])
def test_a_space_learns_which_structure_is_whose(direction, table, tmp_path):
    schedule = Schedule(steps=60, peak=1e-2, every=30)
    how = SpaceTraining(schedule, direction, hidden=32, together=12, stretches=2)
    sequences, structures = Telling(), Telling("other")
    history = train_space(table, tmp_path / "space", sequences, structures, fabric(), how)
    losses = [one["total"] for one in history.curve]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:5])
    assert {"top 1", "top 10", "back top 1", "back mrr"} <= set(history.validation[-1])
    asked = sequences.asked
    again = train_space(table, tmp_path / "space", sequences, structures, fabric(), how)
    assert again.curve == history.curve
    assert sequences.asked == asked
    card = read_card(tmp_path / "space")
    assert card["sequences"] == {"name": "telling", "sha256": "0" * 64}
    assert card["structures"] == "other"


class Grid:
    """A space in which every family has a corner, and structures lie beside their sequences."""

    def __init__(self, chains, off=0.0):
        self.info = None
        self._corner = {}
        rng = np.random.default_rng(0)
        corners = {one.family: rng.normal(size=8) for one in chains}
        for one in chains:
            place = corners[one.family] + off * rng.normal(size=8)
            own = rng.normal(size=8) * 1e-3
            self._corner[one.sequence] = place + own
            self._corner[one.backbone.letters + "|"] = place + own

    def of_sequences(self, sequences, told=lambda done: None):
        return unit_rows(np.array([self._corner.get(s, np.ones(8)) for s in sequences], np.float32))

    def of_structures(self, backbones, told=lambda done: None):
        return unit_rows(np.array([self._corner[b.letters + "|"] for b in backbones], np.float32))


def test_the_record_of_a_space(table, tiny_assets, tmp_path, monkeypatch):
    chains = read_backbones(table)
    held = [one for one in chains if one.side == "test"]
    folds = pd.DataFrame(
        {
            "id": [one.id for one in chains],
            "scheme": "CATH",
            "superfamily": [one.family for one in chains],
            "fold": [int(one.family) % 5 for one in chains],
            "architecture": [int(one.family) % 5 % 2 for one in chains],
            "class": 1,
        }
    )
    number = {one.sequence: row for row, one in enumerate(chains)}

    def hits(queries, targets, work, top):
        return {row: [row ^ 1] for row in queries if row % 4}

    monkeypatch.setattr(space_record, "best_hits", hits)
    predictor = load_siamese(Settings(assets=tiny_assets, device="cpu"))
    found = space_record.evaluate_space(
        Grid(chains), predictor, chains, folds, "test", tmp_path, lambda words: None,
        {"another": Grid(chains)},
    )  # fmt: skip
    assert found["chains"] == len(held) > 2
    told = found["retrieval"]
    assert told["sequence to structure"]["plain"]["top 1"] == 1.0
    assert told["sequence to structure"]["among"] == len(held)
    assert told["structure to sequence, by another"] == told["structure to sequence"]
    assert told["50 residues to structure"]["plain"]["top 1"] < 0.5
    assert told["length alone"]["plain"]["top 1"] == 0, "two of a family are of one length"
    near = found["neighbours"]
    assert near["queries"] == len(held)
    assert near["all"]["sequence tower"]["superfamily"]["value"] == 1.0
    assert near["all"]["structure tower"]["superfamily"]["value"] == 1.0
    assert near["other families"]["sequence tower"]["superfamily"]["value"] == 0.0
    assert near["other families"]["MMseqs2"]["superfamily"]["value"] == 0.0
    share = np.mean([number[one.sequence] % 4 > 0 for one in held])
    assert near["all"]["MMseqs2"]["superfamily"]["value"] == pytest.approx(share, abs=0.2)
    assert near["other families"]["sequence tower"]["class"]["value"] == 1.0
    kinds = {name for name in found["distances"] if name != "quantiles"}
    assert kinds <= {"fold", "architecture", "class"}, "pairs are of two families"
    assert all(len(found["distances"][k]["sequence tower"]) == 5 for k in kinds)
    json.dumps(found, allow_nan=False)
    with pytest.raises(InputError, match="no chain of the nowhere side"):
        space_record.evaluate_space(
            Grid(chains), predictor, chains, folds, "nowhere", tmp_path, lambda words: None
        )


def test_a_space_is_made_by_the_commands_and_drawn(table, run, tiny_assets, tmp_path, monkeypatch):
    """From chains to towers, background, places and a map, as the README has it."""
    monkeypatch.setattr(
        "glass_core.embedders.mpnn.StructureEmbedder.load", lambda *a: made_structure_embedder()
    )
    assets = tmp_path / "assets"
    shutil.copytree(tiny_assets, assets)
    folder = assets / "spaces" / "compact"

    def done(*words):
        code, out, told = run(*words, GLASS_ASSETS=str(assets))
        assert code == 0, told
        return out

    done("train-space", table, "--out", folder, "--steps", 6, "--every", 3, "--stretches", 1)
    chains = pd.read_parquet(table)
    chains = chains[chains["backbone"].notna()]
    folds = pd.DataFrame(
        {
            "id": chains["id"],
            "scheme": "CATH",
            "class": (chains["cluster40"] % 3 + 1).astype(str),
            "architecture": (chains["cluster40"] % 3 + 1).astype(str) + ".10",
            "fold": (chains["cluster40"] % 3 + 1).astype(str) + ".10.8",
            "superfamily": (chains["cluster40"] % 3 + 1).astype(str) + ".10.8.10",
        }
    )
    folds.to_parquet(tmp_path / "folds.parquet")
    out = done("train", "background", table, tmp_path / "folds.parquet", "--space", folder,
               "--origin", "made up")  # fmt: skip
    assert "120 places of 40 chains" in out
    rows = json.loads(done("embed", "--space", ">a\nMKVLAAGIVGLC", "--json"))
    assert len(rows[0]["vector"]) == 32
    page = tmp_path / "map.html"
    assert "2 place(s)" in done("map", ">a\nMKVLAAGIVGLC", "--variants", "K2R", "--out", page)
    assert "CATH" in page.read_text()
    # another space, whose structures the joint encoder reads, beside it in its record
    joint, other = tmp_path / "alone", tmp_path / "other"
    done("train", "joint", table, "--out", joint, "--fusion", "structure", "--steps", 2,
         "--together", 2)  # fmt: skip
    done("train-space", table, "--out", other, "--joint", joint, "--steps", 4, "--every", 2,
         "--stretches", 1)  # fmt: skip
    monkeypatch.setattr(space_record, "best_hits", lambda queries, *a: {row: [] for row in queries})
    words = ("train", "space-record", table, tmp_path / "folds.parquet", "--space", folder)
    done(*words, "--beside", other, "--joint", joint)
    record = json.loads((folder / "evaluation" / "space.json").read_text())
    assert "sequence to structure, by the joint encoder" in record["retrieval"]
    code, _, told = run(*words, "--beside", other, GLASS_ASSETS=str(assets))
    assert (code, "--joint together" in told) == (2, True)
