"""The Screen and Runs pages through Streamlit's AppTest, and bundles."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from glass_core.errors import GlassError, InputError, RunError
from glass_core.inputs.lists import all_substitutions, from_text, read_request
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.report import style
from glass_core.report.screen.figures import (
    LETTERS,
    against_values,
    distribution,
    heat_map,
    position_means,
)
from glass_core.report.screen.scene import colour_range, position_scene
from glass_core.report.screen.tables import screen_frame
from glass_core.runs.bundle import export_bundle, import_bundle
from glass_core.runs.screening import advance, begin, estimate
from glass_core.runs.store import RunStore
from glass_core.runs.view import View
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import row_from
from glass_core.screen.stream import screen
from glass_core.settings import Settings
from tests.tools.pace import patience, until

APP = Path(__file__).parents[1] / "app.py"
WILD = "MKTAYIAKQRQISFVKSHFSRQ"


@pytest.fixture
def settings(tiny_assets, tmp_path):
    return Settings(
        assets=tiny_assets, models=tmp_path / "none", device="cpu", runs=tmp_path / "runs.sqlite"
    )


@pytest.fixture
def store(settings):
    return RunStore(settings.runs)


@pytest.fixture
def page(settings, monkeypatch):
    import streamlit as st

    for name in ("assets", "models", "device", "runs"):
        monkeypatch.setenv(f"GLASS_{name.upper()}", str(getattr(settings, name)))
    st.cache_resource.clear()
    st.cache_data.clear()
    front = AppTest.from_file(str(APP), default_timeout=patience(60)).run()
    yield front.switch_page("pages/screen.py").run()
    st.cache_resource.clear()


def address(page):
    run = page.query_params["run"]
    return run if isinstance(run, str) else run[0]


def finished(page, store):
    """Run the page until the screen is done."""
    run = address(page)
    until(lambda: store.get(run).state not in ("waiting", "running"), "the screen")
    page.run()
    assert not page.exception
    return store.get(run)


def texts(elements):
    return " ".join(str(e.value) for e in elements)


def test_opens_with_a_way_in(page):
    assert not page.exception
    assert "Which substitutions matter?" in texts(page.title)
    assert page.button(key="screen_go").disabled


def test_all_substitutions_of_a_range_to_the_table(page, store):
    page.text_area(key="screen_wild").set_value(WILD)
    page.text_input(key="screen_range").set_value("2-4").run()
    assert "**57 accepted**, 0 rejected" in texts(page.markdown)
    assert "TM-score and lDDT in about" in texts(page.caption)
    page.button(key="screen_go").click().run()
    known = finished(page, store)
    assert known.counts == {"done": 57} and known.name.startswith("all substitutions")
    text = texts(page.markdown)
    for section in ("Every substitution", "Ranking", "Distribution", "Downloads"):
        assert section in text
    ranked = page.dataframe[0].value
    assert list(ranked["p_damaging"]) == sorted(ranked["p_damaging"], reverse=True)
    assert "57 of 57 pass" in texts(page.caption)
    page.text_input(key="search").set_value("K2").run()
    assert "19 of 57 pass" in texts(page.caption)


def test_a_list_shows_what_was_rejected_and_why(page, store):
    page.text_area(key="screen_wild").set_value(WILD)
    page.segmented_control(key="screen_which").set_value("My list").run()
    page.text_area(key="screen_list").set_value("K2R Q2A\nA4G:Y5F nonsense").run()
    assert "**2 accepted**, 2 rejected" in texts(page.markdown)
    assert any("is K, not Q" in str(d.value.to_dict()) for d in page.dataframe)
    page.button(key="screen_go").click().run()
    assert finished(page, store).counts == {"done": 2, "rejected": 2}


@pytest.mark.parametrize(
    ("wild", "span", "words"),
    [
        ("MKTA1", "", "digit"),
        (WILD, "1-99", "residues 1 to 22"),
        (">a\nACD\n>a\nCDE", "", "called"),
    ],
)
def test_bad_input_is_one_line_and_loses_nothing(page, wild, span, words):
    page.text_area(key="screen_wild").set_value(wild)
    page.text_input(key="screen_range").set_value(span).run()
    assert not page.exception
    assert words in texts(page.error)
    assert page.text_area(key="screen_wild").value == wild


def test_chosen_variants_are_compared_and_opened_in_one_step(page, store):
    page.text_area(key="screen_wild").set_value(WILD)
    page.text_input(key="screen_range").set_value("2").run()
    page.button(key="screen_go").click().run()
    finished(page, store)
    page.session_state["chosen"] = [3, 5]
    page.run()
    rows, screen_run = store.rows(address(page)), address(page)
    assert "Chosen (2)" in texts(page.markdown)
    assert page.dataframe[0].value["written"].tolist() == [rows[2].variant, rows[4].variant]
    assert list(page.dataframe[0].value)[:2] == ["written", "p_damaging"], "the score first"
    page.button(key="open chosen 5").click().run()
    assert not page.exception
    kept = address(page)
    assert kept == store.rows(screen_run)[4].analysis
    assert store.get(kept).study is not None
    assert any(rows[4].variant in h.value for h in page.header)
    page.switch_page("pages/runs.py").run()
    assert set(page.dataframe[0].value["kind"]) == {"screen", "impact"}


def test_chosen_variants_can_be_cleared(page, store, tiny_predictor):
    page.query_params["run"] = kept_screen(store, tiny_predictor, "K2R T3A")
    page.run()
    page.session_state["chosen"] = [2]
    page.run()
    page.button(key="clear").click().run()
    assert page.session_state["chosen"] == [] and "Chosen" not in texts(page.markdown)


def kept_screen(store, predictor, text, **more):
    protein = more.pop("protein", Protein.from_sequence(WILD, "one"))
    asked = more.pop("asked", None) or list(from_text(text, [protein]))
    return begin(
        store, ScreenRequest((protein,), "kept", "compact", **more), asked, predictor=predictor
    )


def test_an_interrupted_screen_goes_on(page, store, settings, tiny_predictor):
    protein = Protein.from_sequence(WILD, "one")
    run = begin(
        store,
        ScreenRequest((protein,), "interrupted", "compact"),
        list(all_substitutions(protein, 1, 2)),
        predictor=tiny_predictor,
    )
    store.set_state(run, "running")
    page.query_params["run"] = run
    page.run()
    assert "still to be done" in texts(page.warning)
    page.button(key="go_on").click().run()
    page.query_params["run"] = run
    assert finished(page, store).counts == {"done": 38}


def test_a_cancelled_screen_says_so(page, store, tiny_predictor):
    run = kept_screen(store, tiny_predictor, "K2R T3A")
    store.set_state(run, "cancelled")
    page.query_params["run"] = run
    page.run()
    said = texts(page.warning)
    assert "It was cancelled" in said and "2 variants are still to be done" in said


def test_rejected_rows_do_not_pass_and_are_told_apart(page, store, settings, tiny_predictor):
    run = kept_screen(store, tiny_predictor, "K2R Q2A T3A")
    advance(store, run, settings=settings, predictor=tiny_predictor)
    page.query_params["run"] = run
    page.run()
    assert "2 of 2 pass" in texts(page.caption)
    assert "Rejected rows (1)" in [e.label for e in page.expander]
    rejected = next(d.value for d in page.dataframe if list(d.value) == ["row", "given", "reason"])
    assert rejected["reason"][0] == store.rows(run)[1].reason


def test_the_goal_chooses_the_ranking_by_the_records(page, store, monkeypatch):
    from glass_core.models.evaluation import Evaluation

    figures = {"model": {"spearman": {"value": 0.3}}, "BLOSUM62": {"spearman": {"value": 0.6}}}
    record = Evaluation("effects", "stability", "test", {}, {"figures": figures})
    monkeypatch.setattr("pages.parts.screen_goal.records_of", lambda *a: {"stability": record})
    page.text_area(key="screen_wild").set_value(WILD)
    page.segmented_control(key="screen_goal").set_value("stability")
    page.text_input(key="screen_range").set_value("2").run()
    assert "0\\.60" in texts(page.caption) and "BLOSUM62" in texts(page.caption)
    page.button(key="screen_go").click().run()
    finished(page, store)
    kept = store.inputs(address(page))
    assert (kept.ranking, kept.goal, kept.choice, kept.span) == (
        "blosum62",
        "stability",
        "all",
        "2",
    )
    assert page.selectbox(key="ranking").value == "blosum62"
    assert "the best for it" in texts(page.caption)
    page.selectbox(key="screen_rank").set_value("effect").run()
    assert "as you chose" in texts(page.caption)
    assert "before they were changed" in texts(page.warning)
    page.button(key="screen_go").click().run()
    finished(page, store)
    assert store.inputs(address(page)).ranking == "effect"


TABLE = b"Mutation,Class,Comment\nK2R,destabilising,a\nT3A,neutral,b\nA4G,odd,c\nA7V,odd,d\n"


def uploaded(page, content=TABLE, name="mine.csv", wild=WILD):
    page.text_area(key="screen_wild").set_value(wild)
    page.segmented_control(key="screen_which").set_value("My list").run()
    page.file_uploader(key="screen_table 0").set_value((name, content, "text/csv")).run()
    assert not page.exception
    return page


def chooser(page, label):
    return next(box for box in page.selectbox if box.label == label)


def test_columns_and_labels_of_a_table_are_shown_and_changed(page, store):
    uploaded(page)
    assert chooser(page, "Variants").value == "Mutation"
    assert chooser(page, "Label (damaging or not)").value == "Class"
    assert "'odd' (2)" in texts(page.warning)
    assert chooser(page, "destabilising (1)").value == "damaging"
    assert chooser(page, "neutral (1)").value == "tolerated"
    chooser(page, "odd (2)").set_value("damaging").run()
    assert "odd" not in texts(page.warning)
    page.button(key="screen_go").click().run()
    finished(page, store)
    rows = store.rows(address(page))
    assert [row.label for row in rows] == [1, 0, 1, 1]
    assert [row.own["Comment"] for row in rows] == list("abcd")
    text = texts(page.markdown)
    assert "Against your own values" in text and "Suggested cut-off, by Youden's index" in text


def test_labels_of_one_kind_say_so(page, store):
    uploaded(page, b"variant,label\nK2R,benign\nT3A,benign\n")
    page.button(key="screen_go").click().run()
    finished(page, store)
    assert not page.exception and "of one kind" not in texts(page.warning)


def test_a_table_of_which_nothing_is_known_has_its_choosers(page):
    uploaded(page, b"what,where\nfoo,bar\nbaz,qux\n")
    assert "no column holds variants" in texts(page.error)
    assert chooser(page, "Variants").value is None
    chooser(page, "Variants").set_value("what").run()
    assert "**0 accepted**, 2 rejected" in texts(page.markdown)


def test_a_list_in_other_numbers_is_offered_them(page, store):
    shifted = "\n".join(f"{WILD[p]}{p}A" for p in range(4, 12) if WILD[p] != "A")
    page.text_area(key="screen_wild").set_value(WILD)
    page.segmented_control(key="screen_which").set_value("My list").run()
    page.text_area(key="screen_list").set_value(shifted).run()
    number = len(shifted.splitlines())
    words = f"{number} of {number} rows fit if the first methionine is not counted"
    assert words in texts(page.markdown).replace("\\", "")
    page.button(key="screen_proposal 0").click().run()
    assert f"**{number} accepted**, 0 rejected" in texts(page.markdown)
    page.button(key="screen_go").click().run()
    finished(page, store)
    assert store.rows(address(page))[0].written == shifted.split()[0]


def test_a_screen_by_link_fills_the_form(page, store, tiny_predictor, globin):
    run = kept_screen(
        store,
        tiny_predictor,
        "",
        protein=Protein.from_structure(globin),
        asked=list(all_substitutions(Protein.from_structure(globin), 10, 11)),
        goal="clinical",
        choice="all",
        span="10-11",
    )
    page.query_params["run"] = run
    page.run()
    assert not page.exception
    assert globin.sequence in page.text_area(key="screen_wild").value
    assert page.session_state["screen_given"].name == globin.name
    assert page.session_state["screen_goal"] == "clinical"
    assert page.text_input(key="screen_range").value == "10-11"
    assert "changed" not in texts(page.warning)
    page.text_input(key="screen_range").set_value("10").run()
    assert "before they were changed" in texts(page.warning)
    assert "**19 accepted**" in texts(page.markdown)


def test_a_file_that_is_not_kept_comes_back_as_a_list(page, store, tiny_predictor):
    proteins = [Protein.from_sequence(WILD, "one"), Protein.from_sequence(WILD[:-2], "two")]
    run = begin(
        store,
        ScreenRequest(tuple(proteins), "mine.csv", "compact", choice="file"),
        [read_request(n, "K2R", p) for n, p in enumerate(proteins, start=1)],
        predictor=tiny_predictor,
    )
    page.query_params["run"] = run
    page.run()
    assert page.text_area(key="screen_list").value == "one K2R\ntwo K2R"
    assert page.text_area(key="screen_wild").value == f">one\n{WILD}\n>two\n{WILD[:-2]}\n"


def test_a_protein_handed_over_without_variants_is_screened_whole(page, store):
    from pages.parts.hand_over import HandOver

    protein = Protein.from_sequence(WILD[:6], "one")
    page.session_state["hand_over_screen"] = HandOver.of_protein(protein, "")
    page.run()
    assert not page.exception
    assert finished(page, store).counts == {"done": 6 * 19}
    assert page.session_state["screen_which"] == "All"


def test_the_second_stage_is_foretold_and_opens_as_measured(
    page, store, settings, tiny_predictor, globin, monkeypatch
):
    from tests.test_runs import Shifting

    monkeypatch.setattr("glass_core.runs.second_stage.get_remodeller", lambda *asked: Shifting())
    protein = Protein.from_structure(globin)
    asked = [read_request(1, f"{protein.sequence[9]}10W", protein)]
    run = kept_screen(
        store, tiny_predictor, "", protein=protein, asked=asked, remodel="openmm", remodel_top=1
    )
    advance(store, run, settings=settings, predictor=tiny_predictor)
    page.query_params["run"] = run
    page.run()
    page.session_state["chosen"] = [1]
    page.run()
    table = page.dataframe[0].value
    assert table["measured_strain_site"][0] == pytest.approx(0, abs=1e-6)
    assert table["above_floor_strain"][0] == 0
    assert "measured" in page.button(key="open chosen 1").label
    page.button(key="open chosen 1").click().run()
    assert not page.exception
    assert address(page) == store.rows(run)[0].analysis
    assert store.impact(address(page)).measured


def test_nothing_is_carried_from_one_run_to_another(page, store, tiny_predictor):
    protein = Protein.from_sequence(WILD, "one")
    runs = [
        begin(
            store,
            ScreenRequest((protein,), score, "compact", ranking=score),
            [read_request(1, "K2R", protein)],
            predictor=tiny_predictor,
        )
        for score in ("effect", "blosum62")
    ]
    for run, score in zip(runs, ("effect", "blosum62"), strict=True):
        page.query_params["run"] = run
        page.run()
        assert not page.exception
        assert page.selectbox(key="ranking").value == score
        assert page.session_state["chosen"] == []
        page.session_state["chosen"] = [350]
        page.run()
        assert not page.exception, "a row that is not there"


def test_one_variant_of_two_proteins_is_told_apart(page, store, settings, tiny_predictor):
    proteins = [Protein.from_sequence(WILD, "one"), Protein.from_sequence(WILD[:-2], "two")]
    run = begin(
        store,
        ScreenRequest(tuple(proteins), "both", "compact"),
        [read_request(n, "K2R", p) for n, p in enumerate(proteins, start=1)],
        predictor=tiny_predictor,
    )
    advance(store, run, settings=settings, predictor=tiny_predictor)
    page.query_params["run"] = run
    page.run()
    page.session_state["chosen"] = [1, 2]
    page.run()
    assert not page.exception
    assert "one" in page.button(key="open chosen 1").label
    page.button(key="open chosen 2").click().run()
    assert page.text_area(key="wild").value == WILD[:-2]


def test_a_second_stage_that_ended_early_is_told_and_goes_on(page, store, settings, tiny_predictor):
    protein = Protein.from_sequence(WILD, "one")
    run = begin(
        store,
        ScreenRequest((protein,), "two stages", "compact"),
        [read_request(1, "K2R", protein)],
        predictor=tiny_predictor,
    )
    advance(store, run, settings=settings, predictor=tiny_predictor)
    store.set_state(run, "failed", "no force field.")
    page.query_params["run"] = run
    page.run()
    assert "no force field" in texts(page.warning) and page.button(key="go_on")


def test_an_unknown_address_and_one_of_an_impact(page, store, tiny_predictor):
    page.query_params["run"] = "nothing"
    page.run()
    assert "no screen here" in texts(page.info)
    protein = Protein.from_sequence(WILD, "one")
    kept = store.keep_impact(
        next(screen([read_request(1, "K2R", protein)], predictor=tiny_predictor))
    )
    page.query_params["run"] = kept
    page.run()
    assert not page.exception
    assert any("K2R" in h.value for h in page.header), "forwarded to the Impact page"


def test_impact_results_outlive_the_server(settings, page, store):
    import streamlit as st

    page.switch_page("pages/impact.py").run()
    page.text_area(key="wild").set_value(WILD)
    page.text_input(key="variant").set_value("K2R")
    page.button(key="analyse").click().run()
    run = address(page)
    st.cache_resource.clear()
    again = AppTest.from_file(str(APP), default_timeout=patience(60))
    again.query_params["run"] = run
    again.run()
    assert any("K2R" in h.value for h in again.header)
    assert again.text_area(key="wild").value == WILD


def test_rows_that_cannot_be_read_are_one_line(page, store, tiny_predictor, monkeypatch):
    def broken(*arguments, **options):
        raise RunError("runs.sqlite: cannot be read.")

    protein = Protein.from_sequence(WILD, "one")
    asked = [read_request(1, "K2R", protein)]
    request = ScreenRequest((protein,), "s", "compact")
    run = begin(store, request, asked, predictor=tiny_predictor)
    monkeypatch.setattr(RunStore, "columns", broken)
    page.query_params["run"] = run
    page.run()
    assert not page.exception
    assert [e.value for e in page.error] == ["runs.sqlite: cannot be read."]


def test_runs_are_renamed_and_deleted(page, store, tiny_predictor):
    protein = Protein.from_sequence(WILD, "one")
    run = begin(
        store,
        ScreenRequest((protein,), "first name", "compact"),
        [read_request(1, "K2R", protein)],
        predictor=tiny_predictor,
    )
    page.switch_page("pages/runs.py").run()
    assert page.dataframe[0].value["state"].tolist() == ["waiting"]
    store.set_state(run, "running")
    page.run()
    assert page.dataframe[0].value["state"].tolist() == ["interrupted"]


@pytest.fixture(scope="module")
def table(tiny_predictor, globin):
    from glass_core.screen.rows import finished_row, first_row

    protein = Protein.from_structure(globin)
    asked = [*all_substitutions(protein, 10, 12), read_request(58, "L2A:T3A", protein)]
    tables = tiny_predictor.tables(protein)
    rows = [
        finished_row(first_row(a, tables, tiny_predictor.info), o)
        for a, o in zip(asked, screen(asked, predictor=tiny_predictor), strict=True)
        if a.variant
    ]
    return protein, screen_frame(rows)


def test_the_heat_map_holds_every_substitution_and_the_fold(table):
    protein, frame = table
    figure = heat_map(frame, protein, "effect", chosen=[3])
    cells = next(t for t in figure.data if t.type == "heatmap")
    known = ~np.isnan(cells.z.astype(float))
    assert known.sum() == 57 and set(np.flatnonzero(known.any(axis=0)) + 1) == {10, 11, 12}
    row = frame[frame["row"] == 3].iloc[0]
    assert cells.z[LETTERS.index(row["mutant"]), row["position"] - 1] == row["effect"]
    points = next(t for t in figure.data if t.name == "cells")
    assert len(points.customdata) == 57 and "BLOSUM62" in points.text[0]
    assert {"helix", "neighbours", "chosen", "wild type"} <= {t.name for t in figure.data}
    part = heat_map(frame, protein, "effect", span=(11, 40))
    assert len(next(t for t in part.data if t.name == "cells").customdata) == 38
    alone = heat_map(frame, Protein.from_sequence(protein.sequence), "effect")
    assert "neighbours" not in {t.name for t in alone.data}
    assert sorted(LETTERS) == sorted(STANDARD)


def test_means_distribution_and_measured_values(table):
    protein, frame = table
    means = position_means(frame, "effect", len(protein))
    assert np.flatnonzero(~np.isnan(means)).tolist() == [9, 10, 11]
    site = frame[(frame["position"] == 10) & (frame["changes"] == 1)]
    assert means[9] == pytest.approx(site["effect"].mean())
    labelled = frame.assign(
        label=pd.array(np.arange(len(frame)) % 2, dtype="Int64"),
        measured_value=np.arange(len(frame), dtype=float),
    )
    assert [t.name for t in distribution(labelled, "effect", [1], 0.5).data] == [
        "tolerated by the input",
        "damaging by the input",
    ]
    assert len(distribution(frame, "effect").data) == 1
    assert len(against_values(labelled, "lddt_deficit").data[0].x) == len(frame)


def test_the_structure_is_coloured_by_position(table):
    protein, frame = table
    means = position_means(frame, "effect", len(protein))
    made = position_scene(protein, means, "effect score")
    data = made.data()
    (colours,) = (one["colours"] for one in data["colourings"])
    assert len(colours) == len(protein)
    hottest = int(np.nanargmax(means))
    assert colours[hottest] == style.CHANGE_SCALE[-1]
    assert data["values"][0]["values"][hottest] == f"{means[hottest]:.3g}"
    assert data["sites"] == [] and data["models"][0]["pdb"].startswith("ATOM")
    assert colour_range(np.full(3, np.nan)) == (0.0, 1.0)
    with pytest.raises(InputError, match="structure"):
        position_scene(Protein.from_sequence("ACD"), np.zeros(3), "effect score")


def screened(store, settings, predictor, globin):
    protein = Protein.from_structure(globin)
    asked = list(from_text("L2A T3V wrong =cmd() L2A:T3V", [protein]))
    run = begin(
        store, ScreenRequest((protein,), "<b>bundled</b>", "compact"), asked, predictor=predictor
    )
    advance(store, run, settings=settings, predictor=predictor)
    return run


def test_a_bundle_carries_a_screen_elsewhere(store, settings, tiny_predictor, globin, tmp_path):
    run = screened(store, settings, tiny_predictor, globin)
    content = export_bundle(store, run)
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        names = set(bundle.namelist())
        report = bundle.read("report.html").decode()
        assert json.loads(bundle.read("provenance.json"))["versions"]
    assert names == {
        "run.json",
        "inputs.json",
        "rows.parquet",
        "rows.csv",
        "columns.csv",
        "provenance.json",
        "report.html",
        "rejected.csv",
    }
    assert "<b>bundled" not in report and "&lt;b&gt;bundled" in report
    assert "=cmd()" in report and "plotly" in report.lower()
    other = RunStore(tmp_path / "other.sqlite")
    there = import_bundle(other, content)
    assert there != run and other.get(there).state == "done"
    assert other.rows(there) == store.rows(run)
    assert other.inputs(there).proteins[0].sequence == Protein.from_structure(globin).sequence


def test_a_bundle_carries_an_analysis(store, tiny_predictor, tmp_path):
    protein = Protein.from_sequence(WILD, "one")
    run = store.keep_impact(
        next(screen([read_request(1, "K2R", protein)], predictor=tiny_predictor))
    )
    there = import_bundle(RunStore(tmp_path / "o.sqlite"), export_bundle(store, run))
    assert RunStore(tmp_path / "o.sqlite").impact(there).variant.text == "K2R"


def zipped(**members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in members.items():
            bundle.writestr(name.replace("_", "."), content)
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK junk",
        zipped(other_txt="x"),
        zipped(run_json="[]"),
        zipped(run_json="{}"),
        zipped(run_json=json.dumps({"format": "glass-run/1", "kind": "screen", "name": "x"})),
        zipped(
            run_json=json.dumps({"format": "glass-run/1", "kind": "screen", "name": "x"}),
            inputs_json="{}",
            rows_parquet=b"PAR1",
        ),
        zipped(run_json="[" * 100_000),
    ],
)
def test_what_is_no_bundle_is_refused(store, content):
    with pytest.raises(InputError, match="bundle"):
        import_bundle(store, content)
    assert store.newest() == []


def test_a_bundle_that_claims_too_much_is_not_unpacked(store, monkeypatch):
    monkeypatch.setattr("glass_core.runs.bundle.MAX_TOTAL", 1000)
    with pytest.raises(InputError, match="unpacks to more"):
        import_bundle(store, zipped(run_json="0" * 2000))


def test_bundles_with_rows_that_break_rules_are_refused(store, settings, tiny_predictor, globin):
    run = screened(store, settings, tiny_predictor, globin)
    content = export_bundle(store, run)
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        members = {n: bundle.read(n) for n in bundle.namelist()}
    frame = pd.read_parquet(io.BytesIO(members["rows.parquet"])).assign(status="<script>")
    target = io.BytesIO()
    frame.to_parquet(target)
    with pytest.raises(GlassError, match="status"):
        import_bundle(
            store,
            zipped(
                **{
                    n.replace(".", "_"): c
                    for n, c in (members | {"rows.parquet": target.getvalue()}).items()
                }
            ),
        )


def test_estimates_grow_with_the_work(tiny_predictor):
    protein = Protein.from_sequence(WILD)
    few, many = (list(all_substitutions(protein, 1, n)) for n in (1, 20))
    assert estimate(tiny_predictor, []) == 0
    assert estimate(tiny_predictor, many) > estimate(tiny_predictor, few) > 0


def test_rows_read_back_from_frames_are_plain(table):
    _, frame = table
    values = frame.iloc[0].to_dict()
    row = row_from({**values, "row": int(values["row"])})
    assert View().where()[0] == "run = ?" and row.variant == values["variant"]
