"""A map as a file, by the end of its name."""

from __future__ import annotations

from pathlib import Path

from glass_core.models.space.base import SpaceInfo
from glass_core.report.space.bundle import protspace_bundle
from glass_core.report.space.exports import places_csv
from glass_core.report.space.figures import map_figure
from glass_core.report.space.page import map_page
from glass_core.report.space.pictures import picture
from glass_core.space.background import Background
from glass_core.space.mapped import Mapped
from glass_core.space.projection import Layout


def write_map(
    out: Path,
    background: Background,
    mapped: Mapped,
    space: SpaceInfo,
    layout: Layout,
    colouring: str,
) -> None:
    """Write the map, or its places.

    Parameters
    ----------
    out : Path
        Ends in ``.html``, ``.png``, ``.svg``, ``.csv`` or ``.parquetbundle``.

    Raises
    ------
    UnavailableError
        A picture, and no browser to draw it.
    """
    match out.suffix:
        case ".html":
            page = map_page(background, mapped.points, space, layout, colouring)
            out.write_text(page, encoding="utf-8")
        case ".csv":
            out.write_text(places_csv(background, mapped), encoding="utf-8")
        case ".parquetbundle":
            out.write_bytes(protspace_bundle(background, mapped))
        case ".png" | ".svg":
            drawn = map_figure(background, mapped.points, layout, colouring)
            out.write_bytes(picture(drawn, "png" if out.suffix == ".png" else "svg"))
        case _:
            raise ValueError(f"no map is written as {out.suffix!r}")
