"""ProteinMPNN as an embedder of structures.

What the network of Dauparas et al. (Science 378, 49 (2022)) learnt by designing sequences
for backbones tells how each residue is held. Its weights are published under the MIT
licence; ``glass models get proteinmpnn`` fetches them.
"""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glass_core.embedders.mpnn_edges import WIDTH
from glass_core.embedders.mpnn_network import LETTERS, ProteinMPNN
from glass_core.embedders.published import PROTEINMPNN, PUBLISHED
from glass_core.errors import ModelError, one_line
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.backbone import Backbone
from glass_core.records import frozen_array, require
from glass_core.settings import Settings

View = Literal["backbone", "trace"]
"""What was seen of a structure: N, CA, C and O, or C-alphas alone."""
VIEWS: tuple[View, ...] = ("backbone", "trace")
STRUCTURE_DIM = 5 * WIDTH + 2 * len(STANDARD)
"""Node vectors after the encoder and after each layer of the decoder, the letter's vector,
and two tables of log-probabilities: with every other letter visible, and with none."""
MAX_RESIDUES = 4_000
"""Residues of the surroundings are left out beyond that, the farthest first."""
_MIN_COMPLETE = 0.5
"""With fewer residues that have all four atoms only the C-alphas are read."""


@dataclass(frozen=True, eq=False)
class StructureEmbedding:
    """What a structure says of each position of a protein.

    Attributes
    ----------
    view : {"backbone", "trace"}
        Vectors of the two views come from two networks and are not comparable.
    residues : torch.Tensor, shape=(L, STRUCTURE_DIM), dtype=float32, on the CPU
        Zeros where nothing is known.
    known : ndarray, shape=(L,), dtype=bool
        Which positions have the coordinates.
    """

    view: View
    residues: Tensor
    known: NDArray[np.bool_]

    def __post_init__(self) -> None:
        shape = (len(self.known), STRUCTURE_DIM)
        require(tuple(self.residues.shape) == shape, "residues", "has one row per position")
        require(bool(torch.isfinite(self.residues).all()), "residues", "is finite")
        object.__setattr__(self, "known", frozen_array(self.known, (None,), "known", bool))

    @property
    def log_probabilities(self) -> NDArray[np.float64]:
        """Of the 20 letters with every other one visible, shape=(L, 20); NaN where unknown."""
        table = self.residues[:, -2 * len(STANDARD) : -len(STANDARD)].double().numpy()
        return np.where(self.known[:, None], table, np.nan)


