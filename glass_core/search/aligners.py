"""What aligns two sequences: their residue embeddings, or DeepBLAST's networks over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from glass_core.embedders.base import Embedder, Embedding
from glass_core.errors import ModelError
from glass_core.models.heads.alignment import AlignmentHead, Chain
from glass_core.models.predictor import Predictor
from glass_core.search.alignment import Alignment, Gaps, align, require_alignable
from glass_core.search.deepblast import DeepBlastNetwork, load_deepblast
from glass_core.search.neighbours import Aligner
from glass_core.search.similarity import Similarity

CENTRED = (Similarity("cosine", enhanced=False), Gaps(opening=1.0, extension=0.1))
PLAIN = (Similarity("cosine", enhanced=True), Gaps(opening=4.0, extension=0.2))
"""What agreed best with TM-align on validation chains: for embeddings whose typical residue is
known and taken off, and for others."""
HEAD_GAPS = Gaps(opening=6.0, extension=0.5)
"""Of the alignment head's scores; chosen on validation chains, where it matters little."""
_FREE = Gaps(0.0, 0.0)


class EmbeddingAligner:
    """Aligns by how alike the residues' embeddings are; implements `neighbours.Aligner`.

    Parameters
    ----------
    embedder : Embedder
    typical : Tensor, optional
        Mean of its residues after layer normalisation, shape=(D,): it is taken off, so that
        only what sets a residue apart is compared.
    """

    def __init__(self, embedder: Embedder, typical: Tensor | None = None) -> None:
        self._embedder, self._typical = embedder, typical
        self._similarity, self._gaps = PLAIN if typical is None else CENTRED

    @property
    def name(self) -> str:
        """What it is, for provenance."""
        how = "z-enhanced" if self._similarity.enhanced else "centred"
        return f"{self._embedder.name} by {self._similarity.measure}, {how}"

    def align(self, query: str, targets: Sequence[str]) -> list[Alignment]:
        """`query` with each of `targets`."""
        first, *others = map(self._compared, self._embedder.embed([query, *targets]))
        return [
            align(query, target, self._similarity.matrix(first, other), self._gaps)
            for target, other in zip(targets, others, strict=True)
        ]

    def _compared(self, embedding: Embedding) -> NDArray[np.float32]:
        residues = embedding.residues
        if self._typical is not None:
            residues = F.layer_norm(residues, residues.shape[-1:]) - self._typical.cpu()
        return residues.numpy()


class HeadAligner:
    """Aligns by a model's alignment head; implements `neighbours.Aligner`."""

    def __init__(self, embedder: Embedder, head: AlignmentHead) -> None:
        self._embedder, self._head = embedder, head

    @property
    def name(self) -> str:
        """What it is, for provenance."""
        return f"alignment head over {self._embedder.name}"

    @torch.inference_mode()
    def align(self, query: str, targets: Sequence[str]) -> list[Alignment]:
        """`query` with each of `targets`."""
        for target in targets:  # before anything large is made
            require_alignable(len(query), len(target))
        first, *others = map(self._chain, self._embedder.embed([query, *targets]))
        made = []
        for target, other in zip(targets, others, strict=True):
            scores, likely = (one.cpu().numpy() for one in self._head(first, other))
            made.append(align(query, target, scores, HEAD_GAPS, likely))
        return made

    def _chain(self, embedding: Embedding) -> Chain:
        residues = embedding.residues.to(self._head.centre)
        return self._head.chain(residues, embedding.sequence)


def aligner_of(predictor: Predictor, deepblast: Path | None = None) -> Aligner:
    """What aligns over a predictor's embeddings: by its alignment head, where it has one.

    Parameters
    ----------
    deepblast : Path, optional
        A checkpoint of DeepBLAST, which is taken instead.
    """
    if deepblast is not None:
        return DeepBlastAligner.load(deepblast, predictor.embedder)
    head = predictor.head("alignment")
    if isinstance(head, AlignmentHead):
        return HeadAligner(predictor.embedder, head)
    return EmbeddingAligner(predictor.embedder, predictor.typical_residue)


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
