"""The head of local change: what it is given, its table, its place in a prediction, its training.

Weights are random and structures small: right in form, meaningless in value.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from lightning_fabric import Fabric

from glass_core.cli.main import main
from glass_core.embedders.mpnn import STRUCTURE_DIM, VIEWS, StructureEmbedder
from glass_core.embedders.mpnn_network import ProteinMPNN
from glass_core.errors import InputError, RecordError
from glass_core.metrics.distances import distance_matrix
from glass_core.models.card import ModelCard
from glass_core.models.checkpoint import load_heads, save_head
from glass_core.models.evaluation import MODEL
from glass_core.models.heads.base import Embedded, TableHead
from glass_core.models.heads.kinds import head_kind
from glass_core.models.heads.local_change import (
    OFFSETS,
    LocalChangeConfig,
    LocalChangeHead,
    LocalChangeTable,
)
from glass_core.models.heads.local_inputs import (
    FADING,
    GEOMETRY,
    TOLD_OF_SITE,
    faded,
    geometry,
    neighbour_means,
    sites,
)
from glass_core.models.prediction import VariantTable
from glass_core.models.predictor import SiamesePredictor
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.training.data.changes import Fold, StructureChange, read_changes
from glass_core.training.evaluation.local_change import (
    WITHOUT_SITE,
    baselines,
    evaluate_local_change,
)
from glass_core.training.local_change import (
    BATCH,
    LOCAL_SCHEDULE,
    LocalTraining,
    drawing,
    local_figures,
    prepare,
    train_local_change,
)

TINY = LocalChangeConfig(axes=4, hidden_dim=8, members=2)
GROUPS = (*range(18), 27, 32, 36, 36, 59, 59)
"""Split groups of the pairs: 10, 12, 27 and 32 test, 36 and 59 validate."""
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def reader() -> StructureEmbedder:
    torch.manual_seed(0)
    networks = {view: ProteinMPNN(8, trace=view == "trace").eval() for view in VIEWS}
    return StructureEmbedder(networks, CPU)


@pytest.fixture
def head() -> LocalChangeHead:
    torch.manual_seed(0)
    head = LocalChangeHead(TINY).eval()
    head.axes.copy_(torch.randn(head.axes.shape) / 10)
    for member in head.each():
        torch.nn.init.normal_(member.added.weight, std=0.3)
    return head


@pytest.fixture(scope="module")
def predictor_of(tiny_predictor, reader):
    return lambda head: SiamesePredictor(
        tiny_predictor.embedder,
        {"siamese": tiny_predictor._siamese, "local_change": head},
        tiny_predictor.info,
        reader,
    )


def chain(n: int, seed: int) -> np.ndarray:
    """A backbone of `n` residues, shape=(n, 4, 3)."""
    rng = np.random.default_rng(seed)
    ca = np.zeros((n, 3))
    for k in range(1, n):
        step = rng.normal(size=3) - 0.2 * ca[k - 1]
        ca[k] = ca[k - 1] + 3.8 * step / np.linalg.norm(step)
    return (ca[:, None] + rng.normal(0, 0.8, (1, 4, 3)) * [[[1], [0], [1], [1]]]).astype(np.float32)


@pytest.fixture(scope="module")
def structures(tmp_path_factory):
    """Pairs of which the last residues move, with and without a substitution."""
    folder = tmp_path_factory.mktemp("structures")
    rows = []
    for k, group in enumerate(GROUPS):
        n, rng = 22 + k % 3, np.random.default_rng(k)
        first = chain(n, k)
        second = first + rng.normal(0, 0.1, first.shape)
        second[-6:] += rng.normal(0, 1.5, (6, 1, 3))
        letters = rng.choice(list(STANDARD), n)
        other = letters.copy()
        if k % 2:
            other[5] = "A" if letters[5] != "A" else "W"
        rows.append(
            {
                "id_a": f"a{k}",
                "id_b": f"b{k}",
                "kind": "point_mutant" if k % 2 else "same_sequence",
                "ca_rmsd": 1.0,
                "license_note_a": "MIT",
                "license_note_b": "MIT",
                "split_group": group,
                "sequence_a": "".join(letters),
                "sequence_b": "".join(other),
                "backbone_a": first.ravel(),
                "backbone_b": second.astype(np.float32).ravel(),
            }
        )
    unfit = [
        {"license_note_b": "CC-BY-NC-SA"},
        {"ca_rmsd": 11.0},
        {"backbone_a": None},
        {"kind": "homolog"},
        {"backbone_b": rows[0]["backbone_a"]},
    ]
    rows += [{**rows[0], "id_a": f"unfit{k}", **change} for k, change in enumerate(unfit)]
    pd.DataFrame(rows).to_parquet(folder / "pairs.parquet")
    pd.DataFrame({"split_group": [*GROUPS, 1, 1]}).to_parquet(folder / "chains.parquet")
    return folder


@pytest.fixture(scope="module")
def changes(structures, reader):
    return read_changes(structures, reader)


def test_geometry_has_its_columns_and_no_holes():
    ca = chain(30, 3)[:, 1].astype(float)
    told = geometry(ca, "ACDEFGHIKL" * 3)
    assert told.shape == (30, GEOMETRY) and np.isfinite(told).all()
    np.testing.assert_allclose(told[:, :4].mean(axis=0), 0, atol=1e-9)
    assert (told[:, -20:].sum(axis=1) == 1).all() and told[1, -20 + STANDARD.index("C")] == 1
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    np.testing.assert_allclose(geometry(ca @ turn + 7, "ACDEFGHIKL" * 3), told, atol=1e-5)
    unknown = geometry(ca, "X" * 30)
    assert not unknown[:, -20:].any()
    broken = np.concatenate([ca[:15], ca[15:] + 30])
    gap = GEOMETRY - 20 - 8
    assert geometry(broken, "A" * 30)[14:16, gap] == pytest.approx(1)
    assert (geometry(ca, "A" * 30)[:, gap] < 1e-3).all()


def test_means_over_neighbours_by_hand():
    distance = distance_matrix(np.array([[0.0, 0, 0], [5, 0, 0], [14, 0, 0], [80, 0, 0]]))
    values = np.array([[1.0], [2], [4], [8]])
    expected = [[1, 2, 3], [2, 1, 2.5], [4, 0, 1.5], [8, 0, 0]]
    np.testing.assert_allclose(neighbour_means(values, distance), expected)


def test_sites_tell_how_badly_a_letter_fits():
    told = sites(np.log(np.full((3, 20), 0.05)), "AXC", np.zeros((3, GEOMETRY)))
    assert told.shape == (3, 20, TOLD_OF_SITE)
    assert np.isnan(told[1]).all() and np.isnan(told[0, STANDARD.index("A")]).all()
    assert told[0, STANDARD.index("C"), 1] == 0
    table = np.log(np.full((1, 20), 0.01))
    table[0, STANDARD.index("A")] = np.log(0.81)
    assert sites(table, "A", np.zeros((1, GEOMETRY)))[0, STANDARD.index("C"), 1] > 0.5
    np.testing.assert_allclose(faded(np.array([0.0, 4.0]))[:, 0], [1, np.exp(-1)])


def test_a_table_adds_what_fades_and_the_nearest_site_counts():
    sequence = "AAAA"
    ca = np.array([[0.0, 0, 0], [4, 0, 0], [8, 0, 0], [np.nan] * 3])
    base = np.log(np.array([[0.15, 0.06]] * 3 + [[np.nan] * 2]))
    added = np.full((4, 20, len(FADING)), np.nan)
    added[:3] = 0
    added[0, STANDARD.index("W"), 0] = 1.0
    added[2, STANDARD.index("C"), 0] = -1.0
    table = LocalChangeTable(sequence, base, ca, added)
    assert isinstance(table, VariantTable)
    np.testing.assert_allclose(table.tracks["flexibility"], [0.1, 0.1, 0.1, np.nan])
    np.testing.assert_allclose(table.tracks["flexibility_deficit"][:3], 0.05)
    one = Variant.parse("A1W", sequence)
    expected = 0.15 * np.exp(np.exp(-np.array([0, 1, 2]))) - 0.05
    np.testing.assert_allclose(table.tracks_of(one)["local_change"][:3], expected)
    assert table.told(one) == {"local_change_site": pytest.approx(expected[0])}
    both = table.tracks_of(Variant.parse("A1W:A3C", sequence))["local_change"]
    assert both[0] == pytest.approx(expected[0]) and both[2] < 0.1
    for text in ("A4W", "A2del"):  # no coordinates there; a gap
        unknown = Variant.parse(text, sequence)
        assert table.told(unknown) == {} and table.tracks_of(unknown) == {}
    assert table.told(Variant.parse("G1W", "GAAA")) == {}
    with pytest.raises(RecordError, match="ca"):
        LocalChangeTable(sequence, base, ca[:2], added)


def test_a_prediction_carries_the_tracks(predictor_of, head, globin):
    predictor = predictor_of(head)
    assert isinstance(head, TableHead) and predictor.head("local_change") is head
    protein = Protein.combine("GS" + globin.sequence, globin)
    letter = protein.sequence[40]
    two = [Variant.parse(f"{letter}41{m}", protein.sequence) for m in "PW"]
    first, second = predictor.predict(protein, two)
    change, base = first.tracks["local_change"], first.tracks["flexibility"]
    assert change.shape == (len(protein),) and np.isnan(change[:2]).all()
    assert (change[2:] >= 0).all() and np.isfinite(change[2:]).all()
    assert not np.allclose(change[2:], base[2:])
    assert not np.allclose(change[2:], second.tracks["local_change"][2:])
    np.testing.assert_array_equal(base, second.tracks["flexibility"])
    assert first.told["local_change_site"] == pytest.approx(change[40])
    tag = predictor.predict(protein, [Variant.parse("G1W", protein.sequence)])[0]
    assert "local_change_site" not in tag.told and "local_change" not in tag.tracks
    bare = predictor.predict(Protein.from_sequence("MKTAYIAK"), [Variant.parse("K2R", "MKTAYIAK")])
    assert "local_change_site" not in bare[0].told and not bare[0].tracks


def test_nothing_is_told_where_the_backbone_was_not_read(head, globin, reader):
    protein = Protein.from_structure(globin)
    read = reader.embed(protein)
    assert read is not None
    for structure in (None, replace(read, view="trace")):
        table = head.table(protein, Embedded(None, structure))
        assert np.isnan(table.base).all() and np.isnan(table.added).all()


def test_what_is_trained_is_what_the_table_tells(head, globin, reader):
    protein = Protein.from_structure(globin)
    structure = reader.embed(protein)
    table = head.table(protein, Embedded(None, structure))
    site, letter = 30, STANDARD.index("P")
    fold = Fold(protein.sequence, protein.ca, structure.residues.half())
    nothing = np.arange(len(protein)) / 100
    one = prepare(
        head,
        [
            StructureChange(
                "x", "point_mutant", 1, "test", fold, ((site, letter),), nothing, nothing, True
            )
        ],
    )[0]
    with torch.no_grad():
        told = [LocalTraining(m).told(one) for m in head.each()]
    base, with_site = (torch.stack([t[k] for t in told]).mean(0).numpy() for k in (0, 1))
    np.testing.assert_allclose(base, table.base, atol=0.02)
    variant = Variant.parse(f"{protein.sequence[site]}{site + 1}P", protein.sequence)
    change = table.tracks_of(variant)["local_change"]
    np.testing.assert_allclose(np.log(change + OFFSETS[0]), with_site[:, 0], atol=0.02)
    np.testing.assert_array_equal(base[:, 1], with_site[:, 1])


@pytest.mark.parametrize(
    "shape", [{"axes": 0}, {"members": 0}, {"dropout": 1.0}, {"hidden_dim": "8"}]
)
def test_absurd_shapes_are_refused(shape):
    with pytest.raises(RecordError):
        LocalChangeConfig(**shape)


def test_pairs_are_read_both_ways_and_unfit_ones_left_out(changes):
    assert len(changes) == 48 and {c.name.split()[0][0] for c in changes} == {"a"}
    forward, back = changes[2], changes[3]
    assert forward.forward and not back.forward and forward.group == back.group == 1
    assert [i for i, _ in forward.sites] == [i for i, _ in back.sites] == [5]
    index, letter = forward.sites[0]
    assert back.fold.letters[index] == STANDARD[letter] != forward.fold.letters[index]
    assert not changes[0].sites and np.isinf(changes[0].nearest).all()
    assert forward.nearest[5] == 0 and (np.delete(forward.nearest, 5) > 0).all()
    assert forward.change[-3:].mean() > 2 * forward.change[:10].mean()
    assert {c.side for c in changes} == {"train", "validation", "test"}
    assert changes[2].side == "train", "the largest group trains"


def test_vectors_are_kept(structures, reader, changes, tmp_path):
    said = []
    first = read_changes(structures, reader, tmp_path, say=said.append)
    again = read_changes(structures, None, tmp_path)
    assert said and len(first) == len(again) == len(changes)
    assert torch.equal(again[5].fold.vectors, changes[5].fold.vectors)
    assert again[5].fold.vectors.shape == (len(again[5].change), STRUCTURE_DIM)
    with pytest.raises(InputError, match="ProteinMPNN is needed"):
        read_changes(structures, None)
    with pytest.raises(InputError, match="lacks pairs"):
        read_changes(tmp_path, reader)


def test_a_batch_is_a_function_of_its_number(head, changes):
    draw = drawing(prepare(head, changes), 0)
    first, again, other = (draw(k) for k in (3, 3, 4))
    assert len(first) == BATCH
    assert [a is b for a, b in zip(first, again, strict=True)] == [True] * BATCH
    assert [a is b for a, b in zip(first, other, strict=True)] != [True] * BATCH


def test_the_right_answer_has_no_loss_in_rank(head, changes):
    prepared = prepare(head, changes)
    right = local_figures(prepared, lambda one: (one.logarithm, one.logarithm))
    assert right == pytest.approx({"loss": 0, "point_mutant": 1, "same_sequence": 1})
    wrong = local_figures(prepared, lambda one: (one.logarithm, -one.logarithm))
    assert wrong["loss"] == pytest.approx(2)


def test_training_learns_which_residues_move(structures, reader, tiny_assets, tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    schedule = replace(LOCAL_SCHEDULE, steps=60, every=60, warmup=5, peak=1e-2)
    fabric = Fabric(accelerator="cpu", devices=1)
    history = train_local_change(structures, reader, folder, fabric, schedule, config=TINY)
    assert len(history.curve) == 60
    assert history.curve[-1]["total"] < 0.8 * history.curve[0]["total"]
    loaded = load_heads(ModelCard.read(folder))["local_change"]
    held = [c for c in read_changes(structures, reader) if c.side != "train"]
    prepared = prepare(loaded, held)
    with torch.no_grad():
        figures = local_figures(prepared, LocalTraining(loaded.each()[0]).told)
    assert figures["same_sequence"] > 0.3, "the ends move in every pair"
    record = json.loads((folder / "local_change-training.json").read_text())
    assert record["config"]["schedule"]["steps"] == 60 and record["data_sha256"]["pairs"]


def test_the_step_of_the_command_line(structures, reader, tiny_assets, tmp_path, monkeypatch):
    folder = tmp_path / "m"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    monkeypatch.setattr(StructureEmbedder, "load", lambda settings, device: reader)
    asked = ["train", "change", str(structures), "--model", str(folder), "--steps", "2"]
    made = CliRunner().invoke(main, [*asked, "--keep", str(tmp_path), "--accelerator", "cpu"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout.splitlines()[-1])["steps"] == 2
    assert head_kind("local_change").file in ModelCard.read(folder).sha256
    asked = ["evaluate", str(folder), "--changes", str(structures), "--out", str(tmp_path / "e")]
    made = CliRunner().invoke(main, [*asked, "--device", "cpu"])
    assert made.exit_code == 0, made.output
    record = json.loads((tmp_path / "e" / "local-change.json").read_text())
    assert record["kind"] == record["set"] == "local change" and record["side"] == "test"
    assert record["figures"][MODEL]["distance_change"]["value"] is not None


def test_figures_stand_beside_baselines(predictor_of, head, changes):
    record = evaluate_local_change(predictor_of(head), changes, lambda words: None)
    assert record["pairs"] == record["groups"] == 12
    assert set(record["figures"]) == {
        MODEL,
        WITHOUT_SITE,
        "Gaussian network",
        "Gaussian network, between neighbours",
        "elastic network without cut-off, between neighbours",
        "closeness to the site",
        "predicted lDDT",
    }
    for figures in record["figures"].values():
        for figure in figures.values():
            assert -1 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    same = record["same_sequence"]["figures"]
    assert same[MODEL] == same[WITHOUT_SITE] and "closeness to the site" not in same
    added = record["site_adds"]["distance_change"]["value"]
    model, control = (
        record["figures"][who]["distance_change"]["value"] for who in (MODEL, WITHOUT_SITE)
    )
    assert added == pytest.approx(model - control, abs=2e-4)
    assert record["site_adds"]["lddt_deficit"]["value"] == 0
    json.dumps(record, allow_nan=False)
    closeness = baselines(changes[2])["closeness to the site"][0]
    assert closeness.argmax() == changes[2].sites[0][0]


def test_a_model_without_the_head_is_refused(tiny_predictor, changes):
    with pytest.raises(InputError, match="has no head of local change"):
        evaluate_local_change(tiny_predictor, changes, lambda words: None)


def test_the_head_is_small_and_survives_half_precision(head, tiny_assets, tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    save_head(folder, "local_change", head, torch.float16)
    loaded = load_heads(ModelCard.read(folder))["local_change"]
    assert loaded.config == TINY
    torch.testing.assert_close(loaded.axes.float(), head.axes, atol=1e-3, rtol=1e-3)
    full = LocalChangeHead(LocalChangeConfig())
    assert 2 * sum(v.numel() for v in full.state_dict().values()) < 10**6
