"""Several variants of one protein side by side: table, tracks, structures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from glass_core.errors import InputError
from glass_core.impact.answer import chance_percentile, leading_chance
from glass_core.impact.evidence import piece
from glass_core.impact.gather import DATABASES
from glass_core.impact.record import Impact
from glass_core.records import known_mean
from glass_core.report import style
from glass_core.report.impact.matrices import residue_names
from glass_core.report.numbering import axis_title, position_ticks
from glass_core.report.ribbon import add_ribbon
from glass_core.report.scene import Scene, SceneModel, scene
from glass_core.report.viewer import mutant_text

MOST = 6
"""Variants that are shown side by side; there are no more colours that can be told apart."""
DIGITS: Mapping[str, int] = {
    "chance of being damaging": 2,
    "percentile": 0,
    "ΔΔG (kcal/mol)": 1,
    "ΔΔG from": 1,
    "ΔΔG to": 1,
    "effect score": 1,
}
"""Of the columns of `comparison_table` that are not shown with three."""


@dataclass(frozen=True)
class _Quantity:
    """What is drawn of every variant, with where it comes from in its title."""

    title: str
    of: Callable[[Impact], NDArray[np.float64] | None]


_QUANTITIES = (
    _Quantity("strain, measured", lambda i: i.strain if i.measured else None),
    _Quantity("lDDT, measured", lambda i: i.measured_lddt if i.measured else None),
    _Quantity("change (Å), predicted", lambda i: i.predicted_change),
    _Quantity("lDDT, predicted", lambda i: i.predicted_lddt),
)


def comparison_table(impacts: Sequence[Impact]) -> pd.DataFrame:
    """One row per variant; empty cells are missing values."""
    return pd.DataFrame([_row(impact) for impact in impacts])


def _row(impact: Impact) -> dict[str, Any]:
    told: Mapping[str, float] = impact.prediction.told
    listed = piece(impact.evidence, DATABASES)
    sites = np.array(impact.variant.positions) - 1
    deficit, strain = impact.deficit_above_floor, impact.strain_above_floor
    return {
        "variant": impact.written,
        "chance of being damaging": leading_chance(told),
        "percentile": chance_percentile(told),
        "ΔΔG (kcal/mol)": told.get("ddg"),
        "ΔΔG from": told.get("ddg_low"),
        "ΔΔG to": told.get("ddg_high"),
        "effect score": told.get("effect"),
        "databases": "" if listed is None else listed.says,
        "BLOSUM62": impact.baselines.blosum62,
        "TM-score (predicted)": impact.prediction.tm_score,
        "lDDT at the site (predicted)": known_mean(impact.predicted_lddt[sites]),
        "TM-score (measured)": impact.tm_score,
        "lDDT at the site (measured)": known_mean(impact.measured_lddt[sites]),
        "residues above noise, lDDT": None if deficit is None else int(deficit.significant.sum()),
        "residues above noise, strain": None if strain is None else int(strain.significant.sum()),
    }


def comparison_track(impacts: Sequence[Impact]) -> go.Figure:
    """A panel for each quantity that any variant has, a line for each variant.

    Raises
    ------
    InputError
        The variants are of different proteins, or too many.
    """
    _check(impacts)
    protein = impacts[0].protein
    shown = [q for q in _QUANTITIES if any(q.of(i) is not None for i in impacts)]
    heights = [130] * len(shown) + [40]
    figure = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        row_heights=heights,
        vertical_spacing=14 / sum(heights),
    )
    hover, position = residue_names(impacts[0]), np.arange(1, len(protein) + 1)
    for row, quantity in enumerate(shown, start=1):
        for number, impact in enumerate(impacts):
            values = quantity.of(impact)
            if values is None:
                continue
            figure.add_trace(
                go.Scatter(
                    x=position,
                    y=values,
                    name=impact.written,
                    legendgroup=str(number),
                    showlegend=row == 1 or all(q.of(impact) is None for q in shown[: row - 1]),
                    mode="lines",
                    line={"color": style.COMPARED[number], "width": 1.8},
                    customdata=hover,
                    hovertemplate="%{customdata}<br>"
                    + f"{impact.written}: %{{y:.3f}}<extra></extra>",
                ),
                row=row,
                col=1,
            )
        figure.update_yaxes(title_text=quantity.title.replace(", ", "<br>"), row=row, col=1)
    for number, impact in enumerate(impacts):
        for site in impact.variant.positions:
            figure.add_vline(
                x=site, line={"color": style.COMPARED[number], "width": 1, "dash": "dot"}
            )
    add_ribbon(figure, protein, len(heights), legend=False)
    figure.update_yaxes(**style.AXIS)
    figure.update_xaxes(
        title_text=axis_title(protein),
        row=len(heights),
        col=1,
        **position_ticks(protein, 1, len(protein)),
    )
    figure.update_layout(height=sum(heights) + 130, **style.layout(legend=style.LEGEND_ABOVE))
    figure.update_layout(margin_l=90)
    return figure


def compared_scene(impacts: Sequence[Impact]) -> Scene:
    """The wild type with every mutant that was measured, each in its colour, and all sites.

    Raises
    ------
    InputError
        The variants are of different proteins, too many, or there is no structure.
    """
    _check(impacts)
    first = scene(impacts[0])
    keys = []
    models = [model for model in first.models if model.role not in ("mutant", "rotamer")]
    sites: dict[int, str] = {}
    for number, impact in enumerate(impacts):
        colour = style.COMPARED[number]
        for position in impact.variant.positions:
            label = impact.site_label(position)
            sites[position] = f"{sites[position]}, {label}" if position in sites else label
        if impact.measured:
            models.append(SceneModel("mutant", impact.written, mutant_text(impact), colour))
            keys.append((colour, f"{impact.written}, remodelled"))
        else:
            models += [
                replace(model, colour=colour, name=impact.written)
                for model in scene(impact).models
                if model.role == "rotamer"
            ]
            keys.append((colour, f"{impact.written}, best rotamer"))
    plain = next(one for one in first.colourings if one.name == "chain")
    chain = replace(plain, title="by variant", keys=((style.WILD, "wild type"), *keys))
    return replace(
        first,
        view=f"{first.view}-compared",
        models=tuple(models),
        colourings=(chain,),
        colour=chain.name,
        sites=tuple(sites),
        site_labels=tuple(sites.values()),
        contacts=(),
        values=tuple(_values(impacts)),
        stem="glass-compared",
    )


def _values(impacts: Sequence[Impact]) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    for quantity in _QUANTITIES:
        for impact in impacts:
            track = quantity.of(impact)
            if track is not None:
                texts = tuple(None if np.isnan(v) else f"{v:.3f}" for v in track)
                yield f"{impact.written} {quantity.title}", texts


def _check(impacts: Sequence[Impact]) -> None:
    if not 2 <= len(impacts) <= MOST:
        raise InputError(f"comparison: takes 2 to {MOST} variants, not {len(impacts)}.")
    if len({impact.variant.wild_type for impact in impacts}) > 1:
        raise InputError("comparison: the variants are of different proteins.")
