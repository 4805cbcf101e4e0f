"""Places that were computed before, read from a file: CLSS's structures need ESM3, for one."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.errors import InputError, one_line
from glass_core.models.space.base import SpaceInfo
from glass_core.space.placing import KINDS, Point
from glass_core.space.projection import LAYOUTS

VECTOR_SUFFIXES = (".npz", ".csv", ".parquet")
PLANE_COLUMNS = tuple(f"x_{layout}" for layout in LAYOUTS)


def read_vectors(path: Path, space: SpaceInfo) -> list[Point]:
    """The places that a file holds.

    Parameters
    ----------
    path : Path
        An archive that ``embed --space`` wrote (``.npz``); or a table (``.csv``, ``.parquet``)
        with a column ``id``, perhaps ``kind`` (structure, where there is none), and the numbers
        of each, in one column ``vector`` of lists or in one column for each dimension.
    space : SpaceInfo
        The space that they lie in.

    Raises
    ------
    InputError
        It cannot be read, or was made in another space.
    """
    try:
        names, kinds, vectors = _of_archive(path, space) if path.suffix == ".npz" else _of(path)
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path.name}: holds no places: 'id', and {space.dim} numbers each ({one_line(error)})."
        ) from error
    if vectors.ndim != 2 or vectors.shape[1] != space.dim:
        raise InputError(
            f"{path.name}: has {vectors.shape[-1]} numbers a place, space '{space.name}' "
            f"{space.dim}."
        )
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(vectors).all() or not (length > 0).all():
        row = int(np.flatnonzero(~(np.isfinite(vectors).all(1) & (length[:, 0] > 0)))[0])
        raise InputError(f"{path.name}: '{names[row]}' has no direction (NaN, or all zero).")
    wrong = set(kinds) - set(KINDS)
    if wrong:
        raise InputError(
            f"{path.name}: '{sorted(wrong)[0]}' is no kind; they are {', '.join(KINDS)}."
        )
    return [
        Point("_".join(name.split()), kind, "", vector)  # type: ignore[arg-type]
        for name, kind, vector in zip(names, kinds, vectors / length, strict=True)
    ]


Read = tuple[list[str], list[str], NDArray[np.float32]]


def _of_archive(path: Path, space: SpaceInfo) -> Read:
    try:
        opened = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise ValueError("not an archive of arrays") from error
    with opened as archive:
        made = str(archive["space"]) if "space" in archive else ""
        if made and made.split()[-1] != space.sha256:
            raise InputError(f"{path.name}: was made in space '{made.split()[0]}'.")
        names = [str(name) for name in archive["names"]]
        kinds = [str(kind) for kind in archive["kinds"]]
        vectors = np.asarray(archive["vectors"], dtype=np.float32)
    if not len(names) == len(kinds) == len(vectors):
        raise ValueError("names, kinds and vectors differ in number")
    return names, kinds, vectors


def _of(path: Path) -> Read:
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    if set(PLANE_COLUMNS) & set(table.columns):
        raise InputError(
            f"{path.name}: says where places lie in a plane, which tells not where they lie in the "
            "space; give the vectors that were written beside it."
        )
    names = [str(name) for name in table["id"]]
    kinds = table["kind"].astype(str) if "kind" in table else pd.Series(["structure"] * len(table))
    rows: Any
    if "vector" in table:
        rows = np.stack([np.asarray(row, dtype=np.float32) for row in table["vector"]])
    else:
        rows = table.drop(columns=["id", "kind"], errors="ignore").select_dtypes("number")
    return names, list(kinds), np.asarray(rows, dtype=np.float32)
