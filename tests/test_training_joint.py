"""Pre-training of the joint encoder, and the space of sequences and structures."""

from __future__ import annotations

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
from glass_core.models.space.structures import JointReader
from glass_core.protein.sequence import STANDARD
from glass_core.training.data.backbones import ChainDraw, read_backbones
from glass_core.training.data.splits import largest_name, split_of_name
from glass_core.training.joint import Denoising, Pretraining, pretrain_joint, read_joint
from glass_core.training.joint_views import STAGES, Stage, ViewDraw, moved
from glass_core.training.loop import Schedule
from glass_core.training.space import SpaceTraining, ranks, stretch, structures_read, train_space

CONFIG = JointConfig(sequence_dim=16, dim=16, pair_dim=8, layers=1, heads=2, neighbours=6)


@pytest.fixture
def language():
    torch.manual_seed(0)
    shape = CompactConfig(dim=16, layers=1, heads=2, feedforward=16, conv_layers=1, window=48)
    return CompactEncoder(shape).eval()


@pytest.fixture
def table(tmp_path):
    """Families of two chains of one shape each, on all sides, and a chain without a backbone."""
    rng, rows = np.random.default_rng(0), []
    for family in range(40):
        ca = np.cumsum(rng.normal(scale=2.2, size=(30 + family, 3)), axis=0)
        for member in range(2):
            atoms = ca[:, None] + [[1.2, 0.8, 0], [0, 0, 0], [-1, 1, 0.3], [-1, 2, 0.3]]
            rows.append(
                {
                    "id": f"c{family}_{member}",
                    "sequence": "".join(rng.choice(list(STANDARD), len(ca))),
                    "backbone": (atoms + rng.normal(scale=0.1, size=atoms.shape)).ravel(),
                    "cluster40": family,
                    "split_group": family,
                    "kind": "model" if family == 7 else "xray",
                }
            )
    rows.append({**rows[0], "id": "trace", "backbone": None})
    path = tmp_path / "chains.parquet"
    pd.DataFrame(rows).to_parquet(path)
    return path


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


def test_structures_are_read_once(table, tmp_path):
    chains, kept = read_backbones(table)[:5], tmp_path / "read.safetensors"
    found = structures_read(chains, reader(), kept)
    asked = []

    class Other(JointReader):
        def read(self, backbones, told=lambda done: None):
            asked.extend(backbones)
            return super().read(backbones, told)

    other = reader()
    other.__class__ = Other
    torch.testing.assert_close(structures_read(chains, other, kept), found)
    assert not asked
    more = structures_read([*chains, *read_backbones(table)[5:7]], other, kept)
    assert len(asked) == 2
    torch.testing.assert_close(more[:5], found)


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
    assert stretch(sequence, rng, some=False) == sequence
    assert stretch("MKV", rng) == "MKV"


def test_ranks_count_those_that_are_nearer():
    cosine = np.array([[0.9, 0.1, 0.2], [0.8, 0.7, 0.9], [0.5, 0.5, 0.5]])
    assert ranks(cosine).tolist() == [0, 2, 1]


class Telling:
    """Reads of every structure something that no other has."""

    name, dim = "telling", 12

    def read(self, backbones, told=lambda done: None):
        found = []
        for one in backbones:
            seed = crc32(one.letters.encode())
            found.append(torch.randn(12, generator=torch.Generator().manual_seed(seed)))
        return torch.stack(found)


@pytest.mark.parametrize("direction", ["both", "sequence"])
def test_a_space_learns_which_structure_is_whose(direction, table, language, tmp_path):
    how = SpaceTraining(
        Schedule(steps=80, peak=1e-2, every=40), direction, stretches=False, together=12
    )
    history = train_space(table, tmp_path / "space", language, Telling(), fabric(), how)
    losses = [one["total"] for one in history.curve]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:5])
    assert {"top 1", "top 10", "back top 1", "back top 10"} <= set(history.validation[-1])
    again = train_space(table, tmp_path / "space", language, Telling(), fabric(), how)
    assert again.curve == history.curve
