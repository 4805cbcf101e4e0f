"""How well a space holds sequences and structures together, from its record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from glass_core.models.evaluation import EVALUATION_FOLDER, MEAN, MMSEQS, Evaluation, Figure
from glass_core.models.space.own import read_card
from glass_core.models.space.registry import list_spaces
from glass_core.report import style
from glass_core.report.evidence.compare import compared, inside, plain
from glass_core.settings import Settings

RECORD_FILE = "space.json"
_LENGTH, _TOWER, _FOLD = "length alone", "sequence tower", "fold head"
_WHOLE = "sequence to structure"
_LEVELS = {
    "superfamily": "superfamily",
    "fold": "topology",
    "architecture": "architecture",
    "class": "class",
}
_COLOURS = {_TOWER: style.EVALUATED, "structure tower": style.BESIDE}
_WAYS = {_FOLD: "fold head (search goes by it)", MMSEQS: "MMseqs2, first hit"}


def space_records(settings: Settings, model: str) -> dict[str, Evaluation]:
    """Records of the spaces that read sequences by a model, by the space's name.

    Raises
    ------
    ModelError, InputError
        A card or a record that cannot be read.
    """
    found = {}
    for name, folder in list_spaces(settings).items():
        path = folder / EVALUATION_FOLDER / RECORD_FILE
        if path.is_file() and _reads_by(folder, model):
            found[name] = Evaluation.read(path)
    return found


def retrieval_table(record: Evaluation) -> pd.DataFrame:
    """How well each finds its own among all held-out chains."""
    return pd.DataFrame(
        [
            {
                "finds": name,
                "first": f"{one['plain']['top 1']:.3f}",
                "among ten": str(Figure(**one["top 10"])),
                "mean reciprocal rank": f"{one['plain']['mrr']:.3f}",
            }
            for name, one in record.content["retrieval"].items()
        ]
    )


def neighbours_table(record: Evaluation) -> pd.DataFrame:
    """How often the nearest neighbour has the same class, at each level."""
    return pd.DataFrame(
        [
            {
                "predictor": _WAYS.get(who, who),
                **{words: str(Figure(**levels[level])) for level, words in _LEVELS.items()},
            }
            for who, levels in record.content["neighbours"]["all"].items()
        ]
    )


def distance_figure(record: Evaluation, height: int = 320) -> go.Figure | None:
    """Cosines of pairs of unrelated chains, by the narrowest level that they share.

    As CLSS's figure 1D (Yanai et al., bioRxiv 2025): a box holds the middle half, whiskers 90 of
    100. None where the record has none.
    """
    told = dict(record.content.get("distances", {}))
    quantiles = told.pop("quantiles", None)
    if quantiles is None:
        return None
    figure = go.Figure()
    levels = {**_LEVELS, "none": "none"}
    shown = {level: words for level, words in levels.items() if level in told}
    for who, colour in _COLOURS.items():
        boxes = np.array([told[level][who] for level in shown], dtype=float).T
        low, lower, middle, upper, high = boxes
        figure.add_trace(
            go.Box(
                x=[f"{words} ({told[level]['pairs']:,} pairs)" for level, words in shown.items()],
                lowerfence=low, q1=lower, median=middle, q3=upper, upperfence=high,
                name=who, marker_color=colour, line_width=1.5,
            )
        )  # fmt: skip
    figure.update_layout(
        **style.layout(
            height=height,
            boxmode="group",
            legend={"orientation": "h", "y": 1.12},
            xaxis=style.AXIS | {"title": "narrowest level of CATH that both chains share"},
            yaxis=style.AXIS | {"title": "cosine in the space"},
        )
    )
    return figure


def space_words(record: Evaluation) -> Iterator[str]:
    """What the record says, its limits among it."""
    content = record.content
    whole, length = (content["retrieval"][name] for name in (_WHOLE, _LENGTH))
    yield (
        f"Among {content['chains']:,} held-out chains, whole sequences have their own structure "
        f"among the ten nearest for {plain(Figure(**whole['top 10']))}; a stretch of 20 residues "
        f"for {plain(Figure(**content['retrieval']['20 residues to structure']['top 10']))}."
    )
    yield (
        "A structure has as many residues as its own sequence: lengths alone, which the towers are "
        f"not told, would put it among the ten nearest for {length['plain']['top 10']:.3f} (the "
        f"first for {length['plain']['top 1']:.3f}). That sequences find their structures shows "
        "that both towers agree; it discovers nothing."
    )
    near = content["neighbours"]["all"]
    own, mean, fold = (Figure(**near[who]["fold"]) for who in (_TOWER, MEAN, _FOLD))
    yield (
        f"The nearest other sequence has the same CATH topology for {plain(own)}, "
        f"{compared(own, mean)} the mean embedding ({inside(mean)}) and {compared(own, fold)} the "
        f"fold head ({inside(fold)})."
    )
    if MMSEQS in near:
        own, hit = (Figure(**near[who]["superfamily"]) for who in (_TOWER, MMSEQS))
        yield (
            f"The same superfamily: {plain(own)}, {compared(own, hit)} MMseqs2's first hit "
            f"({inside(hit)})."
        )


def _reads_by(folder: Path, model: str) -> bool:
    return str(read_card(folder)["sequences"]["name"]).split()[0] == model
