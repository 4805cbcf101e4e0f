"""Labelled pairs of structures: fold pairs that fill the TM-score bins, and near-identical pairs.

Fold pairs are drawn from chains of one side of the split, from four pools:
same 40% cluster, same split group, alike by a coarse distance profile, and
random. The pool most likely to fill the emptiest bin is asked next.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.metrics.distances import distance_matrix, place_on_reference
from glass_core.metrics.lddt import lddt
from glass_core.metrics.tmalign import tm_align
from glass_core.training.splits import largest, split_of

BIN_EDGES = (0.2, 0.4, 0.6, 0.8)
"""Lower edges of the TM-score bins; the last bin ends at 1, included."""
MIN_LENGTH_RATIO = 0.6
REARRANGED_RMSD = 10.0
"""Å; near-identical pairs further apart are rearrangements, reported apart."""
_RESTRICTED = ("LBM-EPFL/PeSTo", "RosettaCommons/demos")
_PROFILE_SIZE = 20
_NEIGHBOURS = 12


def tm_bin(tm: float) -> int | None:
    """Index of the bin that holds `tm`; ``None`` below the first edge."""
    index = int(np.searchsorted(BIN_EDGES, tm, side="right")) - 1
    return index if index >= 0 else None


def distance_profile(ca: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distance matrix averaged onto a small grid, upper triangle; a cheap sketch of the fold."""
    n = len(ca)
    edge = np.linspace(0, n, _PROFILE_SIZE + 1)
    centre = np.clip(((edge[:-1] + edge[1:]) / 2).astype(int), 0, n - 1)
    span = max(n // (2 * _PROFILE_SIZE), 1)
    smooth = np.stack([ca[max(c - span, 0) : c + span + 1].mean(axis=0) for c in centre])
    return distance_matrix(smooth)[np.triu_indices(_PROFILE_SIZE, 1)]


def label_pair(
    reference_ca: NDArray[np.floating],
    subject_ca: NDArray[np.floating],
    reference: str,
    subject: str,
    facing: bool = False,
) -> dict[str, Any]:
    """TM-score normalised by the reference, and lDDT of its aligned residues.

    Parameters
    ----------
    reference_ca, subject_ca : ndarray, shape=(L, 3), in Å
    reference, subject : str
        Residue letters.
    facing : bool
        Residue i faces residue i: no alignment is searched for.

    Returns
    -------
    dict
        ``tm``, ``aligned`` (flat index pairs reference, subject) and ``lddt``
        (one number per aligned pair, NaN without a neighbour).
    """
    rows = (reference, subject) if facing else None
    found = tm_align(reference_ca, subject_ca, reference, subject, rows)
    placed = place_on_reference(subject_ca, found.pairs, len(reference))
    kept = lddt(np.where(np.isnan(placed), np.nan, reference_ca), placed)
    return {
        "tm": found.tm_score,
        "aligned": found.pairs.astype(np.int16).ravel(),
        "lddt": kept[found.pairs[:, 0]].astype(np.float32),
    }


class Pools:
    """Endless draws of index pairs of chains that are about equally long."""

    names = ("cluster40", "split_group", "alike", "random")

    def __init__(self, chains: pd.DataFrame, rng: np.random.Generator) -> None:
        self.rng = rng
        self.length = chains["length"].to_numpy()
        self.members = {
            column: [g for g in chains.groupby(column).indices.values() if len(g) > 1]
            for column in ("cluster40", "split_group")
        }
        self.group = chains["split_group"].to_numpy()
        profile = np.stack([distance_profile(c) for c in chains["ca"]])
        square = (profile**2).sum(axis=1)
        gap = square[:, None] + square[None] - 2 * profile @ profile.T
        gap[self.group[:, None] == self.group[None]] = np.inf
        self.alike = np.argpartition(gap, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]

    def draw(self, pool: str) -> tuple[int, int]:
        """One pair of `pool`; (0, 0) when a few tries found none of similar length."""
        for _ in range(20):
            if self.members.get(pool):
                family = self.members[pool][self.rng.integers(len(self.members[pool]))]
                first, second = self.rng.choice(family, 2, replace=False)
            else:
                first, second = self.rng.integers(len(self.length), size=2)
                if pool == "alike":
                    second = self.rng.choice(self.alike[first])
            short, long = sorted((self.length[first], self.length[second]))
            if first != second and short >= MIN_LENGTH_RATIO * long:
                return int(first), int(second)
        return 0, 0


def fold_pairs(
    chains: pd.DataFrame, per_bin: int, seconds: float, rng: np.random.Generator, cap: int
) -> Iterator[dict[str, Any]]:
    """Labelled pairs until every bin holds `per_bin` or time is up; `cap` pairs per group."""
    pools = Pools(chains, rng)
    hits = {name: np.ones(len(BIN_EDGES)) for name in pools.names}
    filled: Counter[int] = Counter()
    used: Counter[int] = Counter()
    seen: set[tuple[int, int]] = set()
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and any(filled[b] < per_bin for b in range(len(BIN_EDGES))):
        emptiest = min(range(len(BIN_EDGES)), key=lambda b: filled[b])
        rate = {name: count[emptiest] / count.sum() for name, count in hits.items()}
        pool = max(rate, key=lambda name: rate[name] * rng.uniform(0.5, 1))
        first, second = pools.draw(pool)
        key = (min(first, second), max(first, second))
        groups = {int(pools.group[first]), int(pools.group[second])}
        if first == second or key in seen or any(used[g] >= cap for g in groups):
            hits[pool] += 0.02  # an exhausted pool slowly loses its lead
            continue
        seen.add(key)
        a, b = chains.iloc[first], chains.iloc[second]
        label = label_pair(a["ca"], b["ca"], a["sequence"], b["sequence"])
        index = tm_bin(label["tm"])
        if index is None:
            continue
        hits[pool][index] += 1
        if filled[index] >= per_bin:
            continue
        filled[index] += 1
        used.update(groups)
        yield label | {
            "kind": "fold",
            "pool": pool,
            "reference": a["sequence"],
            "subject": b["sequence"],
            "group": int(a["split_group"]),
            "subject_group": int(b["split_group"]),
            "rearranged": False,
        }


def near_identical_pairs(data: Path, side: str, biggest: int) -> Iterator[dict[str, Any]]:
    """The committed pairs of almost the same sequence, labelled residue i against i."""
    for _, row in _readable(data / "structures/pairs.parquet", "_a", "_b").iterrows():
        if split_of(int(row["split_group"]), biggest) != side:
            continue
        label = label_pair(
            row["ca_a"], row["ca_b"], row["sequence_a"], row["sequence_b"], facing=True
        )
        yield label | {
            "kind": row["kind"],
            "pool": "pairs",
            "reference": row["sequence_a"],
            "subject": row["sequence_b"],
            "group": int(row["split_group"]),
            "subject_group": int(row["split_group"]),
            "rearranged": bool(row["ca_rmsd"] > REARRANGED_RMSD),
        }


def read_chains(data: Path) -> pd.DataFrame:
    """Chains fit for training: no restricted licence, no structures that are models."""
    chains = _readable(data / "structures/chains.parquet", "")
    return chains[chains["kind"] != "model"].reset_index(drop=True)


def _readable(path: Path, *sides: str) -> pd.DataFrame:
    table = pd.read_parquet(path)
    for side in sides:
        table = table[~table[f"source_repo{side}"].isin(_RESTRICTED)]
    for side in sides:
        table[f"ca{side}"] = [np.reshape(c, (-1, 3)).astype(float) for c in table[f"ca{side}"]]
    return table


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--side", type=click.Choice(["train", "validation", "test"]), required=True)
@click.option("--per-bin", type=int, default=3000)
@click.option("--cap", type=int, default=200, help="Most pairs of one split group.")
@click.option("--minutes", type=float, default=15)
@click.option("--seed", type=int, default=0)
def main(
    data: Path, work: Path, side: str, per_bin: int, cap: int, minutes: float, seed: int
) -> None:
    """Write the labelled pairs of one side to WORK/pairs-SIDE.parquet."""
    work.mkdir(parents=True, exist_ok=True)
    chains = read_chains(data)
    biggest = largest(pd.read_parquet(data / "structures/chains.parquet")["split_group"])
    on_side = chains["split_group"].map(lambda g: split_of(int(g), biggest)) == side
    rows = list(near_identical_pairs(data, side, biggest))
    rng = np.random.default_rng(seed)
    rows += fold_pairs(chains[on_side].reset_index(drop=True), per_bin, 60 * minutes, rng, cap)
    table = pd.DataFrame(rows)
    table.to_parquet(work / f"pairs-{side}.parquet")
    bins = Counter(tm_bin(t) for t in table.loc[table["kind"] == "fold", "tm"])
    click.echo(f"{side}: {dict(Counter(table['kind']))}, fold pairs by bin {dict(bins)}")


if __name__ == "__main__":
    main()
