"""The process in which a backend runs: ``python -m glass_core.remodel.worker FOLDER``."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from glass_core.errors import GlassError
from glass_core.remodel.base import RemodelSettings
from glass_core.remodel.runner import JOB_FILE, OUTPUTS, WILD_FILE
from glass_core.structure import Structure
from glass_core.structure_file import read_structure, write_structure


class Relax(Protocol):
    """One relaxation: rebuild `rebuilt` residues, perturb the start, run the protocol."""

    def __call__(
        self, wild: Structure, rebuilt: Mapping[int, str], settings: RemodelSettings,
        start_seed: tuple[int, int], stage: Callable[[str, float], None],
    ) -> Structure: ...


def run_job(folder: Path) -> None:
    """Do the job described in `folder` and write its three structures there."""
    job = json.loads((folder / JOB_FILE).read_text())
    wild = read_structure(folder / WILD_FILE)
    settings = RemodelSettings(**job["settings"])
    mutations = {int(k): v for k, v in job["substitutions"].items()}
    to_itself = {k: wild.sequence[k] for k in mutations}
    relax = _backend(job["backend"])
    plan: tuple[tuple[str, dict[int, str], int], ...] = (
        ("reference", {}, 0), ("mutant", mutations, 1), ("floor", to_itself, 1)
    )
    for number, (role, rebuilt, start) in enumerate(plan):
        def stage(words: str, fraction: float, role: str = role, number: int = number) -> None:
            done = (number + fraction) / len(plan)
            print(json.dumps({"stage": f"{role}: {words}", "fraction": done}), flush=True)

        stage("starting", 0.0)
        structure = relax(wild, rebuilt, settings, (job["seed"], start), stage)
        (folder / f"{role}.cif").write_text(write_structure(structure, "mmcif"))
    assert {role for role, *_ in plan} == set(OUTPUTS)


def _backend(name: str) -> Relax:
    if name == "openmm":
        from glass_core.remodel import openmm

        return openmm.relax
    from glass_core.remodel import modeller

    return modeller.relax


def _die_with_parent() -> None:
    """End when the parent's pipe closes, so that no orphan computes on."""
    def watch() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    _die_with_parent()
    try:
        run_job(Path(sys.argv[1]))
    except GlassError as error:
        sys.exit(str(error))
