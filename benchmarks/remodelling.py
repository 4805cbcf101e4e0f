"""How long one seed of remodelling takes."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from tmtools.testing import get_pdb_path

from benchmarks.timing import Row
from glass_core.protein.structure.file import read_structure
from glass_core.remodel import get_remodeller
from glass_core.remodel.base import RemodelRequest, RemodelSettings

TARGET_S = 30.0
"""One seed (reference, mutant, floor) of a 150-residue protein on two CPU cores."""
SITE = 50
"""0-based residue of 2GTL chain A that becomes tryptophan."""


def run(threads: int = 2) -> list[Row]:
    """One row per protocol for one substitution in 2GTL chain A."""
    wild = read_structure(Path(get_pdb_path("2gtl")), chain="A")
    rows: list[Row] = []
    for protocol in ("minimise", "anneal"):
        settings = RemodelSettings(protocol=protocol, threads=threads)
        begin, cpu_begin = time.perf_counter(), _cpu_of_children()
        get_remodeller("openmm").remodel(RemodelRequest(wild, {SITE: "W"}, settings))
        seconds = time.perf_counter() - begin
        cpu = _cpu_of_children() - cpu_begin
        rows.append(
            (
                f"remodel, openmm {protocol}, one seed, {len(wild)} residues, {threads} threads",
                f"{seconds:.1f} s",
                f"{cpu:.1f} s of processor time",
                "",
                f"at most {TARGET_S:.0f} s" if protocol == "minimise" else "",
            )
        )
    return rows


def _cpu_of_children() -> float:
    """Seconds of processor time that ended child processes took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
