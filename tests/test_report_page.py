"""The HTML reports: what stands in them, in which order, and that nothing is cut or left out."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from glass_core.errors import InputError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import to_json
from glass_core.impact.conditions import conditions
from glass_core.impact.provenance import Provenance
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.remodel.base import Remodelling
from glass_core.report.impact import html
from glass_core.report.impact.html import impact_report, summary
from glass_core.report.impact.methods import cited, how_to_cite
from glass_core.report.impact.numbers import leading_numbers
from glass_core.report.impact.residues import DIGITS
from glass_core.report.impact.tables import residue_table
from glass_core.report.impact.verdict import verdict
from glass_core.report.page import cell_text, table_html
from glass_core.report.page_style import STYLE
from glass_core.report.references import REFERENCES
from glass_core.runs.bundle import export_bundle
from glass_core.runs.store import RunStore
from tests.test_impact import FakeRemodeller
from tests.tools.dashboard import CHROMIUM, FLAGS, wait_ms

WILD = "MKTAYIAKQRQISFVKSHFSRQ"
SCRIPT = "let $3Dmol = 1;"
"""Stands for 3Dmol.js."""


class Page(HTMLParser):
    """The texts of a page, its tables by their captions, its ids, headings and scripts."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.ids, self.headings, self.words, self.scripts = {}, [], [], [], []
        self.caption, self._open = "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img", "br", "input", "link"):
            self._open.append(tag)
        self.ids += [value for name, value in attributes if name == "id"]
        if tag in ("figcaption", "h2"):
            self.caption = ""
        if tag == "table":
            self.tables[self.caption] = []
        if tag == "tr":
            self.tables[self.caption].append([])
        if tag in ("td", "th"):
            self.tables[self.caption][-1].append("")
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "script" in self._open or "style" in self._open:
            self.scripts.append(data)
            return
        self.words.append(data)
        if "figcaption" in self._open:
            self.caption += data
        if {"td", "th"} & set(self._open):
            self.tables[self.caption][-1][-1] += data.strip()
        if {"h1", "h2", "h3"} & set(self._open):
            self.headings[-1] += data

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def table(self, start):
        """The rows of the table whose caption begins so."""
        (found,) = (rows for caption, rows in self.tables.items() if caption.startswith(start))
        return found


@pytest.fixture(scope="module")
def measured(globin, tiny_predictor):
    return analyse(
        Protein.from_structure(globin),
        Variant.parse("V31P", globin.sequence),
        predictor=tiny_predictor,
        mutant=Remodelling(FakeRemodeller(), seeds=2),
        background=0,
    )


@pytest.fixture(scope="module")
def looked_at(globin, seeing):
    """Not measured; its structure was read."""
    protein = Protein.from_structure(globin)
    variant = Variant.parse("E50A", globin.sequence)
    return analyse(protein, variant, predictor=seeing, background=0)


@pytest.fixture(scope="module")
def plain(tiny_predictor):
    """A sequence alone."""
    variant = Variant.parse("K2R:A7del", WILD)
    return analyse(
        Protein.from_sequence(WILD, "a & b"), variant, predictor=tiny_predictor, background=0
    )


@pytest.fixture(scope="module")
def page(measured):
    return Page(impact_report([measured], SCRIPT))


# --- one variant --------------------------------------------------------------------------


def test_it_reads_like_a_supplement(page, measured):
    assert page.headings == [
        verdict(measured).headline,
        "Reasons",
        "Figures",
        "Tables",
        "Methods",
        "References",
        "How to cite",
        "Columns of the tables",
        "Provenance",
    ]
    for number in leading_numbers(measured):
        assert f"{number.name} {number.value}" in page.text
    for sentence in (*verdict(measured).sentences, *measured.flags):
        assert " ".join(sentence.split()) in page.text


