"""Other people's scores on the Impact and Screen pages: shown as external, ESM-2 where it is."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.test_pages_impact import APP, WILD, analyse, look_at
from tests.test_pages_lookup import captions, look_up
from tests.test_pages_lookup import page as page
from tests.test_pages_screen import address
from tests.tools.pace import patience, until


def evidence_of(page):
    look_at(page, "All evidence")
    return next(d.value for d in page.dataframe if "whose" in d.value.columns)


def toggles(page):
    return {toggle.key for toggle in page.toggle}


@pytest.fixture
def with_weights(tiny_esm2, monkeypatch, page):
    """The pages on a machine with ESM-2."""
    import streamlit as st

    monkeypatch.setenv("GLASS_ESM2", str(tiny_esm2))
    st.cache_resource.clear()
    st.cache_data.clear()
    return AppTest.from_file(str(APP), default_timeout=patience(60)).run()


def test_alphamissense_stands_as_external(page):
    look_up(page, "P04637 D393Y")
    table = evidence_of(page)
    assert list(table["whose"]) == ["GLASS", "external"]
    assert table.iloc[-1][["evidence", "says"]].tolist() == ["AlphaMissense", "likely pathogenic"]
    said = captions(page)
    assert "nothing of GLASS is computed from them" in said and "CC BY 4.0" in said


def test_without_external_scores_there_is_no_note(page):
    analyse(page)
    assert list(evidence_of(page)["whose"]) == ["GLASS"]
    assert "nothing of GLASS" not in captions(page)


def test_without_weights_esm2_is_not_offered(no_esm2, page):
    page.run()
    assert "esm2" not in toggles(page)
    page.switch_page("pages/screen.py").run()
    assert not page.exception
    assert "screen_esm2" not in toggles(page)


def test_esm2_is_asked_where_that_is_wanted(with_weights):
    page = with_weights
    analyse(page)
    assert list(evidence_of(page)["whose"]) == ["GLASS"]
    page.toggle(key="esm2").set_value(True)
    analyse(page, variant="K2W")
    assert not page.exception and not page.error
    table = evidence_of(page)
    assert list(table["whose"]) == ["GLASS", "external"]
    assert table.iloc[-1]["evidence"] == "ESM-2 8M (wild-type marginals)"
    assert "MIT" in captions(page)


def test_weights_that_cannot_be_used_are_one_line(with_weights, monkeypatch):
    from glass_core.embedders.esm2 import Esm2
    from glass_core.errors import UnavailableError

    def full(settings, device):
        raise UnavailableError("ESM-2 8M: does not fit into memory; use a smaller one.")

    monkeypatch.setattr(Esm2, "load", full)
    page = with_weights
    page.toggle(key="esm2").set_value(True)
    analyse(page, wild=WILD[:-1])  # not asked about before
    assert not page.exception
    assert "does not fit into memory" in page.error[0].value
    assert page.text_area(key="wild").value == WILD[:-1]


def test_a_screen_asks_esm2_and_ranks_by_it(with_weights):
    from glass_core.runs.store import RunStore
    from glass_core.settings import Settings

    page = with_weights.switch_page("pages/screen.py").run()
    page.text_area(key="screen_wild").set_value(WILD)
    page.text_input(key="screen_range").set_value("2-3").run()
    offered = page.selectbox(key="screen_rank").options
    assert not any("external" in title for title in offered)
    page.toggle(key="screen_esm2").set_value(True).run()
    assert "ESM-2, turned round (external)" in page.selectbox(key="screen_rank").options
    page.selectbox(key="screen_rank").set_value("esm2").run()
    page.button(key="screen_go").click().run()
    assert not page.exception and not page.error
    run, store = address(page), RunStore(Settings.from_environment().runs)
    until(lambda: store.get(run).state == "done", "the screen")
    page.run()
    assert not page.exception
    ranked = page.dataframe[0].value
    assert list(ranked["esm2"]) == sorted(ranked["esm2"]), "lowest first: most damaging"
    assert page.selectbox(key="ranking").value == "esm2"
    said = captions(page)
    assert "not recorded here" in said and "revision 0123456789ab" in said


def test_a_ranking_is_offered_no_longer_when_its_scores_are_gone(with_weights):
    page = with_weights.switch_page("pages/screen.py").run()
    page.toggle(key="screen_esm2").set_value(True).run()
    page.selectbox(key="screen_rank").set_value("esm2").run()
    page.toggle(key="screen_esm2").set_value(False).run()
    assert not page.exception
    assert page.selectbox(key="screen_rank").value == "", "by the goal again"


def test_a_screen_of_a_looked_up_protein_offers_alphamissense(page):
    page.switch_page("pages/screen.py").run()
    look_up(page, "P04637", "screen_")
    assert "AlphaMissense (external)" in page.selectbox(key="screen_rank").options
    page.text_input(key="screen_range").set_value("392-393").run()
    page.button(key="screen_go").click().run()
    assert not page.exception
    ranked = page.dataframe[0].value
    assert set(ranked["alphamissense_class"]) == {"likely pathogenic"}
    assert "CC BY 4.0" in captions(page)
