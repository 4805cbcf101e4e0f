"""The network of ProteinMPNN (Dauparas et al., Science 378, 49 (2022)), for one structure.

Parameter names are those of the published files, so that these load as they are. It sees
real residues only: whatever has no coordinates is left out before.

Shape notation: N residues, K neighbours of each (itself among them), H = 128.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.embedders.mpnn_edges import WIDTH, BackboneEdges, TraceEdges, nearest

LETTERS = 21
"""The 20 in the order of `STANDARD`, then X."""
_LAYERS = 3
_MESSAGE_SCALE = 30.0


@dataclass(frozen=True)
class Encoded:
    """A structure after the encoder.

    Attributes
    ----------
    nodes : Tensor, shape=(N, H)
    edges : Tensor, shape=(N, K, H)
    near : Tensor, shape=(N, K), dtype=int64
        Index of each neighbour, nearest first.
    """

    nodes: Tensor
    edges: Tensor
    near: Tensor

    def everyone_else(self) -> Tensor:
        """A `visible` of `decode` where a residue sees every letter but its own."""
        own = torch.arange(len(self.near), device=self.near.device)[:, None]
        return self.near != own

    def no_one(self) -> Tensor:
        """A `visible` of `decode` without any letter."""
        return torch.zeros_like(self.near, dtype=torch.bool)

    def decided_before(self, order: Tensor) -> Tensor:
        """A `visible` of `decode` with the letters that come earlier in a permutation."""
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order), device=order.device)
        return place[self.near] < place[:, None]


@dataclass(frozen=True)
class Decoded:
    """What the decoder makes of each residue.

    Attributes
    ----------
    nodes : tuple of Tensor, shape=(N, H)
        After each of its layers.
    log_probabilities : Tensor, shape=(N, 21)
        Of the letters.
    """

    nodes: tuple[Tensor, ...]
    log_probabilities: Tensor


class ProteinMPNN(nn.Module):
    """Messages between each residue and its nearest neighbours.

    Parameters
    ----------
    neighbours : int
        K, in the published files ``num_edges``.
    trace : bool
        Whether it sees C-alphas alone.
    """

    def __init__(self, neighbours: int = 48, trace: bool = False) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.features: nn.Module = TraceEdges() if trace else BackboneEdges()
        if trace:
            self.W_v = nn.Linear(WIDTH, WIDTH)  # in the files, and unused
        self.W_e = nn.Linear(WIDTH, WIDTH)
        self.W_s = nn.Embedding(LETTERS, WIDTH)
        self.encoder_layers = nn.ModuleList(EncoderLayer() for _ in range(_LAYERS))
        self.decoder_layers = nn.ModuleList(DecoderLayer() for _ in range(_LAYERS))
        self.W_out = nn.Linear(WIDTH, LETTERS)

    def encode(self, coordinates: Tensor, number: Tensor, chain: Tensor) -> Encoded:
        """Everything that does not depend on the letters.

        Parameters
        ----------
        coordinates : Tensor, shape=(N, 4, 3), dtype=float
            N, CA, C, O in Å, no NaN; of C-alphas alone only ``[:, 1]`` is read.
        number : Tensor, shape=(N,), dtype=int64
            Position in the chain; what is missing from a chain is missing here.
        chain : Tensor, shape=(N,), dtype=int64
        """
        near = nearest(coordinates[:, 1], self.neighbours)
        edges = self.W_e(self.features(coordinates, near, number, chain))
        nodes = edges.new_zeros(len(coordinates), WIDTH)
        for layer in self.encoder_layers:
            nodes, edges = layer(nodes, edges, near)
        return Encoded(nodes, edges, near)

    def decode(self, encoded: Encoded, letters: Tensor, visible: Tensor) -> Decoded:
        """What is expected at each residue.

        Parameters
        ----------
        encoded : Encoded
        letters : Tensor, shape=(N,), dtype=int64
        visible : Tensor, shape=(N, K), dtype=bool
            Whether a residue sees a neighbour's letter, and what the decoder has made of
            that neighbour; the others it sees as the encoder left them.
        """
        nodes, kept = encoded.nodes, []
        for layer in self.decoder_layers:
            nodes = layer(nodes, encoded, self.W_s(letters), visible[..., None])
            kept.append(nodes)
        return Decoded(tuple(kept), self.W_out(nodes).log_softmax(-1))


class FeedForward(nn.Module):
    """Two linear maps with a GELU between them."""

    def __init__(self) -> None:
        super().__init__()
        self.W_in, self.W_out = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape as `x`."""
        mapped: Tensor = self.W_out(F.gelu(self.W_in(x)))
        return mapped


class EncoderLayer(nn.Module):
    """Messages to the residues, then to the pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.W1, self.W2, self.W3 = _message_maps(3)
        self.W11, self.W12, self.W13 = _message_maps(3)
        self.dense = FeedForward()

    def forward(self, nodes: Tensor, edges: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
        """Nodes and edges after one exchange."""
        own, pair, other = self.W1.weight.split(WIDTH, 1)
        first = (nodes @ own.T + self.W1.bias)[:, None] + edges @ pair.T + (nodes @ other.T)[near]
        told = self.W3(F.gelu(self.W2(F.gelu(first))))
        nodes = self.norm1(nodes + told.sum(1) / _MESSAGE_SCALE)
        nodes = self.norm2(nodes + self.dense(nodes))
        own, pair, other = self.W11.weight.split(WIDTH, 1)
        first = (nodes @ own.T + self.W11.bias)[:, None] + edges @ pair.T + (nodes @ other.T)[near]
        return nodes, self.norm3(edges + self.W13(F.gelu(self.W12(F.gelu(first)))))


class DecoderLayer(nn.Module):
    """Messages to the residues from pairs, letters and what is known of the neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.W1, self.W2, self.W3 = _message_maps(4)
        self.dense = FeedForward()

    def forward(self, nodes: Tensor, encoded: Encoded, letters: Tensor, seen: Tensor) -> Tensor:
        """Nodes after one exchange; `letters` has shape (N, H), `seen` (N, K, 1)."""
        near = encoded.near
        own, pair, letter, state = self.W1.weight.split(WIDTH, 1)
        hidden = (encoded.nodes @ state.T)[near]
        open_ = (letters @ letter.T + nodes @ state.T)[near]
        first = (nodes @ own.T + self.W1.bias)[:, None] + encoded.edges @ pair.T
        first = first + torch.where(seen, open_, hidden)
        told = self.W3(F.gelu(self.W2(F.gelu(first))))
        nodes = self.norm1(nodes + told.sum(1) / _MESSAGE_SCALE)
        mapped: Tensor = self.norm2(nodes + self.dense(nodes))
        return mapped


def _message_maps(parts: int) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
    """The maps of a message from `parts` vectors side by side.

    The first is applied part by part: what belongs to a residue alone is mapped once for
    it, and not for each of its neighbours.
    """
    return nn.Linear(parts * WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
