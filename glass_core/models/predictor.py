"""A predictor: an embedder and its heads, applied to a wild type and its variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.embedders.base import Embedder, Embedding
from glass_core.embedders.device import fast_bfloat16
from glass_core.embedders.mpnn import StructureEmbedder, StructureEmbedding, view_of
from glass_core.errors import ModelError
from glass_core.models.alignment import AlignmentTable
from glass_core.models.differences.network import DIFFERENTIAL_DTYPE, DifferentialNetwork
from glass_core.models.heads.base import CombiningHead, Embedded, TableHead
from glass_core.models.heads.effect import EffectTable
from glass_core.models.heads.fold import FoldHead, global_embedding
from glass_core.models.heads.kinds import HEADS
from glass_core.models.heads.siamese import SiameseTransformer, predicted_lddt, predicted_tm
from glass_core.models.memory import release_memory
from glass_core.models.prediction import (
    LDDT_TRAINED_ABOVE,
    MIN_COVERAGE,
    ModelInfo,
    Prediction,
    Table,
    VariantTable,
    require_variants_of,
)
from glass_core.models.vectors import Pooling, padded_batches, unit_rows
from glass_core.models.wild_types import KeptWildTypes, Projected, WildType
from glass_core.progress import Count
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import unknown_positions
from glass_core.protein.variant import Variant

FEWEST_MUTANTS = 64
"""From so many on a list is long: it may go through differences, and memory is given back.
For fewer, what there is to gain is not worth another rounding."""


class Predictor(Protocol):
    """Gives a `Prediction` for variants of one wild type."""

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""
        ...

    @property
    def embedder(self) -> Embedder:
        """Where the residues come from."""
        ...

    @property
    def heads(self) -> frozenset[str]:
        """The names of its heads; what they tell, `models.heads.kinds` says."""
        ...

    def predict(
        self, protein: Protein, variants: Sequence[Variant], progress: Count | None = None
    ) -> list[Prediction]:
        """Predict variants of `protein`, in the order given."""
        ...

    def tables(self, protein: Protein) -> tuple[Table, ...]:
        """What is told of every single substitution, from one pass over the wild type."""
        ...

    def knows(self, protein: Protein) -> bool:
        """Whether what it makes of `protein` is kept, so that `tables` takes no time."""
        ...

    def cost(self, length: int) -> float:
        """About how many multiplications and additions a sequence of `length` residues takes."""
        ...

    @property
    def pooling(self) -> Pooling:
        """What makes one vector of a sequence."""
        ...

    def head(self, name: str) -> nn.Module | None:
        """The head called `name`; None where there is none."""
        ...

    @property
    def typical_residue(self) -> Tensor | None:
        """Mean of residue embeddings after layer normalisation, shape=(D,); None if unknown."""
        ...

    def vectors(
        self, sequences: Sequence[str], progress: Count | None = None
    ) -> NDArray[np.float32]:
        """Unit vectors, shape=(n, Z), whose products are predicted TM-scores."""
        ...


class SiamesePredictor:
    """The GLASS method over any embedder; implements `Predictor`.

    TM-scores are those of the fold head where there is one, of the Siamese head otherwise.

    Parameters
    ----------
    embedder : Embedder
    heads : mapping
        Name -> network.
    info : ModelInfo
    structures : StructureEmbedder, optional
        What reads structures for the heads that take them.
    blind_because : str
        Why there is none although a head takes structures; said beside what it predicts.
    vectors_sha256 : str
        Of the weights behind `vectors`; by default that of the whole model.
    """

    def __init__(
        self,
        embedder: Embedder,
        heads: Mapping[str, nn.Module],
        info: ModelInfo,
        structures: StructureEmbedder | None = None,
        blind_because: str = "",
        vectors_sha256: str = "",
    ) -> None:
        widths: dict[str, int | None] = {n: _config(head).width for n, head in heads.items()}
        wrong = sorted(n for n, width in widths.items() if width not in (None, embedder.dim))
        if wrong:
            raise ModelError(
                f"{info.name}: its {wrong[0]} head takes embeddings of width {widths[wrong[0]]}, "
                f"but {embedder.name} gives {embedder.dim}; use the embedder it was trained with."
            )
        if "siamese" not in heads:
            raise ModelError(f"{info.name}: lacks the Siamese head; train one, or restore it.")
        placed: dict[str, Any] = {n: h.to(embedder.device).eval() for n, h in heads.items()}
        self._embedder, self._info = embedder, info
        self._structures, self._blind_because = structures, blind_because
        self._siamese: SiameseTransformer = placed["siamese"]
        self._fold: FoldHead | None = placed.get("fold")
        self._table_heads: dict[str, TableHead] = {
            kind.name: placed[kind.name]
            for kind in HEADS
            if isinstance(placed.get(kind.name), TableHead)
        }
        self._combining = [head for head in placed.values() if isinstance(head, CombiningHead)]
        self._placed: dict[str, nn.Module] = placed
        self._vectors_sha256 = vectors_sha256 or info.sha256
        self._network: DifferentialNetwork | None = None
        self._wild_types = KeptWildTypes()

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""
        return self._info

    @property
    def heads(self) -> frozenset[str]:
        """The names of its heads."""
        return frozenset(self._placed)

    @property
    def embedder(self) -> Embedder:
        """Where the residues come from."""
        return self._embedder

    def cost(self, length: int) -> float:
        """That of the embedder; the heads are small."""
        return self._embedder.cost(length)

    def predict(
        self, protein: Protein, variants: Sequence[Variant], progress: Count | None = None
    ) -> list[Prediction]:
        """Predict variants of `protein`, whose sequence is embedded once.

        Many substitutions go through their differences to the wild type where that is faster,
        within 1e-4 of the plain path; the `dtype` of their model says so.

        Raises
        ------
        VariantError
            A variant is of another wild type.
        """
        if not variants:
            return []
        require_variants_of(protein, variants)
        network = self._differential(variants)
        if network is None:
            predictions = self._predict_plainly(protein, variants, progress)
        else:
            predictions = self._predict_differences(network, protein, variants, progress)
        if len(variants) >= FEWEST_MUTANTS:
            release_memory()
        return predictions

    def tables(self, protein: Protein) -> tuple[Table, ...]:
        """What is told of every single substitution, from one pass over the wild type.

        Heads that take a structure are passed over where there is none.
        """
        if not self._table_heads and protein.profile is None:
            return ()
        return self._wild_type(protein).tables

    def knows(self, protein: Protein) -> bool:
        """Whether what it makes of `protein` is kept, so that `tables` takes no time."""
        return protein in self._wild_types

    def effects(self, protein: Protein) -> EffectTable | None:
        """Effect scores of every single substitution; None where the model has no such head."""
        tables = [table for table in self.tables(protein) if isinstance(table, EffectTable)]
        return tables[-1] if tables else None

    def read_structure(self, protein: Protein) -> StructureEmbedding | None:
        """What is made of the structure; None without one, or without weights to read it."""
        return self._structures.embed(protein) if self._structures is not None else None

    def head(self, name: str) -> nn.Module | None:
        """The head called `name`; None where there is none."""
        return self._placed.get(name)

    @property
    def pooling(self) -> Pooling:
        """What makes one vector of a sequence."""
        name = "attention" if self._fold is None else "fold head"
        return Pooling(name, self._vectors_sha256)

    @property
    def typical_residue(self) -> Tensor | None:
        """Mean of residue embeddings after layer normalisation, shape=(D,); None if unknown."""
        return None if self._fold is None else self._fold.centre

    def vectors(
        self, sequences: Sequence[str], progress: Count | None = None
    ) -> NDArray[np.float32]:
        """Unit vectors, shape=(n, Z), whose products are predicted TM-scores."""
        return self.vectors_of(self._embedder.embed(sequences, progress))

    @torch.inference_mode()
    def vectors_of(self, embeddings: Sequence[Embedding]) -> NDArray[np.float32]:
        """As `vectors`, of sequences that its embedder has embedded."""
        made: dict[int, Tensor] = {}
        for rows, residues, mask in padded_batches(embeddings, self._embedder.device):
            if self._fold is None:
                pooled = self._siamese.pool(self._siamese.per_residue(residues, mask), mask)
            else:
                pooled = self._fold(residues, mask)
            made |= zip(rows, pooled.float().cpu(), strict=True)
        if not made:
            return np.empty((0, 0), np.float32)
        return unit_rows(torch.stack([made[row] for row in range(len(embeddings))]).numpy())

    def project(self, sequences: Sequence[str]) -> list[Projected]:
        """What the heads that compare make of each sequence."""
        return self._project(self._embedder.embed(sequences))

    def _predict_plainly(
        self, protein: Protein, variants: Sequence[Variant], progress: Count | None
    ) -> list[Prediction]:
        wild, mutants = self._wild_type(protein), [v.mutant for v in variants]
        projected = {protein.sequence: wild.projected}
        distinct = [m for m in dict.fromkeys(mutants) if m not in projected]
        embeddings = self._embedder.embed(distinct, progress)
        projected |= zip(distinct, self._project(embeddings), strict=True)
        blind = self._blind(protein)
        return [
            _prediction(
                variant,
                predicted_tm(wild.projected.pooled, projected[mutant].pooled),
                _facing_lddt(variant, wild.projected.residues, projected[mutant].residues),
                self._info,
                wild.tables,
                blind,
            )
            for variant, mutant in zip(variants, mutants, strict=True)
        ]

    def _predict_differences(
        self,
        network: DifferentialNetwork,
        protein: Protein,
        variants: Sequence[Variant],
        progress: Count | None,
    ) -> list[Prediction]:
        info = replace(self._info, dtype=DIFFERENTIAL_DTYPE)
        mutants = [v.mutant for v in variants]
        distinct = list(dict.fromkeys(mutants))
        tm, lddt = network.compare(protein.sequence, distinct, progress)
        number = {mutant: k for k, mutant in enumerate(distinct)}
        tables, blind = self.tables(protein), self._blind(protein)
        return [
            _prediction(variant, tm[number[mutant]], lddt[number[mutant]], info, tables, blind)
            for variant, mutant in zip(variants, mutants, strict=True)
        ]

    def _differential(self, variants: Sequence[Variant]) -> DifferentialNetwork | None:
        """The network for differences; None where it does not apply or is not faster."""
        encoder: Any = self._embedder.encoder
        if (
            encoder is None
            or len(variants) < FEWEST_MUTANTS
            or len(variants[0].wild_type) > encoder.config.window
            or not all(variant.only_substitutions for variant in variants)
            or not fast_bfloat16(self._embedder.device)
        ):
            return None
        if self._network is None:
            self._network = DifferentialNetwork(encoder, self._siamese, self._fold)
        return self._network

    def _wild_type(self, protein: Protein) -> WildType:
        """What is made of `protein` itself, kept for whoever asks next."""
        return self._wild_types.get(protein, lambda: self._read(protein))

    def _read(self, protein: Protein) -> WildType:
        embedding = self._embedder.embed([protein.sequence])[0]
        asked = [kind for kind in HEADS if kind.name in self._table_heads]
        reads = any(kind.reads_structure for kind in asked)
        embedded = Embedded(embedding, self.read_structure(protein) if reads else None)
        tables: tuple[Table, ...] = tuple(
            self._table_heads[kind.name].table(protein, embedded)
            for kind in asked
            if kind.takes != "structure" or protein.structure is not None
        )
        if protein.profile is not None:
            tables = (*tables, AlignmentTable(protein.profile))
        combined = [head.combine(protein, tables) for head in self._combining]
        tables = (*tables, *(table for table in combined if table is not None))
        return WildType(self._project([embedding])[0], tables)

    def _blind(self, protein: Protein) -> tuple[str, ...]:
        """That the structure of `protein` was not read, where there is one, or not in full."""
        if protein.structure is None:
            return ()
        if self._blind_because:
            return (f"The structure was not read for the prediction. {self._blind_because}",)
        if self._structures is not None and view_of(protein.structure.backbone) == "trace":
            return (
                "The structure has C-alphas but few whole backbones: it was read by them alone; "
                "how well that does on unseen proteins is not recorded.",
            )
        return ()

    @torch.inference_mode()
    def _project(self, embeddings: Sequence[Embedding]) -> list[Projected]:
        """On the CPU, in batches of sequences that are alike in length."""
        projected: dict[int, Projected] = {}
        for rows, residues, mask in padded_batches(embeddings, self._embedder.device):
            per_residue = self._siamese.per_residue(residues, mask)
            pooled = global_embedding(self._siamese, self._fold, residues, per_residue, mask)
            for row, i in enumerate(rows):
                length = len(embeddings[i].sequence)
                projected[i] = Projected(per_residue[row, :length].cpu(), pooled[row].cpu())
        return [projected[i] for i in range(len(embeddings))]


def _config(head: nn.Module) -> Any:
    """The configuration of a head, a `heads.base.HeadConfig`."""
    return head.config


def _facing_lddt(variant: Variant, wild_residues: Tensor, mutant_residues: Tensor) -> Tensor:
    """lDDT of each wild-type residue, shape=(L,), from Y of both; NaN where it is deleted."""
    partner = torch.from_numpy(variant.mutant_index)
    kept = (partner >= 0).nonzero().squeeze(1)
    lddt = torch.full((len(partner),), torch.nan)
    lddt[kept] = predicted_lddt(wild_residues[kept], mutant_residues[partner[kept]])
    return lddt


def _prediction(
    variant: Variant,
    tm: Tensor,
    lddt: Tensor,
    info: ModelInfo,
    tables: Sequence[Table],
    doubts: tuple[str, ...],
) -> Prediction:
    tm_score = float(tm.double().clamp(-1, 1))
    told: dict[str, float] = {}
    tracks: dict[str, Any] = {}
    for table in tables:
        of_variant = table.told(variant)
        if of_variant:
            told |= of_variant
            tracks |= table.tracks
            if isinstance(table, VariantTable):
                tracks |= table.tracks_of(variant)
    return Prediction(
        tm_score,
        lddt.double().clamp(-1, 1).numpy(),
        info,
        (*doubts, *_doubts(variant, tm_score, info)),
        told,
        tracks,
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
    unknown = unknown_positions(variant.wild_type)
    if unknown:
        shown = ", ".join(map(str, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        doubts.append(f"Residues unknown to the model were read as X (sequence position {shown}).")
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
