"""The Map page, through Streamlit's AppTest, over the space that comes with the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from glass_core.models.space.registry import load_space
from glass_core.settings import Settings
from glass_core.space.background import open_background
from tests.tools.pace import patience
from tests.tools.services import ARF

APP = Path(__file__).parents[1] / "app.py"


@pytest.fixture(scope="module")
def background():
    settings = Settings.from_environment()
    return open_background(settings, load_space(settings).info)


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASS_RUNS", str(tmp_path / "runs.sqlite"))
    monkeypatch.setenv("GLASS_DEVICE", "cpu")
    found = AppTest.from_file(str(APP), default_timeout=patience(90)).run()
    return found.switch_page("pages/map.py").run()


def texts(elements):
    return " ".join(str(one.value) for one in elements).replace("\\", "")


def placed(page, text, variants=""):
    page.text_area(key="map_text").set_value(text)
    page.text_input(key="map_variants").set_value(variants)
    page.button(key="map_start").click().run()
    assert not page.exception
    return page


def pick(page, *rows):
    """Choose points, as a lasso does."""
    page.session_state["map_state"].picked = rows
    return page.run()


def test_the_map_is_there_before_anything_is_given(page):
    assert not page.exception
    assert page.title[0].value == "Where does it lie among known folds?"
    assert "t-SNE" in texts(page.caption)
    assert "nearness" not in page.selectbox(key="map_colour").options
    assert "held-out chains" in texts(page.caption)


def test_a_protein_and_its_mutants_are_placed_and_outlive_a_reload(page):
    placed(page, f">arf\n{ARF}", f"{ARF[9]}10A {ARF[19]}20P X1Y")
    assert "3 places among 2,000 chains" in texts(page.header)
    assert "no variant of arf" in texts(page.warning)
    distances = page.dataframe[0].value
    assert list(distances["id"]) == ["arf", f"{ARF[9]}10A", f"{ARF[19]}20P"]
    assert distances["distance"][0] == 0
    assert distances["distance"][1] > 0
    nearest = page.dataframe[1].value
    assert nearest["cosine"].is_monotonic_decreasing
    header = page.header[0].value
    page.selectbox(key="map_colour").set_value("nearness").run()
    assert page.run().header[0].value == header
    page.query_params["map"] = "gone"
    assert "no longer kept" in texts(page.run().info)


@pytest.mark.parametrize(
    ("text", "variants", "words"),
    [
        ("", "", "nothing to place"),
        ("", "R175H", "variants need the sequence"),
        ("MK1T", "", "digit"),
        (">empty\n", "", "is empty"),
    ],
)
def test_bad_input_is_one_line_and_the_map_stays(page, text, variants, words):
    placed(page, text, variants)
    assert words in texts(page.error)
    assert "t-SNE" in texts(page.caption)
    assert page.text_area(key="map_text").value == text


def test_what_was_placed_before_is_marked_where_new_input_fails(page):
    placed(page, f">arf\n{ARF}")
    placed(page, "MK1T")
    assert "digit" in texts(page.error)
    assert "1 place among" in texts(page.header)
    assert "belongs to the inputs before" in texts(page.warning)
    placed(page, f">arf\n{ARF}", f"{ARF[9]}10A")
    assert "2 places among" in texts(page.header)
    assert "belongs to the inputs before" not in texts(page.warning)


def test_every_layer_off_is_said(page):
    page.button_group(key="map_layers").set_value([]).run()
    assert not page.exception
    assert "Every layer of the background is off" in texts(page.info)


def test_chains_are_found_by_id_and_opened(page, background):
    name = str(background.table["id"].iloc[7])
    page.text_input(key="map_find").set_value(name).run()
    assert "Chosen" in texts(page.markdown)
    assert name in set(page.dataframe[0].value["id"])
    page.text_input(key="map_find").set_value(f"zzzzz, {name}").run()
    assert "No chain of the background is called zzzzz" in texts(page.warning)
    assert name in set(page.dataframe[0].value["id"])


@pytest.mark.parametrize(("key", "field"), [("impact", "wild"), ("search", "search_wild")])
def test_what_is_chosen_goes_to_another_page(page, background, key, field):
    pick(page, 7)
    table = page.dataframe[0].value
    name = str(background.table["id"].iloc[7])
    assert list(table["id"]) == [name]
    page.button(key=f"map_open_{key}").click().run()
    assert not page.exception
    assert background.sequence_of(name) in str(page.session_state[field])


def test_several_are_listed_and_let_go(page):
    pick(page, 3, 4, 5)
    assert len(page.dataframe[0].value) == 3
    page.button(key="map_none").click().run()
    assert "Chosen" not in texts(page.markdown)


def test_layers_and_layouts_change_what_is_drawn(page):
    page.button_group(key="map_layers").set_value(["structure"]).run()
    page.button_group(key="map_layout").set_value("pca").run()
    assert not page.exception
    assert "principal components of the background" in texts(page.caption)
