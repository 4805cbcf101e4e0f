"""What is known about the protein, drawn below its residue track."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from glass_core.inputs.labels import read_label
from glass_core.protein.annotation import Feature, KnownVariant
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.writing import write_change
from glass_core.report import style

_MOST_LANES = 4


@dataclass(frozen=True)
class Placed:
    """A feature in the protein's own positions, both included."""

    feature: Feature
    first: int
    last: int


def placed_features(protein: Protein) -> list[Placed]:
    """Features of which the sequence has at least one residue."""
    features = () if protein.annotation is None else protein.annotation.features
    placed = []
    for feature in features:
        inside = [
            place
            for number in range(feature.start, feature.end + 1)
            if (place := protein.position_of_uniprot(number)) is not None
        ]
        if inside:
            placed.append(Placed(feature, min(inside), max(inside)))
    return placed


def has_annotation(protein: Protein) -> bool:
    """Whether there is anything to draw."""
    known = protein.annotation
    return known is not None and bool(placed_features(protein) or known.variants)


def add_annotation(figure: go.Figure, protein: Protein, row: int) -> None:
    """Stretches as bars, sites as diamonds, known variants as ticks, in row `row`."""
    placed = placed_features(protein)
    stretches = [p for p in placed if not p.feature.is_site]
    kinds = list(dict.fromkeys(p.feature.kind for p in stretches))
    ends: list[int] = []
    named: set[str] = set()
    for one in sorted(stretches, key=lambda p: (p.first, -p.last)):
        lane = next((k for k, end in enumerate(ends) if end < one.first), len(ends))
        lane = min(lane, _MOST_LANES - 1)
        ends[lane : lane + 1] = [one.last]
        a, b, y = one.first - 0.5, one.last + 0.5, -lane
        kind = one.feature.kind
        colour = style.STRETCHES[kinds.index(kind) % len(style.STRETCHES)]
        figure.add_trace(
            go.Scatter(
                x=[a, b, b, a, a],
                y=[y - 0.8, y - 0.8, y, y, y - 0.8],
                fill="toself",
                mode="lines",
                fillcolor=colour,
                line={"width": 0},
                name=kind,
                legendgroup=kind,
                showlegend=kind not in named,
                hoveron="fills",
                text=_told(protein, one),
                hoverinfo="text",
            ),
            row=row,
            col=1,
        )
        named.add(kind)
    sites = [p for p in placed if p.feature.is_site]
    if sites:
        figure.add_trace(
            go.Scatter(
                x=[p.first for p in sites],
                y=[0.5] * len(sites),
                mode="markers",
                name="sites",
                marker={"symbol": "diamond", "size": 9, "color": style.SELECTED},
                text=[_told(protein, p) for p in sites],
                hoverinfo="text",
            ),
            row=row,
            col=1,
        )
    _known(figure, protein, row)
    figure.update_yaxes(visible=False, range=[-max(len(ends), 1) - 0.1, 2.1], row=row, col=1)


def _known(figure: go.Figure, protein: Protein, row: int) -> None:
    groups: dict[str, list[tuple[KnownVariant, Change]]] = {}
    for variant, change in protein.known_changes:
        groups.setdefault(calling(variant), []).append((variant, change))
    for name, colour in (
        ("unclear or not said", style.UNCLEAR),
        ("benign", style.HARMLESS),
        ("damaging", style.DAMAGING),
    ):
        fitting = groups.get(name)
        if fitting:
            figure.add_trace(
                go.Scatter(
                    x=[change.position for _, change in fitting],
                    y=[1.4] * len(fitting),
                    mode="markers",
                    name=f"known, {name}",
                    marker={
                        "symbol": "line-ns",
                        "size": 11,
                        "line": {"color": colour, "width": 1.5},
                    },
                    text=[
                        _plain(
                            f"{write_change(change, protein.sequence, protein.label)} "
                            f"{known.significance or known.description}"
                        )
                        for known, change in fitting
                    ],
                    hoverinfo="text",
                ),
                row=row,
                col=1,
            )


def calling(variant: KnownVariant) -> str:
    """``damaging``, ``benign`` or ``unclear or not said``: what databases call it."""
    label = read_label(variant.significance)
    return "unclear or not said" if label is None else "damaging" if label else "benign"


def known_variant_table(protein: Protein) -> pd.DataFrame:
    """Known variants that fit the sequence, as the database has them and as the user counts."""
    rows = [
        {
            "variant": variant.text,
            "here": write_change(change, protein.sequence, protein.label),
            "significance": variant.significance,
            "description": variant.description,
            "ids": ", ".join(variant.ids),
            "source": variant.source,
            "review status": variant.review_status,
            "link": variant.link,
        }
        for variant, change in protein.known_changes
    ]
    columns = ["variant", "here", "significance", "description", "ids", "source"]
    return pd.DataFrame(rows, columns=[*columns, "review status", "link"])


def _told(protein: Protein, placed: Placed) -> str:
    """The feature where the user counts it to be."""
    first, last = protein.label(placed.first), protein.label(placed.last)
    place = first if placed.first == placed.last else f"{first}-{last}"
    feature = placed.feature
    described = f": {feature.description}" if feature.description else ""
    return _plain(f"{feature.kind} {place}{described}")


def _plain(text: str) -> str:
    """Plotly reads tags in labels: what databases wrote must not make any."""
    return text.replace("<", "‹").replace(">", "›")[:120]
