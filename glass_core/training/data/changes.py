"""Pairs of structures as the head of local change learns from them.

A pair counts both ways: either structure may be the one that is known. Pairs with a
substitution are experimental, those of one sequence may face a model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import InputError
from glass_core.metrics.distances import distance_matrix, local_distance_difference
from glass_core.metrics.lddt import INCLUSION_RADIUS, lddt
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.backbone import Backbone
from glass_core.records import require
from glass_core.training.data.pairs import REARRANGED_RMSD
from glass_core.training.data.splits import largest, split_of

PAIRS_FILE, CHAINS_FILE = "pairs.parquet", "chains.parquet"
KINDS = ("point_mutant", "same_sequence")
LICENCES_LEFT_OUT = "NC-SA|non-commercial"
LEAST_CHANGE = 0.02
"""Å; pairs of which no residue changes by more are copies of one another."""
_KEPT = "changes-vectors.safetensors"


@dataclass(frozen=True, eq=False)
class Fold:
    """A structure that changes are predicted of.

    Attributes
    ----------
    letters : str
    ca : ndarray, shape=(n, 3), dtype=float32, in Å
    vectors : Tensor, shape=(n, STRUCTURE_DIM), dtype=float16
        Of `embedders.mpnn`, from the backbone.
    """

    letters: str
    ca: NDArray[np.float32]
    vectors: Tensor

    def __post_init__(self) -> None:
        require(len(self.letters) == len(self.ca) == len(self.vectors), "vectors", "matches")

    @property
    def distance(self) -> NDArray[np.float64]:
        """Between C-alphas, shape=(n, n), in Å."""
        return distance_matrix(self.ca)


@dataclass(frozen=True, eq=False)
class StructureChange:
    """What a second structure differs by from a first.

    Attributes
    ----------
    name : str
    kind : {"point_mutant", "same_sequence"}
    group : int
        What a split must not cut.
    side : {"train", "validation", "test"}
    fold : Fold
        The first structure.
    sites : tuple of (index, letter)
        Substitutions that the second has, in the order of `STANDARD`.
    change, deficit : ndarray, shape=(n,), dtype=float
        Local distance change in Å, and 1 - lDDT.
    forward : bool
        Whether the pair is read as it was given.
    """

    name: str
    kind: str
    group: int
    side: str
    fold: Fold
    sites: tuple[tuple[int, int], ...]
    change: NDArray[np.float64]
    deficit: NDArray[np.float64]
    forward: bool

    @property
    def nearest(self) -> NDArray[np.float64]:
        """Å to the nearest site, shape=(n,); infinite without one."""
        if not self.sites:
            return np.full(len(self.change), np.inf)
        nearest: NDArray[np.float64] = self.fold.distance[:, [i for i, _ in self.sites]].min(axis=1)
        return nearest


def read_changes(
    structures: Path,
    embedder: StructureEmbedder | None,
    keep: Path | None = None,
    sides: Sequence[str] = ("train", "validation", "test"),
    say: Callable[[str], None] = lambda words: None,
) -> list[StructureChange]:
    """Every usable pair of structures, both ways.

    Left out are rearrangements, copies, pairs with C-alphas only or residues outside the
    20, and sources that forbid commercial use.

    Parameters
    ----------
    structures : Path
        Folder with ``pairs.parquet`` and ``chains.parquet``.
    embedder : StructureEmbedder, optional
        May be missing where all vectors are kept.
    keep : Path, optional
        Folder that keeps its vectors.
    sides : sequence of str
        Which sides to read.
    say : callable
        Told how far the reading is.

    Raises
    ------
    InputError
        The folder lacks a table, or there is no pair.
    """
    table = _usable(structures)
    table = table[table["side"].isin(sides)]
    if table.empty:
        raise InputError(f"{structures}: holds no pair of structures of {', '.join(sides)}.")
    backbones: dict[str, tuple[str, NDArray[np.float32]]] = {}
    names = []
    for row in table.itertuples():
        two = []
        for letters, flat in ((row.sequence_a, row.backbone_a), (row.sequence_b, row.backbone_b)):
            backbone = np.asarray(flat, dtype=np.float32).reshape(-1, 4, 3)
            name = hashlib.md5(letters.encode() + backbone.tobytes()).hexdigest()
            backbones[name] = letters, backbone
            two.append(name)
        names.append(two)
    vectors = _vectors(backbones, embedder, keep, say)
    folds = {
        name: Fold(letters, backbone[:, 1], vectors[name])
        for name, (letters, backbone) in backbones.items()
    }
    changes = []
    for row, (a, b) in zip(table.itertuples(), names, strict=True):
        for first, second, forward in ((folds[a], folds[b], True), (folds[b], folds[a], False)):
            made = _change(row, first, second, forward)
            if made is not None:
                changes.append(made)
    return changes


def _usable(structures: Path) -> pd.DataFrame:
    """The rows of the table of pairs, with their side."""
    try:
        pairs = pd.read_parquet(structures / PAIRS_FILE)
        chains = pd.read_parquet(structures / CHAINS_FILE, columns=["split_group"])
    except FileNotFoundError as error:
        raise InputError(f"{structures}: lacks {PAIRS_FILE} or {CHAINS_FILE}.") from error
    forbidden = pairs["license_note_a"].str.contains(LICENCES_LEFT_OUT) | pairs[
        "license_note_b"
    ].str.contains(LICENCES_LEFT_OUT)
    whole = pairs["backbone_a"].notna() & pairs["backbone_b"].notna()
    near = pairs["ca_rmsd"] <= REARRANGED_RMSD
    table = pairs[pairs["kind"].isin(KINDS) & near & whole & ~forbidden.astype(bool)]
    biggest = largest(chains["split_group"])
    return table.assign(side=[split_of(int(g), biggest) for g in table["split_group"]])


def _change(row: object, first: Fold, second: Fold, forward: bool) -> StructureChange | None:
    """One way of a pair; None where it cannot be used."""
    reference, subject = (fold.ca.astype(float) for fold in (first, second))
    change = local_distance_difference(reference, subject, INCLUSION_RADIUS)
    if np.isnan(change).any() or change.max() < LEAST_CHANGE:
        return None
    facing = enumerate(zip(first.letters, second.letters, strict=True))
    sites = tuple((i, STANDARD.find(b)) for i, (a, b) in facing if a != b)
    if any(letter < 0 or first.letters[index] not in STANDARD for index, letter in sites):
        return None
    told = {name: getattr(row, name) for name in ("id_a", "id_b", "kind", "split_group", "side")}
    return StructureChange(
        name=f"{told['id_a']} {told['id_b']}",
        kind=str(told["kind"]),
        group=int(told["split_group"]),
        side=str(told["side"]),
        fold=first,
        sites=sites,
        change=change,
        deficit=1 - lddt(reference, subject),
        forward=forward,
    )


def _vectors(
    backbones: dict[str, tuple[str, NDArray[np.float32]]],
    embedder: StructureEmbedder | None,
    keep: Path | None,
    say: Callable[[str], None],
) -> dict[str, Tensor]:
    """What ProteinMPNN says of each backbone, read where it is not kept."""
    path = None if keep is None else keep / _KEPT
    vectors = load_file(path) if path is not None and path.is_file() else {}
    missing = [name for name in backbones if name not in vectors]
    if missing and embedder is None:
        raise InputError("local change: ProteinMPNN is needed to read the structures.")
    for number, name in enumerate(missing):
        assert embedder is not None
        letters, backbone = backbones[name]
        chain = Backbone.of_chain(letters, backbone, np.arange(len(letters)))
        vectors[name] = embedder.read("backbone", chain).half().contiguous()
        if number % 200 == 0:
            say(f"structures read: {number} of {len(missing)}")
    if missing and path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(vectors, path)
    return {name: vectors[name] for name in backbones}
