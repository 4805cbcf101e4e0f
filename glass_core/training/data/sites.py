"""Positions with measured or labelled substitutions, and what the embedders make of them.

Embedding is most of the work of a head that looks at one position at a time, so it is done
once and kept in a folder: ``sites.parquet`` says what a row is, ``sites.safetensors`` holds
its vectors and values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from glass_core.embedders.base import Embedder
from glass_core.embedders.mpnn import (
    STRUCTURE_DIM,
    VIEWS,
    StructureEmbedder,
    StructureEmbedding,
    View,
)
from glass_core.models.heads.residue_network import ResidueInputs, wild_letters
from glass_core.progress import Say
from glass_core.protein.sequence import STANDARD
from glass_core.records import require
from glass_core.training.data.assays import Assay
from glass_core.training.data.wild_structures import WildStructure

SITE_COLUMNS = ("assay", "kind", "group", "side", "length", "position", "background", "known")
"""`length` is that of the wild type; `background` is the letter that was put in where the wild
type is a measured mutant, else ''; `known` whether the structure is."""
Views = Mapping[View, StructureEmbedding | None]
"""What is made of a structure; None where it is not known."""
_TABLE, _TENSORS = "sites.parquet", "sites.safetensors"
_SEED = 0
_WILD_QUANTILE = 0.2
"""Of -dG over all substitutions of a domain; 114 domains whose wild type was measured beside
them have it there, within 0.14 kcal/mol."""


@dataclass(frozen=True, eq=False)
class Sites:
    """Positions of proteins.

    Attributes
    ----------
    rows : DataFrame
        Columns `SITE_COLUMNS`.
    tensors : mapping
        ``sequence``, shape=(n, D); ``backbone`` and ``trace``, shape=(n, STRUCTURE_DIM), zeros
        where nothing is known; ``wild``, shape=(n,); ``value``, shape=(n, 20), higher = more
        damaging, NaN = not measured.
    """

    rows: pd.DataFrame
    tensors: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        for name, tensor in self.tensors.items():
            require(len(tensor) == len(self.rows), name, "has an entry per row")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the structure is known, shape=(n,)."""
        return self.rows["known"].to_numpy(dtype=bool)

    @property
    def value(self) -> NDArray[np.float32]:
        """Of the 20 substitutions, shape=(n, 20)."""
        return self.tensors["value"].numpy()

    def only(self, chosen: NDArray[np.bool_]) -> Sites:
        """Some of them."""
        index = torch.from_numpy(np.flatnonzero(chosen))
        return Sites(
            self.rows[chosen].reset_index(drop=True),
            {name: tensor[index] for name, tensor in self.tensors.items()},
        )

    def of_kind(self, *kinds: str) -> NDArray[np.bool_]:
        """Which rows are of these kinds of assays, shape=(n,)."""
        return self.rows["kind"].isin(kinds).to_numpy()

    def inputs(
        self, index: NDArray[np.int64], known: NDArray[np.bool_], view: View = "backbone"
    ) -> ResidueInputs:
        """What a network is given of some rows; where not `known`, the structure is withheld."""
        rows = torch.from_numpy(index)
        seen = torch.tensor(known)
        structure = self.tensors[view][rows].float()
        return ResidueInputs(
            self.tensors["sequence"][rows].float(),
            torch.where(seen[:, None], structure, 0.0),
            seen,
            self.tensors["wild"][rows],
            view,
        )


def write_sites(
    assays: Sequence[Assay],
    structures: Mapping[str, WildStructure],
    embedder: Embedder,
    reader: StructureEmbedder,
    out: Path,
    mutants: int,
    say: Say,
) -> Sites:
    """Embed every position that assays measure, and write them into the folder `out`.

    Parameters
    ----------
    mutants : int
        Stability assays of training proteins with a structure: so many of their mutants are
        taken as wild types as well, whose substitutions are known by difference. It teaches
        that a change and its reverse are one.
    """
    by_protein: dict[str, list[Assay]] = {}
    for assay in sorted(assays, key=lambda a: (a.sequence, a.name)):
        by_protein.setdefault(assay.sequence, []).append(assay)
    parts: list[Sites] = []
    for number, (sequence, of_protein) in enumerate(by_protein.items()):
        trains = of_protein[0].side == "train"
        structure = structures.get(sequence)
        if structure is not None and trains and not structure.may_train:
            structure = None
        vectors, views = embedder.embed([sequence])[0].residues, _views(structure, reader)
        for assay in of_protein:
            parts.append(_wild_sites(assay, vectors, views))
            if structure is not None and trains and assay.kind in ("stability", "ddg"):
                parts.extend(_mutant_sites(assay, structure, embedder, reader, mutants))
        if number % 100 == 0:
            say(f"{number} of {len(by_protein)} proteins")
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    tensors = {name: torch.cat([part.tensors[name] for part in parts]) for name in parts[0].tensors}
    out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out / _TENSORS)
    rows.to_parquet(out / _TABLE)
    return Sites(rows, tensors)


