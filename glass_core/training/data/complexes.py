"""Complexes of known structure, and measured changes of their binding (SKEMPI 2.0)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.embedders.joint import Sites
from glass_core.errors import InputError
from glass_core.protein.structure.backbone import Backbone
from glass_core.protein.structure.file import read_structure
from glass_core.records import require
from glass_core.training.data.labelled import SIDES
from glass_core.training.data.splits import Split

_MUTATION = re.compile(r"^([A-Z])(.)(-?\d+)([a-z]?)([A-Z])$")
_COLUMNS = ("id", "complex", "chains_1", "chains_2", "mutation", "ddg", "holdout_group", "set")


@dataclass(frozen=True, eq=False)
class Complex:
    """Chains of both sides of a complex.

    Attributes
    ----------
    name : str
    backbones : dict
        Of each chain by its id, both sides.
    sides : tuple of two tuple of str
        Ids of the chains of each.
    numbers : dict
        Chain -> residue's number in the file, such as ``100a`` -> index in its backbone.
    """

    name: str
    backbones: dict[str, Backbone]
    sides: tuple[tuple[str, ...], tuple[str, ...]]
    numbers: dict[str, dict[str, int]]

    def sites(self, chains: tuple[str, ...]) -> Sites:
        """The residues of some of its chains, as the joint encoder takes them."""
        parts = [self.backbones[chain] for chain in chains]
        return Sites(
            np.concatenate([one.coordinates[:, :3] for one in parts]),
            np.concatenate([one.numbers for one in parts]),
            np.repeat(np.arange(len(parts)), [len(one) for one in parts]),
        )

    def first(self, chains: tuple[str, ...]) -> dict[str, int]:
        """Row at which each of some chains begins in `sites`."""
        lengths = [len(self.backbones[chain]) for chain in chains]
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        return {chain: int(start) for chain, start in zip(chains, starts, strict=True)}


@dataclass(frozen=True)
class BindingChange:
    """A measured change of the free energy of binding.

    Attributes
    ----------
    name, complex : str
    changes : tuple of (chain, index, letter)
        The residues that change and what they become.
    ddg : float
        kcal/mol, positive = weaker.
    group : str
        Complexes of one group resemble each other.
    side : {"train", "validation", "test"}
    """

    name: str
    complex: str
    changes: tuple[tuple[str, int, str], ...]
    ddg: float
    group: str
    side: Split

    def __post_init__(self) -> None:
        require(len(self.changes) > 0, "changes", "has one at least")


def read_binding(table: Path, structures: Path) -> tuple[list[BindingChange], dict[str, Complex]]:
    """Measured changes whose complex has a structure, and these.

    Parameters
    ----------
    table : Path
        Parquet with ``id``, ``complex``, ``chains_1``, ``chains_2``, ``mutation`` (such as
        ``LI45G``), ``ddg``, ``holdout_group``, ``set`` and ``structure``.
    structures : Path
        Folder of the structures' files.

    Raises
    ------
    InputError
        A column or a file is missing, or no row has a structure.
    """
    if table.suffix != ".parquet" or not table.is_file():
        raise InputError(f"{table}: is no Parquet table of changes of binding.")
    rows = pd.read_parquet(table)
    missing = {*_COLUMNS, "structure"} - set(rows.columns)
    if missing:
        raise InputError(f"{table.name}: lacks the column {', '.join(sorted(missing))}.")
    rows = rows[rows["structure"].notna() & rows["ddg"].notna()]
    complexes: dict[str, Complex] = {}
    found = []
    for row in rows.itertuples():
        if row.complex not in complexes:
            sides = tuple(row.chains_1), tuple(row.chains_2)
            complexes[row.complex] = _read(structures / row.structure, row.complex, sides)
        changes = tuple(_changes(row.mutation, complexes[row.complex]))
        found.append(
            BindingChange(
                row.id, row.complex, changes, float(row.ddg), str(row.holdout_group), SIDES[row.set]
            )
        )
    if not found:
        raise InputError(f"{table.name}: no row has a structure.")
    return found, complexes


def _read(path: Path, name: str, sides: tuple[tuple[str, ...], tuple[str, ...]]) -> Complex:
    backbones, numbers = {}, {}
    for chain in (*sides[0], *sides[1]):
        structure = read_structure(path, chain=chain)
        backbones[chain] = structure.backbone
        atoms, starts = structure.atoms, structure.residue_starts
        labels = _labels(atoms.res_id[starts], atoms.ins_code[starts])
        numbers[chain] = {label: index for index, label in enumerate(labels)}
    return Complex(name, backbones, sides, numbers)


def _labels(number: NDArray[np.integer], code: NDArray[np.str_]) -> list[str]:
    return [f"{n}{str(c).strip().lower()}" for n, c in zip(number, code, strict=True)]


def _changes(text: str, among: Complex) -> Iterator[tuple[str, int, str]]:
    for word in text.split(","):
        match = _MUTATION.match(word.strip())
        if match is None:
            raise InputError(f"{among.name}: '{word}' is no mutation such as LI45G.")
        wild, chain, number, code, mutant = match.groups()
        index = among.numbers.get(chain, {}).get(f"{number}{code}")
        if index is None or among.backbones[chain].letters[index] != wild:
            raise InputError(f"{among.name}: '{word}' is no residue of its structure.")
        yield chain, index, mutant
