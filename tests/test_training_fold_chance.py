"""Counting how often near chains share a fold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glass_core.errors import InputError
from glass_core.metrics.tmalign import tm_align
from glass_core.training.fold_chance import (
    NEAREST,
    NearPairs,
    calibration_error,
    chain_vectors,
    fit,
    near_pairs,
)
from tests.test_search_database import letters


@pytest.fixture
def chains():
    """Twelve random walks; the first of them twice."""
    rng = np.random.default_rng(0)
    traces = [np.cumsum(rng.normal(scale=2.2, size=(30, 3)), axis=0) for _ in range(11)]
    traces.append(traces[0] + 5)
    sequences = [letters(k) for k in range(11)]
    sequences.append(sequences[0][:29] + "A")
    sides = ["validation", "test"] + ["train"] * 10
    return pd.DataFrame({"sequence": sequences, "ca": traces, "side": sides})


def test_the_nearest_are_aligned(tiny_predictor, chains):
    vectors = chain_vectors(tiny_predictor, list(chains["sequence"]))
    np.testing.assert_allclose(vectors, tiny_predictor.vectors(list(chains["sequence"])), atol=1e-5)
    found = near_pairs(vectors, chains, "validation")
    assert found.rows.shape == (NEAREST, 2)
    assert set(found.rows[:, 0]) == {0}
    assert 0 not in found.rows[:, 1]
    products = vectors[1:] @ vectors[0]
    assert list(found.rows[:, 1]) == list(1 + np.argsort(-products)[:NEAREST])
    for (a, b), true in zip(found.rows, found.true, strict=True):
        one, other = chains.iloc[a], chains.iloc[b]
        alone = tm_align(one["ca"], other["ca"], one["sequence"], other["sequence"])
        assert true == pytest.approx(alone.tm_score)
    with pytest.raises(InputError, match="none is on the nowhere side"):
        near_pairs(vectors, chains, "nowhere")


def made_pairs(seed, number=4_000):
    """Pairs whose chance to share a fold is known."""
    rng = np.random.default_rng(seed)
    predicted = rng.uniform(0.3, 1, number)
    chance = 1 / (1 + np.exp(-20 * (predicted - 0.7)))
    true = np.where(rng.uniform(size=number) < chance, 0.8, 0.2)
    return NearPairs(np.zeros((number, 2), np.int64), predicted, true), chance


def test_the_share_is_found_and_does_not_fall():
    pairs, chance = made_pairs(1)
    fitted = fit(pairs)
    assert np.abs(fitted.of(pairs.predicted) - chance).mean() < 0.03
    assert fitted.counted["pairs"] == 4_000
    assert calibration_error(fitted, made_pairs(2)[0]) < 0.03
    turned = NearPairs(pairs.rows, 1.3 - pairs.predicted, pairs.true)
    assert calibration_error(fitted, turned) > 0.3, "an error is seen"
