"""Screening: a saturation scan beside pairs scored one at a time, effects alone, a long list."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.timing import Row
from glass_core.embedders.compact_encoder import tokenise
from glass_core.inputs.lists import VariantRequest, all_substitutions, read_request
from glass_core.models.card import ModelCard
from glass_core.models.checkpoint import load_heads
from glass_core.models.heads.fold import global_embedding
from glass_core.models.heads.siamese import predicted_lddt, predicted_tm
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.registry import load_siamese
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.runs.screening import advance, begin
from glass_core.runs.store import RunStore
from glass_core.screen.request import ScreenRequest
from glass_core.screen.stream import screen
from glass_core.settings import Settings

PADDED = 300
ALONE = 60
TOLERANCE = 1e-4
FEW, MANY = 1_000, 100_000


def run(quick: bool = False) -> list[Row]:
    """The rows; `quick` takes a tenth of the variants."""
    settings = Settings(device="cpu")
    predictor = load_siamese(settings)
    return [
        *saturation(settings, predictor, quick),
        effects_alone(predictor),
        *long_list(settings, predictor, quick),
    ]


def protein(length: int) -> Protein:
    """A random sequence; the work does not depend on its letters."""
    letters = np.random.default_rng(length).choice(list(STANDARD), length)
    return Protein.from_sequence("".join(letters), f"random_{length}")


def saturation(settings: Settings, predictor: SiamesePredictor, quick: bool) -> list[Row]:
    """All 19 x 147 substitutions, and each pair alone with both padded to 300."""
    asked = list(all_substitutions(protein(147)))
    asked = asked[::10] if quick else asked
    between = max(len(asked) // ALONE, 1)
    alone = _Alone(settings, predictor)
    alone.scores(asked[0])
    list(screen(asked[:80], predictor=predictor))
    before = _peak()
    made, told, seconds, apart = {}, {}, 0.0, 0.0
    stream = screen(asked, predictor=predictor)
    for k, one in enumerate(asked):
        began = time.perf_counter()
        made[one.row] = next(stream)
        seconds += time.perf_counter() - began
        if k % between == 0:  # in turns: the machine is as busy for the one as for the other
            began = time.perf_counter()
            told[one.row] = alone.scores(one)
            apart += time.perf_counter() - began
    grown = _peak() - before
    each = apart / len(told)
    gap = max(
        max(
            abs(tm - made[row].prediction.tm_score),  # type: ignore[union-attr]
            float(np.abs(lddt - made[row].prediction.lddt).max()),
        )  # type: ignore[union-attr]
        for row, (tm, lddt) in told.items()
    )
    ratio = each * len(asked) / seconds
    return [
        (
            f"screen, {len(asked):,} substitutions of 147 residues",
            f"{seconds:.1f} s",
            f"{each * len(asked):.0f} s pair by pair, padded to {PADDED}",
            f"{ratio:.1f} x",
            "at most 60 s for all, 10 x",
        ),
        ("  largest difference between the two", f"{gap:.1e}", "", "", f"at most {TOLERANCE:.0e}"),
        ("  memory beyond the loaded model", f"{grown:.0f} MiB", "", "", "at most 2048 MiB"),
    ]


def effects_alone(predictor: SiamesePredictor) -> Row:
    """All substitutions of 300 residues from one pass over the wild type."""
    wild = protein(300)
    predictor.effects(protein(299))
    began = time.perf_counter()
    table = predictor.effects(wild)
    seconds = time.perf_counter() - began
    number = 0 if table is None else int((~np.isnan(table.score)).sum())
    return (
        f"effect scores, {number:,} substitutions of 300 residues",
        f"{1000 * seconds:.0f} ms",
        "",
        "",
        "under 2 s",
    )


def long_list(settings: Settings, predictor: SiamesePredictor, quick: bool) -> list[Row]:
    """Throughput and memory of a run of few and of many double mutants, rows kept as they come."""
    rates, peaks = [], []
    number = FEW
    for number in (FEW, MANY // 10 if quick else MANY):
        small = protein(40)
        began = time.perf_counter()
        with TemporaryDirectory() as folder:
            store = RunStore(Path(folder) / "runs.sqlite")
            run = begin(
                store,
                ScreenRequest((small,), "benchmark", "compact"),
                islice(_doubles(small), number),
                predictor=predictor,
            )
            advance(store, run, settings=settings, predictor=predictor)
            done = store.get(run)
            if done is None or done.counts != {"done": number}:
                raise RuntimeError(f"the run of {number} did not finish: {done}")
        rates.append(number / (time.perf_counter() - began))
        peaks.append(_peak())
    return [
        (
            f"run of {number:,} double mutants of 40 residues",
            f"{rates[1]:.0f} per second",
            f"{rates[0]:.0f} per second for {FEW:,}",
            f"{rates[1] / rates[0]:.2f}",
            "flat",
        ),
        ("  peak memory beyond that", f"{peaks[1] - peaks[0]:.0f} MiB", "", "", "does not grow"),
    ]


class _Alone:
    """Every pair by itself, both sequences embedded and padded."""

    def __init__(self, settings: Settings, predictor: SiamesePredictor) -> None:
        self._encoder: Any = predictor.embedder.encoder
        card = ModelCard.read(settings.assets / "models" / "compact")
        heads: dict[str, Any] = load_heads(card)
        self._head, self._fold = heads["siamese"], heads.get("fold")

    @torch.inference_mode()
    def scores(self, asked: VariantRequest) -> tuple[float, np.ndarray]:
        """Predicted TM-score and lDDT of one variant."""
        if asked.variant is None:
            raise ValueError(asked.reason)
        made = [self._project(s) for s in (asked.variant.wild_type, asked.variant.mutant)]
        (y1, z1), (y2, z2) = made
        length = len(asked.variant.wild_type)
        return float(predicted_tm(z1, z2)), predicted_lddt(y1, y2)[:length].numpy()

    def _project(self, sequence: str) -> tuple[torch.Tensor, torch.Tensor]:
        tokens, mask = tokenise([sequence])
        extra = (0, PADDED - len(sequence))
        tokens = torch.nn.functional.pad(tokens, extra, value=0)
        mask = torch.nn.functional.pad(mask, extra, value=False)
        residues = self._encoder(tokens, mask)
        per_residue = self._head.per_residue(residues, mask)
        pooled = global_embedding(self._head, self._fold, residues, per_residue, mask)
        return per_residue[0], pooled[0]


def _doubles(wild: Protein) -> Iterator[VariantRequest]:
    """Double mutants without end, none twice for a long while."""
    rng = np.random.default_rng(0)
    row = 0
    while True:
        row += 1
        places = np.sort(rng.choice(len(wild), 2, replace=False))
        changes = []
        for place in places:
            letter = wild.sequence[place]
            changes.append(f"{letter}{place + 1}{rng.choice(list(STANDARD.replace(letter, '')))}")
        yield read_request(row, ":".join(changes), wild)


def _peak() -> float:
    """Peak resident memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
