"""How well chains of the same fold are found and aligned, on held-out chains, beside others' ways.

Chains of one side are searched for among all chains but themselves. Whether two share a fold, and
which residues face each other, TM-align says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.metrics.tmalign import StructuralAlignment, tm_align
from glass_core.models.evaluation import BLOSUM, BY_ALIGNMENT, BY_VECTORS, COSINE, MEAN, MMSEQS
from glass_core.models.fold_chance import SAME_FOLD_TM, FoldChance, FoldChances
from glass_core.models.predictor import Predictor
from glass_core.models.vectors import unit_rows
from glass_core.progress import Say
from glass_core.protein.alignment import aligned_pairs, global_alignment
from glass_core.protein.sequence import NamedSequence
from glass_core.search.aligners import EmbeddingAligner, aligner_of
from glass_core.search.alignment import Alignment
from glass_core.search.database import Database
from glass_core.search.mmseqs import best_hits
from glass_core.search.neighbours import Aligner, Neighbour, search
from glass_core.training.evaluation.statistics import Vector, mean_of, rounded, with_interval
from glass_core.training.fold_chance import NearPairs, calibration_error

OF_A_GROUP = 2
"""Chains of each split group that are searched for: groups count once, whatever their size."""
NEAREST, OTHERS = 20, 10
"""Neighbours that are superposed of each search of ours, and of each one beside it."""
TM_BINS = ((0.5, 0.65), (0.65, 0.8), (0.8, 1.0))
MIDDLE = "0.5 to 0.8"
PAIRS_OF_A_BIN = 2
"""Pairs of each query whose alignments are compared, of each bin of TM-scores."""
_CONFIDENCE_EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
_EMBEDDED_TOGETHER = 500

Ranked = dict[str, list[int]]
"""Who -> rows of the chains that it finds, the best first."""


@dataclass(frozen=True, eq=False)
class Searched:
    """One chain, what each way of searching finds for it, and what is true of that."""

    row: int
    ranked: Ranked
    neighbours: Mapping[int, Neighbour]
    true: Mapping[int, StructuralAlignment]

    @property
    def has_relative(self) -> bool:
        """Whether any way finds a chain of the same fold."""
        return any(one.tm_score >= SAME_FOLD_TM for one in self.true.values())

    def first_is_right(self, who: str) -> float:
        """1 where the first hit shares the fold, 0 where it does not or nothing is found."""
        found = self.ranked[who]
        return float(bool(found) and self.true[found[0]].tm_score >= SAME_FOLD_TM)


def evaluate_search(
    predictor: Predictor,
    chains: pd.DataFrame,
    side: str,
    database: Database,
    chances: FoldChances | None,
    work: Path,
    tell: Say,
) -> dict[str, Any]:
    """Retrieval, alignment and calibration on the chains of one side.

    Parameters
    ----------
    chains : DataFrame
        As `training.data.chains.read_chains` gives it.
    database : Database
        Of all of them, see `training.fold_chance.chain_database`.
    work : Path
        Folder for the files of MMseqs2.

    Raises
    ------
    UnavailableError
        MMseqs2 is not installed.
    """
    rows, sequences = asked_rows(chains, side), list(chains["sequence"])
    hits = best_hits({row: sequences[row] for row in rows}, sequences, work, OTHERS)
    means, aligner = mean_vectors(predictor, sequences), aligner_of(predictor)
    searched = []
    for number, row in enumerate(rows, start=1):
        products = means @ means[row]
        products[row] = -np.inf
        beside = {MMSEQS: hits.get(row, []), MEAN: np.argsort(-products)[:OTHERS].tolist()}
        searched.append(searched_chain(predictor, aligner, chains, row, database, beside))
        if number % 50 == 0:
            tell(f"search: {number} of {len(rows)} chains")
    return search_figures(predictor, aligner, chains, searched, chances)


def asked_rows(chains: pd.DataFrame, side: str) -> list[int]:
    """Rows of the chains of one side that are searched for: the first ones of each group."""
    number = chains.groupby("group").cumcount()
    return np.flatnonzero((chains["side"] == side) & (number < OF_A_GROUP)).tolist()


def searched_chain(
    predictor: Predictor,
    aligner: Aligner,
    chains: pd.DataFrame,
    row: int,
    database: Database,
    beside: Ranked,
) -> Searched:
    """What is found for one chain, by us and `beside`, and what TM-align says of all that."""
    own, neighbours = _ranked(predictor, database, aligner, row, chains["sequence"].iloc[row])
    ranked = own | beside
    true = {other: _laid(chains, row, other) for some in ranked.values() for other in some}
    return Searched(row, ranked, neighbours, true)


def search_figures(
    predictor: Predictor,
    aligner: Aligner,
    chains: pd.DataFrame,
    searched: Sequence[Searched],
    chances: FoldChances | None,
) -> dict[str, Any]:
    """All figures of what was found."""
    groups = chains["group"].to_numpy()
    return {
        "chains": len(searched),
        "searched": len(chains) - 1,
        **retrieval(searched, groups),
        **calibration(searched, chances),
        **alignment_accuracy(predictor, aligner, searched, list(chains["sequence"]), groups),
    }


def mean_vectors(predictor: Predictor, sequences: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors of the mean embeddings, what all sequences share taken off."""
    made = []
    for begin in range(0, len(sequences), _EMBEDDED_TOGETHER):
        some = predictor.embedder.embed(sequences[begin : begin + _EMBEDDED_TOGETHER])
        made += [one.residues.float().mean(dim=0).cpu().numpy() for one in some]
    means = np.stack(made)
    return unit_rows(means - means.mean(axis=0))


