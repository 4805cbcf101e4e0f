"""Predictions for training proteins by heads that have not seen them.

Intervals and chances that are fitted to what a head says of its own training proteins are
too sure, and held-out proteins are few. So the head is trained a few times more, each time
without some of the groups of proteins, and says of these what it says of strangers (Vovk,
Ann. Math. Artif. Intell. 74, 9 (2015)).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glass_core.training.data.sites import Sites

FOLDS = 4

Told = tuple[NDArray[np.float32], ...]
"""What a head says of the rows of `Sites`, each of shape=(n, 20)."""


def fold_of(groups: NDArray[np.object_]) -> NDArray[np.int64]:
    """The fold in which each group of proteins is left out, from its name alone."""
    digests = [hashlib.md5(str(g).encode(), usedforsecurity=False).digest()[0] for g in groups]
    return np.array(digests, dtype=np.int64) % FOLDS


def told_by_strangers(train: Sites, tell: Callable[[Sites, Sites, int], Told]) -> Told:
    """What `tell` gives for every row of `train`.

    Parameters
    ----------
    train : Sites
    tell : callable
        Trains on its first argument, and says of its second what it says; the third is the
        number of the fold.
    """
    fold = fold_of(train.rows["group"].to_numpy())
    parts = {k: tell(train.only(fold != k), train.only(fold == k), k) for k in np.unique(fold)}
    told = [
        np.full((len(train), table.shape[1]), np.nan, np.float32)
        for table in next(iter(parts.values()))
    ]
    for k, tables in parts.items():
        for whole, part in zip(told, tables, strict=True):
            whole[fold == k] = part
    return tuple(told)
