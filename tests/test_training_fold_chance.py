"""Counting how often near chains share a fold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glass_core.errors import InputError
from glass_core.metrics.tmalign import tm_align
from glass_core.search.aligners import aligner_of
from glass_core.search.building import Building
from glass_core.settings import Settings
from glass_core.training.fold_chance import (
    NEAREST,
    NearPairs,
    calibration_error,
    chain_database,
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


@pytest.fixture
def database(tiny_assets, chains, tmp_path):
    return chain_database(
        chains, tmp_path / "db", Building(Settings(assets=tiny_assets), "compact")
    )


@pytest.mark.parametrize("aligned", [False, True])
def test_the_nearest_are_superposed(aligned, tiny_predictor, chains, database):
    aligner = aligner_of(tiny_predictor) if aligned else None
    found = near_pairs(chains, "validation", database, tiny_predictor, aligner)
    wanted = NEAREST["alignment" if aligned else "vectors"]
    assert found.rows.shape == (min(wanted, 11), 2)
    assert set(found.rows[:, 0]) == {0}
    assert 0 not in found.rows[:, 1]
    assert (np.diff(found.scores) <= 0).all()
    for (a, b), true in zip(found.rows, found.true, strict=True):
        one, other = chains.iloc[a], chains.iloc[b]
        alone = tm_align(one["ca"], other["ca"], one["sequence"], other["sequence"])
        assert true == pytest.approx(alone.tm_score)
    with pytest.raises(InputError, match="none is on the nowhere side"):
        near_pairs(chains, "nowhere", database, tiny_predictor)


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
    assert np.abs(fitted.of(pairs.scores) - chance).mean() < 0.03
    assert fitted.counted["pairs"] == 4_000
    assert calibration_error(fitted, made_pairs(2)[0]) < 0.03
    turned = NearPairs(pairs.rows, 1.3 - pairs.scores, pairs.true)
    assert calibration_error(fitted, turned) > 0.3, "an error is seen"
