"""Many people at once: sessions of one dashboard, each with a protein and a variant of its own.

``python -m tests.tools.load [SESSIONS]``; needs Chromium and Playwright.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.async_api import Browser, Locator, Page, async_playwright

from glass_core.models.predictor import Predictor
from glass_core.models.registry import load_predictor
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.settings import Settings
from tests.tools.dashboard import (
    AT_REST,
    CHROMIUM,
    FLAGS,
    HAS_RUN,
    WATCH_RUNS,
    Server,
    rest_ms,
    wait_ms,
)

SESSIONS = 20
ROUNDS = 2
RESIDUES = 150
_FLAT = "--disable-3d-apis"
"""Twenty browsers without a graphics card would draw in three dimensions on the server's cores."""


@dataclass(frozen=True)
class Visit:
    """One analysis by one session.

    Attributes
    ----------
    wanted, shown : tuple of str
        Variant and predicted TM-score as they should be and as the page had them.
    seconds : float
        From the click to the result.
    """

    session: int
    wanted: tuple[str, str]
    shown: tuple[str, str]
    seconds: float


@dataclass(frozen=True)
class Load:
    """What became of all visits.

    Attributes
    ----------
    errors : tuple of str
        Errors of scripts on the page, and error boxes.
    before, peak : int
        Memory of the server in bytes, after the first session and at its highest.
    """

    visits: tuple[Visit, ...]
    errors: tuple[str, ...]
    seconds: float
    before: int
    peak: int

    @property
    def mixed_up(self) -> int:
        """Results that belong to somebody else, or are wrong."""
        return sum(v.wanted != v.shown for v in self.visits)


def load(sessions: int = SESSIONS, rounds: int = ROUNDS) -> Load:
    """So many browsers' tabs at once, each with `rounds` analyses of different proteins."""
    work = [[_task(session, number) for number in range(rounds)] for session in range(sessions)]
    with TemporaryDirectory() as folder, Server(Path(folder)) as server:
        return asyncio.run(_visit_all(server, work))


def _task(session: int, number: int) -> tuple[str, str]:
    """A wild type and a variant of it."""
    rng = np.random.default_rng([session, number])
    wild = "".join(rng.choice(list(STANDARD), RESIDUES + session))
    place = int(rng.integers(len(wild)))
    mutant = rng.choice([letter for letter in STANDARD if letter != wild[place]])
    return wild, f"{wild[place]}{place + 1}{mutant}"


def _predict(predictor: Predictor, wild: str, text: str) -> float:
    variant = Variant.parse(text, wild)
    return predictor.predict(Protein.from_sequence(wild), [variant])[0].tm_score


async def _visit_all(server: Server, work: list[list[tuple[str, str]]]) -> Load:
    predictor = load_predictor(Settings(device="cpu"))
    expected = [
        [(wild, text, f"{_predict(predictor, wild, text):.4f}") for wild, text in tasks]
        for tasks in work
    ]
    errors: list[str] = []
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, _FLAT])
        await _session(browser, server.address, -1, [expected[0][0]], errors)
        before, began = server.memory(), time.perf_counter()
        visits = await asyncio.gather(
            *(
                _session(browser, server.address, session, tasks, errors)
                for session, tasks in enumerate(expected)
            )
        )
        seconds = time.perf_counter() - began
        await browser.close()
    return Load(
        tuple(v for made in visits for v in made),
        tuple(errors),
        seconds,
        before,
        server.memory("VmHWM"),
    )


def _predicted_tm(page: Page) -> Locator:
    """The number called so below a result."""
    tile = page.get_by_test_id("stMetric").filter(has_text="TM-score, predicted")
    return tile.get_by_test_id("stMetricValue")


async def _session(
    browser: Browser,
    address: str,
    session: int,
    tasks: list[tuple[str, str, str]],
    errors: list[str],
) -> list[Visit]:
    context = await browser.new_context(viewport={"width": 1200, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(wait_ms())
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(address)
    visits = []
    for wild, text, score in tasks:
        sequence = page.get_by_label("Wild-type sequence")
        if not await sequence.is_visible():
            await page.get_by_text("A sequence, a structure file").click()
        await page.evaluate(WATCH_RUNS)
        await sequence.fill(wild)
        await sequence.press("Control+Enter")
        await page.wait_for_function(HAS_RUN, arg=rest_ms())  # a run draws fields anew
        box = page.locator(".st-key-variant input")
        await box.fill(text)
        began = time.perf_counter()
        await box.press("Enter")
        heading = page.get_by_role("heading", name=f"{text}:")
        await heading.wait_for()
        await page.get_by_role("heading", name="Downloads").wait_for()
        seconds = time.perf_counter() - began
        await page.wait_for_function(AT_REST)  # an open tab shows the last result until then
        await page.get_by_role("tab", name="The method's numbers").click()
        await page.wait_for_function(AT_REST)
        shown = await _predicted_tm(page).inner_text()
        title = (await heading.inner_text()).partition(":")[0]
        visits.append(Visit(session, (text, score), (title, shown.strip()), seconds))
        errors += [
            await e.inner_text()
            for e in await page.get_by_test_id("stAlert").all()
            if "error" in (await e.inner_html())
        ]
    await context.close()
    return visits


def main() -> None:
    """Print the figures."""
    made = load(int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS)
    waits = sorted(v.seconds for v in made.visits)
    print(
        f"{len(made.visits)} analyses by {len(made.visits) // ROUNDS} sessions at once in "
        f"{made.seconds:.0f} s; wait median {waits[len(waits) // 2]:.1f} s, longest "
        f"{waits[-1]:.1f} s; {made.mixed_up} mixed up, {len(made.errors)} errors; server "
        f"{made.before >> 20} MiB after one session, {made.peak >> 20} MiB at most"
    )
    for visit in made.visits:
        if visit.wanted != visit.shown:
            print(f"wanted {visit.wanted}, shown {visit.shown}", file=sys.stderr)
    for error in made.errors[:5]:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
