"""How residues lie to each other: frames, the angles between them, and what a network is given.

A frame is spanned by N, CA and C of a residue, and the turn from one frame to another is told by
three angles of Euler (Wang et al., arXiv 2207.12600). Everything here stays the same when the
whole structure is moved.

Shape notation: B structures in a batch, L residues of the longest, K neighbours of each.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from glass_core.embedders.mpnn_edges import RADIAL, radial

N, CA, C = 0, 1, 2
"""Places of the atoms in coordinates of shape=(..., 3, 3)."""
PAIR_FEATURES = RADIAL + 3 + 6 + 9
"""Gaussians of the distance, direction, sine and cosine of three angles, the matrix itself."""
TORSIONS = 3
"""phi, psi, omega of the backbone."""
_TINY = 1e-6


def frames(coordinates: Tensor) -> Tensor:
    """The frame of each residue.

    Its first axis points from CA to N, its third lies in the plane of N, CA and C,
    perpendicular to the first and away from C.

    Parameters
    ----------
    coordinates : Tensor, shape=(..., 3, 3)
        N, CA, C in Å.

    Returns
    -------
    Tensor, shape=(..., 3, 3)
        Right-handed, the axes in its columns.
    """
    x = coordinates[..., N, :] - coordinates[..., CA, :]
    to_c = coordinates[..., C, :] - coordinates[..., CA, :]
    z = torch.linalg.cross(x, torch.linalg.cross(x, to_c))
    x, z = F.normalize(x, dim=-1, eps=_TINY), F.normalize(z, dim=-1, eps=_TINY)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)


def turns(own: Tensor, other: Tensor) -> Tensor:
    """The turn from one frame to another, in the first one's own axes, shape=(..., 3, 3)."""
    return own.transpose(-1, -2) @ other


def euler_angles(turn: Tensor) -> Tensor:
    """Angles of a turn, so that it is Rz(alpha) Rx(beta) Rz(gamma), shape=(..., 3), in radians.

    Where both third axes are parallel, only the sum of alpha and gamma means anything: then
    gamma is 0, and alpha is all of it.
    """
    beta = torch.atan2(turn[..., :2, 2].norm(dim=-1), turn[..., 2, 2])
    alpha = torch.atan2(turn[..., 0, 2], -turn[..., 1, 2])
    gamma = torch.atan2(turn[..., 2, 0], turn[..., 2, 1])
    around = torch.atan2(turn[..., 1, 0], turn[..., 0, 0])
    parallel = turn[..., :2, 2].norm(dim=-1) < _TINY
    alpha = torch.where(parallel, around, alpha)
    return torch.stack([alpha, beta, gamma.masked_fill(parallel, 0.0)], dim=-1)


def nearest(coordinates: Tensor, known: Tensor, most: int) -> Tensor:
    """Indices of the residues with the nearest C-alphas, itself first, shape=(B, L, K).

    Parameters
    ----------
    coordinates : Tensor, shape=(B, L, 3, 3)
    known : Tensor, shape=(B, L), dtype=bool
        Others come last.
    most : int
    """
    ca = coordinates[..., CA, :]
    distance = torch.cdist(ca, ca, compute_mode="donot_use_mm_for_euclid_dist")
    distance = distance.masked_fill(~known[:, None, :], torch.inf)
    distance.diagonal(dim1=1, dim2=2).fill_(-1.0)
    return distance.topk(min(most, ca.shape[1]), dim=-1, largest=False).indices


def gathered(values: Tensor, near: Tensor) -> Tensor:
    """The values of each residue's neighbours: (B, L, ...) and (B, L, K) -> (B, L, K, ...)."""
    batch, length = values.shape[:2]
    first = torch.arange(0, batch * length, length, device=values.device)[:, None, None]
    found = values.flatten(0, 1).index_select(0, (near + first).flatten())
    return found.view(*near.shape, *values.shape[2:])


def pair_features(coordinates: Tensor, near: Tensor) -> Tensor:
    """How each neighbour lies to a residue, shape=(B, L, K, PAIR_FEATURES).

    Parameters
    ----------
    coordinates : Tensor, shape=(B, L, 3, 3)
    near : Tensor, shape=(B, L, K), dtype=int64
    """
    frame, ca = frames(coordinates), coordinates[..., CA, :]
    apart = gathered(ca, near) - ca[:, :, None]
    own = frame[:, :, None]
    turn = turns(own, gathered(frame, near))
    towards = F.normalize((own.transpose(-1, -2) @ apart[..., None])[..., 0], dim=-1, eps=_TINY)
    angles = euler_angles(turn)
    return torch.cat(
        [radial(apart.norm(dim=-1)), towards, angles.sin(), angles.cos(), turn.flatten(-2)], dim=-1
    )


def backbone_torsions(coordinates: Tensor, bonded: Tensor) -> Tensor:
    """Sine and cosine of phi, psi and omega, shape=(B, L, 2 * TORSIONS); zeros where there is none.

    Parameters
    ----------
    coordinates : Tensor, shape=(B, L, 3, 3)
    bonded : Tensor, shape=(B, L - 1), dtype=bool
        Whether a residue and the next are neighbours in one chain.
    """
    n, ca, c = (coordinates[..., atom, :] for atom in (N, CA, C))
    phi = torsion(c[:, :-1], n[:, 1:], ca[:, 1:], c[:, 1:])
    psi = torsion(n[:, :-1], ca[:, :-1], c[:, :-1], n[:, 1:])
    omega = torsion(ca[:, :-1], c[:, :-1], n[:, 1:], ca[:, 1:])
    before, behind = (1, 0), (0, 1)
    found = [
        F.pad(torch.stack([angle.sin(), angle.cos()], -1) * bonded[..., None], (0, 0, *side))
        for angle, side in ((phi, before), (psi, behind), (omega, behind))
    ]
    return torch.cat(found, dim=-1)


def torsion(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Angle of four points about the middle bond, (..., 3) -> (...), in radians (IUPAC sign)."""
    axis = F.normalize(c - b, dim=-1, eps=_TINY)
    left, right = torch.linalg.cross(b - a, axis), torch.linalg.cross(axis, d - c)
    return torch.atan2((torch.linalg.cross(left, right) * axis).sum(-1), (left * right).sum(-1))
