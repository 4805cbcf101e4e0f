"""The whole thing in headless Chromium, with the model that comes with the project."""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    # Playwright's driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("server") / "log.txt").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
        env={**os.environ, "GLASS_DEVICE": "cpu"},
    )
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    yield f"http://localhost:{port}"
    server.terminate()
    server.wait(20)
    log.close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


def test_example_remodel_refresh_and_download(address, browser, tmp_path):
    page = browser.new_page(viewport={"width": 1366, "height": 900}, accept_downloads=True)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address)
    page.get_by_text("Example: a globin").click()
    page.get_by_text("Downloads").wait_for(timeout=90_000)
    assert page.get_by_text("Predicted TM-score").is_visible()
    viewer = page.frame_locator("iframe").first
    viewer.locator("canvas").first.wait_for(timeout=30_000)

    page.get_by_label("Seeds", exact=True).fill("1")
    page.get_by_label("Seeds", exact=True).press("Enter")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Remodel", exact=True).click()
    page.get_by_role("button", name="Cancel").wait_for(timeout=30_000)
    page.reload()
    page.get_by_text("rise above the floor by lDDT").wait_for(timeout=180_000)
    page.get_by_role("heading", name="Superposition").wait_for(timeout=30_000)

    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Residue CSV").click()
    path = tmp_path / "residues.csv"
    download.value.save_as(path)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 147
    assert rows[30]["mutant"] == "P"
    assert float(rows[30]["measured_lddt"]) <= 1
    assert float(rows[30]["floor_lddt"]) <= 1
    assert not problems
    page.close()


def test_a_click_in_a_matrix_selects_the_residue(address, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    page.goto(address)
    page.get_by_text("Example: a globin").click()
    page.get_by_text("Downloads").wait_for(timeout=90_000)
    plot = page.locator(".js-plotly-plot").nth(1).locator(".nsewdrag").first
    plot.evaluate("e => e.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(1000)
    box = plot.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.wait_for_timeout(500)
    page.mouse.click(*middle)
    page.wait_for_function(
        "Math.abs(document.querySelector('[aria-label^=\"Selected residue\"]').value - 74) < 2",
        timeout=20_000,
    )
    dark = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert sum(map(int, dark[4:-1].split(",")[:3])) < 150, "the dark theme follows the browser"
    page.close()


def test_cancel_keeps_the_prediction(address, browser):
    page = browser.new_page(viewport={"width": 1366, "height": 900})
    page.goto(address)
    page.get_by_text("Example: a globin").click()
    page.get_by_text("Downloads").wait_for(timeout=90_000)
    page.get_by_role("button", name="Remodel", exact=True).click()
    page.get_by_role("button", name="Cancel").click(timeout=30_000)
    page.get_by_text("Remodelling was cancelled").wait_for(timeout=30_000)
    assert page.get_by_text("Predicted TM-score").is_visible()
    page.close()