def test_the_residue_tables_are_whole_and_hold_what_the_csv_holds(page, measured):
    table = residue_table(measured)
    for start, must in (
        ("The residues: what is known", {"author number", "predicted lddt", "contacts"}),
        ("The residues: what was measured", {"measured lddt", "strain z", "deficit significant"}),
    ):
        head, *rows = page.table(start)
        assert head[:3] == ["position", "wild type", "mutant"] and must <= set(head)
        assert len(rows) == len(measured.protein)
        for place, name in enumerate(head):
            column = name.replace(" ", "_")
            digits = DIGITS.get(column, 3)
            assert [row[place] for row in rows] == [cell_text(v, digits) for v in table[column]]
    heads = [set(rows[0]) for caption, rows in page.tables.items() if "The residues" in caption]
    assert heads[0] & heads[1] == {"position", "wild type", "mutant"}
    assert not {"model", "protocol", "variant", "format"} & (heads[0] | heads[1])


def test_the_rows_of_the_variant_are_marked(measured):
    report = impact_report([measured], None)
    marked = re.findall(r'<tr class="site">\s*<td class="n">\s*(\d+)', report)
    assert marked == ["31", "31"]


def test_columns_are_explained_where_they_are_shown(plain, page):
    assert "standard deviation of measured_lddt over replicates" in page.text
    bare = Page(impact_report([plain], None)).text
    assert "standard deviation of measured_lddt" not in bare


def test_nothing_looks_like_a_program(page, plain, looked_at):
    for each in (page, Page(impact_report([plain], None)), Page(impact_report([looked_at], None))):
        said = each.text.replace("NaN (null)", "").replace("None of it", "")
        assert not re.search(r"\b(None|True|False|nan|NaT|NaN)\b", said)
        assert "{'" not in each.text and "_sha256" not in each.text


def test_provenance_is_rows_of_names_and_values(measured):
    report = impact_report([measured], None)
    facts = dict(
        re.findall(r"<tr><th>([^<]*)</th><td>([^<]*)</td></tr>", report[report.index("facts") :])
    )
    assert facts["weights of the model, SHA-256"] == measured.prediction.model.sha256
    assert facts["remodelled with"] == "fake 1" and facts["seeds"] == "1, 2"
    assert facts["radius of the sphere that may move"] == "100 Å"
    assert facts["threads"] == "one per core"
    assert facts["hottest temperature"] == "not used", "of a protocol without dynamics"
    assert facts["structure read by"] == "not used"
    assert facts["GLASS"] and facts["date"] == measured.provenance.date


def test_annealing_tells_its_temperature(measured):
    protocol = dict(measured.provenance.protocol) | {"protocol": "anneal"}
    told = conditions(None, replace(measured.provenance, protocol=protocol))
    assert told["hottest temperature"] == "600 K" and told["steps at each temperature"] == "300"


def test_conditions_that_are_not_known_are_told_by_their_own_name():
    made = Provenance("now", {"x": "1"}, {"a_b": "c"}, {"d_e": ""}, {})
    assert conditions(None, made) == {"a b": "c", "d e": "not used", "x": "1"}


def test_a_structure_without_a_mutant_is_no_superposition(looked_at, measured):
    assert "Superposition" in impact_report([measured], None)
    seen = impact_report([looked_at], None)
    assert "Superposition" not in seen and "Structure. Colours" in seen


def test_figures_can_be_saved_as_svg(measured):
    report = impact_report([measured], None)
    assert report.count('"toImageButtonOptions": {"format": "svg"') == 2
    assert '"filename": "glass-V31P-sequence"' in report


def test_names_are_escaped(plain):
    assert "a &amp; b" in impact_report([plain], None)


# --- methods and references ---------------------------------------------------------------


def keys(impact):
    """The short names of the references, in their order."""
    by_text = {text: key for key, text in REFERENCES.items()}
    return [by_text[text] for text in cited([impact]).references]


def test_only_what_was_used_is_cited(plain, looked_at, measured):
    assert keys(plain) == ["glass", "tm-score", "lddt"]
    assert {"proteinmpnn", "p-sea", "3dmol", "blosum62"} <= set(keys(looked_at))
    assert not {"tm-align", "strain", "openmm", "modeller"} & set(keys(looked_at))
    assert {"tm-align", "strain", "discovery rate"} <= set(keys(measured))
    assert "proteinmpnn" not in keys(measured), "no head of this model reads structures"


