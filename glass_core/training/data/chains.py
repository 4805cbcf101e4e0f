"""Chains to pair: read from a table or a folder of structure files, with their side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from glass_core.errors import GlassError, InputError
from glass_core.protein.structure.file import list_chains, read_structure
from glass_core.training.data.splits import largest_name, split_of_name

CHAIN_COLUMNS = ("id", "sequence", "ca", "cluster", "group", "side")
"""`ca` holds one array of shape=(L, 3) per chain, Å."""
MIN_LENGTH = 20
STRUCTURE_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif", ".bcif")
_CLUSTER, _GROUP = ("cluster40", "cluster"), ("split_group", "group")


def read_chains(
    source: Path, reject: Callable[[str], None], left_out: tuple[str, ...] = ()
) -> pd.DataFrame:
    """All chains of `source`, with columns `CHAIN_COLUMNS`.

    Parameters
    ----------
    source : Path
        A Parquet table with ``id``, ``sequence``, ``ca`` (x, y, z of every residue,
        flat) and, where known, a cluster (``cluster40`` or ``cluster``) and the group
        that a split must not cut (``split_group`` or ``group``); or a folder of
        structure files, of which every protein chain is taken. Without a group each
        file is one.
    reject : callable
        Told of every chain that cannot be used, in words.
    left_out : tuple of str
        Pandas queries; rows that match one are left out of a table.

    Raises
    ------
    InputError
        There is nothing to read, or the table lacks a column.
    """
    if source.is_dir():
        table = _from_folder(source, reject)
    elif source.suffix == ".parquet" and source.is_file():
        table = _from_table(source, left_out)
    else:
        raise InputError(f"{source}: is neither a folder of structures nor a Parquet table.")
    short = table["sequence"].str.len() < MIN_LENGTH
    for name in table.loc[short, "id"]:
        reject(f"{name}: has under {MIN_LENGTH} residues")
    table = table[~short].reset_index(drop=True)
    if table.empty:
        raise InputError(f"{source}: holds no protein chain of {MIN_LENGTH} residues or more.")
    biggest = largest_name(table["group"])
    table["side"] = [split_of_name(g, biggest) for g in table["group"]]
    return table[list(CHAIN_COLUMNS)]


def _from_table(path: Path, left_out: tuple[str, ...]) -> pd.DataFrame:
    table = pd.read_parquet(path)
    missing = {"id", "sequence", "ca"} - set(table.columns)
    if missing:
        raise InputError(f"{path.name}: lacks the column {', '.join(sorted(missing))}.")
    for query in left_out:
        table = table.drop(table.query(query).index)
    table = table.rename(columns=str).reset_index(drop=True)
    group = next((c for c in _GROUP if c in table), "id")
    cluster = next((c for c in _CLUSTER if c in table), group)
    return pd.DataFrame(
        {
            "id": table["id"].astype(str),
            "sequence": table["sequence"],
            "ca": [np.asarray(c, dtype=float).reshape(-1, 3) for c in table["ca"]],
            "cluster": table[cluster].astype(str),
            "group": table[group].astype(str),
        }
    )


def _from_folder(folder: Path, reject: Callable[[str], None]) -> pd.DataFrame:
    rows = []
    files = [
        p
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name.removesuffix(".gz").endswith(STRUCTURE_SUFFIXES)
    ]
    for path in files:
        stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
        try:
            content = path.read_bytes()
            for chain in list_chains(content, name=path.name):
                structure = read_structure(content, chain=chain.id, name=path.name)
                rows.append(
                    {
                        "id": f"{stem}_{chain.id}",
                        "sequence": structure.sequence,
                        "ca": structure.ca,
                        "cluster": stem,
                        "group": stem,
                    }
                )
        except (GlassError, OSError) as error:
            reject(f"{path.name}: {error}")
    return pd.DataFrame(rows, columns=list(CHAIN_COLUMNS[:-1]))
