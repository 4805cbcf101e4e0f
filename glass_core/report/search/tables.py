"""Neighbours and what stands at a site in them, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from glass_core.protein.sequence import THREE_LETTER
from glass_core.protein.writing import write_change
from glass_core.records import Column
from glass_core.search.known import KnownThere
from glass_core.search.neighbours import Neighbour
from glass_core.search.relatives import Relatives
from glass_core.search.rows import NEIGHBOUR_COLUMNS, neighbour_row
from glass_core.search.site import SiteColumn

CHANCE = "chance of the same fold"
_SHOWN = {
    "rank": "rank",
    "database_id": "neighbour",
    "fold_chance": CHANCE,
    "tm-score": "TM-score (predicted)",
    "confirmed_tm": "TM-score (TM-align)",
    "site": "at the site",
    "identity": "identity",
    "coverage": "coverage",
    "alignment_score": "alignment score",
    "labels": "class",
    "description": "source",
    "length": "length",
}
ITSELF = "itself"


def neighbour_table(
    found: Relatives, site: int | None = None, only: Iterable[Neighbour] | None = None
) -> pd.DataFrame:
    """A row for each neighbour; columns without any value are left out.

    Parameters
    ----------
    site : int, optional
        1-based position of the protein.
    only : iterable of Neighbour, optional
        By default all of them.
    """
    rows = []
    for one in found.neighbours if only is None else only:
        row = neighbour_row(one, site)
        if one.is_query:
            row["description"] = ", ".join(filter(None, (ITSELF, row["description"])))
        rows.append({title: row[name] for name, title in _SHOWN.items()})
    table = pd.DataFrame(rows, columns=list(_SHOWN.values()))
    return table.loc[:, table.notna().any() & (table != "").any()]


def column_help() -> dict[str, Column]:
    """Title in `neighbour_table` -> what it means."""
    return {title: NEIGHBOUR_COLUMNS[name] for name, title in _SHOWN.items()}


def site_table(column: SiteColumn) -> pd.DataFrame:
    """What stands in each neighbour at a site, the likeliest first."""
    rows = [
        {
            "neighbour": one.entry,
            "residue": "none" if one.letter == "-" else THREE_LETTER.get(one.letter, "unknown"),
            "position there": one.position,
            "similarity of the pair": one.confidence,
            "weight": one.weight,
        }
        for one in column.members
    ]
    return pd.DataFrame(rows).astype({"position there": "Int64"}) if rows else pd.DataFrame()


def known_table(found: Iterable[KnownThere]) -> pd.DataFrame:
    """Known variants at the facing residues of neighbours, as the databases have them."""
    rows = [
        {
            "neighbour": one.entry,
            "UniProt": one.accession,
            "variant there": write_change(variant.change),
            "significance": variant.significance,
            "description": variant.description,
            "source": variant.source,
        }
        for one in found
        for variant in one.variants
    ]
    return pd.DataFrame(rows)
