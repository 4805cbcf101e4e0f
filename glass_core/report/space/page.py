"""The map as one HTML file, which opens without a network."""

from __future__ import annotations

from collections.abc import Sequence

from glass_core import __version__
from glass_core.models.space.base import SpaceInfo
from glass_core.report.page import figure_html, filled, report_page, table_html
from glass_core.report.space.figures import (
    distance_table,
    inset_figure,
    map_figure,
    neighbours_table,
)
from glass_core.report.space.words import map_lead, map_method
from glass_core.space.background import Background
from glass_core.space.placing import Point
from glass_core.space.projection import Layout

MOST_LISTED = 12
"""Points whose nearest neighbours are listed."""
_NEIGHBOURS = 8
_BODY = """<p class="brand">GLASS</p><h1>{{ title }}</h1>
<p class="lead">{{ lead }}</p>
<figure class="drawn">{{ map|safe }}<figcaption>{{ caption }}</figcaption></figure>
{% if inset %}<h2>Yours among themselves</h2>
<figure class="drawn">{{ inset|safe }}<figcaption>The same points alone, in the two directions in
which they differ most, at a scale of their own: how far a mutant lies from its wild type, the map
above does not tell.</figcaption></figure>{% endif %}
{{ distances|safe }}
<h2>Nearest of the background</h2>
<p>In the whole space, not in the plane.</p>
{% for table in neighbours %}{{ table|safe }}{% endfor %}"""
_COLUMNS = (
    ("id", "The protein or chain."),
    ("kind", "What was placed: its sequence, its structure, or a stretch of the sequence."),
    ("cosine", "Of both places in the whole space: 1 at the same place."),
    ("distance", "Between both places in the whole space, from 0 to 2."),
    ("class, architecture, fold, superfamily", "Codes of CATH; 'fold' is its topology."),
)


def map_page(
    background: Background,
    points: Sequence[Point],
    space: SpaceInfo,
    layout: Layout,
    colouring: str,
) -> str:
    """The whole page.

    Parameters
    ----------
    points : sequence of Point
        At least one, the wild type or query first.
    """
    several = len(points) > 1
    lead = (
        f"{map_lead(points, background)}. Sequences are circles, structures plus signs, stretches "
        "of a sequence crosses; a click on an entry of the legend hides it."
    )
    body = filled(
        _BODY,
        {
            "title": f"{points[0].id} in protein space",
            "lead": lead,
            "map": figure_html(
                map_figure(background, points, layout, colouring), "glass-map", script=True
            ),
            "caption": map_method(layout, colouring),
            "inset": figure_html(inset_figure(points), "glass-map-inset") if several else "",
            "distances": table_html(
                distance_table(points), f"Distances to {points[0].id} in the whole space."
            )
            if several
            else "",
            "neighbours": [
                table_html(
                    neighbours_table(background, one, _NEIGHBOURS),
                    f"Nearest to {one.id} ({one.kind}).",
                )
                for one in points[:MOST_LISTED]
            ],
        },
    )
    provenance = [
        ("space", f"{space.name} {space.version}, SHA-256 {space.sha256}"),
        ("sequences read by", space.sequences),
        ("structures read by", space.structures or "nothing: this space places none"),
        ("background", background.origin),
        ("GLASS", __version__),
    ]
    return report_page(f"{points[0].id} in protein space", body, _COLUMNS, provenance)
