"""The head of local change: where a structure differs after a substitution, and by how much.

What two structures of one protein differ by is mostly how loose each residue is, so a base
tells that from the wild type's structure alone, as distance change and as lDDT deficit; a
substitution adds to the distance change what fades with the distance to its site. All are
logarithms. Trained on pairs of experimental structures, with and without substitutions.

Shape notation as in `local_inputs`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.embedders.mpnn import STRUCTURE_DIM
from glass_core.metrics.distances import distance_matrix
from glass_core.models.heads.base import Embedded
from glass_core.models.heads.local_inputs import (
    FADING,
    GEOMETRY,
    TOLD_OF_SITE,
    faded,
    geometry,
    neighbour_means,
    sites,
)
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import substitution_places
from glass_core.protein.variant import Variant
from glass_core.records import frozen_array, require, require_sizes

OUTPUTS = 2
OFFSETS = np.array([0.05, 0.01])
"""Added to Å and to lDDT deficits before the logarithm."""
TERMS = len(FADING) * TOLD_OF_SITE
_TOLD_BY_PROTEINMPNN = 4
_WITHIN = 5.0
"""Standardised inputs are cut there."""
_FEWEST = 5
"""Residues with coordinates below which nothing is told."""


@dataclass(frozen=True, eq=False)
class LocalChangeTable:
    """Where the structure of a wild type is predicted to differ, for every substitution.

    Attributes
    ----------
    wild_type : str
    base : ndarray, shape=(L, 2), dtype=float
        Logarithms of distance change and lDDT deficit plus `OFFSETS`, between two
        structures without any substitution; NaN without coordinates.
    ca : ndarray, shape=(L, 3), dtype=float
        C-alpha coordinates in Å; NaN without them.
    added : ndarray, shape=(L, 20, K), dtype=float
        What each substitution adds to the logarithm of the distance change, by how it
        fades. Letters in the order of `STANDARD`; NaN where nothing is known.
    """

    wild_type: str
    base: NDArray[np.float64]
    ca: NDArray[np.float64]
    added: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.wild_type)
        for name, shape in (
            ("base", (n, OUTPUTS)),
            ("ca", (n, 3)),
            ("added", (n, len(STANDARD), len(FADING))),
        ):
            object.__setattr__(self, name, frozen_array(getattr(self, name), shape, name))

    def told(self, variant: Variant) -> dict[str, float]:
        """Mean change at the sites of `variant`; nothing where one cannot be told of."""
        places = self._places(variant)
        if not places:
            return {}
        change = self._changed(places)
        return {"local_change_site": float(np.mean([change[index] for index, _ in places]))}

    @cached_property
    def tracks(self) -> dict[str, NDArray[np.float64]]:
        """What no substitution is needed for.

        ``flexibility``: distance change in Å; ``flexibility_deficit``: deficit of lDDT.
        """
        told = _without_logarithm(self.base, OFFSETS)
        return {"flexibility": told[:, 0], "flexibility_deficit": np.minimum(told[:, 1], 1.0)}

    def tracks_of(self, variant: Variant) -> dict[str, NDArray[np.float64]]:
        """``local_change``: distance change in Å; empty where it cannot be told.

        Of several substitutions the nearest counts for each residue.
        """
        places = self._places(variant)
        return {"local_change": self._changed(places)} if places else {}

    def _places(self, variant: Variant) -> list[tuple[int, int]]:
        return substitution_places(variant, self.added[..., 0], self.wild_type)

    def _changed(self, places: list[tuple[int, int]]) -> NDArray[np.float64]:
        """Distance change of each residue in Å, shape=(L,)."""
        index, letter = (np.array(column) for column in zip(*places, strict=True))
        away = np.linalg.norm(self.ca[:, None] - self.ca[index], axis=-1)
        nearest = np.where(np.isnan(away), np.inf, away).argmin(axis=1)
        left = faded(away[np.arange(len(away)), nearest])
        added = (left * self.added[index, letter][nearest]).sum(axis=1)
        return _without_logarithm(self.base[:, 0] + added, OFFSETS[0])


@dataclass(frozen=True)
class LocalChangeConfig:
    """Shape of the head.

    Attributes
    ----------
    axes : int
        Numbers that ProteinMPNN's vectors are brought down to.
    hidden_dim : int
    members : int
        Networks that are averaged.
    dropout, input_dropout : float
    """

    axes: int = 48
    hidden_dim: int = 48
    members: int = 5
    dropout: float = 0.4
    input_dropout: float = 0.3

    def __post_init__(self) -> None:
        require_sizes(self, ("axes", "hidden_dim", "members"))
        for name in ("dropout", "input_dropout"):
            require(0 <= getattr(self, name) < 1, name, "lies in [0, 1)")

    @property
    def width(self) -> None:
        """No embedding of a sequence is taken."""
        return None

    @property
    def inputs(self) -> int:
        """Numbers told of a residue and its neighbours."""
        return 3 * (GEOMETRY + _TOLD_BY_PROTEINMPNN + self.axes)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class Member(nn.Module):
    """One network: base and what a substitution adds to it."""

    def __init__(self, config: LocalChangeConfig) -> None:
        super().__init__()
        hidden = config.hidden_dim
        self.first = nn.Sequential(
            nn.Dropout(config.input_dropout), nn.Linear(config.inputs, hidden)
        )
        self.second, self.last = (
            nn.Sequential(
                nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(hidden, out)
            )
            for out in (hidden, OUTPUTS)
        )
        self.added = nn.Linear(TERMS, 1, bias=False)
        nn.init.zeros_(self.added.weight)

    def base(self, inputs: Tensor) -> Tensor:
        """Logarithms without a substitution: (n, inputs) -> (n, 2)."""
        x = self.first(inputs)
        told: Tensor = self.last(x + self.second(x))
        return told

    def with_site(self, base: Tensor, terms: Tensor) -> Tensor:
        """`base` and what a substitution adds: (n, 2) and (n, TERMS) -> (n, 2)."""
        return base + F.pad(self.added(terms), (0, OUTPUTS - 1))


class LocalChangeHead(nn.Module):
    """Structure of the wild type to local changes.

    The buffers are of the training data: centre and scale of the inputs, and the principal
    axes of ProteinMPNN's vectors.
    """

    centre: Tensor
    scale: Tensor
    vector_centre: Tensor
    axes: Tensor

    def __init__(self, config: LocalChangeConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("centre", torch.zeros(config.inputs // 3))
        self.register_buffer("scale", torch.ones(config.inputs // 3))
        self.register_buffer("vector_centre", torch.zeros(STRUCTURE_DIM))
        self.register_buffer("axes", torch.zeros(STRUCTURE_DIM, config.axes))
        self.members = nn.ModuleList(Member(config) for _ in range(config.members))

    def residues(self, geometry_of: NDArray[np.float64], vectors: Tensor) -> NDArray[np.float64]:
        """What is told of each residue by itself, shape=(n, inputs / 3), not standardised."""
        axes, centre = self.axes.double().cpu().numpy(), self.vector_centre.double().cpu().numpy()
        values = vectors.double().cpu().numpy()
        told = [geometry_of]
        for table in (values[:, -2 * len(STANDARD) : -len(STANDARD)], values[:, -len(STANDARD) :]):
            own = geometry_of[:, -len(STANDARD) :]
            told += [
                -(np.exp(table) * table).sum(axis=1, keepdims=True),
                (own * table).sum(axis=1, keepdims=True),
            ]
        return np.concatenate([*told, (values - centre) @ axes], axis=1)

    def inputs(
        self, geometry_of: NDArray[np.float64], vectors: Tensor, distance: NDArray[np.float64]
    ) -> Tensor:
        """What a member is given, shape=(n, inputs), dtype=float32."""
        centre, scale = (b.double().cpu().numpy() for b in (self.centre, self.scale))
        values = (self.residues(geometry_of, vectors) - centre) / scale
        means = neighbour_means(np.clip(values, -_WITHIN, _WITHIN), distance)
        return torch.from_numpy(means.astype(np.float32))

    @torch.inference_mode()
    def table(self, protein: Protein, embedded: Embedded) -> LocalChangeTable:
        """Base and additions for every residue whose backbone was read."""
        n, structure = len(protein), embedded.structure
        base = np.full((n, OUTPUTS), np.nan)
        added = np.full((n, len(STANDARD), len(FADING)), np.nan)
        if structure is None or structure.view != "backbone" or structure.known.sum() < _FEWEST:
            return LocalChangeTable(protein.sequence, base, protein.ca, added)
        known, ca = structure.known.copy(), protein.ca
        letters = "".join(np.array(list(protein.sequence))[known])
        of_geometry = geometry(ca[known], letters)
        inputs = self.inputs(
            of_geometry, structure.residues[torch.from_numpy(known)], distance_matrix(ca[known])
        )
        device = self.axes.device
        base[known] = (
            torch.stack([m.base(inputs.to(device)) for m in self.each()]).mean(0).cpu().numpy()
        )
        told = sites(structure.log_probabilities[known], letters, of_geometry)
        weight = torch.stack([m.added.weight for m in self.each()]).mean(0).double().cpu().numpy()
        added[known] = told @ weight.reshape(len(FADING), TOLD_OF_SITE).T
        return LocalChangeTable(protein.sequence, base, ca, added)

    def each(self) -> list[Member]:
        """The networks that are averaged."""
        return [member for member in self.members if isinstance(member, Member)]


def _without_logarithm(values: NDArray[np.float64], offset: Any) -> NDArray[np.float64]:
    """Å or deficits from their logarithms, at least 0; NaN stays NaN."""
    return np.asarray(np.maximum(np.exp(values) - offset, 0.0))


CONFIG, NETWORK = LocalChangeConfig, LocalChangeHead
