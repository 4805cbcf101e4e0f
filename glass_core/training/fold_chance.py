"""How often near chains share a fold, counted on held-out chains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from glass_core.errors import InputError
from glass_core.metrics.tmalign import tm_align
from glass_core.models.fold_chance import SAME_FOLD_TM, FoldChance
from glass_core.models.predictor import Predictor
from glass_core.progress import Count, ignore
from glass_core.protein.sequence import NamedSequence
from glass_core.search.building import Building, build
from glass_core.search.database import Database
from glass_core.search.entry import Entry
from glass_core.search.neighbours import Aligner, search

NEAREST = {"vectors": 6, "alignment": 20}
"""Neighbours of each chain that are superposed: farther ones hardly ever share its fold."""
PAIRS_TOGETHER = 100
"""Pairs whose share is counted as one."""


@dataclass(frozen=True, eq=False)
class NearPairs:
    """Chains with their nearest ones.

    Attributes
    ----------
    rows : ndarray, shape=(k, 2), dtype=int64
        Row of a chain and of one near it.
    scores, true : ndarray, shape=(k,)
        What the neighbours were ranked by, and TM-scores by the length of the first chain.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    true: NDArray[np.float64]


def chain_database(chains: pd.DataFrame, folder: Path, how: Building) -> Database:
    """A database of all chains, whose ids are their rows."""
    entries = (Entry(str(row), sequence) for row, sequence in enumerate(chains["sequence"]))
    return build(entries, folder, how)


def near_pairs(
    chains: pd.DataFrame,
    side: str,
    database: Database,
    predictor: Predictor,
    aligner: Aligner | None = None,
    progress: Count = ignore,
) -> NearPairs:
    """The nearest chains of those on one side of the split, among all but themselves.

    Parameters
    ----------
    chains : DataFrame
        As `training.data.chains.read_chains` gives it.
    database : Database
        Of all of them, see `chain_database`.
    aligner : Aligner, optional
        What ranks the neighbours; without it their vectors do.

    Raises
    ------
    InputError
        No chain is on that side.
    """
    asked = np.flatnonzero((chains["side"] == side).to_numpy())
    if not len(asked):
        raise InputError(f"chains: none is on the {side} side.")
    coordinates, sequences = list(chains["ca"]), list(chains["sequence"])
    wanted = NEAREST["vectors" if aligner is None else "alignment"]
    rows, scores, true = [], [], []
    for done, row in enumerate(asked.tolist(), start=1):
        (found,) = search(
            [NamedSequence(sequences[row], str(row))],
            database,
            predictor=predictor,
            top=wanted + 1,
            aligner=aligner,
        )
        for one in [near for near in found if near.entry.id != str(row)][:wanted]:
            other, made = int(one.entry.id), one.alignment
            laid = tm_align(coordinates[row], coordinates[other], sequences[row], sequences[other])
            rows.append((row, other))
            scores.append(one.tm_score if made is None else made.normalised_score)
            true.append(laid.tm_score)
        progress(done, len(asked))
    return NearPairs(np.array(rows), np.array(scores), np.array(true))


def fit(pairs: NearPairs) -> FoldChance:
    """The shares of same folds along the score, made not to fall."""
    order = np.argsort(pairs.scores)
    groups = np.array_split(order, max(len(order) // PAIRS_TOGETHER, 1))
    scores = np.array([pairs.scores[group].mean() for group in groups])
    shares = np.array([(pairs.true[group] >= SAME_FOLD_TM).mean() for group in groups])
    sizes = np.array([len(group) for group in groups], dtype=float)
    rising = isotonic_regression(shares, weights=sizes).x.clip(0, 1)
    counted = {
        "pairs": len(order),
        "chains": len(np.unique(pairs.rows[:, 0])),
        "nearest": round(len(order) / len(np.unique(pairs.rows[:, 0]))),
        "same fold": f"TM-score of at least {SAME_FOLD_TM} by TM-align, by the query's length",
        "share": float((pairs.true >= SAME_FOLD_TM).mean()),
    }
    return FoldChance(scores, rising, counted)


def calibration_error(chance: FoldChance, pairs: NearPairs) -> float:
    """Mean distance of chance and share, over tenths of the chance, weighted by pairs."""
    told, same = chance.of(pairs.scores), pairs.true >= SAME_FOLD_TM
    tenth = np.minimum((told * 10).astype(int), 9)
    parts = [
        np.mean(tenth == k) * abs(told[tenth == k].mean() - same[tenth == k].mean())
        for k in np.unique(tenth)
    ]
    return float(sum(parts))
