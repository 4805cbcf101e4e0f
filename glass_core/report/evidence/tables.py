"""Tables on how good a model is, made of its evaluation records."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from glass_core.models.evaluation import MODEL, Evaluation, Figure

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


def _of_kind(records: Mapping[str, Evaluation], kind: str) -> list[Evaluation]:
    order = list(SET_NAMES)
    chosen = [r for r in records.values() if r.kind == kind]
    return sorted(chosen, key=lambda r: order.index(r.set) if r.set in order else len(order))


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"
