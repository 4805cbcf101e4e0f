"""Plotly figures of a screen, drawn from its table alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from glass_core.metrics.distances import neighbour_counts
from glass_core.protein.protein import Protein
from glass_core.report import style
from glass_core.report.numbering import axis_title, position_ticks
from glass_core.report.ribbon import add_ribbon
from glass_core.report.screen.tables import ranking_values, variant_names
from glass_core.screen.columns import EXTERNAL_COLUMNS, RANKINGS, SCREEN_COLUMNS, TOLD_COLUMNS

LETTERS = "GAVLIMCFYWHKRQNEDSTP"
"""Rows of the heat map: residues that are alike stand together."""
_EXTERNAL = (name for name, column in EXTERNAL_COLUMNS.items() if column.kind != "text")
_HOVER = (*TOLD_COLUMNS, *_EXTERNAL, "blosum62")
"""Columns that a reader sees over a cell."""
FIGURE_COLUMNS = (
    "row",
    "written",
    "variant",
    "position",
    "changes",
    "wild_type",
    "mutant",
    *_HOVER,
)
"""Columns of the screen's table that the figures need; beside them label and measured value."""


def single_substitutions(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a cell in the heat map."""
    letters = list(LETTERS)
    one = frame[
        (frame["changes"] == 1) & frame["mutant"].isin(letters) & frame["wild_type"].isin(letters)
    ]
    return one.drop_duplicates(["position", "mutant"])


def position_means(frame: pd.DataFrame, ranking: str, length: int) -> NDArray[np.float64]:
    """Mean of a ranking over the substitutions of each position, shape=(length,); NaN without."""
    means = np.full(length, np.nan)
    one = single_substitutions(frame)
    if len(one):
        grouped = ranking_values(one, ranking).groupby(one["position"].astype(int)).mean()
        means[grouped.index.to_numpy() - 1] = grouped.to_numpy()
    return means


def heat_map(
    frame: pd.DataFrame,
    protein: Protein,
    ranking: str,
    chosen: Sequence[int] = (),
    span: tuple[int, int] | None = None,
) -> go.Figure:
    """Residue x position, the wild type marked, the mean per position and the fold beneath.

    Unseen points lie on the cells, so that a click can select a variant; their
    ``customdata`` begins with the row number.

    Parameters
    ----------
    chosen : sequence of int
        Row numbers to mark.
    span : (int, int), optional
        First and last position to show; what lies outside is not drawn at all.
    """
    one, length = single_substitutions(frame), len(protein)
    first, last = span or (1, length)
    one = one[one["position"].between(first, last)]
    values = np.full((len(LETTERS), length), np.nan)
    place = (
        one["mutant"].map(LETTERS.index).to_numpy(dtype=int),
        one["position"].to_numpy(dtype=int) - 1,
    )
    cells = ranking_values(one, ranking).to_numpy()
    values[place] = cells
    strips = protein.structure is not None
    heights = [0.66, 0.18, 0.06, 0.10] if strips else [0.78, 0.22]
    figure = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.02
    )
    position = np.arange(1, length + 1)
    names = [protein.named(p) for p in range(1, length + 1)]
    figure.add_trace(
        go.Heatmap(
            x=position,
            y=list(LETTERS),
            z=values,
            colorscale=_scale(ranking),
            hoverinfo="skip",
            colorbar={
                "title": {"text": _axis_title(ranking), "side": "right"},
                "thickness": 12,
                "len": 0.66,
                "y": 1,
                "yanchor": "top",
            },
        ),
        row=1,
        col=1,
    )
    wild = [
        (p, letter)
        for p in range(first, last + 1)
        if (letter := protein.sequence[p - 1]) in LETTERS
    ]
    figure.add_trace(
        go.Scatter(
            x=[p for p, _ in wild],
            y=[w for _, w in wild],
            mode="markers",
            marker={"size": 4, "color": style.SITE},
            name="wild type",
            text=[protein.named(p) for p, _ in wild],
            hovertemplate="wild type %{text}<extra></extra>",
            showlegend=False,
        ),
        row=1,
        col=1,
    )
    figure.add_trace(
        go.Scattergl(
            x=one["position"],
            y=one["mutant"],
            mode="markers",
            showlegend=False,
            marker={"size": 8, "opacity": 0, "symbol": "square"},
            name="cells",
            customdata=one["row"],
            text=_hover(one),
            hovertemplate="%{text}<extra></extra>",
        ),
        row=1,
        col=1,
    )
    figure.add_trace(
        go.Scatter(
            x=position,
            y=position_means(frame, ranking, length),
            mode="lines+markers",
            marker={"size": 4},
            line={"color": ranking_colour(ranking)},
            showlegend=False,
            text=names,
            hovertemplate="%{text}: mean %{y:.3f}<extra></extra>",
            name="mean",
        ),
        row=2,
        col=1,
    )
    figure.update_yaxes(title_text="mean", row=2, col=1, **style.AXIS)
    if strips:
        _strips(figure, protein, names)
    figure.update_yaxes(row=1, col=1, autorange="reversed", dtick=1)
    figure.update_xaxes(title_text=axis_title(protein), row=len(heights), col=1)
    figure.update_xaxes(range=[first - 0.5, last + 0.5], **position_ticks(protein, first, last))
    figure.update_layout(
        height=620 if strips else 560, hovermode="closest", dragmode="zoom", **style.layout()
    )
    return with_chosen(figure, one, chosen)


def with_chosen(figure: go.Figure, frame: pd.DataFrame, chosen: Sequence[int]) -> go.Figure:
    """A copy of a `heat_map` in which the cells of the rows with these numbers are marked."""
    one = single_substitutions(frame)
    marked = one[one["row"].isin(list(chosen))]
    if marked.empty:
        return figure
    trace = go.Scatter(
        x=marked["position"],
        y=marked["mutant"],
        xaxis="x",
        yaxis="y",
        mode="markers",
        hoverinfo="skip",
        marker={"size": 11, "symbol": "square-open", "color": style.SELECTED, "line": {"width": 2}},
        showlegend=False,
        name="chosen",
    )
    return go.Figure(figure).add_trace(trace)


def distribution(
    frame: pd.DataFrame, ranking: str, chosen: Sequence[int] = (), threshold: float | None = None
) -> go.Figure:
    """How the ranking is spread; chosen variants and the threshold are marked, labels apart."""
    values = ranking_values(frame, ranking)
    figure = go.Figure()
    known = frame["label"].notna() if "label" in frame else pd.Series(False, index=frame.index)
    if known.any():
        for label, name, colour in (
            (0, "tolerated by the input", style.WILD),
            (1, "damaging by the input", style.MUTANT),
        ):
            figure.add_trace(
                go.Histogram(
                    x=values[known & (frame["label"] == label)],
                    name=name,
                    marker_color=colour,
                    opacity=0.6,
                    nbinsx=60,
                )
            )
        figure.update_layout(barmode="overlay", legend=style.LEGEND_ABOVE)
    else:
        figure.add_trace(
            go.Histogram(x=values, marker_color=ranking_colour(ranking), nbinsx=60, name="variants")
        )
    for row in list(chosen)[:20]:
        value = values[frame["row"] == row]
        if len(value) and not np.isnan(value.iloc[0]):
            name = variant_names(frame)[frame["row"] == row].iloc[0]
            figure.add_vline(
                x=float(value.iloc[0]),
                annotation_text=str(name),
                line={"color": style.SELECTED, "width": 2},
            )
    if threshold is not None:
        figure.add_vline(x=threshold, line={"color": style.SITE, "dash": "dash"})
    figure.update_layout(height=300, showlegend=bool(known.any()), **style.layout())
    figure.update_xaxes(title_text=_axis_title(ranking))
    figure.update_yaxes(title_text="variants", **style.AXIS)
    return figure


def against_values(frame: pd.DataFrame, ranking: str) -> go.Figure:
    """The input's measured values against the ranking."""
    known = frame[frame["measured_value"].notna()]
    figure = go.Figure(
        go.Scattergl(
            x=ranking_values(known, ranking),
            y=known["measured_value"],
            mode="markers",
            text=variant_names(known),
            marker={"size": 5, "opacity": 0.5, "color": ranking_colour(ranking)},
            hovertemplate="%{text}: %{x:.3f}, measured %{y:.3f}<extra></extra>",
        )
    )
    figure.update_layout(height=340, **style.layout())
    figure.update_xaxes(title_text=_axis_title(ranking), **style.AXIS)
    figure.update_yaxes(title_text="the input's measured value", **style.AXIS)
    return figure


def _strips(figure: go.Figure, protein: Protein, names: list[str]) -> None:
    """Secondary structure and burial beneath the map."""
    add_ribbon(figure, protein, 3, legend=False)
    figure.add_trace(
        go.Bar(
            x=np.arange(1, len(protein) + 1),
            y=neighbour_counts(protein.ca),
            marker_color=style.FLOOR,
            showlegend=False,
            name="neighbours",
            customdata=names,
            hovertemplate="%{customdata}: %{y} neighbours within 10 Å<extra></extra>",
        ),
        row=4,
        col=1,
    )
    figure.update_yaxes(title_text="burial", row=4, col=1, **style.AXIS)


def _hover(one: pd.DataFrame) -> list[str]:
    """All numbers of each variant, one line each."""
    lines = [variant_names(one).astype(str)]
    for name in _HOVER:
        values = pd.to_numeric(one[name], errors="coerce").astype(float)
        column = SCREEN_COLUMNS[name]
        digits = 0 if column.kind == "whole" else column.digits
        lines.append(
            pd.Series(
                [
                    "" if np.isnan(v) else f"<br>{column.title or name} {v:.{digits}f}"
                    for v in values
                ],
                index=one.index,
            )
        )
    return list(lines[0].str.cat(lines[1:]))


def _axis_title(ranking: str) -> str:
    order = RANKINGS[ranking]
    predicted = order.column in TOLD_COLUMNS and "predicted" not in order.title
    return f"{order.title} (predicted)" if predicted else order.title


def ranking_colour(ranking: str) -> str:
    """Of what is drawn by a ranking: whose it is."""
    return style.EXTERNAL if RANKINGS[ranking].external else style.PREDICTED


def _scale(ranking: str) -> list[tuple[float, str]]:
    steps = style.scale(RANKINGS[ranking].external)
    return [(k / (len(steps) - 1), colour) for k, colour in enumerate(steps)]
