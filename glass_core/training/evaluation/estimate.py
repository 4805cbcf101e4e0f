"""How near estimated predictions come to exact ones, on proteins of the held-out side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from glass_core.errors import InputError
from glass_core.metrics.agreement import spearman
from glass_core.models.evaluation import BLOSUM, ESTIMATE, LETTER_PAIRS
from glass_core.models.heads.estimate import LEAST, EstimateTable
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.training.data.exact import ExactValues, check_model
from glass_core.training.evaluation.pairs import column
from glass_core.training.evaluation.statistics import (
    Metric,
    Vector,
    mean_of,
    rounded,
    with_interval,
)

QUANTITIES = ("tm", "lddt")
_LOWEST, _HIGHEST = 0.05, 0.95
"""Quantiles that tell how bad it gets."""

Deficits = NDArray[np.float64]
"""Shape=(n, 2): of TM-score and of lDDT at the site."""


def evaluate_estimate(
    predictor: SiamesePredictor,
    chains: Sequence[ExactValues],
    train: Sequence[ExactValues],
    tell: Say,
) -> dict[str, Any]:
    """Ranks within each protein and errors of the estimate head, beside baselines.

    Every protein counts once. Percentiles are compared among the random substitutions of a
    protein, ranks at its whole sites.

    Parameters
    ----------
    chains : sequence of ExactValues
        Of the held-out side.
    train : sequence of ExactValues
        What the means of letter pairs are taken from.

    Raises
    ------
    InputError
        The model has no estimate head, or `chains` are of another model.
    """
    if "estimate" not in predictor.heads:
        raise InputError(f"{predictor.info.name}: has no estimate head.")
    check_model(predictor, list(chains[:2]))
    means = letter_pair_means(train)
    told: dict[str, list[Deficits]] = {ESTIMATE: [], LETTER_PAIRS: [], BLOSUM: []}
    for chain in chains:
        told[ESTIMATE].append(_estimated(predictor, chain))
        wild = _wild(chain)
        told[LETTER_PAIRS].append(means[wild, chain.letter])
        told[BLOSUM].append(np.repeat(_unlike(wild, chain.letter)[:, None], 2, axis=1))
    exact = [_deficits(chain) for chain in chains]
    group = np.array([chain.group for chain in chains])
    tell(f"estimate: {len(chains)} proteins")
    return {
        "proteins": len(chains),
        "groups": len(set(group.tolist())),
        "substitutions": sum(len(chain.index) for chain in chains),
        "trained_on": {"proteins": len(train), "substitutions": sum(len(c.index) for c in train)},
        "exact": {
            f"{name}_{what}": rounded(float(np.quantile(np.concatenate(exact)[:, k], q)))
            for k, name in enumerate(QUANTITIES)
            for what, q in (("p5", _LOWEST), ("median", 0.5), ("p95", _HIGHEST))
        },
        "figures": {
            who: _figures(chains, exact, values, group, sizes=who != BLOSUM)
            for who, values in told.items()
        },
        "rows": _rows(chains, exact, told[ESTIMATE]),
    }


def letter_pair_means(chains: Sequence[ExactValues]) -> Deficits:
    """Geometric mean deficits by wild-type and mutant letter, shape=(20, 20, 2).

    Pairs that are not there have the mean of all.
    """
    wild = np.concatenate([_wild(chain) for chain in chains])
    letter = np.concatenate([chain.letter for chain in chains])
    logarithm = np.log(np.concatenate([_deficits(chain) for chain in chains]))
    total, count = np.zeros((20, 20, 2)), np.zeros((20, 20, 1))
    np.add.at(total, (wild, letter), logarithm)
    np.add.at(count, (wild, letter), 1)
    return np.exp(np.where(count > 0, total / np.maximum(count, 1), logarithm.mean(axis=0)))


def _wild(chain: ExactValues) -> NDArray[np.int64]:
    return np.array([STANDARD.index(chain.sequence[i]) for i in chain.index])


def _unlike(wild: NDArray[np.int64], letter: NDArray[np.int64]) -> Vector:
    matrix = blosum62_matrix()
    return np.array(
        [-float(matrix[STANDARD[a], STANDARD[b]]) for a, b in zip(wild, letter, strict=True)]
    )


def _deficits(chain: ExactValues) -> Deficits:
    return np.maximum(1 - np.stack([chain.tm, chain.lddt], axis=1), LEAST)


def _estimated(predictor: SiamesePredictor, chain: ExactValues) -> Deficits:
    tables = predictor.tables(Protein.from_sequence(chain.sequence))
    table = next(one for one in tables if isinstance(one, EstimateTable))
    cells = chain.index, chain.letter
    return 1 - np.stack([table.tm[cells], table.lddt[cells]], axis=1)


def _figures(
    chains: Sequence[ExactValues],
    exact: Sequence[Deficits],
    told: Sequence[Deficits],
    group: NDArray[Any],
    sizes: bool,
) -> dict[str, Any]:
    """Of one predictor; `sizes`: whether what it tells are deficits."""
    found: dict[str, Any] = {}
    for k, name in enumerate(QUANTITIES):
        ranks = np.array([spearman(b[:, k], a[:, k]) for a, b in zip(exact, told, strict=True)])
        found[f"{name}_spearman"] = with_interval(_quantile_of(ranks, 0.5), group)
        found[f"{name}_spearman_p5"] = with_interval(_quantile_of(ranks, _LOWEST), group)
        if sizes:
            errors = [np.abs(b[:, k] - a[:, k]) for a, b in zip(exact, told, strict=True)]
            found[f"{name}_error"] = with_interval(_quantile_of_all(errors, 0.5), group)
            found[f"{name}_error_p95"] = with_interval(_quantile_of_all(errors, _HIGHEST), group)
    off = [
        _percentile_error(a[~c.whole, 0], b[~c.whole, 0])
        for c, a, b in zip(chains, exact, told, strict=True)
    ]
    found["percentile_error"] = with_interval(mean_of(np.array(off)), group)
    off = [_rank_error(c, a[:, 0], b[:, 0]) for c, a, b in zip(chains, exact, told, strict=True)]
    found["site_rank_error"] = with_interval(mean_of(np.array(off)), group)
    return found


def _quantile_of(values: Vector, q: float) -> Metric:
    return lambda rows, weight: float(np.nanquantile(values[rows], q))


def _quantile_of_all(values: Sequence[Vector], q: float) -> Metric:
    """Over all substitutions of the proteins drawn."""
    return lambda rows, weight: float(np.nanquantile(np.concatenate([values[r] for r in rows]), q))


def _percentile_error(exact: Vector, told: Vector) -> float:
    """Mean distance of percentiles among the same substitutions."""
    away = np.abs(rankdata(exact) - rankdata(told))
    return float(100 * away.mean() / len(away))


def _rank_error(chain: ExactValues, exact: Vector, told: Vector) -> float:
    """Mean distance of ranks at the whole sites of a protein."""
    away = [
        np.abs(rankdata(exact[rows]) - rankdata(told[rows]))
        for site in np.unique(chain.index[chain.whole])
        for rows in [(chain.index == site) & chain.whole]
    ]
    return float(np.mean(np.concatenate(away))) if away else float("nan")


def _rows(
    chains: Sequence[ExactValues], exact: Sequence[Deficits], told: Sequence[Deficits]
) -> dict[str, Any]:
    """One entry per protein."""
    rows: dict[str, Any] = {
        "group": [chain.group for chain in chains],
        "length": [len(chain.sequence) for chain in chains],
    }
    for k, name in enumerate(QUANTITIES):
        pairs = [(a[:, k], b[:, k]) for a, b in zip(exact, told, strict=True)]
        rows[f"{name}_spearman"] = column(np.array([spearman(b, a) for a, b in pairs]))
        rows[f"{name}_error"] = column(np.array([np.median(np.abs(b - a)) for a, b in pairs]))
    return rows
