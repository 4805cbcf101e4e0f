"""Elastic networks against what can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core.errors import RecordError
from glass_core.metrics.flexibility import CUTOFF, ElasticNetwork


def walk(n: int = 24, seed: int = 0) -> np.ndarray:
    """A compact chain with steps of 3.8 Å."""
    rng = np.random.default_rng(seed)
    places = [np.zeros(3)]
    for _ in range(n - 1):
        step = rng.normal(size=3) - 0.15 * places[-1]
        places.append(places[-1] + 3.8 * step / np.linalg.norm(step))
    return np.array(places)


def kirchhoff(springs: np.ndarray) -> np.ndarray:
    return np.diag(springs.sum(axis=1)) - springs


def test_the_covariance_is_the_pseudo_inverse_of_the_kirchhoff_matrix():
    ca = walk()
    distance = np.linalg.norm(ca[:, None] - ca[None], axis=-1)
    within = ((distance <= CUTOFF) & (distance > 0)).astype(float)
    found = ElasticNetwork.gaussian(ca)
    np.testing.assert_allclose(found.covariance, np.linalg.pinv(kirchhoff(within)), atol=1e-9)
    weak = np.zeros_like(distance)
    weak[distance > 0] = distance[distance > 0] ** -4.0
    found = ElasticNetwork.without_cutoff(ca)
    by_numpy = np.linalg.pinv(kirchhoff(weak), rcond=1e-10)
    np.testing.assert_allclose(found.covariance, by_numpy, rtol=1e-6, atol=1e-6)


def test_three_beads_on_a_line_by_hand():
    line = np.array([[0.0, 0, 0], [3.8, 0, 0], [7.6, 0, 0]])
    network = ElasticNetwork.gaussian(line, cutoff=4.0)
    np.testing.assert_allclose(network.fluctuation, [5 / 9, 2 / 9, 5 / 9])
    np.testing.assert_allclose(network.correlation(1)[:2], [-1 / 9 / np.sqrt(10 / 81), 1])
    # Relative displacement: 5/9 + 2/9 + 2/9 between neighbours, 5/9 + 5/9 + 8/9 of the ends.
    expected = [(1 + np.sqrt(2)) / 2, 1, (1 + np.sqrt(2)) / 2]
    np.testing.assert_allclose(network.distance_change(), expected)
    np.testing.assert_allclose(network.distance_change(radius=4.0), [1, 1, 1])


def test_residues_without_coordinates_have_no_value_and_do_not_count():
    ca = walk()
    with_gap = np.insert(ca, 5, np.nan, axis=0)
    whole, gapped = ElasticNetwork.gaussian(ca), ElasticNetwork.gaussian(with_gap)
    for name in ("fluctuation",):
        values = getattr(gapped, name)
        assert np.isnan(values[5])
        np.testing.assert_allclose(np.delete(values, 5), getattr(whole, name))
    assert np.isnan(gapped.distance_change()[5]) and np.isnan(gapped.correlation(0)[5])
    np.testing.assert_allclose(np.delete(gapped.distance_change(), 5), whole.distance_change())
    assert np.isnan(ElasticNetwork.gaussian(np.full((4, 3), np.nan)).fluctuation).all()


def test_rotation_and_distance_change_nothing():
    ca = walk()
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    moved = ElasticNetwork.without_cutoff(ca @ turn + 40)
    np.testing.assert_allclose(
        moved.covariance, ElasticNetwork.without_cutoff(ca).covariance, rtol=1e-6, atol=1e-6
    )


def test_parts_that_no_spring_joins_move_apart_from_each_other():
    two = np.concatenate([walk(6), walk(6, 1) + 100])
    network = ElasticNetwork.gaussian(two)
    assert np.isfinite(network.fluctuation).all()
    np.testing.assert_allclose(network.covariance[:6, 6:], 0, atol=1e-12)
    lonely = ElasticNetwork.gaussian(np.array([[0.0, 0, 0], [3.8, 0, 0], [90, 0, 0]]))
    assert lonely.fluctuation[2] == 0 and np.isnan(lonely.correlation(2)).all()


def test_lengths_that_make_no_sense_are_refused():
    with pytest.raises(RecordError, match="cutoff"):
        ElasticNetwork.gaussian(walk(), cutoff=0)
    with pytest.raises(RecordError, match="power"):
        ElasticNetwork.without_cutoff(walk(), power=-1)
