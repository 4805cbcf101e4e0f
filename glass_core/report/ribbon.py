"""Secondary structure as bars along the sequence, beneath any figure."""

from __future__ import annotations

import plotly.graph_objects as go

from glass_core.metrics.secondary import COIL, KIND_NAMES, elements, positions_secondary
from glass_core.protein.protein import Protein
from glass_core.report import style


def add_ribbon(figure: go.Figure, protein: Protein, row: int, *, legend: bool) -> None:
    """Draw it in row `row`; without a structure there is the line alone.

    Parameters
    ----------
    legend : bool
        Whether helix and strand stand in the legend.
    """
    figure.add_trace(
        go.Scatter(
            x=[1, len(protein)],
            y=[0.5, 0.5],
            mode="lines",
            hoverinfo="skip",
            line={"color": style.SECONDARY[COIL], "width": 2},
            showlegend=False,
        ),
        row=row,
        col=1,
    )
    named: set[str] = set()
    for element in elements(positions_secondary(protein)):
        name = KIND_NAMES[element.kind]
        a, b = element.start + 0.5, element.stop + 0.5
        figure.add_trace(
            go.Scatter(
                x=[a, b, b, a, a],
                y=[0, 0, 1, 1, 0],
                fill="toself",
                mode="lines",
                name=name,
                fillcolor=style.SECONDARY[element.kind],
                line={"width": 0},
                legendgroup=name,
                showlegend=legend and name not in named,
                hoveron="fills",
                text=f"{name} {protein.label(element.start + 1)}-{protein.label(element.stop)}",
                hoverinfo="text",
            ),
            row=row,
            col=1,
        )
        named.add(name)
    figure.update_yaxes(visible=False, range=[-0.1, 1.1], row=row, col=1)
