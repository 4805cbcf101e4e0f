"""A dashboard of one's own on this machine, and the browser that visits it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.tools.pace import patience, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
SERVE = """
import os, signal, sys, threading
from streamlit.web.cli import main
def watch():
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=watch, daemon=True).start()
main()
"""
"""A dashboard that ends, with every process it began, when whoever started it is gone."""
WAIT_S = 120.0
"""What a page may take to show what is waited for, before it counts as hanging."""
AT_REST = "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
"""Whether no script of the page runs."""
WATCH_RUNS = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    window.runsSeen = 0;
    window.atRestSince = performance.now();
    new MutationObserver(() => { window.runsSeen += app.dataset.testScriptState === 'notRunning' })
        .observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
}"""
"""From now on count the runs of the page's script that end."""
HAS_RUN = """restMs => {
    const now = performance.now();
    if (document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'notRunning')
        window.atRestSince = now;
    return window.atRestSince < now && (window.runsSeen > 0 || now - window.atRestSince > restMs);
}"""
"""Whether one has ended since and none is going on. A page that is short of time may draw the
beginning and the end of a run at once, that is, neither: one at rest for so long has run too."""


def wait_ms() -> float:
    """`WAIT_S` as Playwright takes it, on this machine."""
    return 1000 * patience(WAIT_S)


def rest_ms() -> float:
    """How long a page may take at most to begin a run that was asked for, on this machine."""
    return 1000 * patience(2)


@contextmanager
def rerun(page: Page) -> Iterator[None]:
    """Wait until the script has run that is asked for inside: what it draws is there then."""
    page.evaluate(WATCH_RUNS)
    yield
    page.wait_for_function(HAS_RUN, arg=rest_ms())


class Server:
    """Keeps its runs in `folder`; can be killed and started again.

    A context manager: it is started, and ended with every process it began, whatever happens.

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
        self.log = folder / "log.txt"
        self.address = f"http://localhost:{self.port}"
        self._settings = dict(settings or {})

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, "run", "app.py", "--server.port", str(self.port)],
                cwd=ROOT,
                stdin=subprocess.PIPE,  # which closes when this process ends, however it ends
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be ended as one
                env={
                    **os.environ,
                    "GLASS_DEVICE": "cpu",
                    "GLASS_RUNS": str(self.runs),
                    "GLASS_RELAXED": str(self.runs.parent / "relaxed"),
                    **self._settings,
                },
            )
        try:
            until(self._answers, f"the dashboard, see {self.log}")
        except BaseException:
            self.kill()
            raise

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the dashboard ended at once: {self.log.read_text()[-2000:]}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """End it without warning, and what it began; one that has ended is left as it is."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(patience(60))
        self.process.stdin.close()

    def memory(self, what: str = "VmRSS") -> int:
        """Its memory in bytes: ``VmRSS`` now, ``VmHWM`` at its highest."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) << 10
        raise ValueError(f"no {what}")
