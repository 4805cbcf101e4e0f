"""The alignment head: how likely each residue of a protein is to face each of another.

Every residue is seen with its neighbours along the chain, every pair of residues with the pairs
around it, so that a run of fair pairs along a diagonal outweighs a good one alone.

Shape notation: N residues of the query, M of the target, D width of the embedder, C channels of a
residue, H products, P channels of a pair.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.protein.alignment import blosum62_letters, blosum62_matrix
from glass_core.protein.sequence import STANDARD, UNKNOWN
from glass_core.records import require, require_sizes

ALONE = 0.25
"""Share of the scores of facing none that is taken off those of a pair; the best of 0, 0.25 and
0.5 on validation pairs."""
_KERNEL = 7
_LETTERS = STANDARD + UNKNOWN


@dataclass(frozen=True)
class AlignmentConfig:
    """Shape of the head.

    Attributes
    ----------
    embedding_dim : int
    channels : int
        Of a residue.
    products : int
        Into how many parts the channels are cut; each gives one product of a pair.
    pair_channels : int
    layers : int
        Convolutions along each chain.
    dilations : tuple of int
        One convolution over the pairs for each.
    dropout : float
        Of the residues' embeddings and channels, in training: families are few, and are
        learnt by heart without.
    """

    embedding_dim: int
    channels: int = 64
    products: int = 8
    pair_channels: int = 16
    layers: int = 2
    dilations: tuple[int, ...] = (1, 2, 4)
    dropout: float = 0.25

    def __post_init__(self) -> None:
        require_sizes(self, ("embedding_dim", "channels", "products", "pair_channels", "layers"))
        require(self.channels % self.products == 0, "channels", "is a multiple of products")
        object.__setattr__(self, "dilations", tuple(self.dilations))
        require(all(one > 0 for one in self.dilations), "dilations", "are positive")

    @property
    def width(self) -> int:
        """Width of the embedding that the head takes."""
        return self.embedding_dim

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as the card holds them."""
        return asdict(self) | {"dilations": list(self.dilations)}


@dataclass(frozen=True, eq=False)
class Chain:
    """A sequence as the pairs see it.

    Attributes
    ----------
    residues : Tensor, shape=(N, D)
        Centred.
    channels : Tensor, shape=(N, C)
    alone : Tensor, shape=(N,)
        Score of facing no residue.
    letters : Tensor, shape=(N,), dtype=int64
    """

    residues: Tensor
    channels: Tensor
    alone: Tensor
    letters: Tensor


class AlignmentHead(nn.Module):
    """Scores of all pairs of residues of two sequences.

    Attributes
    ----------
    centre : Tensor, shape=(D,)
        A typical residue after layer normalisation; it is taken off.
    """

    centre: Tensor

    def __init__(self, config: AlignmentConfig) -> None:
        super().__init__()
        self.config = config
        channels, pairs = config.channels, config.pair_channels
        seen = config.products + 2
        self.register_buffer("centre", torch.zeros(config.embedding_dim))
        self.enter = nn.Linear(config.embedding_dim, channels)
        self.letter = nn.Embedding(len(_LETTERS), channels)
        self.along = nn.ModuleList(
            nn.Conv1d(channels, channels, _KERNEL, padding=_KERNEL // 2)
            for _ in range(config.layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(config.layers))
        self.leave = nn.Linear(channels, channels)
        self.alone = nn.Linear(channels, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.first = nn.Conv2d(seen, pairs, 3, padding=1)
        self.around = nn.ModuleList(
            nn.Conv2d(pairs, pairs, 3, padding=one, dilation=one) for one in config.dilations
        )
        self.last = nn.Conv2d(pairs, 1, 1)
        self.direct = nn.Conv2d(seen, 1, 1)
        self._begin_as_a_sum()

    def chain(self, residues: Tensor, sequence: str) -> Chain:
        """What is made of a sequence, once for all that it is aligned with.

        Parameters
        ----------
        residues : Tensor, shape=(N, D)
            Of the embedder.
        """
        centred = F.layer_norm(residues, residues.shape[-1:]) - self.centre
        letters = letters_of(sequence).to(residues.device)
        x = self.enter(self.dropout(centred)) + self.letter(letters)
        for norm, layer in zip(self.norms, self.along, strict=True):
            x = x + self.dropout(F.gelu(layer(norm(x).T[None])[0].T))
        channels = self.leave(F.layer_norm(x, x.shape[-1:]))
        return Chain(centred, channels, self.alone(x)[:, 0], letters)

    def pairs(self, query: Chain, target: Chain) -> Tensor:
        """Scores of all pairs, shape=(N, M): logits beside those of facing none."""
        parts = self.config.products
        size = self.config.channels // parts
        products = torch.einsum(
            "nhc,mhc->hnm",
            query.channels.unflatten(1, (parts, size)),
            target.channels.unflatten(1, (parts, size)),
        )
        cosine = F.normalize(query.residues, dim=1) @ F.normalize(target.residues, dim=1).T
        letters = _blosum62().to(cosine)[query.letters][:, target.letters]
        seen = torch.cat([products / size**0.5, cosine[None], letters[None]])[None]
        x = F.gelu(self.first(seen))
        for layer in self.around:
            x = x + F.gelu(layer(x))
        scores: Tensor = (self.direct(seen) + self.last(x))[0, 0]
        return scores

    def forward(self, query: Chain, target: Chain) -> tuple[Tensor, Tensor]:
        """What an alignment counts, and how likely each pair is.

        Returns
        -------
        scores : Tensor, shape=(N, M)
            Positive where facing each other is likelier than facing none.
        likely : Tensor, shape=(N, M)
            0 to 1: the root of how likely the query's residue faces the target's times how
            likely it is the other way round.
        """
        scores = self.pairs(query, target)
        forth, back = self.log_shares(scores, query, target)
        alone = query.alone[:, None] + target.alone
        return scores - ALONE * alone, ((forth[:, :-1] + back[:-1]) / 2).exp()

    @staticmethod
    def log_shares(scores: Tensor, query: Chain, target: Chain) -> tuple[Tensor, Tensor]:
        """Log of what each residue faces: shape=(N, M + 1) by rows, (N + 1, M) by columns.

        The last one of each stands for none.
        """
        forth = torch.cat([scores, query.alone[:, None]], dim=1).log_softmax(dim=1)
        back = torch.cat([scores, target.alone[None]], dim=0).log_softmax(dim=0)
        return forth, back

    @torch.no_grad()
    def _begin_as_a_sum(self) -> None:
        """Begin with a sum of products, cosine and BLOSUM62; the rest is learnt beside it."""
        weight = self.direct.weight
        weight[:] = 0.3
        weight[0, -2], weight[0, -1] = 8.0, 0.15
        self.last.weight.mul_(0.1)


def letters_of(sequence: str) -> Tensor:
    """Number of each letter, shape=(N,); whatever no model knows is the last one."""
    return torch.tensor([_LETTERS.find(x) if x in STANDARD else len(STANDARD) for x in sequence])


@lru_cache(maxsize=1)
def _blosum62() -> Tensor:
    """BLOSUM62 in the order of `_LETTERS`, shape=(21, 21)."""
    matrix, letters = blosum62_matrix(), blosum62_letters(_LETTERS)
    return torch.tensor([[float(matrix[a, b]) for b in letters] for a in letters])


CONFIG, NETWORK = AlignmentConfig, AlignmentHead
