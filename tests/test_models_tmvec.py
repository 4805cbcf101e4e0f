"""TM-Vec's checkpoints as a second predictor of TM-scores."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
import torch
from torch import nn

from glass_core.errors import ModelError, UnavailableError, VariantError
from glass_core.models.heads.tmvec import TmVecConfig, TmVecNetwork
from glass_core.models.registry import list_models, load_predictor, load_siamese
from glass_core.models.tmvec import load_tmvec
from glass_core.models.torch_files import read_torch_file
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.settings import Settings

WILD = "MKTAYIAKQRQISFVKSH"
SHAPE = {
    "d_model": 24, "nhead": 4, "num_layers": 2, "dim_feedforward": 48, "out_dim": 20,
    "dropout": 0.1, "activation": "relu", "lr0": 1e-4, "warmup_steps": 300,
}  # fmt: skip


class TheirNetwork(nn.Module):
    """TM-Vec put together from torch's `TransformerEncoder`, under the names of its checkpoints."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(24, 4, 48, 0.1, "relu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.mlp = nn.Linear(24, 20)

    def forward(self, x):
        return self.mlp(self.encoder(x).mean(dim=1))


class Callback:
    """What a training program keeps beside the weights."""

    def __init__(self, word):
        self.word = word


class Evil:
    def __reduce__(self):
        return (print, ("owned",))


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    network = TheirNetwork().eval()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.2)
    return network


def write(folder, state, shape=SHAPE, name="tm_vec_tiny"):
    """A checkpoint as Lightning saves it, with its configuration beside it."""
    path = folder / f"{name}.ckpt"
    torch.save(
        {
            "state_dict": state,
            "hyper_parameters": argparse.Namespace(lr0=1e-4),
            "callbacks": {"one": Callback("mine"), "two": Evil()},
            "epoch": 3,
        },
        path,
    )
    (folder / f"{name}_params.json").write_text(json.dumps(shape))
    return path


def test_it_computes_what_their_network_computes(theirs, tmp_path):
    ours = load_tmvec(write(tmp_path, theirs.state_dict()))
    x = torch.randn(3, 11, 24, generator=torch.Generator().manual_seed(1))
    mask = torch.ones(3, 11, dtype=torch.bool)
    mask[1, 5:] = mask[2, 1:] = False
    with torch.inference_mode():
        vectors = ours(x, mask)
        alone = torch.cat([theirs(x[:1]), theirs(x[1:2, :5]), theirs(x[2:, :1])])
    torch.testing.assert_close(vectors, alone, atol=1e-5, rtol=0)


def test_no_code_in_a_checkpoint_is_run(theirs, tmp_path, capsys):
    content = read_torch_file(write(tmp_path, theirs.state_dict()))
    assert content["epoch"] == 3
    assert not isinstance(content["callbacks"]["one"], Callback)
    assert not isinstance(content["hyper_parameters"], argparse.Namespace)
    assert "owned" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("configuration", "put tm_vec_tiny_params.json"),
        ("damaged configuration", "no configuration of TM-Vec"),
        ("absurd", "no configuration of TM-Vec"),
        ("list", "no configuration of TM-Vec"),
        ("shapes", "another shape has layers.0.linear1.bias"),
        ("missing", "lacks the tensor mlp.bias"),
        ("more", "not this network's: spare"),
        ("empty", "holds no weights"),
        ("text", "cannot be read as a checkpoint"),
        ("cut", "cannot be read as a checkpoint"),
    ],
)
def test_bad_checkpoints_are_refused_in_one_line(case, words, theirs, tmp_path):
    state = dict(theirs.state_dict())
    if case == "missing":
        del state["mlp.bias"]
    if case == "more":
        state["spare"] = torch.zeros(1)
    if case == "empty":
        state = {}
    shape = SHAPE | {"shapes": {"dim_feedforward": 64}, "absurd": {"d_model": 10**9}}.get(case, {})
    path = write(tmp_path, state, shape)
    beside = tmp_path / "tm_vec_tiny_params.json"
    if case == "configuration":
        beside.unlink()
    if case == "damaged configuration":
        beside.write_text("{")
    if case == "list":
        beside.write_text("[1, 2]")
    if case == "text":
        path.write_text("not a checkpoint")
    if case == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ModelError, match=words) as caught:
        load_tmvec(path)
    assert "\n" not in str(caught.value)