def retrieval(searched: Sequence[Searched], groups: NDArray[Any]) -> dict[str, Any]:
    """How often the first hit shares the fold, of chains of which one is found at all."""
    asked = [one for one in searched if one.has_relative]
    group = groups[[one.row for one in asked]]
    right = {
        who: np.array([one.first_is_right(who) for one in asked])
        for who in (BY_ALIGNMENT, BY_VECTORS, MMSEQS, MEAN)
    }
    return {
        "queries": len(asked),
        "groups": len(set(group.tolist())),
        "figures": {
            who: {"first_hit": with_interval(mean_of(v), group)} for who, v in right.items()
        },
        "misses": {who: int((1 - values).sum()) for who, values in right.items()},
    }


def calibration(searched: Sequence[Searched], chances: FoldChances | None) -> dict[str, Any]:
    """How far the told chances are off, over tenths."""
    if chances is None:
        return {}
    told: dict[str, tuple[FoldChance | None, Callable[[Neighbour], float]]] = {
        BY_ALIGNMENT: (chances.alignment, _alignment_score),
        BY_VECTORS: (chances.tm_score, lambda one: one.tm_score),
    }
    errors = {}
    for who, (chance, score_of) in told.items():
        if chance is not None:
            near = [(one, other) for one in searched for other in one.ranked[who]]
            pairs = NearPairs(
                np.array([(one.row, other) for one, other in near]),
                np.array([score_of(one.neighbours[other]) for one, other in near]),
                np.array([one.true[other].tm_score for one, other in near]),
            )
            errors[who] = rounded(calibration_error(chance, pairs))
    return {"calibration_error": errors}


def alignment_accuracy(
    predictor: Predictor,
    aligner: Aligner,
    searched: Sequence[Searched],
    sequences: Sequence[str],
    groups: NDArray[Any],
) -> dict[str, Any]:
    """Share of TM-align's pairs that an alignment has, by TM-score, and how sure it may be."""
    cosine = EmbeddingAligner(predictor.embedder, predictor.typical_residue)
    recalls: dict[str, list[float]] = {BY_ALIGNMENT: [], COSINE: [], BLOSUM: []}
    tm, group, identity = [], [], []
    sure: list[NDArray[Any]] = []
    for one in searched:
        others = [other for low, high in TM_BINS for other in _of_bin(one, low, high)]
        query, targets = sequences[one.row], [sequences[other] for other in others]
        if not others:
            continue
        made = {BY_ALIGNMENT: aligner.align(query, targets), COSINE: cosine.align(query, targets)}
        for k, other in enumerate(others):
            true = {tuple(pair) for pair in one.true[other].pairs.tolist()}
            plain = aligned_pairs(*global_alignment(query, targets[k], free_ends=True))
            found = {who: some[k].pairs for who, some in made.items()} | {BLOSUM: plain}
            for who, pairs in found.items():
                recalls[who].append(_recall(pairs, true))
            tm.append(one.true[other].tm_score)
            identity.append(one.true[other].sequence_identity)
            group.append(groups[one.row])
            sure.append(_sure(made[BY_ALIGNMENT][k], true))
    values = {who: np.array(some) for who, some in recalls.items()}
    return {
        "alignments": _by_bin(values, np.array(tm), np.array(identity), np.array(group)),
        "confidence": _confidence_table(np.concatenate(sure)) if sure else [],
    }


