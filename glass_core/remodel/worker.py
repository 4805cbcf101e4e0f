"""The process in which a backend runs: ``python -m glass_core.remodel.worker FOLDER``."""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from glass_core.errors import GlassError
from glass_core.remodel.base import ROLES, RemodelSettings
from glass_core.remodel.runner import JOB_FILE, MARK, WILD_FILE
from glass_core.structure import Structure
from glass_core.structure_file import read_structure, write_structure

Stage = Callable[[str, float], None]
"""Called with (stage in words, fraction of this structure done)."""


class Relax(Protocol):
    """What a backend's module offers as ``relax_all``: the structures of `ROLES`, in order."""

    def __call__(
        self, wild: Structure, substitutions: Mapping[int, str], settings: RemodelSettings,
        seed: int, stage: Stage,
    ) -> Iterator[Structure]: ...


def run_job(folder: Path) -> None:
    """Do the job described in `folder` and write its three structures there."""
    job = json.loads((folder / JOB_FILE).read_text())
    wild = read_structure(folder / WILD_FILE, name=job["name"])
    settings = RemodelSettings(**job["settings"])
    substitutions = {int(k): str(v) for k, v in job["substitutions"].items()}
    relax_all: Relax = importlib.import_module(job["module"]).relax_all
    done: list[str] = []

    def stage(words: str, fraction: float) -> None:
        role = ROLES[min(len(done), len(ROLES) - 1)]
        _tell(stage=f"{role}: {words}", fraction=(len(done) + fraction) / len(ROLES))

    stage("starting", 0.0)
    structures = relax_all(wild, substitutions, settings, job["seed"], stage)
    for role, structure in zip(ROLES, structures, strict=True):
        (folder / f"{role}.cif").write_text(write_structure(structure, "mmcif"))
        done.append(role)


def _tell(**report: Any) -> None:
    sys.stdout.write(f"{MARK}{json.dumps(report)}\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """End when the parent's pipe closes, so that no orphan computes on."""
    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(folder: Path) -> int:
    """Run the job; errors meant for the user become one line of the report."""
    _end_with_parent()
    try:
        run_job(folder)
    except GlassError as error:
        _tell(error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
