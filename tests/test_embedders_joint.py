"""The joint encoder: frames and their angles, invariance, padding, what each fusion sees."""

from __future__ import annotations

from dataclasses import replace

import biotite.structure as struc
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from glass_core.embedders.joint_geometry import (
    CA,
    backbone_torsions,
    euler_angles,
    frames,
    nearest,
    pair_features,
    torsion,
    turns,
)
from glass_core.embedders.joint_network import CHIS, FUSIONS, JointConfig, JointEncoder, Placed
from glass_core.errors import GlassError, ModelError

SMALL = JointConfig(sequence_dim=6, dim=16, pair_dim=8, layers=2, heads=4, neighbours=5)


def residues(count, seed=0):
    """N, CA, C of a chain without a shape, each near the one before."""
    rng = np.random.default_rng(seed)
    ca = np.cumsum(rng.normal(scale=2.2, size=(count, 3)), axis=0)
    own = rng.normal(size=(count, 3, 3)) * [[1.0], [0.0], [1.0]]
    return torch.tensor(ca[:, None] + own, dtype=torch.float32)


def placed(*coordinates, length=None):
    """Chains padded to one length."""
    shape = (len(coordinates), length or max(map(len, coordinates)))
    mask, number = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.int64)
    where = torch.zeros(*shape, 3, 3)
    for row, own in enumerate(coordinates):
        mask[row, : len(own)], where[row, : len(own)] = True, own
        number[row, : len(own)] = torch.arange(len(own))
    chain = torch.zeros(shape, dtype=torch.int64)
    return Placed(mask, mask, where, number, chain, torch.zeros(*shape, CHIS, 2))


def encoder(fusion="serial", **changes):
    torch.manual_seed(0)
    return JointEncoder(replace(SMALL, fusion=fusion, **changes)).eval()


