"""The whole thing in headless Chromium, with the model that comes with the project."""

from __future__ import annotations

import csv
import zipfile

import pytest

from tests.tools.dashboard import CHROMIUM, FLAGS, Server
from tests.tools.services import environment, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    # Playwright's driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("server"))
    made.start()
    yield made
    made.kill()
    made.log.close()


@pytest.fixture
def address(server):
    return server.address


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


TEM1 = (
    "MSIQHFRVALIPFFAAFCLPVFAHPETLVKVKDAEDQLGARVGYIELDLNSGKILESFRPEERFPMMSTFKVLLCGAVLSRIDAGQEQLG"
    "RRIHYSQNDLVEYSPVTEKHLTDGMTVRELCSAAITMSDNTAANLLLTTIGGPKELTAFLHNMGDHVTRLDRWEPELNEAIPNDERDTTM"
    "PAAMATTLRKLLTGELLTLASRQQLIDWMEADKVAGPLLRSALPAGWFIADKSGAGERGSRGIIAALGPDGKPSRIVVIYTTGSQATMDE"
    "RNRQIAEIGASLIKHW"
)
"""TEM-1 beta-lactamase, UniProt P62593."""


def at_rest(page):
    """Wait until the page's script has run: what is clicked before may be drawn anew."""
    page.wait_for_timeout(1500)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'running'",
        timeout=60_000,
    )
    page.wait_for_timeout(500)


@pytest.mark.timeout(900)
def test_a_saturation_screen_is_killed_resumed_reopened_and_exported(server, browser, tmp_path):
    substitutions = 19 * len(TEM1)
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    page.goto(f"{server.address}/screen")
    page.get_by_label("Wild-type sequence(s)").fill(TEM1)
    page.get_by_label("Wild-type sequence(s)").press("Control+Enter")
    page.get_by_text(f"{substitutions:,} accepted").wait_for(timeout=60_000)
    page.get_by_role("button", name="Screen", exact=True).click()
    page.get_by_text("Every substitution").wait_for(timeout=60_000)
    page.get_by_text(f"{substitutions:,} of {substitutions:,} pass").wait_for(timeout=60_000)
    page.get_by_text("per second").wait_for(timeout=60_000)
    link = page.url
    assert "run=" in link
    server.kill()
    page.close()

    server.start()
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    page.goto(link)
    page.get_by_text("still to be done").wait_for(timeout=60_000)
    assert page.get_by_role("link", name="Evidence").is_visible(), "straight to a page, yet whole"
    page.get_by_role("button", name="Go on").click()
    page.get_by_text(f"{substitutions:,} done").wait_for(timeout=700_000)
    assert page.locator(".js-plotly-plot").first.is_visible()
    at_rest(page)
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    path = tmp_path / "screen.csv"
    download.value.save_as(path)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(r["row"]) for r in rows] == list(range(1, substitutions + 1))
    assert all(r["status"] == "done" and float(r["predicted_tm"]) <= 1 for r in rows)
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Everything (zip)").click()
    bundle = tmp_path / "run.zip"
    download.value.save_as(bundle)
    assert "rows.parquet" in zipfile.ZipFile(bundle).namelist()
    page.close()


def test_a_measured_scan_is_uploaded_and_gives_its_spearman(address, browser, tmp_path):
    table = tmp_path / "scan.csv"
    wild = TEM1[23:83]
    lines = [
        f"{wild[p]}{p + 1}{m},{(p % 7) - (m == 'P')}"
        for p in range(40)
        for m in "APK"
        if m != wild[p]
    ]
    table.write_text("\n".join(["mutant,DMS_score", *lines]))
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/screen")
    page.get_by_label("Wild-type sequence(s)").fill(wild)
    page.get_by_text("My list").click()
    page.locator('[data-testid="stFileUploaderDropzoneInput"]').nth(1).set_input_files(str(table))
    page.get_by_text(f"{len(lines)} accepted").wait_for(timeout=60_000)
    page.get_by_role("button", name="Screen", exact=True).click()
    page.get_by_text("Against your own values").wait_for(timeout=60_000)
    page.get_by_text(f"{len(lines)} done").wait_for(timeout=60_000)
    page.close()


def test_from_an_accession_to_a_report(browser, tmp_path):
    """As a new user would: look p53 up, see what is known, take the report away."""
    with running() as services:
        there = Server(tmp_path, environment(services, tmp_path / "downloads"))
        there.start()
        page = browser.new_page(viewport={"width": 1366, "height": 900}, accept_downloads=True)
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        try:
            page.goto(there.address)
            box = page.get_by_role("textbox", name="Accession")
            box.fill("P00001 R175H")
            box.press("Enter")
            page.get_by_role("button", name="Look up").click()
            page.get_by_text("is no longer there").wait_for(timeout=60_000)
            box.fill("Q15086 R175H")  # merged into P04637
            box.press("Enter")
            page.get_by_role("button", name="Look up").click()
            page.get_by_role("heading", name="R175H:").wait_for(timeout=120_000)
            page.get_by_text("Cellular tumor antigen p53 (TP53), Homo sapiens").first.wait_for()
            page.get_by_text("predicted aligned error", exact=True).wait_for(timeout=60_000)
            page.get_by_text("Known variants (3)").click()
            with page.expect_download(timeout=60_000) as download:
                page.get_by_role("button", name="Report (HTML)").click()
            report = tmp_path / "report.html"
            download.value.save_as(report)
            services.replies.clear()  # the network goes away
            page.reload()
            page.get_by_role("heading", name="R175H:").wait_for(timeout=60_000)
            page.goto(report.as_uri())
            page.get_by_text("AlphaFold DB AF-P04637-F1 version 6").wait_for(timeout=30_000)
            assert not problems
        finally:
            page.close()
            there.kill()
            there.log.close()


def test_several_visitors_get_their_own_results():
    """A small one of ``python -m tests.tools.load``, whose figures are in docs/robustness.md."""
    from concurrent.futures import ThreadPoolExecutor

    from tests.tools.load import load

    with ThreadPoolExecutor(1) as apart:  # this thread's event loop is Playwright's
        made = apart.submit(load, 5, 1).result()
    assert not made.errors
    assert len(made.visits) == 5
    assert made.mixed_up == 0, [v for v in made.visits if v.wanted != v.shown]
    assert made.peak - made.before < 2 << 30