def read_sites(folder: Path) -> Sites:
    """What `write_sites` wrote."""
    return Sites(pd.read_parquet(folder / _TABLE), load_file(folder / _TENSORS))


def ddg_of(assay: Assay) -> Assay:
    """An assay of stability in kcal/mol, positive = destabilising.

    The mega-scale assays hold -dG; what of it is the wild type's is taken from the assay's
    own distribution, see `_WILD_QUANTILE`.
    """
    if assay.kind != "stability":
        return assay
    return replace(assay, value=assay.value - np.quantile(assay.value, _WILD_QUANTILE))


def _views(structure: WildStructure | None, reader: StructureEmbedder) -> Views:
    """What is made of a structure from whole backbones and from C-alphas alone."""
    return {
        view: None if structure is None else structure.embedded(reader, view)[0] for view in VIEWS
    }


def _wild_sites(assay: Assay, sequence: Tensor, views: Views) -> Sites:
    """The positions that an assay measures, from what is made of the whole wild type."""
    assay = ddg_of(assay)
    positions = np.unique(assay.index)
    value = np.full((len(assay.sequence), len(STANDARD)), np.nan, dtype=np.float32)
    value[assay.index, assay.letter] = assay.value
    wild = wild_letters(assay.sequence)
    return _sites(assay, positions, "", sequence, views, wild, value[positions])


def _mutant_sites(
    assay: Assay,
    structure: WildStructure,
    embedder: Embedder,
    reader: StructureEmbedder,
    count: int,
) -> list[Sites]:
    """Mutants of an assay as wild types: the mutated position of each."""
    assay = ddg_of(assay)
    rng = np.random.default_rng(_SEED)
    covered = np.isin(assay.index, structure.place[structure.place >= 0])
    chosen = rng.permutation(np.flatnonzero(covered))[:count]
    if not len(chosen):
        return []
    mutants = [_mutant(assay, row) for row in chosen]
    seen = structure.embedded(reader, "backbone", mutants)
    sequences = [e.residues for e in embedder.embed(mutants)]
    sites = []
    for row, mutant, sequence, backbone in zip(chosen, mutants, sequences, seen, strict=True):
        index, letter = assay.index[row], assay.letter[row]
        same = assay.index == index
        value = np.full((1, len(STANDARD)), np.nan, dtype=np.float32)
        value[0, assay.letter[same]] = assay.value[same] - assay.value[row]
        value[0, letter] = np.nan
        wild = STANDARD.find(assay.sequence[index])
        if wild >= 0:
            value[0, wild] = -assay.value[row]
        views: Views = {"backbone": backbone, "trace": None}
        sites.append(
            _sites(
                assay,
                np.array([index]),
                STANDARD[letter],
                sequence,
                views,
                wild_letters(mutant),
                value,
            )
        )
    return sites


def _mutant(assay: Assay, row: int) -> str:
    index = assay.index[row]
    letter = STANDARD[assay.letter[row]]
    return assay.sequence[:index] + letter + assay.sequence[index + 1 :]


def _sites(
    assay: Assay,
    positions: NDArray[np.int64],
    background: str,
    sequence: Tensor,
    views: Views,
    wild: Tensor,
    value: NDArray[np.float32],
) -> Sites:
    index = torch.from_numpy(positions)
    backbone, trace = views["backbone"], views["trace"]
    empty = torch.zeros(len(positions), STRUCTURE_DIM)
    tensors = {
        "sequence": sequence[index].half(),
        "backbone": (empty if backbone is None else backbone.residues[index]).half(),
        "trace": (empty if trace is None else trace.residues[index]).half(),
        "wild": wild[index],
        "value": torch.from_numpy(value),
    }
    rows = pd.DataFrame(
        {
            "assay": assay.name,
            "kind": assay.kind,
            "group": assay.group,
            "side": assay.side,
            "length": len(assay.sequence),
            "position": positions + 1,
            "background": background,
            "known": False if backbone is None else backbone.known[positions],
        }
    )
    return Sites(rows[list(SITE_COLUMNS)], tensors)