@pytest.mark.parametrize(
    ("protocol", "there", "missing"),
    [
        ({"remodeller": "openmm 8 pdbfixer 1"}, {"openmm", "ff14sb"}, {"modeller"}),
        ({"remodeller": "MODELLER 10.5"}, {"modeller"}, {"openmm", "ff14sb"}),
        ({"mutant_structure": "x"}, {"tm-align"}, {"openmm", "modeller"}),
    ],
)
def test_the_engine_is_cited(measured, protocol, there, missing):
    words = {"seeds": "1", "protocol": "minimise"} | protocol
    made = replace(measured, provenance=replace(measured.provenance, protocol=words))
    assert there <= set(keys(made)) and not missing & set(keys(made))


def test_prott5_is_cited_by_the_name_of_its_weights(plain):
    model = replace(plain.prediction.model, embedder="Rostlab/prot_t5_xl_half_uniref50-enc")
    assert "prott5" in keys(replace(plain, prediction=replace(plain.prediction, model=model)))


def test_numbers_lead_to_their_references(measured):
    made = cited([measured])
    by_title = {method.title: (method, marks) for method, marks in made.methods}
    method, marks = by_title["Measured TM-score"]
    numbers = [int(n) for n in re.findall(r"\d+", marks)]
    assert [made.references[n - 1] for n in numbers] == [REFERENCES[n] for n in method.references]
    assert by_title["Measured change"][1] == ""


def test_how_to_cite_names_version_model_and_seeds(measured, plain):
    words = how_to_cite(measured)
    assert measured.provenance.versions["glass"] in words and "seeds 1, 2" in words
    assert measured.prediction.model.stamp in words
    assert "remodelled" not in how_to_cite(plain)
    assert how_to_cite(plain) in Page(impact_report([plain], None)).text


def test_every_reference_is_whole():
    for text in REFERENCES.values():
        assert re.search(r"\((19|20)\d\d\)\.?", text), text


# --- several variants ---------------------------------------------------------------------


def test_several_variants_share_one_page(plain, measured, looked_at):
    report = impact_report([plain, measured, looked_at], SCRIPT)
    page = Page(report)
    assert page.headings[0].startswith("3 variants of a & b, ")
    assert page.headings[1] == verdict(plain).headline
    assert sum(len(words) > 1_000_000 for words in page.scripts) == 1, "Plotly's once"
    assert report.count(SCRIPT) == 1, "3Dmol.js once, with the first structure"
    assert report.index(SCRIPT) > report.index('id="variant-2"')
    ids = [name for name in page.ids if name.startswith("variant")]
    assert ids == ["variant-1", "variant-2", "variant-3"]
    links = re.findall(r'<a href="#(variant-\d)">', report)
    assert links == ids
    assert page.headings.count("Methods") == 1


def test_the_summary_shows_the_numbers_as_the_tiles_do(plain, measured):
    table = summary([measured, plain])
    assert table["variant"].tolist() == ["V31P", "K2R:A7del"]
    for number in leading_numbers(measured):
        assert table[number.name][0] == number.value
    assert "measured" not in table["answer"][1]
    head, first, second = Page(impact_report([measured, plain], None)).table("The variants.")
    assert first[head.index("TM-score, measured")] == f"{measured.tm_score:.4f}"
    assert second[head.index("TM-score, measured")] == ""


def test_where_variants_differ_provenance_names_each(plain, measured):
    report = impact_report([measured, plain], None)
    assert "V31P: 1, 2; K2R:A7del: not used" in report
    assert report.count(plain.prediction.model.sha256) == 1
    twice = impact_report([measured, replace(measured, replicates=measured.replicates)], None)
    assert "V31P (1)" in twice and "V31P (2)" in twice


def test_browsers_are_asked_for_no_more_views_than_they_draw(looked_at, monkeypatch):
    monkeypatch.setattr(html, "MOST_VIEWS", 2)
    report = impact_report([looked_at] * 3, SCRIPT)
    assert report.count('class="picture"') == 2 and report.count(SCRIPT) == 1
    assert sum(len(words) > 1_000_000 for words in Page(report).scripts) == 1


def test_a_report_of_nothing_is_refused():
    with pytest.raises(InputError, match="no result"):
        impact_report([], None)


# --- tables and looks ---------------------------------------------------------------------


