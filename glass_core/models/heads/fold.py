"""The fold head: TM-scores from the moments of a sequence's residues.

A Siamese head that pools by attention learns its training families by heart where they are
few. Mean and second moments of the residues, mapped by one matrix, do not: the matrix begins
as a linear discriminant and needs few steps (`glass_core.training.fold`). Pooling second
moments, with roots of them, is known from images (Lin et al. 2015, arXiv 1504.07889).

Shape notation: B sequences in a batch, L residues of the longest, D width of the embedder,
P axes, F = D + P (P + 1) / 2 moments.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.models.heads.siamese import SiameseTransformer
from glass_core.records import require_sizes

COMMON = 0.69
"""What every vector shares to begin with: unrelated cosines lie near 0.32."""
MAX_AXES = 128
_ROOT_FROM = 0.01
"""Below it the root of a second moment is a line: no slope is infinite."""


@dataclass(frozen=True)
class FoldConfig:
    """Shape of the head: width of the embedder, and the axes of its second moments."""

    embedding_dim: int
    axes: int = 32

    def __post_init__(self) -> None:
        require_sizes(self, ("embedding_dim",))
        require_sizes(self, ("axes",), MAX_AXES)

    @property
    def width(self) -> int:
        """Width of the embedding that the head takes."""
        return self.embedding_dim

    @property
    def moments(self) -> int:
        """F, how many numbers a sequence has before they are mapped."""
        return self.embedding_dim + self.axes * (self.axes + 1) // 2

    def to_dict(self) -> dict[str, int]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class FoldHead(nn.Module):
    """Maps the embedder's residues to one vector; cosines of these are predicted TM-scores.

    Attributes
    ----------
    centre, axes : Tensor, shapes (D,) and (P, D)
        Of a typical residue; where its second moments are taken.
    mean, scale : Tensor, shape=(F,)
        Of the moments of typical sequences.
    matrix : Parameter, shape=(F, F)
    common : Parameter, shape=(1,)
        One more number, which all vectors share.
    """

    centre: Tensor
    axes: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, config: FoldConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("centre", torch.zeros(config.embedding_dim))
        self.register_buffer("axes", torch.zeros(config.axes, config.embedding_dim))
        self.register_buffer("mean", torch.zeros(config.moments))
        self.register_buffer("scale", torch.ones(config.moments))
        self.matrix = nn.Parameter(torch.eye(config.moments))
        self.common = nn.Parameter(torch.tensor([COMMON]))

    def forward(self, residues: Tensor, mask: Tensor) -> Tensor:
        """Z of a padded batch.

        Parameters
        ----------
        residues : Tensor, shape=(B, L, D), dtype=float
        mask : Tensor, shape=(B, L), dtype=bool
            True at real residues; every row holds at least one.

        Returns
        -------
        Tensor, shape=(B, F + 1)
        """
        return self.direct(self.moments(residues, mask))

    def moments(self, residues: Tensor, mask: Tensor) -> Tensor:
        """Mean, and roots of the second moments along `axes`, shape=(B, F)."""
        normed = F.layer_norm(residues, residues.shape[-1:])
        share = (mask / mask.sum(dim=1, keepdim=True)).to(normed.dtype)
        mean = torch.einsum("bl,bld->bd", share, normed)
        along = (normed - self.centre) @ self.axes.T
        second = (along * share[..., None]).transpose(1, 2) @ along
        row, column = torch.triu_indices(*second.shape[1:], device=second.device)
        half = second[:, row, column]
        return torch.cat([mean, half / (half.abs() + _ROOT_FROM).sqrt()], dim=1)

    def direct(self, moments: Tensor) -> Tensor:
        """Z of moments, shape (B, F) -> (B, F + 1)."""
        unit = F.normalize(((moments - self.mean) / self.scale) @ self.matrix.T, dim=1)
        return torch.cat([unit, self.common.expand(len(unit), 1)], dim=1)


def global_embedding(
    head: SiameseTransformer,
    fold: FoldHead | None,
    residues: Tensor,
    per_residue: Tensor,
    mask: Tensor,
) -> Tensor:
    """Z of the head that gives a model's TM-scores: the fold head, where it has one.

    Parameters
    ----------
    residues : Tensor, shape=(B, L, D)
        Of the embedder.
    per_residue : Tensor, shape=(B, L, O)
        Y of `head`.
    mask : Tensor, shape=(B, L), dtype=bool
        True at real residues.
    """
    if fold is None:
        return head.pool(per_residue, mask)
    pooled: Tensor = fold(residues, mask)
    return pooled


CONFIG, NETWORK = FoldConfig, FoldHead
