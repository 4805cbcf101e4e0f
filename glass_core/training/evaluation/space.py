"""How well a space holds sequences and structures together, and proteins of one fold, held out.

Figures are those of CLSS (Yanai et al., bioRxiv 2025): a sequence, or a stretch of it, finds its
structure among all held-out ones and back; the nearest neighbour has the same class; and how near
pairs lie that share their class down to some level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.errors import InputError
from glass_core.models.evaluation import MEAN, MMSEQS
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.space.base import Space
from glass_core.models.vectors import unit_rows
from glass_core.progress import Say
from glass_core.protein.fold_classes import LEVELS
from glass_core.search.mmseqs import best_hits
from glass_core.training.data.backbones import BackboneChain
from glass_core.training.evaluation.statistics import mean_of, rounded, with_interval
from glass_core.training.space import ranks

SEQUENCE, STRUCTURE, FOLD = "sequence tower", "structure tower", "fold head"
LENGTH = "length alone"
DIRECTIONS = ("sequence to structure", "structure to sequence")
STRETCH_LENGTHS = (10, 20, 50)
_NARROW_FIRST = LEVELS[::-1]
SCHEME = "CATH"
TOP = (1, 10)
_PAIRS = 20_000
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Matrix = NDArray[np.float32]


def evaluate_space(
    space: Space,
    predictor: SiamesePredictor,
    chains: Sequence[BackboneChain],
    folds: pd.DataFrame,
    side: str,
    work: Path,
    tell: Say,
    beside: Mapping[str, Space] | None = None,
) -> dict[str, Any]:
    """Retrieval, agreement of neighbours and distances, on the chains of one side.

    Parameters
    ----------
    predictor : SiamesePredictor
        Its mean embedding and its global vector are compared with.
    chains : sequence of BackboneChain
        Of all sides: neighbours are looked for among them.
    folds : DataFrame
        ``id``, ``scheme`` and `LEVELS`; chains of several domains have several rows.
    work : Path
        Folder for the files of MMseqs2.
    beside : mapping, optional
        What reads structures in another space -> that space, trained in the same way.

    Raises
    ------
    InputError
        No chain of that side.
    UnavailableError
        MMseqs2 is not installed.
    """
    held = np.flatnonzero([one.side == side for one in chains])
    if not len(held):
        raise InputError(f"there is no chain of the {side} side.")
    asked = [chains[row] for row in held.tolist()]
    tell(f"space: placing {len(chains):,} sequences and {len(asked):,} structures")
    placed = space.of_sequences([one.sequence for one in chains])
    structures = space.of_structures([one.backbone for one in asked])
    vectors = reference_vectors(predictor, [one.sequence for one in chains])
    groups = np.array([one.group for one in asked])
    return {
        "chains": len(asked),
        "groups": len(set(groups.tolist())),
        "retrieval": {
            **retrieved(placed[held], structures, asked, groups),
            **stretches_retrieved(space, structures, asked, groups),
            **_beside(beside or {}, asked, groups),
        },
        "neighbours": agreement(
            {SEQUENCE: placed, **vectors}, {STRUCTURE: structures}, chains, held, folds, work
        ),
        "distances": distances({SEQUENCE: placed[held], STRUCTURE: structures}, asked, folds),
    }


def _beside(
    others: Mapping[str, Space], chains: Sequence[BackboneChain], groups: NDArray[Any]
) -> dict[str, Any]:
    """Retrieval in spaces whose structures are read by something else."""
    found: dict[str, Any] = {}
    for name, other in others.items():
        told = retrieved(
            other.of_sequences([one.sequence for one in chains]),
            other.of_structures([one.backbone for one in chains]),
            chains,
            groups,
        )
        found |= {f"{what}, by {name}": told[what] for what in DIRECTIONS}
    return found


def reference_vectors(predictor: SiamesePredictor, sequences: Sequence[str]) -> dict[str, Matrix]:
    """The mean embedding, what all share taken off, and the global vector, of each sequence."""
    means, own = [], []
    for begin in range(0, len(sequences), 500):
        some = predictor.embedder.embed(sequences[begin : begin + 500])
        means += [one.residues.mean(dim=0).numpy() for one in some]
        own.append(predictor.vectors_of(some))
    centred = np.stack(means) - np.mean(means, axis=0)
    return {MEAN: unit_rows(centred), FOLD: np.concatenate(own)}


def retrieved(
    sequences: Matrix, structures: Matrix, chains: Sequence[BackboneChain], groups: NDArray[Any]
) -> dict[str, Any]:
    """Whole sequences find their structures, and back; beside ranking by length alone."""
    length = np.array([len(one.sequence) for one in chains], dtype=np.float32)
    closeness = -np.abs(length[:, None] - length)
    cosine = sequences @ structures.T
    return {
        DIRECTIONS[0]: _ranked(cosine, groups),
        DIRECTIONS[1]: _ranked(cosine.T, groups),
        LENGTH: _ranked(closeness, groups),
    }


def stretches_retrieved(
    space: Space, structures: Matrix, chains: Sequence[BackboneChain], groups: NDArray[Any]
) -> dict[str, Any]:
    """Random stretches of some lengths find the structures of their chains."""
    found = {}
    for length in STRETCH_LENGTHS:
        rows = [row for row, one in enumerate(chains) if len(one.sequence) >= length]
        cut = []
        for row in rows:
            sequence = chains[row].sequence
            rng = np.random.default_rng([length, row])
            start = int(rng.integers(len(sequence) - length + 1))
            cut.append(sequence[start : start + length])
        cosine = space.of_sequences(cut) @ structures.T
        found[f"{length} residues to structure"] = _ranked(cosine, groups[rows], rows)
    return found


def _ranked(
    cosine: Matrix, groups: NDArray[Any], own: Sequence[int] | None = None
) -> dict[str, Any]:
    """Shares found among the first, and the mean reciprocal rank; ties count half."""
    rank = ranks(cosine, own)
    values = {f"top {n}": (rank < n).astype(float) for n in TOP} | {"mrr": 1 / (rank + 1)}
    return {
        "among": cosine.shape[1],
        "plain": {name: rounded(float(v.mean())) for name, v in values.items()},
        **{name: with_interval(mean_of(v), groups) for name, v in values.items()},
    }


def agreement(
    searched: Mapping[str, Matrix],
    asked_only: Mapping[str, Matrix],
    chains: Sequence[BackboneChain],
    held: NDArray[np.int64],
    folds: pd.DataFrame,
    work: Path,
) -> dict[str, Any]:
    """How often the nearest other chain has the same class at each level, by each way.

    Sequences are looked for among all chains that have one class; structures among those that
    were placed. ``other families``: chains of the query's own family are passed over.
    """
    labels = labels_of(chains, folds)
    labelled = np.array([one is not None for one in labels])
    rows = held[labelled[held]]
    groups = np.array([chains[row].group for row in rows])
    families = np.array([one.family for one in chains])
    hits = best_hits(
        {int(row): chains[row].sequence for row in rows}, [c.sequence for c in chains], work, 100
    )
    found: dict[str, Any] = {}
    for name, others in (("all", False), ("other families", True)):
        ways: dict[str, Callable[[int], int | None]] = {
            who: _nearest(matrix, labelled, families, others) for who, matrix in searched.items()
        }
        place = {int(row): k for k, row in enumerate(held)}
        for who, matrix in asked_only.items():
            among = _nearest(matrix, labelled[held], families[held], others)
            ways[who] = _among(among, place, held)
        ways[MMSEQS] = _first_hit(hits, labelled, families, others)
        first = {who: [way(int(row)) for row in rows] for who, way in ways.items()}
        found[name] = {
            who: {
                level: with_interval(
                    mean_of(_same(labels, rows.tolist(), neighbours, level)), groups
                )
                for level in _NARROW_FIRST
            }
            for who, neighbours in first.items()
        }
    return {"queries": len(rows), "labelled": int(labelled.sum()), **found}


def labels_of(chains: Sequence[BackboneChain], folds: pd.DataFrame) -> list[pd.Series | None]:
    """The class of each chain; None of one that has none or several."""
    table = folds[folds["scheme"] == SCHEME]
    single = table.drop_duplicates("id", keep=False).set_index("id")
    return [single.loc[one.id] if one.id in single.index else None for one in chains]


def _nearest(
    matrix: Matrix, labelled: NDArray[np.bool_], families: NDArray[Any], others: bool
) -> Callable[[int], int | None]:
    def nearest(row: int) -> int | None:
        fit = labelled & (np.arange(len(matrix)) != row)
        if others:
            fit &= families != families[row]
        cosine = np.where(fit, matrix @ matrix[row], -np.inf)
        return int(cosine.argmax()) if fit.any() else None

    return nearest


def _among(
    way: Callable[[int], int | None], place: Mapping[int, int], held: NDArray[np.int64]
) -> Callable[[int], int | None]:
    def found(row: int) -> int | None:
        nearest = way(place[row])
        return None if nearest is None else int(held[nearest])

    return found


def _first_hit(
    hits: Mapping[int, Sequence[int]],
    labelled: NDArray[np.bool_],
    families: NDArray[Any],
    others: bool,
) -> Callable[[int], int | None]:
    def found(row: int) -> int | None:
        for hit in hits.get(row, ()):
            other = not others or families[hit] != families[row]
            if hit != row and labelled[hit] and other:
                return int(hit)
        return None

    return found


def _same(
    labels: Sequence[pd.Series | None],
    rows: Sequence[int],
    neighbours: Sequence[int | None],
    level: str,
) -> NDArray[np.float64]:
    """1 where a neighbour has the query's class, 0 where not or where there is none."""
    found = []
    for row, other in zip(rows, neighbours, strict=True):
        own, its = labels[row], None if other is None else labels[other]
        found.append(own is not None and its is not None and own[level] == its[level])
    return np.array(found, dtype=float)


