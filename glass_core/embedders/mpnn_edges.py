"""What ProteinMPNN makes of a pair of residues, before anything is learnt from neighbours.

Its two published forms: `BackboneEdges` sees N, CA, C, O and an ideal CB, `TraceEdges`
C-alphas alone. Parameter names are those of the published files.

Shape notation: N residues, K neighbours of each (itself among them).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 128
_POSITION_WIDTH, _FARTHEST = 16, 32
"""Positions further apart along the chain than this look alike."""
_FIRST, _LAST, RADIAL = 2.0, 22.0, 16
"""Å: centres of the radial functions."""
_SOFTENING = 1e-6
_ATOMS = ("N", "CA", "C", "O", "CB")
_BACKBONE_PAIRS = (
    "CA-CA N-N C-C O-O CB-CB CA-N CA-C CA-O CA-CB N-C N-O N-CB CB-C CB-O O-C "
    "N-CA C-CA O-CA CB-CA C-N O-N CB-N C-CB O-CB C-O"
)
"""A residue's atom and its neighbour's, in the order of the weights."""
_TRACE_PAIRS = ((1, 1), (0, 0), (2, 2), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))
"""The same of C-alphas: 0 the one before, 1 the residue's own, 2 the one after."""
_STEP = (3.6, 4.0)
"""Å between the C-alphas of a step that tells the orientation of a residue."""
_ROWS_AT_ONCE = 512


class PairPositions(nn.Module):
    """How far apart two residues stand in their chain, or that they stand in two."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * _FARTHEST + 2, _POSITION_WIDTH)

    def forward(self, near: Tensor, number: Tensor, chain: Tensor) -> Tensor:
        """Shape=(N, K, 16)."""
        offset = (number[:, None] - number[near]).clamp(-_FARTHEST, _FARTHEST) + _FARTHEST
        kind = torch.where(chain[:, None] == chain[near], offset, 2 * _FARTHEST + 1)
        return F.embedding(kind, self.linear.weight.T) + self.linear.bias


class BackboneEdges(nn.Module):
    """Distances between the backbone atoms of a residue and those of its neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = PairPositions()
        gaussians = RADIAL * len(_BACKBONE_PAIRS.split())
        self.edge_embedding = nn.Linear(_POSITION_WIDTH + gaussians, WIDTH, bias=False)
        self.norm_edges = nn.LayerNorm(WIDTH)

    def forward(self, coordinates: Tensor, near: Tensor, number: Tensor, chain: Tensor) -> Tensor:
        """Edges, shape=(N, K, 128); coordinates as `network.ProteinMPNN.encode` has them."""
        atoms = torch.cat([coordinates, ideal_beta(coordinates)[:, None]], 1)
        pairs = [
            tuple(_ATOMS.index(a) for a in pair.split("-")) for pair in _BACKBONE_PAIRS.split()
        ]
        own, other = torch.tensor(pairs, device=atoms.device).T
        position = self.embeddings(near, number, chain)
        edges = []
        for rows in torch.arange(len(near), device=near.device).split(_ROWS_AT_ONCE):
            distances = _distance(atoms[rows][:, None, own], atoms[near[rows]][:, :, other])
            edges.append(
                self.edge_embedding(torch.cat([position[rows], radial(distances).flatten(-2)], -1))
            )
        return self.norm_edges(torch.cat(edges))