def test_cells_say_what_a_reader_reads():
    frame = pd.DataFrame(
        {
            "a_b": [0.12345, np.nan],
            "yes": [True, False],
            "text": ["<b>", None],
            "whole": [3, 4],
            "maybe": pd.array([None, 2], dtype="Int64"),
        }
    )
    made = table_html(frame, "what & why", digits={"a_b": 1}, marked=[1], links=["x", "y"])
    rows = Page(made).table("what & why")
    assert rows == [
        ["a b", "yes", "text", "whole", "maybe"],
        ["0.1", "yes", "<b>", "3", ""],
        ["", "no", "", "4", "2"],
    ]
    assert '<tr class="site">' in made.split("0.1")[1]
    assert "<b>" not in made


def test_a_table_without_rows_is_left_out():
    assert table_html(pd.DataFrame({"a": []}), "nothing") == ""


def colours(scheme):
    """The colours by name, of ``day`` or ``night``."""
    blocks = re.findall(r":root\{(--ink[^}]*)\}", STYLE)
    return dict(re.findall(r"--(\w+):(#[0-9a-f]+)", blocks[scheme == "night"]))


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("scheme", ["day", "night"])
@pytest.mark.parametrize("ground", ["paper", "band", "flag", "site"])
@pytest.mark.parametrize("ink", ["ink", "soft", "link"])
def test_text_stands_out(scheme, ground, ink):
    """WCAG 2.2, contrast of text: at least 4.5."""
    known = colours(scheme)
    light, dark = sorted((luminance(known[ink]), luminance(known[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_no_window_hides_rows():
    assert "max-height" not in STYLE and "overflow:auto" not in STYLE


# --- the command --------------------------------------------------------------------------


def test_the_command_makes_one_report_of_saved_results(run, plain, looked_at, tmp_path):
    first, second, out = (tmp_path / name for name in ("a.json", "b.zip", "out.html"))
    first.write_text(to_json(plain))
    store = RunStore(tmp_path / "s.sqlite")
    second.write_bytes(export_bundle(store, store.keep_impact(looked_at)))
    code, _, err = run("report", first, second, "--out", out)
    assert code == 0, err
    assert Page(out.read_text()).headings[0].startswith("2 variants of")
    code, _, err = run("report", first, "--out", out)
    assert code == 0 and Page(out.read_text()).headings[0] == verdict(plain).headline


def test_the_command_says_which_file_is_no_result(run, plain, tmp_path):
    good, bad, out = (tmp_path / name for name in ("a.json", "b.json", "out.html"))
    good.write_text(to_json(plain))
    bad.write_text("{}")
    code, _, err = run("report", good, bad, "--out", out)
    assert code == 2 and err.startswith("Error: b.json: not a GLASS impact file")
    assert not out.exists()
    code, _, err = run("report", good, "--out", tmp_path / "a.json" / "x.html")
    assert code == 2 and "cannot be written" in err


# --- in a browser -------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_opens_offline_and_prints_whole(measured, plain, tmp_path):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    path = tmp_path / "report.html"
    path.write_text(impact_report([measured, plain], SCRIPT), encoding="utf-8")
    asked, problems = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(color_scheme="dark", viewport={"width": 1280, "height": 900})
        page.set_default_timeout(wait_ms())
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path.as_uri())
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
        night = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert night == "rgb(21, 24, 29)"
        page.emulate_media(media="print")
        page.set_viewport_size({"width": A4_TEXT, "height": 900})
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") in WHITE
        cut = page.evaluate(
            "[...document.querySelectorAll('table, .plot')]"
            ".filter(one => one.getBoundingClientRect().right > innerWidth + 1)"
            ".map(one => one.outerHTML.slice(0, 80))"
        )
        assert not cut
        assert page.locator(".modebar-container").first.is_hidden()
        printed = page.pdf(prefer_css_page_size=True, print_background=True)
        browser.close()
    assert printed.count(b"/Type /Page\n") >= 5
    boxes = re.findall(rb"/MediaBox \[0 0 (\d+)\S* (\d+)", printed)
    assert set(boxes) == {(b"594", b"841")} or set(boxes) == {(b"595", b"841")}
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}
    assert not [p for p in problems if "3Dmol" not in p], "the stand-in draws nothing"


A4_TEXT = 695
"""Pixels of A4's width between the margins of the style."""
WHITE = ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
