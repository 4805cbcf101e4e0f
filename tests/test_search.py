"""Finding neighbours: exact products, what each is told with, commands and files."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from glass_core.errors import Cancelled, InputError, ModelError, RecordError
from glass_core.inputs.msa import read_profile
from glass_core.models.fold_chance import FoldChance, FoldChances
from glass_core.models.registry import load_predictor
from glass_core.progress import Watch
from glass_core.protein.sequence import NamedSequence
from glass_core.protein.structure.file import read_structure
from glass_core.search import exact as exact_module
from glass_core.search import neighbours as neighbours_module
from glass_core.search.aligners import DeepBlastAligner, EmbeddingAligner, aligner_of
from glass_core.search.alignment import Alignment
from glass_core.search.building import Building, build
from glass_core.search.confirming import confirmed
from glass_core.search.deepblast import DeepBlastConfig, DeepBlastNetwork
from glass_core.search.entry import Entry
from glass_core.search.nearest import nearest
from glass_core.search.neighbours import Neighbour, search
from glass_core.search.packing import pack
from glass_core.search.rows import a3m_row, as_a3m
from glass_core.search.shards import SearchRequest, search_each
from glass_core.search.site import site_column
from glass_core.settings import Settings
from tests.test_search_database import some


@pytest.fixture(scope="module")
def database(tiny_assets, tmp_path_factory):
    settings = Settings(assets=tiny_assets, device="cpu")
    folder = tmp_path_factory.mktemp("search") / "db"
    return build(some(50), folder, Building(settings, "compact"))


@pytest.fixture(scope="module")
def predictor(tiny_assets):
    return load_predictor(Settings(assets=tiny_assets, device="cpu"))


QUERIES = [NamedSequence(some(1, 4)[0].sequence, "four of them"), NamedSequence("MKTAYIAKQRQISF")]


@pytest.mark.parametrize("packed", [False, True])
def test_the_nearest_are_those_of_all_products(packed, database, predictor, tmp_path, monkeypatch):
    monkeypatch.setattr(exact_module, "_ROWS", 7)
    there = pack(database, tmp_path / "packed") if packed else database
    asked = predictor.vectors([one.residues for one in QUERIES])
    scales = np.array(there.meta.scales or 1.0, np.float32)
    products = asked @ (there.vectors.astype(np.float32) * scales).T
    for top in (1, 6, 50, 80):
        rows, scores = nearest(asked, there, top)
        assert rows.shape == (2, min(top, 50))
        assert (np.diff(scores, axis=1) <= 0).all()
        np.testing.assert_allclose(np.take_along_axis(products, rows, 1), scores, atol=1e-6)
        np.testing.assert_allclose(scores, -np.sort(-products, axis=1)[:, :top], atol=1e-6)


def test_the_query_itself_is_marked(database, predictor):
    chance = FoldChance([0.2, 0.8], [0.1, 0.9])
    chances = FoldChances(chance)
    first, second = search(QUERIES, database, predictor=predictor, top=5, chances=chances)
    assert [one.rank for one in first] == [1, 2, 3, 4, 5]
    assert first[0].is_query
    assert first[0].entry.id == "s4"
    assert first[0].tm_score == pytest.approx(1, abs=1e-3)
    assert first[0].query_id == "four"
    assert second[0].query_id == "query_2"
    assert not any(one.is_query for one in [*first[1:], *second])
    assert all(one.fold_chance == chance.of(one.tm_score) for one in second)
    (few,) = search(QUERIES[:1], database, predictor=predictor, min_tm=first[1].tm_score - 1e-6)
    assert len(few) == 2
    (without,) = search(QUERIES[:1], database, predictor=predictor, top=1)
    assert np.isnan(without[0].fold_chance)


@pytest.mark.parametrize("top", [0, 1_001])
def test_too_few_or_too_many_are_refused(top, database, predictor):
    with pytest.raises(InputError, match="from 1 to 1,000"):
        search(QUERIES, database, predictor=predictor, top=top)


def test_a_search_can_be_given_up_and_needs_its_model(database, predictor, seeing):
    with pytest.raises(Cancelled):
        search(QUERIES, database, predictor=predictor, watch=Watch(cancelled=lambda: True))
    from dataclasses import replace

    other = replace(predictor.info, sha256="0" * 64, name="other")
    stranger = type(seeing)(predictor.embedder, {"siamese": seeing._siamese}, other)
    with pytest.raises(ModelError, match="--model compact"):
        search(QUERIES, database, predictor=stranger)


class Backwards:
    """Aligns nothing, and likes best what the vectors like least."""

    name = "backwards"

    def __init__(self):
        self.asked = []

    def align(self, query, targets):
        self.asked = list(targets)
        return [
            Alignment(query, one, np.empty((0, 2), np.int64), np.empty(0), float(k))
            for k, one in enumerate(targets)
        ]


def test_alignments_rank_more_candidates_than_are_shown(database, predictor, monkeypatch):
    monkeypatch.setattr(neighbours_module, "BY_VECTORS", 9)
    (plain,) = search(QUERIES[:1], database, predictor=predictor, top=9)
    chance, aligner = FoldChance([0.0, 1.0], [0.2, 0.7]), Backwards()
    chances = FoldChances(FoldChance([0.0], [0.5]), chance, "backwards")
    (found,) = search(
        QUERIES[:1], database, predictor=predictor, top=4, chances=chances, aligner=aligner
    )
    assert [one.rank for one in found] == [1, 2, 3, 4]
    assert set(aligner.asked) >= {one.entry.sequence for one in plain}
    assert len(aligner.asked) > 9, "some share words with the query"
    assert [one.entry.sequence for one in found] == aligner.asked[::-1][:4]
    assert found[0].fold_chance == pytest.approx(
        chance.of((len(aligner.asked) - 1) / len(QUERIES[0].residues))
    )
    others = FoldChances(chance, chance, "another aligner")
    (found,) = search(QUERIES[:1], database, predictor=predictor, chances=others, aligner=aligner)
    assert all(np.isnan(one.fold_chance) for one in found), "counted for other alignments"


def same(found, other):
    assert [one.entry.id for one in found] == [one.entry.id for one in other]
    assert [one.rank for one in found] == [one.rank for one in other]
    np.testing.assert_allclose([n.tm_score for n in found], [n.tm_score for n in other], atol=1e-3)


@pytest.mark.parametrize("aligned", [False, True])
def test_shards_are_searched_as_one_database(aligned, tiny_assets, tmp_path):
    settings = Settings(assets=tiny_assets, device="cpu")
    how = Building(settings, "compact")
    build(some(40), tmp_path / "whole", how)
    build(some(15), tmp_path / "first", how)
    build(some(25, 15), tmp_path / "second", how)
    request = SearchRequest(tuple(QUERIES), "compact", top=6, aligned=aligned)
    whole = search_each(request, [tmp_path / "whole"], settings)
    turned = search_each(
        request, [tmp_path / "first", tmp_path / "second"], settings, runner=last_first
    )
    for one, other in zip(whole, turned, strict=True):
        same(one, other)
    with pytest.raises(InputError, match="is no database"):
        search_each(request, [tmp_path / "first", tmp_path / "none"], settings)


def last_first(function, items):
    """A runner whose last item is done first, as on a cluster."""
    for place in reversed(range(len(items))):
        yield place, function(items[place])


def test_shards_are_searched_on_a_cluster(run, tiny_assets, tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    how = Building(Settings(assets=tiny_assets, device="cpu"), "compact")
    for name, first in (("one", 0), ("two", 10)):
        build(some(10, first), tmp_path / name, how)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        code, out, told = run(
            "search", some(1, 4)[0].sequence, "--database", tmp_path / "one",
            "--database", tmp_path / "two", "--scheduler", cluster.scheduler_address, "--json",
        )  # fmt: skip
    assert code == 0, told
    found = json.loads(out)
    assert [one["rank"] for one in found] == list(range(1, 21))
    assert found[0]["database_id"] == "s4"


def test_what_is_too_long_to_be_aligned_is_told_or_comes_last(database, predictor, monkeypatch):
    from glass_core.search import alignment as alignment_module

    aligner = aligner_of(predictor)
    with pytest.raises(InputError, match="give its domains"):
        long = NamedSequence("MKTAY" * 1_600)
        search([long], database, predictor=predictor, aligner=aligner)
    monkeypatch.setattr(alignment_module, "MOST_CELLS", 30 * 30 - 1)
    (found,) = search(QUERIES[:1], database, predictor=predictor, top=3, aligner=aligner)
    assert [one.alignment for one in found] == [None] * 3
    assert [one.rank for one in found] == [1, 2, 3]
    with pytest.raises(InputError, match="too long to be aligned: at most"):
        aligner.align(QUERIES[0].residues, [QUERIES[0].residues])


@pytest.mark.parametrize("query", ["MKTAY", "M", "XXXXX", "UOBZJXUOBZ"])
def test_short_and_unknown_queries_are_searched(query, database, predictor):
    aligner = aligner_of(predictor)
    (found,) = search([NamedSequence(query)], database, predictor=predictor, aligner=aligner)
    assert len(found) == 20
    assert all(np.isfinite(one.alignment.score) for one in found)


def test_chances_do_not_fall(tmp_path):
    made = FoldChance([0.1, 0.5], [0.0, 1.0], {"pairs": 7})
    FoldChances(made, made, "some aligner").write(tmp_path)
    again = FoldChances.read(tmp_path)
    assert again.aligner == "some aligner"
    for one in (again.tm_score, again.alignment):
        assert one.of([0.0, 0.3, 0.9]) == pytest.approx([0, 0.5, 1])
        assert one.counted == {"pairs": 7}
    FoldChances(made).write(tmp_path)
    assert FoldChances.read(tmp_path).alignment is None
    assert FoldChances.read(tmp_path / "none") is None
    with pytest.raises(RecordError, match="does not fall"):
        FoldChance([0.1, 0.5], [0.5, 0.4])
    (tmp_path / "fold-chance.json").write_text("{}")
    with pytest.raises(ModelError, match=r"fold-chance\.json"):
        FoldChances.read(tmp_path)


def facing(query, target, pairs):
    pairs = np.array(pairs).reshape(-1, 2)
    return Alignment(query, target, pairs, np.linspace(0.5, 1, len(pairs)), 1.0)


def neighbour(name, alignment, chance=0.5):
    return Neighbour("q", 1, Entry(name, alignment.target), 0.6, chance, alignment=alignment)


def test_a_column_counts_and_weighs():
    query = "MKTA"
    there = [
        neighbour("a", facing(query, "MKSA", [[0, 0], [1, 1], [2, 2], [3, 3]]), 0.9),
        neighbour("b", facing(query, "GMKSA", [[0, 1], [1, 2], [2, 3]]), 0.3),
        neighbour("c", facing(query, "MKPP", [[0, 0], [2, 2]]), float("nan")),
        neighbour("d", facing(query, "MKA", [[0, 0], [1, 1], [3, 2]])),
        Neighbour(
            "q", 5, Entry("itself", query), 1.0, 1.0, True, alignment=facing(query, query, [[2, 2]])
        ),
        Neighbour("q", 6, Entry("bare", query), 0.2),
    ]
    column = site_column(query, 3, there)
    assert column.wild_type == "T"
    assert column.counts() == {"S": 2, "P": 1}
    assert [one.position for one in column.members] == [3, 4, 3, None]
    assert column.share("S") == pytest.approx(1.2 / 1.8)
    assert column.share("T") == 0
    assert column.log_odds("S", "T") == pytest.approx(np.log(1.25 / 0.05))
    assert 0.5 <= column.confidence <= 1
    nothing = site_column(query, 3, there[3:])
    assert np.isnan(nothing.share("S"))
    assert np.isnan(nothing.confidence)
    assert np.isnan(nothing.log_odds("S", "T"))


def test_an_alignment_goes_back_in_as_a3m(database, predictor, tmp_path):
    assert a3m_row(facing("MKTAYI", "GKAALYL", [[1, 1], [3, 2], [4, 5]])) == "-K-AalY-"
    aligner = EmbeddingAligner(predictor.embedder)
    (found,) = search(QUERIES[:1], database, predictor=predictor, aligner=aligner)
    text = as_a3m("four", QUERIES[0].residues, found)
    rows = text.split("\n")[1::2]
    assert all(sum(not x.islower() for x in row) == 30 for row in rows)
    profile = read_profile(text.encode(), QUERIES[0].residues, name="neighbours.a3m")
    assert profile.depth >= 1


def test_deepblast_aligns_through_the_same_door(predictor):
    import torch

    torch.manual_seed(0)
    network = DeepBlastNetwork(DeepBlastConfig(predictor.embedder.dim)).eval()
    aligner = DeepBlastAligner(predictor.embedder, network, "deepblast-tiny")
    (made,) = aligner.align("MKTAYIAKQR", ["MKTAYIA"])
    assert len(made) == 7, "free gaps, and every pair is likely to some degree"
    assert "deepblast-tiny" in aligner.name
    with pytest.raises(ModelError, match="width 1024"):
        DeepBlastAligner(predictor.embedder, DeepBlastNetwork(DeepBlastConfig()), "x")


def test_structures_confirm(globin_file, tmp_path, tiny_assets, predictor):
    folder = tmp_path / "structures"
    folder.mkdir()
    (folder / "2gtl.pdb").write_bytes(globin_file.read_bytes())
    from glass_core.search.entry import LeftOut
    from glass_core.search.reading import read_entries

    how = Building(Settings(assets=tiny_assets, device="cpu"), "compact")
    there = build(read_entries(folder, LeftOut()), tmp_path / "db", how)
    own = read_structure(globin_file, chain="A")
    queries = [NamedSequence(own.sequence, "2gtl_A")]
    (found,) = search(queries, there, predictor=predictor, top=15)
    checked = confirmed(own, found, there.folder)
    itself = next(one for one in checked if one.is_query)
    assert itself.confirmed.tm_score == pytest.approx(1, abs=1e-3)
    assert all(one.confirmed is not None for one in checked)
    (folder / "2gtl.pdb").unlink()
    gone = confirmed(own, found, there.folder)
    assert all(one.confirmed is None for one in gone), "a file that is gone confirms nothing"


def test_the_command_prints_the_columns_of_tm_vec_first(run, database):
    code, out, _ = run("search", QUERIES[0].residues, "--database", database.folder, "--top", 3)
    assert code == 0
    rows = list(csv.reader(io.StringIO(out), delimiter="\t"))
    assert rows[0][:4] == ["query_id", "rank", "database_id", "tm-score"]
    assert rows[1][:3] == ["query_1", "1", "s4"]
    assert len(rows) == 4


def test_the_contract_of_scripts(run, database):
    code, out, _ = run(
        "search", QUERIES[0].residues, "--database", database.folder, "--site", 3, "--json"
    )
    assert code == 0
    first, *rest = json.loads(out)
    assert len(rest) == 19
    assert {
        "query_id", "rank", "database_id", "tm_score", "fold_chance", "identity", "coverage",
        "alignment", "confirmed_tm", "site",
    } <= set(first)  # fmt: skip
    assert first["site"]["residue"] == first["site"]["query"] == QUERIES[0].residues[2]
    assert first["site"]["database_position"] == 3
    assert first["identity"] == first["coverage"] == 1
    assert first["alignment"]["query_range"] == [1, 30]
    assert first["fold_chance"] is None
    code, out, _ = run("align", "MKTAYIAKQRQ", "MKTAYIAKQ", "--json")
    made = json.loads(out)
    assert (code, made["target"][:9]) == (0, "MKTAYIAKQ")
    code, out, _ = run("align", "MKTAYIAKQRQ", "MKTAYIAKQ")
    assert "predicted TM-score" in out


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".json", ".parquet", ".a3m"])
def test_results_are_written_in_every_form(suffix, run, database, tmp_path):
    out = tmp_path / f"found{suffix}"
    code, _, told = run(
        "search", QUERIES[0].residues, "--database", database.folder, "--align", "--out", out
    )
    assert code == 0, told
    assert "20 neighbours" in told
    if suffix == ".parquet":
        assert list(pd.read_parquet(out)["rank"]) == list(range(1, 21))
    elif suffix == ".a3m":
        assert out.read_text().startswith(">query_1\n")
    else:
        assert "s4" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["MK1"], "digit"),
        (["MKTAY", "--database", "nowhere"], "is no database"),
        (["MKTAY", "--site", "9"], "give a position from 1 to 5"),
        (["MKTAY", "--top", "0"], "from 1 to 1,000"),
        (["MKTAY", "--no-align", "--site", "1"], "without alignments"),
        (["MKTAY", "--out", "x.doc"], "ends in .tsv"),
        (["MKTAY", "--deepblast", "none.ckpt"], "cannot be read"),
        (["MKTAY"], "assets/database"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments, words, run, database):
    if "--database" not in arguments and len(arguments) > 1:
        arguments = [*arguments, "--database", database.folder]
    code, _, told = run("search", *arguments)
    assert code == 2
    assert words in told
    assert told.strip().count("\n") == 0


def test_databases_are_made_and_told_by_commands(run, tmp_path):
    fasta = tmp_path / "x.fasta"
    fasta.write_text("".join(one.fasta for one in some(5)) + ">bad\nMK1\n")
    code, out, told = run("database", "build", fasta, "--out", tmp_path / "db", "--licence", "mine")
    assert code == 0, told
    assert "5 sequences, 150 residues" in out
    assert "left out 1: letters that are no residues (the first: bad)" in told
    assert "licence: mine" in out
    fasta.write_text("".join(one.fasta for one in some(2, 5)))
    code, out, told = run("database", "add", tmp_path / "db", fasta)
    assert (code, "7 sequences" in out) == (0, True), told
    code, out, _ = run("database", "merge", tmp_path / "db", "--out", tmp_path / "all")
    assert code == 0
    code, out, _ = run("database", "pack", tmp_path / "all", "--out", tmp_path / "packed")
    assert (code, "single bytes" in out) == (0, True)
    code, out, _ = run("database", "info", tmp_path / "packed", "--json")
    assert json.loads(out)["count"] == 7
    code, _, told = run("database", "build", fasta, "--out", tmp_path / "db")
    assert (code, "holds a database" in told) == (2, True)


def test_the_database_that_comes_along_finds_globins():
    """Myoglobin among the chains of experimental structures; all that are near are globins."""
    from glass_core.search.packing import embedded_database

    settings = Settings(device="cpu")
    there = embedded_database(settings)
    assert there.meta.count > 8_000
    assert "CC0" in there.meta.licence
    assert sum(path.stat().st_size for path in there.folder.iterdir()) < 10_000_000
    globin = (
        "VLSEGEWQLVLHVWAKVEADVAGHGQDILIRLFKSHPETLEKFDRFKHLKTEAEMKASEDLKKHGVTVLTALGAILKKKGHHEAELK"
        "PLAQSHATKHKIPIKYLEFISEAIIHVLHSRHPGDFGADAQGAMNKALELFRKDIAAKYKELGYQG"
    )
    (found,) = search([NamedSequence(globin)], there, predictor=load_predictor(settings), top=10)
    labels = [one.entry.labels for one in found if one.entry.labels]
    assert labels
    assert all("SCOP a.1" in one or "CATH 1.10.490.10" in one for one in labels)


def test_the_chains_that_come_along_are_experimental_and_free(tmp_path):
    from glass_core.training.data.search_chains import experimental_entries

    chains, folds = tmp_path / "chains.parquet", tmp_path / "folds.parquet"
    pd.DataFrame(
        {
            "id": ["1abc_A", "d2abcb1", "3abc_A", "m_A", "new-assembly1_F"],
            "sequence": ["MKT", "MKS", "MKR", "MKE", "MKD"],
            "kind": ["xray", "nmr", "xray", "model", "em"],
            "pdb_id": ["1abc", "2abc", "3abc", None, np.nan],
            "resolution": [1.5, None, 2.0, None, None],
            "license_note": ["MIT", None, "CC-BY-NC-SA", "MIT", "MIT"],
        }
    ).to_parquet(chains)
    pd.DataFrame(
        {
            "id": ["1abc_A", "1abc_A", "d2abcb1"],
            "scheme": ["CATH", "SCOP", "SCOP"],
            "fold": ["1.10.8", "a.1", "a.2"],
            "superfamily": ["1.10.8.10", "a.1.1", None],
        }
    ).to_parquet(folds)
    assert list(experimental_entries(chains, folds)) == [
        Entry(
            "1abc_A", "MKT", "PDB 1abc, X-ray, 1.5 Å", "CATH 1.10.8.10; SCOP a.1.1", "pdb:1abc", "A"
        ),
        Entry("d2abcb1", "MKS", "PDB 2abc, NMR", "SCOP a.2", "pdb:2abc", "B"),
        Entry("new-assembly1_F", "MKD", "electron microscopy"),
    ]
