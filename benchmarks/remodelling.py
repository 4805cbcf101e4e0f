"""One seed of a 147-residue chain: reference, mutant and floor."""

from __future__ import annotations

import time

from benchmarks.timing import Row
from glass_core.inputs import EXAMPLE_CHAIN, example_upload
from glass_core.remodel import get_remodeller
from glass_core.remodel.base import RemodelSettings
from glass_core.structure_file import read_structure

TARGET_SECONDS = 30.0


def run() -> list[Row]:
    """One row per protocol."""
    wild = read_structure(example_upload().content, chain=EXAMPLE_CHAIN)
    rows: list[Row] = []
    for protocol in ("minimise", "anneal"):
        start = time.perf_counter()
        get_remodeller().remodel(wild, {30: "P"}, RemodelSettings(protocol=protocol), 1)
        seconds = time.perf_counter() - start
        rows.append((
            f"remodel, 147 residues, one seed, {protocol}", f"{seconds:.1f} s", "",
            f"{TARGET_SECONDS / seconds:.1f} x the target's speed",
            f"at most {TARGET_SECONDS:.0f} s on two cores",
        ))
    return rows
