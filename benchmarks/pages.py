"""How long a visitor waits, in headless Chromium, from the press of a key to what was asked for.

``python -m benchmarks.pages``; needs Chromium and Playwright. Medians of three; the targets are
for two quiet cores.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.timing import Row
from tests.tools.dashboard import CHROMIUM, FLAGS, Server, wait_ms
from tests.tools.services import P53

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROUNDS = 3
VARIANTS = ("R175H", "R248Q", "R273H", "V143A")
_SEEN = (
    "document.querySelector('.glass-structure')?.glassScene?.viewer"
    "?.getModel(0)?.selectedAtoms({}).length > 0"
)


def run() -> Iterator[Row]:
    """One row per wait."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with TemporaryDirectory() as folder, Server(Path(folder)) as server:
            yield _row("first paint, cold server", [_first_paint(chromium, server)], 5.0)
            warm = [_first_paint(chromium, server) for _ in range(ROUNDS)]
            yield _row("first paint, warm server", warm, 1.5)
            yield from _p53(_visit(chromium, server))
            yield from _globin(chromium, server)
        chromium.close()


def _p53(page: Page) -> Iterator[Row]:
    page.get_by_text("A sequence, a structure file").click()
    field = page.get_by_label("Wild-type sequence")
    field.fill(P53)
    field.press("Control+Enter")
    box, waits = page.get_by_role("textbox").first, []
    page.wait_for_timeout(2000)
    for variant in VARIANTS:
        box.fill(variant)
        waits.append(_until_shown(page, lambda: box.press("Enter"), f"{variant}:"))
    yield _row("p53 R175H from Enter to the answer, model not loaded", waits[:1], 1.5)
    yield _row("another variant of p53", waits[1:], 0.5)


def _globin(chromium: Browser, server: Server) -> Iterator[Row]:
    page = _visit(chromium, server)
    example = page.get_by_role("button", name="Example: a globin")
    example.wait_for()
    page.wait_for_timeout(2000)
    yield _row("example with structure", [_until_shown(page, example.click, "V31P:")], 1.5)
    page.wait_for_function(_SEEN)
    page.wait_for_timeout(3000)
    yield _row("click on a residue, marked in every view", _clicks(page), 0.3)
    yield _row("another colour of the structure", _colours(page), 0.3)
    page.get_by_text("Remodel the mutant and measure it").click()
    remodel = page.get_by_role("button", name="Remodel", exact=True)
    waited = _until_shown(page, partial(remodel.press, "Enter"), "remodelled")
    yield _row("remodel, 147 residues, 2 seeds", [waited], 45.0)
    link, waits = page.url, []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        other = _visit(chromium, server, link)
        other.get_by_role("heading", name="remodelled").first.wait_for()
        waits.append(time.perf_counter() - began)
        other.context.close()
    yield _row("measured result by link", waits, 3.0)


def _clicks(page: Page) -> list[float]:
    """Seconds from a click on the track to the residue's values beside the structure."""
    track = page.locator(".glass-figure .nsewdrag").first
    box, waits = track.bounding_box(), []
    width = 0.0 if box is None else box["width"]
    for share in (0.2, 0.5, 0.8):
        page.evaluate("window.glassBus.selected = null")
        track.hover(position={"x": share * width, "y": 20})
        began = time.perf_counter()
        track.click(position={"x": share * width, "y": 20})
        page.wait_for_function("window.glassBus.selected !== null")
        waits.append(time.perf_counter() - began)
        page.wait_for_timeout(1500)
    return waits


def _colours(page: Page) -> list[float]:
    choice, waits = page.get_by_label("Colour by").first, []
    for name in ("deficit", "chain", "change"):
        began = time.perf_counter()
        choice.select_option(name)
        page.wait_for_function(
            "name => document.querySelector('.glass-structure').dataset.colour === name", arg=name
        )
        waits.append(time.perf_counter() - began)
    return waits


def _first_paint(chromium: Browser, server: Server) -> float:
    began = time.perf_counter()
    page = _visit(chromium, server)
    page.get_by_role("button", name="Analyse").wait_for()
    waited = time.perf_counter() - began
    page.context.close()
    return waited


def _visit(chromium: Browser, server: Server, address: str = "") -> Page:
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(wait_ms())
    page = context.new_page()
    page.goto(address or server.address)
    return page


def _until_shown(page: Page, press: Callable[[], object], heading: str) -> float:
    began = time.perf_counter()
    press()
    page.get_by_role("heading", name=heading, level=2).first.wait_for()
    return time.perf_counter() - began


def _row(what: str, waits: list[float], target: float) -> Row:
    middle = statistics.median(waits)
    spread = f"{min(waits):.2f} to {max(waits):.2f} s" if len(waits) > 1 else ""
    return what, f"{middle:.2f} s", spread, f"{middle / target:.1f}", f"{target:g} s"


if __name__ == "__main__":
    shown = Table("what", "median", "from, to", "share of target", "target")
    for made in run():
        shown.add_row(*made)
    Console(width=140).print(shown)
