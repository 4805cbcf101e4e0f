"""How the pages look and whether everybody can use them: axe, widths, themes, in Chromium."""

from __future__ import annotations

import pytest

from tests.test_pages_browser import (  # noqa: F401
    address,
    browser,
    example,
    pytestmark,
    search_example,
    server,
    structure_of,
    visit,
)
from tests.tools.dashboard import AT_REST

OVERFLOWS = """() => [...document.querySelectorAll('button p, label p, .glass-structure *')]
    .filter(e => e.offsetParent !== null && e.scrollWidth > e.clientWidth + 1
        && getComputedStyle(e).overflow === 'hidden' && e.textContent.trim())
    .map(e => e.textContent)"""
"""Labels that are cut."""
WIDER = "document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth"


def serious(page):
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_function(
        f"{AT_REST} && [...document.querySelectorAll('style')]"
        ".some(one => one.textContent.includes('stCaptionContainer'))"
    )  # what Streamlit draws, and app.py's own looks, which its HTML element brings a moment later
    found = Axe().run(page).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(address, visit, scheme):  # noqa: F811
    page = visit(address, color_scheme=scheme)
    page.get_by_text("For example").wait_for()
    assert serious(page) == []
    example(page)
    structure_of(page)
    assert serious(page) == []
    for name, words in (
        ("screen", "Which substitutions matter?"),
        ("search", "Which proteins share its fold?"),
        ("runs", "Select a run"),
        ("map", "Where does it lie among known folds?"),
        ("evidence", "question by question"),
        ("models", "Models"),
    ):
        page.goto(f"{address}/{name}")
        page.get_by_text(words).first.wait_for()
        assert serious(page) == [], name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_search_is_for_everybody(address, visit, scheme):  # noqa: F811
    page = visit(f"{address}/search", color_scheme=scheme)
    search_example(page)
    assert serious(page) == []
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_function(f"{AT_REST} && {WIDER} <= 1")
    assert page.evaluate(OVERFLOWS) == []


@pytest.mark.parametrize("width", [1440, 1024, 420])
def test_no_label_is_cut(address, visit, width):  # noqa: F811
    page = visit(address)
    page.set_viewport_size({"width": width, "height": 900})
    example(page)
    structure_of(page)
    assert page.evaluate(OVERFLOWS) == []
    assert page.evaluate(WIDER) <= 0, "nothing sticks out to the side"


def test_the_keyboard_reaches_the_answer(address, visit):  # noqa: F811
    """From the box: type, Enter, and the result is there; every control of the view has focus."""
    page = visit(address)
    example(page, use=lambda button: button.press("Enter"))
    structure_of(page)
    page.get_by_label("Colour by").first.focus()
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
    assert reached[:3] == ["Zoom to site", "Whole", "PNG"]
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "focus is visible"
