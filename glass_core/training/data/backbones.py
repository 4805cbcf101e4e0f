"""Chains with their backbones, to learn from: read from a table, drawn family by family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from glass_core.errors import InputError
from glass_core.protein.structure.backbone import Backbone
from glass_core.records import require
from glass_core.training.data.chains import MIN_LENGTH
from glass_core.training.data.splits import Split, largest_name, split_of_name

_COLUMNS = ("id", "sequence", "backbone", "cluster40", "split_group")


@dataclass(frozen=True, eq=False)
class BackboneChain:
    """A chain whose residues all have backbones.

    Attributes
    ----------
    id, sequence : str
    backbone : Backbone
        One residue for each letter.
    family, group : str
        Chains of one family resemble each other; groups are what a split does not cut.
    side : {"train", "validation", "test"}
    """

    id: str
    sequence: str
    backbone: Backbone
    family: str
    group: str
    side: Split

    def __post_init__(self) -> None:
        require(len(self.backbone) == len(self.sequence), "backbone", "has a residue per letter")
        require(bool(self.backbone.complete.all()), "backbone", "is complete")

    def part(self, start: int, length: int) -> BackboneChain:
        """Residues `start` to `start + length`."""
        cut = slice(start, start + length)
        return replace(self, sequence=self.sequence[cut], backbone=self.backbone[cut])


def read_backbones(source: Path, left_out: Sequence[str] = ()) -> list[BackboneChain]:
    """The chains of a Parquet table that have backbones.

    Parameters
    ----------
    source : Path
        Columns ``id``, ``sequence``, ``backbone`` (N, CA, C, O of every residue, flat; null
        without), ``cluster40`` and ``split_group``.
    left_out : sequence of str
        Pandas queries; rows that match one are left out.

    Raises
    ------
    InputError
        The table lacks a column, or holds no chain with a backbone.
    """
    if source.suffix != ".parquet" or not source.is_file():
        raise InputError(f"{source}: is no Parquet table of chains.")
    table = pd.read_parquet(source)
    missing = set(_COLUMNS) - set(table.columns)
    if missing:
        raise InputError(f"{source.name}: lacks the column {', '.join(sorted(missing))}.")
    biggest = largest_name(table["split_group"].astype(str))
    for query in left_out:
        table = table.drop(table.query(query).index)
    found = []
    for row in table[list(_COLUMNS)].itertuples(index=False):
        if row.backbone is None or len(row.sequence) < MIN_LENGTH:
            continue
        coordinates = np.asarray(row.backbone, dtype=np.float32).reshape(-1, 4, 3)
        backbone = Backbone.of_chain(row.sequence, coordinates, np.arange(len(row.sequence)))
        family, group = str(row.cluster40), str(row.split_group)
        side = split_of_name(group, biggest)
        found.append(BackboneChain(str(row.id), row.sequence, backbone, family, group, side))
    if not found:
        raise InputError(f"{source}: holds no chain with a backbone.")
    return found


class ChainDraw:
    """Chains drawn so that every family counts the same, each draw a function of its number."""

    def __init__(self, chains: Sequence[BackboneChain], longest: int, seed: int) -> None:
        self._longest, self._seed = longest, seed
        families: dict[str, list[BackboneChain]] = {}
        for chain in chains:
            families.setdefault(chain.family, []).append(chain)
        self._families = list(families.values())

    def drawn(self, number: int, count: int) -> list[BackboneChain]:
        """`count` chains, cut to a random stretch where they are longer than `longest`."""
        rng = np.random.default_rng([self._seed, number])
        found = []
        for family in rng.integers(len(self._families), size=count):
            members = self._families[family]
            chain = members[rng.integers(len(members))]
            spare = max(len(chain.sequence) - self._longest, 0)
            found.append(chain.part(int(rng.integers(spare + 1)), self._longest))
        return found
