"""Other people's scores in a screen: columns, rankings, exports, the store, the command."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glass_core.embedders.esm2_scores import MARGINALS, with_esm2
from glass_core.errors import InputError, RecordError
from glass_core.inputs.lists import all_substitutions, read_request
from glass_core.protein.annotation import Annotation
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.report import style
from glass_core.report.evidence.ranking import ranking_quality
from glass_core.report.screen.exports import read_screen_parquet, screen_csv, screen_parquet
from glass_core.report.screen.figures import distribution, heat_map
from glass_core.report.screen.html import screen_report
from glass_core.report.screen.scene import position_scene
from glass_core.report.screen.tables import ranking_values, rankings_told, screen_frame
from glass_core.runs.bundle import export_bundle, import_bundle
from glass_core.runs.screening import advance, begin, digest_of
from glass_core.runs.store import RunStore
from glass_core.runs.view import View
from glass_core.screen.columns import EXTERNAL_COLUMNS, RANKINGS, SCREEN_COLUMNS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow, first_row
from glass_core.settings import Settings
from glass_core.sources.alphamissense import CLASSES, read_scores
from glass_core.sources.fetch import Answer
from tests.test_protein_external import SEQUENCE, made
from tests.tools.services import environment, missense_table

RANKED = ("alphamissense", "esm2", "esm2_masked")


@pytest.fixture(scope="module")
def known(tiny_esm2):
    """A protein with everything external there is."""
    answer = Answer("x", missense_table(SEQUENCE), "2026-01-02")
    annotation = Annotation(
        "P12345", SEQUENCE, external=(read_scores(answer, SEQUENCE, "AF-P12345-F1"),)
    )
    protein = Protein.from_sequence(SEQUENCE, "one").annotated(annotation)
    for marginals in MARGINALS:
        protein = with_esm2(protein, marginals, Settings(esm2=str(tiny_esm2), device="cpu"))
    return protein


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs.sqlite")


def begun(store, predictor, protein, **more):
    asked = list(all_substitutions(protein, 1, 3))
    request = ScreenRequest((protein,), "a test", "compact", **more)
    return begin(store, request, asked, predictor=predictor)


@pytest.fixture
def finished(store, tiny_assets, tiny_predictor, known):
    """A run that is done."""
    run = begun(store, tiny_predictor, known)
    settings = Settings(assets=tiny_assets, device="cpu")
    advance(store, run, settings=settings, predictor=tiny_predictor)
    return run


def row_of(protein, text, predictor):
    return first_row(read_request(1, text, protein), (), predictor.info)


def test_rows_hold_what_the_scores_say(known, tiny_predictor):
    row = row_of(known, "K2R", tiny_predictor)
    variant = Variant.parse("K2R", SEQUENCE)
    for scores in known.external:
        for column, value in scores.told(variant).items():
            assert row[column] == value
        assert scores.stamp in row["external_source"]
    assert row["alphamissense_class"] == "likely benign"
    assert {n for n in EXTERNAL_COLUMNS if row[n] is None} == set()
    assert row["external_source"].count("MIT") == 2 and "CC BY 4.0" in row["external_source"]


def test_what_nobody_says_is_empty(known, tiny_predictor):
    bare = row_of(Protein.from_sequence(SEQUENCE), "K2R", tiny_predictor)
    deleted = row_of(known, "K2del", tiny_predictor)
    for row in (bare, deleted):
        assert all(row[name] is None for name in EXTERNAL_COLUMNS)
    several = row_of(known, "M1A:K2R", tiny_predictor)
    told = {name for name in EXTERNAL_COLUMNS if several[name] is not None}
    assert told == {"esm2", "esm2_masked", "external_source"}


def test_kinds_that_have_no_column_are_left_out(tiny_predictor):
    protein = Protein.from_sequence(SEQUENCE).with_computed(made())
    assert row_of(protein, "K2R", tiny_predictor).external == {}
    named = Protein.from_sequence(SEQUENCE).with_computed(made(kind="esm2"))
    row = row_of(named, "K2R", tiny_predictor)
    assert row["esm2"] is not None, "its classes have no column and cost nothing"


def test_every_external_column_says_so():
    for name, column in EXTERNAL_COLUMNS.items():
        assert column.meaning.startswith("external: ")
        assert column.title.endswith("(external)") or name == "external_source"
        assert SCREEN_COLUMNS[name] is column
    assert [name for name, order in RANKINGS.items() if order.external] == list(RANKED)
    assert all(RANKINGS[name].title.endswith("(external)") for name in RANKED)
    assert set(CLASSES) == set(EXTERNAL_COLUMNS["alphamissense_class"].span.split(", "))


def test_records_are_checked():
    with pytest.raises(RecordError, match="external"):
        ScreenRow(1, "p", "K2R", "done", external={"effect": 1.0})
    with pytest.raises(RecordError, match="told"):
        ScreenRow(1, "p", "K2R", "done", told={"esm2": 1.0})


def test_rankings_rise_with_damage(store, finished):
    frame = screen_frame(store.rows(finished))
    assert set(RANKED) <= set(rankings_told(frame))
    for name in RANKED:
        values = ranking_values(frame, name)
        assert values.corr(frame[f"{name}_percentile"], method="spearman") == pytest.approx(1)
        best = store.rows(finished, View(order=name, descending=True, limit=1))[0]
        assert best[f"{name}_percentile"] == frame[f"{name}_percentile"].max()


def test_finished_rows_keep_them_and_ours_do_not_change(
    store, finished, known, tiny_assets, tiny_predictor
):
    bare = begun(store, tiny_predictor, Protein.from_sequence(SEQUENCE, "one"))
    settings = Settings(assets=tiny_assets, device="cpu")
    advance(store, bare, settings=settings, predictor=tiny_predictor)
    beside, alone = store.rows(finished), store.rows(bare)
    assert all(row["esm2"] is not None and row.status == "done" for row in beside)
    assert [row.told for row in beside] == [row.told for row in alone]


def test_exports_hold_them(store, finished, tmp_path):
    rows = store.rows(finished)
    csv = pd.read_csv(io.StringIO(screen_csv(rows)))
    assert csv["alphamissense_class"][0] == rows[0]["alphamissense_class"]
    np.testing.assert_allclose(csv["esm2_masked"], [row["esm2_masked"] for row in rows])
    assert read_screen_parquet(screen_parquet(rows)) == rows
    other = RunStore(tmp_path / "other.sqlite")
    there = import_bundle(other, export_bundle(store, finished))
    assert other.rows(there) == rows
    assert len(other.inputs(there).proteins[0].external) == 3


def test_the_report_says_whose_they_are(store, finished, known):
    report = screen_report(store.inputs(finished), store.rows(finished), "a name")
    assert "nothing of GLASS is computed from them" in report
    for scores in known.external:
        assert scores.licence in report and scores.version in report
    assert "<th>AlphaMissense class (external)</th>" in report
    bare = replace(store.inputs(finished), proteins=(Protein.from_sequence(SEQUENCE, "one"),))
    assert "nothing of GLASS" not in screen_report(bare, [], "a name")


def test_figures_of_an_external_ranking_have_its_colours(store, finished, known):
    frame = screen_frame(store.rows(finished))
    for name, colour, scale in (
        ("alphamissense", style.EXTERNAL, style.EXTERNAL_SCALE),
        ("p_damaging", style.PREDICTED, style.CHANGE_SCALE),
    ):
        figure = heat_map(frame, known, name)
        heat = figure.data[0]
        assert [step for _, step in heat.colorscale] == list(scale)
        means = next(trace for trace in figure.data if trace.name == "mean")
        assert means.line.color == colour
        assert distribution(frame, name).data[0].marker.color == colour
    figure = heat_map(frame, known, "alphamissense")
    assert figure.data[0].colorbar.title.text == "AlphaMissense (external)"
    cells = next(trace for trace in figure.data if trace.name == "cells")
    assert "AlphaMissense (external) 0.0" in cells.text[0]
    assert "ESM-2 percentile (external)" in cells.text[0]


def test_the_structure_is_coloured_apart(globin):
    protein = Protein.from_structure(globin)
    values = np.linspace(0, 1, len(protein))
    ours, theirs = (
        position_scene(protein, values, "x", external=e).colourings[0] for e in (False, True)
    )
    assert ours.colours[-1] == style.CHANGE_SCALE[-1] == ours.scale.stops[-1]
    assert theirs.colours[-1] == style.EXTERNAL_SCALE[-1] == theirs.scale.stops[-1]


@pytest.mark.parametrize("name", RANKED)
def test_no_quality_is_claimed_for_an_external_ranking(name):
    said = ranking_quality({}, name)
    assert "external" in said and "not recorded here" in said


@pytest.mark.parametrize("name", RANKED)
def test_a_ranking_by_scores_that_nobody_has_is_refused(store, tiny_predictor, known, name):
    with pytest.raises(InputError, match=f"rank '{name}': no such external scores are at hand"):
        begun(store, tiny_predictor, Protein.from_sequence(SEQUENCE, "one"), ranking=name)
    assert store.newest() == []
    assert begun(store, tiny_predictor, known, ranking=name)


def test_digests_tell_what_was_asked_of_esm2(known, tiny_predictor):
    info = tiny_predictor.info
    digests = {
        digest_of([replace(known, computed=known.computed[:n])], [], info) for n in (0, 1, 2)
    }
    assert len(digests) == 3
    later = tuple(replace(scores, retrieved="2030-01-01") for scores in known.computed)
    assert digest_of([replace(known, computed=later)], [], info) in digests


# --- the command --------------------------------------------------------------------------


def test_command_ranks_by_alphamissense_of_what_was_looked_up(run, services, tmp_path):
    out = tmp_path / "s.csv"
    places = environment(services, tmp_path / "downloads")
    arguments = ("--accession", "P04637", "--all", "--range", "390-393", "--out", out)
    code, _, err = run("screen", *arguments, "--rank", "alphamissense", **places)
    assert code == 0, err
    made = pd.read_csv(out)
    assert (made["alphamissense_class"] == "likely pathogenic").all()
    assert made["alphamissense_percentile"].between(98, 100).all()
    assert made["esm2"].isna().all()
    assert made["external_source"].str.contains("CC BY 4.0").all()


def test_command_asks_esm2_of_every_protein_and_resumes_what_was_asked(run, tiny_esm2, tmp_path):
    fasta = tmp_path / "two.fasta"
    fasta.write_text(f">a\n{SEQUENCE}\n>b\n{SEQUENCE[:20]}\n")
    out = tmp_path / "s.parquet"
    command = ("screen", "--wild", fasta, "--alanine", "--out", out, "--resume")
    place = {"GLASS_ESM2": str(tiny_esm2)}
    code, _, err = run(*command, "--esm2", "masked", **place)
    assert code == 0 and "begun" in err
    made = pd.read_parquet(out)
    assert set(made["protein"]) == {"a", "b"}
    assert made["esm2_masked"].notna().all() and made["esm2"].isna().all()
    import pyarrow.parquet as pq

    dictionary = json.loads(pq.read_schema(out).metadata[b"glass_columns"])
    assert dictionary["esm2_masked"]["title"] == "ESM-2 masked (external)"
    assert "taken up" in run(*command, "--esm2", "masked", **place)[2]
    assert "begun" in run(*command, "--esm2", **place)[2]
    assert "begun" in run(*command, **place)[2]


def test_command_refuses_a_ranking_by_what_is_not_there(run, tmp_path):
    arguments = ("--wild", SEQUENCE, "--all", "--rank", "esm2", "--out", tmp_path / "o.csv")
    code, out, err = run("screen", *arguments)
    assert code == 2 and out == ""
    assert err.startswith("Error: rank 'esm2': no such external scores") and err.count("\n") == 1
