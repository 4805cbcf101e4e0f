"""Which proteins train, validate and test, and which sequences would leak.

Chains: a split group (joined at 40% identity over half of the shorter chain, see
the structure set's notes) goes as a whole to one side, by the last hex digit of
the MD5 of its number; the largest group always trains. Proteins of the variant
data: joined by the same likeness among themselves, a group is named by the
smallest MD5 of its sequences, whose last digit decides. Sequences that resemble
a validation or test sequence of either kind are left out of the encoder's
training by MMseqs2 (Steinegger & Söding, Nat. Biotechnol. 35, 1026 (2017)).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from glass_core.errors import InputError
from glass_core.search.mmseqs import similar

Split = Literal["train", "validation", "test"]


def side_of_digit(digit: str) -> Split:
    """The side that the last hex digit of a name's MD5 stands for."""
    return "test" if digit in "01" else "validation" if digit == "2" else "train"


def split_of(group: int, largest_group: int) -> Split:
    """The side on which split group `group` lies."""
    return split_of_name(str(group), str(largest_group))


def split_of_name(group: str, largest_group: str) -> Split:
    """The side of a group given by name."""
    return "train" if group == largest_group else side_of_digit(_md5(group)[-1])


def largest_name(groups: Iterable[str]) -> str:
    """The group with most members (on a tie the shorter name, then the first)."""
    counts = Counter(groups)
    if not counts:
        raise InputError("No split group was given, so there is no largest one.")
    return min(counts, key=lambda g: (-counts[g], len(g), g))


def largest(groups: Iterable[int]) -> int:
    """The group with most members (the smaller number on a tie)."""
    return int(largest_name(str(int(g)) for g in groups))


def split_lists(groups: Sequence[int]) -> dict[str, Any]:
    """The lists that are committed: groups of each held-out side, with counts of chains."""
    biggest = largest(groups)
    sides = {int(g): split_of(int(g), biggest) for g in groups}
    return {
        "rule": "last hex digit of md5(str(split_group)): 0 or 1 test, 2 validation, else train; "
        "the largest group trains",
        "largest_group": biggest,
        "chains": dict(Counter(sides[int(g)] for g in groups)),
        "groups": dict(Counter(sides.values())),
        "test": sorted(g for g, side in sides.items() if side == "test"),
        "validation": sorted(g for g, side in sides.items() if side == "validation"),
    }


def protein_groups(sequences: Sequence[str], work: Path, threads: int = 2) -> list[str]:
    """The name of each protein's group: the smallest MD5 among the sequences joined to it."""
    edges = [(a, b) for a, b in similar(sequences, sequences, work, threads) if a != b]
    rows, columns = zip(*edges, strict=True) if edges else ((), ())
    n = len(sequences)
    graph = coo_array(([1] * len(rows), (rows, columns)), shape=(n, n))
    label = connected_components(graph, directed=False)[1]
    digest = [_md5(s) for s in sequences]
    name: dict[int, str] = {}
    for group, own in zip(label, digest, strict=True):
        name[group] = min(own, name.get(group, own))
    return [name[group] for group in label]


def protein_sides(groups: Sequence[str]) -> list[Split]:
    """The side of each protein from the name of its group."""
    return [side_of_digit(name[-1]) for name in groups]


def leaking_sequences(
    held_out: Sequence[str], candidates: Sequence[str], work: Path, threads: int = 2
) -> set[int]:
    """Indices of `candidates` that resemble a held-out sequence.

    Parameters
    ----------
    held_out, candidates : sequence of str
        Residue letters.
    work : Path
        Folder for MMseqs2's own files.
    threads : int

    Raises
    ------
    UnavailableError
        MMseqs2 is not installed.
    """
    exact = set(held_out)
    leaks = {i for i, s in enumerate(candidates) if s in exact}
    return leaks | {index for _, index in similar(held_out, candidates, work, threads)}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def held_out_chains(data: Path) -> list[str]:
    """Sequences of all validation and test chains, those of the mutant pairs included."""
    chains = pd.read_parquet(
        data / "structures/chains.parquet", columns=["sequence", "split_group"]
    )
    pairs = pd.read_parquet(
        data / "structures/pairs.parquet", columns=["sequence_a", "sequence_b", "split_group"]
    )
    biggest = largest(chains["split_group"])
    sequences: set[str] = set()
    for table, columns in ((chains, ["sequence"]), (pairs, ["sequence_a", "sequence_b"])):
        sides = table["split_group"].map(lambda g: split_of(int(g), biggest))
        for column in columns:
            sequences.update(table.loc[sides != "train", column])
    return sorted(sequences)


def variant_proteins(data: Path) -> list[str]:
    """The distinct wild types of every scan, stability set and clinical set."""
    sequences: set[str] = set()
    for name in ("dms", "ddg", "clinical"):
        table = pd.read_parquet(data / f"variants/{name}.parquet", columns=["wt_sequence"])
        sequences.update(table["wt_sequence"].dropna())
    return sorted(sequences)
