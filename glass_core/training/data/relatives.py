"""Which chains may be related: by their vectors, by alike words, by their classes.

Most random pairs are not, and an alignment can be learnt only from pairs that are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.search.shared_words import WordIndex

BY_VECTORS, BY_WORDS, BY_CLASS = 5, 4, 3
"""Pairs of each chain."""
FROM_LARGEST = 2
"""Of a chain of the largest group, which would outweigh all others."""


def likely_relatives(
    chains: pd.DataFrame,
    vectors: NDArray[np.float32],
    classes: pd.DataFrame | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Pairs of chains on one side that may be related, each once.

    Parameters
    ----------
    chains : DataFrame
        As `training.data.chains.read_chains` gives it.
    vectors : ndarray, shape=(n, Z)
        Unit vectors of all of them.
    classes : DataFrame, optional
        Classes by id: ``id``, ``scheme``, ``superfamily``.

    Returns
    -------
    DataFrame
        ``reference_id``, ``subject_id``, and ``tm``, which nobody knows yet: NaN.
    """
    rng = np.random.default_rng(seed)
    ids, groups = chains["id"].to_numpy(), chains["group"].to_numpy()
    largest = chains["group"].value_counts().idxmax()
    kin = _kin(chains, classes)
    pairs: set[tuple[int, int]] = set()
    for _, rows in chains.groupby("side").indices.items():
        words = WordIndex.of(chains["sequence"].iloc[rows])
        for place, row in enumerate(rows.tolist()):
            products = vectors[rows] @ vectors[row]
            products[place] = -np.inf
            near = rows[np.argsort(-products)[:BY_VECTORS]]
            alike = rows[words.candidates(chains["sequence"].iloc[row], BY_WORDS + 1)]
            same = np.intersect1d(kin.get(row, []), rows)
            some = rng.choice(same, min(BY_CLASS, len(same)), replace=False)
            found = np.unique(np.concatenate([near, alike, some]).astype(np.int64))
            found = found[found != row]
            if groups[row] == largest:
                found = rng.permutation(found)[:FROM_LARGEST]
            pairs |= {(min(row, other), max(row, other)) for other in found.tolist()}
    listed = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return pd.DataFrame(
        {"reference_id": ids[listed[:, 0]], "subject_id": ids[listed[:, 1]], "tm": np.nan}
    )


def _kin(chains: pd.DataFrame, classes: pd.DataFrame | None) -> dict[int, list[int]]:
    """Row -> rows of its superfamilies."""
    found: dict[int, list[int]] = {}
    for rows in _superfamilies(chains, classes):
        for row in rows:
            found.setdefault(row, []).extend(rows)
    return found


def _superfamilies(chains: pd.DataFrame, classes: pd.DataFrame | None) -> Iterator[list[int]]:
    if classes is None:
        return
    row_of = {name: row for row, name in enumerate(chains["id"])}
    known = classes[classes["superfamily"].notna() & classes["id"].isin(row_of)]
    for _, some in known.groupby(["scheme", "superfamily"]):
        yield sorted({row_of[name] for name in some["id"]})
