"""Tables, figures and words on how good a model is, drawn from its evaluation records."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from glass_core.models.evaluation import Evaluation, Figure
from glass_core.report import style

MODEL = "model"
SET_NAMES = {
    "fold": "fold pairs (different proteins)",
    "point_mutant": "point mutants, two crystals",
    "model_wt_mutant": "mutants, one side modelled",
    "af_wt_mutant": "mutants, both AlphaFold",
    "homolog": "90% identical and more",
    "bound_unbound": "bound and unbound",
    "same_sequence": "same sequence solved twice: the experimental noise",
    "rearranged": "rearrangements over 10 Å",
    "stability": "stability (mega-scale)",
    "scan": "deep mutational scans",
    "ddg": "classical stability",
    "clinical": "clinical labels",
    "secondary structure": "secondary structure",
}
PUBLISHED = {
    "TM-Vec set": {"TM MAE": 0.0741, "lDDT MAE": 0.0788},
    "VIPUR set": {"TM MAE": 0.0583, "lDDT MAE": 0.0038},
}
"""bioRxiv 2025.10.27.684815; other sets and another embedder than the ones shown here."""
_INTERVALS = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0001))
_LAYOUT = {"margin": {"l": 55, "r": 15, "t": 45, "b": 45}, "height": 340, "font": {"size": 13}}


def pair_table(records: Mapping[str, Evaluation]) -> pd.DataFrame:
    """Every set of pairs: the model's figures beside the best and the constant baseline."""
    rows = []
    for record in _of_kind(records, "pairs"):
        best = best_baseline(record)
        rows.append(
            {
                "set": SET_NAMES.get(record.set, record.set),
                "pairs (groups)": f"{record.content['pairs']} ({record.content['groups']})",
                "TM MAE": str(record.figure(MODEL, "tm_mae")),
                "best baseline": f"{best}: {record.figure(best, 'tm_mae')}",
                "constant 1": str(record.figure("constant 1", "tm_mae")),
                "Welch p": _number(record.content["welch_p"].get(best), 4),
                "Spearman": str(record.figure(MODEL, "tm_spearman")),
                "lDDT MAE": str(record.figure(MODEL, "lddt_mae")),
                "lDDT of constant 1": str(record.figure("constant 1", "lddt_mae")),
                "lDDT Spearman in a protein": str(record.figure(MODEL, "lddt_within_spearman")),
            }
        )
    return pd.DataFrame(rows)


def best_baseline(record: Evaluation) -> str:
    """The baseline with the lowest TM error on these rows."""
    return min(
        (who for who in record.content["figures"] if who != MODEL),
        key=lambda who: record.content["figures"][who]["tm_mae"]["value"],
    )


def effect_table(records: Mapping[str, Evaluation]) -> pd.DataFrame:
    """Every set of variant effects: Spearman or AUROC of the model and of the baselines."""
    rows = []
    for record in _of_kind(records, "effects"):
        for who in record.content["figures"]:
            rows.append(
                {
                    "set": SET_NAMES.get(record.set, record.set),
                    "predictor": who,
                    "figure": "Spearman, mean over groups",
                    "n": f"{record.content['assays']} assays ({record.content['groups']} groups)",
                    "value (95% interval)": str(record.figure(who, "spearman")),
                    "mean over assays": _number(
                        record.content["figures"][who]["mean_over_assays"], 3
                    ),
                }
            )
    for record in _of_kind(records, "clinical"):
        for who in record.content["figures"]:
            rows.append(
                {
                    "set": SET_NAMES["clinical"],
                    "predictor": who,
                    "figure": "AUROC",
                    "n": f"{record.content['labels']} labels ({record.content['groups']} groups)",
                    "value (95% interval)": str(record.figure(who, "auroc")),
                    "mean over assays": "",
                }
            )
    for record in [*_of_kind(records, "effects"), *_of_kind(records, "clinical")]:
        sampled = record.content.get("sampled", {})
        figure = "auroc" if record.kind == "clinical" else "spearman"
        for who, found in sampled.get("figures", {}).items():
            rows.append(
                {
                    "set": SET_NAMES.get(record.set, record.set),
                    "predictor": who,
                    "figure": "AUROC" if figure == "auroc" else "Spearman, mean over groups",
                    "n": f"a sample of {sampled['labels']} labels"
                    if "labels" in sampled
                    else f"a sample of {sampled['most_per_assay']} per assay",
                    "value (95% interval)": str(Figure(**found[figure])),
                    "mean over assays": "",
                }
            )
    return pd.DataFrame(rows)


