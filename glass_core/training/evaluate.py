"""How good a model is on held-out rows, beside trivial baselines on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from glass_core.alignment import GAP, blosum62_matrix, global_alignment
from glass_core.embedders.base import Embedder
from glass_core.embedders.compact import SECONDARY_STATES, CompactEmbedder
from glass_core.metrics.agreement import auroc, spearman
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.siamese import predicted_lddt, predicted_tm
from glass_core.sequence import STANDARD
from glass_core.training.candidates import BIN_EDGES, tm_bin
from glass_core.training.effects import Assay
from glass_core.training.statistics import (
    Vector,
    calibration_error,
    mean_of,
    rounded,
    weighted_correlation,
    weighted_spearman,
    welch,
    with_interval,
)

MODEL = "model"
Tell = Callable[[str], None]
MOST_OF_EMPTIEST = 1.5
_DIGITS = 6
"""Scores are kept to so many decimals: below lies fp32 rounding, which correlates with chance."""
_TRAIN_SAMPLE, _SEED = 1500, 0
_BATCH = 64

HYDROPATHY = dict(zip(
    "ARNDCQEGHILKMFPSTWYV",
    (1.8, -4.5, -3.5, -3.5, 2.5, -3.5, -3.5, -0.4, -3.2, 4.5, 3.8, -3.9, 1.9, 2.8, -1.6, -0.8,
     -0.7, -0.9, -1.3, 4.2),
    strict=True,
))
"""Kyte & Doolittle, J. Mol. Biol. 157, 105 (1982)."""


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
        made = predictor.project([*part["reference"], *part["subject"]])
        half = len(part)
        for k, aligned in enumerate(part["aligned"]):
            pairs = np.asarray(aligned, dtype=int).reshape(-1, 2)
            (y1, z1), (y2, z2) = made[k], made[half + k]
            tm.append(float(predicted_tm(z1, z2)))
            lddt.append(predicted_lddt(y1[pairs[:, 0]], y2[pairs[:, 1]]).double().numpy())
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
        sum(a == b for a, b in columns) / len(shorter), float(np.clip(score / own, 0, 1)),
        len(columns) / max(len(reference), len(subject)),
    )


def similarities(rows: pd.DataFrame) -> Vector:
    """`similarity` of every row, shape=(n, 3)."""
    return np.array([
        similarity(a, b) for a, b in zip(rows["reference"], rows["subject"], strict=True)
    ])


def baseline_scores(train: pd.DataFrame, rows: pd.DataFrame, asked: Vector) -> dict[str, Scored]:
    """Every baseline on `rows`, whose `similarities` are `asked`; the fitted ones see `train`."""
    train = train.sample(min(len(train), _TRAIN_SAMPLE), random_state=_SEED)
    seen = similarities(train)
    true_tm = train["tm"].to_numpy(dtype=float)
    true_lddt = np.array([
        np.nanmean(t) if not np.isnan(t := np.asarray(track, dtype=float)).all() else np.nan
        for track in train["lddt"]
    ])
    usable = ~np.isnan(true_lddt)

    def flat(tm: Vector, lddt: Vector) -> Scored:
        return Scored(tm, [
            np.full(len(t), value) for t, value in zip(rows["lddt"], lddt, strict=True)
        ])

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
    bins = np.array([-1 if (b := tm_bin(t)) is None else b for t in true])
    for index, low in enumerate(BIN_EDGES):
        inside = np.flatnonzero(bins == index)
        if len(inside) and len(set(bins)) > 1:
            figures[f"tm_mae from {low}"] = with_interval(
                mean_of(error[inside]), group[inside]
            )
    return figures


def about_equal(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` thinned to at most `MOST_OF_EMPTIEST` times the pairs of the emptiest bin each.

    Pairs below the first bin are left out. Chance alone would give little but
    pairs of unrelated chains.
    """
    bins = pd.Series([tm_bin(t) for t in rows["tm"]], index=rows.index).dropna()
    most = int(MOST_OF_EMPTIEST * bins.value_counts().min())
    kept = [part.sample(min(len(part), most), random_state=_SEED) for _, part in bins.groupby(bins)]
    return rows.loc[sorted(pd.concat(kept).index)]


def _track_figures(rows: pd.DataFrame, scored: Scored) -> tuple[Vector, Vector]:
    """Per row the mean lDDT error and the Spearman correlation along the chain."""
    tracks = [np.asarray(t, dtype=float) for t in rows["lddt"]]
    error = np.array([
        np.nanmean(np.abs(p - t)) if (~np.isnan(t)).any() else np.nan
        for p, t in zip(scored.lddt, tracks, strict=True)
    ])
    rank = np.array([spearman(p, t) for p, t in zip(scored.lddt, tracks, strict=True)])
    return error, rank


def evaluate_pairs(
    predictor: SiamesePredictor, test: pd.DataFrame, train: pd.DataFrame, tell: Tell
) -> dict[str, Any]:
    """Figures of every kind of pair, rearrangements apart, and the rows they come from."""
    found: dict[str, Any] = {}
    kinds = ["fold", *sorted(set(test["kind"]) - {"fold"})]
    sets = {kind: test[(test["kind"] == kind) & ~test["rearranged"]] for kind in kinds}
    sets["rearranged"] = test[test["rearranged"]]
    if len(sets["fold"]):
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
        found[name] = {
            "pairs": len(rows),
            "groups": int(rows["group"].nunique()),
            "figures": {who: summarise(rows, scored) for who, scored in scores.items()},
            "welch_p": {
                who: welch(own, np.abs(scored.tm - true), group)
                for who, scored in scores.items() if who != MODEL
            },
            "rows": {
                "group": [str(g) for g in group],
                "length": [len(s) for s in rows["reference"]],
                "identity": _column(asked[:, 0]), "coverage": _column(asked[:, 2]),
                "tm": _column(true), "predicted_tm": _column(scores[MODEL].tm),
                "lddt_error": _column(track_error),
                "mean_lddt": _column(np.array([_nan_mean(t) for t in rows["lddt"]])),
                "mean_predicted_lddt": _column(
                    np.array([_nan_mean(t) for t in scores[MODEL].lddt])
                ),
            },
        }
        tell(f"{name}: {len(rows)} pairs")
    return found


