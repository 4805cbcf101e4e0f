"""Stretches that a variant moves, as a figure and as a sentence."""

from __future__ import annotations

import plotly.graph_objects as go

from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.report import style
from glass_core.space.stretches import StretchShift


def stretch_figure(
    protein: Protein, variant: Variant, shift: StretchShift, height: int = 260
) -> go.Figure:
    """How far each window moves, and the noise; nearer to the structure or further, beneath."""
    x = shift.centres + 1
    names = [protein.named(int(place)) for place in x]
    figure = go.Figure()
    lines = [("moved in the space", shift.apart, style.PREDICTED, "solid")]
    if shift.nearer is not None:
        lines.append(("nearer to the structure", shift.nearer, style.BESIDE, "solid"))
    for name, values, colour, dash in lines:
        figure.add_scatter(
            x=x,
            y=values,
            mode="lines+markers",
            name=name,
            text=names,
            line={"color": colour, "dash": dash},
            marker={"size": 5},
            hovertemplate="window around %{text}: %{y:.3f}<extra>" + name + "</extra>",
        )
    floors = [shift.noise] if shift.nearer is None else [shift.noise, -shift.noise_nearer]
    for floor in floors:
        figure.add_hline(
            y=floor,
            line={"color": style.FLOOR, "dash": "dash", "width": 1},
            annotation_text="noise",
            annotation_position="top left" if floor > 0 else "bottom left",
        )
    for change in variant.changes:
        figure.add_vline(x=change.position, line={"color": style.SITE, "width": 1, "dash": "dot"})
    figure.update_layout(
        **style.layout(
            height=height,
            legend=style.LEGEND_ABOVE,
            xaxis=style.AXIS | {"title": "middle of the window, position in the sequence"},
            yaxis=style.AXIS | {"title": "shift"},
        )
    )
    return figure


def stretch_words(protein: Protein, shift: StretchShift) -> str:
    """How many windows move by more than the noise, and where most."""
    count = len(shift.centres)
    windows = (
        f"Of {count} windows of {shift.width} residues that hold the change"
        if count > 1
        else f"Of the one window of {shift.width} residues that holds the change"
    )
    if not shift.beyond:
        return (
            f"{windows}, none moves by more than conservative substitutions elsewhere do "
            f"(95 in 100 of their windows move by {shift.noise:.3f} at most)."
        )
    return (
        f"{windows}, {shift.beyond} move by more than {shift.noise:.3f}, which 95 in 100 windows "
        "around conservative substitutions elsewhere do not; most of all the one around "
        f"{protein.named(shift.furthest + 1)}."
    )
