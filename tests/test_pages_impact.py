"""The Impact page through Streamlit's AppTest: no browser, a tiny model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from glass_core.inputs.upload import Upload
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


def headline(page):
    return page.header[0].value


def words(page):
    return " ".join(m.value for m in page.markdown)


def look_at(page, tab):
    page.session_state["more"] = tab
    return page.run()


def test_opens_with_a_way_in(page):
    assert not page.exception
    assert page.title[0].value == "GLASS"
    assert page.button(key="example")
    assert "What does a mutation do" in words(page)


def test_sequence_alone(page):
    analyse(page)
    assert not page.exception
    assert not page.error
    assert headline(page).startswith("K2R")
    assert any("add a structure" in i.value for i in page.info)
    assert "Chance of being damaging" in words(page) and "Measured" not in words(page)
    look_at(page, "The method's numbers")
    shown = {m.label: m.value for m in page.metric}
    assert list(shown) == ["Chance of being damaging", "TM-score, predicted", "BLOSUM62"]
    assert 0 <= float(shown["Chance of being damaging"]) <= 1


def test_example_shows_all_views(page):
    page.button(key="example").click().run()
    assert not page.exception
    text = words(page)
    for section in ("Along the sequence", "Why it may be so", "Downloads"):
        assert section in text
    assert {"Parts of the fold", "Distances"} <= {tab.label for tab in page.tabs}
    assert page.text_input(key="variant").value == "V31P"
    assert page.selectbox(key="chain").value == "A"
    assert page.button(key="remodel")
    assert page.query_params["run"]


def test_only_the_tab_that_is_looked_at_is_drawn(page):
    page.button(key="example").click().run()
    assert any(s.label == "Residue" for s in page.selectbox)
    assert not any(s.label == "Zoom to" for s in page.selectbox)
    look_at(page, "Distances")
    assert any(s.label == "Zoom to" for s in page.selectbox)
    assert not any(s.label == "Residue" for s in page.selectbox)


def test_variants_gather_and_stay(page):
    """The second variant of a protein joins the first, and each is shown when it is chosen."""
    page.button(key="example").click().run()
    first = page.query_params["run"]
    page.text_input(key="variant").set_value("E10K")
    page.button(key="analyse").click().run()
    assert headline(page).startswith("E10K")
    listed = page.radio(key="shown_run")
    assert [option.split(" ")[0] for option in listed.options] == ["V31P", "E10K"]
    page.radio(key="shown_run").set_value(first).run()
    assert headline(page).startswith("V31P")
    assert page.text_input(key="variant").value == "V31P"
    assert not page.warning, "the form is that of what is shown"
    page.text_input(key="variant").set_value("E10K")
    page.button(key="analyse").click().run()
    assert headline(page).startswith("E10K")
    assert len(page.radio(key="shown_run").options) == 2, "what is known is not asked again"


def test_variants_stand_side_by_side(page):
    page.button(key="example").click().run()
    page.text_input(key="variant").set_value("E10K")
    page.button(key="analyse").click().run()
    other = page.multiselect(key="beside").options[0]
    page.multiselect(key="beside").select(other).run()
    assert not page.exception
    assert next(h.value for h in page.header) == "Side by side"
    assert list(page.dataframe[0].value["variant"]) == ["E10K", "V31P"]


def test_star_and_note_stay_with_the_variant(page):
    from glass_core.runs.store import RunStore

    analyse(page)
    run = page.query_params["run"]
    page.toggle(key=f"star {run}").set_value(True).run()
    page.text_input(key=f"note {run}").set_value("ask the lab").run()
    import os

    kept = RunStore(Path(os.environ["GLASS_RUNS"])).get(run)
    assert kept.star and kept.note == "ask the lab"
    assert "★" in page.radio(key="shown_run").options[0]


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
    assert "measured against the given mutant structure" in headline(page)
    look_at(page, "The method's numbers")
    shown = {m.label: m.value for m in page.metric}
    assert shown["TM-score, measured"] == "1.0000" and shown["Noise floor"] == "none"


@pytest.mark.parametrize(
    ("wild", "variant", "says"),
    [
        ("", "K2R", "of which protein?"),
        ("MK*T", "K2R", "a stop"),
        ("MK1T", "K2R", "a digit"),
        (">a\nMK\n>b\nMT", "K2R", "2 FASTA records"),
        (WILD, "R2K", "position 2 is K, not R"),
        (WILD, "K99R", "outside the sequence"),
        (WILD, "K2K", "changes nothing"),
        (WILD, "", "variant: is empty"),
        (WILD, "<script>", "is no sequence, gene, accession or variant"),
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
    assert headline(page).startswith("K2R")
    assert "belongs to the inputs before" in page.warning[0].value
    analyse(page, variant="K2R")
    assert not page.error and not page.warning


def test_a_result_that_no_longer_belongs_to_the_inputs_says_so(page):
    analyse(page)
    page.text_area(key="wild").set_value(WILD + "AAA").run()
    assert "belongs to the inputs before" in page.warning[0].value
    page.text_area(key="wild").set_value(WILD).run()
    assert not page.warning


def test_an_old_link_is_explained(page):
    page.query_params["run"] = "gone"
    page.run()
    assert not page.exception
    assert any("no longer kept" in i.value for i in page.info)


def test_the_sample_on_the_first_screen_is_what_the_example_gives(monkeypatch):
    """Made by ``glass impact`` for the example; to be made anew whenever the model is."""
    from click.testing import CliRunner

    from glass_core.cli.main import main
    from pages.parts.sample import SAMPLE

    for name in ("GLASS_ASSETS", "GLASS_MODELS"):
        monkeypatch.delenv(name, raising=False)
    made = CliRunner().invoke(main, ["rerun", str(SAMPLE)])
    assert made.exit_code == 0, made.output


def test_each_of_several_variants_is_analysed_and_shown_beside_the_others(page):
    analyse(page, WILD, "K2R T3A, A99G")
    assert not page.exception
    assert [one.value for one in page.header][1].startswith("K2R"), "side by side comes first"
    assert any("A99G" in one.value and "Not analysed" in one.value for one in page.warning)
    assert [one.partition(" ")[0] for one in page.radio(key="shown_run").options] == ["K2R", "T3A"]
    beside = page.multiselect(key="beside")
    assert len(beside.value) == 1
    page.radio(key="shown_run").set_value(beside.value[0]).run()
    assert any(one.value.startswith("T3A") for one in page.header)


def test_more_variants_than_are_analysed_at_once_are_sent_to_the_screen(page):
    analyse(page, WILD, " ".join(f"K2{letter}" for letter in "ACDEFGHILMNPQ"))
    assert "13 variants" in page.error[0].value
    assert page.button(key="screen_them")


def test_a_structure_that_comes_alone_is_counted_by_its_author(page, monkeypatch):
    from glass_core.inputs.upload import example_upload

    given = example_upload()
    page.session_state["file"] = None
    page.run()
    assert page.selectbox(key="numbering").value == "sequence"

    class File:
        name = given.name

        def getvalue(self):
            return given.content

    import streamlit as st

    from pages.parts.common import take_upload

    state = {"file 0": File(), "wild": ""}
    monkeypatch.setattr(st, "session_state", state)
    take_upload("")
    assert state["numbering"] == "author" and state["given"].name == given.name
    state = {"file 0": File(), "wild": WILD}
    monkeypatch.setattr(st, "session_state", state)
    take_upload("")
    assert "numbering" not in state


def test_what_was_measured_once_more_is_read_anew(page):
    from glass_core.runs.store import RunStore
    from pages.parts import workbench

    analyse(page)
    run = page.query_params["run"]
    store: RunStore = workbench.runs()
    before = workbench.kept_impact(run, True)
    assert workbench.kept_impact(run, True) is before
    marked = {**before.provenance.inputs, "mark": "new"}
    store.keep_impact(
        replace(before, provenance=replace(before.provenance, inputs=marked)), run=run
    )
    assert workbench.kept_impact(run, True) is before, "which is why it has to be forgotten"
    workbench.forget_kept(run)
    assert workbench.kept_impact(run, True).provenance.inputs["mark"] == "new"


def test_variants_of_two_proteins_do_not_stand_side_by_side(page):
    analyse(page)
    first = page.query_params["run"]
    analyse(page, wild="MQIFVKTLTGKTITLEVEPSDTIENVKAKI", variant="I3A")
    assert headline(page).startswith("I3A")
    assert "with" not in page.query_params
    page.query_params["with"] = first  # as an old link may have it
    page.run()
    assert not page.exception
    assert headline(page).startswith("I3A")
    assert "Side by side" not in [one.value for one in page.header]


def test_one_more_variant_is_shown_alone(page):
    analyse(page, variant="K2R T3A")
    assert "Side by side" in [one.value for one in page.header]
    analyse(page, variant="A4G")
    assert "Side by side" not in [one.value for one in page.header]
    assert headline(page).startswith("A4G")


def test_another_protein_begins_with_an_empty_form(page, globin):
    page.session_state["given"] = Upload.of_structure(globin)
    page.session_state["numbering"] = "author"
    analyse(page, wild="", variant=f"{globin.sequence[30]}{globin.residue_numbers[30]}P")
    assert headline(page)
    page.button(key="start_anew").click().run()
    assert "run" not in page.query_params
    assert page.text_input(key="variant").value == ""
    assert page.session_state["given"] is None
    assert page.session_state["numbering"] == "sequence"


def test_a_sequence_and_its_variant_in_one_line(page, globin):
    page.session_state["given"] = Upload.of_structure(globin)
    analyse(page, wild="", variant=f"{globin.sequence[30]}31P")
    page.text_input(key="variant").set_value(f"{WILD}{WILD} K2R")
    page.button(key="analyse").click().run()
    assert not page.error
    assert headline(page).startswith("K2R")
    assert page.session_state["given"] is None, "it is another protein's"


def test_spaces_within_a_variant_are_read_as_the_hint_says(page):
    analyse(page, variant="K 2 R")
    assert not page.error
    assert headline(page).startswith("K2R")
