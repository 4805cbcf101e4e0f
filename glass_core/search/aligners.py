"""What aligns two sequences: their residue embeddings, or DeepBLAST's networks over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glass_core.embedders.base import Embedder
from glass_core.errors import ModelError
from glass_core.search.alignment import Alignment, Gaps, align
from glass_core.search.deepblast import DeepBlastNetwork, load_deepblast
from glass_core.search.similarity import Similarity

SIMILARITY = Similarity("cosine", enhanced=True)
GAPS = Gaps(opening=1.0, extension=0.1, mode="global")
"""What agreed best with TM-align on validation chains."""
_FREE = Gaps(0.0, 0.0)


class EmbeddingAligner:
    """Aligns by how alike the residues' embeddings are; implements `neighbours.Aligner`."""

    def __init__(
        self, embedder: Embedder, similarity: Similarity = SIMILARITY, gaps: Gaps = GAPS
    ) -> None:
        self._embedder, self._similarity, self._gaps = embedder, similarity, gaps

    @property
    def name(self) -> str:
        """What it is, for provenance."""
        z = ", z-enhanced" if self._similarity.enhanced else ""
        return f"{self._embedder.name} by {self._similarity.measure}{z}"

    def align(self, query: str, targets: Sequence[str]) -> list[Alignment]:
        """`query` with each of `targets`."""
        first, *others = self._embedder.embed([query, *targets])
        return [
            align(
                query,
                other.sequence,
                self._similarity.matrix(first.residues.numpy(), other.residues.numpy()),
                self._gaps,
            )
            for other in others
        ]


class DeepBlastAligner:
    """Aligns by DeepBLAST's expected alignment; implements `neighbours.Aligner`.

    Of all alignments the one whose pairs are together the likeliest: unlike the walk along the
    highest values, it always arrives.
    """

    def __init__(self, embedder: Embedder, network: DeepBlastNetwork, name: str) -> None:
        if network.config.width != embedder.dim:
            raise ModelError(
                f"{name}: takes embeddings of width {network.config.width}, but {embedder.name} "
                f"gives {embedder.dim}; use the embedder it was trained with."
            )
        self._embedder, self._network = embedder, network.to(embedder.device)
        self._name = name

    @staticmethod
    def load(path: Path, embedder: Embedder) -> DeepBlastAligner:
        """That of a checkpoint of DeepBLAST's authors."""
        return DeepBlastAligner(embedder, load_deepblast(path), path.stem)

    @property
    def name(self) -> str:
        """What it is, for provenance."""
        return f"{self._name} over {self._embedder.name}"

    def align(self, query: str, targets: Sequence[str]) -> list[Alignment]:
        """`query` with each of `targets`."""
        first, *others = (
            one.residues.to(self._embedder.device)
            for one in self._embedder.embed([query, *targets])
        )
        return [
            align(query, target, self._network.expected(first, other), _FREE)
            for target, other in zip(targets, others, strict=True)
        ]
