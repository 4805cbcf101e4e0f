"""Candidates of a search: alike words, and the index of large databases."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glass_core.errors import InputError
from glass_core.models.registry import load_predictor
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.sequence import STANDARD
from glass_core.search import shared_words
from glass_core.search.building import Building, add, build
from glass_core.search.database import RECORDS_FILE, VECTORS_FILE, Database, DatabaseMeta
from glass_core.search.entry import Entry
from glass_core.search.exact import compare_all, compare_some, score_counts
from glass_core.search.index import INDEX_FILE, LEAST_PROBED, RECALL_SOUGHT, build_index, has_index
from glass_core.search.joining import table_of
from glass_core.search.nearest import nearest
from glass_core.search.packing import embedded_database, pack
from glass_core.search.shared_words import ALIKE, WORD, WordIndex, keep_words, word_index
from glass_core.settings import Settings
from tests.test_search_database import letters, some

SEQUENCES = st.lists(st.text(STANDARD + "X", min_size=1, max_size=25), min_size=1, max_size=6)


def slow_candidates(query, sequences):
    """Best stretch of every sequence on any diagonal that shares an alike word: a plain loop."""
    alike = blosum62_matrix()

    def score(a, b):
        return int(alike[a, b]) if "X" not in (a, b) else -1

    found = {}
    for number, target in enumerate(sequences):
        for shift in range(-len(query), len(target) + 1):
            pairs = [
                (query[i], target[i + shift])
                for i in range(len(query))
                if 0 <= i + shift < len(target)
            ]
            words = [pairs[k : k + WORD] for k in range(len(pairs) - WORD + 1)]
            if any(
                sum(score(*p) for p in word) >= ALIKE and all("X" not in p for p in word)
                for word in words
            ):
                best = running = 0
                for pair in pairs:
                    running = max(running + score(*pair), 0)
                    best = max(best, running)
                found[number] = max(best, found.get(number, 0))
    return sorted(found, key=lambda one: (-found[one], one))


@given(st.text(STANDARD + "X", min_size=1, max_size=20), SEQUENCES)
def test_candidates_are_those_of_a_plain_loop(query, sequences):
    sequences = [*sequences, query, query[1:] + "A"]
    found = WordIndex.of(sequences).candidates(query, 100).tolist()
    assert found == slow_candidates(query, sequences)
    assert WordIndex.of(sequences).candidates(query, 1).tolist() == found[:1]


def test_a_distant_relative_is_among_many(database):
    rng = np.random.default_rng(0)
    relative = "".join(
        letter if rng.random() < 0.5 else rng.choice(list(STANDARD)) for letter in letters(7, 80)
    )
    sequences = [letters(n, 80) for n in range(100, 400)]
    found = WordIndex.of([*sequences[:150], relative, *sequences[150:]]).candidates(
        letters(7, 80), 3
    )
    assert found[0] == 150


@pytest.fixture
def database(tiny_assets, tmp_path):
    how = Building(Settings(assets=tiny_assets, device="cpu"), "compact")
    return build(some(60), tmp_path / "db", how)


@pytest.fixture(scope="module")
def queries(tiny_assets):
    predictor = load_predictor(Settings(assets=tiny_assets, device="cpu"))
    return predictor.vectors([letters(3), letters(200)])


def test_words_are_kept_beside_a_database(database):
    plain = word_index(database)
    assert keep_words(database).is_dir()
    kept = word_index(Database.open(database.folder))
    assert kept is not plain
    for query in (letters(3), letters(9) + "X"):
        np.testing.assert_array_equal(kept.candidates(query, 9), plain.candidates(query, 9))


def test_words_that_do_not_belong_or_are_damaged_are_told(database, tmp_path):
    keep_words(database)
    other = pack(database, tmp_path / "other")
    shutil.copytree(database.folder / "words", other.folder / "words")
    assert len(word_index(other)) == 60
    (other.folder / "words" / "begins.npy").write_bytes(b"none")
    with pytest.raises(InputError, match="build it anew"):
        word_index(Database.open(other.folder))
    np.save(other.folder / "words" / "begins.npy", np.arange(5))
    shutil.copytree(other.folder / "words", tmp_path / "w")
    shutil.rmtree(other.folder / "words")
    (tmp_path / "w").rename(other.folder / "words")
    with pytest.raises(InputError, match="another state"):
        word_index(Database.open(other.folder))


def test_a_large_database_without_words_is_searched_by_vectors(database, monkeypatch):
    monkeypatch.setattr(shared_words, "MOST_RESIDUES", 10)
    assert word_index(database) is None


@pytest.mark.parametrize("packed", [False, True])
def test_some_are_compared_as_all_are(packed, database, queries, tmp_path):
    there = pack(database, tmp_path / "packed") if packed else database
    rows, products = compare_all(queries, there, 60)
    candidates = np.stack([np.random.default_rng(k).permutation(60) for k in range(2)])
    some_rows, some_products = compare_some(queries, there, candidates, 7)
    np.testing.assert_array_equal(some_rows, rows[:, :7])
    np.testing.assert_allclose(some_products, products[:, :7], atol=1e-6)
    counts = score_counts(queries, there)
    assert counts.sum(axis=1).tolist() == [60, 60]
    for row, scores in zip(counts, products, strict=True):
        expected, _ = np.histogram(scores.clip(0, 1), bins=len(row), range=(0, 1))
        assert np.abs(row - expected).sum() <= 2, "but for one on an edge"


def test_the_index_finds_what_exact_search_finds(database, queries):
    pytest.importorskip("faiss", reason="FAISS is not installed")
    exact = nearest(queries, database, 10)
    told = build_index(database)
    assert has_index(database)
    found = nearest(queries, database, 10)
    np.testing.assert_array_equal(found[0], exact[0])
    np.testing.assert_allclose(found[1], exact[1], atol=1e-6)
    assert told.queries == 60
    assert told.recall > 0.98


def of_vectors(folder, vectors):
    """A database of these vectors, its sequences left empty."""
    meta = embedded_database(Settings()).meta
    folder.mkdir()
    np.save(folder / VECTORS_FILE, vectors.astype(np.float16))
    pq.write_table(
        table_of([Entry(f"v{n}", "") for n in range(len(vectors))]), folder / RECORDS_FILE
    )
    DatabaseMeta(meta.model, vectors.shape[1], len(vectors), 0, meta.created).write(folder)
    return Database.open(folder)


def test_a_few_clusters_are_enough_and_all_are_taken_where_they_are_not(tmp_path):
    pytest.importorskip("faiss", reason="FAISS is not installed")
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(30, 16))
    vectors = centres[rng.integers(0, 30, 3000)] + 0.2 * rng.normal(size=(3000, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    there = of_vectors(tmp_path / "many", vectors)
    told = build_index(there)
    assert RECALL_SOUGHT <= told.recall <= 1
    assert LEAST_PROBED <= told.probed < told.clusters
    asked = vectors[::500].astype(np.float32)
    true, products = compare_all(asked, there, 10)
    rows, found = nearest(asked, there, 10)
    shared = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(rows, true, strict=True)])
    assert shared > 0.95
    np.testing.assert_allclose(found[:, 0], products[:, 0], atol=1e-6)
    assert (found <= products + 1e-6).all()
    every, _ = nearest(asked, there, 3000)
    assert (np.sort(every, axis=1) == np.arange(3000)).all(), "more than the clusters hold"


def test_an_index_of_another_state_is_told_and_goes_with_it(database, queries, tiny_assets):
    pytest.importorskip("faiss", reason="FAISS is not installed")
    build_index(database)
    path = database.folder / INDEX_FILE
    kept = path.read_bytes()
    keep_words(database)
    how = Building(Settings(assets=tiny_assets, device="cpu"), "compact")
    grown = add(database, some(5, 60), how)
    assert not has_index(grown), "it was of what was there before"
    assert len(word_index(grown)) == 65
    path.write_bytes(kept)
    with pytest.raises(InputError, match="another state of the database"):
        nearest(queries, grown, 3)
    path.write_bytes(b"no index at all")
    with pytest.raises(InputError, match=r"index\.faiss: is damaged"):
        nearest(queries, grown, 3)


def test_an_index_that_misses_its_own_entries_is_told(database, queries):
    pytest.importorskip("faiss", reason="FAISS is not installed")
    build_index(database)
    path = database.folder / INDEX_FILE
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 :] = bytes(len(whole) - len(whole) // 2)
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"index\.faiss: is damaged"):
        nearest(queries, database, 3)


def test_the_command_says_how_good_the_index_is(run, database):
    pytest.importorskip("faiss", reason="FAISS is not installed")
    code, out, told = run("database", "index", database.folder)
    assert code == 0, told
    assert "of the ten nearest of 60 entries" in out
    assert (database.folder / "words").is_dir()
