"""The whole thing in headless Chromium, with the model that comes with the project."""

from __future__ import annotations

import csv
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from urllib.parse import urlsplit

import pytest
from scipy.stats import spearmanr

from glass_core.inputs.upload import example_upload
from glass_core.protein.sequence import THREE_LETTER
from glass_core.protein.structure.backbone import BACKBONE_ATOMS
from glass_core.runs.store import RunStore
from glass_core.search.packing import embedded_database
from glass_core.settings import Settings
from tests.tools.dashboard import AT_REST, CHROMIUM, FLAGS, ROOT, Server, rerun, wait_ms
from tests.tools.pace import until
from tests.tools.services import environment, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    # Playwright's driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


VIEWER = ROOT / "assets" / "vendor" / "3Dmol-min.js"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server")) as made:
        yield made


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


@pytest.fixture
def visit(browser):
    """Opens an address in a page of its own, which is closed after the test."""
    contexts = []

    def open_page(address, **looks):
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, **looks)
        contexts.append(context)
        context.set_default_timeout(wait_ms())
        page = context.new_page()
        page.problems, page.elsewhere = [], []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda request: page.elsewhere.extend(asked_elsewhere(request.url)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def asked_elsewhere(url):
    """The address, where a browser asks another host than this machine."""
    there = urlsplit(url)
    local = there.scheme in ("data", "blob", "about", "file") or there.hostname == "localhost"
    return [] if local else [url]


def save(page, button, path):
    """Download what a button gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    download.value.save_as(path)
    return path


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


DRAWN = "document.querySelector('.glass-figure')?._fullData?.length > 0"
"""The map has its points."""


def click_the_middle(plot):
    plot.locator(".nsewdrag").first.hover()  # scrolls to it, and waits until it stands still
    plot.locator(".hovertext").first.wait_for()  # the plot has found the cell
    plot.locator(".nsewdrag").first.click()


def cells(table):
    """The texts of a table row by row, its head first, as a screen reader is told them."""
    table.locator("[role=row]").first.wait_for(state="attached")
    return [
        [cell.text_content() for cell in row.locator("[role=columnheader], [role=gridcell]").all()]
        for row in table.locator("[role=row]").all()
    ]


def structure_of(page):
    """The 3D view, once it has drawn."""
    view = page.locator(".glass-structure").first
    view.locator("canvas").first.wait_for()
    page.wait_for_function(
        "document.querySelector('.glass-structure').glassScene?.viewer"
        "?.getModel(0)?.selectedAtoms({}).length > 0"
    )
    return view


def press(button):
    button.click()


def example(page, use=press):
    """Ask for the example, and wait until its result alone is there.

    The sample that the first page shows has the same heading and a structure, too.
    """
    with rerun(page):
        use(page.get_by_role("button", name="Example: a globin"))
    page.get_by_text("Downloads").wait_for()
    page.get_by_role("heading", name="For example").wait_for(state="detached")
    page.wait_for_function(AT_REST)


def drawn_lines(page, figure):
    """Where the lines at the chosen and the pointed residue stand, in a figure."""
    return page.evaluate(
        "n => (document.querySelectorAll('.glass-figure')[n].layout.shapes ?? [])"
        ".filter(s => (s.name ?? '').startsWith('glass')).map(s => [s.name, s.x0])",
        figure,
    )


def test_example_remodel_refresh_and_download(address, visit, tmp_path):
    page = visit(address)
    example(page)
    structure_of(page)
    page.get_by_text("Remodel the mutant and measure it").click()
    page.get_by_label("Seeds", exact=True).fill("1")
    with rerun(page):
        page.get_by_label("Seeds", exact=True).press("Enter")
    page.get_by_role("button", name="Remodel", exact=True).click()
    page.get_by_role("button", name="Cancel").wait_for()
    assert page.get_by_role("heading", name="V31P:").is_visible(), "the prediction stays in view"
    page.reload()
    page.get_by_role("heading", name="remodelled").wait_for()
    page.get_by_text("noise floor").first.wait_for()

    rows = rows_of(save(page, "Residue CSV", tmp_path / "residues.csv"))
    assert len(rows) == 147
    assert rows[30]["mutant"] == "P"
    assert float(rows[30]["measured_lddt"]) <= 1
    assert float(rows[30]["floor_lddt"]) <= 1
    if VIEWER.is_file():  # else the browser fetches 3Dmol.js, as the README says
        assert not page.elsewhere, "nothing is asked for elsewhere"
    assert not page.problems


def test_a_residue_chosen_in_one_view_is_chosen_in_all(address, visit):
    """Clicks go from the track to the 3D view, and from the 3D view to the track and the table."""
    page = visit(address, color_scheme="dark")
    example(page)
    view = structure_of(page)
    track = page.locator(".glass-figure .nsewdrag").first
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    with rerun(page):
        track.click(position={"x": box["width"] / 2, "y": 30})
    told = view.get_attribute("data-told")
    assert 60 < int(told) < 90
    assert ["glass selected", int(told)] in drawn_lines(page, 0)

    view.scroll_into_view_if_needed()
    page.mouse.move(10, 10)
    with rerun(page):
        page.evaluate(
            "resi => { const root = document.querySelector('.glass-structure');"
            " const {viewer} = root.glassScene;"
            " const [atom] = viewer.getModel(0).selectedAtoms({resi, atom: 'CA'});"
            " atom.callback(atom); }",
            100,
        )
    assert ["glass selected", 100] in drawn_lines(page, 0)
    residue = page.get_by_role("combobox", name="Residue", exact=True)
    until(lambda: residue.input_value() == "R100", "the table to follow")
    residue.click()  # and the other way: from the table's field to the views
    page.keyboard.type("E10")
    page.get_by_role("option", name="E10", exact=True).wait_for()
    with rerun(page):
        page.keyboard.press("Enter")
    page.wait_for_function("window.glassBus.selected === 10")
    assert ["glass selected", 10] in drawn_lines(page, 0)
    dark = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert sum(map(int, dark[4:-1].split(",")[:3])) < 150, "the dark theme follows the browser"
    assert not page.problems


def test_the_camera_stays_while_the_page_changes(address, visit):
    page = visit(address)
    example(page)
    structure_of(page)
    turned = page.evaluate(
        "() => { const {viewer} = document.querySelector('.glass-structure').glassScene;"
        " viewer.rotate(40, 'y'); viewer.zoom(1.4); return viewer.getView(); }"
    )
    page.get_by_label("Colour by").first.select_option("deficit")
    with rerun(page):
        page.get_by_role("tab", name="Parts of the fold").click()
    box = page.get_by_label("Another variant of this protein")
    box.fill("E10K")
    with rerun(page):
        box.press("Enter")
    page.get_by_role("heading", name="E10K:").wait_for()
    page.wait_for_function(
        "document.querySelector('.glass-structure')?.glassScene?.viewer?.getLabels?.().length !== 0"
    )
    now = page.evaluate("document.querySelector('.glass-structure').glassScene.viewer.getView()")
    assert now == pytest.approx(turned, abs=1e-3)
    assert page.get_by_label("Colour by").first.input_value() == "deficit"
    assert not page.problems


def test_what_is_typed_is_said_and_what_changed_is_dimmed(address, visit):
    page = visit(address)
    box = page.get_by_label("Protein and variant")
    box.press_sequentially("TP53 R175H", delay=10)
    page.get_by_text("gene TP53, variant R175H").wait_for()
    example(page)
    box = page.get_by_label("Another variant of this protein")
    box.fill("L14A")
    page.get_by_text("position 14 is").first.wait_for()
    with rerun(page):
        box.press("Enter")
    page.get_by_text("belongs to the inputs before they were changed").wait_for()
    faint = page.locator(".st-key-result").evaluate("e => getComputedStyle(e).opacity")
    assert float(faint) < 0.6, "never beside a stale answer"
    assert page.get_by_role("heading", name="V31P:").is_visible()
    with rerun(page):
        box.fill("V31P")
        box.press("Enter")
    page.wait_for_function(
        "getComputedStyle(document.querySelector('.st-key-result')).opacity === '1'"
    )
    assert not page.problems


def test_a_numbering_that_fits_is_offered_and_stays(address, visit):
    page = visit(address)
    page.get_by_text("A sequence, a structure file").click()
    page.get_by_label("Wild-type sequence").fill("MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFF")
    with rerun(page):
        page.get_by_label("Wild-type sequence").press("Control+Enter")
    box = page.get_by_label("Protein and variant")
    box.fill("E6V")
    with rerun(page):
        box.press("Enter")
    page.get_by_text("E6 fits if the first methionine is not counted").last.wait_for()
    with rerun(page):
        page.get_by_role("button", name="Use that").click()
    page.get_by_role("heading", name="E6V:").wait_for()
    assert not page.problems


def test_cancel_keeps_the_prediction(address, visit):
    page = visit(address)
    example(page)
    page.get_by_text("Remodel the mutant and measure it").click()
    remodel = page.get_by_role("button", name="Remodel", exact=True)
    remodel.press("Enter")  # a mouse would miss it while what was opened still grows
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Remodelling was cancelled").wait_for()
    assert page.get_by_role("heading", name="V31P:").is_visible()


WILD = "HPETLVKVKDAEDQLGARVGYIELDLNSGKILESFRPEERFPMMSTFKVLLCGAVLSRIDAGQEQLGRRIHYSQNDLVEY"
"""The first eighty residues of TEM-1 beta-lactamase, UniProt P62593, without its signal."""


def test_a_saturation_screen_is_killed_resumed_reopened_and_exported(visit, tmp_path):
    number = 19 * len(WILD)  # several pieces, so that there is a middle to be killed in
    with Server(tmp_path) as server:
        page = visit(f"{server.address}/screen")
        page.get_by_label("Wild-type sequence(s)").fill(WILD)
        page.get_by_label("Wild-type sequence(s)").press("Control+Enter")
        page.get_by_text(f"{number:,} accepted").wait_for()
        page.get_by_role("button", name="Screen", exact=True).click()
        store = RunStore(server.runs)
        until(lambda: [r for r in store.newest() if "done" in r.counts], "the first rows")
        server.kill()
        (run,) = store.newest()
        assert 0 < run.counts["done"] < number, "killed in the middle"

        server.start()
        page = visit(f"{server.address}/screen?run={run.id}")
        page.get_by_text(f"{run.waiting:,} variants are still to be done").wait_for()
        assert page.get_by_role("link", name="Evidence").is_visible(), "straight here, yet whole"
        page.get_by_text("Every substitution").wait_for()
        page.get_by_text(f"{number:,} of {number:,} pass").wait_for()
        page.get_by_role("button", name="Go on").click()
        page.get_by_text(f"{number:,} done").wait_for()
        page.locator(".js-plotly-plot").first.wait_for()
        rows = rows_of(save(page, "CSV", tmp_path / "screen.csv"))
        assert [int(r["row"]) for r in rows] == list(range(1, number + 1))
        assert all(r["status"] == "done" and float(r["predicted_tm"]) <= 1 for r in rows)
        bundle = save(page, "Everything (zip)", tmp_path / "run.zip")
        assert "rows.parquet" in zipfile.ZipFile(bundle).namelist()
        click_the_middle(page.locator(".js-plotly-plot").first)
        page.get_by_role("heading", name="Chosen").wait_for()
        page.get_by_role("button", name=re.compile("Open [A-Z]")).first.click()
        page.get_by_text("Chance of being damaging").first.wait_for()


CELL = """(plot, [x, y]) => {
    const {xaxis, yaxis} = plot._fullLayout;
    return [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
}"""
"""Where a cell of a map lies in it, in pixels. The sequence has no tryptophan."""


def test_what_is_pasted_and_asked_for_at_once_is_not_called_changed(address, visit):
    """Enter comes before the page was told what stands in the box."""
    for variant in (f"{WILD[9]}10A", f"{WILD[19]}20P"):
        page = visit(address)
        box = page.get_by_label("Protein and variant")
        box.fill(f"{WILD} {variant}")
        box.press("Enter")
        page.get_by_role("tab", name="All evidence").wait_for()
        page.get_by_label("Another variant of this protein").wait_for()
        page.wait_for_timeout(1_500)  # in which what was typed would come late
        assert not page.get_by_text("belongs to the inputs before").count()


def test_a_map_keeps_its_clicks_while_its_screen_runs(visit, tmp_path):
    """The rows that are done meanwhile change nothing in it, so it is not drawn again."""
    with Server(tmp_path) as server:
        page = visit(f"{server.address}/screen")
        page.get_by_label("Wild-type sequence(s)").fill(4 * WILD)
        page.get_by_label("Wild-type sequence(s)").press("Control+Enter")
        page.get_by_role("button", name="Screen", exact=True).click()
        store = RunStore(server.runs)
        drawn = page.locator(".js-plotly-plot").first
        drawn.wait_for()
        until(lambda: [r for r in store.newest() if "done" in r.counts], "the first rows")
        drawn.evaluate(
            "plot => { window.drawnAgain = 0; plot.on('plotly_afterplot', () => drawnAgain++) }"
        )
        before = store.newest()[0].counts["done"]
        page.wait_for_timeout(12_000)  # in which the table beneath is drawn anew
        assert page.evaluate("window.drawnAgain") == 0
        assert store.newest()[0].counts["done"] > before and store.newest()[0].waiting
        for number in range(1, 5):
            box, cell = drawn.bounding_box(), drawn.evaluate(CELL, [60 * number, "W"])
            page.mouse.click(box["x"] + cell[0], box["y"] + cell[1])
            page.get_by_role("heading", name=f"Chosen ({number})").wait_for()
        assert store.newest()[0].waiting, "it was running all the time"
        page.get_by_role("button", name="Cancel").click()
        page.get_by_text("It was cancelled").wait_for()


def test_a_measured_scan_is_uploaded_and_gives_its_spearman(address, visit, tmp_path):
    table = tmp_path / "scan.csv"
    lines = [
        f"{WILD[p]}{p + 1}{m},{(p % 7) - (m == 'P')}"
        for p in range(20)
        for m in "APK"
        if m != WILD[p]
    ]
    table.write_text("\n".join(["mutant,DMS_score", *lines]))
    page = visit(f"{address}/screen")
    page.get_by_label("Wild-type sequence(s)").fill(WILD)
    page.get_by_text("My list").click()
    uploader = page.get_by_test_id("stFileUploader").filter(has_text="or a file")
    uploader.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(str(table))
    page.get_by_text(f"{len(lines)} accepted").wait_for()
    page.get_by_role("button", name="Screen", exact=True).click()
    page.get_by_text(f"{len(lines)} done").wait_for()
    heading = page.get_by_text("Against your own values")
    heading.first.wait_for()
    # While rows are drawn anew, what stood there before is still there beside it.
    page.wait_for_function(
        "words => [...document.querySelectorAll('span')]"
        ".filter(one => one.textContent === words).length === 1",
        arg="Against your own values",
    )
    rows = rows_of(save(page, "CSV", tmp_path / "screen.csv"))
    assert len(rows) == len(lines)
    value = [float(r["measured_value"]) for r in rows]
    told = {
        "chance of being damaging": [float(r["p_combined"]) for r in rows],
        "clinical likeness": [float(r["p_damaging"]) for r in rows],
        "effect score": [float(r["effect"]) for r in rows],
        "loss of stability": [float(r["ddg"]) for r in rows],
        "predicted lDDT deficit at the site": [1 - float(r["predicted_lddt_site"]) for r in rows],
        "estimated lDDT deficit at the site": [1 - float(r["estimated_lddt_site"]) for r in rows],
        "estimated TM-score deficit": [1 - float(r["estimated_tm"]) for r in rows],
        "predicted TM-score deficit": [1 - float(r["predicted_tm"]) for r in rows],
        "BLOSUM62, turned round": [-float(r["blosum62"]) for r in rows],
    }
    shown = cells(page.get_by_test_id("stDataFrame").filter(has_text="Spearman"))
    assert {score: float(spearman) for score, spearman, _ in shown[1:]} == pytest.approx(
        {score: spearmanr(of_score, value).statistic for score, of_score in told.items()}, abs=1e-6
    )


def test_from_an_accession_to_a_report(visit, tmp_path):
    """As a new user would: look p53 up, see what is known, take the report away."""
    with (
        running() as services,
        Server(tmp_path, environment(services, tmp_path / "downloads")) as there,
    ):
        page = visit(there.address)
        box = page.get_by_label("Protein and variant")
        with rerun(page):
            box.fill("P00001 R175H")
            box.press("Enter")
        page.get_by_text("is no longer there").wait_for()
        with rerun(page):
            box.fill("Q15086 R175H")  # merged into P04637
            box.press("Enter")
        page.get_by_role("heading", name="R175H:").wait_for()
        title = page.get_by_text("Cellular tumor antigen p53 (TP53), Homo sapiens")
        title.locator("visible=true").first.wait_for()
        with rerun(page):
            page.get_by_role("tab", name="Distances").click()
        page.get_by_text("predicted aligned error", exact=True).first.wait_for()
        report = save(page, "Report (HTML)", tmp_path / "report.html")
        services.replies.clear()  # the network goes away
        page.reload()
        page.get_by_role("heading", name="R175H:").wait_for()
        page.goto(report.as_uri())
        page.get_by_text("AlphaFold DB AF-P04637-F1 version 6").wait_for()
        assert not page.problems


def test_a_server_ends_with_whoever_started_it(tmp_path):
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from tests.tools.dashboard import Server\n"
        "with Server(Path(os.environ['FOLDER'])) as server:\n"
        "    print(server.port, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FOLDER": str(tmp_path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert told.returncode == -signal.SIGKILL

    def gone():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(told.stdout))) != 0

    until(gone, "the end of the server")


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


def test_back_leads_to_the_screen_as_it_was_left(address, visit):
    """From a variant that a screen opened, by the browser's Back, the button and the menu."""
    page = visit(address)
    example(page)
    page.get_by_role("button", name="Screen it").click()
    page.get_by_text("Every substitution").wait_for()
    screen = page.url
    contains = page.get_by_label("Contains")
    contains.fill("V31")
    with rerun(page):
        contains.press("Enter")
    page.get_by_text("19 of 2,793 pass").wait_for()
    table = page.get_by_test_id("stDataFrame").first
    table.locator("[role=row]").nth(1).wait_for(state="attached")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    with rerun(page):
        page.mouse.click(box["x"] + 20, box["y"] + 50)
    page.get_by_role("button", name="Open V31").click()
    page.get_by_text("Along the sequence").wait_for()
    page.go_back()
    page.get_by_text("Every substitution").wait_for()
    assert page.url == screen
    page.go_forward()
    page.get_by_text("Along the sequence").wait_for()
    for back in (
        page.get_by_role("button", name="Back to the screen"),
        page.get_by_role("link", name="Screen"),
    ):
        back.click()
        page.get_by_text("Every substitution").wait_for()
        page.get_by_text("19 of 2,793 pass").wait_for()
        assert page.get_by_label("Contains").input_value() == "V31"
        assert not page.get_by_text("before they were changed").count()
        page.get_by_role("link", name="Impact").click()
        page.get_by_text("Along the sequence").wait_for()
    assert not page.problems


def search_example(page):
    """Search for the example's relatives, and wait until they are there."""
    with rerun(page):
        page.get_by_role("button", name="Example: a globin").click()
    page.get_by_role("heading", name="Downloads").wait_for()
    page.wait_for_function(AT_REST)


def test_relatives_are_found_aligned_superposed_and_passed_on(address, visit, tmp_path):
    page = visit(f"{address}/search")
    search_example(page)
    assert "probably share its fold" in page.locator("h2").first.text_content()
    assert "neighbours have a residue at V31" in page.get_by_test_id("stMain").text_content()
    page.locator(".js-plotly-plot .bars").first.wait_for(state="attached")
    table = page.get_by_test_id("stDataFrame").last
    assert "chance of the same fold" in cells(table)[0]
    page.get_by_role("button", name="TSV", exact=True).wait_for()
    found = rows_of_tsv(save(page, "TSV", tmp_path / "found.tsv"))
    assert list(found[0])[:4] == ["query_id", "rank", "database_id", "tm-score"]
    assert any("a.1" in one["labels"] for one in found[:5]), "globins"
    # choose the first row: its alignment is shown, and its structure can be given
    with rerun(page):
        table.click(position={"x": 20, "y": 52})
    page.get_by_test_id("stCode").filter(has_text=found[0]["database_id"]).wait_for()
    own, given = chain_b(), page.locator("input[type=file]")
    (tmp_path / "other.pdb").write_text(own)
    given.last.set_input_files(tmp_path / "other.pdb")
    page.get_by_text(f"is no structure of {found[0]['database_id']}").wait_for()
    there = embedded_database(Settings())
    (entry,) = there.entries([there.row_of(found[0]["database_id"])])
    (tmp_path / "its.pdb").write_text(under_letters(own, entry.sequence))
    given.last.set_input_files(tmp_path / "its.pdb")
    page.get_by_text("by TM-align (by the length of your structure)").wait_for()
    structure_of(page)
    assert page.get_by_label("Neighbour", exact=True).is_checked()
    with rerun(page):
        page.get_by_role("button", name="Use the alignment on Impact").click()
    page.get_by_text("glass-relatives-2gtl").first.wait_for(state="attached")
    assert page.problems == []
    assert page.elsewhere == []


def test_a_map_is_drawn_chosen_from_and_passed_on(address, visit, tmp_path):
    page = visit(f"{address}/map")
    page.wait_for_function(DRAWN)
    with rerun(page):
        page.get_by_role("button", name="Example: a globin and a mutant").click()
    page.get_by_role("heading", name="3 places among").wait_for()
    page.wait_for_function(
        "['yours: sequence', 'yours: structure', 'structure: mainly alpha'].every((name) =>"
        " document.querySelector('.glass-figure')?._fullData?.some((t) => t.name === name))"
    )
    places = rows_of(save(page, "Places (CSV)", tmp_path / "places.csv"))
    assert [one["kind"] for one in places] == ["sequence", "sequence", "structure"]
    assert "plotly" in save(page, "Map (HTML)", tmp_path / "map.html").read_text()[:2_000_000]
    # a box around a part of the map chooses chains, one of which is opened elsewhere
    page.locator(".glass-figure .modebar-btn[data-title='Box Select']").click()
    box = page.locator(".glass-figure .nsewdrag").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    with rerun(page):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40, y + 40, steps=4)
        page.mouse.up()
    page.get_by_role("heading", name="Chosen:").wait_for()
    with rerun(page):
        page.get_by_test_id("stDataFrame").first.click(position={"x": 20, "y": 52})
    chosen = page.get_by_role("button", name="in Impact")
    name = chosen.text_content().split()[1]
    with rerun(page):
        page.get_by_role("button", name=f"Search with {name}").click()
    page.get_by_text("probably share its fold").first.wait_for()
    assert page.problems == []
    assert page.elsewhere == []


RANGES = """() => {
  const {xaxis, yaxis} = document.querySelector('.glass-figure')._fullLayout;
  return [...xaxis.range, ...yaxis.range];
}"""
SHIFT = "() => document.querySelector('.glass-figure .gl-container canvas').style.transform"
PLACE_OF = """(name) => {
  const plot = document.querySelector('.glass-figure'), {xaxis, yaxis} = plot._fullLayout;
  const trace = plot._fullData.find((one) => one.name === name);
  const area = plot.querySelector('.nsewdrag').getBoundingClientRect();
  return [area.x + xaxis.d2p(trace.x[0]), area.y + yaxis.d2p(trace.y[0])];
}"""


def test_a_map_is_moved_as_a_picture_and_drawn_where_it_is_let_go(address, visit):
    page = visit(f"{address}/map")
    page.wait_for_function(DRAWN)
    area = page.locator(".glass-figure .nsewdrag").first
    area.scroll_into_view_if_needed()
    page.evaluate(
        "() => { window.drawnAgain = 0; document.querySelector('.glass-figure')"
        ".on('plotly_afterplot', () => drawnAgain++); }"
    )
    before, box = page.evaluate(RANGES), area.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y + 50, steps=5)
    page.wait_for_function(f"({SHIFT})() === 'translate(100px, 50px)'")
    assert page.evaluate("window.drawnAgain") == 0
    page.mouse.up()
    page.wait_for_function("window.drawnAgain > 0")
    page.wait_for_function(f"({SHIFT})() === ''")
    width, height = before[1] - before[0], before[3] - before[2]
    moved = [
        *(one - 100 / box["width"] * width for one in before[:2]),
        *(one + 50 / box["height"] * height for one in before[2:]),
    ]
    assert page.evaluate(RANGES) == pytest.approx(moved)
    # it stays there when the page runs again, until it is set back
    with rerun(page):
        page.locator(".glass-figure .nsewdrag").first.scroll_into_view_if_needed()
        place = page.evaluate(PLACE_OF, "structure: mainly beta")
        page.mouse.move(place[0] - 4, place[1] - 4)
        page.mouse.move(*place, steps=4)
        page.wait_for_timeout(300)  # in which what is under the mouse is found
        page.mouse.down()
        page.mouse.up()
    page.get_by_role("heading", name="Chosen: 1 place of 1 chain").wait_for()
    assert page.evaluate(RANGES) == pytest.approx(moved)
    box = page.locator(".glass-figure .nsewdrag").first.bounding_box()
    page.mouse.dblclick(box["x"] + 3, box["y"] + 3)
    page.wait_for_function(
        f"(before) => ({RANGES})().every((one, k) => Math.abs(one - before[k]) < 1)", arg=before
    )
    assert page.problems == []


def chain_b():
    """The backbone of chain B of the example, as a PDB file."""
    return "".join(
        line
        for line in example_upload().content.decode().splitlines(keepends=True)
        if line[:4] == "ATOM" and line[21] == "B" and line[12:16].strip() in BACKBONE_ATOMS
    )


def under_letters(lines, sequence):
    """A PDB file with its residues called by the letters of a sequence, as far as both go."""
    numbers = list(dict.fromkeys(line[22:27] for line in lines.splitlines()))
    called = {n: THREE_LETTER[one].upper() for n, one in zip(numbers, sequence, strict=False)}
    return "".join(
        f"{line[:17]}{called[line[22:27]]}{line[20:]}\n"
        for line in lines.splitlines()
        if line[22:27] in called
    )


def rows_of_tsv(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))
