"""Protein space: proteins at their places, the map's background, what is laid on it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glass_core.errors import InputError, SequenceError, UnavailableError
from glass_core.inputs.upload import example_upload
from glass_core.models.evaluation import Evaluation
from glass_core.models.space.base import SpaceInfo
from glass_core.models.space.registry import load_space
from glass_core.protein.structure.file import read_structure
from glass_core.report.space.figures import (
    COLOURINGS,
    distance_table,
    inset_figure,
    map_figure,
    neighbours_table,
)
from glass_core.report.space.page import map_page
from glass_core.search.entry import Entry, LeftOut
from glass_core.settings import Settings
from glass_core.space.background import LEVELS, Background, lay_out, open_background, places_table
from glass_core.space.placing import KINDS, Point, mutants_of, place, read_given
from glass_core.space.projection import Pca, Tsne

INFO = SpaceInfo("tiny", "1", "a" * 64, 8, "letters", "shapes")


class Letters:
    """A space in which a sequence lies by its letters, and a structure by its size."""

    info = INFO

    def of_sequences(self, sequences, told=lambda done: None):
        found = np.array([[one.count(c) + 0.1 for c in "AGLKEDSV"] for one in sequences])
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    def of_structures(self, backbones, told=lambda done: None):
        if any(len(one) < 30 for one in backbones):
            raise InputError("the structure has too few residues")
        return self.of_sequences([one.letters for one in backbones])


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def background():
    """Four families, each sequence with its structure beside it."""
    rng = np.random.default_rng(0)
    corners = rng.normal(size=(4, 8))
    points, classes = [], []
    for number in range(60):
        family = number % 4
        place = unit(corners[[family]] + 0.15 * rng.normal(size=(1, 8)))[0]
        name = f"c{number}"
        points.append(Point(name, "sequence", "A" * (40 + number), place))
        points.append(Point(name, "structure", "A" * (40 + number), place))
        code = f"{family + 1}.10"
        row = {"class": code[0], "architecture": code, "fold": f"{code}.8", "superfamily": ""}
        classes.append({"id": name, **row})
    return lay_out(points, pd.DataFrame(classes), INFO, "made up")


def test_sequences_files_and_structures_are_read(tmp_path):
    left_out = LeftOut()
    assert [one.id for one in read_given(">a b\nMKV\n>c\nMKL\n", left_out)] == ["a_b", "c"]
    assert [one.id for one in read_given("MKVAAGG", left_out)] == ["sequence_1"]
    (tmp_path / "x.fasta").write_text(">x\nMKV\n")
    assert read_given(str(tmp_path / "x.fasta"), left_out)[0].sequence == "MKV"
    path = tmp_path / "2gtl.pdb"
    path.write_bytes(example_upload().content)
    chains = read_given(str(path), left_out)
    assert len(chains) > 1
    assert all(one.file for one in chains)
    assert {one.id for one in read_given(str(tmp_path), left_out)} == {one.id for one in chains}
    (tmp_path / "empty.fasta").write_text("")
    with pytest.raises(InputError):
        read_given(str(tmp_path / "empty.fasta"), left_out)
    with pytest.raises(SequenceError):
        read_given("MK1", left_out)


def test_a_structure_that_has_no_place_is_told_and_its_sequence_placed(tmp_path):
    path = tmp_path / "2gtl.pdb"
    path.write_bytes(example_upload().content)
    left_out = LeftOut()
    entries = [*read_given(str(path), left_out)[:2], Entry("gone", "MKV", structure="gone.pdb")]
    points = place(entries, Letters(), left_out)
    assert [one.kind for one in points] == ["sequence"] * 3 + ["structure"] * 2
    assert left_out.counts == {"a structure that has no place": 1}
    assert points[3].id == entries[0].id

    class Blind(Letters):
        def of_structures(self, backbones, told=lambda done: None):
            raise UnavailableError("places no structures here")

    blind = LeftOut()
    assert {one.kind for one in place(entries, Blind(), blind)} == {"sequence"}
    assert blind.counts["places no structures here"] == 2


def test_variants_are_placed_as_their_mutants():
    left_out = LeftOut()
    wild = Entry("wild", "MKVAAGG")
    found = mutants_of(wild, "K2R, V3del;A4W  Q2R nonsense", left_out)
    assert [(one.id, one.sequence) for one in found] == [
        ("K2R", "MRVAAGG"), ("V3del", "MKAAGG"), ("A4W", "MKVWAGG"),
    ]  # fmt: skip
    assert left_out.counts == {"no variant of wild": 2}
    assert mutants_of(wild, " ", left_out) == []


def test_principal_components_are_those_of_numpy():
    vectors = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    made = Pca.of(vectors)
    values, axes = np.linalg.eigh(np.cov(vectors.T))
    np.testing.assert_allclose(np.abs(made.axes.T @ axes[:, [-1, -2]]), np.eye(2), atol=1e-3)
    assert made.share == pytest.approx(values[-2:].sum() / values.sum(), abs=1e-4)
    np.testing.assert_allclose(made.place(vectors[:5]), made.plane[:5], atol=1e-5)


def test_new_points_are_laid_where_their_like_lie_and_move_nothing(background):
    for projection in background.projections.values():
        before = projection.plane.copy()
        asked = background.vectors[::7]
        there = projection.place(asked)
        np.testing.assert_array_equal(projection.plane, before)
        np.testing.assert_allclose(projection.place(asked), there, atol=1e-4)
        own = background.table["architecture"].to_numpy()
        apart = np.linalg.norm(there[:, None] - before, axis=-1)
        like = apart.argsort(axis=1)[:, :5]
        right = np.mean(own[like] == own[::7][:, None])
        assert right > (0.95 if isinstance(projection, Tsne) else 0.6)
        assert projection.place(np.empty((0, 8), np.float32)).shape == (0, 2)


def test_a_background_is_kept_and_checked(background, tmp_path):
    path = tmp_path / "background.parquet"
    background.write(path)
    again = Background.read(path, INFO)
    pd.testing.assert_frame_equal(again.table, background.table, check_categorical=False)
    np.testing.assert_allclose(again.vectors, background.vectors, atol=1e-3)
    with pytest.raises(InputError, match="another space than other"):
        Background.read(path, replace(INFO, name="other", sha256="b" * 64))
    with pytest.raises(InputError, match="is no background of a map"):
        Background.read(tmp_path / "none.parquet", INFO)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="is no background of a map"):
        Background.read(path, INFO)


@pytest.fixture
def mine():
    rng = np.random.default_rng(3)
    wild = unit(rng.normal(size=(1, 8)))[0]
    mutants = unit(wild + 0.01 * rng.normal(size=(3, 8)))
    return [
        Point("wild", "sequence", "MKV", wild),
        *(Point(f"m{k}", "sequence", "MKV", one) for k, one in enumerate(mutants)),
        Point("wild", "structure", "MKV", mutants[0]),
    ]


@pytest.mark.parametrize("colouring", COLOURINGS)
@pytest.mark.parametrize("layout", ["tsne", "pca"])
def test_the_map_shows_the_background_and_what_is_laid_on_it(colouring, layout, background, mine):
    figure = map_figure(background, mine, layout, colouring)
    behind = [one for one in figure.data if one.type == "scattergl"]
    assert sum(len(one.x) for one in behind) == len(background)
    assert {one.marker.symbol for one in behind} == {"circle", "cross-thin"}
    yours = [one for one in figure.data if one.type == "scatter"]
    assert sorted(one.name for one in yours) == ["yours: sequence", "yours: structure"]
    assert sum(len(one.x) for one in yours) == len(mine)
    one_kind = map_figure(background, (), layout, colouring, kinds=("structure",))
    assert {one.marker.symbol for one in one_kind.data} == {"cross-thin"}


def test_distances_are_those_of_the_whole_space(background, mine):
    table = distance_table(mine)
    apart = np.linalg.norm(np.stack([one.vector for one in mine]) - mine[0].vector, axis=1)
    np.testing.assert_allclose(table["distance"], apart, atol=1e-3)
    assert len(inset_figure(mine).layout.annotations) == len(mine) - 1
    assert len(inset_figure(mine[:1]).data) == 1
    near = neighbours_table(background, Point("q", "sequence", "A", background.vectors[6]), 5)
    assert near["id"].iloc[0] == "c3"
    assert near["id"].is_unique
    assert list(near.columns[-4:]) == list(LEVELS)


def test_the_page_is_one_file_without_a_network(background, mine):
    harmful = replace(mine[0], id="<script>alert(1)</script>")
    page = map_page(background, [harmful, *mine[1:]], INFO, "tsne", "class")
    assert "<script>alert(1)" not in page
    assert 'src="http' not in page
    assert "Plotly.newPlot" in page
    assert "Yours among themselves" in page
    assert "Yours among themselves" not in map_page(background, mine[:1], INFO, "pca", "length")
    table = places_table(background, mine)
    assert list(table["kind"].unique()) == ["sequence", "structure"]
    assert table[["x_tsne", "y_pca"]].notna().all(axis=None)
    assert set(KINDS) == {"sequence", "structure", "stretch"}


def test_commands_embed_and_draw(run, background, tmp_path, monkeypatch):
    monkeypatch.setattr("glass_core.models.space.registry.load_space", lambda *a: Letters())
    monkeypatch.setattr("glass_core.space.background.open_background", lambda *a: background)
    code, out, told = run("embed", "--space", ">a\nMKVAAG\n>b\nGGLKE\n", "--json")
    assert code == 0, told
    rows = json.loads(out)
    assert [row["id"] for row in rows] == ["a", "b"]
    assert {len(row["vector"]) for row in rows} == {8}
    assert np.linalg.norm(rows[0]["vector"]) == pytest.approx(1, abs=1e-4)
    code, _, told = run("embed", "--space", "MKV", "--out", tmp_path / "x.npz")
    assert code == 0, told
    assert np.load(tmp_path / "x.npz")["kinds"].tolist() == ["sequence"]
    code, _, told = run("embed", "--space", "MKV")
    assert (code, "nowhere to write to" in told) == (2, True)
    shutil.copy(__file__, tmp_path / "x.txt")
    for name in ("map.html", "map.csv"):
        code, out, told = run("map", ">a\nMKVAAG\n>b\nGGLKE\n", "--out", tmp_path / name)
        assert code == 0, told
        assert "2 place(s)" in out
    assert list(pd.read_csv(tmp_path / "map.csv")["id"]) == ["a", "b"]
    words = ("map", "MKVAAG", "--variants", "K2R Q9R", "--out", tmp_path / "map.csv")
    code, out, told = run(*words)
    assert (code, "2 place(s)" in out) == (0, True), told
    assert "no variant of sequence_1" in told
    code, _, told = run("map", "MKV", "--out", tmp_path / "map.doc")
    assert (code, "ends in .html or .csv" in told) == (2, True)
    code, _, told = run("map", "MK1", "--out", tmp_path / "no.html")
    assert code == 2
    assert not (tmp_path / "no.html").exists()


@pytest.fixture(scope="module")
def committed():
    return load_space(Settings(device="cpu"))


def test_the_space_that_comes_along_places_sequence_and_structure_together(committed):
    structure = read_structure(example_upload().content, chain="A", name="2gtl")
    strands = "GSHMQDPYVKEAENLKKYFNAGHSDVADNGTLFLGILKNWKEESDRKIMQSQIVSFYFKLFKNFKDDQSI"
    sequences = committed.of_sequences(
        [structure.sequence, "TVTVSGGTYTVRVGNTTYTVTGSSGTVT" * 4, strands]
    )
    (placed,) = committed.of_structures([structure.backbone])
    near, *far = sequences @ placed
    assert near > 0.6
    assert near > max(far) + 0.2
    table = neighbours_table(
        open_background(Settings(), committed.info), Point("x", "structure", "", placed), 10
    )
    assert (table["class"] == "1").mean() >= 0.8, "mainly alpha"


def test_its_record_is_there_and_of_it(committed):
    record = Evaluation.read(Settings().assets / "spaces/compact/evaluation/space.json")
    assert record.model["sha256"] == committed.info.sha256
    assert record.content["retrieval"]["sequence to structure"]["plain"]["top 10"] > 0.6
    near = record.content["neighbours"]["all"]
    assert {"sequence tower", "structure tower", "mean embedding", "fold head", "MMseqs2"} == set(
        near
    )