def published_table() -> pd.DataFrame:
    """The paper's own figures, on its own sets."""
    return pd.DataFrame(
        [
            {"set of the paper": name, **{k: f"{v:.4f}" for k, v in figures.items()}}
            for name, figures in PUBLISHED.items()
        ]
    )


def error_histograms(record: Evaluation) -> go.Figure:
    """The paper's Figure 4 for our set: TM errors and mean lDDT errors of the model."""
    rows = record.content["rows"]
    figure = go.Figure()
    for values, name, colour in (
        (np.abs(_track(rows["predicted_tm"]) - _track(rows["tm"])), "TM error", style.PREDICTED),
        (_track(rows["lddt_error"]), "mean lDDT error", style.MEASURED),
    ):
        figure.add_trace(
            go.Histogram(
                x=values[~np.isnan(values)],
                name=name,
                opacity=0.65,
                marker_color=colour,
                xbins={"start": 0, "size": 0.02},
            )
        )
    return _finish(figure, "Errors", "absolute error", "pairs").update_layout(barmode="overlay")


def boxes_by_tm(record: Evaluation) -> go.Figure:
    """The paper's Figure 5 for our set: predicted against measured TM-score by interval."""
    rows = record.content["rows"]
    true, predicted = _track(rows["tm"]), _track(rows["predicted_tm"])
    figure = go.Figure()
    for low, high in _INTERVALS:
        inside = (true >= low) & (true < high)
        if inside.any():
            figure.add_trace(
                go.Box(
                    y=predicted[inside],
                    name=f"{low:.1f} to {min(high, 1.0):.1f} (n {inside.sum()})",
                    marker_color=style.PREDICTED,
                    boxpoints="outliers",
                    showlegend=False,
                )
            )
    return _finish(figure, "Predicted TM-score by measured", "measured TM-score", "predicted")


def errors_by_tm(record: Evaluation) -> go.Figure:
    """The paper's Figure 6 for our set: TM error by interval of the measured TM-score."""
    rows = record.content["rows"]
    true = _track(rows["tm"])
    error = np.abs(_track(rows["predicted_tm"]) - true)
    figure = go.Figure()
    for low, high in _INTERVALS:
        inside = (true >= low) & (true < high)
        if inside.any():
            figure.add_trace(
                go.Box(
                    y=error[inside],
                    name=f"{low:.1f} to {min(high, 1.0):.1f}",
                    marker_color=style.MEASURED,
                    boxpoints=False,
                    showlegend=False,
                )
            )
    return _finish(figure, "TM error by measured TM-score", "measured TM-score", "error")


def error_against(record: Evaluation, what: str) -> go.Figure:
    """TM error against ``length``, ``identity`` or ``coverage``, with a running median."""
    rows = record.content["rows"]
    x = _track(rows[what])
    error = np.abs(_track(rows["predicted_tm"]) - _track(rows["tm"]))
    figure = go.Figure(
        go.Scattergl(
            x=x,
            y=error,
            mode="markers",
            name="pair",
            marker={"size": 4, "color": style.PREDICTED, "opacity": 0.4},
        )
    )
    edges = np.unique(np.quantile(x, np.linspace(0, 1, 9)))
    middle, median = [], []
    for low, high in pairwise(edges):
        inside = (x >= low) & (x <= high)
        if inside.any():
            middle.append(float(np.median(x[inside])))
            median.append(float(np.median(error[inside])))
    figure.add_trace(
        go.Scatter(
            x=middle,
            y=median,
            mode="lines+markers",
            name="median",
            line={"color": style.MEASURED, "width": 2},
        )
    )
    return _finish(figure, f"TM error by {what}", what, "TM error")


