"""What GLASS 0.1.0 kept and exported, at its formats 1, still opens.

The files in ``data/format1`` were written by that version itself: an analysis of 30
residues of 2GTL chain A (R12P, remodelled with OpenMM, one seed), a finished screen of five
entries, one of which cannot be read, and the same screen before any mutant was predicted.
``expected.json`` holds what that version said of them. The bundles lack their reports.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from glass_core.impact.as_json import from_json, to_json
from glass_core.inputs.columns import Columns, from_table, guess_columns
from glass_core.inputs.table import read_table
from glass_core.report.screen.exports import read_screen_parquet
from glass_core.runs.bundle import import_bundle
from glass_core.runs.screening import advance
from glass_core.runs.store import RunStore
from glass_core.screen.columns import RENAMED
from glass_core.settings import Settings

FILES = Path(__file__).parent / "data" / "format1"
EXPECTED = json.loads((FILES / "expected.json").read_text())


@pytest.fixture
def store(tmp_path):
    shutil.copy(FILES / "runs.sqlite", tmp_path / "runs.sqlite")
    return RunStore(tmp_path / "runs.sqlite")


def expected_rows():
    return [
        {RENAMED.get(name, name): value for name, value in row.items()} for row in EXPECTED["rows"]
    ]


def rows_of(rows):
    """Values by column, those columns left out that did not exist then."""
    return [{name: row[name] for name in expected_rows()[0]} for row in rows]


def check_impact(impact):
    assert impact.variant.text == "R12P"
    assert impact.tm_score == pytest.approx(EXPECTED["tm"])
    excess = impact.deficit_above_floor
    assert excess.significant.tolist() == EXPECTED["above"]
    np.testing.assert_allclose(excess.amount, EXPECTED["change"])


def test_runs_of_format_1_are_listed_and_read(store):
    assert {(r.name, r.kind, r.state) for r in store.newest()} == {
        ("an analysis", "impact", "done"),
        ("a screen", "screen", "done"),
        ("half a screen", "screen", "waiting"),
    }
    assert rows_of(store.rows(EXPECTED["screen"])) == expected_rows()
    assert store.inputs(EXPECTED["screen"]).proteins[0].structure is not None
    check_impact(store.impact(EXPECTED["impact"]))


def test_a_screen_of_format_1_is_taken_up(store, tiny_assets, tiny_predictor, tmp_path):
    settings = Settings(assets=tiny_assets, models=tmp_path / "none", device="cpu")
    advance(store, EXPECTED["half"], settings=settings, predictor=tiny_predictor)
    assert dict(store.get(EXPECTED["half"]).counts) == {"done": 4, "rejected": 1}


@pytest.mark.parametrize("kind", ["screen", "impact"])
def test_bundles_of_format_1_are_imported(store, kind):
    run = import_bundle(store, (FILES / f"{kind}.zip").read_bytes())
    if kind == "screen":
        assert rows_of(store.rows(run)) == expected_rows()
    else:
        check_impact(store.impact(run))


def test_json_of_format_1_is_read_and_written_again():
    impact = from_json((FILES / "impact.json").read_text())
    check_impact(impact)
    again = from_json(to_json(impact))
    check_impact(again)
    np.testing.assert_array_equal(again.measured_lddt, impact.measured_lddt)


def test_a_table_of_format_1_is_read():
    assert rows_of(read_screen_parquet((FILES / "screen.parquet").read_bytes())) == expected_rows()


def test_a_screen_of_format_1_is_a_table_of_variants(store):
    """A CSV is not opened but serves as input: `score` still means what was measured."""
    protein = store.inputs(EXPECTED["screen"]).proteins[0]
    table = read_table((FILES / "screen.csv").read_bytes(), "screen.csv")
    columns = guess_columns(table, [protein])
    assert columns == Columns("variant", "protein", "score", "label")
    asked = list(from_table(table, columns, [protein]).requests)
    read = [request.variant.text for request in asked if request.variant]
    assert read == ["S5A", "D10P", "I15W", "F20_D21del"]
