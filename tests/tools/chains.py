"""A table of chains with made-up backbones: families of two on all sides of the split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from glass_core.protein.sequence import STANDARD

FAMILIES, SHORTEST = 40, 30


def chain_table(path: Path) -> Path:
    """Write it: two chains of one shape for each family, and a chain without a backbone."""
    rng, rows = np.random.default_rng(0), []
    for family in range(FAMILIES):
        ca = np.cumsum(rng.normal(scale=2.2, size=(SHORTEST + family, 3)), axis=0)
        for member in range(2):
            atoms = ca[:, None] + [[1.2, 0.8, 0], [0, 0, 0], [-1, 1, 0.3], [-1, 2, 0.3]]
            rows.append(
                {
                    "id": f"c{family}_{member}",
                    "sequence": "".join(rng.choice(list(STANDARD), len(ca))),
                    "backbone": (atoms + rng.normal(scale=0.1, size=atoms.shape)).ravel(),
                    "cluster40": family,
                    "split_group": family,
                    "kind": "model" if family == 7 else "xray",
                }
            )
    rows.append({**rows[0], "id": "trace", "backbone": None})
    pd.DataFrame(rows).to_parquet(path)
    return path
