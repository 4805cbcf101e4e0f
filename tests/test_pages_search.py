"""The Search page and the relatives on the Impact page, through Streamlit's AppTest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from glass_core.inputs.upload import EXAMPLE_CHAIN, example_upload
from glass_core.models.fold_chance import FOLD_CHANCE_FILE, FoldChance, FoldChances
from glass_core.models.registry import load_predictor
from glass_core.protein.structure.file import read_structure
from glass_core.search.aligners import aligner_of
from glass_core.search.building import Building, build
from glass_core.search.entry import Entry
from glass_core.settings import Settings
from tests.test_search_database import some
from tests.tools.pace import patience
from tests.tools.services import ARF, environment

APP = Path(__file__).parents[1] / "app.py"


def globin():
    return read_structure(example_upload().content, chain=EXAMPLE_CHAIN, name="2gtl.pdb")


def relatives():
    """A human ARF, a piece of it of a PDB entry, the globin of the example, and others."""
    return [
        Entry("sp|Q8N726|ARF_HUMAN", ARF, "Tumor suppressor ARF"),
        Entry("9zzz_A", ARF[:60], "PDB 9zzz", structure="pdb:9zzz", chain="A"),
        Entry("2gtl_A", globin().sequence, "PDB 2gtl", "SCOP a.1", "2gtl.pdb", "A"),
        *some(12),
    ]


@pytest.fixture
def page(services, tiny_assets, tmp_path, monkeypatch):
    import streamlit as st

    places = environment(services, tmp_path / "downloads") | {
        "GLASS_ASSETS": str(tiny_assets),
        "GLASS_MODELS": str(tmp_path / "none"),
        "GLASS_DATABASES": str(tmp_path / "databases"),
        "GLASS_DEVICE": "cpu",
        "GLASS_RUNS": str(tmp_path / "runs.sqlite"),
    }
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    st.cache_resource.clear()
    st.cache_data.clear()
    folder = tmp_path / "databases" / "mine"
    build(relatives(), folder, Building(Settings.from_environment(), "compact"))
    (folder / "2gtl.pdb").write_bytes(example_upload().content)
    chance = tiny_assets / "models" / "compact"
    line = FoldChance(np.array([0.0, 1.0]), np.array([0.6, 0.9]))
    aligner = aligner_of(load_predictor(Settings.from_environment())).name
    FoldChances(line, line, aligner).write(chance)
    yield AppTest.from_file(str(APP), default_timeout=patience(60)).run()
    (chance / FOLD_CHANCE_FILE).unlink()
    st.cache_resource.clear()


@pytest.fixture
def search(page):
    return page.switch_page("pages/search.py").run()


def asked(page, wild):
    page.text_area(key="search_wild").set_value(wild)
    page.button(key="search_start").click().run()
    assert not page.exception
    return page


def address(page):
    found = page.query_params["search"]
    return found if isinstance(found, str) else found[0]


def texts(elements):
    return " ".join(str(one.value) for one in elements).replace("\\", "")


def at(page, position, mutant=""):
    page.selectbox(key=f"search_site {address(page)}").set_value(position).run()
    if mutant:
        page.selectbox(key=f"search_mutant {address(page)}").set_value(mutant).run()
    assert not page.exception
    return page


def choose(page, row):
    """Choose a row of the table of neighbours, as a click does."""
    page.session_state[f"search_table {address(page)}"] = {
        "selection": {"rows": [row], "columns": [], "cells": []}
    }
    return page.run()


def test_opens_with_a_way_in(search):
    assert not search.exception
    assert search.title[0].value == "Which proteins share its fold?"
    assert search.selectbox(key="search_database").options == ["mine"]


def test_a_sequence_is_searched_and_a_residue_looked_at(search):
    asked(search, ARF)
    assert "14 of 14 neighbours probably share its fold" in texts(search.header)
    table = search.dataframe[0].value
    assert table["neighbour"][0] == "sp|Q8N726|ARF_HUMAN"
    assert table["source"][0] == "itself, Tumor suppressor ARF"
    assert "at the site" not in table
    at(search, 10, "A")
    said = texts(search.markdown)
    assert f"at {ARF[9]}10" in said
    assert "A stands in" in said or "None has A" in said
    assert "at the site" in search.dataframe[1].value
    assert search.button(key="search_analyse").label == f"Analyse {ARF[9]}10A"


def test_the_result_outlives_a_reload_and_is_missed_politely(search):
    asked(search, ARF)
    first = search.header[0].value
    assert search.run().header[0].value == first
    search.query_params["search"] = "gone"
    assert "no longer kept" in texts(search.run().info)


@pytest.mark.parametrize(
    ("wild", "words"),
    [
        ("", "is empty"),
        ("MK1T", "digit"),
        (">a\nMKT\n>b\nMKT", "2 FASTA records"),
        ("ACGTACGTACGTACGTACGTACGT", "DNA"),
    ],
)
def test_bad_input_is_one_line_and_loses_nothing(search, wild, words):
    asked(search, wild)
    assert words in texts(search.error)
    assert "\n" not in search.error[0].value
    assert search.text_area(key="search_wild").value == wild


def test_a_variant_goes_to_impact(search):
    asked(search, ARF)
    at(search, 10, "A" if ARF[9] != "A" else "C")
    search.button(key="search_analyse").click().run()
    assert not search.exception
    assert f"{ARF[9]}10" in texts(search.header)


def test_known_variants_of_neighbours_are_looked_up_by_accession(search):
    asked(search, ARF[:90])
    at(search, 40)
    key = f"search {address(search)}_known 40 ask"
    search.button(key=key).click().run()
    assert not search.exception
    said = texts(search.caption)
    listed = [one.value for one in search.dataframe if "variant there" in one.value]
    assert listed or "None is listed" in said
    assert "names no entry of PDB or UniProt" in said, "those of no database are told"


def test_a_chosen_neighbour_is_laid_on_the_structure(search):
    search.button(key="search_example").click().run()
    assert not search.exception
    assert "2gtl" in texts(search.caption)
    names = list(search.dataframe[1].value["neighbour"])
    choose(search, names.index("2gtl_A"))
    assert not search.exception
    assert "TM-score **1.000** by TM-align" in texts(search.markdown)
    assert any("2gtl_A" in one.value for one in search.code)
    table = search.dataframe[1].value
    assert table["TM-score (TM-align)"][names.index("2gtl_A")] == pytest.approx(1, abs=1e-3)


def test_a_structure_is_looked_up_or_its_absence_told(search):
    search.button(key="search_example").click().run()
    names = list(search.dataframe[1].value["neighbour"])
    choose(search, names.index("9zzz_A"))
    asks = [one for one in search.button if one.key and one.key.endswith("9zzz_A ask")]
    asks[0].click().run()
    assert not search.exception
    assert "by TM-align" in texts(search.markdown)
    choose(search, names.index("s3"))
    assert not search.exception
    assert not [one for one in search.button if one.key and one.key.endswith("s3 ask")]


def test_the_alignment_becomes_that_of_the_protein_on_impact(search):
    asked(search, ARF)
    search.button(key="search_use_alignment").click().run()
    assert not search.exception
    assert ARF in search.text_area(key="wild").value
    assert "glass-relatives-protein.a3m" in texts(search.caption)


def test_a_neighbour_is_opened_on_impact_and_waits_for_a_variant(search):
    asked(search, ARF)
    choose(search, 0)
    search.button(key="search_open").click().run()
    assert not search.exception
    assert ARF in search.text_area(key="wild").value
    assert "Which variant of it?" in texts(search.info)


def test_impact_shows_relatives_and_leads_to_the_page(page, tiny_assets, tmp_path):
    page.text_area(key="wild").set_value(ARF)
    page.text_input(key="variant").set_value(f"{ARF[9]}10A")
    page.button(key="analyse").click().run()
    page.session_state["more"] = "Relatives"
    page.run()
    assert not page.exception
    assert "database that comes with GLASS is not there" in texts(page.error)
    (tmp_path / "databases" / "mine").rename(tiny_assets / "database")
    try:
        page.run()
        assert not page.exception
        assert "13 of 13" not in texts(page.header)
        assert "probably share its fold" in texts(page.markdown)
        assert f"at {ARF[9]}10" in texts(page.markdown)
        page.button(key="open_in_search").click().run()
        assert not page.exception
        assert "probably share its fold" in texts(page.header)
        assert page.selectbox(key=f"search_site {address(page)}").value == 10
    finally:
        (tiny_assets / "database").rename(tmp_path / "databases" / "mine")
