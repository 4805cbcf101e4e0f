"""The map as a picture, drawn by a browser that is not seen (Kaleido)."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go

from glass_core.errors import UnavailableError, one_line

PictureKind = Literal["png", "svg"]
_WIDTH, _HEIGHT, _SCALE = 1200, 800, 2


def picture(figure: go.Figure, kind: PictureKind) -> bytes:
    """A figure as PNG, or as SVG whose points are shapes.

    Raises
    ------
    UnavailableError
        No Chrome or Chromium is there, or it did not start.
    """
    from kaleido.errors import KaleidoError

    shown = _of_shapes(figure) if kind == "svg" else go.Figure(figure)
    shown.update_layout(paper_bgcolor="white", plot_bgcolor="white", font_color="#222222")
    try:
        made: bytes = shown.to_image(format=kind, width=_WIDTH, height=_HEIGHT, scale=_SCALE)
    except (KaleidoError, RuntimeError, OSError) as error:
        raise UnavailableError(
            f"a picture needs Chrome or Chromium, which did not answer ({one_line(error)}): "
            "install it, or save the map as .html and its picture from there."
        ) from error
    return made


def _of_shapes(figure: go.Figure) -> go.Figure:
    """The figure with points as shapes; WebGL's would be one picture inside."""
    told = figure.to_dict()
    for trace in told["data"]:
        if trace["type"] == "scattergl":
            trace["type"] = "scatter"
    return go.Figure(told)
