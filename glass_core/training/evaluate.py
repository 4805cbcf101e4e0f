"""Held-out figures of the compact model beside trivial baselines, written into its card.

Statistics weight every split group once: a pair counts 1 / (pairs of its group).
Intervals are 95% percentile intervals of a bootstrap over groups.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from glass_core.alignment import GAP, global_alignment
from glass_core.embedders.compact import SECONDARY_STATES, CompactEmbedder, tokenise
from glass_core.models.card import CARD_FILE, ModelCard
from glass_core.models.checkpoint import load_head
from glass_core.models.siamese import SiameseTransformer
from glass_core.training.head import Pairs, forward_pairs
from glass_core.training.splits import leaking_sequences

Vector = NDArray[np.float64]
_RESAMPLES, _SEED = 1000, 0
_BATCH = 32
_DIGITS = 6
"""Scores are kept to so many decimals: below lies fp32 rounding, which correlates with chance."""


@dataclass(frozen=True, eq=False)
class Scored:
    """What one predictor says about the rows of a set: TM-scores and lDDT tracks."""

    tm: Vector
    lddt: list[Vector]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tm", np.round(self.tm, _DIGITS))
        object.__setattr__(self, "lddt", [np.round(t, _DIGITS) for t in self.lddt])


def weighted_correlation(x: Vector, y: Vector, weight: Vector) -> float:
    """Pearson correlation with weights; NaN when either is constant."""
    x, y = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
    scale = np.sqrt(np.average(x**2, weights=weight) * np.average(y**2, weights=weight))
    return float(np.average(x * y, weights=weight) / scale) if scale > 1e-12 else float("nan")


def within_spearman(predicted: Vector, true: Vector) -> float:
    """Spearman correlation along one protein; NaN when either is constant."""
    known = ~(np.isnan(predicted) | np.isnan(true))
    if known.sum() < 3 or np.ptp(predicted[known]) < 1e-9 or np.ptp(true[known]) < 1e-9:
        return float("nan")
    return float(spearmanr(predicted[known], true[known]).statistic)


def summarise(rows: pd.DataFrame, scored: Scored) -> dict[str, dict[str, float | None]]:
    """Each metric with its 95% interval."""
    true_tm = rows["tm"].to_numpy(dtype=float)
    tracks = [np.asarray(t, dtype=float) for t in rows["lddt"]]
    lddt_error = np.array([
        np.nanmean(np.abs(p - t)) if (~np.isnan(t)).any() else np.nan
        for p, t in zip(scored.lddt, tracks, strict=True)
    ])
    spearman = np.array([
        within_spearman(p, t) for p, t in zip(scored.lddt, tracks, strict=True)
    ])
    group = rows["group"].to_numpy()
    error = np.abs(scored.tm - true_tm)
    metrics: dict[str, Callable[[NDArray[np.int64], Vector], float]] = {
        "tm_mae": lambda i, w: _mean(error[i], w),
        "tm_pearson": lambda i, w: weighted_correlation(scored.tm[i], true_tm[i], w),
        "tm_spearman": lambda i, w: weighted_correlation(
            rankdata(scored.tm[i]), rankdata(true_tm[i]), w
        ),
        "lddt_mae": lambda i, w: _mean(lddt_error[i], w),
        "lddt_within_spearman": lambda i, w: _mean(spearman[i], w),
    }
    members = {g: np.flatnonzero(group == g) for g in np.unique(group)}
    weight = np.array([1 / len(members[g]) for g in group])
    whole = np.arange(len(rows))
    drawn = list(_resamples(list(members.values())))
    result: dict[str, dict[str, float | None]] = {}
    for name, metric in metrics.items():
        spread = np.array([metric(i, weight[i]) for i in drawn])
        spread = spread[~np.isnan(spread)]
        value = metric(whole, weight)
        result[name] = {
            "value": _rounded(value),
            "low": _rounded(np.quantile(spread, 0.025)) if len(spread) else None,
            "high": _rounded(np.quantile(spread, 0.975)) if len(spread) else None,
        }
    return result


def _resamples(groups: list[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(_SEED)
    for _ in range(_RESAMPLES):
        yield np.concatenate([groups[k] for k in rng.integers(len(groups), size=len(groups))])


def _mean(values: Vector, weight: Vector) -> float:
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    return float(np.average(values[known], weights=weight[known]))


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


@torch.inference_mode()
def model_scores(embedder: CompactEmbedder, head: SiameseTransformer, rows: pd.DataFrame) -> Scored:
    """The model's own predictions."""
    tm: list[float] = []
    lddt: list[Vector] = []
    for start in range(0, len(rows), _BATCH):
        part_tm, part_lddt = forward_pairs(
            embedder.encoder, head, rows.iloc[start : start + _BATCH]
        )
        tm += part_tm.tolist()
        lddt += [t.double().numpy() for t in part_lddt]
    return Scored(np.array(tm), lddt)