class StructureEmbedder:
    """Frozen ProteinMPNN in fp32, one network for each view.

    Attributes
    ----------
    name : str
        As provenance records it.
    device : torch.device
    """

    name = PUBLISHED[PROTEINMPNN].title

    def __init__(self, networks: Mapping[View, ProteinMPNN], device: torch.device) -> None:
        self.networks = {view: net.to(device).eval() for view, net in networks.items()}
        self.device = device

    @classmethod
    def load(cls, settings: Settings, device: torch.device) -> StructureEmbedder:
        """Read the published weights.

        Raises
        ------
        UnavailableError
            They are not here; the message says how to get them.
        ModelError
            A file is not the published one.
        """
        paths = PUBLISHED[PROTEINMPNN].find(settings)
        return cls({view: _read(view, paths) for view in VIEWS}, device)

    def embed(self, protein: Protein) -> StructureEmbedding | None:
        """What the structure of `protein` says; None where it has none.

        Its letters are those of the sequence, of residues that the sequence lacks those of
        the structure; neighbouring chains are seen as they are.
        """
        structure = protein.structure
        if structure is None:
            return None
        place = np.full(len(structure), -1)
        covered = np.flatnonzero(protein.structure_index >= 0)
        place[protein.structure_index[covered]] = covered
        return self.embed_backbone(
            view_of(structure.backbone),
            structure.backbone,
            place,
            [protein.sequence],
            structure.partners,
        )[0]

    def embed_backbone(
        self,
        view: View,
        backbone: Backbone,
        place: NDArray[np.integer],
        sequences: Sequence[str],
        partners: Backbone | None = None,
    ) -> list[StructureEmbedding]:
        """What a backbone says of the positions of sequences of one length, one after another.

        Parameters
        ----------
        view : {"backbone", "trace"}
        backbone : Backbone
            Of the chain.
        place : ndarray, shape=(n,), dtype=int
            0-based position of each residue in the sequences, whose letter it is seen with;
            -1 for one that they lack, which is seen with its own.
        sequences : sequence of str
        partners : Backbone, optional
            Residues of other chains, seen and not told of.
        """
        seen = backbone.complete if view == "backbone" else np.ones(len(backbone), dtype=bool)
        own, place = backbone.only(seen), place[seen]
        rows = np.flatnonzero(place >= 0)
        letterings = []
        for sequence in sequences:
            letters = list(own.letters)
            for row in rows:
                letters[row] = sequence[place[row]]
            letterings.append("".join(letters))
        length = len(sequences[0])
        known = np.zeros(length, dtype=bool)
        known[place[rows]] = True
        if not len(own):
            return [StructureEmbedding(view, torch.zeros(length, STRUCTURE_DIM), known)] * len(
                sequences
            )
        to, taken = torch.from_numpy(place[rows]), torch.from_numpy(rows)
        return [
            StructureEmbedding(
                view, torch.zeros(length, STRUCTURE_DIM).index_copy(0, to, values[taken]), known
            )
            for values in self._each(view, own, letterings, partners)
        ]

    def read(self, view: View, own: Backbone, partners: Backbone | None = None) -> Tensor:
        """What the network of a view makes of each residue, shape=(n, STRUCTURE_DIM).

        Parameters
        ----------
        view : {"backbone", "trace"}
        own : Backbone
            At least one residue; complete ones for the view "backbone".
        partners : Backbone, optional
            Residues of other chains, seen and not told of.
        """
        return next(self._each(view, own, [own.letters], partners))

    def _each(
        self, view: View, own: Backbone, letterings: Sequence[str], partners: Backbone | None
    ) -> Iterator[Tensor]:
        """`read` under other letters each time; the structure is encoded once."""
        network = self.networks[view]
        surroundings = _surroundings(view, own, partners)
        parts = [own] if surroundings is None else [own, surroundings]
        names = [(part, chain) for part, one in enumerate(parts) for chain in one.chains]
        place = {name: number for number, name in enumerate(dict.fromkeys(names))}
        with torch.inference_mode():
            encoded = network.encode(
                torch.from_numpy(np.concatenate([p.coordinates for p in parts])).to(self.device),
                torch.from_numpy(np.concatenate([p.numbers for p in parts])).to(self.device),
                torch.tensor([place[name] for name in names], device=self.device),
            )
            fixed = "".join(p.letters for p in parts[1:])
            first = _letters(own.letters + fixed).to(self.device)
            unseen = network.decode(encoded, first, encoded.no_one()).log_probabilities
        kept = len(STANDARD)
        for lettering in letterings:
            letters = _letters(lettering + fixed).to(self.device)
            with torch.inference_mode():
                seen = network.decode(encoded, letters, encoded.everyone_else())
                values = torch.cat(
                    [
                        encoded.nodes,
                        *seen.nodes,
                        network.W_s(letters),
                        seen.log_probabilities[:, :kept],
                        unseen[:, :kept],
                    ],
                    -1,
                )
            yield values[: len(own)].cpu()


def view_of(backbone: Backbone) -> View:
    """How a structure is read: by whole backbones, or by the C-alphas alone."""
    return "backbone" if backbone.complete.mean() >= _MIN_COMPLETE else "trace"


def _letters(sequence: str) -> Tensor:
    """Indices of letters, shape=(n,); whatever is none of the 20 is X."""
    return torch.tensor(
        [i if (i := STANDARD.find(letter)) >= 0 else LETTERS - 1 for letter in sequence]
    )


def _surroundings(view: View, own: Backbone, partners: Backbone | None) -> Backbone | None:
    """The residues of other chains that a view can see, the nearest where there are many."""
    from scipy.spatial import cKDTree

    if partners is None:
        return None
    if view == "backbone":
        partners = partners.only(partners.complete)
    room = max(MAX_RESIDUES - len(own), 0)
    if len(partners) > room:
        distance = cKDTree(own.ca).query(partners.ca)[0]
        nearest = np.zeros(len(partners), dtype=bool)
        nearest[np.argsort(distance, kind="stable")[:room]] = True
        partners = partners.only(nearest)
    return partners if len(partners) else None


def _read(view: View, paths: Mapping[str, Path]) -> ProteinMPNN:
    """The published network of a view; tensors only are unpickled."""
    stream = io.BytesIO(PUBLISHED[PROTEINMPNN].checked(view, paths[view].read_bytes()))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            file = torch.load(stream, map_location="cpu", weights_only=True)
        network = ProteinMPNN(int(file["num_edges"]), trace=view == "trace")
        network.load_state_dict(file["model_state_dict"])
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{paths[view].name}: cannot be read ({one_line(error)}).") from error
    return network
