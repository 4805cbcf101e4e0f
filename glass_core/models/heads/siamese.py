"""The GLASS Siamese transformer (bioRxiv 2025.10.27.684815), as published.

Shape notation: B sequences in a batch, L residues of the longest, D_in width
of the embedder, H hidden width, O output width (both 512 as published).
Parameter names are those of the authors' checkpoints.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glass_core.models.heads.attention import through
from glass_core.records import MAX_LAYERS, require, require_sizes


@dataclass(frozen=True)
class SiameseConfig:
    """Shape of the head; the defaults are the published ones.

    `max_seq_len` is carried for the authors' format only: the network has no
    positional encoding and truncates nothing.
    """

    prottrans_dim: int = 1024
    hidden_dim: int = 512
    output_dim: int = 512
    nhead: int = 4
    num_layers: int = 2
    dropout: float = 0.1
    max_seq_len: int = 300

    def __post_init__(self) -> None:
        require_sizes(self, ("prottrans_dim", "hidden_dim", "output_dim", "nhead"))
        require_sizes(self, ("num_layers",), MAX_LAYERS)
        require(self.hidden_dim % self.nhead == 0, "hidden_dim", "is a multiple of nhead")
        require(self.hidden_dim > 1, "hidden_dim", "is at least 2")
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")

    @property
    def width(self) -> int:
        """Width of the embedding that the head takes."""
        return self.prottrans_dim

    def to_dict(self) -> dict[str, int | float]:
        """The fields by name, as cards and the authors' checkpoints hold them."""
        return asdict(self)


class SiameseTransformer(nn.Module):
    """Maps the embedder's residues to vectors whose cosines are the predictions."""

    def __init__(self, config: SiameseConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden_dim
        self.input_projection = nn.Linear(config.prottrans_dim, hidden)
        self.transformer_layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                d_model=hidden,
                nhead=config.nhead,
                dim_feedforward=4 * hidden,
                dropout=config.dropout,
                activation="relu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(config.num_layers)
        )
        self.output_projection = nn.Linear(hidden, config.output_dim)
        self.global_attention = nn.Sequential(
            nn.Linear(config.output_dim, hidden // 2), nn.ReLU(), nn.Linear(hidden // 2, 1)
        )

    def forward(self, residues: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Embed a padded batch.

        Parameters
        ----------
        residues : Tensor, shape=(B, L, D_in), dtype=float
        mask : Tensor, shape=(B, L), dtype=bool
            True at real residues; every row holds at least one.

        Returns
        -------
        per_residue : Tensor, shape=(B, L, O)
            Y of the paper; rows outside the mask are meaningless.
        pooled : Tensor, shape=(B, O)
            Z of the paper, attention-pooled over real residues only.
        """
        y = self.per_residue(residues, mask)
        return y, self.pool(y, mask)

    def per_residue(self, residues: Tensor, mask: Tensor) -> Tensor:
        """Y alone, shape=(B, L, O); see `forward`."""
        x = through(self.transformer_layers, self.input_projection(residues), mask)
        y: Tensor = self.output_projection(x)
        return y

    def pool(self, per_residue: Tensor, mask: Tensor) -> Tensor:
        """Z, shape=(B, O), of Y, shape=(B, L, O); `mask`, shape=(B, L), as in `forward`."""
        attention = self.global_attention(per_residue).squeeze(-1)
        attention = attention.masked_fill(~mask, float("-inf")).softmax(dim=-1)
        return torch.einsum("bl,blo->bo", attention, per_residue)


def predicted_tm(reference_pooled: Tensor, subject_pooled: Tensor) -> Tensor:
    """Predicted TM-score: cosine of the pooled embeddings, shapes (..., O) -> (...)."""
    return F.cosine_similarity(reference_pooled, subject_pooled, dim=-1)


def predicted_lddt(reference_residues: Tensor, subject_residues: Tensor) -> Tensor:
    """Predicted lDDT: cosine of aligned residue embeddings, shapes (..., O) -> (...)."""
    return F.cosine_similarity(reference_residues, subject_residues, dim=-1)


CONFIG, NETWORK = SiameseConfig, SiameseTransformer
