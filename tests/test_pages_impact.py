"""The Impact page through Streamlit's AppTest: no browser, a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.tools.pace import patience

APP = Path(__file__).parents[1] / "app.py"
WILD = "MKTAYIAKQRQISFVKSHFSRQ"


@pytest.fixture
def page(tiny_assets, tmp_path, monkeypatch):
    import streamlit as st

    monkeypatch.setenv("GLASS_ASSETS", str(tiny_assets))
    monkeypatch.setenv("GLASS_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("GLASS_DEVICE", "cpu")
    monkeypatch.setenv("GLASS_RUNS", str(tmp_path / "runs.sqlite"))
    st.cache_resource.clear()
    st.cache_data.clear()
    return AppTest.from_file(str(APP), default_timeout=patience(60)).run()


def analyse(page, wild=WILD, variant="K2R", mutant=""):
    page.text_area(key="wild").set_value(wild)
    page.text_input(key="variant").set_value(variant)
    page.text_area(key="mutant").set_value(mutant)
    return page.button(key="analyse").click().run()


def headings(page):
    return [h.value for h in page.subheader]


def test_opens_with_a_way_in(page):
    assert not page.exception
    assert page.button(key="example")
    assert any("What does a mutation do" in m.value for m in page.markdown)


def test_sequence_alone(page):
    analyse(page)
    assert not page.exception
    assert not page.error
    assert any("K2R" in h for h in headings(page))
    assert any("add a structure" in i.value for i in page.info)
    shown = {m.label: m.value for m in page.metric}
    assert list(shown) == ["P(damaging)", "TM-score, predicted", "BLOSUM62"]
    assert 0 <= float(shown["P(damaging)"]) <= 1


def test_example_shows_all_views(page):
    page.button(key="example").click().run()
    assert not page.exception
    text = " ".join(m.value for m in page.markdown)
    for section in (
        "Along the sequence",
        "Structure",
        "Distances",
        "Parts of the fold",
        "Downloads",
    ):
        assert section in text
    assert page.text_input(key="variant").value == "V31P"
    assert page.selectbox(key="chain").value == "A"
    assert page.button(key="remodel")
    assert page.query_params["run"]


def test_selection_by_number_marks_the_residue(page):
    page.button(key="example").click().run()
    page.number_input(key="selected").set_value(40).run()
    assert not page.exception
    assert page.session_state["selected"] == 40


def test_a_click_is_taken_once(page):
    page.button(key="example").click().run()
    page.session_state["next_selected"] = 40
    page.run()
    assert page.number_input(key="selected").value == 40


def test_a_sequence_with_more_than_the_structure_shows_the_alignment(page, globin):
    page.button(key="example").click().run()
    page.text_area(key="wild").set_value("MKA" + globin.sequence[:50] + "W" + globin.sequence[51:])
    page.text_input(key="variant").set_value("V34P")
    page.button(key="analyse").click().run()
    assert not page.exception
    assert not page.error
    assert any("residue by residue (mismatches: 1)" in e.label for e in page.expander)
    assert "MKA" + globin.sequence[:50] in page.code[-1].value


def test_a_mutant_structure_of_ones_own_is_measured(page, globin):
    from glass_core.inputs.upload import Upload
    from glass_core.protein.structure.structure import Structure
    from glass_core.protein.structure.write import write_structure

    page.button(key="example").click().run()
    content = write_structure(globin, "pdb").encode()
    page.session_state["mutant_given"] = Upload(content, "mine.pdb")
    page.button(key="analyse").click().run()
    assert "not the structure of V31P" in page.error[0].value

    atoms = globin.atoms.copy()
    atoms.res_name[atoms.res_id == int(globin.residue_numbers[30])] = "PRO"
    content = write_structure(Structure.from_atoms(atoms, "mine"), "pdb").encode()
    page.session_state["mutant_given"] = Upload(content, "mine.pdb")
    page.button(key="analyse").click().run()
    assert not page.error
    assert "measured against the given mutant structure" in headings(page)[1]
    shown = {m.label: m.value for m in page.metric}
    assert shown["TM-score, measured"] == "1.0000" and shown["Noise floor"] == "none"


@pytest.mark.parametrize(
    ("wild", "variant", "says"),
    [
        ("", "K2R", "is empty"),
        ("MK*T", "K2R", "a stop"),
        ("MK1T", "K2R", "a digit"),
        (">a\nMK\n>b\nMT", "K2R", "2 FASTA records"),
        (WILD, "R2K", "position 2 is K, not R"),
        (WILD, "K99R", "outside the sequence"),
        (WILD, "K2K", "changes nothing"),
        (WILD, "", "variant: is empty"),
        (WILD, "<script>", "cannot be read"),
    ],
)
def test_bad_input_keeps_the_form(page, wild, variant, says):
    analyse(page, wild, variant)
    assert not page.exception
    assert len(page.error) == 1
    assert says in page.error[0].value
    assert page.text_area(key="wild").value == wild
    assert page.text_input(key="variant").value == variant


def test_a_good_analysis_survives_a_bad_one(page):
    analyse(page)
    analyse(page, variant="R2K")
    assert len(page.error) == 1
    assert any("K2R" in h for h in headings(page))
    analyse(page, variant="K2R")
    assert not page.error


def test_an_old_link_is_explained(page):
    page.query_params["run"] = "gone"
    page.run()
    assert not page.exception
    assert any("no longer kept" in i.value for i in page.info)
