"""The process in which a backend runs: ``python -m glass_core.remodel.worker FOLDER``."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from glass_core.errors import GlassError
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure
from glass_core.remodel.base import ROLES, RemodelRequest, RemodelSettings, RoleStage
from glass_core.remodel.runner import FOLDER_PREFIX, JOB_FILE, MARK, WILD_FILE


class Relax(Protocol):
    """What a backend's module offers as ``relax_all``: the structures of `ROLES` by name."""

    def __call__(self, request: RemodelRequest, stage: RoleStage) -> Mapping[str, Structure]: ...


def run_job(folder: Path) -> None:
    """Do the job described in `folder` and write its three structures there."""
    job = json.loads((folder / JOB_FILE).read_text())
    wild = read_structure(folder / WILD_FILE, name=job["name"])
    request = RemodelRequest(
        wild,
        {int(k): str(v) for k, v in job["substitutions"].items()},
        RemodelSettings(**job["settings"]),
        job["seed"],
    )
    relax_all: Relax = importlib.import_module(job["module"]).relax_all
    structures = relax_all(request, _Progress())
    for role in ROLES:
        (folder / f"{role}.cif").write_text(write_structure(structures[role], "mmcif"))


class _Progress:
    """Sums up what the relaxations of the roles report, perhaps at the same time."""

    def __init__(self) -> None:
        self._done = dict.fromkeys(ROLES, 0.0)
        self._lock = threading.Lock()

    def __call__(self, role: str, words: str, fraction: float) -> None:
        with self._lock:
            self._done[role] = max(self._done[role], fraction)
            _tell(stage=f"{role}: {words}", fraction=sum(self._done.values()) / len(ROLES))


def _tell(**report: Any) -> None:
    sys.stdout.write(f"{MARK}{json.dumps(report)}\n")
    sys.stdout.flush()


def _end_with_parent(folder: Path) -> None:
    """End, and clear up, when the parent's pipe closes, so that no orphan computes on."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        if folder.name.startswith(FOLDER_PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(folder: Path) -> int:
    """Run the job; errors meant for the user become one line of the report."""
    _end_with_parent(folder)
    try:
        run_job(folder)
    except GlassError as error:
        _tell(error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
