"""A predictor: an embedder and a Siamese head, applied to a wild type and its variants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch

from glass_core.embedders.base import Embedder, Embedding
from glass_core.embedders.batching import length_buckets
from glass_core.errors import ModelError, VariantError
from glass_core.models.effect import CalibratedEffect
from glass_core.models.effect_prediction import EffectTable
from glass_core.models.prediction import (
    LDDT_TRAINED_ABOVE,
    MIN_COVERAGE,
    ModelInfo,
    Prediction,
)
from glass_core.models.siamese import SiameseTransformer, predicted_lddt, predicted_tm
from glass_core.sequence import unknown_positions
from glass_core.variant import Variant

_HEAD_TOKEN_BUDGET = 8_000


class Predictor(Protocol):
    """Gives a `Prediction` for variants of one wild type."""

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""
        ...

    def predict(
        self,
        variants: Sequence[Variant],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Prediction]:
        """Predict variants of one wild type, in the order given."""
        ...

    def effects(self, wild_type: str) -> EffectTable | None:
        """Effect scores of every single substitution; None where the model has none."""
        ...


class SiamesePredictor:
    """The GLASS method over any embedder; implements `Predictor`."""

    def __init__(
        self, embedder: Embedder, head: SiameseTransformer, info: ModelInfo,
        effect: CalibratedEffect | None = None,
    ) -> None:
        if head.config.prottrans_dim != embedder.dim:
            raise ModelError(
                f"{info.name}: takes embeddings of width {head.config.prottrans_dim}, but "
                f"{embedder.name} gives {embedder.dim}; use the embedder it was trained with."
            )
        self._embedder = embedder
        self._head = head.to(embedder.device).eval()
        self._info = info
        self._effect = effect

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""
        return self._info

    def predict(
        self,
        variants: Sequence[Variant],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Prediction]:
        """Predict variants of one wild type, which is embedded once.

        Raises
        ------
        VariantError
            The variants belong to different wild types.
        """
        if not variants:
            return []
        wild_type = variants[0].wild_type
        if any(variant.wild_type != wild_type for variant in variants):
            raise VariantError("predict: all variants must belong to one wild type.")
        mutants = [v.mutant for v in variants]
        distinct = list(dict.fromkeys([wild_type, *mutants]))
        embeddings = self._embedder.embed(distinct, progress)
        projected = dict(zip(distinct, self._project(embeddings), strict=True))
        wild_residues, wild_pooled = projected[wild_type]
        table = self._table(embeddings[0])
        return [
            replace(
                self._compare(variant, wild_residues, wild_pooled, *projected[mutant]),
                effect=None if table is None else table.of(variant),
            )
            for variant, mutant in zip(variants, mutants, strict=True)
        ]

    def effects(self, wild_type: str) -> EffectTable | None:
        """Effect scores of every single substitution, from one pass over the wild type."""
        return self._table(self._embedder.embed([wild_type])[0])

    def _table(self, embedding: Embedding) -> EffectTable | None:
        if self._effect is None:
            return None
        return self._effect.table(embedding, self._embedder.device)

    @property
    def embedder(self) -> Embedder:
        """Where the residues come from."""
        return self._embedder

    def project(self, sequences: Sequence[str]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Residue embeddings, shape=(L, O), and global embedding, shape=(O,), of each sequence."""
        return self._project(self._embedder.embed(sequences))

    @torch.inference_mode()
    def _project(self, embeddings: Sequence[Embedding]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Y, shape=(L, O), and Z, shape=(O,), of each embedding, on the CPU."""
        projected: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        lengths = [len(e.sequence) for e in embeddings]
        for batch in length_buckets(lengths, _HEAD_TOKEN_BUDGET):
            residues = torch.nn.utils.rnn.pad_sequence(
                [embeddings[i].residues for i in batch], batch_first=True
            ).to(self._embedder.device)
            mask = torch.zeros(residues.shape[:2], dtype=torch.bool, device=residues.device)
            for row, i in enumerate(batch):
                mask[row, : lengths[i]] = True
            per_residue, pooled = self._head(residues, mask)
            for row, i in enumerate(batch):
                projected[i] = per_residue[row, : lengths[i]].cpu(), pooled[row].cpu()
        return [projected[i] for i in range(len(embeddings))]

    def _compare(
        self,
        variant: Variant,
        wild_residues: torch.Tensor,
        wild_pooled: torch.Tensor,
        mutant_residues: torch.Tensor,
        mutant_pooled: torch.Tensor,
    ) -> Prediction:
        partner = variant.mutant_index
        kept = np.flatnonzero(partner >= 0)
        lddt = np.full(len(variant.wild_type), np.nan)
        cosines = predicted_lddt(wild_residues[kept], mutant_residues[partner[kept]])
        lddt[kept] = cosines.double().clamp(-1, 1).numpy()
        tm_score = float(predicted_tm(wild_pooled, mutant_pooled).double().clamp(-1, 1))
        return Prediction(tm_score, lddt, self._info, _doubts(variant, tm_score, self._info))


def _doubts(variant: Variant, tm_score: float, info: ModelInfo) -> tuple[str, ...]:
    """Why this prediction may lie outside what the model can tell."""
    doubts = []
    longest = max(len(variant.wild_type), len(variant.mutant))
    if info.max_length is not None and longest > info.max_length:
        doubts.append(
            f"The sequence has {longest} residues; {info.name} was trained on at most "
            f"{info.max_length}."
        )
    unknown = sorted({*unknown_positions(variant.wild_type)})
    if unknown:
        shown = ", ".join(map(str, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        doubts.append(f"Residues unknown to the model were read as X (position {shown}).")
    unknown_put_in = [c for c in variant.changes if unknown_positions(c.mutant)]
    if unknown_put_in:
        doubts.append("The mutant holds residues unknown to the model, read as X.")
    coverage = float((variant.mutant_index >= 0).sum()) / longest
    if coverage < MIN_COVERAGE:
        doubts.append(
            f"Only {coverage:.0%} of the residues are aligned between wild type and mutant; "
            f"below {MIN_COVERAGE:.0%} the scores are not meaningful."
        )
    if tm_score < LDDT_TRAINED_ABOVE:
        doubts.append(
            f"Predicted TM-score below {LDDT_TRAINED_ABOVE}: predicted lDDT is untrained there."
        )
    return tuple(doubts)