class TraceEdges(nn.Module):
    """Distances between C-alphas, those before and behind among them, and orientations."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = PairPositions()
        gaussians = RADIAL * len(_TRACE_PAIRS)
        self.node_embedding = nn.Linear(3, WIDTH, bias=False)  # in the files, and unused
        self.edge_embedding = nn.Linear(_POSITION_WIDTH + gaussians + 7, WIDTH, bias=False)
        self.norm_nodes, self.norm_edges = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, coordinates: Tensor, near: Tensor, number: Tensor, chain: Tensor) -> Tensor:
        """Edges, shape=(N, K, 128).

        The published network takes the origin for a C-alpha that is missing before or
        behind; here the origin lies in the middle, so that no frame of a file matters.
        """
        ca = coordinates[:, 1] - coordinates[:, 1].mean(0)
        follows = ((number[1:] - number[:-1] == 1) | (chain[1:] != chain[:-1]))[:, None]
        missing = torch.zeros_like(ca[:1])
        before = torch.cat([missing, torch.where(follows, ca[:-1], missing)])
        behind = torch.cat([torch.where(follows, ca[1:], missing), missing])
        atoms = torch.stack([before, ca, behind], 1)
        own, other = torch.tensor(_TRACE_PAIRS, device=ca.device).T
        distances = _distance(atoms[:, None, own], atoms[near][:, :, other])
        parts = [
            self.embeddings(near, number, chain),
            radial(distances).flatten(-2),
            _orientations(ca, near),
        ]
        return self.norm_edges(self.edge_embedding(torch.cat(parts, -1)))


def nearest(ca: Tensor, most: int) -> Tensor:
    """Indices of the nearest residues by C-alpha, itself first, shape=(N, min(most, N))."""
    most = min(most, len(ca))
    return torch.cat(
        [
            _distance(rows[:, None], ca[None]).topk(most, dim=-1, largest=False).indices
            for rows in ca.split(_ROWS_AT_ONCE)
        ]
    )


def ideal_beta(coordinates: Tensor) -> Tensor:
    """C-beta of each residue from N, CA, C by ideal geometry, shape=(N, 3), in Å."""
    n, ca, c = coordinates[:, 0], coordinates[:, 1], coordinates[:, 2]
    b, c = ca - n, c - ca
    a = torch.linalg.cross(b, c)
    return -0.58273431 * a + 0.56802827 * b - 0.54067466 * c + ca


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return ((a - b).square().sum(-1) + _SOFTENING).sqrt()


def radial(distances: Tensor) -> Tensor:
    """Gaussians of distances in Å, shape=(..., RADIAL)."""
    centres = torch.linspace(_FIRST, _LAST, RADIAL, device=distances.device)
    width = (_LAST - _FIRST) / RADIAL
    return (-((distances[..., None] - centres) / width).square()).exp()


def _orientations(ca: Tensor, near: Tensor) -> Tensor:
    """Where a neighbour lies and how it is turned, in the residue's own frame, (N, K, 7).

    Frames come from three steps along the C-alphas; a residue without them has none (zeros).
    """
    step = ca[1:] - ca[:-1]
    length = step.norm(dim=-1, keepdim=True)
    step = F.normalize(step * ((length > _STEP[0]) & (length < _STEP[1])), dim=-1)
    frame = ca.new_zeros(len(ca), 3, 3)
    if len(ca) > 3:
        before, after = step[:-2], step[1:-1]
        axis = F.normalize(before - after, dim=-1)
        normal = F.normalize(torch.linalg.cross(before, after), dim=-1)
        frame[1:-2] = torch.stack([axis, normal, torch.linalg.cross(axis, normal)], 1)
    towards = (frame[:, None] @ (ca[near] - ca[:, None])[..., None]).squeeze(-1)
    turn = frame[:, None].transpose(-1, -2) @ frame[near]
    return torch.cat([F.normalize(towards, dim=-1), _quaternions(turn)], -1)


def _quaternions(turn: Tensor) -> Tensor:
    """Rotation matrices, shape=(..., 3, 3), as quaternions x, y, z, w, shape=(..., 4)."""
    xx, yy, zz = turn.diagonal(dim1=-2, dim2=-1).unbind(-1)
    squares = torch.stack([xx - yy - zz, yy - xx - zz, zz - xx - yy], -1)
    sign = torch.stack(
        [
            turn[..., 2, 1] - turn[..., 1, 2],
            turn[..., 0, 2] - turn[..., 2, 0],
            turn[..., 1, 0] - turn[..., 0, 1],
        ],
        -1,
    ).sign()
    vector = sign * 0.5 * (1 + squares).abs().sqrt()
    scalar = (1 + xx + yy + zz).relu().sqrt()[..., None] / 2
    return F.normalize(torch.cat([vector, scalar], -1), dim=-1)
