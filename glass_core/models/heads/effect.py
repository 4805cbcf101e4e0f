"""The effect head: one pass over the wild type scores every single substitution.

Shape notation: B sequences in a batch, L residues of the longest, D_in width of the
embedder, 20 letters in the order of `STANDARD`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from glass_core.embedders.base import Embedding
from glass_core.models.heads.siamese import MAX_LAYERS
from glass_core.models.prediction import EffectTable
from glass_core.protein.sequence import STANDARD
from glass_core.records import require

UNKNOWN_LETTER = len(STANDARD)
"""Index that stands for any wild-type residue outside the 20."""


@dataclass(frozen=True)
class EffectConfig:
    """Shape of the head."""

    embedding_dim: int
    hidden_dim: int = 256
    nhead: int = 4
    num_layers: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in ("embedding_dim", "hidden_dim", "nhead", "num_layers"):
            value = getattr(self, name)
            require(isinstance(value, int) and 0 < value <= 16384, name, "is a positive integer")
        require(self.num_layers <= MAX_LAYERS, "num_layers", f"is at most {MAX_LAYERS}")
        require(self.hidden_dim % self.nhead == 0, "hidden_dim", "is a multiple of nhead")
        require(0 <= self.dropout < 1, "dropout", "lies in [0, 1)")

    def to_dict(self) -> dict[str, int | float]:
        """The fields by name, as the card holds them."""
        return asdict(self)


class EffectHead(nn.Module):
    """Maps the embedder's residues of a wild type to scores of its substitutions."""

    def __init__(self, config: EffectConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden_dim
        self.input_projection = nn.Linear(config.embedding_dim, hidden)
        self.wild_letter = nn.Embedding(len(STANDARD) + 1, hidden)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                d_model=hidden,
                nhead=config.nhead,
                dim_feedforward=4 * hidden,
                dropout=config.dropout,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(hidden)
        self.score = nn.Linear(hidden, len(STANDARD))
        self.damaging = nn.Linear(hidden, len(STANDARD))

    def forward(self, residues: Tensor, mask: Tensor, wild: Tensor) -> tuple[Tensor, Tensor]:
        """Score every substitution of a padded batch of wild types.

        Parameters
        ----------
        residues : Tensor, shape=(B, L, D_in), dtype=float
        mask : Tensor, shape=(B, L), dtype=bool
            True at real residues; every row holds at least one.
        wild : Tensor, shape=(B, L), dtype=int64
            Index of the wild-type letter, `UNKNOWN_LETTER` outside the 20.

        Returns
        -------
        score : Tensor, shape=(B, L, 20)
            Effect score, higher = more damaging; 0 for the wild-type letter.
        damaging : Tensor, shape=(B, L, 20)
            Logit of being damaging, not yet calibrated.
        """
        x = self.input_projection(residues) + self.wild_letter(wild)
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=~mask)
        x = self.norm(x)
        score = self.score(x)
        own = score.gather(-1, wild.clamp(max=UNKNOWN_LETTER - 1)[..., None])
        own = own.masked_fill((wild == UNKNOWN_LETTER)[..., None], 0.0)
        return score - own, self.damaging(x)


def wild_letters(sequence: str) -> Tensor:
    """Letter indices of `sequence`, shape=(L,), dtype=int64."""
    return torch.tensor(
        [i if (i := STANDARD.find(letter)) >= 0 else UNKNOWN_LETTER for letter in sequence]
    )


class CalibratedEffect:
    """An effect head with the scale and offset that turn its logits into chances."""

    def __init__(self, head: EffectHead, scale: float, offset: float) -> None:
        self._head = head.eval()
        self._scale, self._offset = scale, offset

    @torch.inference_mode()
    def table(self, embedding: Embedding, device: torch.device) -> EffectTable:
        """Scores and calibrated probabilities of every single substitution."""
        head = self._head.to(device)
        wild = wild_letters(embedding.sequence)
        mask = torch.ones(1, len(wild), dtype=torch.bool, device=device)
        score, damaging = head(embedding.residues[None].to(device), mask, wild[None].to(device))
        chance = (self._scale * damaging[0].double() + self._offset).sigmoid().cpu().numpy()
        scores = score[0].double().cpu().numpy()
        own = np.arange(len(STANDARD))[None] == wild.numpy()[:, None]
        hidden = own | (wild.numpy() == UNKNOWN_LETTER)[:, None]
        return EffectTable(
            embedding.sequence, np.where(hidden, np.nan, scores), np.where(hidden, np.nan, chance)
        )