def assay_bars(record: Evaluation) -> go.Figure:
    """Spearman of every assay, the model beside BLOSUM62."""
    rows = sorted(record.content["rows"], key=lambda r: _value(r["spearman"][MODEL]))
    names = [r["assay"].removeprefix("Tsuboyama2022_dG_") for r in rows]
    figure = go.Figure()
    for who, colour in ((MODEL, style.PREDICTED), ("BLOSUM62", style.FLOOR)):
        figure.add_trace(
            go.Scatter(
                x=[r["spearman"][who] for r in rows],
                y=names,
                mode="markers",
                name=who,
                marker={"color": colour, "size": 8},
            )
        )
    figure = _finish(figure, "Spearman by assay", "Spearman", "")
    return figure.update_layout(height=max(340, 18 * len(rows) + 90))


def roc_curve(record: Evaluation) -> go.Figure:
    """ROC of the clinical labels: the model's probability and BLOSUM62."""
    rows = record.content["rows"]
    label = np.array(rows["label"], dtype=float)
    figure = go.Figure()
    for name, scores, colour in (
        (MODEL, _track(rows["probability"]), style.PREDICTED),
        ("BLOSUM62", _track(rows["BLOSUM62"]), style.FLOOR),
    ):
        order = np.argsort(-scores, kind="stable")
        hits, misses = np.cumsum(label[order]), np.cumsum(1 - label[order])
        last = np.append(np.diff(scores[order]) != 0, True)
        figure.add_trace(
            go.Scatter(
                x=np.append(0, misses[last] / misses[-1]),
                y=np.append(0, hits[last] / hits[-1]),
                mode="lines",
                name=f"{name}, AUROC {record.figure(name, 'auroc').value:.3f}",
                line={"color": colour, "width": 2},
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            name="chance",
            line={"color": style.FLOOR, "dash": "dot", "width": 1},
        )
    )
    return _finish(figure, "ROC on clinical labels", "false positive rate", "true positive rate")


def calibration_curve(record: Evaluation, bins: int = 10) -> go.Figure:
    """How often a label is 'damaging' among variants given each probability."""
    rows = record.content["rows"]
    chance, label = _track(rows["probability"]), np.array(rows["label"], dtype=float)
    index = np.minimum((chance * bins).astype(int), bins - 1)
    told, seen, count = [], [], []
    for b in range(bins):
        inside = index == b
        if inside.any():
            told.append(float(chance[inside].mean()))
            seen.append(float(label[inside].mean()))
            count.append(int(inside.sum()))
    figure = go.Figure(
        [
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                mode="lines",
                name="perfect",
                line={"color": style.FLOOR, "dash": "dot", "width": 1},
            ),
            go.Scatter(
                x=told,
                y=seen,
                mode="lines+markers",
                name=MODEL,
                customdata=count,
                line={"color": style.PREDICTED, "width": 2},
                hovertemplate="predicted %{x:.2f}, seen %{y:.2f}, n %{customdata}",
            ),
        ]
    )
    return _finish(figure, "Calibration", "predicted probability", "share labelled damaging")


