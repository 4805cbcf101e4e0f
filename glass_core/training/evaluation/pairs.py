"""How good a model is on held-out rows, beside trivial baselines on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from glass_core.embedders.base import Embedder
from glass_core.embedders.compact_encoder import SECONDARY_STATES
from glass_core.metrics.agreement import spearman
from glass_core.models.evaluation import MODEL
from glass_core.models.heads.siamese import predicted_lddt, predicted_tm
from glass_core.models.predictor import SiamesePredictor
from glass_core.progress import Say
from glass_core.protein.alignment import GAP, blosum62_matrix, global_alignment
from glass_core.records import known_mean
from glass_core.training.data.candidates import BIN_EDGES, tm_bins
from glass_core.training.evaluation.statistics import (
    Vector,
    mean_of,
    rounded,
    weighted_correlation,
    weighted_spearman,
    welch,
    with_interval,
)

MOST_OF_EMPTIEST = 1.5
_DIGITS = 6
"""Scores are kept to so many decimals: below lies fp32 rounding, which correlates with chance."""
_TRAIN_SAMPLE, _SEED = 1500, 0
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Scored:
    """What one predictor says about the rows of a set: TM-scores and lDDT tracks."""

    tm: Vector
    lddt: list[Vector]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tm", np.round(self.tm, _DIGITS))
        object.__setattr__(self, "lddt", [np.round(t, _DIGITS) for t in self.lddt])


def model_scores(predictor: SiamesePredictor, rows: pd.DataFrame) -> Scored:
    """The model's own predictions for labelled pairs."""
    tm, lddt = [], []
    for start in range(0, len(rows), _BATCH):
        part = rows.iloc[start : start + _BATCH]
        projected = predictor.project([*part["reference"], *part["subject"]])
        half = len(part)
        for k, aligned in enumerate(part["aligned"]):
            pairs = np.asarray(aligned, dtype=int).reshape(-1, 2)
            reference, subject = projected[k], projected[half + k]
            tm.append(float(predicted_tm(reference.pooled, subject.pooled)))
            facing = reference.residues[pairs[:, 0]], subject.residues[pairs[:, 1]]
            lddt.append(predicted_lddt(*facing).double().numpy())
    return Scored(np.array(tm), lddt)


def headless_scores(embedder: Embedder, rows: pd.DataFrame) -> Scored:
    """Cosines of the embedder's own vectors, mean-pooled: what the head adds to."""
    tm, lddt = [], []
    for _, row in rows.iterrows():
        a, b = (e.residues for e in embedder.embed([row["reference"], row["subject"]]))
        tm.append(float(predicted_tm(a.mean(dim=0), b.mean(dim=0))))
        pairs = np.asarray(row["aligned"], dtype=int).reshape(-1, 2)
        lddt.append(predicted_lddt(a[pairs[:, 0]], b[pairs[:, 1]]).double().numpy())
    return Scored(np.array(tm), lddt)


@lru_cache(maxsize=10_000)
def similarity(reference: str, subject: str) -> tuple[float, float, float]:
    """Identity, BLOSUM62 similarity and coverage of a global alignment, all 0 to 1.

    Identity is by the shorter sequence; the similarity is the alignment's
    substitution score over that of the shorter sequence with itself; coverage
    is the aligned share of the longer one. Kept, since every set of near-identical
    pairs is compared with the same sample of training pairs.
    """
    matrix = blosum62_matrix()
    rows = global_alignment(reference, subject)
    columns = [(a, b) for a, b in zip(*rows, strict=True) if GAP not in (a, b)]
    shorter = min(reference, subject, key=len)
    own = sum(matrix[c, c] for c in shorter)
    score = sum(matrix[a, b] for a, b in columns)
    return (
        sum(a == b for a, b in columns) / len(shorter),
        float(np.clip(score / own, 0, 1)),
        len(columns) / max(len(reference), len(subject)),
    )


def similarities(rows: pd.DataFrame) -> Vector:
    """`similarity` of every row, shape=(n, 3)."""
    return np.array(
        [similarity(a, b) for a, b in zip(rows["reference"], rows["subject"], strict=True)]
    )


def baseline_scores(train: pd.DataFrame, rows: pd.DataFrame, asked: Vector) -> dict[str, Scored]:
    """Every baseline on `rows`, whose `similarities` are `asked`; the fitted ones see `train`."""
    train = train.sample(min(len(train), _TRAIN_SAMPLE), random_state=_SEED)
    seen = similarities(train)
    true_tm = train["tm"].to_numpy(dtype=float)
    true_lddt = np.array([known_mean(track) for track in train["lddt"]])
    usable = ~np.isnan(true_lddt)

    def flat(tm: Vector, lddt: Vector) -> Scored:
        return Scored(
            tm, [np.full(len(t), value) for t, value in zip(rows["lddt"], lddt, strict=True)]
        )

    ones = np.ones(len(rows))
    fit_tm = np.polyval(np.polyfit(seen[:, 0], true_tm, 1), asked[:, 0])
    fit_lddt = np.polyval(np.polyfit(seen[usable, 0], true_lddt[usable], 1), asked[:, 0])
    return {
        "training mean": flat(ones * true_tm.mean(), ones * float(true_lddt[usable].mean())),
        "constant 1": flat(ones, ones),
        "sequence identity": flat(asked[:, 0], asked[:, 0]),
        "fit on identity": flat(np.clip(fit_tm, 0, 1), np.clip(fit_lddt, 0, 1)),
        "BLOSUM62 similarity": flat(asked[:, 1], asked[:, 1]),
    }


