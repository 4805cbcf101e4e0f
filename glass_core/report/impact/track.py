"""What is known of each residue along the sequence, drawn from an `Impact` alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from glass_core.impact.record import Impact
from glass_core.report import style
from glass_core.report.impact.annotation import add_annotation, has_annotation
from glass_core.report.impact.matrices import residue_names
from glass_core.report.numbering import axis_title, position_ticks
from glass_core.report.ribbon import add_ribbon

LDDT_FROM = 0.9
"""An axis of lDDT begins there or lower."""
_NAMED_SITES = 10
_RIBBON, _ANNOTATION = 50, 80
"""Pixels, as the heights of panels."""
_PREDICTED_AT = 260
_SPARE = 120
"""Of legend, axis and margins."""


@dataclass(frozen=True, eq=False)
class Line:
    """A track that is drawn as a line.

    Attributes
    ----------
    name : str
    values : ndarray, shape=(L,)
        NaN = no value.
    colour : str
    faint : bool
        Thin and dotted: what others are compared with.
    spread : ndarray or None
        Standard deviation, drawn as a band where there is one.
    """

    name: str
    values: NDArray[np.float64]
    colour: str
    faint: bool = False
    spread: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Panel:
    """Lines that share an axis of values."""

    title: str
    height: int
    lines: tuple[Line, ...]
    from_zero: bool = False

    @property
    def axis(self) -> dict[str, object]:
        """Of its values: from 0, or of lDDT from `LDDT_FROM` at most, so that noise looks small."""
        if self.from_zero:
            return {"rangemode": "tozero"}
        values = np.concatenate([line.values for line in self.lines])
        known = values[~np.isnan(values)]
        lowest = min(LDDT_FROM, float(known.min()) if len(known) else LDDT_FROM)
        return {"range": [lowest - 0.02, 1.01]}


def residue_track(impact: Impact, selected: int | None = None) -> go.Figure:
    """Changes and lDDT, conservation, secondary structure and annotation along the sequence.

    What is measured stands first; of what is predicted, the change of distances, which tells
    more on unseen proteins than predicted lDDT.

    Parameters
    ----------
    selected : int, optional
        1-based position to mark.
    """
    panels, known = list(_panels(impact)), has_annotation(impact.protein)
    heights = [panel.height for panel in panels] + [_RIBBON] + ([_ANNOTATION] if known else [])
    figure = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        row_heights=heights,
        vertical_spacing=18 / sum(heights),
    )
    hover = residue_names(impact)
    for row, panel in enumerate(panels, start=1):
        for line in panel.lines:
            _draw(figure, line, hover, row)
        figure.update_yaxes(title_text=panel.title, row=row, col=1, **panel.axis, **style.AXIS)
    add_ribbon(figure, impact.protein, len(panels) + 1, legend=True)
    if known:
        add_annotation(figure, impact.protein, len(heights))
    _mark_sites(figure, impact, len(heights))
    if selected is not None:
        figure.add_vline(x=selected, line={"color": style.SELECTED, "width": 2})
    figure.update_xaxes(**position_ticks(impact.protein, 1, len(impact.protein)))
    figure.update_xaxes(title_text=axis_title(impact.protein), row=len(heights), col=1)
    figure.update_layout(
        height=sum(heights) + _SPARE, hovermode="closest", **style.layout(legend=style.LEGEND_ABOVE)
    )
    return figure


def _panels(impact: Impact) -> Iterator[Panel]:
    """The panels that there are values for, the most telling first."""
    lddt = Line("predicted lDDT", impact.predicted_lddt, style.PREDICTED)
    change = tuple(_change(impact))
    if impact.measured:
        floor = impact.noise_floor is not None
        lines = [
            Line("measured lDDT", impact.measured_lddt, style.MEASURED, False,
                 impact.measured_lddt_sd),
            lddt,
        ]  # fmt: skip
        strain = [Line("effective strain", impact.strain, style.STRAIN)]
        if floor:
            lines.insert(0, Line("noise floor", impact.floor_lddt, style.FLOOR, faint=True))
            strain.append(Line("strain of the floor", impact.floor_strain, style.FLOOR, faint=True))
        yield Panel("lDDT", 235, tuple(lines))
        yield Panel("strain", 130, tuple(strain), from_zero=True)
        if change:
            moved = Line("measured change", impact.distance_change, style.MEASURED)
            yield Panel("change (Å)", 130, (moved, *change), from_zero=True)
    elif change:
        yield Panel("change (Å)", 170, change, from_zero=True)
        yield Panel("lDDT", 130, (lddt,))
    else:
        yield Panel("lDDT", _PREDICTED_AT, (lddt,))
    if impact.conservation is not None:
        kept = Line("conservation", impact.conservation, style.ALIGNED)
        yield Panel("conserved", 80, (kept,), from_zero=True)


def _change(impact: Impact) -> Iterator[Line]:
    if impact.predicted_change is None:
        return
    if impact.flexibility is not None:
        yield Line("predicted without the mutation", impact.flexibility, style.FLOOR, faint=True)
    yield Line("predicted change", impact.predicted_change, style.PREDICTED)


def _draw(figure: go.Figure, line: Line, hover: list[str], row: int) -> None:
    position = np.arange(1, len(line.values) + 1)
    if line.spread is not None:
        _draw_band(figure, position, line, row)
    shape = {"dash": "dot", "width": 1} if line.faint else {"width": 2}
    figure.add_trace(
        go.Scatter(
            x=position,
            y=line.values,
            name=line.name,
            mode="lines" if line.faint else "lines+markers",
            customdata=hover,
            marker={"size": 5, "color": line.colour},
            line={"color": line.colour, **shape},
            hovertemplate="%{customdata}<br>" + line.name + " %{y:.4f}<extra></extra>",
            connectgaps=False,
        ),
        row=row,
        col=1,
    )


def _draw_band(figure: go.Figure, position: NDArray[np.int64], line: Line, row: int) -> None:
    """One standard deviation over replicates, drawn only where there are several."""
    mean, spread = line.values, np.asarray(line.spread)
    known = ~np.isnan(mean) & ~np.isnan(spread)
    if not known.any():
        return
    x = position[known]
    low, high = (mean - spread)[known], np.minimum((mean + spread)[known], 1.0)
    figure.add_trace(
        go.Scatter(
            x=np.concatenate([x, x[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            fill="toself",
            fillcolor="rgba(213,94,0,0.2)",
            line={"width": 0},
            mode="lines",
            name="± 1 sd over replicates",
            hoverinfo="skip",
        ),
        row=row,
        col=1,
    )


def _mark_sites(figure: go.Figure, impact: Impact, rows: int) -> None:
    mark = {"color": style.SITE, "width": 1, "dash": "dash"}
    for number, site in enumerate(impact.variant.positions):
        figure.add_vline(
            x=site,
            line=mark,
            row=1,
            col=1,
            annotation_text=impact.site_label(site) if number < _NAMED_SITES else None,
            annotation_position="bottom right",
            annotation_font_size=12,
        )
        for row in range(2, rows + 1):
            figure.add_vline(x=site, line=mark, row=row, col=1)
