"""Figures of a search: how far neighbours stand out, and what stands at a site."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from glass_core.report import style
from glass_core.search.relatives import Relatives
from glass_core.search.site import SiteColumn

_GROUPS = "AVILMCFWYPGSTNQHKRDE"
"""Letters with alike ones side by side."""


def score_histogram(found: Relatives) -> go.Figure:
    """Predicted TM-scores of the whole database, and where the neighbours lie among them."""
    width = 1 / len(found.counts)
    figure = go.Figure()
    figure.add_bar(
        x=(np.arange(len(found.counts)) + 0.5) * width,
        y=np.where(found.counts > 0, found.counts, np.nan),
        width=width,
        marker={"color": style.PREDICTED, "opacity": 0.45, "line_width": 0},
        name="all entries",
        hovertemplate="%{y:,} entries at %{x:.2f}<extra></extra>",
    )
    for name, group, symbol in (
        ("neighbours listed", found.others, "line-ns-open"),
        ("the protein itself", [n for n in found.neighbours if n.is_query], "star"),
    ):
        if group:
            figure.add_scatter(
                x=[one.tm_score for one in group],
                y=[1.0] * len(group),
                mode="markers",
                marker={
                    "color": style.PREDICTED,
                    "symbol": symbol,
                    "size": 16,
                    "line": {"width": 2, "color": style.PREDICTED},
                },
                text=[one.entry.id for one in group],
                name=name,
                hovertemplate="%{text}: %{x:.3f}<extra></extra>",
            )
    figure.update_layout(
        **style.layout(
            height=280,
            legend=style.LEGEND_ABOVE,
            xaxis=style.AXIS | {"title": "TM-score (predicted)", "range": [0, 1.02]},
            yaxis=style.AXIS | {"title": "entries", "type": "log", "dtick": 1},
            bargap=0,
        )
    )
    return figure


def site_bars(
    column: SiteColumn, homologues: dict[str, float] | None = None, mutant: str = ""
) -> go.Figure:
    """Shares of residues at a site: in neighbours, and in the protein's own alignment.

    Parameters
    ----------
    homologues : dict, optional
        Letter -> share in the column of the protein's own alignment.
    mutant : str
        The residue that is put there, '' for none.
    """
    figure = go.Figure()
    letters = list(_GROUPS)
    counts = column.counts()
    figure.add_bar(
        x=letters,
        y=[column.share(letter) for letter in letters],
        customdata=[counts.get(letter, 0) for letter in letters],
        marker_color=style.NEIGHBOUR,
        name="neighbours (predicted alignment)",
        hovertemplate="%{x}: %{y:.2f} by weight, %{customdata} neighbours<extra></extra>",
    )
    if homologues is not None:
        figure.add_bar(
            x=letters,
            y=[homologues.get(letter, 0.0) for letter in letters],
            marker_color=style.ALIGNED,
            name="homologues (your alignment)",
            hovertemplate="%{x}: %{y:.2f}<extra></extra>",
        )
    named = {column.wild_type: "wild type"} | ({mutant: "new"} if mutant else {})
    figure.update_layout(
        **style.layout(
            height=280,
            legend=style.LEGEND_ABOVE,
            xaxis={
                "tickvals": letters,
                "ticktext": [f"<b>{x}</b><br>{named[x]}" if x in named else x for x in letters],
            },
            yaxis=style.AXIS | {"title": "share", "range": [0, 1]},
            barmode="group",
        )
    )
    return figure
