"""How well a model finds and aligns relatives, from its records: tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from glass_core.models.evaluation import (
    BLOSUM,
    BY_ALIGNMENT,
    BY_VECTORS,
    COLUMN,
    MMSEQS,
    Evaluation,
    Figure,
)
from glass_core.report.evidence.compare import compared, exactly, inside, plain
from glass_core.report.evidence.names import RELATIVES, SEARCH, predictor_name, predictors, role

_KINDS = {"scan": "scans", "stability": "mega-scale"}
GAIN = "gain over BLOSUM62"
_FEWEST = 4
"""Proteins of which something is said in words; an interval over fewer is none."""


def retrieval_table(record: Evaluation) -> pd.DataFrame:
    """How often the first hit shares the fold, by way of searching."""
    return pd.DataFrame(
        [
            {
                "predictor": predictor_name(record, who),
                "kind": role(who),
                "first hit shares the fold": str(record.figure(who, "first_hit")),
                "misses": record.content["misses"][who],
            }
            for who in predictors(record)
        ]
    )


def alignment_table(record: Evaluation) -> pd.DataFrame:
    """Share of TM-align's pairs that an alignment has, by TM-score."""
    rows = []
    for one in record.content["alignments"]:
        recall = {
            predictor_name(record, who): str(Figure(**found))
            for who, found in one["recall"].items()
        }
        rows.append(
            {
                "TM-score": one["tm"],
                "pairs": one["pairs"],
                "identity": f"{one['identity']:.2f}",
                **recall,
                GAIN: str(Figure(**one["gain"])),
            }
        )
    return pd.DataFrame(rows)


def confidence_table(record: Evaluation) -> pd.DataFrame:
    """How often pairs of residues of a told confidence are TM-align's."""
    return pd.DataFrame(
        [
            {
                "confidence": f"{one['from']:.1f} to {one['to']:.1f}",
                "pairs of residues": f"{one['pairs']:,}",
                "TM-align has them": f"{one['right']:.2f}",
            }
            for one in record.content["confidence"]
        ]
    )


def column_table(record: Evaluation) -> pd.DataFrame:
    """Spearman of the relatives' column with measured effects."""
    rows = []
    for kind, words in _KINDS.items():
        content = record.content[kind]
        for who, found in content.get("figures", {}).items():
            rows.append(
                {
                    "measured": f"{words}, {content['assays']} proteins with relatives",
                    "predictor": predictor_name(record, who),
                    "Spearman": str(Figure(**found["spearman"])),
                }
            )
    return pd.DataFrame(rows)


def relatives_words(records: Mapping[str, Evaluation]) -> Iterator[str]:
    """What the records say of the search, of its alignments and of a site's column."""
    record = records.get(SEARCH)
    if record is not None:
        yield from _search_words(record)
    told = records.get(RELATIVES)
    if told is not None:
        yield from column_words(told)


def _search_words(record: Evaluation) -> Iterator[str]:
    content = record.content
    misses = content["misses"]
    first_hit = plain(record.figure(BY_ALIGNMENT, "first_hit"))
    yield (
        f"Finding relatives: of {content['queries']:,} held-out chains of which any way of "
        f"searching finds a relative among {content['searched']:,} chains, the first hit shares "
        f"the fold for {first_hit}; {misses[BY_ALIGNMENT]} misses, "
        f"where MMseqs2 has {misses[MMSEQS]} and the nearest vectors alone {misses[BY_VECTORS]}."
    )
    errors = content.get("calibration_error", {})
    if BY_ALIGNMENT in errors:
        yield f"Chances of the same fold are {errors[BY_ALIGNMENT]:.3f} off, over tenths."
    first = content["alignments"][0] if content["alignments"] else None
    if first is not None:
        recall, gain = first["recall"], Figure(**first["gain"])
        yield (
            f"Aligning them: at TM-scores of {first['tm']} it has "
            f"{plain(Figure(**recall[BY_ALIGNMENT]))} of the pairs of residues that TM-align has, "
            f"alignment by BLOSUM62 {plain(Figure(**recall[BLOSUM]))}; {plain(gain)} more."
        )


def column_words(record: Evaluation) -> Iterator[str]:
    """Whether what stands in the relatives tells anything of an effect."""
    for kind, words in _KINDS.items():
        figures = record.content[kind].get("figures")
        if figures is None or record.content[kind]["assays"] < _FEWEST:
            continue
        own, beside = (Figure(**figures[who]["spearman"]) for who in (COLUMN, BLOSUM))
        verdict = compared(Figure(**figures[GAIN]["spearman"]), exactly(0.0))
        yield (
            f"What stands at a site in the relatives ({words}, "
            f"{record.content[kind]['assays']} held-out proteins that have some): Spearman "
            f"{plain(own)} with measured effects, {verdict} BLOSUM62 on the same variants "
            f"({inside(beside)})."
        )