def summarise(rows: pd.DataFrame, scored: Scored) -> dict[str, dict[str, float | None]]:
    """Each metric with its 95% interval."""
    true = rows["tm"].to_numpy(dtype=float)
    error, group = np.abs(scored.tm - true), rows["group"].to_numpy()
    track_error, track_rank = _track_figures(rows, scored)
    figures = {
        "tm_mae": with_interval(mean_of(error), group),
        "tm_pearson": with_interval(
            lambda i, w: weighted_correlation(scored.tm[i], true[i], w), group
        ),
        "tm_spearman": with_interval(
            lambda i, w: weighted_spearman(scored.tm[i], true[i], w), group
        ),
        "lddt_mae": with_interval(mean_of(track_error), group),
        "lddt_within_spearman": with_interval(mean_of(track_rank), group),
    }
    bins = tm_bins(true)
    for index, low in enumerate(BIN_EDGES):
        inside = np.flatnonzero(bins == index)
        if len(inside) and len(set(bins)) > 1:
            figures[f"tm_mae from {low}"] = with_interval(mean_of(error[inside]), group[inside])
    return figures


def about_equal(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` thinned to at most `MOST_OF_EMPTIEST` times the pairs of the emptiest bin each.

    Pairs below the first bin are left out. Chance alone would give little but
    pairs of unrelated chains.
    """
    bins = pd.Series(tm_bins(rows["tm"]), index=rows.index)
    bins = bins[bins >= 0]
    if bins.empty:
        return rows[:0]
    most = int(MOST_OF_EMPTIEST * bins.value_counts().min())
    kept = [part.sample(min(len(part), most), random_state=_SEED) for _, part in bins.groupby(bins)]
    return rows.loc[sorted(pd.concat(kept).index)]


def _track_figures(rows: pd.DataFrame, scored: Scored) -> tuple[Vector, Vector]:
    """Per row the mean lDDT error and the Spearman correlation along the chain."""
    tracks = [np.asarray(t, dtype=float) for t in rows["lddt"]]
    both = list(zip(scored.lddt, tracks, strict=True))
    error = np.array([known_mean(np.abs(p - t)) for p, t in both])
    rank = np.array([spearman(p, t) for p, t in both])
    return error, rank


def evaluate_pairs(
    predictor: SiamesePredictor, test: pd.DataFrame, train: pd.DataFrame, tell: Say
) -> dict[str, Any]:
    """Figures of every kind of pair, rearrangements apart, and the rows they come from."""
    records: dict[str, Any] = {}
    kinds = ["fold", *sorted(set(test["kind"]) - {"fold"})]
    sets = {kind: test[(test["kind"] == kind) & ~test["rearranged"]] for kind in kinds}
    sets["rearranged"] = test[test["rearranged"]]
    sets["fold"] = about_equal(sets["fold"])
    for name, rows in sets.items():
        if not len(rows):
            continue
        rows = rows.reset_index(drop=True)
        seen = train[((train["kind"] == "fold") == (name == "fold")) & ~train["rearranged"]]
        asked = similarities(rows)
        scores = {
            MODEL: model_scores(predictor, rows),
            "embedder without head": headless_scores(predictor.embedder, rows),
            **baseline_scores(seen if len(seen) else train, rows, asked),
        }
        group, true = rows["group"].to_numpy(), rows["tm"].to_numpy(dtype=float)
        own = np.abs(scores[MODEL].tm - true)
        track_error, _ = _track_figures(rows, scores[MODEL])
        records[name] = {
            "pairs": len(rows),
            "groups": int(rows["group"].nunique()),
            "figures": {who: summarise(rows, scored) for who, scored in scores.items()},
            "welch_p": {
                who: welch(own, np.abs(scored.tm - true), group)
                for who, scored in scores.items()
                if who != MODEL
            },
            "rows": {
                "group": [str(g) for g in group],
                "length": [len(s) for s in rows["reference"]],
                "identity": column(asked[:, 0]),
                "coverage": column(asked[:, 2]),
                "tm": column(true),
                "predicted_tm": column(scores[MODEL].tm),
                "lddt_error": column(track_error),
                "mean_lddt": column(np.array([known_mean(t) for t in rows["lddt"]])),
                "mean_predicted_lddt": column(
                    np.array([known_mean(t) for t in scores[MODEL].lddt])
                ),
            },
        }
        tell(f"{name}: {len(rows)} pairs")
    return records


def secondary_accuracy(embedder: Embedder, labelled: pd.DataFrame) -> dict[str, Any]:
    """3-state accuracy over labelled residues, and that of the commonest state."""
    right, counts = 0, np.zeros(len(SECONDARY_STATES))
    for sequence, label in zip(labelled["sequence"], labelled["secondary"], strict=True):
        guess = embedder.tell("secondary", sequence).argmax(-1).numpy()
        truth = np.array([SECONDARY_STATES.find(c) for c in label])
        right += int((guess[truth >= 0] == truth[truth >= 0]).sum())
        counts += np.bincount(truth[truth >= 0], minlength=len(counts))
    return {
        "accuracy": rounded(right / counts.sum()),
        "commonest_state": rounded(float(counts.max() / counts.sum())),
        "residues": int(counts.sum()),
        "proteins": len(labelled),
    }


def column(values: Vector) -> list[float | None]:
    return [rounded(float(v)) for v in values]
