"""Proteins with a label of the whole: enzyme numbers, terms of an ontology, melting temperatures.

Shape notation: C classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.errors import InputError
from glass_core.protein.structure.backbone import Backbone
from glass_core.records import frozen_array, require
from glass_core.training.data.backbones import BackboneChain
from glass_core.training.data.splits import Split

SIDES: Mapping[str, Split] = {"train": "train", "valid": "validation", "test": "test"}
DEEPFRI = "deepfri_nrpdb"
"""The set whose published split is followed."""
FEWEST = 10
"""Training proteins that a class needs."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """One protein.

    Attributes
    ----------
    name, sequence : str
    target : ndarray, shape=(C,) or (1,)
        1 where it has a class, 0 where not; or the number.
    group : str
        Proteins of one group resemble each other.
    side : {"train", "validation", "test"}
    backbone : Backbone or None
        One residue for each letter.
    kind : str
        What figures are told apart by, such as the species.
    nearness : float
        Percent identity to the training proteins that it lies below; NaN where nobody says.
    """

    name: str
    sequence: str
    target: NDArray[np.float32]
    group: str
    side: Split
    backbone: Backbone | None = None
    kind: str = ""
    nearness: float = float("nan")

    def __post_init__(self) -> None:
        target = frozen_array(self.target, (None,), "target", np.float32)
        object.__setattr__(self, "target", target)
        if self.backbone is not None:
            require(len(self.backbone) == len(self.sequence), "backbone", "has each letter")


def read_enzymes(
    path: Path, chains: Mapping[str, BackboneChain]
) -> tuple[list[Labelled], tuple[str, ...]]:
    """Proteins with their enzyme numbers, and the numbers, those of DeepFRI's list.

    Its own split is followed (Gligorijević et al., Nat. Commun. 12, 3168 (2021)). Proteins of the
    other sets train, but not those that resemble one of its test proteins or stand in its test
    or validation set. A fourth-level number brings its third-level one along.

    Parameters
    ----------
    path : Path
        Parquet with ``id``, ``sequence``, ``ec``, ``set``, ``dataset``, ``cluster40``,
        ``near_deepfri_test``, ``max_identity_to_train`` and ``chain_id``.
    chains : mapping
        Chains with backbones by id; where a protein has one, its residues are taken.
    """
    table = _table(path, ("ec", "dataset", "near_deepfri_test", "max_identity_to_train"))
    own = table["dataset"] == DEEPFRI
    held = set(table.loc[own & (table["set"] != "train"), "sequence"])
    trains = (own & (table["set"] == "train")) | (
        ~own & ~table["near_deepfri_test"].astype(bool) & (table["set"] != "test")
    )
    trains &= ~table["sequence"].isin(held)
    table = table[trains | (own & (table["set"] != "train"))]
    every = [with_parents(numbers) for numbers in table["ec"]]
    known = {number for numbers in table.loc[own, "ec"] for number in numbers}
    counted = pd.Series(
        [n for ns, keep in zip(every, trains[table.index], strict=True) if keep for n in ns]
    ).value_counts()
    labels = tuple(sorted(n for n in known if counted.get(n, 0) >= FEWEST))
    found = []
    for row, numbers in zip(table.itertuples(), every, strict=True):
        target = _hot(numbers, labels)
        side: Split = "train" if row.dataset != DEEPFRI else SIDES[row.set]
        if not target.any() and side == "train":
            continue
        nearness = row.max_identity_to_train
        found.append(
            _labelled(row, target, side, chains, nearness=np.nan if pd.isna(nearness) else nearness)
        )
    return found, labels


def with_parents(numbers: Iterable[str]) -> set[str]:
    """Enzyme numbers and those of the third level above them."""
    found = set(numbers)
    return found | {".".join(number.split(".")[:3]) + ".-" for number in found}


def read_ontology(
    path: Path, chains: Mapping[str, BackboneChain]
) -> tuple[list[Labelled], tuple[str, ...]]:
    """Proteins with terms of molecular function, and the terms that have enough of them."""
    table = _table(path, ("mf",))
    table = table[table["mf"].map(len) > 0]
    counted = table.loc[table["set"] == "train", "mf"].explode().value_counts()
    labels = tuple(sorted(str(term) for term, n in counted.items() if n >= FEWEST))
    found = [
        _labelled(row, _hot(row.mf, labels), SIDES[row.set], chains) for row in table.itertuples()
    ]
    return found, labels


def term_titles(labels: Sequence[str], path: Path) -> tuple[str, ...]:
    """What terms are called, by a CSV table of ``go`` and ``term``; none where it is missing."""
    return _titles(labels, path, "go", "term")


def enzyme_titles(labels: Sequence[str], path: Path) -> tuple[str, ...]:
    """What the third level above enzyme numbers is called, by a table of ``number``, ``name``."""
    return _titles([".".join(label.split(".")[:3]) for label in labels], path, "number", "name")


def _titles(codes: Sequence[str], path: Path, code: str, title: str) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    table = pd.read_csv(path, dtype=str).set_index(code)[title]
    return tuple(str(table.get(one, "")) for one in codes)


def read_melting(
    path: Path, chains: Mapping[str, BackboneChain], assay: str = "cell"
) -> list[Labelled]:
    """Proteins with their melting temperatures in °C, by one way of measuring.

    Values in cells and in lysates agree poorly, so that only one of the two is taken.
    """
    table = _table(path, ("tm", "assay", "species"))
    return [
        _labelled(row, np.array([row.tm]), SIDES[row.set], chains, kind=str(row.species))
        for row in table[table["assay"] == assay].itertuples()
    ]


def targets(proteins: Sequence[Labelled]) -> NDArray[np.float32]:
    """Their labels, a row each."""
    return np.stack([one.target for one in proteins])


def _table(path: Path, more: Sequence[str]) -> pd.DataFrame:
    if path.suffix != ".parquet" or not path.is_file():
        raise InputError(f"{path}: is no Parquet table of labelled proteins.")
    table = pd.read_parquet(path)
    missing = {"id", "sequence", "set", "cluster40", "chain_id", *more} - set(table.columns)
    if missing:
        raise InputError(f"{path.name}: lacks the column {', '.join(sorted(missing))}.")
    return table


def _hot(numbers: Iterable[str], labels: Sequence[str]) -> NDArray[np.float32]:
    own = set(numbers)
    return np.array([label in own for label in labels], dtype=np.float32)


def _labelled(
    row: Any,
    target: NDArray[np.floating],
    side: Split,
    chains: Mapping[str, BackboneChain],
    *,
    kind: str = "",
    nearness: float = float("nan"),
) -> Labelled:
    chain = chains.get(row.chain_id)
    return Labelled(
        str(row.id),
        str(row.sequence) if chain is None else chain.sequence,
        np.asarray(target, dtype=np.float32),
        str(row.cluster40),
        side,
        None if chain is None else chain.backbone,
        kind,
        nearness,
    )
