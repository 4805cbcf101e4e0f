"""TM-Vec's network: one vector of a sequence, whose cosines are predicted TM-scores.

Hamamsy et al., Nat. Biotechnol. 42, 975 (2024).

Shape notation: B sequences in a batch, L residues of the longest, D width of the embedder
(1024), O output width (512).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from glass_core.models.heads.attention import through
from glass_core.records import MAX_LAYERS, require, require_one_of, require_sizes


@dataclass(frozen=True)
class TmVecConfig:
    """Shape of the network, under the names of the authors' configuration; others are ignored."""

    d_model: int = 1024
    nhead: int = 4
    num_layers: int = 2
    dim_feedforward: int = 2048
    out_dim: int = 512
    dropout: float = 0.1
    activation: str = "relu"

    def __post_init__(self) -> None:
        require_sizes(self, ("d_model", "nhead", "dim_feedforward", "out_dim"))
        require_sizes(self, ("num_layers",), MAX_LAYERS)
        require(self.d_model % self.nhead == 0, "d_model", "is a multiple of nhead")
        require_one_of(self.activation, ("relu", "gelu"), "activation")

    @property
    def width(self) -> int:
        """Width of the embedding that the head takes."""
        return self.d_model

    def to_dict(self) -> dict[str, int | float | str]:
        """The fields by name, as the authors' configuration holds them."""
        return asdict(self)


class TmVecNetwork(nn.Module):
    """Transformer layers over the residues, their mean, and a linear map."""

    def __init__(self, config: TmVecConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                d_model=config.d_model,
                nhead=config.nhead,
                dim_feedforward=config.dim_feedforward,
                dropout=config.dropout,
                activation=config.activation,
                batch_first=True,
            )
            for _ in range(config.num_layers)
        )
        self.mlp = nn.Linear(config.d_model, config.out_dim)

    def forward(self, residues: Tensor, mask: Tensor) -> Tensor:
        """The vector of each sequence.

        Parameters
        ----------
        residues : Tensor, shape=(B, L, D)
        mask : Tensor, shape=(B, L), dtype=bool
            True at real residues; every row holds at least one.

        Returns
        -------
        Tensor, shape=(B, O)
        """
        x = through(self.layers, residues, mask)
        share = (mask / mask.sum(dim=1, keepdim=True)).to(x.dtype)
        pooled: Tensor = self.mlp(torch.einsum("bl,bld->bd", share, x))
        return pooled


CONFIG, NETWORK = TmVecConfig, TmVecNetwork
