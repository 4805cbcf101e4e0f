"""Properties and stretches on the Impact page, over the models that come with the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.tools.pace import patience

APP = Path(__file__).parents[1] / "app.py"
WILD = "MKVLAAGIVGLCAKAYQDWERNSTGGELKPHF" * 3


@pytest.fixture
def page(tmp_path, monkeypatch):
    import streamlit as st

    monkeypatch.setenv("GLASS_RUNS", str(tmp_path / "runs.sqlite"))
    monkeypatch.setenv("GLASS_DEVICE", "cpu")
    st.cache_resource.clear()
    st.cache_data.clear()
    return AppTest.from_file(str(APP), default_timeout=patience(90)).run()


def analyse(page, variant, tab, wild=WILD):
    page.text_area(key="wild").set_value(wild)
    page.text_input(key="variant").set_value(variant)
    page.button(key="analyse").click().run()
    assert not page.exception
    page.session_state["more"] = tab
    page.run()
    assert not page.exception
    return page


def texts(elements):
    return " ".join(str(one.value) for one in elements).replace("\\", "")


def test_properties_say_what_is_told_apart(page):
    analyse(page, "K2R", "Properties")
    said = texts(page.markdown)
    assert "Not distinguishable" in said or "Beyond the noise" in said
    shown = [d.value for d in page.dataframe]
    changes = next(table for table in shown if "verdict" in table)
    assert "melting temperature" in set(changes["property"])
    assert "quality of the structure" not in set(changes["property"]), "there is no structure"
    assert "Melting temperature: Spearman" in said
    assert "worse than MMseqs2" in texts(page.caption), "is not hidden"
    assert "that of single substitutions was not measured" in said
    assert "meaning" in page.table[0].value, "whole, not cut at the edge"


def test_properties_of_a_structure_are_told(page):
    page.button(key="example").click().run()
    page.session_state["more"] = "Properties"
    page.run()
    assert not page.exception
    changes = next(d.value for d in page.dataframe if "verdict" in d.value)
    assert "quality of the structure" in set(changes["property"])


def test_noise_is_that_of_substitutions(page):
    analyse(page, "K2del", "Properties")
    assert "measured with substitutions alone" in texts(page.caption)


def test_stretches_say_what_moves(page):
    analyse(page, "M33W", "Protein space")
    assert "windows of 20 residues" in texts(page.markdown)
    page.button_group(key="stretch_width").set_value(50).run()
    assert not page.exception
    assert "windows of 50 residues" in texts(page.markdown)


def test_stretches_of_a_deletion_are_not_drawn(page):
    analyse(page, "K2del", "Protein space")
    assert "substitutions only" in texts(page.caption)
    analyse(page, "K2R", "Protein space", wild="MKVLAAG")
    assert "shorter than a window" in texts(page.caption)


def test_evidence_has_every_head(page):
    page.switch_page("pages/evidence.py").run()
    assert not page.exception
    said = texts(page.markdown)
    assert "How well are properties of whole proteins told?" in said
    for words in ("Enzyme class", "Melting temperature", "Quality of the structure", "Binding"):
        assert words.lower() in said.lower()