def _ranked(
    predictor: Predictor, database: Database, aligner: Aligner, row: int, sequence: str
) -> tuple[Ranked, dict[int, Neighbour]]:
    """What our two ways find, itself left out, and it by row."""
    query = [NamedSequence(sequence, str(row))]
    ranked: Ranked = {}
    by_row: dict[int, Neighbour] = {}
    for who, ranks in ((BY_VECTORS, None), (BY_ALIGNMENT, aligner)):
        (found,) = search(query, database, predictor=predictor, top=NEAREST + 1, aligner=ranks)
        kept = [one for one in found if one.entry.id != str(row)][:NEAREST]
        ranked[who] = [int(one.entry.id) for one in kept]
        by_row |= {int(one.entry.id): one for one in kept}
    return ranked, by_row


def _laid(chains: pd.DataFrame, row: int, other: int) -> StructuralAlignment:
    first, second = chains.iloc[row], chains.iloc[other]
    return tm_align(first["ca"], second["ca"], first["sequence"], second["sequence"])


def _alignment_score(one: Neighbour) -> float:
    return 0.0 if one.alignment is None else one.alignment.normalised_score


def _of_bin(one: Searched, low: float, high: float) -> list[int]:
    """Some of the chains that were found, with a true TM-score in a bin."""
    inside = [other for other, laid in sorted(one.true.items()) if low <= laid.tm_score < high]
    rng = np.random.default_rng(one.row)
    return rng.permutation(inside)[:PAIRS_OF_A_BIN].tolist()


def _recall(pairs: NDArray[np.int64], true: set[tuple[int, ...]]) -> float:
    return sum(tuple(pair) in true for pair in pairs.tolist()) / max(len(true), 1)


def _sure(made: Alignment, true: set[tuple[int, ...]]) -> NDArray[np.float64]:
    """Confidence of each pair and whether TM-align has it, shape=(k, 2)."""
    right = [tuple(pair) in true for pair in made.pairs.tolist()]
    return np.stack([made.confidence, np.array(right, float)], axis=1)


def _by_bin(
    values: Mapping[str, Vector], tm: Vector, identity: Vector, group: NDArray[Any]
) -> list[dict[str, Any]]:
    """Figures of each bin of TM-scores, those from 0.5 to 0.8 together first."""
    bins = [(MIDDLE, 0.5, 0.8), *((f"{low} to {high}", low, high) for low, high in TM_BINS)]
    made = []
    for name, low, high in bins:
        inside = (tm >= low) & (tm < high)
        if not inside.any():
            continue
        made.append(
            {
                "tm": name,
                "pairs": int(inside.sum()),
                "identity": rounded(float(identity[inside].mean())),
                "recall": {
                    who: with_interval(mean_of(some[inside]), group[inside])
                    for who, some in values.items()
                },
                "gain": with_interval(
                    mean_of((values[BY_ALIGNMENT] - values[BLOSUM])[inside]), group[inside]
                ),
            }
        )
    return made


def _confidence_table(sure: NDArray[np.float64]) -> list[dict[str, Any]]:
    """How often pairs of a told confidence are TM-align's."""
    made = []
    for low, high in pairwise(_CONFIDENCE_EDGES):
        inside = (sure[:, 0] >= low) & ((sure[:, 0] < high) | (high == _CONFIDENCE_EDGES[-1]))
        if inside.any():
            made.append(
                {
                    "from": low,
                    "to": high,
                    "pairs": int(inside.sum()),
                    "right": rounded(float(sure[inside, 1].mean())),
                }
            )
    return made
