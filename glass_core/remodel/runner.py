"""Runs a backend in a process of its own: own folder, time-out, cancel, progress."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from glass_core.errors import Cancelled, RemodelError
from glass_core.remodel.base import Progress, RemodelSettings, Replicate, check_remodellable
from glass_core.structure import Structure
from glass_core.structure_file import read_structure, write_structure

JOB_FILE, WILD_FILE = "job.json", "wild.cif"
OUTPUTS = ("reference", "mutant", "floor")
_POLL = 0.1
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


def run_backend(
    backend: str,
    wild: Structure,
    substitutions: Mapping[int, str],
    settings: RemodelSettings,
    seed: int,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Replicate:
    """One replicate by `backend`, in a subprocess and a temporary folder of its own.

    Raises
    ------
    RemodelError
        The structure is unfit, the engine failed, or time ran out.
    Cancelled
        `cancelled` answered True; the process is gone when this is raised.
    """
    check_remodellable(wild, substitutions)
    with tempfile.TemporaryDirectory(prefix="glass-remodel-") as name:
        folder = Path(name)
        (folder / WILD_FILE).write_text(write_structure(wild, "mmcif"))
        (folder / JOB_FILE).write_text(json.dumps({
            "backend": backend, "settings": settings.to_dict(), "seed": seed,
            "substitutions": {str(k): v for k, v in substitutions.items()},
        }))
        _run(folder, settings.timeout, progress, cancelled)
        made = {}
        for role in OUTPUTS:
            path = folder / f"{role}.cif"
            if not path.is_file():
                raise RemodelError(f"{backend}: finished without writing the {role} structure.")
            made[role] = read_structure(path)
    label = f"{backend} {settings.protocol}, seed {seed}"
    return Replicate(
        seed=seed,
        **{
            role: Structure(
                s.atoms, f"{wild.name}: {role} ({label})", "remodelled", s.notes, wild.ligands
            )
            for role, s in made.items()
        },
    )


def _run(
    folder: Path,
    timeout: float,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    environment = {**os.environ, "PYTHONPATH": _PACKAGE_ROOT, "PYTHONWARNINGS": "ignore"}
    deadline = time.monotonic() + timeout
    with (folder / "stderr.txt").open("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "glass_core.remodel.worker", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            cwd=folder, env=environment, start_new_session=True,
        )
        try:
            lines = _reader(process)
            while True:
                if cancelled is not None and cancelled():
                    raise Cancelled("Remodelling was cancelled.")
                if time.monotonic() > deadline:
                    raise RemodelError(
                        f"Remodelling took longer than {timeout:g} s and was stopped; raise the "
                        "time-out or use the protocol 'minimise'."
                    )
                with contextlib.suppress(queue.Empty):
                    line = lines.get(timeout=_POLL)
                    if line is None:
                        break
                    if progress is not None and line.startswith("{"):
                        report = json.loads(line)
                        progress(report["stage"], report["fraction"])
            code = process.wait(timeout=30)
        finally:
            _stop(process)
        if code != 0:
            errors.seek(0)
            said = [line.strip() for line in errors.read().splitlines() if line.strip()]
            raise RemodelError(
                f"Remodelling failed: {said[-1][:300] if said else f'exit code {code}'}"
            )


def _reader(process: subprocess.Popen[str]) -> queue.Queue[str | None]:
    """Lines of the worker's output as they come, then None."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    return lines


def _stop(process: subprocess.Popen[str]) -> None:
    """Leave nothing of the worker's process group alive."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
