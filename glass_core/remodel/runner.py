"""Runs a backend in a process of its own: own folder, time-out, cancel, progress.

The engines are numerical code that may crash, hang or write where they stand.
Each replicate therefore gets a fresh process in a process group of its own and
a fresh temporary folder, both gone when `remodel` returns or raises.
"""

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
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from glass_core.errors import RemodelError, UnavailableError
from glass_core.progress import UNWATCHED, Stage, Watch
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure
from glass_core.remodel.base import ROLES, RemodelRequest, Replicate
from glass_core.remodel.remembered import RememberedRelaxations, relaxation_key

JOB_FILE, WILD_FILE = "job.json", "wild.cif"
FOLDER_PREFIX = "glass-remodel-"
MARK = "@glass "
"""Starts the worker's own lines; an engine may print others."""
_POLL_S = 0.1
_LAST_LINE = 300
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


class SubprocessRemodeller(ABC):
    """A `Remodeller` whose engine runs in a process of its own.

    Attributes
    ----------
    name : str
    module : str
        Importable module that offers what a `worker.Backend` does.

    Parameters
    ----------
    remembered : Path, optional
        Folder that keeps what does not depend on the new letters, see `remembered`.
    """

    name: str
    module: str

    def __init__(self, remembered: Path | None = None) -> None:
        self._remembered = None if remembered is None else RememberedRelaxations(remembered)

    @abstractmethod
    def version(self) -> str:
        """Name and version of the engine, for provenance."""

    @abstractmethod
    def unavailable_reason(self) -> str | None:
        """Why it cannot be used here and how to mend that; None when it can."""

    def require(self) -> None:
        """Raise `UnavailableError` unless it can be used here."""
        reason = self.unavailable_reason()
        if reason is not None:
            raise UnavailableError(f"{self.name}: {reason}")

    def remodel(self, request: RemodelRequest, watch: Watch = UNWATCHED) -> Replicate:
        """Run one seed; see `base.Remodeller`. The process is gone when this ends."""
        self.require()
        wild, seed, settings = request.wild, request.seed, request.settings
        with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as folder_name:
            folder = Path(folder_name)
            key = relaxation_key(self.version(), request) if self._remembered else ""
            known = self._remembered is not None and self._remembered.recall(key, folder)
            (folder / WILD_FILE).write_text(write_structure(wild, "mmcif", with_ligands=True))
            (folder / JOB_FILE).write_text(
                json.dumps(
                    {
                        "module": self.module,
                        "name": wild.name,
                        "settings": settings.to_dict(),
                        "seed": seed,
                        "known": known,
                        "substitutions": {str(k): request.substitutions[k] for k in request.sites},
                    }
                )
            )
            _run(folder, settings.timeout_s, watch)
            if self._remembered is not None and not known:
                self._remembered.keep(key, folder)
            structures = {}
            for role in ROLES:
                path = folder / f"{role}.cif"
                if not path.is_file():
                    raise RemodelError(
                        f"{self.name}: finished without writing the {role} structure."
                    )
                label = f"{role} ({self.name} {settings.protocol}, seed {seed})"
                structures[role] = _named(read_structure(path), wild, label)
        return Replicate(seed=seed, **structures)


def _named(made: Structure, wild: Structure, label: str) -> Structure:
    return Structure(made.atoms, f"{wild.name}: {label}", "remodelled", made.notes, wild.ligands)


def _run(folder: Path, timeout_s: float, watch: Watch) -> None:
    """Run the worker on `folder` until it ends, time is up or the user cancels."""
    search_path = os.pathsep.join(filter(None, (_PACKAGE_ROOT, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": search_path, "PYTHONWARNINGS": "ignore"}
    deadline = time.monotonic() + timeout_s
    with (folder / "stderr.txt").open("w+", errors="replace") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "glass_core.remodel.worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        failure = None
        try:
            lines = _reader(process)
            while True:
                watch.stop_if_cancelled("Remodelling")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise RemodelError(
                        f"Remodelling took longer than {timeout_s:g} s and was stopped; raise the "
                        "time-out or use the protocol 'minimise'."
                    )
                try:
                    line = lines.get(timeout=min(_POLL_S, left))
                except queue.Empty:
                    continue
                if line is None:
                    break
                failure = _hear(line, watch.tell) or failure
            code = process.wait(timeout=30)
        except subprocess.TimeoutExpired as error:
            raise RemodelError("Remodelling did not end after its last output.") from error
        finally:
            _stop(process)
        if code != 0:
            errors.seek(0)
            raise RemodelError(failure or _last_words(errors.read(), code))


def _hear(line: str, tell: Stage) -> str | None:
    """Pass on a line of progress; the message when the line reports a failure."""
    if not line.startswith(MARK):
        return None
    report: dict[str, Any] = json.loads(line.removeprefix(MARK))
    if "error" in report:
        return str(report["error"])
    tell(str(report["stage"]), float(report["fraction"]))
    return None


def _last_words(stderr: str, code: int) -> str:
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    if said:
        return f"Remodelling failed: {said[-1][:_LAST_LINE]}"
    if code < 0:
        return (
            f"Remodelling failed: the engine was killed by signal {-code}, often for want of "
            "memory; try a single domain."
        )
    return f"Remodelling failed: the engine ended with exit code {code} and said nothing."


def _reader(process: subprocess.Popen[str]) -> queue.Queue[str | None]:
    """Lines of the worker's output as they come, then None."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        with contextlib.suppress(ValueError):  # the pipe is closed when the worker is stopped
            for line in process.stdout or ():
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
            with contextlib.suppress(OSError):
                stream.close()
