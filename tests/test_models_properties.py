"""Heads that tell properties of whole proteins, and the model that comes with the project."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from glass_core.embedders.joint import JointEmbedder, Sites
from glass_core.embedders.joint_network import JointConfig, JointEncoder
from glass_core.errors import ModelError, RecordError, UnavailableError
from glass_core.inputs.upload import example_upload
from glass_core.models.heads.binding import BindingConfig, BindingHead, changed_residues
from glass_core.models.heads.classes import ClassesConfig, ClassesHead
from glass_core.models.heads.kinds import head_kind
from glass_core.models.heads.pooled_network import PooledConfig, Read, numbers_of
from glass_core.models.heads.scalar import ScalarConfig, ScalarHead
from glass_core.models.properties.base import PropertyChange, PropertyValue, change_of
from glass_core.models.properties.kinds import PROPERTIES
from glass_core.models.properties.model import sites_of, with_partners
from glass_core.models.properties.registry import list_property_models, load_properties
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from glass_core.protein.variant import Variant
from glass_core.report.properties.figures import attribution_figure
from glass_core.report.properties.tables import (
    TOLD,
    UNKNOWN,
    UNTOLD,
    as_rows,
    change_table,
    change_words,
    value_table,
)
from glass_core.settings import Settings
from glass_core.training.data.labelled import enzyme_titles

WILD = "MKVLAAGIVGLCAKAYQDWERNST" * 4
UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


def globin():
    return Protein.from_structure(read_structure(example_upload().content, chain="A"))


def reading(length=30, joint=True, seed=0):
    chance = torch.Generator().manual_seed(seed)
    sequence = torch.randn(length, 6, generator=chance)
    known = np.ones(length, dtype=bool) if joint else np.zeros(length, dtype=bool)
    return Read(sequence, torch.randn(length, 4, generator=chance) if joint else None, known)


def test_numbers_are_means_and_spreads_of_what_is_known():
    config = PooledConfig(embedding_dim=6, joint_dim=4)
    read = reading()
    known = np.arange(30) < 20
    found = numbers_of(replace(read, known=known), config)
    assert found.shape == (config.inputs,)
    torch.testing.assert_close(found[:6], read.sequence.mean(0))
    torch.testing.assert_close(found[12:16], read.joint[:20].mean(0))
    torch.testing.assert_close(found[16:20], read.joint[:20].std(0, correction=0))
    assert found[-1] == 1
    blind = numbers_of(reading(joint=False), config)
    assert not blind[12:].any()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"embedding_dim": -1, "joint_dim": 4},
        {"embedding_dim": 4, "dropout": 1.0},
        {"embedding_dim": 4, "members": 0},
        {"embedding_dim": 4, "noise": -1.0},
    ],
)
def test_shapes_that_make_no_sense_are_refused(values):
    with pytest.raises(RecordError):
        PooledConfig(**values)


def test_other_records_are_checked():
    with pytest.raises(RecordError, match="labels"):
        ClassesConfig(embedding_dim=4, labels=())
    with pytest.raises(RecordError, match="labels"):
        ClassesConfig(embedding_dim=4, labels=("a", "a"))
    with pytest.raises(RecordError, match="titles"):
        ClassesConfig(embedding_dim=4, labels=("a", "b"), titles=("one",))
    named = ClassesConfig(embedding_dim=4, labels=("a", "b"), titles=("one", "two"))
    assert named.called(1) == "b two"
    with pytest.raises(RecordError, match="threshold"):
        ClassesConfig(embedding_dim=4, labels=("a",), threshold=1.0)
    with pytest.raises(RecordError, match="unit"):
        ScalarConfig(embedding_dim=4, unit=0.0)
    with pytest.raises(RecordError, match="interval"):
        PropertyValue("thermostability", "x", "", 1.0, 2.0, 3.0)
    with pytest.raises(RecordError, match="enough"):
        Read(torch.zeros(9, 2), torch.zeros(9, 2), np.arange(9) < 2)


def test_residues_that_speak_for_a_class_are_found():
    """A head that looks at one number of the sequence alone sees where that number is high."""
    config = ClassesConfig(embedding_dim=6, joint_dim=4, labels=("a", "b"), hidden=4, members=1)
    head = ClassesHead(config).eval()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
        member = head.members[0]
        member[0].weight[0, 2] = 1.0
        member[3].weight[0, 0] = 1.0
        member[6].weight[1, 0] = 1.0
    read = reading()
    read.sequence[7, 2] += 40
    share = head.attribution(read, 1)
    assert share.argmax() == 7
    assert share.sum() == pytest.approx(1)
    assert share.min() >= 0
    assert not head.attribution(read, 0).any()
    assert head.chances(read).shape == (1, 2)


def test_a_number_is_told_in_its_unit_and_within_its_bounds():
    plain = ScalarHead(ScalarConfig(embedding_dim=6, middle=50, unit=5, members=3)).eval()
    assert plain.values(reading(joint=False)).shape == (3,)
    torch.nn.init.zeros_(plain.members[0][-1].weight)
    torch.nn.init.constant_(plain.members[0][-1].bias, 2.0)
    assert plain.values(reading())[0] == pytest.approx(60)
    bounded = ScalarHead(ScalarConfig(joint_dim=4, bounded=True)).eval()
    assert ((bounded.values(reading()) > 0) & (bounded.values(reading()) < 1)).all()


def test_nothing_changes_where_nothing_is_changed():
    head = BindingHead(BindingConfig(4)).eval()
    one, other = torch.randn(2, 4), torch.randn(2, 4)
    same = changed_residues((one, one), (other, other))
    assert not same[:, 4:8].any()
    assert not same[:, 12:].any()
    assert head(same).shape == (5, 2)


def test_a_change_needs_to_leave_the_noise_and_the_members_to_agree():
    value = PropertyValue("thermostability", "x", "°C", 50, 45, 55)
    sure = change_of(value, np.array([50.0, 51, 52]), np.array([53.0, 54.1, 54.9]), noise=0.5)
    assert sure.distinguishable
    assert sure.difference == pytest.approx(3.0, abs=0.05)
    assert not change_of(value, np.zeros(3), np.full(3, 0.4), noise=0.5).distinguishable
    torn = change_of(value, np.zeros(3), np.array([-1.0, 1, 3]), noise=0.5)
    assert not torn.distinguishable


def test_joint_vectors_stay_when_a_structure_is_moved():
    torch.manual_seed(0)
    encoder = JointEncoder(JointConfig(sequence_dim=6, dim=16, pair_dim=8, layers=1, heads=2))
    joint = JointEmbedder(encoder, "tiny", torch.device("cpu"))
    sites = sites_of(globin())
    sequence = torch.randn(len(sites), 6)
    there = joint.read(sites, sequence)
    assert there.shape == (147, 16)
    turned = sites.coordinates @ np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32) + 9
    again = joint.read(replace(sites, coordinates=turned), sequence)
    torch.testing.assert_close(there, again, atol=1e-4, rtol=1e-4)
    holes = sites.coordinates.copy()
    holes[10:20] = np.nan
    assert torch.isfinite(joint.read(replace(sites, coordinates=holes), sequence)).all()


def test_partners_stand_behind_the_protein():
    protein = globin()
    own = sites_of(protein)
    both, names = with_partners(protein, own)
    assert len(both) == len(own) + len(protein.structure.partners)
    assert sum(map(len, names)) == len(protein.structure.partners)
    assert both.chains[: len(own)].max() == 0
    assert set(both.chains[len(own) :]) == set(range(1, len(names) + 1))
    assert sites_of(Protein.from_sequence(WILD)) is None
    assert isinstance(both, Sites)


@pytest.fixture(scope="module")
def model():
    return load_properties(Settings(device="cpu"))


def test_the_model_that_comes_along_tells_every_property(model):
    assert set(model.heads) == {kind.head for kind in PROPERTIES}
    assert all(head_kind(name) for name in model.heads)
    protein = globin()
    told = model.tell(protein, Variant.parse("V31P", protein.sequence))
    assert told.with_structure
    heads = {one.head for one in told.values}
    assert {"enzyme", "ontology", "thermostability", "ranking"} <= heads
    quality = next(one for one in told.values if one.head == "ranking")
    assert quality.value > 0.8, "a crystal structure is a good one"
    for one in told.attributions:
        assert one.share.shape == (147,)
        assert one.share.sum() == pytest.approx(1) or not one.share.any()
    assert {one.head for one in told.changes} >= {"enzyme", "thermostability", "ranking"}


def test_a_spoilt_structure_is_told_from_a_right_one(model):
    protein = globin()
    rng = np.random.default_rng(0)
    atoms = protein.structure.atoms.copy()
    atoms.coord = atoms.coord + rng.normal(scale=2.5, size=atoms.coord.shape).astype(np.float32)
    spoilt = Protein.from_structure(replace(protein.structure, atoms=atoms))
    value = {
        name: next(v for v in model.tell(p).values if v.head == "ranking").value
        for name, p in (("right", protein), ("spoilt", spoilt))
    }
    assert value["spoilt"] < value["right"] - 0.2


def test_the_same_sequence_is_not_told_to_change(model):
    protein = Protein.from_sequence(WILD)
    wild = model.read(protein.sequence, None)
    again = model.read(protein.sequence, None)
    torch.testing.assert_close(wild.sequence, again.sequence)
    told = model.tell(protein)
    assert not told.changes
    assert not told.with_structure
    assert "ranking" not in {one.head for one in told.values}


def test_what_cannot_be_told_is_said(model):
    protein = globin()
    removed = model.tell(protein, Variant.parse("V31del", protein.sequence))
    assert "inserts or deletes" in " ".join(removed.notes)
    assert not removed.with_structure
    lonely = [
        k for k in range(147)
        if not protein.structure.contacts[int(protein.structure_index[k])]
    ]  # fmt: skip
    ca = protein.structure.partners.ca
    far = next(
        k
        for k in lonely
        if np.linalg.norm(ca - sites_of(protein).coordinates[k, 1], axis=1).min() > 20
    )
    letter = protein.sequence[far]
    variant = Variant.parse(f"{letter}{far + 1}{'A' if letter != 'A' else 'G'}", protein.sequence)
    told = model.tell(protein, variant)
    assert "no changed residue lies near another chain" in " ".join(told.notes)
    assert "binding" not in {one.head for one in told.changes}
    near = min(
        range(147),
        key=lambda k: np.linalg.norm(ca - sites_of(protein).coordinates[k, 1], axis=1).min(),
    )
    letter = protein.sequence[near]
    variant = Variant.parse(f"{letter}{near + 1}{'W' if letter != 'W' else 'G'}", protein.sequence)
    assert "binding" in {one.head for one in model.tell(protein, variant).changes}


def test_noise_falls_with_length():
    config = PooledConfig(embedding_dim=4, noise=8.0)
    assert config.noise_of(100) == pytest.approx(0.08)


def test_conservative_substitutions_are_within_the_noise(model):
    """Of a protein that no head has seen, few of many are called."""
    protein = Protein.from_sequence(UBIQUITIN)
    called = [
        one.distinguishable
        for text in ("I3V", "K6R", "V17I", "D21E", "I30V", "K33R", "R42K", "K48R", "L67I")
        for one in model.tell(protein, Variant.parse(text, protein.sequence)).changes
    ]
    assert np.mean(called) < 0.1


def test_of_repeats_nothing_is_told(model):
    for sequence in ("A" * 80, "X" * 60, "GGSGGS" * 20):
        assert not model.tell(Protein.from_sequence(sequence)).values


def test_of_short_proteins_nothing_is_told(model, run):
    told = model.tell(Protein.from_sequence(WILD[:39]))
    assert not told.values
    assert "under 40 residues" in told.notes[0]
    protein = Protein.from_sequence(WILD[:40])
    assert model.tell(protein).values
    assert not model.tell(protein, Variant.parse("K2del", protein.sequence)).values
    assets = str(Settings.from_environment().assets)
    code, out, said = run("properties", "--wild", WILD[:30], GLASS_ASSETS=assets)
    assert (code, out.strip()) == (0, "")
    assert "under 40 residues" in said


def test_structures_that_are_too_large_are_not_read(model, monkeypatch):
    protein = globin()
    variant = Variant.parse("V31P", protein.sequence)
    monkeypatch.setattr("glass_core.models.properties.model.MOST_RESIDUES", 160)
    told = model.tell(protein, variant)
    assert told.with_structure
    monkeypatch.setattr("glass_core.models.properties.model.MOST_RESIDUES", 100)
    told = model.tell(protein, variant)
    assert not told.with_structure
    assert "over 100 residues" in " ".join(told.notes)


def test_damaged_and_foreign_models_are_refused(tmp_path):
    settings = Settings(device="cpu")
    source = list_property_models(settings)["joint"]
    shutil.copytree(source, tmp_path / "joint")
    card = json.loads((tmp_path / "joint" / "card.json").read_text())
    other = card | {"sequences": {**card["sequences"], "sha256": "0" * 64}}
    (tmp_path / "joint" / "card.json").write_text(json.dumps(other))
    with pytest.raises(ModelError, match="stands on other weights"):
        load_properties(settings, tmp_path / "joint")
    (tmp_path / "joint" / "card.json").write_text(json.dumps(card))
    path = tmp_path / "joint" / "thermostability.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ModelError, match="not the file its card describes"):
        load_properties(settings, tmp_path / "joint")
    path.unlink()
    with pytest.raises(ModelError, match="is missing"):
        load_properties(settings, tmp_path / "joint")
    with pytest.raises(UnavailableError, match="no such model"):
        load_properties(settings, "none")


def test_tables_and_rows_say_what_is_not_distinguishable(model):
    protein = globin()
    told = model.tell(protein, Variant.parse("V31I", protein.sequence))
    table = change_table(told)
    assert len(table) == len(told.changes)
    assert set(table["verdict"]) <= {UNTOLD, TOLD}
    assert len(value_table(told)) == len(told.values)
    rows = as_rows(told, model.info, protein, None, ["beware"])
    assert (rows["variant"], rows["caveats"]) == (None, ["beware"])
    assert rows["protein"]["sequence"] == protein.sequence
    assert json.loads(json.dumps(rows, allow_nan=False))["model"]["name"] == "joint"
    quiet = replace(told, changes=tuple(replace(c, noise=1e9) for c in told.changes))
    assert "Not distinguishable" in change_words(quiet)
    loud = PropertyChange("binding", "change of binding", "kcal/mol", float("nan"), float("nan"),
                          2.0, 1.5, 2.5, 0.3)  # fmt: skip
    assert "+2.000 kcal/mol" in change_words(replace(told, changes=(loud,)))
    assert change_table(replace(told, changes=(loud,)))["wild type"][0] == "–"
    assert (
        as_rows(replace(told, changes=(loud,)), model.info, protein, None)["changes"][0]["wild"]
        is None
    )
    assert "Nothing is told" in change_words(replace(told, changes=()))
    figure = attribution_figure(protein, told.attributions[0], (31,))
    assert len(figure.data[0].x) == 147


def test_the_command_tells_people_and_scripts(run):
    assets = str(Settings.from_environment().assets)
    code, out, told = run("properties", "--wild", WILD, "--json", GLASS_ASSETS=assets)
    assert code == 0, told
    assert {one["head"] for one in json.loads(out)["values"]} >= {"enzyme", "thermostability"}
    code, out, told = run(
        "properties", "--wild", WILD, "--variant", "K2R", "--json", GLASS_ASSETS=assets
    )
    assert code == 0, told
    rows = json.loads(out)
    assert all("distinguishable" in one for one in rows["changes"])
    assert (rows["format"], rows["variant"]) == ("glass-properties/1", "K2R")
    assert any("worse than MMseqs2" in one for one in rows["caveats"])
    assert any("if the protein is an enzyme at all" in one["meaning"] for one in rows["values"])
    code, out, told = run("properties", "--wild", WILD, "--variant", "K2R", GLASS_ASSETS=assets)
    assert (code, "melting temperature" in out) == (0, True), told
    assert "worse than MMseqs2" in out
    assert "90 of 100 measurements of unseen proteins" in out
    code, _, told = run("properties", "--wild", WILD, "--variant", "A2R", GLASS_ASSETS=assets)
    assert (code, "Error:" in told) == (2, True)
    code, _, told = run("properties", "--wild", "MK1", GLASS_ASSETS=assets)
    assert code == 2
    code, _, told = run("properties", "--wild", WILD)
    assert (code, "no such model" in told) == (2, True)


def test_enzyme_numbers_have_names(model):
    head = model.heads["enzyme"].config
    number = head.labels.index("3.4.21.4")
    assert head.called(number) == "3.4.21.4 serine endopeptidases"
    assert all(head.titles)
    names = Settings().assets / "properties" / "enzyme_classes.csv"
    assert enzyme_titles(head.labels, names) == head.titles, "the card has what training reads"
    assert enzyme_titles(("9.9.9.-",), names) == ("",)
    assert enzyme_titles(head.labels, names / "absent") == ()


def test_no_difference_of_a_deletion_is_told_from_none(model):
    protein, deletion = Protein.from_sequence(UBIQUITIN), Variant.parse("K6del", UBIQUITIN)
    told = model.tell(protein, deletion)
    assert any("measured with substitutions alone" in note for note in told.notes)
    assert told.changes
    assert not any(one.distinguishable for one in told.changes)
    assert set(change_table(told)["verdict"]) == {UNKNOWN}
    assert "noise is not known" in change_words(told)
    rows = as_rows(told, model.info, protein, deletion)
    assert {one["noise"] for one in rows["changes"]} == {None}
    json.dumps(rows, allow_nan=False)
    told = model.tell(protein, Variant.parse("K6R", UBIQUITIN))
    assert not any("substitutions alone" in note for note in told.notes)