@pytest.fixture
def settings(theirs, tiny_assets, tiny_t5, tmp_path):
    write(tmp_path, theirs.state_dict())
    return Settings(assets=tiny_assets, models=tmp_path, prott5=str(tiny_t5), device="cpu")


def test_the_registry_runs_it_over_prott5(settings):
    predictor = load_predictor(settings, "tm_vec_tiny")
    assert predictor.heads == {"tmvec"}
    assert str(predictor.pooling) == "TM-Vec"
    protein = Protein.from_sequence(WILD)
    variants = [Variant.parse(text, WILD) for text in ("K2R", "T3del", "K2R")]
    first, shorter, again = predictor.predict(protein, variants)
    assert first.tm_score == again.tm_score < 1
    assert np.isnan(first.lddt).all()
    vectors = predictor.vectors([WILD, variants[1].mutant])
    assert shorter.tm_score == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert predictor.predict(protein, []) == []
    with pytest.raises(VariantError):
        predictor.predict(Protein.from_sequence("MKT"), variants)
    with pytest.raises(ModelError, match="no heads of GLASS"):
        load_siamese(settings, "tm_vec_tiny")


def test_padding_changes_no_vector(settings):
    predictor = load_predictor(settings, "tm_vec_tiny")
    together = predictor.vectors([WILD, WILD[:7], WILD[3:]])
    alone = np.concatenate([predictor.vectors([s]) for s in (WILD, WILD[:7], WILD[3:])])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_without_prott5_it_says_so(settings):
    from dataclasses import replace

    bare = replace(settings, prott5="nobody/nothing")
    (entry,) = [e for e in list_models(bare) if e.name == "tm_vec_tiny"]
    assert entry.version == "checkpoint of TM-Vec"
    with pytest.raises(UnavailableError, match="ProtT5"):
        load_predictor(bare, "tm_vec_tiny")


def test_another_embedder_is_refused(tiny_predictor):
    from glass_core.models.prediction import ModelInfo
    from glass_core.models.tmvec import TmVecPredictor

    info = ModelInfo("x", "1", "0" * 64, "compact", "cpu", "float32")
    network = TmVecNetwork(TmVecConfig(d_model=1024))
    with pytest.raises(ModelError, match="width 1024"):
        TmVecPredictor(tiny_predictor.embedder, network, info)


def test_commands_take_it(run, settings, globin_file, tmp_path):
    environment = {"GLASS_MODELS": str(settings.models), "GLASS_PROTT5": settings.prott5}
    code, out, _ = run(
        "impact", "--structure", globin_file, "--chain", "A", "--variant", "V31P",
        "--model", "tm_vec_tiny", "--out", tmp_path / "out", **environment,
    )  # fmt: skip
    assert code == 0
    assert "TM-Vec tells TM-scores alone" in out
    assert "nan" not in out
    (told,) = (tmp_path / "out").glob("*.json")
    content = json.loads(told.read_text(), parse_constant=lambda word: pytest.fail(word))
    assert set(content["prediction"]["lddt"]) == {None}
    table = tmp_path / "table.csv"
    code, _, told = run(
        "screen", "--wild", WILD, "--variants", "K2R T3W", "--model", "tm_vec_tiny",
        "--out", table, **environment,
    )  # fmt: skip
    assert code == 0, told
    assert "By predicted TM-score deficit" in told
    assert table.read_text().count("checkpoint of TM-Vec") == 2
