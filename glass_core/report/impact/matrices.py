"""Distance matrices drawn from an `Impact` alone."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from glass_core.impact.record import Impact
from glass_core.metrics.distances import difference_matrix, distance_matrix, place_on_reference
from glass_core.metrics.lddt import INCLUSION_RADIUS
from glass_core.protein.protein import Protein
from glass_core.report import style
from glass_core.report.numbering import other_numbers, position_ticks

MOST_DRAWN = 700
"""Residues per axis of a matrix; more would take browsers too long."""
_MOST_NAMED = 300
"""Residues per axis up to which each cell is named in numbers that are no sequence positions."""


def matrices(
    impact: Impact, selected: int | None = None, span: tuple[int, int] | None = None
) -> go.Figure:
    """C-alpha distances of reference and mutant, and their difference, with linked axes.

    Beside them AlphaFold's predicted aligned error, where it was looked up.

    The diagonal carries one point per residue, so that a click can select it.

    Without a mutant structure only the wild type's matrix is drawn. Distances
    and differences are those of the first replicate.

    Parameters
    ----------
    span : (int, int), optional
        First and last 1-based position to zoom to.

    Notes
    -----
    Of more than `MOST_DRAWN` residues every second, third, ... is drawn, as the titles say.
    """
    panels = _panels(impact)
    length = len(impact.protein)
    first, last = span or (1, length)
    whole = length <= MOST_DRAWN
    step = 1 if whole else -(-(last - first + 1) // MOST_DRAWN)
    drawn = np.arange(length) if whole else np.arange(first - 1, last, step)
    position = drawn + 1
    names = residue_names(impact)
    hover = [names[index] for index in drawn]
    where, pairs = _pair_names(impact.protein, drawn)
    columns = 2 if len(panels) == 4 else len(panels)
    figure = make_subplots(
        rows=len(panels) // columns,
        cols=columns,
        subplot_titles=[
            title if step == 1 else f"{title}, every {step} residues" for title, *_ in panels
        ],
        horizontal_spacing=0.04,
        vertical_spacing=0.17,
    )
    for number, (title, values, scale, limit) in enumerate(panels):
        row, column = number // columns + 1, number % columns + 1
        signed = limit is not None
        axis = "" if number == 0 else str(number + 1)
        domain = figure.layout[f"xaxis{axis}"].domain
        bottom = figure.layout[f"yaxis{axis}"].domain[0]
        figure.add_trace(
            go.Heatmap(
                x=position,
                y=position,
                z=values[np.ix_(drawn, drawn)].astype(np.float32),
                colorscale=scale,
                name=title,
                zmin=-limit if limit is not None else None,
                zmax=limit,
                showscale=True,
                colorbar={
                    "ticksuffix": " Å",
                    "orientation": "h",
                    "nticks": 4,
                    "thickness": 9,
                    "x": sum(domain) / 2,
                    "y": bottom,
                    "yanchor": "top",
                    "ypad": 30,
                    "len": 0.8 * (domain[1] - domain[0]),
                },
                customdata=pairs,
                hovertemplate=(
                    f"{where}: " + "%{z:" + ("+.2f" if signed else ".1f") + "} Å<extra></extra>"
                ),
            ),
            row=row,
            col=column,
        )
        figure.update_xaxes(matches="x", constrain="domain", row=row, col=column)
        figure.update_yaxes(
            matches="y",
            scaleanchor="x",
            constrain="domain",
            constraintoward="bottom",
            showticklabels=column == 1,
            row=row,
            col=column,
        )
        figure.add_trace(
            # A heat map cannot be clicked; unseen points on its diagonal can.
            go.Scatter(
                x=position,
                y=position,
                mode="markers",
                customdata=hover,
                showlegend=False,
                marker={"size": 9, "opacity": 0},
                name="diagonal",
                hovertemplate="%{customdata}<br>click to select<extra></extra>",
            ),
            row=row,
            col=column,
        )
        for site in impact.variant.positions:
            figure.add_vline(
                x=site, line={"color": style.SITE, "width": 1, "dash": "dash"}, row=row, col=column
            )
        if selected is not None:
            for add in (figure.add_vline, figure.add_hline):
                add(
                    **{"x" if add == figure.add_vline else "y": selected},
                    line={"color": style.SELECTED, "width": 1},
                    row=row,
                    col=column,
                )
    ticks = position_ticks(impact.protein, first, last)
    figure.update_xaxes(range=[first - 0.5, last + 0.5], **ticks)
    figure.update_yaxes(range=[last + 0.5, first - 0.5], **ticks)
    height = {1: 600, 2: 480, 3: 380}.get(len(panels), 940)
    figure.update_layout(height=height, **style.layout(legend=style.LEGEND_ABOVE))
    figure.update_layout(margin={"l": 45, "r": 10, "t": 45, "b": 70})
    return figure


def _pair_names(protein: Protein, drawn: NDArray[np.int64]) -> tuple[str, list[list[str]] | None]:
    """What a cell is called, as part of a template, and the texts that it needs.

    Texts for each cell of a large matrix would be too much for a browser: there are none then.
    """
    if protein.counting.by_sequence:
        return "%{x} - %{y}", None
    if len(drawn) > _MOST_NAMED:
        return "sequence positions %{x} - %{y}", None
    labels = [protein.label(int(index) + 1) for index in drawn]
    return "%{customdata}", [[f"{x} - {y}" for x in labels] for y in labels]


def _panels(impact: Impact) -> list[tuple[str, NDArray[np.float64], str, float | None]]:
    """Title, values, colour scale and symmetric limit (None: unsigned) of each matrix."""
    if not impact.measured:
        return [
            ("wild type", distance_matrix(impact.protein.ca), style.DISTANCE_SCALE, None),
            *_aligned_error(impact.protein),
        ]
    replicate, measurement = impact.replicates[0], impact.measurements[0]
    reference = impact.protein.track(replicate.reference.ca)
    subject = impact.protein.track(
        place_on_reference(
            replicate.mutant.ca, measurement.alignment.pairs, len(replicate.reference)
        )
    )
    difference = difference_matrix(reference, subject)
    near = np.abs(difference[distance_matrix(reference) <= INCLUSION_RADIUS])
    near = near[~np.isnan(near)]
    limit = max(float(np.quantile(near, 0.995)) if len(near) else 0.0, 0.1)
    return [
        ("wild type", distance_matrix(reference), style.DISTANCE_SCALE, None),
        ("mutant", distance_matrix(subject), style.DISTANCE_SCALE, None),
        ("mutant - wild type", difference, style.DIFFERENCE_SCALE, limit),
        *_aligned_error(impact.protein),
    ]


def _aligned_error(protein: Protein) -> list[tuple[str, NDArray[np.float64], str, float | None]]:
    """AlphaFold's expected error of column j with the model superposed on row i, in Å."""
    known = protein.annotation
    if known is None or known.pae is None:
        return []
    numbers = np.asarray(protein.uniprot_positions)
    there = numbers >= 1
    error = np.full((len(protein), len(protein)), np.nan)
    error[np.ix_(there, there)] = known.pae[np.ix_(numbers[there] - 1, numbers[there] - 1)]
    return [("predicted aligned error", error, style.ERROR_SCALE, None)]


def residue_names(impact: Impact) -> list[str]:
    """The residue of each position as the user counts, the other numbers behind it."""
    protein = impact.protein
    texts = []
    for position in range(1, len(protein) + 1):
        numbers = other_numbers(protein, position)
        author = numbers.pop("author", "")
        beside = [f"{name} {number}" for name, number in numbers.items()]
        if protein.structure is None or not protein.covered[position - 1]:
            beside.append("no coordinates")
        else:
            beside.append(f"chain {protein.structure.chain}")
        beside += [f"author {author}"] if author else []
        texts.append(f"{protein.named(position)} ({', '.join(beside)})")
    return texts
