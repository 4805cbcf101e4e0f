"""The map as a bundle that ProtSpace opens (github.com/tsenoner/protspace), in its first layout.

Three Parquet tables with a delimiter between them: what is told of each place, the projections,
and where each place lies in them.
"""

from __future__ import annotations

import json

import pandas as pd

from glass_core.protein.fold_classes import LEVELS, with_name
from glass_core.space.background import Background, places_table
from glass_core.space.mapped import Mapped
from glass_core.space.projection import LAYOUTS, NEW_PERPLEXITY, PERPLEXITY, SEED

DELIMITER = b"---PARQUET_DELIMITER---"
_NAMES = {"tsne": "t-SNE_2", "pca": "PCA_2"}
_INFO = {"tsne": {"perplexity": PERPLEXITY, "new_points": NEW_PERPLEXITY, "seed": SEED}, "pca": {}}


def protspace_bundle(background: Background, mapped: Mapped | None) -> bytes:
    """The background, and what was laid on it, as one file.

    Identifiers are ``id (kind)``, since one protein may have several places.
    """
    table = _told(background, mapped)
    table.insert(0, "identifier", _identifiers(table))
    places = pd.concat(
        [
            pd.DataFrame(
                {
                    "projection_name": _NAMES[layout],
                    "identifier": table["identifier"],
                    "x": table[f"x_{layout}"].astype(float),
                    "y": table[f"y_{layout}"].astype(float),
                    "z": pd.Series(float("nan"), index=table.index),
                }
            )
            for layout in LAYOUTS
        ]
    )
    made = pd.DataFrame(
        {
            "projection_name": [_NAMES[layout] for layout in LAYOUTS],
            "dimensions": 2,
            "info_json": [json.dumps(_INFO[layout]) for layout in LAYOUTS],
        }
    )
    told = table[["identifier", "id", "kind", "given", "length", *LEVELS]].fillna({"length": 0})
    return DELIMITER.join(one.to_parquet(index=False) for one in (told, made, places))


def _told(background: Background, mapped: Mapped | None) -> pd.DataFrame:
    table = background.table.assign(given="background")
    if mapped is not None:
        own = places_table(background, mapped.points).assign(given="yours")
        table = pd.concat([table, own], ignore_index=True)
    told: pd.DataFrame = table.assign(
        kind=table["kind"].astype(str),
        length=pd.to_numeric(table["length"]),
        **{level: table[level].fillna("").map(with_name) for level in LEVELS},
    )
    return told


def _identifiers(table: pd.DataFrame) -> pd.Series:
    """``id (kind)``, with a number behind where that stands for several."""
    name = table["id"].astype(str) + " (" + table["kind"] + ")"
    again = name.groupby(name).cumcount()
    return name.where(again == 0, name + " " + (again + 1).astype(str))
