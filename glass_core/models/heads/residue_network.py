"""What heads share that say of each residue, by itself, what its substitutions do.

The surroundings come in with the vectors: those of the encoder of sequences, and where the
position has coordinates those of `embedders.mpnn`. One network serves with and without
them: in training a part of the structures is withheld.

Shape notation: L residues, D_in width of the embedder of sequences, D_s of that of
structures, H hidden width, O outputs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.embedders.mpnn import STRUCTURE_DIM, VIEWS, StructureEmbedding, View
from glass_core.protein.sequence import STANDARD
from glass_core.records import MAX_LAYERS, require, require_sizes

UNKNOWN_LETTER = len(STANDARD)
"""Index that stands for any wild-type residue outside the 20."""


@dataclass(frozen=True)
class ResidueInputs:
    """What the network is given of L residues.

    Attributes
    ----------
    sequence : Tensor, shape=(L, D_in), dtype=float
    structure : Tensor, shape=(L, D_s), dtype=float
        Zeros where nothing is known.
    known : Tensor, shape=(L,), dtype=bool
        Where `structure` is known.
    wild : Tensor, shape=(L,), dtype=int64
        Index of the wild-type letter, `UNKNOWN_LETTER` outside the 20.
    view : {"backbone", "trace"}
        Of all of `structure`.
    """

    sequence: Tensor
    structure: Tensor
    known: Tensor
    wild: Tensor
    view: View = "backbone"

    @staticmethod
    def of(sequence: Tensor, structure: StructureEmbedding | None, wild: Tensor) -> ResidueInputs:
        """One protein's; without a structure nothing of it is known."""
        if structure is None:
            empty = torch.zeros(len(sequence), STRUCTURE_DIM)
            return ResidueInputs(
                sequence, empty, torch.zeros(len(sequence), dtype=torch.bool), wild
            )
        known = torch.from_numpy(structure.known.copy())
        return ResidueInputs(sequence, structure.residues, known, wild, structure.view)

    def to(self, device: torch.device) -> ResidueInputs:
        """The same on another device."""
        return ResidueInputs(
            self.sequence.to(device),
            self.structure.to(device),
            self.known.to(device),
            self.wild.to(device),
            self.view,
        )


class Step(nn.Module):
    """A residual step: a normalised vector through one hidden layer, added."""

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.inner, self.outer = nn.Linear(hidden, 2 * hidden), nn.Linear(2 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape as `x`."""
        stepped: Tensor = x + self.dropout(self.outer(F.gelu(self.inner(self.norm(x)))))
        return stepped


@dataclass(frozen=True)
class ResidueConfig:
    """Shape of a head of such networks.

    Attributes
    ----------
    embedding_dim : int
        D_in.
    hidden_dim : int
        H.
    steps : int
        Residual steps.
    members : int
        Networks that are averaged.
    dropout, input_dropout : float
    """

    embedding_dim: int
    hidden_dim: int = 256
    steps: int = 1
    members: int = 4
    dropout: float = 0.2
    input_dropout: float = 0.5

    def __post_init__(self) -> None:
        require_sizes(self, ("embedding_dim", "hidden_dim", "members"))
        require_sizes(self, ("steps",), MAX_LAYERS)
        for name in ("dropout", "input_dropout"):
            require(0 <= getattr(self, name) < 1, name, "lies in [0, 1)")

    @property
    def width(self) -> int:
        """Width of the embedding that the head takes."""
        return self.embedding_dim

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class ResidueNetwork(nn.Module):
    """Vectors and letter of a residue to `outputs` numbers."""

    def __init__(self, config: ResidueConfig, outputs: int) -> None:
        super().__init__()
        hidden = config.hidden_dim
        self.sequence = _reader(config.embedding_dim, config)
        self.structure = nn.ModuleDict({view: _reader(STRUCTURE_DIM, config) for view in VIEWS})
        self.without_structure = nn.Parameter(torch.zeros(hidden))
        self.wild_letter = nn.Embedding(UNKNOWN_LETTER + 1, hidden)
        self.steps = nn.ModuleList(Step(hidden, config.dropout) for _ in range(config.steps))
        self.norm = nn.LayerNorm(hidden)
        self.told = nn.Linear(hidden, outputs)

    def forward(self, inputs: ResidueInputs) -> Tensor:
        """Shape=(L, O)."""
        structure = self.structure[inputs.view](inputs.structure)
        held = torch.where(inputs.known[..., None], structure, self.without_structure)
        x = self.sequence(inputs.sequence) + held + self.wild_letter(inputs.wild)
        for step in self.steps:
            x = step(x)
        told: Tensor = self.told(self.norm(x))
        return told


def members(config: ResidueConfig, outputs: int) -> nn.ModuleList:
    """The networks of a head, each with weights of its own."""
    return nn.ModuleList(ResidueNetwork(config, outputs) for _ in range(config.members))


def against_wild(values: Tensor, wild: Tensor) -> Tensor:
    """Values of 20 letters, shape=(..., 20), minus that of the wild type's letter."""
    own = values.gather(-1, wild.clamp(max=UNKNOWN_LETTER - 1)[..., None])
    return values - own.masked_fill((wild == UNKNOWN_LETTER)[..., None], 0.0)


def wild_letters(sequence: str) -> Tensor:
    """Letter indices of `sequence`, shape=(L,), dtype=int64."""
    return torch.tensor(
        [i if (i := STANDARD.find(letter)) >= 0 else UNKNOWN_LETTER for letter in sequence]
    )


def _reader(width: int, config: ResidueConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Dropout(config.input_dropout), nn.Linear(width, config.hidden_dim)
    )
