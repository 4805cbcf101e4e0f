"""Tables on how good a model is at variants, made of its evaluation records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from glass_core.models.evaluation import (
    BLOSUM,
    BURIAL,
    STABILITY,
    STABILITY_SEQUENCE,
    UNTRAINED,
    Evaluation,
    Figure,
)
from glass_core.report.evidence.names import (
    SAME_SEQUENCE,
    figure_name,
    in_order,
    lead,
    predictor,
    predictor_name,
    predictors,
    rank,
    role,
    set_name,
    structure_name,
)

_CHANGES = {
    "distance_change": "distance change",
    "lddt_deficit": "lDDT deficit",
    "distance_change_near_site": "distance change, site",
    "lddt_deficit_near_site": "lDDT deficit, site",
}
_REVERSE = {
    "direct_and_reverse": "direct, reverse",
    "bias": "bias (kcal/mol)",
    "direct": "direct, measured",
    "reverse": "reverse, measured",
    "error_direct": "error, direct (kcal/mol)",
    "error_reverse": "error, reverse (kcal/mol)",
}
_ESTIMATES = {
    "tm_spearman": "TM-score, Spearman",
    "tm_spearman_p5": "in the worst 5%",
    "tm_error": "TM-score, error",
    "tm_error_p95": "95% are under",
    "percentile_error": "percentile, error (points)",
    "site_rank_error": "rank at the site, error",
    "lddt_spearman": "lDDT at the site, Spearman",
    "lddt_spearman_p5": "lDDT, in the worst 5%",
    "lddt_error": "lDDT at the site, error",
    "lddt_error_p95": "lDDT, 95% are under",
}
ADDED = "what the site adds to the model"


def ranking_table(records: Sequence[Evaluation]) -> pd.DataFrame:
    """Spearman or AUROC with 95% intervals: one row per predictor, one column per set."""
    return _side_by_side(records, lambda r: r.content["figures"])


def sampled_table(records: Mapping[str, Evaluation]) -> pd.DataFrame:
    """The same on the samples of variants for which mutants were embedded."""
    chosen = [r for r in in_order(records, "clinical", "effects") if "sampled" in r.content]
    return _side_by_side(chosen, lambda r: r.content["sampled"]["figures"])


def _side_by_side(
    records: Sequence[Evaluation], figures: Callable[[Evaluation], dict[str, Any]]
) -> pd.DataFrame:
    """Predictors down, sets across; '' where a set lacks a predictor."""
    leading = {predictor(record, lead(record)[0]) for record in records}
    named: dict[str, str] = {}
    cells: dict[str, dict[str, str]] = {}
    for record in records:
        what = "AUROC" if record.kind == "clinical" else "Spearman"
        column = cells.setdefault(f"{what}, {set_name(record.set)}", {})
        for who, found in figures(record).items():
            one = predictor(record, who)
            named[one] = predictor_name(record, who)
            column[one] = str(Figure(**found[figure_name(record)]))
    return pd.DataFrame(
        [
            {
                "predictor": named[one],
                "kind": role(one),
                **{title: column.get(one, "") for title, column in cells.items()},
            }
            for one in sorted(named, key=lambda one: (one not in leading, rank(one)))
        ]
    )


def structure_table(records: Sequence[Evaluation]) -> pd.DataFrame:
    """Mean Spearman over assays by how the structure was made; other proteins in every row."""
    rows = []
    for record in records:
        parts = record.content.get("by_structure", {})
        if not parts:
            continue
        everything = {
            who: found["mean_over_assays"] for who, found in record.content["figures"].items()
        }
        kinds = sorted(parts, key=lambda kind: -parts[kind]["assays"])
        for title, assays, means in [
            *((structure_name(k), parts[k]["assays"], parts[k]["mean_over_assays"]) for k in kinds),
            ("all", record.content["assays"], everything),
        ]:
            rows.append(
                {
                    "set": set_name(record.set),
                    "structure": title,
                    "n": assays,
                    **{
                        predictor_name(record, who): number(means.get(who), 2)
                        for who in (*lead(record), UNTRAINED, BURIAL, BLOSUM)
                        if who is not None and who in means
                    },
                }
            )
    return pd.DataFrame(rows)


def size_table(records: Sequence[Evaluation]) -> pd.DataFrame:
    """Errors in kcal/mol, and how many measurements the 90% intervals hold."""
    rows = []
    for record in records:
        sizes = record.content.get("sizes", {})
        for who in (STABILITY, STABILITY_SEQUENCE):
            if who not in sizes:
                continue
            found = sizes[who]
            rows.append(
                {
                    "set": set_name(record.set),
                    "predictor": predictor_name(record, who),
                    "variants": sizes["variants"],
                    "error (kcal/mol)": str(Figure(**found["mean_absolute_error"])),
                    "over variants": number(found["mean_absolute_error_of_variants"], 2),
                    "90% interval holds": str(Figure(**found["coverage"])),
                    "of variants": number(found["coverage_of_variants"], 3),
                    "width (kcal/mol)": number(found["width"], 1),
                    "Pearson": number(found["pearson"], 2),
                    "Spearman": number(found["spearman_pooled"], 2),
                }
            )
    return pd.DataFrame(rows)


def reverse_table(record: Evaluation) -> pd.DataFrame:
    """A change against its reverse, for held-out proteins and all, those trained on too."""
    content = record.content
    return pd.DataFrame(
        [
            {
                "proteins": title,
                "variants (groups)": f"{part['variants']} ({part['groups']})",
                **{words: str(Figure(**found[name])) for name, words in _REVERSE.items()},
            }
            for title, part in (("held out", content), ("all", content.get("all_proteins")))
            if part is not None
            for found in part["figures"].values()
        ]
    )


def change_table(record: Evaluation) -> pd.DataFrame:
    """Spearman within a protein with where two structures differ, and what the site adds."""
    noise = record.content.get(SAME_SEQUENCE, {}).get("figures", {})
    rows = []
    for who in predictors(record):
        own = {words: str(record.figure(who, name)) for name, words in _CHANGES.items()}
        for name in ("distance_change", "lddt_deficit"):
            found = noise.get(who, {}).get(name)
            own[f"{_CHANGES[name]}, same sequence"] = str(Figure(**found)) if found else ""
        rows.append({"predictor": predictor_name(record, who), "kind": role(who), **own})
    added = record.content.get("site_adds")
    if added:
        told = {words: str(Figure(**added[n])) for n, words in _CHANGES.items() if n in added}
        rows.append({"predictor": ADDED, "kind": "", **told})
    return pd.DataFrame(rows).fillna("")


def estimate_table(record: Evaluation) -> pd.DataFrame:
    """How near the estimate head comes to exact predictions, beside baselines."""
    return pd.DataFrame(
        [
            {
                "predictor": predictor_name(record, who),
                "kind": role(who),
                **{
                    words: str(record.figure(who, name))
                    for name, words in _ESTIMATES.items()
                    if record.figure(who, name).value is not None
                },
            }
            for who in predictors(record)
        ]
    ).fillna("")


def number(value: float | None, digits: int) -> str:
    """For a cell."""
    return "n/a" if value is None else f"{value:.{digits}f}"