def distances(
    placed: Mapping[str, Matrix], chains: Sequence[BackboneChain], folds: pd.DataFrame
) -> dict[str, Any]:
    """Quantiles of cosines of pairs of two families, by the narrowest level that both share."""
    labels = labels_of(chains, folds)
    rows = np.array([row for row, one in enumerate(labels) if one is not None])
    rng = np.random.default_rng(0)
    first, second = rng.choice(rows, (2, _PAIRS)) if len(rows) else np.empty((2, 0), int)
    kinds = [
        _shared(labels[a], labels[b]) if chains[a].family != chains[b].family else ""
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    found: dict[str, Any] = {"quantiles": list(_QUANTILES)}
    for kind in (*_NARROW_FIRST, "none"):
        some = np.array([one == kind for one in kinds], dtype=bool)
        if some.any():
            found[kind] = {"pairs": int(some.sum())}
            for who, matrix in placed.items():
                cosine = (matrix[first[some]] * matrix[second[some]]).sum(axis=1)
                found[kind][who] = [rounded(float(q)) for q in np.quantile(cosine, _QUANTILES)]
    return found


def _shared(one: pd.Series | None, other: pd.Series | None) -> str:
    """The narrowest level that two classes share; ``none`` where that is none."""
    if one is None or other is None:
        return ""
    return next((level for level in _NARROW_FIRST if one[level] == other[level]), "none")
