"""A predictor: an embedder and its heads, applied to a wild type and its variants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from glass_core.embedders.base import Embedder, Embedding
from glass_core.embedders.batching import length_buckets
from glass_core.embedders.compact import CompactEmbedder
from glass_core.embedders.device import fast_bfloat16
from glass_core.errors import ModelError, VariantError
from glass_core.models.differences.network import DIFFERENTIAL_DTYPE, DifferentialNetwork
from glass_core.models.heads.effect import CalibratedEffect
from glass_core.models.heads.fold import FoldHead, global_embedding
from glass_core.models.heads.siamese import SiameseTransformer, predicted_lddt, predicted_tm
from glass_core.models.memory import release_memory
from glass_core.models.prediction import (
    LDDT_TRAINED_ABOVE,
    MIN_COVERAGE,
    EffectTable,
    ModelInfo,
    Prediction,
)
from glass_core.protein.sequence import unknown_positions
from glass_core.protein.variant import Variant

_HEAD_TOKEN_BUDGET = 8_000
FEWEST_MUTANTS = 64
"""From so many on a list is long: it may go through differences, and memory is given back.
For fewer, what there is to gain is not worth another rounding."""


class Predictor(Protocol):
    """Gives a `Prediction` for variants of one wild type."""

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""
        ...

    def predict(
        self, variants: Sequence[Variant], progress: Callable[[int, int], None] | None = None
    ) -> list[Prediction]:
        """Predict variants of one wild type, in the order given."""
        ...

    def effects(self, wild_type: str) -> EffectTable | None:
        """Effect scores of every single substitution; None where the model has none."""
        ...


class SiamesePredictor:
    """The GLASS method over any embedder; implements `Predictor`.

    TM-scores are those of the fold head where there is one, of the Siamese head otherwise.
    """

    def __init__(
        self,
        embedder: Embedder,
        head: SiameseTransformer,
        info: ModelInfo,
        effect: CalibratedEffect | None = None,
        fold: FoldHead | None = None,
    ) -> None:
        widths = {head.config.prottrans_dim} | ({fold.config.embedding_dim} if fold else set())
        if widths != {embedder.dim}:
            raise ModelError(
                f"{info.name}: takes embeddings of width {' and '.join(map(str, sorted(widths)))}, "
                f"but {embedder.name} gives {embedder.dim}; use the embedder it was trained with."
            )
        self._embedder = embedder
        self._head = head.to(embedder.device).eval()
        self._info = info
        self._effect = effect
        self._fold = None if fold is None else fold.to(embedder.device).eval()
        self._network: DifferentialNetwork | None = None

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""
        return self._info

    def predict(
        self, variants: Sequence[Variant], progress: Callable[[int, int], None] | None = None
    ) -> list[Prediction]:
        """Predict variants of one wild type, which is embedded once.

        Many substitutions go through their differences to the wild type where that is faster,
        within 1e-4 of the plain path; the `dtype` of their model says so.

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
        network = self._differential(variants)
        if network is None:
            found = self._predict_plainly(variants, progress)
        else:
            found = self._predict_differences(network, variants, progress)
        if len(variants) >= FEWEST_MUTANTS:
            release_memory()
        return found

    def _predict_plainly(
        self, variants: Sequence[Variant], progress: Callable[[int, int], None] | None
    ) -> list[Prediction]:
        wild_type, mutants = variants[0].wild_type, [v.mutant for v in variants]
        distinct = list(dict.fromkeys([wild_type, *mutants]))
        embeddings = self._embedder.embed(distinct, progress)
        projected = dict(zip(distinct, self._project(embeddings), strict=True))
        table = self._table(embeddings[0])
        return [
            _prediction(
                variant,
                *_compared(variant, *projected[wild_type], *projected[mutant]),
                self._info,
                table,
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

    def _differential(self, variants: Sequence[Variant]) -> DifferentialNetwork | None:
        """The network for differences; None where it does not apply or is not faster."""
        embedder = self._embedder
        if (
            not isinstance(embedder, CompactEmbedder)
            or len(variants) < FEWEST_MUTANTS
            or len(variants[0].wild_type) > embedder.encoder.config.window
            or not all(variant.only_substitutions for variant in variants)
            or not fast_bfloat16(embedder.device)
        ):
            return None
        if self._network is None:
            self._network = DifferentialNetwork(embedder.encoder, self._head, self._fold)
        return self._network

    def _predict_differences(
        self,
        network: DifferentialNetwork,
        variants: Sequence[Variant],
        progress: Callable[[int, int], None] | None,
    ) -> list[Prediction]:
        wild_type = variants[0].wild_type
        table = self.effects(wild_type)
        info = replace(self._info, dtype=DIFFERENTIAL_DTYPE)
        mutants = [v.mutant for v in variants]
        distinct = list(dict.fromkeys(mutants))
        told = zip(*network.compare(wild_type, distinct, progress), strict=True)
        scores = dict(zip(distinct, told, strict=True))
        return [
            _prediction(variant, *scores[mutant], info, table)
            for variant, mutant in zip(variants, mutants, strict=True)
        ]

    @property
    def embedder(self) -> Embedder:
        """Where the residues come from."""
        return self._embedder

    def project(self, sequences: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        """Residue embeddings, shape=(L, O), and global embedding, shape=(Z,), of each sequence."""
        return self._project(self._embedder.embed(sequences))

    @torch.inference_mode()
    def _project(self, embeddings: Sequence[Embedding]) -> list[tuple[Tensor, Tensor]]:
        """Y, shape=(L, O), and Z, one vector, of each embedding, on the CPU."""
        projected: dict[int, tuple[Tensor, Tensor]] = {}
        lengths = [len(e.sequence) for e in embeddings]
        for batch in length_buckets(lengths, _HEAD_TOKEN_BUDGET):
            residues = torch.nn.utils.rnn.pad_sequence(
                [embeddings[i].residues for i in batch], batch_first=True
            ).to(self._embedder.device)
            mask = torch.zeros(residues.shape[:2], dtype=torch.bool, device=residues.device)
            for row, i in enumerate(batch):
                mask[row, : lengths[i]] = True
            per_residue = self._head.per_residue(residues, mask)
            pooled = global_embedding(self._head, self._fold, residues, per_residue, mask)
            for row, i in enumerate(batch):
                projected[i] = per_residue[row, : lengths[i]].cpu(), pooled[row].cpu()
        return [projected[i] for i in range(len(embeddings))]


def _compared(
    variant: Variant,
    wild_residues: Tensor,
    wild_pooled: Tensor,
    mutant_residues: Tensor,
    mutant_pooled: Tensor,
) -> tuple[Tensor, Tensor]:
    """TM-score, and lDDT of each wild-type residue, NaN where it is deleted."""
    partner = torch.from_numpy(variant.mutant_index)
    kept = (partner >= 0).nonzero().squeeze(1)
    lddt = torch.full((len(partner),), torch.nan)
    lddt[kept] = predicted_lddt(wild_residues[kept], mutant_residues[partner[kept]])
    return predicted_tm(wild_pooled, mutant_pooled), lddt


def _prediction(
    variant: Variant, tm: Tensor, lddt: Tensor, info: ModelInfo, table: EffectTable | None
) -> Prediction:
    tm_score = float(tm.double().clamp(-1, 1))
    return Prediction(
        tm_score,
        lddt.double().clamp(-1, 1).numpy(),
        info,
        _doubts(variant, tm_score, info),
        None if table is None else table.of(variant),
    )


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
