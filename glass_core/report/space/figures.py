"""The map of protein space: a background, and a user's proteins on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from glass_core.protein.fold_classes import CLASS_NAMES, LEVELS, of_fold, with_name
from glass_core.report import style
from glass_core.space.background import Background
from glass_core.space.placing import KINDS, Kind, Point
from glass_core.space.projection import Layout, Pca

SYMBOLS: dict[Kind, str] = {"sequence": "circle", "structure": "cross-thin", "stretch": "x-thin"}
"""A circle, a plus and a cross, as in CLSS's own map."""
CLASS_COLOURS = {"1": "#CC79A7", "2": "#E69F00", "3": "#56B4E9", "4": "#999933", "6": "#8878F0"}
COLOURINGS = ("class", "architecture", "length", "nearness")
_MOST_COLOURS = 12
_OTHER = "other"
_QUALITATIVE = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77",
    "#CC6677", "#882255", "#AA4499", "#E69F00", "#56B4E9", "#0072B2",
)  # fmt: skip
_LIGHT = "#C8C8C8"
_ROOM = 0.3
"""Around a user's points, for their names, as a share of how far they lie apart."""
_OWN_SYMBOLS: dict[Kind, str] = {"sequence": "circle", "structure": "cross", "stretch": "x"}
"""Of a user's points: the same, filled, so that each can have a rim."""
_BESIDE = ("top center", "bottom center", "middle right", "middle left")
"""Where names stand, in turn: those of mutants lie on each other."""
_LEGEND = {
    "orientation": "h",
    "y": -0.04,
    "itemsizing": "constant",
    "groupclick": "toggleitem",
    "font": {"size": 11},
}
_ENTRY, _LONG_ENTRY = 200, 232
"""Pixels of an entry of the legend; four stand beside each other, of long ones three."""
_LINE = 19
"""Pixels of a line of the legend."""


def map_figure(
    background: Background,
    points: Sequence[Point],
    layout: Layout = "tsne",
    colouring: str = "class",
    kinds: Sequence[Kind] = KINDS,
    marked: Sequence[int] = (),
    height: int = 640,
) -> go.Figure:
    """The background in one layout, and points laid among it.

    Parameters
    ----------
    points : sequence of Point
        Proteins of the user, drawn large; placing them moves nothing.
    colouring : str
        One of `COLOURINGS`; ``nearness`` is the cosine to the first of `points`.
    kinds : sequence of Kind
        Which of the background are shown.
    marked : sequence of int
        Rows of the background with a ring around them.

    Notes
    -----
    The first of each point's ``customdata`` is its row in the background; of a user's own, -1.
    """
    projection = background.projections[layout]
    x, y = projection.plane.T
    table = background.table.assign(x=x, y=y, row=np.arange(len(background)))
    if colouring == "nearness":
        near = background.vectors @ points[0].vector if points else np.full(len(table), np.nan)
        table = table.assign(nearness=near)
    figure = go.Figure()
    for kind in kinds:
        some = table[table["kind"] == kind]
        for trace in _traces(some, kind, colouring):
            figure.add_trace(trace)
    _add_rings(figure, table[table["kind"].isin(kinds)], marked)
    _add_points(figure, points, projection.place(_stacked(points, background)))
    shows = "" if not isinstance(projection, Pca) else f" ({projection.share:.0%} of the variance)"
    name = "t-SNE" if layout == "tsne" else f"principal components{shows}"
    if colouring == "architecture":
        figure.update_traces(legendrank=2_000, selector={"legendgroup": "yours"})
    lines = max((sum(t.legendgroup == kind for t in figure.data) for kind in KINDS), default=0)
    figure.update_layout(
        **style.layout(
            height=height + _LINE * max(lines - len(CLASS_NAMES), 0),
            legend=_LEGEND | {"entrywidth": _LONG_ENTRY if colouring == "architecture" else _ENTRY},
            coloraxis={"colorscale": "Cividis", "colorbar": {"title": colouring, "thickness": 12}},
            xaxis=style.AXIS | {"title": "", "showticklabels": False},
            yaxis=style.AXIS | {"title": "", "showticklabels": False},
            dragmode="pan",
        )
    )
    figure.add_annotation(
        text=name, x=0, y=1, xref="paper", yref="paper", yanchor="bottom", showarrow=False
    )
    return figure


def inset_figure(points: Sequence[Point], height: int = 320) -> go.Figure:
    """A user's points alone, in a plane and at a scale of their own, and the way to the first.

    On the map, mutants lie on their wild type; here the two directions in which they differ
    most are shown.
    """
    vectors = np.stack([one.vector for one in points])
    plane = Pca.of(vectors).plane if len(points) > 1 else np.zeros((1, 2), np.float32)
    figure = go.Figure()
    for place in plane[1:]:
        figure.add_annotation(
            x=float(place[0]), y=float(place[1]), ax=float(plane[0, 0]), ay=float(plane[0, 1]),
            xref="x", yref="y", axref="x", ayref="y", showarrow=True, arrowhead=2,
            arrowwidth=1, arrowcolor=style.FLOOR, text="",
        )  # fmt: skip
    _add_points(figure, points, plane)
    (left, low), (right, high) = plane.min(axis=0), plane.max(axis=0)
    room = _ROOM * max(float(right - left), float(high - low), 1e-6)
    figure.update_layout(
        **style.layout(
            height=height,
            showlegend=False,
            xaxis=style.AXIS
            | {
                "title": "at a scale of their own",
                "range": [float(left) - room, float(right) + room],
            },
            yaxis=style.AXIS
            | {"title": "", "scaleanchor": "x", "range": [float(low) - room, float(high) + room]},
        )
    )
    return figure


