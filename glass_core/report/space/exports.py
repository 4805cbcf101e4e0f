"""The files of a map."""

from __future__ import annotations

import pandas as pd

from glass_core.models.space.base import SpaceInfo
from glass_core.report.export import Export, safe_stem
from glass_core.report.space.bundle import protspace_bundle
from glass_core.report.space.page import map_page
from glass_core.space.background import Background, places_table
from glass_core.space.mapped import Mapped
from glass_core.space.projection import Layout


def map_exports(
    background: Background, mapped: Mapped, space: SpaceInfo, layout: Layout, colouring: str
) -> tuple[Export, ...]:
    """The map as a page, its places as tables, and as a bundle for ProtSpace."""
    stem = file_stem(mapped)
    return (
        Export(
            "Map (HTML)",
            f"{stem}.html",
            "text/html",
            lambda: map_page(background, mapped.points, space, layout, colouring),
        ),
        Export("Places (CSV)", f"{stem}.csv", "text/csv", lambda: places_csv(background, mapped)),
        Export("Vectors (CSV)", f"{stem}-vectors.csv", "text/csv", lambda: vectors_csv(mapped)),
        Export(
            "ProtSpace",
            f"{stem}.parquetbundle",
            "application/octet-stream",
            lambda: protspace_bundle(background, mapped),
        ),
    )


def file_stem(mapped: Mapped) -> str:
    """Begins the names of all its files."""
    return safe_stem("glass-map", mapped.points[0].id, "protein")


def places_csv(background: Background, mapped: Mapped) -> str:
    """Where a user's points lie in every layout."""
    return places_table(background, mapped.points).to_csv(index=False)


def vectors_csv(mapped: Mapped) -> str:
    """Their places in the whole space, as `glass_core.space.vectors.read_vectors` takes them."""
    told = pd.DataFrame([one.vector for one in mapped.points]).add_prefix("z")
    told.insert(0, "kind", [one.kind for one in mapped.points])
    told.insert(0, "id", [one.id for one in mapped.points])
    return told.to_csv(index=False, float_format="%.6f")
