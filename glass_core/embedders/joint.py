"""The joint encoder of structure and sequence, applied to proteins: one vector for each residue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glass_core.embedders.joint_geometry import CA
from glass_core.embedders.joint_network import CHIS, JointEncoder, Placed
from glass_core.records import frozen_array


@dataclass(frozen=True, eq=False)
class Sites:
    """Residues of one or more chains, with coordinates where these are known.

    Attributes
    ----------
    coordinates : ndarray, shape=(n, 3, 3), dtype=float32
        N, CA, C in Å; NaN where an atom is missing.
    numbers : ndarray, shape=(n,), dtype=int
        Place along its chain.
    chains : ndarray, shape=(n,), dtype=int
        Number of its chain.
    """

    coordinates: NDArray[np.float32]
    numbers: NDArray[np.int64]
    chains: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.coordinates)
        placed = frozen_array(self.coordinates, (n, 3, 3), "coordinates", np.float32)
        object.__setattr__(self, "coordinates", placed)
        for name in ("numbers", "chains"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), (n,), name, int))

    def __len__(self) -> int:
        return len(self.coordinates)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which residues have all three atoms, shape=(n,)."""
        return np.asarray(np.isfinite(self.coordinates).all(axis=(1, 2)))

    def only(self, chosen: NDArray[np.bool_]) -> Sites:
        """Some of the residues, by a mask of shape=(n,)."""
        return Sites(self.coordinates[chosen], self.numbers[chosen], self.chains[chosen])


class JointEmbedder:
    """Reads residues by a pre-trained encoder, which stays as it is.

    Attributes
    ----------
    name : str
        As provenance records it.
    dim : int
        Width J.
    """

    def __init__(self, encoder: JointEncoder, name: str, device: torch.device) -> None:
        self._encoder = encoder.to(device).eval()
        self.name, self.dim, self._device = name, encoder.config.dim, device

    @torch.inference_mode()
    def read(self, sites: Sites, sequence: Tensor) -> Tensor:
        """A vector for each residue, (n, D) -> (n, J), float32 on the CPU.

        Parameters
        ----------
        sites : Sites
        sequence : Tensor, shape=(n, D)
            Embedding of each residue's letter in its sequence.
        """
        known = sites.known
        placed = torch.from_numpy(np.where(known[:, None, None], sites.coordinates, 0))
        middle = placed[torch.from_numpy(known), CA].mean(dim=0) if known.any() else torch.zeros(3)
        placed = (placed - middle) * torch.from_numpy(known)[:, None, None]
        n = len(sites)
        batch = Placed(
            torch.ones(1, n, dtype=torch.bool),
            torch.from_numpy(known.copy())[None],
            placed.float()[None],
            torch.from_numpy(sites.numbers.copy())[None],
            torch.from_numpy(sites.chains.copy())[None],
            torch.zeros(1, n, CHIS, 2),
        )
        found: Tensor = self._encoder(_on(batch, self._device), sequence.to(self._device)[None])
        return found[0].float().cpu()


def _on(placed: Placed, device: torch.device) -> Placed:
    return Placed(*(getattr(placed, name).to(device) for name in placed.__dataclass_fields__))