def effect_baselines(assay: Assay, embedder: Embedder) -> dict[str, Vector]:
    """Scores of each variant by trivial means, higher = more damaging."""
    matrix = blosum62_matrix()
    wild = [assay.sequence[i] for i in assay.index]
    mutant = [STANDARD[k] for k in assay.letter]
    nothing = float("nan")
    scores = {
        "BLOSUM62": np.array([-matrix[a, b] for a, b in zip(wild, mutant, strict=True)]),
        "hydrophobicity change": np.array([
            abs(HYDROPATHY.get(a, nothing) - HYDROPATHY[b])
            for a, b in zip(wild, mutant, strict=True)
        ]),
    }
    if isinstance(embedder, CompactEmbedder):
        logits = embedder.tell("letters", assay.sequence).numpy()
        scores["encoder's letters"] = np.array([
            logits[i, STANDARD.find(a)] - logits[i, k] if a in STANDARD else nothing
            for i, a, k in zip(assay.index, wild, assay.letter, strict=True)
        ])
    return scores


def evaluate_effects(
    predictor: SiamesePredictor, assays: Sequence[Assay], tell: Tell
) -> dict[str, Any]:
    """Spearman of every measured assay, AUROC and calibration of clinical labels."""
    measured: dict[str, list[dict[str, Any]]] = {}
    labels: dict[str, list[Vector]] = {}
    for assay in assays:
        table = predictor.effects(assay.sequence)
        if table is None:
            return {}
        scores = {MODEL: table.score[assay.index, assay.letter],
                  **effect_baselines(assay, predictor.embedder)}
        if assay.kind == "clinical":
            n = len(assay.value)
            scores[MODEL] = table.probability[assay.index, assay.letter]
            for name, values in {**scores, "label": assay.value,
                                 "group": np.array([assay.group] * n)}.items():
                labels.setdefault(name, []).append(np.asarray(values))
        else:
            measured.setdefault(assay.kind, []).append({
                "assay": assay.name, "group": assay.group, "length": len(assay.sequence),
                "variants": len(assay.value),
                "spearman": {
                    who: rounded(spearman(np.asarray(s, dtype=float), assay.value.astype(float)))
                    for who, s in scores.items()
                },
            })
    found: dict[str, Any] = {}
    for kind, rows in measured.items():
        group = np.array([r["group"] for r in rows])
        found[kind] = {
            "assays": len(rows), "groups": len(set(group)), "rows": rows,
            "figures": {
                who: {
                    "spearman": with_interval(mean_of(_numbers(rows, who)), group),
                    "mean_over_assays": rounded(_nan_mean(_numbers(rows, who))),
                }
                for who in rows[0]["spearman"]
            },
        }
        tell(f"{kind}: {len(rows)} assays")
    if labels:
        columns = {name: np.concatenate(parts) for name, parts in labels.items()}
        found["clinical"] = _clinical(columns)
        tell(f"clinical: {len(columns['label'])} labels")
    return found


def _clinical(columns: dict[str, Any]) -> dict[str, Any]:
    label, group = columns["label"].astype(float), columns["group"]
    scores = {n: v.astype(float) for n, v in columns.items() if n not in ("label", "group")}
    known = ~np.any([np.isnan(v) for v in scores.values()], axis=0)
    label, group = label[known], group[known]
    scores = {n: v[known] for n, v in scores.items()}
    members = {g: np.flatnonzero(group == g) for g in np.unique(group)}
    rng = np.random.default_rng(_SEED)
    draws = [
        np.concatenate([members[g] for g in rng.choice(list(members), len(members))])
        for _ in range(500)
    ]

    def interval(
        metric: Callable[[Vector, Vector], float], values: Vector
    ) -> dict[str, float | None]:
        spread = np.array([metric(values[rows], label[rows]) for rows in draws])
        return {"value": rounded(metric(values, label)),
                "low": rounded(float(np.nanquantile(spread, 0.025))),
                "high": rounded(float(np.nanquantile(spread, 0.975)))}

    chance = scores[MODEL]
    return {
        "labels": len(label), "groups": len(members), "damaging": int(label.sum()),
        "figures": {
            who: {"auroc": interval(auroc, values)}
            for who, values in scores.items()
        },
        "calibration_error": interval(calibration_error, chance),
        "rows": {"probability": _column(chance), "label": [int(v) for v in label],
                 "BLOSUM62": _column(scores["BLOSUM62"])},
    }


def secondary_accuracy(embedder: CompactEmbedder, labelled: pd.DataFrame) -> dict[str, Any]:
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
        "residues": int(counts.sum()), "proteins": len(labelled),
    }


def _numbers(rows: Sequence[dict[str, Any]], who: str) -> Vector:
    return np.array([np.nan if (v := r["spearman"][who]) is None else v for r in rows])


def _nan_mean(values: Any) -> float:
    array = np.asarray(values, dtype=float)
    return float("nan") if np.isnan(array).all() else float(np.nanmean(array))


def _column(values: Vector) -> list[float | None]:
    return [rounded(float(v)) for v in values]