def headless_scores(embedder: CompactEmbedder, rows: pd.DataFrame) -> Scored:
    """Cosines of the encoder's own vectors, mean-pooled: what the head adds to."""
    tm, lddt = [], []
    for _, row in rows.iterrows():
        a, b = (e.residues.double().numpy()
                for e in embedder.embed([row["reference"], row["subject"]]))
        tm.append(_cosine(a.mean(axis=0)[None], b.mean(axis=0)[None])[0])
        pairs = np.asarray(row["aligned"], dtype=int).reshape(-1, 2)
        lddt.append(_cosine(a[pairs[:, 0]], b[pairs[:, 1]]))
    return Scored(np.array(tm), lddt)


def _cosine(a: Vector, b: Vector) -> Vector:
    return np.asarray(
        (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    )


def similarity(reference: str, subject: str) -> tuple[float, float]:
    """Identity and BLOSUM62 similarity of a global alignment, both 0 to 1.

    Identity is by the shorter sequence; the similarity is the alignment's
    substitution score over that of the shorter sequence with itself.
    """
    from Bio.Align import substitution_matrices

    matrix = substitution_matrices.load("BLOSUM62")
    rows = global_alignment(reference, subject)
    columns = [(a, b) for a, b in zip(*rows, strict=True) if GAP not in (a, b)]
    shorter = min(reference, subject, key=len)
    own = sum(matrix[c, c] for c in shorter)
    score = sum(matrix[a, b] for a, b in columns)
    return sum(a == b for a, b in columns) / len(shorter), float(np.clip(score / own, 0, 1))


def baseline_scores(train: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Scored]:
    """Every baseline on `rows`; the fitted ones see `train` only."""
    train = train.sample(min(len(train), 1500), random_state=_SEED)
    seen, asked = (
        np.array([similarity(a, b) for a, b in zip(t["reference"], t["subject"], strict=True)])
        for t in (train, rows)
    )
    true_tm = train["tm"].to_numpy(dtype=float)
    true_lddt = np.array([np.nanmean(np.asarray(t, dtype=float)) for t in train["lddt"]])
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


@torch.inference_mode()
def secondary_accuracy(embedder: CompactEmbedder, labelled: pd.DataFrame) -> dict[str, float]:
    """3-state accuracy over resolved residues, and that of the commonest state."""
    right = total = 0
    counts = np.zeros(len(SECONDARY_STATES))
    for _, row in labelled.iterrows():
        tokens, mask = tokenise([row["sequence"]])
        guess = embedder.encoder.secondary(embedder.encoder(tokens, mask))[0].argmax(-1).numpy()
        truth = np.array([SECONDARY_STATES.find(c) for c in row["label"]])
        known = (truth >= 0) & (np.array(list(row["resolved"])) == "1")
        right += int((guess[known] == truth[known]).sum())
        total += int(known.sum())
        counts += np.bincount(truth[known], minlength=len(counts))
    return {
        "accuracy": round(right / total, 4),
        "commonest_state": round(float(counts.max()) / total, 4),
        "residues": total, "proteins": len(labelled),
    }


def held_out(card: ModelCard, work: Path, data: Path) -> dict[str, Any]:
    """All held-out figures of the model at `card`."""
    embedder = CompactEmbedder.load(
        card.folder, card.content["encoder"], card.name, torch.device("cpu")
    )
    head = load_head(card)
    test = pd.read_parquet(work / "pairs-test.parquet")
    train = Pairs(pd.read_parquet(work / "pairs-train.parquet"), 512).table
    sets = {kind: test[(test["kind"] == kind) & ~test["rearranged"]] for kind in
            ("fold", "point_mutant", "model_wt_mutant", "homolog", "bound_unbound",
             "same_sequence")}
    sets["rearranged (over 10 Å)"] = test[test["rearranged"]]
    figures: dict[str, Any] = {}
    for name, rows in sets.items():
        if not len(rows):
            continue
        seen = train[(train["kind"] == "fold") == (name == "fold")]
        scores = {
            "model": model_scores(embedder, head, rows),
            "encoder without head": headless_scores(embedder, rows),
            **baseline_scores(seen, rows),
        }
        figures[name] = {
            "pairs": len(rows), "groups": int(rows["group"].nunique()),
            **{who: summarise(rows, scored) for who, scored in scores.items()},
        }
        click.echo(f"{name}: {len(rows)} pairs done", err=True)
    labelled = pd.read_parquet(data / "residue_labels/secondary_structure.parquet")
    kept = sorted(set(pd.read_parquet(work / "labelled.parquet")["sequence"]))
    left_out = labelled[~labelled["sequence"].isin(kept)]
    # Left out for resembling a held-out chain; some of them resemble training proteins too.
    related = leaking_sequences(kept, list(left_out["sequence"]), work / "mmseqs-secondary")
    left_out = left_out[[k not in related for k in range(len(left_out))]]
    figures["secondary structure"] = secondary_accuracy(embedder, left_out)
    return figures


@click.command()
@click.option("--model", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--work", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--threads", type=int, default=2)
def main(model: Path, work: Path, data: Path, threads: int) -> None:
    """Measure MODEL on the held-out sets and write the figures into its card."""
    torch.set_num_threads(threads)
    card = ModelCard.read(model)
    content = {**card.content, "held_out": held_out(card, work, data)}
    (model / CARD_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
