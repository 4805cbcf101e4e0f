"""Which chains to pair, so that TM-scores fill their range and not only the heap near 0.3.

Random chains hardly ever resemble each other. So pairs are drawn from four pools
(same cluster, same group, alike by a coarse distance profile, random), in rounds:
what a pool gave in earlier rounds decides which one is asked for the emptiest bin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.metrics.distances import distance_matrix

BIN_EDGES = (0.2, 0.4, 0.6, 0.8)
"""Lower edges of the TM-score bins; the last bin ends at 1, included."""
MIN_LENGTH_RATIO = 0.6
POOLS = ("cluster", "group", "alike", "random")
_PROFILE_SIZE = 20
_NEIGHBOURS = 12
_TRIES = 50


def tm_bin(tm: float) -> int | None:
    """Index of the bin that holds `tm`; ``None`` below the first edge."""
    index = int(np.searchsorted(BIN_EDGES, tm, side="right")) - 1
    return index if index >= 0 else None


def tm_bins(scores: Iterable[float]) -> NDArray[np.int64]:
    """`tm_bin` of every score; -1 below the first edge."""
    return np.array([-1 if (b := tm_bin(tm)) is None else b for tm in scores], dtype=np.int64)


def distance_profile(ca: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distance matrix averaged onto a small grid, upper triangle; a cheap sketch of the fold."""
    n = len(ca)
    edge = np.linspace(0, n, _PROFILE_SIZE + 1)
    centre = np.clip(((edge[:-1] + edge[1:]) / 2).astype(int), 0, n - 1)
    span = max(n // (2 * _PROFILE_SIZE), 1)
    smooth = np.stack([ca[max(c - span, 0) : c + span + 1].mean(axis=0) for c in centre])
    return distance_matrix(smooth)[np.triu_indices(_PROFILE_SIZE, 1)]


class Candidates:
    """Draws pairs of the chains of one side.

    Parameters
    ----------
    chains : DataFrame
        As `chains.CHAIN_COLUMNS`.
    cap : int
        Most pairs inside one group, and most pairs of it with other groups.
    """

    def __init__(self, chains: pd.DataFrame, cap: int) -> None:
        self.cap = cap
        self.length = chains["sequence"].str.len().to_numpy()
        self.group = chains["group"].to_numpy()
        self.members = {
            pool: [g for g in chains.groupby(pool, sort=True).indices.values() if len(g) > 1]
            for pool in ("cluster", "group")
        }
        self.chance = {pool: _chance(families, cap) for pool, families in self.members.items()}
        profile = np.stack([distance_profile(c) for c in chains["ca"]])
        square = (profile**2).sum(axis=1)
        gap = square[:, None] + square[None] - 2 * profile @ profile.T
        gap[self.group[:, None] == self.group[None]] = np.inf
        near = min(_NEIGHBOURS, len(chains) - 1)
        self.alike = np.argpartition(gap, near, axis=1)[:, :near]

    def draw(
        self, count: int, seen: pd.DataFrame, per_bin: int, rng: np.random.Generator
    ) -> pd.DataFrame:
        """The next round: up to `count` new pairs.

        Parameters
        ----------
        seen : DataFrame
            Earlier pairs: ``first``, ``second`` (rows of the chains), ``pool``, ``tm``.
        per_bin : int
            Pairs wanted in every bin.

        Returns
        -------
        DataFrame
            ``first``, ``second``, ``pool``; empty when every bin is full or no new
            pair is found.
        """
        hits = {pool: np.ones(len(BIN_EDGES)) for pool in POOLS}
        filled = np.zeros(len(BIN_EDGES))
        used: Counter[tuple[str, bool]] = Counter()
        known: set[tuple[int, int]] = set()
        for row in seen.itertuples():
            known.add(_key(row.first, row.second))
            used.update(self._charged(row.first, row.second))
            index = tm_bin(row.tm)
            if index is not None:
                hits[row.pool][index] += 1
                filled[index] += 1
        rate = {pool: count / count.sum() for pool, count in hits.items()}
        drawn: list[tuple[int, int, str]] = []
        misses: Counter[str] = Counter()
        while len(drawn) < count and (filled < per_bin).any():
            emptiest = int(filled.argmin())
            pool = max(
                (p for p in POOLS if misses[p] < _TRIES),
                key=lambda p: rate[p][emptiest] * rng.uniform(0.5, 1),
                default=None,
            )
            if pool is None:
                break
            pair = self._pair(pool, rng)
            charged = self._charged(*pair) if pair else set()
            if pair is None or _key(*pair) in known or any(used[c] >= self.cap for c in charged):
                misses[pool] += 1
                continue
            misses[pool] = 0
            known.add(_key(*pair))
            used.update(charged)
            filled += rate[pool]
            drawn.append((*pair, pool))
        return pd.DataFrame(drawn, columns=["first", "second", "pool"])

    def _charged(self, first: int, second: int) -> set[tuple[str, bool]]:
        """The groups whose cap a pair counts against, each with whether it lies inside."""
        inside = bool(self.group[first] == self.group[second])
        return {(self.group[first], inside), (self.group[second], inside)}

    def _pair(self, pool: str, rng: np.random.Generator) -> tuple[int, int] | None:
        """One pair of chains of similar length; None when a few tries found none."""
        for _ in range(_TRIES):
            if pool in self.members:
                if not self.members[pool]:
                    return None
                family = self.members[pool][rng.choice(len(self.chance[pool]), p=self.chance[pool])]
                first, second = rng.choice(family, 2, replace=False)
            else:
                first, second = rng.integers(len(self.length), size=2)
                if pool == "alike":
                    second = rng.choice(self.alike[first])
            short, long = sorted((self.length[first], self.length[second]))
            if first != second and short >= MIN_LENGTH_RATIO * long:
                return int(first), int(second)
        return None


def _chance(families: list[NDArray[np.int64]], cap: int) -> NDArray[np.float64]:
    """Chance of each family: by the pairs that it can give."""
    size = np.array([len(f) for f in families], dtype=float)
    pairs = np.minimum(size * (size - 1) / 2, cap)
    return pairs / pairs.sum() if len(pairs) else pairs


def _key(first: int, second: int) -> tuple[int, int]:
    return min(first, second), max(first, second)
