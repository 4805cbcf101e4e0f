"""Databases of vectors: what they are built of, how they go on and grow, what is refused."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from glass_core.errors import Cancelled, InputError, ModelError, RecordError
from glass_core.search import building
from glass_core.search.building import Building, add, build, merge
from glass_core.search.database import Database
from glass_core.search.entry import Entry, LeftOut
from glass_core.search.packing import pack
from glass_core.search.reading import NO_PROTEIN, NO_SEQUENCE, read_entries
from glass_core.search.shared_words import word_index
from glass_core.settings import Settings
from tests.tools.dashboard import ROOT
from tests.tools.pace import until
from tests.tools.services import environment

FASTA = """>one first of them
MKTAYIAKQRQISFVKSHFSRQ
>two
mktayiakqr
qisf*
>bad
MKT1
>empty

>one first of them
MKTAYIAKQRQISFVKSHFSRQ
>one another
GGGGGAAAAA
"""


def letters(number, length=30):
    rng = np.random.default_rng(number)
    return "".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), length))


def some(count, begin=0):
    return [Entry(f"s{n}", letters(n), f"the {n}th") for n in range(begin, begin + count)]


@pytest.fixture
def settings(tiny_assets, tmp_path):
    return Settings(assets=tiny_assets, models=tmp_path / "none", device="cpu")


@pytest.fixture
def how(settings):
    return Building(settings, "compact")


@pytest.fixture
def made(how, tmp_path):
    return build(some(7), tmp_path / "made", how)


@pytest.mark.parametrize("packed", [False, True])
def test_fasta_is_read_record_by_record(packed, tmp_path):
    path = tmp_path / ("x.fasta.gz" if packed else "x.txt")
    path.write_bytes(gzip.compress(FASTA.encode()) if packed else FASTA.encode())
    left_out = LeftOut()
    read = list(read_entries(path, left_out, most=25))
    assert [(one.id, one.sequence, one.description) for one in read] == [
        ("one", "MKTAYIAKQRQISFVKSHFSRQ", "first of them"),
        ("two", "MKTAYIAKQRQISF", ""),
        ("one", "MKTAYIAKQRQISFVKSHFSRQ", "first of them"),
        ("one", "GGGGGAAAAA", "another"),
    ]
    assert left_out.counts == {NO_PROTEIN: 1, NO_SEQUENCE: 1}
    assert any("bad" in line for line in left_out.lines())
    short = LeftOut()
    assert len(list(read_entries(path, short, most=12))) == 1
    assert short.counts["longer than 12 residues"] == 3


def test_an_endless_fasta_is_a_stream(tmp_path):
    pipe = tmp_path / "pipe.fasta.gz"
    with gzip.open(pipe, "wt") as file:
        for number in range(20_000):
            file.write(f">s{number}\n{'ACDEFGHIKL' * 20}\n")
    entries = read_entries(pipe, LeftOut())
    assert next(entries).id == "s0"
    entries.close()


def test_parquet_and_folders_are_read(tmp_path, globin_file):
    table = tmp_path / "x.parquet"
    pd.DataFrame({"id": ["a", "b"], "sequence": ["MKT", None], "labels": ["1.10", ""]}).to_parquet(
        table
    )
    left_out = LeftOut()
    assert list(read_entries(table, left_out)) == [Entry("a", "MKT", labels="1.10")]
    assert left_out.counts == {NO_SEQUENCE: 1}
    folder = tmp_path / "structures"
    folder.mkdir()
    (folder / "2gtl.pdb.gz").write_bytes(gzip.compress(globin_file.read_bytes()))
    (folder / "broken.cif").write_text("data_x\n")
    (folder / "notes.txt").write_text("nothing")
    left_out = LeftOut()
    chains = list(read_entries(folder, left_out))
    assert len(chains) == 15
    assert chains[0].id == "2gtl_A"
    assert chains[0].sequence.startswith("DCCSYEDR")
    assert chains[0].structure.endswith("2gtl.pdb.gz")
    assert [*left_out.counts.values()] == [1]


def test_accessions_are_looked_up(tmp_path, services):
    from glass_core.sources.fetch import Fetcher

    path = tmp_path / "list.txt"
    path.write_text("# mine\nP04637\nQ99999\nnonsense!\n")
    left_out = LeftOut()
    settings = Settings.from_environment(environment(services, tmp_path))
    (found,) = read_entries(path, left_out, fetcher=Fetcher(settings))
    assert found.id == "P04637"
    assert len(found) == 393
    assert sum(left_out.counts.values()) == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.fasta", None, "is not there"),
        ("x.txt", "hello", "neither FASTA nor Parquet"),
        ("x.parquet", "hello", "cannot be read as Parquet"),
        ("x.fasta.gz", b"\x1f\x8b\x08\x00damaged", "cannot be read"),
    ],
)
def test_bad_inputs_are_told_in_one_line(name, content, words, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words) as caught:
        list(read_entries(path, LeftOut()))
    assert "\n" not in str(caught.value)


def test_an_entry_has_one_word_for_its_id():
    with pytest.raises(RecordError, match="id"):
        Entry("two words", "MKT")


def test_a_database_holds_what_it_was_built_of(made, how, settings, tmp_path):
    from glass_core.models.registry import load_predictor

    predictor = load_predictor(settings)
    assert len(made) == made.meta.count == 7
    assert made.meta.residues == 210
    assert made.entries([6, 0]) == [some(7)[6], some(7)[0]]
    assert made.row_of("s3") == 3
    assert made.row_of("nobody") is None
    np.testing.assert_allclose(
        made.vectors.astype(np.float32),
        predictor.vectors([one.sequence for one in some(7)]),
        atol=1e-3,
    )
    assert not (made.folder / "pieces").exists()
    with pytest.raises(InputError, match="holds a database"):
        build(some(1), made.folder, how)
    with pytest.raises(InputError, match="holds no sequence"):
        build([], tmp_path / "empty", how)


def test_a_cancelled_building_goes_on(how, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "PIECE_ENTRIES", 3)
    folder, told = tmp_path / "db", []
    stopped = replace(how, total=10, tell=told.append, cancelled=lambda: len(told) > 1)
    with pytest.raises(Cancelled):
        build(some(10), folder, stopped)
    assert "6 of 10" in str(told[-1])
    with pytest.raises(InputError, match="not finished"):
        Database.open(folder)
    with pytest.raises(InputError, match="another input"):
        build(some(10, 1), folder, how)
    again = []
    whole = build(some(10), folder, replace(how, tell=again.append))
    assert len(again) == 2, "two pieces were there"
    assert whole.entries(range(10)) == some(10)
    fresh = build(some(10), tmp_path / "fresh", how)
    np.testing.assert_array_equal(whole.vectors, fresh.vectors)


KILLED = """
import sys
from pathlib import Path
from glass_core.search import building
from glass_core.settings import Settings
from tests.test_search_database import some
building.PIECE_ENTRIES = 5
settings = Settings(assets=Path(sys.argv[1]), device="cpu")
building.build(some(2_000), Path(sys.argv[2]), building.Building(settings, "compact"))
"""


def test_a_killed_building_loses_one_piece_at_most(how, settings, tmp_path, monkeypatch):
    folder = tmp_path / "db"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(settings.assets), str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    until(lambda: len([*folder.glob("pieces/*.parquet")]) > 3, "some pieces")
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = {path: path.stat().st_mtime_ns for path in folder.glob("pieces/*.parquet")}
    assert 3 < len(there) < 400
    monkeypatch.setattr(building, "PIECE_ENTRIES", 5)
    made = []
    embedded = building.embed_piece
    monkeypatch.setattr(
        building, "embed_piece", lambda piece, **how: made.append(piece) or embedded(piece, **how)
    )
    whole = build(some(2_000), folder, how)
    assert len(made) == 400 - len(there)
    assert whole.entries([0, 1_999]) == [some(1)[0], some(1, 1_999)[0]]


def test_records_are_found_in_any_group(how, tmp_path, monkeypatch):
    from glass_core.search import joining

    monkeypatch.setattr(joining, "ROWS_IN_GROUP", 4)
    whole = build(some(11), tmp_path / "db", how)
    assert pq.ParquetFile(whole.folder / "records.parquet").num_row_groups == 3
    assert [one.id for one in whole.entries([10, 0, 5, 5, 3])] == ["s10", "s0", "s5", "s5", "s3"]


def test_adding_and_merging(made, how, tmp_path):
    other = [some(1)[0], Entry("s1", "MKTMKTMKT"), Entry("s1.2", "GGGAAA"), *some(2, 20)]
    grown = add(made, other, how)
    ids = [one.id for one in grown.entries(range(len(grown)))]
    assert ids == [*(f"s{n}" for n in range(7)), "s1.2", "s1.2.2", "s20", "s21"]
    assert grown.meta.renamed == 2
    assert sum(grown.meta.left_out.values()) == 1
    second = build(some(3, 50), tmp_path / "second", how)
    both = merge([grown, second], tmp_path / "both")
    assert len(both) == 14
    np.testing.assert_array_equal(both.vectors[11:], second.vectors)
    with pytest.raises(InputError, match="holds a database"):
        merge([grown, second], made.folder)


def test_single_bytes_come_back_scaled(made, tmp_path):
    packed = pack(made, tmp_path / "packed")
    assert packed.vectors.dtype == np.int8
    assert packed.entries([3]) == some(1, 3)
    again = merge([packed], tmp_path / "again")
    np.testing.assert_allclose(
        again.vectors.astype(np.float32), made.vectors.astype(np.float32), atol=4e-3
    )
    with pytest.raises(InputError, match="packed already"):
        pack(packed, tmp_path / "twice")
    with pytest.raises(InputError, match="holds a database"):
        pack(made, packed.folder)


def test_another_model_is_refused_by_name(made):
    other = replace(made.meta.model, name="other", sha256="1" * 64)
    with pytest.raises(ModelError, match=r"those of compact .* --model compact"):
        made.require_model(other)
    made.require_model(replace(made.meta.model, embedder="the same on another device"))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("nothing", "is no database"),
        ("no meta", "not finished"),
        ("meta", "meta.json cannot be used"),
        ("format", "meta.json cannot be used"),
        ("counts", "is damaged"),
        ("cut vectors", "is damaged"),
        ("pickle", "is damaged"),
        ("records", "is damaged"),
        ("no records", "is damaged"),
    ],
)
def test_damaged_folders_are_refused(damage, words, made, tmp_path, capsys):
    folder = made.folder
    meta = json.loads((folder / "meta.json").read_text())
    if damage == "nothing":
        folder = tmp_path / "nowhere"
    elif damage == "no meta":
        (folder / "meta.json").unlink()
    elif damage == "meta":
        (folder / "meta.json").write_text("{")
    elif damage == "format":
        (folder / "meta.json").write_text(json.dumps(meta | {"format": "other/9"}))
    elif damage == "counts":
        (folder / "meta.json").write_text(json.dumps(meta | {"count": 8}))
    elif damage == "cut vectors":
        path = folder / "vectors.npy"
        path.write_bytes(path.read_bytes()[:300])
    elif damage == "pickle":
        np.save(folder / "vectors.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    elif damage == "records":
        (folder / "records.parquet").write_bytes(b"PAR1 no")
    elif damage == "no records":
        (folder / "records.parquet").unlink()
    with pytest.raises(InputError, match=words) as caught:
        Database.open(folder)
    assert "\n" not in str(caught.value)
    assert "owned" not in capsys.readouterr().out


class Evil:
    def __reduce__(self):
        return (print, ("owned",))


def test_pieces_run_on_workers(how, tmp_path):
    from glass_core.compute import dask_runner

    with dask_runner(workers=1) as runner:
        whole = build(some(12), tmp_path / "db", replace(how, runner=runner))
    assert len(whole) == 12


def test_damaged_records_are_told(run, tiny_assets, tmp_path):
    made = build(some(30), tmp_path / "db", Building(Settings(assets=tiny_assets), "compact"))
    path = made.folder / "records.parquet"
    whole = bytearray(path.read_bytes())
    whole[4:200] = bytes(range(196))
    path.write_bytes(whole)
    with pytest.raises(InputError, match="its records are damaged"):
        made.entries([1, 2])
    with pytest.raises(InputError, match="its records are damaged"):
        word_index(made)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "p.fasta: is empty"), (b"\0\1\2>x", "p.fasta: is no text file"),
     (b">a\n12\n", "holds no sequence that a database could take (left out 1: letters")],
)  # fmt: skip
def test_an_input_without_sequences_leaves_nothing_behind(content, words, run, tmp_path):
    (tmp_path / "p.fasta").write_bytes(content)
    code, _, told = run("database", "build", tmp_path / "p.fasta", "--out", tmp_path / "db")
    assert code == 2
    assert words in told
    assert not (tmp_path / "db").exists()
