"""The compact encoder: masks, letters, files; and the committed model against its card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from glass_core.embedders.compact import ENCODER_FILE, CompactEmbedder, windows
from glass_core.embedders.compact_encoder import CompactConfig, CompactEncoder, tokenise
from glass_core.errors import ModelError, RecordError, SequenceError
from glass_core.models.card import ModelCard
from glass_core.models.checkpoint import load_heads
from glass_core.models.evaluation import read_evaluations
from glass_core.models.heads.siamese import (
    SiameseConfig,
    SiameseTransformer,
    predicted_lddt,
    predicted_tm,
)
from glass_core.models.registry import load_predictor
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.settings import Settings

COMMITTED = Path(__file__).parents[1] / "assets" / "models" / "compact"
CPU = torch.device("cpu")
SMALL = CompactConfig(dim=32, layers=2, heads=2, feedforward=48)


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(1)
    return CompactEmbedder(CompactEncoder(SMALL), "small", CPU)


@pytest.fixture(scope="module")
def committed():
    card = ModelCard.read(COMMITTED)
    embedder = CompactEmbedder.load(COMMITTED, card.content["encoder"], card.name, CPU)
    return embedder, load_heads(card)["siamese"]


@pytest.mark.parametrize("which", ["small", "committed"])
def test_padding_and_batching_change_no_number(which, request):
    embedder = request.getfixturevalue(which)
    embedder = embedder[0] if which == "committed" else embedder
    sequences = [STANDARD * n for n in (1, 13, 4)] + ["M", "MK", "XACX"]
    together = embedder.embed(sequences)
    for sequence, found in zip(sequences, together, strict=True):
        alone = embedder.embed([sequence])[0]
        assert found.residues.shape == (len(sequence), embedder.dim)
        torch.testing.assert_close(found.residues, alone.residues, atol=1e-5, rtol=0)


def test_what_lies_under_the_padding_is_never_seen(small):
    tokens, mask = tokenise(["ACDEFGHIKL", "ACDE"])
    other = tokens.clone()
    other[1, 4:] = 7
    with torch.inference_mode():
        first, second = small.encoder(tokens, mask), small.encoder(other, mask)
    torch.testing.assert_close(first[1, :4], second[1, :4], atol=0, rtol=0)


def test_order_matters_and_distant_residues_are_seen(small):
    one, swapped, far = small.embed(["ACDEFGHIKLMNPQRS", "CADEFGHIKLMNPQRS", "ACDEFGHIKLMNPQRW"])
    assert (one.residues[5] - swapped.residues[5]).abs().max() > 1e-4
    assert (one.residues[0] - far.residues[0]).abs().max() > 1e-6


def test_letters_outside_the_twenty_are_x(small):
    unknown = small.embed(["ACXDE"])[0].residues
    for letter in "UOBZJ":
        assert torch.equal(small.embed([f"AC{letter}DE"])[0].residues, unknown)
    assert not torch.allclose(small.embed(["ACADE"])[0].residues, unknown)


@pytest.mark.parametrize("bad", ["", "AC-DE", "AC*", "acd", "A1"])
def test_what_is_no_residue_is_refused(small, bad):
    with pytest.raises(SequenceError):
        small.embed(["ACD", bad])


def test_progress_reaches_the_end_and_order_is_kept(small):
    seen: list[tuple[int, int]] = []
    sequences = ["ACD", "MKLV", "W"]
    found = small.embed(sequences, lambda done, all_: seen.append((done, all_)))
    assert [e.sequence for e in found] == sequences
    assert seen[-1] == (3, 3)
    assert small.embed([]) == []


@pytest.mark.parametrize(
    "wrong", [{"dim": 30, "heads": 4}, {"conv_width": 4}, {"dropout": 1.0}, {"layers": 0}]
)
def test_impossible_configurations_are_refused(wrong):
    with pytest.raises(RecordError):
        CompactConfig(**wrong)


def test_configuration_round_trips_and_names_odd_fields():
    assert CompactConfig.from_dict(SMALL.to_dict()) == SMALL
    with pytest.raises(ModelError, match="depth"):
        CompactConfig.from_dict({**SMALL.to_dict(), "depth": 3})


def test_files_round_trip(small, tmp_path):
    save_file(small.encoder.state_dict(), tmp_path / ENCODER_FILE)
    again = CompactEmbedder.load(tmp_path, SMALL.to_dict(), "small", CPU)
    assert torch.equal(again.embed(["ACDEF"])[0].residues, small.embed(["ACDEF"])[0].residues)


@pytest.mark.parametrize("case", ["missing file", "no tensors", "shape", "lacking", "unknown"])
def test_wrong_encoder_files_are_refused_in_one_line(case, small, tmp_path):
    state = dict(small.encoder.state_dict())
    path = tmp_path / ENCODER_FILE
    if case == "shape":
        state["norm.weight"] = torch.ones(5)
    elif case == "lacking":
        del state["norm.weight"]
    elif case == "unknown":
        state["surplus"] = torch.ones(1)
    if case == "no tensors":
        path.write_bytes(b"nothing of the kind")
    elif case != "missing file":
        save_file(state, path)
    with pytest.raises(ModelError) as caught:
        CompactEmbedder.load(tmp_path, SMALL.to_dict(), "small", CPU)
    assert "\n" not in str(caught.value)


def test_committed_files_are_those_of_the_card():
    card = ModelCard.read(COMMITTED)
    card.check_files()
    assert set(card.sha256) == {
        "encoder.safetensors",
        "head.safetensors",
        "fold.safetensors",
        "alignment.safetensors",
        "stability.safetensors",
        "structure_effect.safetensors",
        "local_change.safetensors",
        "estimate.safetensors",
        "combined.safetensors",
    }
    assert {"licence", "trained_on", "limits", "max_length"} <= set(card.content)
    assert sum(p.stat().st_size for p in COMMITTED.rglob("*") if p.is_file()) < 40e6
    assert all(t.isfinite().all() for t in load_file(COMMITTED / ENCODER_FILE).values())


def test_committed_card_tells_no_paths():
    text = (COMMITTED / "card.json").read_text()
    assert "/tmp" not in text and "/work" not in text and "/home" not in text


def test_identical_sequences_score_exactly_one(committed):
    embedder, head = committed
    sequence = STANDARD * 5
    tokens, mask = tokenise([sequence, sequence, "ACD"])
    with torch.inference_mode():
        residues, pooled = head(embedder.encoder(tokens, mask), mask)
    assert float(predicted_tm(pooled[0], pooled[1])) == pytest.approx(1, abs=1e-6)
    assert predicted_lddt(residues[0], residues[1])[: len(sequence)].min() > 1 - 1e-6


def test_committed_a_substitution_shows_most_at_its_site(committed, globin):
    embedder, head = committed
    wild_type = globin.sequence
    site = 60
    letter = "P" if wild_type[site] != "P" else "G"
    mutant = wild_type[:site] + letter + wild_type[site + 1 :]
    tokens, mask = tokenise([wild_type, mutant])
    with torch.inference_mode():
        residues, pooled = head(embedder.encoder(tokens, mask), mask)
    deficit = 1 - predicted_lddt(residues[0], residues[1])
    assert abs(int(deficit.argmax()) - site) <= 3
    assert 0.9 < float(predicted_tm(pooled[0], pooled[1])) < 1


def test_committed_effects_are_whole_and_tell_proline_in_a_helix(globin):
    table = load_predictor(Settings(device="cpu")).effects(Protein.from_structure(globin))
    assert table is not None
    own = [STANDARD.index(letter) for letter in globin.sequence]
    assert np.isnan(table.score[np.arange(len(own)), own]).all()
    assert np.isfinite(table.score).sum() == 19 * len(own)
    every = table.score[~np.isnan(table.score)]
    proline = table.score[:, STANDARD.index("P")]
    assert np.nanmean(proline) > every.mean(), "an all-helical protein"


def test_long_sequences_are_embedded_in_windows_that_cover_them_once(small):
    for length in (8, 320, 321, 700, 5000):
        cut = windows(length, 320)
        covered = [w.start + k for w in cut for k in range(w.first, w.last)]
        assert covered == list(range(length))
        assert all(w.stop - w.start <= 320 for w in cut)
    sequence = (STANDARD * 40)[:700]
    found = small.embed([sequence])[0].residues
    alone = small.embed([sequence[:320]])[0].residues
    torch.testing.assert_close(found[:100], alone[:100], atol=1e-5, rtol=0)
    assert found.shape == (700, 32)


def test_the_head_takes_the_width_of_the_encoder(small):
    head = SiameseTransformer(
        SiameseConfig(prottrans_dim=small.dim, hidden_dim=16, output_dim=16)
    ).eval()
    tokens, mask = tokenise(["ACDEF", "AC"])
    residues, pooled = head(small.encoder(tokens, mask), mask)
    assert residues.shape == (2, 5, 16)
    assert pooled.shape == (2, 16)


@pytest.fixture(scope="module")
def records():
    return read_evaluations(COMMITTED)


def test_committed_records_are_of_the_committed_model(records):
    card = ModelCard.read(COMMITTED)
    assert {
        "fold",
        "point_mutant",
        "same_sequence",
        "stability",
        "scan",
        "clinical",
        "secondary structure",
        "stability-structure",
        "scan-structure",
        "clinical-structure",
        "ddg-classical",
        "ssym",
        "local change",
    } <= set(records)
    for record in records.values():
        assert record.model["sha256"] == card.weights_sha256
        assert record.side == "test"


def test_committed_figures_lie_within_their_intervals(records):
    for record in records.values():
        for figures in record.content.get("figures", {}).values():
            for figure in figures.values():
                if isinstance(figure, dict) and figure["value"] is not None:
                    assert figure["low"] <= figure["value"] <= figure["high"]
    fold = records["fold"].content["figures"]
    assert {
        "model",
        "embedder without head",
        "training mean",
        "constant 1",
        "sequence identity",
        "fit on identity",
        "BLOSUM62 similarity",
    } == set(fold)
    assert records["same_sequence"].figure("model", "tm_pearson").value is None, (
        "equal sequences have no correlation"
    )


def test_committed_records_hold_only_held_out_groups(records):
    lists = json.loads((COMMITTED / "split.json").read_text())
    chains, proteins = set(map(str, lists["test"])), set(lists["proteins_test"])
    for record in records.values():
        if record.kind == "pairs":
            assert set(record.content["rows"]["group"]) <= chains
        elif record.kind == "effects":
            assert {row["group"] for row in record.content["rows"]} <= proteins


def test_committed_figures_that_were_reached(records):
    """What docs/model-notes.md calls reached."""

    def value(name: str, who: str, metric: str) -> float:
        return records[name].figure(who, metric).value

    assert records["secondary structure"].content["accuracy"] >= 0.70
    assert value("fold", "model", "tm_spearman") >= 0.6
    fold, mutants = records["fold"], records["point_mutant"]
    assert fold.figure("model", "tm_mae").high < value("fold", "fit on identity", "tm_mae")
    assert mutants.figure("model", "tm_mae").value <= value("point_mutant", "constant 1", "tm_mae")
    assert mutants.figure("model", "lddt_within_spearman").low > 0
    assert value("clinical", "model", "auroc") >= 0.80
