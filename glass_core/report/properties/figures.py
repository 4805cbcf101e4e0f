"""Where along the sequence a class is seen."""

from __future__ import annotations

import plotly.graph_objects as go

from glass_core.models.properties.base import Attribution
from glass_core.protein.protein import Protein
from glass_core.report import style


def attribution_figure(
    protein: Protein, one: Attribution, marked: tuple[int, ...] = (), height: int = 220
) -> go.Figure:
    """How much each residue speaks for a class.

    Parameters
    ----------
    marked : tuple of int
        1-based positions with a line, such as those of the variant.
    """
    figure = go.Figure(
        go.Bar(
            x=list(range(1, len(protein) + 1)),
            y=100 * one.share,
            text=[protein.named(place) for place in range(1, len(protein) + 1)],
            textposition="none",
            marker={"color": style.PREDICTED, "line": {"width": 0}},
            hovertemplate="%{text}: %{y:.2f}%<extra></extra>",
        )
    )
    for place in marked:
        figure.add_vline(x=place, line={"color": style.SITE, "width": 1, "dash": "dot"})
    figure.update_layout(
        **style.layout(
            height=height,
            bargap=0,
            xaxis=style.AXIS | {"title": "position in the sequence"},
            yaxis=style.AXIS | {"title": "share, %", "rangemode": "tozero"},
        )
    )
    return figure
