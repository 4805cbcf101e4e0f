"""What a screen's table is written as: the user's own columns come back, in any number of rows."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from itertools import count, islice

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.upload import Upload
from glass_core.protein.protein import Protein
from glass_core.report.screen.exports import (
    read_screen_parquet,
    screen_csv,
    screen_json,
    screen_parquet,
    write_csv,
    write_parquet,
)
from glass_core.report.screen.tables import dictionary_frame, own_names
from glass_core.runs.bundle import export_bundle, import_bundle
from glass_core.runs.screening import begin
from glass_core.runs.store import RunStore
from glass_core.screen.columns import SCREEN_COLUMNS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow

WILD = "MKTAYIAKQRQISFVKSHFSRQ"
PROTEIN = Protein.from_sequence(WILD, "one")
TABLE = (
    "variant,score,Comment,label,format,gone\n"
    'K2R,1.50," two, words ",neutral,a,\n'
    "T3A,,=SUM(A1),destabilising,b,\n"
    "W9A,2,ünïcode,unclear,c,\n"
)
NAMED = {
    "variant": "input_variant",
    "score": "score",
    "Comment": "Comment",
    "label": "input_label",
    "format": "input_format",
    "gone": "gone",
}


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs.sqlite")


@pytest.fixture
def run(store, tiny_predictor):
    choice = VariantChoice("file", upload=Upload(TABLE.encode(), "mine.csv"))
    asked = list(choice.read([PROTEIN]).requests)
    request = ScreenRequest((PROTEIN,), "mine.csv", "compact")
    return begin(store, request, asked, predictor=tiny_predictor)


def given():
    return list(csv.DictReader(io.StringIO(TABLE)))


def test_names_change_only_where_they_collide():
    assert own_names(given()[0]) == NAMED
    assert own_names(["row", "input_row"]) == {"row": "input_input_row", "input_row": "input_row"}
    assert own_names([]) == {}


def test_the_users_columns_come_back_behind_ours(store, run):
    rows = store.rows(run)
    assert rows == list(store.each_row(run))
    made = list(csv.DictReader(io.StringIO(screen_csv(rows))))
    assert list(made[0]) == [*SCREEN_COLUMNS, "format", *NAMED.values()]
    for theirs, ours in zip(given(), made, strict=True):
        back = {column: ours[name] for column, name in NAMED.items()}
        assert back == theirs | {"Comment": theirs["Comment"].replace("=SUM", "'=SUM")}
    table = pq.read_table(io.BytesIO(screen_parquet(rows)))
    assert table.column_names == [*SCREEN_COLUMNS, *NAMED.values()]
    for theirs, ours in zip(given(), table.to_pylist(), strict=True):
        assert {column: ours[name] for column, name in NAMED.items()} == theirs
    written = json.loads(screen_json(rows))
    assert written["format"] == "glass-screen/2"
    for theirs, ours in zip(given(), written["rows"], strict=True):
        assert {column: ours[name] for column, name in NAMED.items()} == theirs
        assert ours["status"] in ("waiting", "rejected")


def test_a_rejected_row_keeps_its_cells(store, run):
    bad = store.rows(run)[2]
    assert bad.status == "rejected" and bad.own["Comment"] == "ünïcode"


def test_parquet_and_bundles_carry_them_elsewhere(store, run, tmp_path):
    rows = store.rows(run)
    assert read_screen_parquet(screen_parquet(rows)) == rows
    other = RunStore(tmp_path / "other.sqlite")
    assert other.rows(import_bundle(other, export_bundle(store, run))) == rows


def test_numbers_of_a_parquet_table_stay_numbers(store, tiny_predictor):
    table = pa.table(
        {
            "variant": ["K2R", "T3A"],
            "n": pa.array([1, 2], pa.int64()),
            "x": [0.5, None],
            "yes": [True, False],
            "list": [[1], [2, 3]],
        }
    )
    target = io.BytesIO()
    pq.write_table(table, target)
    asked = VariantChoice("file", upload=Upload(target.getvalue(), "t.parquet")).read([PROTEIN])
    request = ScreenRequest((PROTEIN,), "t", "compact")
    run = begin(store, request, list(asked.requests), predictor=tiny_predictor)
    back = pq.read_table(io.BytesIO(screen_parquet(store.each_row(run))))
    assert back["n"].to_pylist() == [1, 2] and back["n"].type == pa.int64()
    assert back["x"].to_pylist() == [0.5, None] and back["yes"].to_pylist() == [True, False]
    assert back["list"].to_pylist() == ["[1]", "[2, 3]"]


def test_the_dictionary_names_them(run, store):
    dictionary = dictionary_frame(store.rows(run)[0].own).set_index("column")
    assert "'variant'" in dictionary.loc["input_variant", "meaning"]
    assert list(dictionary.index)[-len(NAMED) :] == list(NAMED.values())


def test_no_rows_are_a_table_without_rows():
    assert screen_csv([]).startswith("row,protein,")
    assert pq.read_table(io.BytesIO(screen_parquet([]))).num_rows == 0
    assert json.loads(screen_json([]))["rows"] == []


class _Sink(io.RawIOBase):
    """Takes what is written and keeps nothing."""

    size = 0

    def writable(self):
        return True

    def write(self, content):
        self.size += len(content)
        return len(content)


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_memory_does_not_grow_with_the_table(write, monkeypatch):
    monkeypatch.setattr("glass_core.report.screen.exports.PIECE_ROWS", 200)

    def rows(number):
        for n in islice(count(1), number):
            yield ScreenRow(n, "one", "K2R", "waiting", own={"note": f"{n:0100d}"})

    def peak(number):
        sink = _Sink()
        target = io.TextIOWrapper(sink) if write is write_csv else sink
        tracemalloc.start()
        write(rows(number), target)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(3200) < 1.3 * peak(800), "four times as many"
