"""The background of the map: chains with their classes, laid out once and kept with the space."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.errors import InputError, UnavailableError, one_line
from glass_core.models.space.base import Space, SpaceInfo, Told, stretch, untold
from glass_core.protein.fold_classes import LEVELS
from glass_core.protein.structure.backbone import Backbone
from glass_core.records import require
from glass_core.settings import Settings
from glass_core.space.placing import KINDS, Kind, Point
from glass_core.space.projection import (
    LAYOUTS,
    NEW_PERPLEXITY,
    PERPLEXITY,
    SEED,
    Layout,
    Pca,
    Projection,
    Tsne,
    restored,
)

BACKGROUND_FILE = "background.parquet"
SHORTEST_WORD = 3
COLUMNS = ("id", "kind", "length", "sequence", *LEVELS, "x_tsne", "y_tsne", "x_pca", "y_pca")
_META = b"glass_background"


@dataclass(frozen=True, eq=False)
class Background:
    """What the map shows behind a user's proteins.

    Attributes
    ----------
    table : DataFrame
        `COLUMNS`, a row for each place: the same chain as sequence, structure and stretch, each
        with its letters.
    vectors : ndarray, shape=(n, Z), dtype=float32
    space : str
        SHA-256 of the space's weights.
    origin : str
        Where the chains are from, with licences and date.
    """

    table: pd.DataFrame
    vectors: NDArray[np.float32]
    space: str
    origin: str

    def __post_init__(self) -> None:
        require(len(self.table) == len(self.vectors), "vectors", "has a row for each place")
        missing = set(COLUMNS) - set(self.table.columns)
        require(not missing, "table", f"has the columns {', '.join(sorted(missing))}")

    def __len__(self) -> int:
        return len(self.table)

    def sequence_of(self, name: str) -> str:
        """The whole sequence of a chain; '' where the background has it not."""
        rows = self.table[(self.table["id"] == name) & (self.table["kind"] == "sequence")]
        return "" if rows.empty else str(rows["sequence"].iloc[0])

    def named(self, words: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Rows of chains whose id holds one of the words, in whatever case; words of no id.

        Words of fewer than `SHORTEST_WORD` letters are of none.
        """
        ids = self.table["id"].str.lower()
        found, unknown = np.zeros(len(ids), dtype=bool), []
        for word in words.replace(",", " ").split():
            holds = ids.str.contains(word.lower(), regex=False).to_numpy()
            if len(word) < SHORTEST_WORD or not holds.any():
                unknown.append(word)
                continue
            found |= holds
        return np.flatnonzero(found), tuple(unknown)

    @cached_property
    def projections(self) -> dict[Layout, Projection]:
        """Every layout."""
        return {
            layout: restored(
                layout,
                self.vectors,
                self.table[[f"x_{layout}", f"y_{layout}"]].to_numpy(np.float32),
            )
            for layout in LAYOUTS
        }

    def write(self, path: Path) -> None:
        """Write it as Parquet, vectors in half precision."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(self.table[list(COLUMNS)], preserve_index=False)
        half = pa.array(self.vectors.astype(np.float16).ravel())
        rows = pa.FixedSizeListArray.from_arrays(half, self.vectors.shape[1])
        meta = {
            "space": self.space,
            "origin": self.origin,
            "tsne": {"perplexity": PERPLEXITY, "new": NEW_PERPLEXITY, "seed": SEED},
        }
        table = table.append_column("vector", rows)
        table = table.replace_schema_metadata({_META: json.dumps(meta).encode()})
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd", compression_level=19)

    @staticmethod
    def read(path: Path, space: SpaceInfo) -> Background:
        """Read one.

        Raises
        ------
        InputError
            It is missing, damaged, or of another space.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
            meta: dict[str, Any] = json.loads((table.schema.metadata or {})[_META])
            flat = table.column("vector").combine_chunks().flatten().to_numpy(zero_copy_only=False)
            vectors = flat.astype(np.float32).reshape(len(table), -1)
            found = Background(
                table.drop_columns(["vector"]).to_pandas(),
                vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
                str(meta["space"]),
                str(meta["origin"]),
            )
        except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
            raise InputError(
                f"{path.name}: is no background of a map ({one_line(error)})."
            ) from error
        if found.space != space.sha256 or vectors.shape[1] != space.dim:
            raise InputError(f"{path.name}: was made in another space than {space.name}.")
        return found


def open_background(settings: Settings, space: SpaceInfo) -> Background:
    """The background that comes with a space.

    Raises
    ------
    UnavailableError
        It has none.
    InputError
        It is damaged.
    """
    path = settings.assets / "spaces" / space.name / BACKGROUND_FILE
    if not path.is_file():
        raise UnavailableError(f"space '{space.name}': has no map; restore the assets.")
    return Background.read(path, space)


def places_table(background: Background, points: Sequence[Point]) -> pd.DataFrame:
    """Where points lie on the map, a row each, in every layout; their labels beside."""
    table = pd.DataFrame(
        {
            "id": [one.id for one in points],
            "kind": [one.kind for one in points],
            "length": [len(one.sequence) or None for one in points],
            "labels": [one.labels for one in points],
        }
    )
    for layout, projection in background.projections.items():
        x, y = projection.place(np.stack([one.vector for one in points])).T
        table[f"x_{layout}"], table[f"y_{layout}"] = x, y
    return table


def lay_out(
    points: Sequence[Point], classes: pd.DataFrame, space: SpaceInfo, origin: str
) -> Background:
    """A background of placed points.

    Parameters
    ----------
    classes : DataFrame
        ``id`` and `LEVELS`, a row for each chain.
    """
    vectors = np.stack([one.vector for one in points])
    table = pd.DataFrame(
        {
            "id": [one.id for one in points],
            "kind": pd.Categorical([one.kind for one in points], KINDS),
            "length": [len(one.sequence) for one in points],
            "sequence": [one.sequence for one in points],
        }
    ).merge(classes[["id", *LEVELS]], on="id", how="left", validate="many_to_one")
    for projection in (Tsne.of(vectors), Pca.of(vectors)):
        x, y = projection.plane.T
        table[f"x_{projection.layout}"], table[f"y_{projection.layout}"] = x, y
    return Background(table, vectors, space.sha256, origin)


def background_of(
    chains: Sequence[tuple[str, str, Backbone]],
    classes: pd.DataFrame,
    space: Space,
    origin: str,
    told: Told = untold,
) -> Background:
    """Place and lay out chains: each as sequence, as structure, and as a stretch of its sequence.

    Parameters
    ----------
    chains : sequence of (id, sequence, backbone)
    classes : DataFrame
        ``id`` and `LEVELS`, a row for each chain.
    """
    rng = np.random.default_rng(SEED)
    sequences = [sequence for _, sequence, _ in chains]
    cut = [stretch(sequence, rng) for sequence in sequences]
    of_structures = space.of_structures([backbone for *_, backbone in chains], told)
    placed: tuple[tuple[Kind, list[str], NDArray[np.float32]], ...] = (
        ("sequence", sequences, space.of_sequences(sequences)),
        ("structure", sequences, of_structures),
        ("stretch", cut, space.of_sequences(cut)),
    )
    points = [
        Point(name, kind, letters, vector)
        for kind, texts, vectors in placed
        for (name, *_), letters, vector in zip(chains, texts, vectors, strict=True)
    ]
    return lay_out(points, classes, space.info, origin)