def can_and_cannot(records: Mapping[str, Evaluation]) -> tuple[str, ...]:
    """What the model can and cannot tell, in words that follow from its figures."""
    sentences = []
    if "fold" in records:
        fold = records["fold"]
        own, best = fold.figure(MODEL, "tm_mae"), best_baseline(fold)
        trivial = fold.figure(best, "tm_mae")
        verb = _compared(own.high, own.low, trivial.value)
        sentences.append(
            f"Between different proteins its TM-score is off by {own.value:.3f} on average, "
            f"{verb} the best trivial baseline ({best}, {trivial.value:.3f}); it ranks pairs with "
            f"Spearman {fold.figure(MODEL, 'tm_spearman').value:.2f}."
        )
    if "point_mutant" in records:
        mutants = records["point_mutant"]
        own, constant = (mutants.figure(w, "tm_mae") for w in (MODEL, "constant 1"))
        rank = mutants.figure(MODEL, "lddt_within_spearman")
        verb = _compared(own.high, own.low, constant.value)
        tells = "points to" if rank.low is not None and rank.low > 0 else "does not reliably show"
        sentences.append(
            f"For point mutants its TM error is {own.value:.3f}, {verb} saying that nothing changes"
            f" ({constant.value:.3f}), and its lDDT {tells} the residues that move (Spearman "
            f"{rank})."
        )
    if "point_mutant" in records and "same_sequence" in records:
        noise = records["same_sequence"].figure("constant 1", "tm_mae").value
        moved = records["point_mutant"].figure("constant 1", "tm_mae").value
        sentences.append(
            "The same sequence solved twice differs by "
            f"{noise:.3f} in TM-score, point mutants by {moved:.3f}: most single substitutions "
            "move the backbone no more than a second crystal does, so no model could do much "
            "better here."
        )
    for name, words in (("stability", "unseen domains"), ("scan", "scans of unseen proteins")):
        if name in records:
            own, blosum = (records[name].figure(w, "spearman") for w in (MODEL, "BLOSUM62"))
            sentences.append(
                f"Its effect score ranks substitutions of {words} with Spearman {own} "
                f"(BLOSUM62 {blosum})."
            )
    if "clinical" in records:
        clinical = records["clinical"]
        error = clinical.content["calibration_error"]["value"]
        sentences.append(
            f"Its probability separates clinical labels of unseen proteins with AUROC "
            f"{clinical.figure(MODEL, 'auroc')} (BLOSUM62 {clinical.figure('BLOSUM62', 'auroc')}) "
            f"and is off by {error:.3f} on average. It holds for a mix of labels as in that set "
            "and is no diagnosis."
        )
    sentences.append("TM-score and lDDT are symmetric: they cannot tell a gain from a loss.")
    return tuple(sentences)


def _compared(high: float | None, low: float | None, other: float | None) -> str:
    if high is None or low is None or other is None:
        return "to be compared with"
    return "better than" if high < other else "worse than" if low > other else "no different from"


def _of_kind(records: Mapping[str, Evaluation], kind: str) -> list[Evaluation]:
    order = list(SET_NAMES)
    chosen = [r for r in records.values() if r.kind == kind]
    return sorted(chosen, key=lambda r: order.index(r.set) if r.set in order else len(order))


def _finish(figure: go.Figure, title: str, x: str, y: str) -> go.Figure:
    figure.update_layout(title=title, legend={"orientation": "h", "y": -0.22, "x": 0}, **_LAYOUT)
    figure.update_xaxes(title_text=x, gridcolor="rgba(128,128,128,0.25)", zeroline=False)
    figure.update_yaxes(title_text=y, gridcolor="rgba(128,128,128,0.25)", zeroline=False)
    return figure


def _track(values: list[Any]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def _value(value: float | None) -> float:
    return -2.0 if value is None else value


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def ranking_quality(records: Mapping[str, Evaluation], score: str) -> list[str]:
    """How well one of the screen's scores ranks variants of unseen proteins, in sentences."""
    own = {
        "tm_deficit": "predicted TM deficit",
        "lddt_deficit": "predicted lDDT deficit",
        "blosum62": "BLOSUM62",
    }.get(score, MODEL)
    sampled = own not in (MODEL, "BLOSUM62")
    parts = []
    for name, figure, words in (
        ("clinical", "auroc", "AUROC {} on clinical labels"),
        ("scan", "spearman", "Spearman {} in mutational scans"),
        ("stability", "spearman", "{} for stability"),
    ):
        if name not in records:
            continue
        content = records[name].content
        figures = (content.get("sampled", {}) if sampled else content).get("figures", {})
        value = figures.get(own, {}).get(figure, {}).get("value")
        beside = figures.get("BLOSUM62", {}).get(figure, {}).get("value")
        if value is not None:
            told = words.format(f"{value:.2f}")
            parts.append(
                told if own == "BLOSUM62" or beside is None else f"{told} (BLOSUM62 {beside:.2f})"
            )
    if not parts:
        return [
            "How well this score ranks variants of unseen proteins is not recorded for this model."
        ]
    return [
        f"On proteins not seen in training: {', '.join(parts)}"
        + (", on a sample of variants." if sampled else ".")
    ]
