"""How often near chains share a fold, counted on held-out chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from glass_core.errors import InputError
from glass_core.metrics.tmalign import tm_align
from glass_core.models.fold_chance import SAME_FOLD_TM, FoldChance
from glass_core.models.predictor import Predictor
from glass_core.progress import Count, ignore

NEAREST = 6
"""Neighbours of each chain that are aligned: farther ones hardly ever share its fold."""
PAIRS_TOGETHER = 100
"""Pairs whose share is counted as one."""
_EMBEDDED_TOGETHER = 500

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NearPairs:
    """Chains with their nearest ones.

    Attributes
    ----------
    rows : ndarray, shape=(k, 2), dtype=int64
        Row of a chain and of one near it.
    predicted, true : ndarray, shape=(k,)
        TM-scores by the length of the first one; the true ones are TM-align's.
    """

    rows: NDArray[np.int64]
    predicted: NDArray[np.float64]
    true: NDArray[np.float64]


def chain_vectors(
    predictor: Predictor, sequences: Sequence[str], progress: Count = ignore
) -> Vectors:
    """Unit vectors of all sequences, shape=(n, Z), made some at a time, the shortest first."""
    order = np.argsort([len(one) for one in sequences], kind="stable")
    made = []
    for begin in range(0, len(order), _EMBEDDED_TOGETHER):
        rows = order[begin : begin + _EMBEDDED_TOGETHER]
        made.append(predictor.vectors([sequences[row] for row in rows]))
        progress(begin + len(rows), len(order))
    return np.concatenate(made)[np.argsort(order)]


def near_pairs(
    vectors: Vectors, chains: pd.DataFrame, side: str, progress: Count = ignore
) -> NearPairs:
    """The nearest chains of those on one side of the split, among all but themselves.

    Parameters
    ----------
    vectors : ndarray, shape=(n, Z)
        Unit vectors of `chains`, as `chain_vectors` makes them.
    chains : DataFrame
        As `training.data.chains.read_chains` gives it.

    Raises
    ------
    InputError
        No chain is on that side.
    """
    asked = np.flatnonzero((chains["side"] == side).to_numpy())
    if not len(asked):
        raise InputError(f"chains: none is on the {side} side.")
    rows, predicted = [], []
    for one in asked:
        products = vectors @ vectors[one]
        products[one] = -np.inf
        near = np.argsort(-products)[:NEAREST]
        rows += [(int(one), int(other)) for other in near]
        predicted += [float(score) for score in np.clip(products[near], 0, 1)]
    coordinates, sequences = list(chains["ca"]), list(chains["sequence"])
    true = []
    for done, (a, b) in enumerate(rows, start=1):
        true.append(tm_align(coordinates[a], coordinates[b], sequences[a], sequences[b]).tm_score)
        progress(done, len(rows))
    return NearPairs(np.array(rows), np.array(predicted), np.array(true))


def fit(pairs: NearPairs) -> FoldChance:
    """The shares of same folds along the predicted score, made not to fall."""
    order = np.argsort(pairs.predicted)
    groups = np.array_split(order, max(len(order) // PAIRS_TOGETHER, 1))
    scores = np.array([pairs.predicted[group].mean() for group in groups])
    shares = np.array([(pairs.true[group] >= SAME_FOLD_TM).mean() for group in groups])
    sizes = np.array([len(group) for group in groups], dtype=float)
    rising = isotonic_regression(shares, weights=sizes).x.clip(0, 1)
    counted = {
        "pairs": len(order),
        "chains": len(np.unique(pairs.rows[:, 0])),
        "nearest": NEAREST,
        "same fold": f"TM-score of at least {SAME_FOLD_TM} by TM-align, by the query's length",
        "share": float((pairs.true >= SAME_FOLD_TM).mean()),
    }
    return FoldChance(scores, rising, counted)


def calibration_error(chance: FoldChance, pairs: NearPairs) -> float:
    """Mean distance of chance and share, over tenths of the chance, weighted by pairs."""
    told, same = chance.of(pairs.predicted), pairs.true >= SAME_FOLD_TM
    tenth = np.minimum((told * 10).astype(int), 9)
    parts = [
        np.mean(tenth == k) * abs(told[tenth == k].mean() - same[tenth == k].mean())
        for k in np.unique(tenth)
    ]
    return float(sum(parts))
