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
from glass_core.protein.structure.write import write_structure
from glass_core.remodel.base import (
    ROLES,
    START,
    Relaxed,
    RemodelRequest,
    RemodelSettings,
    RoleStage,
)
from glass_core.remodel.remembered import PROTONATION_FILE
from glass_core.remodel.runner import FOLDER_PREFIX, JOB_FILE, MARK, WILD_FILE


class Backend(Protocol):
    """What a backend's module offers."""

    def relax_all(
        self, request: RemodelRequest, stage: RoleStage, known: Relaxed | None = None
    ) -> Relaxed:
        """The structures of `ROLES`, and what a later request with other letters may begin with.

        Of `known`, which it made for the same wild type, sites, settings and seed, nothing is
        made again; the rest is then the same as without.
        """
        ...

    def shares(self, settings: RemodelSettings) -> Mapping[str, float]:
        """What `relax_all` reports on -> its share of the whole time; they sum up to 1."""
        ...


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
    backend: Backend = importlib.import_module(job["module"])
    known = read_relaxed(folder) if job["known"] else None
    made = backend.relax_all(request, _Progress(_shares(backend, request.settings, known)), known)
    for name, structure in made.structures.items():
        (folder / f"{name}.cif").write_text(write_structure(structure, "mmcif"))
    (folder / PROTONATION_FILE).write_text(json.dumps(dict(made.protonation)))


def read_relaxed(folder: Path) -> Relaxed:
    """What a backend made of a request with other letters; see `remembered`."""
    protonation = json.loads((folder / PROTONATION_FILE).read_text())
    return Relaxed(
        {
            name: read_structure(path)
            for name in (START, *ROLES)
            if (path := folder / f"{name}.cif").is_file()
        },
        {int(place): str(name) for place, name in protonation.items()},
    )


def _shares(backend: Backend, settings: RemodelSettings, known: Relaxed | None) -> dict[str, float]:
    """Of what is still to be made."""
    left = {
        name: share
        for name, share in backend.shares(settings).items()
        if known is None or name not in known.structures
    }
    return {name: share / sum(left.values()) for name, share in left.items()}


class _Progress:
    """Sums up what the relaxations report, perhaps at the same time."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = shares
        self._done = dict.fromkeys(shares, 0.0)
        self._lock = threading.Lock()

    def __call__(self, role: str, words: str, fraction: float) -> None:
        with self._lock:
            self._done[role] = max(self._done[role], fraction)
            done = sum(share * self._done[one] for one, share in self._shares.items())
            _tell(stage=f"{role}: {words}", fraction=min(done, 1.0))


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
