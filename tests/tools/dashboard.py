"""A dashboard of one's own on this machine, and the browser that visits it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Server:
    """Keeps its runs in `folder`; can be killed and started again.

    Parameters
    ----------
    folder : Path
    settings : mapping
        ``GLASS_*`` variables beside those for the device and the runs.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.runs = folder / "runs.sqlite"
        self.log = (folder / "log.txt").open("w")
        self.address = f"http://localhost:{self.port}"
        self._settings = dict(settings or {})

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
            cwd=ROOT,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "GLASS_DEVICE": "cpu",
                "GLASS_RUNS": str(self.runs),
                **self._settings,
            },
        )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.2)
        raise TimeoutError(f"no dashboard after a minute; see {self.log.name}")

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait(20)

    def memory(self, what: str = "VmRSS") -> int:
        """Its memory in bytes: ``VmRSS`` now, ``VmHWM`` at its highest."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) << 10
        raise ValueError(f"no {what}")
