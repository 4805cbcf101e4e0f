"""Protein space: proteins at their places, the map's background, what is laid on it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from io import BytesIO, StringIO

import numpy as np
import pandas as pd
import pytest

from glass_core.errors import Cancelled, InputError, SequenceError, UnavailableError
from glass_core.inputs.upload import Upload, example_upload
from glass_core.models.evaluation import Evaluation
from glass_core.models.space.base import SpaceInfo
from glass_core.models.space.registry import load_space
from glass_core.progress import Watch
from glass_core.protein.fold_classes import LEVELS, of_fold, with_name
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from glass_core.protein.variant import Variant
from glass_core.report.space.bundle import DELIMITER, protspace_bundle
from glass_core.report.space.exports import map_exports, places_csv, vectors_csv
from glass_core.report.space.figures import (
    COLOURINGS,
    distance_table,
    inset_figure,
    map_figure,
    neighbours_table,
    picked_table,
)
from glass_core.report.space.page import map_page
from glass_core.report.space.pictures import picture
from glass_core.report.space.stretches import stretch_figure, stretch_words
from glass_core.report.space.written import write_map
from glass_core.search.entry import Entry, LeftOut
from glass_core.settings import Settings
from glass_core.space.background import Background, lay_out, open_background, places_table
from glass_core.space.mapped import Mapped, map_given, read_chains
from glass_core.space.placing import KINDS, Point, mutants_of, place, read_given
from glass_core.space.projection import Pca, Tsne
from glass_core.space.stretches import stretch_shift
from glass_core.space.vectors import read_vectors
from tests.tools.dashboard import CHROMIUM

LETTERS = "MKVAAGLLDSEV"
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
    entries = [*read_given(str(path), left_out)[:2], Entry("gone", LETTERS, structure="gone.pdb")]
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
    own = [one.name.startswith("yours") for one in figure.data]
    assert own == sorted(own), "a user's points lie above"
    assert {one.type for one in figure.data} == {"scattergl"}, "or they would not"
    behind = [one for one in figure.data if not one.name.startswith("yours")]
    assert sum(len(one.x) for one in behind) == len(background)
    assert {one.marker.symbol for one in behind} == {"circle", "cross-thin"}
    yours = [one for one in figure.data if one.name.startswith("yours")]
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
    code, out, told = run("embed", "--space", f">a\n{LETTERS}\n>b\nG{LETTERS}\n", "--json")
    assert code == 0, told
    rows = json.loads(out)
    assert [row["id"] for row in rows] == ["a", "b"]
    assert {len(row["vector"]) for row in rows} == {8}
    assert np.linalg.norm(rows[0]["vector"]) == pytest.approx(1, abs=1e-4)
    code, _, told = run("embed", "--space", LETTERS, "--out", tmp_path / "x.npz")
    assert code == 0, told
    assert np.load(tmp_path / "x.npz")["kinds"].tolist() == ["sequence"]
    code, _, told = run("embed", "--space", "MKV")
    assert (code, "nowhere to write to" in told) == (2, True)
    shutil.copy(__file__, tmp_path / "x.txt")
    for name in ("map.html", "map.csv"):
        code, out, told = run("map", f">a\n{LETTERS}\n>b\nG{LETTERS}\n", "--out", tmp_path / name)
        assert code == 0, told
        assert "2 place(s)" in out
    assert list(pd.read_csv(tmp_path / "map.csv")["id"]) == ["a", "b"]
    words = ("map", LETTERS, "--variants", "K2R Q9R", "--out", tmp_path / "map.csv")
    code, out, told = run(*words)
    assert (code, "2 place(s)" in out) == (3, True), "partly failed"
    assert "no variant of sequence_1" in told
    code, out, told = run("embed", "--space", f">a\n{LETTERS}\n>b\nMKV\n", "--json")
    assert (code, [row["id"] for row in json.loads(out)]) == (3, ["a"])
    assert "under 10 residues" in told
    code, _, told = run("embed", "--space", "MKV", "--json")
    assert (code, "nothing to place. left out 1: under 10 residues" in told) == (2, True)
    code, _, told = run("map", LETTERS, "--out", tmp_path / "map.doc")
    assert (code, "ends in one of .html" in told) == (2, True)
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
    assert (table["class"] == "1 mainly alpha").mean() >= 0.8


def test_its_record_is_there_and_of_it(committed):
    record = Evaluation.read(Settings().assets / "spaces/compact/evaluation/space.json")
    assert record.model["sha256"] == committed.info.sha256
    assert record.content["retrieval"]["sequence to structure"]["plain"]["top 10"] > 0.6
    near = record.content["neighbours"]["all"]
    assert {"sequence tower", "structure tower", "mean embedding", "fold head", "MMseqs2"} == set(
        near
    )


def test_rows_of_the_background_are_told_to_the_view(background):
    figure = map_figure(background, [], marked=[3, 5])
    rows = [int(row) for trace in figure.data[:-1] for row in trace.customdata]
    assert sorted(rows) == list(range(len(background)))
    assert sorted(figure.data[-1].customdata) == [3, 5]
    only = map_figure(background, [], kinds=["structure"], marked=[0])
    assert {background.table["kind"][int(row)] for t in only.data for row in t.customdata} == {
        "structure"
    }
    assert list(picked_table(background, [5, 3])["id"]) == list(background.table["id"].iloc[[5, 3]])


def test_chains_are_found_by_parts_of_their_ids(background):
    name = str(background.table["id"].iloc[-1])
    rows, unknown = background.named(f"{name.upper()}, zzz")
    assert set(background.table["id"].iloc[rows]) >= {name}
    assert unknown == ("zzz",)
    assert background.named(name[:2])[1] == (name[:2],), "too short to tell anything"
    rows, unknown = background.named("  ")
    assert not len(rows)
    assert unknown == ()
    assert background.sequence_of(name) == background.table["sequence"].iloc[-1]
    assert background.sequence_of("zzz") == ""


def vectors_file(folder, suffix, rows):
    names, kinds = ["a b", "c"], ["structure", "sequence"]
    path = folder / f"places{suffix}"
    if suffix == ".npz":
        where = np.array(f"tiny 1 {'a' * 64}")
        np.savez(path, names=names, kinds=kinds, vectors=rows, space=where)
    elif suffix == ".csv":
        table = pd.DataFrame(rows).add_prefix("z").assign(id=names, kind=kinds)
        table.to_csv(path, index=False)
    else:
        pd.DataFrame({"id": names, "kind": kinds, "vector": list(rows)}).to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet"])
def test_places_are_read_from_files(tmp_path, suffix):
    rows = 3 * unit(np.random.default_rng(0).normal(size=(2, 8)))
    points = read_vectors(vectors_file(tmp_path, suffix, rows), INFO)
    assert [(one.id, one.kind) for one in points] == [("a_b", "structure"), ("c", "sequence")]
    np.testing.assert_allclose(np.stack([one.vector for one in points]), rows / 3, atol=1e-6)


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet"])
def test_wrong_files_of_places_are_refused(tmp_path, suffix):
    rows = unit(np.random.default_rng(0).normal(size=(2, 8)))
    path = vectors_file(tmp_path, suffix, rows[:, :5])
    with pytest.raises(InputError, match="5 numbers a place, space 'tiny' 8"):
        read_vectors(path, INFO)
    path = vectors_file(tmp_path, suffix, np.where(np.arange(8) == 2, np.nan, rows))
    with pytest.raises(InputError, match="'a b' has no direction"):
        read_vectors(path, INFO)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="holds no places"):
        read_vectors(path, INFO)
    with pytest.raises(InputError, match="holds no places"):
        read_vectors(path.with_name(f"absent{suffix}"), INFO)


def test_an_archive_of_another_space_is_refused(tmp_path):
    path = vectors_file(tmp_path, ".npz", np.eye(2, 8))
    with pytest.raises(InputError, match="was made in space 'tiny'"):
        read_vectors(path, replace(INFO, sha256="b" * 64))


def test_what_was_given_is_placed_in_order(tmp_path):
    rows = unit(np.random.default_rng(0).normal(size=(2, 8)))
    vectors = Upload(vectors_file(tmp_path, ".csv", rows).read_bytes(), "places.csv")
    files = [
        vectors,
        example_upload(),
        Upload(b"\0\1", "broken.pdb"),
        Upload(f">f\n{LETTERS}".encode(), "f.fa"),
    ]
    mapped = map_given(f">q\n{LETTERS}", files, "K2A", Letters())
    names = [one.id for one in mapped.points if one.kind == "sequence"]
    assert names[:2] == ["q", "K2A"]
    assert names[-2:] == ["f", "c"]
    assert any(one.kind == "structure" and one.id.startswith("2gtl") for one in mapped.points)
    assert any("could not be read" in line for line in mapped.left_out)
    assert any("3 places: under 40 residues" in line for line in mapped.left_out)
    again = pd.read_csv(StringIO(vectors_csv(mapped)))
    assert list(again["id"]) == [one.id for one in mapped.points]
    with pytest.raises(InputError, match=r"nothing to place.*could not be read"):
        map_given("", files[2:3], "", Letters())


@pytest.fixture
def mapped(background):
    return Mapped((Point("mine", "sequence", "MKT", background.vectors[0]),))


def test_a_bundle_has_three_tables_of_the_same_identifiers(background, mapped):
    parts = protspace_bundle(background, mapped).split(DELIMITER)
    told, made, places = (pd.read_parquet(BytesIO(part)) for part in parts)
    assert told.columns[0] == "identifier"
    assert told["identifier"].is_unique
    assert len(told) == len(background) + 1
    assert list(told["given"].unique()) == ["background", "yours"]
    assert list(made["projection_name"]) == ["t-SNE_2", "PCA_2"]
    assert set(made["dimensions"]) == {2}
    for name, some in places.groupby("projection_name"):
        assert set(some["identifier"]) == set(told["identifier"]), name
        assert np.isfinite(some[["x", "y"]].to_numpy()).all()


@pytest.mark.parametrize("suffix", [".html", ".csv", ".parquetbundle"])
def test_a_map_is_written_by_the_end_of_its_name(background, mapped, tmp_path, suffix):
    out = tmp_path / f"map{suffix}"
    write_map(out, background, mapped, INFO, "pca", "class")
    assert b"mine" in out.read_bytes()
    for export in map_exports(background, mapped, INFO, "pca", "class"):
        assert export.write(tmp_path).stat().st_size > 0


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to draw pictures")
@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<svg")])
def test_pictures_are_drawn(background, mapped, tmp_path, suffix, begins):
    out = tmp_path / f"map{suffix}"
    write_map(out, background, mapped, INFO, "tsne", "class")
    content = out.read_bytes()
    assert content.startswith(begins)
    if suffix == ".svg":
        assert content.count(b'<path class="point') >= len(background)
        assert b"<image" not in content


def test_a_picture_without_a_browser_says_what_is_needed(background, monkeypatch):
    def absent(*args, **how):
        raise RuntimeError("no Chrome")

    monkeypatch.setattr("plotly.graph_objects.Figure.to_image", absent)
    with pytest.raises(UnavailableError, match="needs Chrome or Chromium"):
        picture(map_figure(background, []), "png")


def test_stretches_move_where_a_residue_changes():
    protein = Protein.from_sequence("MKVLAAGIVGLCAKAYQDWERNSTGGELK" * 3)
    variant = Variant.parse("G36D", protein.sequence)
    shift = stretch_shift(protein, variant, Letters(), width=10)
    assert list(shift.centres) == list(range(31, 41))
    for centre, apart in zip(shift.centres, shift.apart, strict=True):
        cut = slice(centre - 5, centre + 5)
        wild, mutant = Letters().of_sequences([protein.sequence[cut], variant.mutant[cut]])
        assert apart == pytest.approx(np.linalg.norm(wild - mutant), abs=1e-6)
    assert shift.nearer is None
    again = stretch_shift(protein, variant, Letters(), width=10)
    assert again.noise == shift.noise > 0
    assert shift.furthest in shift.centres
    assert stretch_words(protein, shift).startswith("Of 10 windows of 10 residues")
    still = replace(shift, noise=9.0)
    assert "none moves by more" in stretch_words(protein, still)
    assert stretch_figure(protein, variant, shift).data[0].x[0] == 32


def test_windows_end_with_the_protein_and_see_its_structure():
    structure = read_structure(example_upload().content, chain="A", name="2gtl.pdb")
    protein = Protein.from_structure(structure)
    for text in (f"{protein.sequence[0]}1W", f"{protein.sequence[-1]}147W"):
        shift = stretch_shift(protein, Variant.parse(text, protein.sequence), Letters(), 20)
        assert len(shift.centres) == 1
        assert shift.nearer is not None
        figure = stretch_figure(protein, Variant.parse(text, protein.sequence), shift)
        assert [trace.name for trace in figure.data][-1] == "nearer to the structure"


def test_stretches_that_cannot_be_compared_are_told():
    protein = Protein.from_sequence("MKVLAAGIVGLCAKA")
    with pytest.raises(InputError, match="substitutions only"):
        stretch_shift(protein, Variant.parse("K2del", protein.sequence), Letters(), 10)
    with pytest.raises(InputError, match="needs a protein of as many"):
        stretch_shift(protein, Variant.parse("K2R", protein.sequence), Letters(), 20)


def test_a_map_of_vectors_alone(run, background, monkeypatch, tmp_path):
    space = Letters()
    monkeypatch.setattr("glass_core.models.space.registry.load_space", lambda *a: space)
    monkeypatch.setattr("glass_core.space.background.open_background", lambda *a: background)
    path = vectors_file(tmp_path, ".csv", unit(np.random.default_rng(0).normal(size=(2, 8))))
    code, out, told = run("map", "--vectors", path, "--out", tmp_path / "map.csv")
    assert (code, "2 place(s)" in out) == (0, True), told
    code, _, told = run("map", "--out", tmp_path / "map.csv")
    assert (code, "nothing was given" in told) == (2, True)


def test_paths_that_lead_nowhere_are_told():
    with pytest.raises(InputError, match="no such file"):
        read_given("/nowhere/at/all.fasta", LeftOut())
    with pytest.raises(InputError, match="nothing was given"):
        read_given("  ", LeftOut())


def test_chains_of_a_structure_are_placed_once_or_as_named(tmp_path):
    path = tmp_path / "2gtl.pdb"
    path.write_bytes(example_upload().content)
    left_out = LeftOut()
    every = read_chains(str(path), left_out, ())
    letters = [one.sequence for one in every]
    assert len(set(letters)) == len(letters) > 1
    (told,) = left_out.lines()
    assert "2gtl_E" in told, "chain E has the letters of chain A"
    named = read_chains(str(path), LeftOut(), ("E", "A"))
    assert [one.chain for one in named] == ["E", "A"], "also where they have the same letters"
    with pytest.raises(InputError, match="has no chain 'Z'; it has A, B"):
        read_chains(str(path), LeftOut(), ("Z",))
    left_out = LeftOut()
    assert [one.chain for one in read_chains(str(path), left_out, ("A", "Z"))] == ["A"]
    assert left_out.failed
    assert "'Z' of 2gtl.pdb, which has A, B" in next(left_out.lines())
    mapped = map_given(f">q\n{LETTERS}", [], "", Letters(), chains=("A",))
    assert any("chains that were named without a structure" in line for line in mapped.left_out)


def test_nucleotides_in_files_are_no_proteins(tmp_path):
    path = tmp_path / "mixed.fasta"
    path.write_text(f">dna\n{'ATGC' * 9}\n>protein\n{LETTERS}\n")
    left_out = LeftOut()
    assert [one.id for one in read_given(str(path), left_out)] == ["protein"]
    assert left_out.counts == {"letters of DNA or RNA, not of a protein": 1}
    path.write_text(f">dna\n{'ATGC' * 9}\n>digits\nMK1\n")
    with pytest.raises(InputError, match=r"holds no protein.*DNA or RNA.*\(the first: digits\)"):
        read_given(str(path), LeftOut())
    path.write_text("")
    with pytest.raises(InputError, match="is empty"):
        read_given(str(path), LeftOut())


def test_what_says_little_has_no_place_or_is_marked():
    left_out = LeftOut()
    entries = [
        Entry("short", "MKV"), Entry("unknown", "X" * 50), Entry("long", "A" * 40_001),
        Entry("well", LETTERS),
    ]  # fmt: skip
    assert [one.id for one in place(entries, Letters(), left_out)] == ["well"]
    assert left_out.counts == {
        "under 10 residues of known kind, which have no place": 2,
        "longer than 40,000 residues": 1,
    }
    (note,) = map_given(LETTERS, [], "", Letters()).left_out
    assert note.startswith("sequence_1: under 40 residues")
    assert map_given(LETTERS * 4, [], "", Letters()).left_out == ()


def test_placing_can_be_given_up_between_sequences():
    cancelled = []

    def done():
        cancelled.append(1)
        return len(cancelled) > 1

    class Reporting(Letters):
        def of_sequences(self, sequences, told=lambda done: None):
            told(1)
            pytest.fail("it went on")

    with pytest.raises(Cancelled):
        place([Entry("a", LETTERS)], Reporting(), LeftOut(), Watch(cancelled=done))


def test_places_in_a_plane_are_no_vectors(background, mapped, tmp_path):
    path = tmp_path / "places.csv"
    path.write_text(places_csv(background, mapped))
    with pytest.raises(InputError, match="in a plane"):
        read_vectors(path, INFO)


def test_classes_have_names():
    assert with_name("3.20") == "3.20 alpha-beta barrel"
    assert with_name("1") == "1 mainly alpha"
    assert of_fold("3.20.20") == "3.20.20, alpha-beta barrel"
    assert with_name("9.9") == of_fold("9.9") == "9.9"
    settings = Settings()
    shipped = open_background(settings, load_space(settings).info).table
    unnamed = [code for code in set(shipped["architecture"].dropna()) if with_name(code) == code]
    assert not unnamed


def test_a_path_that_is_typed_reads_no_file(tmp_path):
    """The page's visitors see nothing of the server's files."""
    (tmp_path / "secret.fasta").write_text(">secret\nMKTAYIAK\n")
    with pytest.raises(SequenceError):
        map_given(str(tmp_path / "secret.fasta"), (), "", Letters())
