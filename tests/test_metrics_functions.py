"""F-max against a double loop, GDT_TS against superpositions that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from glass_core.errors import RecordError
from glass_core.metrics.functions import calling, f_max
from glass_core.metrics.gdt import gdt_ts


def plainly(chance, label):
    """F-max by its definition, protein by protein."""
    best = 0.0
    for threshold in np.arange(1, 101) / 100:
        precisions, recalls = [], []
        for told, true in zip(chance, label, strict=True):
            called = {k for k, p in enumerate(told) if p >= threshold}
            own = {k for k, t in enumerate(true) if t}
            if called:
                precisions.append(len(called & own) / len(called))
            recalls.append(len(called & own) / len(own))
        if precisions:
            p, r = np.mean(precisions), np.mean(recalls)
            if p + r:
                best = max(best, 2 * p * r / (p + r))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_f_max_is_that_of_its_definition(seed):
    rng = np.random.default_rng(seed)
    label = (rng.random((30, 8)) < 0.2).astype(float)
    label[np.arange(30), rng.integers(8, size=30)] = 1
    chance = np.clip(0.3 * label + rng.random((30, 8)) * 0.7, 0, 1)
    found = f_max(chance, label)
    assert found.value == pytest.approx(plainly(chance, label))
    rows = rng.integers(30, size=30)
    again = calling(chance, label).best(rows).value
    assert again == pytest.approx(plainly(chance[rows], label[rows]))


def test_f_max_of_nothing_is_no_number():
    assert np.isnan(f_max(np.zeros((0, 3)), np.zeros((0, 3))).value)
    assert np.isnan(f_max(np.zeros((2, 3)), np.eye(3)[:2]).value)
    assert f_max(np.eye(3), np.eye(3)).value == 1.0


def walk(n=80, seed=0):
    rng = np.random.default_rng(seed)
    step = rng.normal(size=(n, 3))
    return np.cumsum(3.8 * step / np.linalg.norm(step, axis=1, keepdims=True), axis=0)


def test_gdt_does_not_see_how_a_model_lies():
    chain = walk()
    moved = Rotation.from_rotvec([0.3, -1.2, 2.0]).apply(chain) + np.array([5, -7, 40])
    assert gdt_ts(chain, moved) == 1.0
    assert gdt_ts(chain, chain * [1, 1, -1]) < 0.6, "a mirror image is another shape"


def test_gdt_counts_the_part_that_fits():
    chain = walk(100)
    model = chain.copy()
    model[60:] = Rotation.from_rotvec([0, 0, np.pi]).apply(model[60:] - model[60]) + 80
    assert gdt_ts(chain, model) == pytest.approx(0.6, abs=0.06)
    absent = chain.copy()
    absent[60:] = np.nan
    assert gdt_ts(chain, absent) == 0.6
    assert np.isnan(gdt_ts(chain, np.full((100, 3), np.nan)))


def test_gdt_has_the_share_of_each_threshold():
    """Every other residue is off by 3 Å, up or down: within 4 and 8 Å, not within 1 and 2."""
    chain = np.array([[3.8 * k, 0, 0] for k in range(60)], dtype=float)
    chain[:, 1] = np.sin(np.arange(60) / 5) * 10
    model = chain.copy()
    model[::2, 2] += 3.0
    model[::4, 2] -= 6.0
    found = gdt_ts(chain, model)
    assert 0.74 <= found <= 0.8


def test_gdt_falls_as_noise_grows():
    chain, rng = walk(), np.random.default_rng(1)
    noise = rng.normal(size=chain.shape)
    told = [gdt_ts(chain, chain + size * noise) for size in (0, 0.5, 1.5, 4, 12)]
    assert told[0] == 1.0
    assert told == sorted(told, reverse=True)
    with pytest.raises(RecordError, match="a row for each"):
        gdt_ts(chain, chain[:-1])