def picked_table(background: Background, rows: Sequence[int]) -> pd.DataFrame:
    """What is known of some of the background, a row each."""
    columns = ["id", "kind", "length", *LEVELS]
    return _with_names(background.table.iloc[list(rows)][columns].reset_index(drop=True))


def distance_table(points: Sequence[Point]) -> pd.DataFrame:
    """Distances in the whole space, which no plane shows: of each point to the first."""
    first = points[0]
    cosine = np.array([float(one.vector @ first.vector) for one in points])
    return pd.DataFrame(
        {
            "id": [one.id for one in points],
            "kind": [one.kind for one in points],
            "cosine": cosine,
            "distance": [float(np.linalg.norm(one.vector - first.vector)) for one in points],
        }
    )


def neighbours_table(background: Background, point: Point, top: int = 20) -> pd.DataFrame:
    """The nearest of the background in the whole space, one row for a chain."""
    table = background.table.assign(cosine=background.vectors @ point.vector)
    best = table.sort_values("cosine", ascending=False).drop_duplicates("id").head(top)
    return _with_names(best[["id", "kind", "cosine", "length", *LEVELS]])


def _with_names(table: pd.DataFrame) -> pd.DataFrame:
    """The same with names behind the codes that have one."""
    named: pd.DataFrame = table.assign(
        **{level: table[level].map(with_name, na_action="ignore") for level in LEVELS}
    )
    return named


def _stacked(points: Sequence[Point], background: Background) -> NDArray[np.float32]:
    if not points:
        return np.empty((0, background.vectors.shape[1]), np.float32)
    return np.stack([one.vector for one in points])


def _traces(some: pd.DataFrame, kind: Kind, colouring: str) -> list[go.Scattergl]:
    """The background's points of one kind; a trace for each colour of a legend."""
    if some.empty:
        return []
    if colouring in ("length", "nearness"):
        return [_trace(some, kind, kind, some[colouring])]
    value = some[colouring].fillna("")
    if colouring == "class":
        names = [
            (key, CLASS_NAMES.get(key, key), CLASS_COLOURS.get(key, _LIGHT))
            for key in sorted(set(value))
        ]
    else:
        common = value[value != ""].value_counts().index[:_MOST_COLOURS]
        names = [(key, with_name(key), _QUALITATIVE[k]) for k, key in enumerate(sorted(common))]
        value = value.where(value.isin(common), _OTHER)
        names.append((_OTHER, _OTHER, _LIGHT))
    return [
        _trace(some[value == key], kind, f"{kind}: {name or 'no class'}", colour)
        for key, name, colour in names
        if (value == key).any()
    ]


def _trace(some: pd.DataFrame, kind: Kind, name: str, colour: str | pd.Series) -> go.Scattergl:
    """Some points of the background, of one colour or of one number each."""
    thin = kind != "sequence"
    shown: dict[str, object] = {"color": colour}
    if not isinstance(colour, str):
        shown["coloraxis"] = "coloraxis"
    return go.Scattergl(
        x=some["x"],
        y=some["y"],
        mode="markers",
        name=name,
        legendgroup=kind,
        customdata=some["row"],
        text=some["id"]
        + " ("
        + kind
        + ")<br>CATH "
        + some["fold"].map(of_fold, na_action="ignore")
        + "<br>"
        + some["length"].astype(str)
        + " residues",
        hovertemplate="%{text}<extra></extra>",
        marker={
            "symbol": SYMBOLS[kind],
            "size": 6 if thin else 5,
            "opacity": 0.55,
            **shown,
            "line": {"width": 1, **shown} if thin else {"width": 0},
        },
    )


def _add_rings(figure: go.Figure, table: pd.DataFrame, rows: Sequence[int]) -> None:
    some = table[table["row"].isin(rows)]
    if some.empty:
        return
    figure.add_trace(
        go.Scattergl(
            x=some["x"],
            y=some["y"],
            mode="markers",
            name="chosen",
            legendgroup="yours",
            legendrank=1,
            hoverinfo="skip",
            customdata=some["row"],
            marker={"symbol": "circle-open", "size": 12, "color": style.STRAIN, "line_width": 2},
        )
    )


def _add_points(figure: go.Figure, points: Sequence[Point], plane: NDArray[np.float32]) -> None:
    """A user's points: large, rimmed, named where they are few."""
    for kind in KINDS:
        rows = [row for row, one in enumerate(points) if one.kind == kind]
        if not rows:
            continue
        few = len(points) <= 30
        figure.add_scattergl(  # as the background is, or that would lie above
            x=plane[rows, 0],
            y=plane[rows, 1],
            mode="markers+text" if few else "markers",
            text=[points[row].id for row in rows],
            textposition=[_BESIDE[row % len(_BESIDE)] for row in rows],
            name=f"yours: {kind}",
            legendgroup="yours",
            legendrank=1,
            marker={
                "symbol": _OWN_SYMBOLS[kind],
                "size": 13,
                "color": style.SELECTED,
                "line": {"width": 1.5, "color": "#FFFFFF"},
            },
            customdata=np.full(len(rows), -1),
            hovertemplate="%{text} (" + kind + ")<extra></extra>",
        )
