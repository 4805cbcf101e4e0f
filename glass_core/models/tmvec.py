"""TM-Vec as a predictor: its authors' checkpoints, and TM-scores from them.

A checkpoint is ``NAME.ckpt`` with its configuration beside it, ``NAME_params.json`` or
``NAME.json``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from glass_core.embedders.base import Embedder
from glass_core.errors import ModelError, RecordError
from glass_core.models.heads.tmvec import TmVecConfig, TmVecNetwork
from glass_core.models.prediction import ModelInfo, Prediction, Table, require_variants_of
from glass_core.models.torch_files import fill, read_torch_file, tensors_of
from glass_core.models.vectors import Pooling, padded_batches, unit_rows
from glass_core.progress import Count
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant

POOLING = "TM-Vec"
NO_LDDT = "TM-Vec tells TM-scores alone: there is no predicted lDDT."


def configuration_of(checkpoint: Path) -> Path | None:
    """The configuration beside a checkpoint of TM-Vec; None where there is none."""
    for name in (f"{checkpoint.stem}_params.json", f"{checkpoint.stem}.json"):
        if (checkpoint.parent / name).is_file():
            return checkpoint.parent / name
    return None


def load_tmvec(checkpoint: Path) -> TmVecNetwork:
    """The network of a checkpoint of TM-Vec's authors.

    Raises
    ------
    ModelError
        No configuration beside it, or one of the two files is not usable.
    """
    beside = configuration_of(checkpoint)
    if beside is None:
        raise ModelError(
            f"{checkpoint.name}: its configuration is missing; put {checkpoint.stem}_params.json "
            "beside it."
        )
    with torch.device("meta"):
        network = TmVecNetwork(_read_config(beside))
    tensors = tensors_of(read_torch_file(checkpoint), checkpoint)
    fill(network, {n.removeprefix("encoder."): one for n, one in tensors.items()}, checkpoint)
    return network.eval()


def _read_config(path: Path) -> TmVecConfig:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        known = {field.name for field in fields(TmVecConfig)}
        return TmVecConfig(**{name: value for name, value in values.items() if name in known})
    except (OSError, ValueError, AttributeError, TypeError, RecursionError, RecordError) as error:
        raise ModelError(f"{path.name}: is no configuration of TM-Vec ({error}).") from error


class TmVecPredictor:
    """TM-scores of TM-Vec over its embedder; implements `Predictor`, without any lDDT."""

    heads = frozenset({"tmvec"})
    typical_residue = None

    def __init__(self, embedder: Embedder, network: TmVecNetwork, info: ModelInfo) -> None:
        if network.config.d_model != embedder.dim:
            raise ModelError(
                f"{info.name}: takes embeddings of width {network.config.d_model}, but "
                f"{embedder.name} gives {embedder.dim}; use the embedder it was trained with."
            )
        self._embedder, self._info = embedder, info
        self._network = network.to(embedder.device).eval()

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""
        return self._info

    @property
    def pooling(self) -> Pooling:
        """What makes one vector of a sequence."""
        return Pooling(POOLING, self._info.sha256)

    def head(self, name: str) -> None:
        """None: it has no head of ours."""
        return

    @property
    def embedder(self) -> Embedder:
        """Where the residues come from."""
        return self._embedder

    def cost(self, length: int) -> float:
        """That of the embedder; the network is small beside it."""
        return self._embedder.cost(length)

    def predict(
        self, protein: Protein, variants: Sequence[Variant], progress: Count | None = None
    ) -> list[Prediction]:
        """Predict variants of `protein`; each `lddt` is NaN throughout.

        Raises
        ------
        VariantError
            A variant is of another wild type.
        """
        require_variants_of(protein, variants)
        if not variants:
            return []
        distinct = list(dict.fromkeys([protein.sequence, *(v.mutant for v in variants)]))
        vectors = self.vectors(distinct, progress)
        number = {sequence: k for k, sequence in enumerate(distinct)}
        no_lddt = np.full(len(protein), np.nan)
        return [
            Prediction(
                float(np.clip(vectors[0] @ vectors[number[variant.mutant]], -1, 1)),
                no_lddt,
                self._info,
                (NO_LDDT,),
            )
            for variant in variants
        ]

    def tables(self, protein: Protein) -> tuple[Table, ...]:
        """Nothing: it has no such heads."""
        return ()

    def knows(self, protein: Protein) -> bool:
        """True: `tables` takes no time."""
        return True

    @torch.inference_mode()
    def vectors(
        self, sequences: Sequence[str], progress: Count | None = None
    ) -> NDArray[np.float32]:
        """Unit vectors, shape=(n, O), whose products are predicted TM-scores."""
        embeddings = self._embedder.embed(sequences, progress)
        made = np.empty((len(sequences), self._network.config.out_dim), np.float32)
        for rows, residues, mask in padded_batches(embeddings, self._embedder.device):
            made[rows] = self._network(residues, mask).float().cpu().numpy()
        return unit_rows(made)
