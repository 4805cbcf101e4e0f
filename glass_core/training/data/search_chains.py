"""The chains of the database that comes with the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from glass_core.search.entry import PDB, Entry

EXPERIMENTS = {"xray": "X-ray", "nmr": "NMR", "em": "electron microscopy"}
_SCOP = re.compile(r"d\d[a-z0-9]{3}(?P<chain>[a-z0-9])[a-z0-9_]")
_CHAINS = (
    re.compile(r"\d[A-Za-z0-9]{3}_(?P<chain>[A-Za-z0-9]+)(?:\.\d+)?"),
    re.compile(r"\d[a-z0-9]{3}(?P<chain>[A-Za-z0-9])\d\d"),
    _SCOP,
)
"""As PDB's entries with a chain, CATH's domains and SCOP's write it."""
_RESTRICTED = r"non-commercial|\bNC\b"
LICENCE = (
    "sequences of entries of the Protein Data Bank, CC0 1.0; classes of CATH 4.3 (CC BY 4.0) and "
    "SCOPe"
)


def experimental_entries(chains: Path, folds: Path) -> Iterator[Entry]:
    """Chains of experimental structures, whose source is free for every use, with their classes.

    Parameters
    ----------
    chains : Path
        Parquet table of chains: id, sequence, kind, pdb_id, resolution, license_note.
    folds : Path
        Parquet table of their classes: id, scheme, superfamily, fold, n_domains.
    """
    table = pd.read_parquet(
        chains, columns=["id", "sequence", "kind", "pdb_id", "resolution", "license_note"]
    )
    free = ~table["license_note"].fillna("").str.contains(_RESTRICTED, regex=True)
    table = table[table["kind"].isin(EXPERIMENTS) & free]
    labels = _labels(pd.read_parquet(folds))
    for row in table.itertuples():
        told = [EXPERIMENTS[str(row.kind)]]
        if row.resolution == row.resolution:
            told.append(f"{row.resolution:.1f} Å")
        known = isinstance(row.pdb_id, str) and row.pdb_id
        if known:
            told.insert(0, f"PDB {row.pdb_id}")
        name = str(row.id)
        yield Entry(
            "_".join(name.split()),
            str(row.sequence),
            ", ".join(told),
            labels.get(name, ""),
            f"{PDB}{row.pdb_id}" if known else "",
            chain_of(name),
        )


def chain_of(name: str) -> str:
    """The chain that a chain or domain is of, by the form of its name; '' where it is another.

    Examples
    --------
    >>> chain_of("2ht0_A"), chain_of("1abcA02"), chain_of("d1abca_"), chain_of("4ozf_B.2")
    ('A', 'A', 'A', 'B')
    """
    for form in _CHAINS:
        if found := form.fullmatch(name):
            chain = found["chain"]
            return chain.upper() if form is _SCOP else chain
    return ""


def _labels(folds: pd.DataFrame) -> dict[str, str]:
    """Id -> its classes, such as ``CATH 1.10.490.10; SCOP a.1.1``."""
    code = folds["superfamily"].fillna(folds["fold"])
    words = (folds["scheme"] + " " + code)[code.notna()]
    return {str(name): "; ".join(dict.fromkeys(some)) for name, some in words.groupby(folds["id"])}