def test_the_angles_between_frames_are_those_of_euler():
    coordinates = torch.randn(1000, 2, 3, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    frame = frames(coordinates)
    torch.testing.assert_close(
        frame.mT @ frame, torch.eye(3, dtype=torch.float64).expand_as(frame), atol=1e-12, rtol=0
    )
    assert (torch.linalg.det(frame) > 0.999).all()
    turn = turns(frame[:, 0], frame[:, 1])
    angles = euler_angles(turn)
    by_scipy = Rotation.from_euler("ZXZ", angles.numpy()).as_matrix()
    np.testing.assert_allclose(turn.numpy(), by_scipy, atol=1e-12)


def test_angles_as_pronet_defines_them():
    first, second = frames(torch.randn(2, 200, 3, 3, dtype=torch.float64))
    (x1, _, z1), (x2, _, z2) = first.unbind(-1), second.unbind(-1)
    node = torch.linalg.cross(z1, z2)
    alpha = torch.atan2((torch.linalg.cross(x1, node) * z1).sum(-1), (x1 * node).sum(-1))
    beta = torch.atan2(node.norm(dim=-1), (z1 * z2).sum(-1))
    gamma = torch.atan2((torch.linalg.cross(node, x2) * z2).sum(-1), (node * x2).sum(-1))
    expected = torch.stack([alpha, beta, gamma], -1)
    torch.testing.assert_close(euler_angles(turns(first, second)), expected, atol=1e-9, rtol=0)


def test_parallel_axes_keep_the_turn_about_them():
    same = torch.eye(3, dtype=torch.float64)
    about = torch.tensor(Rotation.from_euler("z", 0.7).as_matrix())
    np.testing.assert_allclose(euler_angles(same).numpy(), 0, atol=1e-12)
    np.testing.assert_allclose(euler_angles(about).numpy(), [0.7, 0, 0], atol=1e-9)


def test_torsions_are_those_of_biotite():
    points = torch.randn(50, 4, 3, dtype=torch.float64, generator=torch.manual_seed(1))
    expected = struc.dihedral(*points.numpy().transpose(1, 0, 2))
    np.testing.assert_allclose(torsion(*points.unbind(1)).numpy(), expected, atol=1e-6)
    chain = residues(12)[None]
    bonded = torch.ones(1, 11, dtype=torch.bool)
    bonded[0, 4] = False
    told = backbone_torsions(chain, bonded)[0].unflatten(1, (3, 2))
    assert not told[0, 0].any(), "no phi at the start"
    assert not told[-1, 1:].any(), "no psi and omega at the end"
    assert not told[5, 0].any(), "and none across a break"
    assert not told[4, 1:].any()
    n, ca, c = chain[0].numpy().transpose(1, 0, 2)
    psi = struc.dihedral(n[2], ca[2], c[2], n[3])
    np.testing.assert_allclose(told[2, 1], [np.sin(psi), np.cos(psi)], atol=1e-5)


def test_each_residue_comes_first_among_its_neighbours():
    chain = placed(residues(30), residues(20, 1))
    near = nearest(chain.coordinates, chain.known, 6)
    assert (near[:, :, 0] == torch.arange(30)).all()
    assert (near[1, :20] < 20).all(), "padding is far from everyone"
    ca = chain.coordinates[0, :, CA].numpy()
    apart = np.linalg.norm(ca[:, None] - ca, axis=-1)
    expected = np.argsort(apart, axis=1)[:, 1:6]
    assert (np.sort(near[0, :, 1:], axis=1) == np.sort(expected, axis=1)).all()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_moving_the_whole_structure_changes_nothing(fusion):
    network, sequence = encoder(fusion), torch.randn(1, 40, 6)
    chain = placed(residues(40))
    turn = torch.tensor(Rotation.from_euler("xyz", [0.4, 1.9, -2.2]).as_matrix()).float()
    moved = chain.at(chain.coordinates @ turn.T + torch.tensor([11.0, -40.0, 6.0]))
    with torch.inference_mode():
        torch.testing.assert_close(
            network(moved, sequence), network(chain, sequence), atol=1e-4, rtol=0
        )
        mirrored = network(chain.at(-chain.coordinates), sequence)
        same = torch.allclose(mirrored, network(chain, sequence), atol=1e-3)
    assert same == (fusion == "sequence"), "a mirror image is another structure"


@pytest.mark.parametrize("fusion", FUSIONS)
def test_padding_changes_nothing(fusion):
    network, sequence = encoder(fusion), torch.randn(2, 40, 6)
    short, long = residues(25), residues(40, 1)
    with torch.inference_mode():
        both = network(placed(short, long), sequence)
        alone = network(placed(short), sequence[:1, :25])
    torch.testing.assert_close(both[0, :25], alone[0], atol=1e-5, rtol=0)


def test_a_residue_without_coordinates_is_told_by_its_sequence():
    network, sequence = encoder(), torch.randn(1, 20, 6)
    chain = placed(residues(20))
    known = chain.known.clone()
    known[0, 7] = False
    gap = replace(chain, known=known)
    elsewhere = replace(gap, coordinates=chain.coordinates.clone())
    elsewhere.coordinates[0, 7] += 9.0
    with torch.inference_mode():
        told = network(gap, sequence)
        torch.testing.assert_close(told[0, 8:], network(elsewhere, sequence)[0, 8:])
        other = sequence.clone()
        other[0, 7, 0] += 1.0
        assert not torch.allclose(network(gap, other)[0, 7], told[0, 7])
    assert torch.isfinite(told).all()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_weight_is_trained(fusion):
    network = encoder(fusion).train()
    chain = placed(residues(30))
    chi = torch.randn(1, 30, CHIS, 2)
    told = network(
        replace(chain, chi=torch.nn.functional.normalize(chi, dim=-1)), torch.randn(1, 30, 6)
    )
    (told * torch.randn_like(told)).sum().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle


@pytest.mark.parametrize("fusion", FUSIONS)
def test_what_a_fusion_sees(fusion):
    network, sequence = encoder(fusion), torch.randn(1, 30, 6)
    chain, other = placed(residues(30)), placed(residues(30, 2))
    with torch.inference_mode():
        told = network(chain, sequence)
        by_structure = not torch.allclose(network(other, sequence), told)
        by_sequence = not torch.allclose(network(chain, sequence + torch.randn(1, 30, 6)), told)
    assert by_structure == network.config.reads_structure
    assert by_sequence == network.config.reads_sequence


def test_side_chains_are_seen_where_they_are():
    network, sequence = encoder(), torch.randn(1, 20, 6)
    chain = placed(residues(20))
    with_one = replace(chain, chi=chain.chi.clone())
    with_one.chi[0, 3, 0] = torch.tensor([0.6, 0.8])
    with torch.inference_mode():
        assert not torch.allclose(network(with_one, sequence), network(chain, sequence))


def test_the_shape_is_kept_and_checked():
    assert JointConfig.from_dict(SMALL.to_dict()) == SMALL
    with pytest.raises(ModelError, match="missing or unknown fields: depth"):
        JointConfig.from_dict({**SMALL.to_dict(), "depth": 3})
    for wrong in ({"dim": 15}, {"fusion": "both"}, {"layers": 10_000}, {"dropout": 1.0}):
        with pytest.raises(GlassError):
            replace(SMALL, **wrong)


def test_pair_features_are_finite_where_residues_coincide():
    chain = torch.zeros(1, 4, 3, 3)
    near = nearest(chain, torch.ones(1, 4, dtype=torch.bool), 4)
    assert torch.isfinite(pair_features(chain, near)).all()
