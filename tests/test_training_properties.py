"""Training of the heads of properties: their data, decoys, and every step on a small set."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from glass_core.errors import InputError
from glass_core.models.evaluation import Evaluation
from glass_core.models.heads.pooled_network import PooledConfig
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import CONSERVATIVE, conservative_mutants
from glass_core.report.evidence import properties as evidence
from glass_core.training.data.assays import EFFECT_COLUMNS
from glass_core.training.data.backbones import read_backbones
from glass_core.training.data.complexes import read_binding
from glass_core.training.data.decoys import DECOY_KINDS, EACH, decoys_of, turned
from glass_core.training.data.labelled import (
    DEEPFRI,
    read_enzymes,
    read_melting,
    read_ontology,
    with_parents,
)
from glass_core.training.properties import ranking
from glass_core.training.properties.binding import near_partner
from glass_core.training.properties.figures import class_figures, noise_of, ranking_figures, within
from glass_core.training.properties.numbers import NumberReader
from glass_core.training.properties.pooled import by_groups, withheld
from tests.test_training_sites import every_assay, structures_file
from tests.tools.atoms import SEQUENCE, pdb, peptide
from tests.tools.chains import chain_table
from tests.tools.mpnn import made_structure_embedder

MMSEQS = shutil.which("mmseqs")
_USED = structures_file  # a fixture of both files
HEADS = ("enzyme", "ontology", "thermostability", "ranking", "binding")


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    return chain_table(tmp_path_factory.mktemp("chains") / "chains.parquet")


@pytest.fixture(scope="module")
def data(chains, tmp_path_factory):
    """Small tables of every property over the same chains, with what a class is told by."""
    folder = tmp_path_factory.mktemp("properties")
    table = pd.read_parquet(chains)
    table = table[table["id"] != "trace"].reset_index(drop=True)
    rng = np.random.default_rng(0)
    sets = np.where(table["cluster40"] % 5 == 0, "test", "train")
    sets = np.where(table["cluster40"] % 5 == 1, "valid", sets)
    table["sequence"] = [
        ("W" * 8 if k % 2 else "G" * 8) + s[8:] for k, s in enumerate(table["sequence"])
    ]
    common = {
        "id": table["id"],
        "sequence": table["sequence"],
        "cluster40": table["cluster40"],
        "set": sets,
        "chain_id": np.where(np.arange(len(table)) % 3 == 0, table["id"], None),
    }
    numbers = [["1.1.1.1"] if k % 2 else ["2.7.1.-", "2.7.1.2"] for k in range(len(table))]
    near = np.where(sets == "test", 30.0, np.nan)
    pd.DataFrame(
        {
            **common,
            "ec": numbers,
            "dataset": np.where(np.arange(len(table)) % 4 == 3, "other", DEEPFRI),
            "near_deepfri_test": np.arange(len(table)) % 8 == 3,
            "max_identity_to_train": near,
        }
    ).to_parquet(folder / "enzyme.parquet")
    terms = [["GO:1"] if k % 2 else ["GO:2", "GO:9"] for k in range(len(table))]
    pd.DataFrame({**common, "mf": terms}).to_parquet(folder / "go.parquet")
    pd.DataFrame(
        {
            **common,
            "tm": 50 + 8 * (np.arange(len(table)) % 2) + rng.normal(size=len(table)),
            "assay": "cell",
            "species": np.where(np.arange(len(table)) % 4 < 2, "yeast", "human"),
        }
    ).to_parquet(folder / "thermostability.parquet")
    binding(folder)
    return folder


def binding(folder):
    (folder / "binding_structures").mkdir()
    own = peptide(20)
    other = [replace(a.moved(4.0), chain="B") for a in own]
    (folder / "binding_structures" / "1abc.pdb").write_bytes(pdb(own, other))
    letters = dict(enumerate(SEQUENCE, start=1))
    rows = []
    for k in range(40):
        place = 3 + k % 15
        mutant = STANDARD[(k * 7) % 20]
        if mutant == letters[place]:
            mutant = "G" if letters[place] != "G" else "A"
        chain = "AB"[k % 2]
        rows.append(
            {
                "id": f"m{k}",
                "complex": "1ABC_A_B",
                "chains_1": "A",
                "chains_2": "B",
                "mutation": f"{letters[place]}{chain}{place}{mutant}",
                "ddg": float(np.sin(k)),
                "holdout_group": k // 5,
                "set": ("train", "train", "valid", "test")[k % 4],
                "structure": "1abc.pdb" if k < 36 else None,
            }
        )
    pd.DataFrame(rows).to_parquet(folder / "binding_ddg.parquet")


def test_enzymes_follow_the_published_split(data, chains):
    known = {one.id: one for one in read_backbones(chains)}
    proteins, labels = read_enzymes(data / "enzyme.parquet", known)
    assert labels == ("1.1.1.1", "2.7.1.-", "2.7.1.2")
    table = pd.read_parquet(data / "enzyme.parquet").set_index("id")
    for one in proteins:
        row = table.loc[one.name]
        if row["dataset"] != DEEPFRI:
            assert one.side == "train"
            assert not row["near_deepfri_test"]
            assert row["set"] != "test"
        assert (one.backbone is not None) == pd.notna(row["chain_id"])
    assert {one.side for one in proteins} == {"train", "validation", "test"}
    held = {one.sequence for one in proteins if one.side != "train"}
    assert not held & {one.sequence for one in proteins if one.side == "train"}
    assert with_parents(["1.1.1.1"]) == {"1.1.1.1", "1.1.1.-"}


def test_other_labels_are_read_and_wrong_tables_refused(data):
    proteins, labels = read_ontology(data / "go.parquet", {})
    assert labels == ("GO:1", "GO:2", "GO:9")
    assert len(proteins) == 80
    assert {one.kind for one in read_melting(data / "thermostability.parquet", {})} == {
        "yeast",
        "human",
    }
    assert not read_melting(data / "thermostability.parquet", {}, assay="lysate")
    with pytest.raises(InputError, match="lacks the column mf"):
        read_ontology(data / "thermostability.parquet", {})
    with pytest.raises(InputError, match="is no Parquet table"):
        read_ontology(data / "none.parquet", {})


def test_changes_of_binding_are_found_in_their_structures(data, tmp_path):
    changes, complexes = read_binding(data / "binding_ddg.parquet", data / "binding_structures")
    assert len(changes) == 36
    one = complexes["1ABC_A_B"]
    assert one.sides == (("A",), ("B",))
    for change in changes:
        chain, index, letter = change.changes[0]
        assert one.backbones[chain].letters[index] == SEQUENCE[index]
        assert letter != SEQUENCE[index]
        assert near_partner(change, one) > 0
    sites = one.sites(("A", "B"))
    assert len(sites) == 40
    assert one.first(("A", "B")) == {"A": 0, "B": 20}
    table = pd.read_parquet(data / "binding_ddg.parquet")
    table.loc[0, "mutation"] = "KA3G" if SEQUENCE[2] != "K" else "RA3G"
    table.to_parquet(tmp_path / "wrong.parquet")
    with pytest.raises(InputError, match="is no residue of its structure"):
        read_binding(tmp_path / "wrong.parquet", data / "binding_structures")
    table["mutation"] = "nonsense"
    table.to_parquet(tmp_path / "wrong.parquet")
    with pytest.raises(InputError, match="is no mutation such as"):
        read_binding(tmp_path / "wrong.parquet", data / "binding_structures")


def test_decoys_are_what_they_are_called(chains):
    every = [one for one in read_backbones(chains) if len(one.sequence) >= 50]
    target = every[0]
    made = list(decoys_of(target, every, 3))
    again = list(decoys_of(target, every, 3))
    assert [one.gdt for one in made] == [one.gdt for one in again]
    assert {one.kind for one in made} == set(DECOY_KINDS)
    for kind, count in EACH.items():
        assert sum(one.kind == kind for one in made) == count
    native = next(one for one in made if one.kind == "native")
    assert native.gdt == 1.0
    for one in made:
        assert one.backbone.letters in target.sequence
        if one.kind == "shifted":
            assert len(one.backbone) < len(target.sequence)
        else:
            assert one.backbone.letters == target.sequence
    assert not [one for one in decoys_of(target, [target], 3) if one.kind == "threaded"]


def test_turning_keeps_what_bonds_keep(chains):
    """Changed torsions leave lengths and angles of bonds as they were."""
    coordinates = read_backbones(chains)[5].backbone.coordinates.astype(float)
    angles = np.random.default_rng(0).normal(size=(len(coordinates), 2))
    made = turned(coordinates, angles)
    for atoms in (coordinates, made):
        assert atoms.shape == coordinates.shape
    for a, b in ((0, 1), (1, 2), (2, 3), (0, 2)):
        before = np.linalg.norm(coordinates[:, a] - coordinates[:, b], axis=1)
        after = np.linalg.norm(made[:, a] - made[:, b], axis=1)
        np.testing.assert_allclose(before, after, atol=1e-9)
    peptide_bond = np.linalg.norm(coordinates[1:, 0] - coordinates[:-1, 2], axis=1)
    np.testing.assert_allclose(np.linalg.norm(made[1:, 0] - made[:-1, 2], axis=1), peptide_bond)
    np.testing.assert_allclose(turned(coordinates, 0 * angles), coordinates)


def test_conservative_mutants_are_conservative():
    sequence, table = "MKVLAAGIVWCPX" * 3, blosum62_matrix()
    found = conservative_mutants(sequence, 12, 0)
    assert len(found) == 12
    assert found == conservative_mutants(sequence, 12, 0)
    for mutant in found:
        changed = [(a, b) for a, b in zip(sequence, mutant, strict=True) if a != b]
        assert len(changed) == 1
        assert table[changed[0]] >= CONSERVATIVE
    assert conservative_mutants("XXXX", 3, 0) == []


def test_numbers_are_read_once(chains, tiny_predictor, tmp_path):
    asked = []

    class Counting:
        dim, name = tiny_predictor.embedder.dim, "counting"

        def embed(self, sequences):
            asked.extend(sequences)
            return tiny_predictor.embedder.embed(sequences)

    reader = NumberReader(Counting(), None, tmp_path)
    some = [one.sequence for one in read_backbones(chains)[:5]]
    first = reader.of_sequences(some)
    assert first.shape == (5, 2 * Counting.dim)
    torch.testing.assert_close(reader.of_sequences([*some, some[0]])[:5], first)
    assert len(asked) == 5
    Counting.name = "other"
    with pytest.raises(InputError, match="was read by counting, not other"):
        reader.of_sequences(some)
    with pytest.raises(InputError, match="need the joint encoder"):
        reader.of_structures(some, [None] * 5)


def test_figures_have_their_meaning():
    label = np.eye(3)[[0, 1, 2, 0]]
    group, near = np.array(list("abcd")), np.array([30.0, 95, 40, 30])
    found = class_figures(label * 0.9, label, group, near)
    assert found["f_max"]["value"] == 1.0
    assert set(found) == {"f_max", *(f"f_max below {b}%" for b in (30, 40, 50, 70, 95))}
    told = np.array([1, 2, 3, 3, 2, 1.0])
    by_target = ranking_figures(told, told, np.array(list("aaabbb")))
    assert by_target["spearman within a target"]["value"] == 1.0
    assert within(np.zeros(99), np.arange(99.0)) == pytest.approx(89)
    assert noise_of([]) == 0.0
    assert noise_of([-3.0, 1.0]) == pytest.approx(2.9)
    torch.testing.assert_close(by_groups(np.array(list("aab"))) ** 2, torch.tensor([0.5, 0.5, 1]))
    config = PooledConfig(embedding_dim=1, joint_dim=1)
    assert withheld(torch.ones(1, 5), config).tolist() == [[1, 1, 0, 0, 0]]


@pytest.fixture(scope="module")
def encoder(chains, tmp_path_factory, tiny_assets):
    """What `train joint` leaves, by the command line."""
    from click.testing import CliRunner

    from glass_core.cli.main import main

    out = tmp_path_factory.mktemp("joint")
    words = ["train", "joint", str(chains), "--out", str(out), "--steps", "4", "--every", "2",
             "--together", "3"]  # fmt: skip
    environment = {"GLASS_ASSETS": str(tiny_assets), "GLASS_DEVICE": "cpu"}
    found = CliRunner().invoke(main, words, env=environment)
    assert found.exit_code == 0, found.stderr
    return out


@pytest.mark.parametrize("head", HEADS)
def test_every_head_is_trained_measured_and_told(
    head, data, chains, encoder, run, tiny_assets, tmp_path, monkeypatch
):
    """From its table to its record, and into what the command tells, as the README has it."""
    if head in ("enzyme", "ontology") and MMSEQS is None:
        pytest.skip("MMseqs2 is not installed")
    monkeypatch.setattr(
        "glass_core.training.properties.run.StructureEmbedder.load",
        lambda *a: made_structure_embedder(),
    )
    monkeypatch.setattr(ranking, "TARGETS", {"train": 4, "validation": 2, "test": 2})
    assets = tmp_path / "assets"
    shutil.copytree(tiny_assets, assets)
    out = assets / "properties" / "joint"
    words = ("train", "property", head, "--data", data, "--chains", chains, "--encoder", encoder,
             "--out", out, "--kept", tmp_path / "kept", "--steps", 30, "--every", 10,
             "--hidden", 16)  # fmt: skip
    code, _, told = run(*words, GLASS_ASSETS=str(assets))
    assert code == 0, told
    record = Evaluation.read(out / "evaluation" / f"{head}.json")
    assert (record.kind, record.set, record.side) == ("property", head, "test")
    leading = record.figure("head", evidence.LEADING[head])
    assert leading.value is not None
    assert len(evidence.figures_table(record)) == len(record.content["figures"])
    said = evidence.property_words(record)
    assert "better than" in said or "worse than" in said or "to be compared with" in said
    assert "test side" in evidence.counts(record)
    if head == "ontology":
        assert leading.value > record.figure("MMseqs2", "f_max").value - 0.5
    structure = data / "binding_structures" / "1abc.pdb"
    monkeypatch.setattr("glass_core.models.properties.model.FEWEST_RESIDUES", 5)
    asked = ("properties", "--structure", structure, "--chain", "A", "--variant",
             f"{SEQUENCE[4]}5{'A' if SEQUENCE[4] != 'A' else 'G'}", "--json")  # fmt: skip
    code, shown, told = run(*asked, GLASS_ASSETS=str(assets))
    assert code == 0, told
    rows = json.loads(shown)
    assert head in {one["head"] for one in rows["changes"]}
    assert np.isfinite([one["difference"] for one in rows["changes"]]).all()


def test_a_head_that_can_be_told_is_learnt(data, chains, encoder, run, tiny_assets, tmp_path):
    """Half of the proteins begin with W and are hotter; the head sees that."""
    words = ("train", "property", "thermostability", "--data", data, "--chains", chains,
             "--encoder", encoder, "--out", tmp_path / "model", "--kept", tmp_path / "kept",
             "--steps", 200, "--every", 20, "--rate", 3e-3)  # fmt: skip
    code, _, told = run(*words)
    assert code == 0, told
    record = Evaluation.read(tmp_path / "model" / "evaluation" / "thermostability.json")
    assert record.figure("head", "spearman").value > 0.6


def test_missing_data_are_told_in_a_line(data, chains, encoder, run, tmp_path):
    words = ("train", "property", "ontology", "--data", tmp_path, "--chains", chains,
             "--encoder", encoder, "--out", tmp_path / "model", "--kept", tmp_path)  # fmt: skip
    code, _, told = run(*words)
    assert (code, "is no Parquet table" in told) == (2, True)
    code, _, told = run(*words[:8], tmp_path / "none", *words[9:])
    assert (code, "holds no joint.json" in told) == (2, True)


def test_the_same_head_is_trained_over_other_encoders(
    data, chains, encoder, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(ranking, "TARGETS", {"train": 4, "validation": 2, "test": 2})
    monkeypatch.setattr(
        "glass_core.training.properties.run.StructureEmbedder.load",
        lambda *a: pytest.fail("the comparison needs no ProteinMPNN"),
    )
    common = ("--data", data, "--chains", chains, "--encoder", encoder, "--out",
              tmp_path / "model", "--kept", tmp_path / "kept", "--steps", 10, "--every", 5,
              "--hidden", 8)  # fmt: skip
    code, _, told = run("train", "ablation", "ranking", f"same={encoder}", *common)
    assert (code, "is no evaluation record" in told) == (2, True)
    code, _, told = run("train", "property", "binding", *common)
    assert code == 0, told
    words = ("train", "ablation", "binding", f"same={encoder}", "--note", "one of a kind")
    code, out, told = run(*words, *common)
    assert code == 0, told
    assert "1 encoder(s)" in out
    record = Evaluation.read(tmp_path / "model" / "evaluation" / "binding.json")
    assert record.content["ablations_note"] == "one of a kind"
    table = evidence.ablation_table(record)
    assert list(table["encoder"]) == ["same"]
    assert record.content["ablations"]["same"] == record.content["figures"]["head"]
    code, _, told = run("train", "ablation", "binding", "nothing", *common)
    assert (code, "NAME=FOLDER" in told) == (2, True)


def test_encoders_are_compared_by_the_stability_that_they_tell(
    data, chains, encoder, run, tiny_assets, tmp_path, monkeypatch, structures_file
):
    monkeypatch.setattr(
        "glass_core.training.properties.encoders.StructureEmbedder.load",
        lambda *a: made_structure_embedder(),
    )
    model, effects = tmp_path / "model", tmp_path / "effects.parquet"
    code, _, told = run("train", "property", "thermostability", "--data", data, "--chains", chains,
                        "--encoder", encoder, "--out", model, "--kept", tmp_path, "--steps", 2,
                        "--hidden", 4)  # fmt: skip
    assert code == 0, told
    rows = [
        (one.name, one.kind, one.sequence, f"{one.sequence[i]}{i + 1}{STANDARD[k]}", v, one.group,
         one.side)
        for one in every_assay()
        for i, k, v in zip(one.index, one.letter, one.value, strict=True)
    ]  # fmt: skip
    pd.DataFrame(rows, columns=EFFECT_COLUMNS).to_parquet(effects)
    words = ("train", "encoders", effects, f"another={encoder}", "--structures", structures_file,
             "--out", model, "--kept", tmp_path / "kept", "--steps", 40, "--every", 20)  # fmt: skip
    code, _, told = run(*words)
    assert (code, "no protein of the test side" in told) == (2, True)
    code, out, told = run(*words, "--side", "validation")
    assert code == 0, told
    assert "4 encoder(s)" in out
    record = Evaluation.read(model / "evaluation" / "stability.json")
    figures = record.content["figures"]
    assert set(figures) == {
        "joint encoder", "another", "ProteinMPNN", "sequence", "sequence and ProteinMPNN",
        "joint encoder, sequence and ProteinMPNN",
    }  # fmt: skip
    found = {who: one["spearman within a protein"]["value"] for who, one in figures.items()}
    assert found["joint encoder"] == pytest.approx(found["another"], abs=0.01), "the same encoder"
    assert found["sequence"] > 0.5, "letters tell it"
    said = evidence.property_words(record)
    assert said.startswith("Fold stability over the joint encoder")
    assert "n/a" not in said
    assert len(evidence.figures_table(record)) == 6
    code, _, told = run(*words, "--side", "validation", "--structures", effects)
    assert (code, "lacks the column" in told) == (2, True)
