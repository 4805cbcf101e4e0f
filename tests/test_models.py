"""Embedders, heads, checkpoints and the registry."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from glass_core.embedders.batching import length_buckets, run_in_batches
from glass_core.embedders.device import resolve_device
from glass_core.embedders.prott5 import END, VOCABULARY, ProtT5Embedder, encode
from glass_core.errors import ModelError, UnavailableError, VariantError
from glass_core.models.checkpoint import load_authors_checkpoint
from glass_core.models.heads.siamese import SiameseConfig, SiameseTransformer
from glass_core.models.memory import _trim, release_memory
from glass_core.models.prediction import ModelInfo
from glass_core.models.predictor import SiamesePredictor
from glass_core.models.registry import list_models, load_embedder, load_predictor
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.settings import PROJECT, Settings

CPU = torch.device("cpu")
WILD = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"
SEQUENCES = [WILD, "MKT", "ACDEFGHIKLMNPQRSTVWYUOBZJX" * 4, "G", WILD[:20]]
INFO = ModelInfo("t", "1", "0", "e", "cpu", "float32", 100)


@pytest.fixture(scope="module")
def prott5(tiny_t5):
    return ProtT5Embedder.load(CPU, str(tiny_t5), token_budget=150)


@pytest.fixture(scope="module")
def compact(tiny_assets):
    return load_embedder(Settings(assets=tiny_assets, device="cpu"), "compact")


@pytest.mark.parametrize("name", ["prott5", "compact"])
def test_batching_changes_no_number(name, request):
    embedder = request.getfixturevalue(name)
    together = embedder.embed(SEQUENCES)
    for sequence, embedding in zip(SEQUENCES, together, strict=True):
        alone = embedder.embed([sequence])[0]
        assert embedding.residues.shape == (len(sequence), embedder.dim)
        torch.testing.assert_close(embedding.residues, alone.residues, atol=1e-5, rtol=0)


def test_prott5_vocabulary_and_end_token():
    assert VOCABULARY["A"] == 3
    assert VOCABULARY["X"] == 23
    assert encode("AUZOBJX") == [3, 23, 23, 23, 23, 23, 23, END]


def test_prott5_equals_the_model_called_by_hand(prott5, tiny_t5):
    """One sequence through transformers directly, end token cut off by hand."""
    from transformers import T5EncoderModel

    model = T5EncoderModel.from_pretrained(tiny_t5).eval()
    with torch.inference_mode():
        by_hand = model(input_ids=torch.tensor([encode("MKTAY")])).last_hidden_state[0, :-1]
    torch.testing.assert_close(prott5.embed(["MKTAY"])[0].residues, by_hand, atol=1e-5, rtol=0)


def test_out_of_memory_halves_the_budget(prott5, monkeypatch):
    sizes = []
    original = prott5._embed_batch

    def tight(sequences):
        sizes.append(len(sequences))
        if len(sequences) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return original(sequences)

    expected = prott5.embed(SEQUENCES)
    monkeypatch.setattr(prott5, "_embed_batch", tight)
    for a, b in zip(prott5.embed(SEQUENCES), expected, strict=True):
        torch.testing.assert_close(a.residues, b.residues, atol=1e-5, rtol=0)
    assert max(sizes) > 1


def test_one_sequence_too_large_is_explained(prott5, monkeypatch):
    def never(sequences):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(prott5, "_embed_batch", never)
    with pytest.raises(UnavailableError, match="33 residues does not fit"):
        prott5.embed([WILD])


def test_other_runtime_errors_are_not_swallowed():
    def broken(sequences):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run_in_batches(["A", "B"], broken, 10)


def test_buckets_respect_the_budget_and_cut_nothing():
    lengths = [5, 300, 7, 7, 40]
    buckets = list(length_buckets(lengths, 50))
    assert sorted(i for b in buckets for i in b) == list(range(5))
    assert all(len(b) == 1 or max(lengths[i] for i in b) * len(b) <= 50 for b in buckets)


def test_missing_weights_name_command_and_size():
    with pytest.raises(UnavailableError, match=r"hf download Rostlab/\S+ .*2\.4 GB"):
        ProtT5Embedder.load(CPU, "Rostlab/prot_t5_xl_half_uniref50-enc")


def test_half_downloaded_weights(tiny_t5, tmp_path):
    shutil.copy(tiny_t5 / "config.json", tmp_path)
    with pytest.raises(UnavailableError, match="holds no weights"):
        ProtT5Embedder.load(CPU, str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes((tiny_t5 / "model.safetensors").read_bytes()[:99])
    with pytest.raises(ModelError, match="cannot be loaded"):
        ProtT5Embedder.load(CPU, str(tmp_path))


def predict(predictor, variant):
    """The prediction of one variant, known by its sequence alone."""
    return predictor.predict(Protein.from_sequence(variant.wild_type), [variant])


def head(seed=0, **config):
    torch.manual_seed(seed)
    return SiameseTransformer(
        SiameseConfig(**{"prottrans_dim": 24, "hidden_dim": 32, "output_dim": 32, **config})
    ).eval()


def test_published_shape_and_parameter_names():
    names = set(SiameseTransformer(SiameseConfig()).state_dict())
    for name in (
        "input_projection.weight",
        "transformer_layers.1.self_attn.in_proj_weight",
        "transformer_layers.0.linear1.weight",
        "transformer_layers.0.norm2.bias",
        "output_projection.bias",
        "global_attention.0.weight",
        "global_attention.2.weight",
    ):
        assert name in names
    assert SiameseConfig().to_dict() | {"max_seq_len": 300} == {
        "prottrans_dim": 1024,
        "hidden_dim": 512,
        "output_dim": 512,
        "nhead": 4,
        "num_layers": 2,
        "dropout": 0.1,
        "max_seq_len": 300,
    }


def test_padding_changes_nothing_in_the_head():
    model = head()
    x = torch.randn(2, 9, 24, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(2, 9, dtype=torch.bool)
    mask[1, 5:] = False
    with torch.inference_mode():
        residues, pooled = model(x, mask)
        alone, pooled_alone = model(x[1:, :5], mask[1:, :5])
    torch.testing.assert_close(residues[1, :5], alone[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(pooled[1], pooled_alone[0], atol=1e-5, rtol=0)


def test_authors_checkpoint_through_prott5(prott5, tmp_path):
    model = head()
    path = tmp_path / "glass.pt"
    torch.save({"model_state_dict": model.state_dict(), "config": model.config.to_dict()}, path)
    loaded = SiamesePredictor(prott5, {"siamese": load_authors_checkpoint(path)}, INFO)
    direct = SiamesePredictor(prott5, {"siamese": model}, INFO)
    variant = Variant.parse("T3W:A7del", WILD)
    a, b = (p.predict(Protein.from_sequence(WILD), [variant])[0] for p in (loaded, direct))
    assert a.tm_score == b.tm_score
    np.testing.assert_array_equal(a.lddt, b.lddt)
    assert np.isnan(a.lddt[6])
    assert np.isnan(a.lddt).sum() == 1


class AuthorsNetwork(torch.nn.Module):
    """The authors' network put together from torch's parts, by their names and widths.

    Independent of ours: `global_attention` is half as wide as the hidden layers, not as
    the output (Brainana/GLASS-PRIMES).
    """

    def __init__(self, prottrans_dim, hidden_dim, output_dim, nhead, num_layers, dropout):
        super().__init__()
        nn = torch.nn
        self.input_projection = nn.Linear(prottrans_dim, hidden_dim)
        self.transformer_layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                hidden_dim, nhead, 4 * hidden_dim, dropout, batch_first=True, norm_first=True
            )
            for _ in range(num_layers)
        )
        self.output_projection = nn.Linear(hidden_dim, output_dim)
        self.global_attention = nn.Sequential(
            nn.Linear(output_dim, hidden_dim // 2), nn.ReLU(), nn.Linear(hidden_dim // 2, 1)
        )

    def forward(self, x):
        x = self.input_projection(x)
        for layer in self.transformer_layers:
            x = layer(x)
        y = self.output_projection(x)
        return y, (self.global_attention(y).softmax(dim=1) * y).sum(dim=1)


def test_an_authors_checkpoint_with_another_output_than_hidden_width(tmp_path):
    config = {
        "prottrans_dim": 24, "hidden_dim": 128, "output_dim": 96, "nhead": 4, "num_layers": 2,
        "dropout": 0.1,
    }  # fmt: skip
    torch.manual_seed(0)
    theirs = AuthorsNetwork(**config).eval()
    path = tmp_path / "glass.pt"
    torch.save(
        {"model_state_dict": theirs.state_dict(), "config": config | {"max_seq_len": 300}}, path
    )
    ours = load_authors_checkpoint(path)
    x = torch.randn(3, 11, 24)
    with torch.inference_mode():
        residues, pooled = ours(x, torch.ones(3, 11, dtype=torch.bool))
        their_residues, their_pooled = theirs(x)
    torch.testing.assert_close(residues, their_residues, atol=1e-6, rtol=0)
    torch.testing.assert_close(pooled, their_pooled, atol=1e-6, rtol=0)


class _Evil:
    def __reduce__(self):
        return (print, ("owned",))


@pytest.mark.parametrize("case", ["pickle", "keys", "shapes", "absurd", "text"])
def test_bad_checkpoints_are_refused(case, tmp_path, capsys):
    path, model = tmp_path / "bad.pt", head()
    state, config = model.state_dict(), model.config.to_dict()
    if case == "pickle":
        path.write_bytes(pickle.dumps(_Evil(), protocol=2))
    elif case == "keys":
        torch.save({"weights": state}, path)
    elif case == "shapes":
        torch.save({"model_state_dict": state, "config": config | {"hidden_dim": 64}}, path)
    elif case == "absurd":
        torch.save({"model_state_dict": state, "config": config | {"hidden_dim": 10**9}}, path)
    else:
        path.write_text("not a checkpoint")
    with pytest.raises(ModelError, match=r"bad\.pt") as caught:
        load_authors_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert "owned" not in capsys.readouterr().out


def test_identity_scores_one_and_wrong_widths_are_refused(compact, prott5, tiny_predictor):
    with pytest.raises(ModelError, match="width 24"):
        SiamesePredictor(compact, {"siamese": head()}, INFO)
    protein = Protein.from_sequence("MKT")
    with pytest.raises(VariantError, match="of the protein's sequence"):
        tiny_predictor.predict(protein, [Variant.parse("K2R", w) for w in ("MKT", "MKTA")])
    assert tiny_predictor.predict(protein, []) == []


def test_far_from_the_site_a_compact_score_stays_near_one(tiny_predictor):
    prediction = predict(tiny_predictor, Variant.parse("T3W", WILD))[0]
    assert 0 < prediction.tm_score <= 1
    assert prediction.lddt.shape == (len(WILD),)


def test_doubts_are_spoken(tiny_predictor):
    long = "MKTAYIAKQR" * 25
    flags = " ".join(predict(tiny_predictor, Variant.parse("K2R", long))[0].flags)
    assert "250 residues" in flags
    flags = " ".join(predict(tiny_predictor, Variant.parse("K2R", "MKXTAU"))[0].flags)
    assert "read as X (sequence position 3, 6)" in flags
    flags = " ".join(predict(tiny_predictor, Variant.from_sequences(WILD, WILD[:15]))[0].flags)
    assert "aligned" in flags


def test_predictions_do_not_depend_on_the_batch(tiny_predictor):
    variants = [Variant.parse(t, WILD) for t in ("K2R", "T3del", "A4_Y5insGGG", "R10P:Q11P")]
    for variant, together in zip(
        variants, tiny_predictor.predict(Protein.from_sequence(WILD), variants), strict=True
    ):
        alone = predict(tiny_predictor, variant)[0]
        assert alone.tm_score == pytest.approx(together.tm_score, abs=1e-5)
        np.testing.assert_allclose(alone.lddt, together.lddt, atol=1e-5)


def test_registry_says_what_is_missing(tiny_assets, tmp_path):
    models = tmp_path / "models"
    (models / "empty").mkdir(parents=True)
    model = head()
    torch.save(
        {"model_state_dict": model.state_dict(), "config": model.config.to_dict()},
        models / "glass.pt",
    )
    settings = Settings(assets=tiny_assets, models=models, device="cpu")
    entries = {e.name: e for e in list_models(settings)}
    assert next(iter(entries)) == "compact"
    assert entries["compact"].unavailable_reason is None
    assert "hf download" in entries["glass"].unavailable_reason
    assert "card.json" in entries["empty"].unavailable_reason
    with pytest.raises(UnavailableError, match="hf download"):
        load_predictor(settings, "glass")
    with pytest.raises(UnavailableError, match="not installed"):
        load_predictor(settings, "nothing")


def test_registry_runs_an_authors_head_over_prott5(tiny_assets, tiny_t5, tmp_path):
    model = head()
    torch.save(
        {"model_state_dict": model.state_dict(), "config": model.config.to_dict()},
        tmp_path / "glass.pt",
    )
    settings = Settings(assets=tiny_assets, models=tmp_path, prott5=str(tiny_t5), device="cpu")
    predictor = load_predictor(settings, "glass")
    assert predictor.info.dtype == "float32"
    assert predict(predictor, Variant.parse("K2R", WILD))[0].tm_score < 1


def test_changed_model_files_are_noticed(tiny_assets, tmp_path):
    copy = tmp_path / "assets"
    shutil.copytree(tiny_assets, copy)
    settings = Settings(assets=copy, models=tmp_path / "none", device="cpu")
    card = copy / "models" / "compact" / "card.json"
    content = json.loads(card.read_text())
    card.write_text(json.dumps(content | {"sha256": dict.fromkeys(content["sha256"], "0" * 64)}))
    with pytest.raises(ModelError, match="not the file its card describes"):
        load_predictor(settings)
    card.write_text("{")
    with pytest.raises(UnavailableError, match="cannot be read"):
        load_predictor(settings)


def test_devices():
    assert resolve_device("cpu") == CPU
    with pytest.raises(UnavailableError, match="not known"):
        resolve_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(UnavailableError, match="CUDA"):
            resolve_device("cuda:7")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_prott5_on_cuda_is_close_to_the_cpu(tiny_t5, prott5):
    fast = ProtT5Embedder.load(torch.device("cuda"), str(tiny_t5))
    a, b = fast.embed([WILD])[0].residues, prott5.embed([WILD])[0].residues
    assert torch.nn.functional.cosine_similarity(a, b, dim=-1).min() > 0.99


@pytest.fixture(scope="module")
def committed():
    """The model that comes with the project."""
    return load_predictor(Settings(device="cpu"))


def test_committed_card_has_held_out_figures_and_baselines():
    card = list_models(Settings(device="cpu"))[0].card.content
    for name in ("trained_on", "limits", "licence", "max_length"):
        assert card[name], name
    for kind in ("fold", "point_mutant", "same_sequence"):
        for who in (
            "model",
            "constant 1",
            "training mean",
            "sequence identity",
            "fit on identity",
            "BLOSUM62 similarity",
            "embedder without head",
        ):
            figure = card["held_out"][kind]["figures"][who]["tm_mae"]
            assert figure["low"] <= figure["value"] <= figure["high"]


def test_committed_it_is_small():
    folder = PROJECT / "assets" / "models" / "compact"
    assert sum(p.stat().st_size for p in folder.iterdir()) < 30e6


def test_committed_a_proline_in_a_helix_shows_most_at_its_site(committed, globin):
    prediction = predict(committed, Variant.parse("V31P", globin.sequence))[0]
    assert prediction.tm_score < 1
    assert abs(int(np.nanargmin(prediction.lddt)) - 30) <= 3


def test_committed_different_folds_score_low(committed, globin):
    other = "MTYKLILNGKTLKGETTTEAVDAATAEKVFKQYANDNGVDGEWTYDDATKTFTVTE"
    variant = Variant.from_sequences(globin.sequence, other)
    assert predict(committed, variant)[0].tm_score < 0.8


@pytest.mark.skipif(_trim() is None, reason="this C library cannot give memory back")
def test_freed_memory_is_given_back():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    blocks = [bytearray(os.urandom(1) * 60_000) for _ in range(4_000)]
    kept = blocks[::100]  # scattered: what lies between them is free, and not the end of the heap
    del blocks
    release_memory()
    before = resident()
    blocks = [bytearray(os.urandom(1) * 60_000) for _ in range(4_000)]
    kept += blocks[::100]
    full = resident()
    del blocks
    release_memory()
    assert full - before > 150e6
    assert resident() - before < 50e6
    assert len(kept) == 80
