"""Positions for heads that look at one at a time, and the heads trained on them."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric

from glass_core.errors import InputError
from glass_core.models.card import ModelCard
from glass_core.models.checkpoint import load_heads
from glass_core.protein.sequence import STANDARD
from glass_core.search.mmseqs import align_homologues
from glass_core.training import stability, structure_effect
from glass_core.training.combined import train_combined
from glass_core.training.data.alignments import name_of, read_alignment, write_alignments
from glass_core.training.data.assays import Assay
from glass_core.training.data.sites import ddg_of, read_sites, write_sites
from glass_core.training.data.wild_structures import read_wild_structures
from glass_core.training.evaluation.reverse import evaluate_reverse
from glass_core.training.evaluation.structures import evaluate_alignments, evaluate_structures
from glass_core.training.folds import fold_of, told_by_strangers
from tests.tools.mpnn import made_structure_embedder

SEQUENCES = {
    "train": ["ACDEFGHIKLMNPQRSTVWY", "MKTAYIAKQRQISFVKSHFS", "GSHMKLVEELARRGYDPNWC"],
    "validation": ["WYVTSRQPNMLKIHGFEDCA", "SFHSKVFSIQRQKAIYATKM"],
}


def assay(kind: str, sequence: str, side: str, name: str) -> Assay:
    """Every substitution of every position; what is hydrophobic hurts to lose."""
    rng = np.random.default_rng(len(name))
    index, letter = np.meshgrid(np.arange(len(sequence)), np.arange(20), indexing="ij")
    index, letter = index.ravel(), letter.ravel()
    other = np.array([sequence[i] != STANDARD[k] for i, k in zip(index, letter, strict=True)])
    index, letter = index[other], letter[other]
    greasy = np.array([c in "AFILMVWY" for c in sequence])[index].astype(float)
    value = (greasy + 0.1 * rng.normal(size=len(index))).astype(np.float32)
    if kind == "clinical":
        value = (value > 0.5).astype(np.float32)
    return Assay(name, kind, sequence, index, letter, value, f"{side}-{sequence[:4]}", side)


def every_assay() -> list[Assay]:
    return [
        assay(kind, sequence, side, f"{kind} {side} {number}")
        for side, sequences in SEQUENCES.items()
        for number, sequence in enumerate(sequences)
        for kind in ("stability", "ddg", "scan", "clinical")
    ]


@pytest.fixture(scope="module")
def structures_file(tmp_path_factory) -> Path:
    """Helices under the letters of all but one of the proteins, one of them held back."""
    rows = []
    for number, sequence in enumerate(s for side in SEQUENCES.values() for s in side[:2]):
        turn = np.deg2rad(100 * np.arange(20))
        ca = np.stack([2.3 * np.cos(turn), 2.3 * np.sin(turn), 1.5 * np.arange(20)], 1)
        shift = np.array([[-0.8, 0.9, -0.8], [0, 0, 0], [0.9, 0.7, 0.9], [1.2, 1.7, 0.8]])
        given = np.arange(1.0, 21.0)
        given[0] = np.nan  # a residue that the wild type lacks
        rows.append(
            {
                "wt_sequence": sequence,
                "kind": "xray",
                "license_note": "non-commercial" if number == 1 else "MIT",
                "sequence_of_structure": sequence,
                "position_of_residue": given,
                "held_back_family": None,
                "backbone": (ca[:, None] + shift[None]).astype(np.float32).ravel(),
            }
        )
    path = tmp_path_factory.mktemp("structures") / "wild.parquet"
    pd.DataFrame(rows).to_parquet(path)
    return path


@pytest.fixture(scope="module")
def sites(structures_file, tiny_predictor, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sites")
    write_sites(
        every_assay(),
        read_wild_structures(structures_file),
        tiny_predictor.embedder,
        made_structure_embedder(),
        folder,
        5,
        lambda words: None,
    )
    return folder


@pytest.fixture
def model(tmp_path, tiny_assets) -> Path:
    import shutil

    folder = tmp_path / "compact"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    return folder


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


def test_what_is_read_of_wild_structures(structures_file, tmp_path):
    read = read_wild_structures(structures_file)
    first, second = SEQUENCES["train"][:2]
    assert list(read[first].place) == [-1, *range(1, 20)]
    assert read[first].may_train and not read[second].may_train
    protein = read[first].protein()
    assert protein.sequence == first and not protein.covered[0] and protein.covered[1:].all()
    np.testing.assert_allclose(protein.ca[1:], read[first].backbone.ca[1:], atol=1e-3)
    mutant = "W" + first[1:]
    assert read[first].protein(mutant).sequence == mutant
    bad = tmp_path / "bad.parquet"
    pd.read_parquet(structures_file).drop(columns="kind").to_parquet(bad)
    with pytest.raises(InputError, match="lacks the column kind"):
        read_wild_structures(bad)


def test_the_wild_type_s_share_is_taken_out_of_a_mega_scale_assay():
    values = np.arange(100, dtype=np.float32)
    made = Assay(
        "a", "stability", "A" * 100, np.arange(100), np.ones(100, int), values, "g", "train"
    )
    assert np.isclose(ddg_of(made).value[20], 0.2, atol=1e-5)
    same = replace(made, kind="ddg")
    assert ddg_of(same) is same


def test_sites_hold_what_assays_measure(sites):
    read = read_sites(sites)
    own = read.only((read.rows["background"] == "").to_numpy())
    assert len(own) == 20 * 20, "twenty positions of twenty assays"
    first = own.only((own.rows["assay"] == "ddg train 0").to_numpy())
    assert list(first.known) == [False] + [True] * 19
    measured = every_assay()[1]
    value = np.full((20, 20), np.nan, np.float32)
    value[measured.index, measured.letter] = measured.value
    np.testing.assert_array_equal(first.value, value)
    assert not own.only((own.rows["assay"] == "ddg train 1").to_numpy()).known.any(), "restricted"
    held = own.only((own.rows["assay"] == "ddg validation 0").to_numpy())
    assert held.known.sum() == 19
    with_structure = first.inputs(np.arange(20), first.known)
    withheld = first.inputs(np.arange(20), np.zeros(20, bool))
    assert with_structure.structure[1:].abs().sum() > 0 and withheld.structure.abs().sum() == 0


def test_a_mutant_s_changes_are_known_by_difference(sites):
    read = read_sites(sites)
    made = read.only((read.rows["background"] != "").to_numpy())
    assert set(made.rows["side"]) == {"train"} and set(made.rows["kind"]) == {"stability", "ddg"}
    row = made.rows.iloc[0]
    source = {a.name: ddg_of(a) for a in every_assay()}[row["assay"]]
    at = source.index == row["position"] - 1
    by_letter = dict(zip(source.letter[at], source.value[at], strict=True))
    letter = STANDARD.index(row["background"])
    wild = STANDARD.index(source.sequence[row["position"] - 1])
    value = made.value[0]
    assert np.isnan(value[letter])
    assert np.isclose(value[wild], -by_letter[letter])
    for k, measured in by_letter.items():
        if k != letter:
            assert np.isclose(value[k], measured - by_letter[letter], atol=1e-5)
    assert int(made.tensors["wild"][0]) == letter


def test_folds_keep_groups_together_and_leave_none_out(sites):
    train = read_sites(sites)
    fold = fold_of(train.rows["group"].to_numpy())
    assert set(fold) <= {0, 1, 2, 3}
    asked = []

    def tell(others, strangers, number):
        asked.append((set(others.rows["group"]), set(strangers.rows["group"])))
        return (np.full((len(strangers), 20), number, np.float32),)

    (told,) = told_by_strangers(train, tell)
    assert all(not (others & strangers) for others, strangers in asked)
    np.testing.assert_array_equal(told[:, 0], fold)


def test_batches_are_functions_of_their_number(sites):
    train = read_sites(sites)
    train = train.only(train.of_kind("stability", "ddg") & (train.rows["side"] == "train"))
    draw = stability.StabilityDraw(train, 0)
    one, same, other = draw.batch(4), draw.batch(4), draw.batch(5)
    assert torch.equal(one.inputs.sequence, same.inputs.sequence)
    assert not torch.equal(one.inputs.sequence, other.inputs.sequence)
    views = [draw.batch(number).inputs.view for number in range(stability.TRACE_EVERY)]
    assert views.count("trace") == 1
    assert len(one.value) == sum(stability.SHARES.values())


def test_a_stability_head_is_learnt_and_kept(sites, model, fabric):
    schedule = replace(stability.STABILITY_SCHEDULE, steps=40, every=20, warmup=5)
    history = stability.train_stability(sites, model, fabric, schedule)
    assert history.curve[-1]["total"] < 0.7 * history.curve[0]["total"]
    card = ModelCard.read(model)
    card.check_files()
    head = load_heads(card)["stability"]
    for interval in head.config.intervals(20):
        assert len(interval.at) == 5 and max(interval.above) > 0
    assert head.config.intervals(200) == head.config.intervals(20), "none was so long"
    assert (model / "stability-training.json").is_file()


def test_an_effect_head_is_learnt_and_kept(sites, model, fabric):
    schedule = replace(structure_effect.STRUCTURE_EFFECT_SCHEDULE, steps=30, every=15, warmup=5)
    history = structure_effect.train_structure_effect(sites, model, fabric, schedule)
    assert history.curve[-1]["total"] < 0.8 * history.curve[0]["total"]
    head = load_heads(ModelCard.read(model))["structure_effect"]
    assert (head.config.scale, head.config.offset) != (1.0, 0.0)
    assert {"scan structure", "clinical sequence"} <= set(history.validation[-1])


def test_one_chance_is_fitted_to_what_strangers_say(sites, model, fabric, monkeypatch, tmp_path):
    few = {"steps": 30, "every": 15, "warmup": 5}
    for module, name, learn in (
        (stability, "STABILITY_SCHEDULE", stability.train_stability),
        (structure_effect, "STRUCTURE_EFFECT_SCHEDULE", structure_effect.train_structure_effect),
    ):
        monkeypatch.setattr(module, name, replace(getattr(module, name), **few))
        learn(sites, model, fabric, getattr(module, name))
    effects, alignments = tmp_path / "effects.parquet", tmp_path / "alignments"
    pd.DataFrame(
        [{"kind": a.kind, "assay": a.name, "sequence": a.sequence} for a in every_assay()]
    ).to_parquet(effects)
    alignments.mkdir()
    kin = deep_alignment(SEQUENCES["train"][0])
    (alignments / f"{name_of(SEQUENCES['train'][0])}.a3m.gz").write_bytes(gzip.compress(kin))
    said: list[str] = []
    train_combined(sites, effects, alignments, model, fabric, said.append)
    assert said == ["alignments: 40 of 120 positions"]
    card = ModelCard.read(model)
    card.check_files()
    head = load_heads(card)["combined"]
    assert (head.weight >= 0).all()
    assert head.weight[0, 0].tolist() == [0, 1, 0, 0], "the sequence alone stays as it is"
    assert head.weight[1, 0].tolist() != [0, 1, 0, 0]
    assert (head.weight[:, 0, -1] == 0).all(), "nothing is counted that is not there"
    record = json.loads((model / "combined-training.json").read_text())["config"]["patterns"]
    counts = {(p["structure"], p["alignment"]): p["labels"] for p in record}
    assert counts[False, False] == 3 * 380 and counts[False, True] == 380
    assert counts[True, False] == 19 * 19, "one has no structure and one is held back"
    with pytest.raises(InputError, match="no labels or no scans"):
        read = read_sites(sites)
        only = read.only(read.of_kind("stability", "ddg"))
        write_tensors(only, tmp_path)
        train_combined(tmp_path, effects, None, model, fabric, said.append)


def deep_alignment(sequence: str) -> bytes:
    """Eighty homologues of which each differs at half of the positions, as A3M."""
    rng = np.random.default_rng(0)
    rows = [sequence]
    for _ in range(80):
        changed = [STANDARD[rng.integers(20)] if rng.random() < 0.5 else c for c in sequence]
        rows.append("".join(changed))
    return "".join(f">{n}\n{row}\n" for n, row in enumerate(rows)).encode()


def test_alignments_are_given_or_looked_for(tmp_path, monkeypatch):
    data, work, out = tmp_path / "data", tmp_path / "work", tmp_path / "out"
    for folder in (data / "msas", data / "sequences", work):
        folder.mkdir(parents=True)
    first, second, third = SEQUENCES["train"]
    pd.DataFrame({"sequence": [first, second, third, third]}).to_parquet(work / "effects.parquet")
    pd.DataFrame({"sequence": ["MKT"], "cluster": ["c1"]}).to_parquet(
        data / "sequences/sequences.parquet"
    )
    pd.DataFrame(
        {
            "name": ["worse", "better", "other"],
            "wt_md5": [name_of(first), name_of(first), "0" * 32],
            "best_for_target": [False, True, True],
        }
    ).to_csv(data / "msas/matches.csv")
    for name in ("worse", "better"):
        content = gzip.compress(deep_alignment(first) + name.encode())
        (data / "msas" / f"{name}.a3m.gz").write_bytes(content)

    def found(queries, targets, work, threads):
        assert queries == {name_of(second): second, name_of(third): third}
        assert targets == ["MKT"]
        path = tmp_path / f"{name_of(second)}.a3m"
        path.write_bytes(deep_alignment(second))
        return iter([path])

    monkeypatch.setattr("glass_core.training.data.alignments.align_homologues", found)
    assert write_alignments(data, work, out, 1, lambda words: None) == 2
    assert gzip.decompress((out / f"{name_of(first)}.a3m.gz").read_bytes()).endswith(b"better")
    assert read_alignment(out, second).usable
    assert read_alignment(out, third) is None and read_alignment(None, second) is None
    shutil.copyfile(out / f"{name_of(second)}.a3m.gz", out / f"{name_of(third)}.a3m.gz")
    assert read_alignment(out, third) is None, "an alignment of another protein"


@pytest.mark.skipif(shutil.which("mmseqs") is None, reason="MMseqs2 is not installed")
def test_homologues_are_found_and_aligned(tmp_path):
    rng = np.random.default_rng(0)
    query = "".join(rng.choice(list(STANDARD), 120))
    kin = ["".join(c if rng.random() < 0.8 else STANDARD[rng.integers(20)] for c in query)]
    others = ["".join(rng.choice(list(STANDARD), 120)) for _ in range(5)]
    paths = list(align_homologues({"mine": query, "lone": "W" * 40}, [*kin, *others], tmp_path, 1))
    assert [path.name for path in paths] == ["mine.a3m"]
    rows = paths[0].read_text().split("\n")
    assert rows[1] == query and rows[3].replace("-", "") in kin[0]


def write_tensors(sites, folder: Path) -> None:
    from safetensors.torch import save_file

    sites.rows.to_parquet(folder / "sites.parquet")
    save_file({k: v.contiguous() for k, v in sites.tensors.items()}, folder / "sites.safetensors")


def test_nothing_to_learn_from_is_said(sites, model, fabric, tmp_path):
    read = read_sites(sites)
    write_tensors(read.only((read.rows["side"] == "train").to_numpy()), tmp_path)
    for learn in (stability.train_stability, structure_effect.train_structure_effect):
        with pytest.raises(InputError, match="validation side"):
            learn(tmp_path, model, fabric)


def test_records_of_what_structures_tell(seeing, structures_file):
    held = [a for a in every_assay() if a.side == "validation"]
    structures = read_wild_structures(structures_file)
    records = dict(evaluate_structures(seeing, held, structures, lambda words: None))
    assert set(records) == {
        "stability-structure", "scan-structure", "clinical-structure", "ddg-classical",
    }  # fmt: skip
    mega = records["stability-structure"]
    assert mega["assays"] == 2 and mega["structures"] == {"xray": 2}
    assert {"model", "stability", "stability from sequence", "ProteinMPNN untrained"} <= set(
        mega["figures"]
    )
    assert 0 <= mega["sizes"]["stability"]["coverage"]["value"] <= 1
    rows = mega["rows"]
    assert all(row["variants"] == 19 * 19 for row in rows), "the covered positions only"
    labels = records["clinical-structure"]
    assert (
        labels["labels"] == 2 * 19 * 19 and 0 <= labels["figures"]["model"]["auroc"]["value"] <= 1
    )


def test_records_of_what_alignments_add(answering, structures_file, tmp_path):
    held = [a for a in every_assay() if a.side == "validation"]
    structures, (first, second) = read_wild_structures(structures_file), SEQUENCES["validation"]
    bare = dict(evaluate_structures(answering, held, structures, lambda words: None))
    for name in ("scan-structure", "clinical-structure"):
        assert "combined" in bare[name]["figures"]
        assert "alignment" not in bare[name]["figures"]
    labels = bare["clinical-structure"]
    assert labels["chance"] == "combined"
    for who in ("combined", "model", "model from sequence"):
        assert 0 <= labels["figures"][who]["calibration_error"]["value"] <= 1
    assert "calibration_error" not in labels["figures"]["BLOSUM62"]
    kin = gzip.compress(deep_alignment(first))
    (tmp_path / f"{name_of(first)}.a3m.gz").write_bytes(kin)
    (tmp_path / f"{name_of(second)}.a3m.gz").write_bytes(b"")
    records = dict(evaluate_alignments(answering, held, structures, tmp_path, lambda words: None))
    assert set(records) == {
        "stability-alignment", "scan-alignment", "clinical-alignment", "ddg-alignment",
    }  # fmt: skip
    scans = records["scan-alignment"]
    assert scans["assays"] == 1, "the other has no alignment that can be read"
    assert {"alignment", "combined", "combined without the alignment", "BLOSUM62"} <= set(
        scans["figures"]
    )
    assert scans["rows"][0]["variants"] == 20 * 19, "where the structure has a residue or not"
    told = scans["rows"][0]["spearman"]
    assert told["combined"] != told["combined without the alignment"]
    assert told["combined without the alignment"] is not None
    assert records["clinical-alignment"]["labels"] == 20 * 19


def test_records_of_direct_and_reverse(seeing, structures_file, tmp_path):
    wild = SEQUENCES["validation"][0]
    table = pd.DataFrame(
        {
            "wt_sequence": [wild] * 3 + ["ACDEF"],
            "mutant": ["Y2A", "V3A", "W1A", "A1C"],
            "ddg": [1.0, 2.0, 3.0, 1.0],
            "source": ["x/Ssym.tsv"] * 4,
        }
    )
    table.to_parquet(tmp_path / "ddg.parquet")
    proteins = pd.DataFrame({"sequence": [wild], "group": ["g"], "side": ["test"]})
    record = evaluate_reverse(
        seeing,
        tmp_path / "ddg.parquet",
        proteins,
        read_wild_structures(structures_file),
        "test",
        lambda words: None,
    )
    assert record["variants"] == 2, "position 1 has no coordinates, and one protein no structure"
    figures = record["figures"]["stability"]
    mean = np.mean([(row["direct"] + row["reverse"]) / 2 for row in record["rows"]])
    assert figures["bias"]["value"] == pytest.approx(mean, abs=2e-3)
