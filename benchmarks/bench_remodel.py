"""How long one seed of remodelling takes: ``python benchmarks/bench_remodel.py``."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tmtools.testing import get_pdb_path

from glass_core.remodel import get_remodeller
from glass_core.remodel.base import RemodelSettings
from glass_core.structure_file import read_structure

TARGET_S = 30.0
"""One seed (reference, mutant, floor) of a 150-residue protein on two CPU cores."""
SITE = 50
"""0-based residue of 2GTL chain A that becomes tryptophan."""


def run(threads: int = 2) -> list[tuple[str, str]]:
    """(what, figure) for one substitution in 2GTL chain A, by each protocol."""
    wild = read_structure(Path(get_pdb_path("2gtl")), chain="A")
    rows = []
    for protocol in ("minimise", "anneal"):
        settings = RemodelSettings(protocol=protocol, threads=threads)
        begin, cpu_begin = time.perf_counter(), _cpu_of_children()
        get_remodeller("openmm").remodel(wild, {SITE: "W"}, settings, 1)
        seconds = time.perf_counter() - begin
        target = f" (target {TARGET_S:.0f} s)" if protocol == "minimise" else ""
        cpu = _cpu_of_children() - cpu_begin
        rows.append((
            f"remodel, openmm {protocol}, one seed, {len(wild)} residues, {threads} threads",
            f"{seconds:.1f} s{target}, {cpu:.1f} s of processor time",
        ))
    return rows


def _cpu_of_children() -> float:
    """Seconds of processor time that ended child processes took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    for what, figure in run():
        sys.stdout.write(f"{what}: {figure}\n")
    sys.stdout.write(f"cores: {os.cpu_count()}, load: {os.getloadavg()[0]:.1f}\n")
