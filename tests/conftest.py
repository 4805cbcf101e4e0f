"""Shared fixtures: a real chain from an installed package, and tiny random models."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Small tensors on two threads wait at a barrier after every operation; where another process
# has a core that wait is its time slice, and a test of six seconds took a hundred.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def globin_file() -> Path:
    """PDB entry 2GTL: fifteen protein chains, haem and calcium ions."""
    from tmtools.testing import get_pdb_path

    return Path(get_pdb_path("2gtl"))


@pytest.fixture(scope="session")
def globin(globin_file):
    """Chain A of 2GTL, 147 residues."""
    from glass_core.protein.structure.file import read_structure

    return read_structure(globin_file, chain="A")


@pytest.fixture(scope="session")
def globin_b(globin_file):
    """Chain B of 2GTL, a homologue of 145 residues."""
    from glass_core.protein.structure.file import read_structure

    return read_structure(globin_file, chain="B")


@pytest.fixture(scope="session")
def tiny_assets(tmp_path_factory) -> Path:
    """An assets folder whose 'compact' model has random weights and is fast."""
    import torch

    from glass_core.embedders.compact_encoder import CompactConfig, CompactEncoder
    from glass_core.models.checkpoint import save_encoder, save_model
    from glass_core.models.heads.effect import EffectConfig, EffectHead
    from glass_core.models.heads.siamese import SiameseConfig, SiameseTransformer

    torch.manual_seed(0)
    assets = tmp_path_factory.mktemp("assets")
    encoder = CompactEncoder(CompactConfig(dim=16, layers=1, heads=2, feedforward=32))
    head = SiameseTransformer(SiameseConfig(prottrans_dim=16, hidden_dim=16, output_dim=16))
    effect = EffectHead(EffectConfig(embedding_dim=16, hidden_dim=16, num_layers=1))
    folder = assets / "models" / "compact"
    save_encoder(folder, encoder)
    save_model(
        folder,
        {"siamese": head, "effect": effect},
        name="compact",
        version="0",
        embedder={"kind": "compact", "version": "0"},
        extra={"max_length": 200, "encoder": encoder.config.to_dict()},
    )
    return assets


@pytest.fixture(scope="session")
def tiny_predictor(tiny_assets):
    """A predictor over random weights: right in form, meaningless in value."""
    from glass_core.models.registry import load_predictor
    from glass_core.settings import Settings

    return load_predictor(Settings(assets=tiny_assets, device="cpu"))


@pytest.fixture(scope="session")
def seeing(tiny_predictor):
    """The tiny model with heads that read structures, and something to read them."""
    from glass_core.models.predictor import SiamesePredictor
    from tests.tools.mpnn import effect_head, made_structure_embedder, stability_head

    heads = {
        "siamese": tiny_predictor._siamese,
        "stability": stability_head(),
        "structure_effect": effect_head(),
    }
    return SiamesePredictor(
        tiny_predictor.embedder, heads, tiny_predictor.info, made_structure_embedder()
    )


@pytest.fixture
def answering(seeing):
    """The same with a head that makes one chance of what the others tell."""
    from glass_core.models.predictor import SiamesePredictor
    from tests.tools.mpnn import combined_head, effect_head, made_structure_embedder, stability_head

    heads = {
        "siamese": seeing._siamese,
        "stability": stability_head(),
        "structure_effect": effect_head(),
        "combined": combined_head(),
    }
    return SiamesePredictor(seeing.embedder, heads, seeing.info, made_structure_embedder())


@pytest.fixture
def run(tiny_assets, tmp_path):
    """Run a command with the tiny model; returns (exit code, stdout, stderr).

    Keywords are more variables of the environment.
    """
    from click.testing import CliRunner

    from glass_core.cli.main import main

    def call(*arguments, **more):
        environment = {
            "GLASS_ASSETS": str(tiny_assets),
            "GLASS_MODELS": str(tmp_path / "none"),
            "GLASS_RUNS": str(tmp_path / "runs.sqlite"),
            "GLASS_RELAXED": str(tmp_path / "relaxed"),
            "GLASS_DEVICE": "cpu",
            **more,
        }
        result = CliRunner().invoke(main, [str(a) for a in arguments], env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    return call


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory) -> Path:
    """A random T5 checkpoint in the Hugging Face layout with ProtT5's vocabulary size."""
    import torch
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny-t5")
    config = T5Config(
        vocab_size=128,
        d_model=24,
        d_kv=6,
        d_ff=48,
        num_layers=2,
        num_heads=4,
        is_encoder_decoder=False,
    )
    T5EncoderModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_esm2(tmp_path_factory) -> Path:
    """A random ESM-2 in the Hugging Face layout, where it looks like one from the cache."""
    import torch
    from transformers import EsmConfig, EsmForMaskedLM
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    torch.manual_seed(0)
    cache = tmp_path_factory.mktemp("hub") / "models--facebook--esm2_t6_8M_UR50D" / "snapshots"
    folder = cache / "0123456789abcdef"
    config = EsmConfig(
        vocab_size=33,
        mask_token_id=32,
        pad_token_id=1,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        position_embedding_type="rotary",
        token_dropout=True,
        emb_layer_norm_before=False,
        layer_norm_eps=1e-5,
        initializer_range=0.3,  # so that the logits are far from even
    )
    model = EsmForMaskedLM(config)
    with torch.no_grad():
        model.lm_head.bias.normal_()
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(get_default_vocab_list()))
    return folder


@pytest.fixture
def no_esm2(monkeypatch) -> None:
    """A machine without ESM-2's weights, whatever its Hugging Face cache holds."""
    monkeypatch.delenv("GLASS_ESM2", raising=False)
    monkeypatch.setattr("glass_core.embedders.published.cached_snapshot", lambda name: None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared data folder, for tests marked `data`."""
    folder = Path(
        os.environ.get("GLASS_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")
    )
    if not folder.is_dir():
        pytest.skip("no shared data folder; set GLASS_SHARED_DATA")
    return folder


@pytest.fixture
def services():
    """A local stand-in for the web services."""
    from tests.tools.services import running

    with running() as made:
        yield made
