"""Spaces of sequences and structures: CLSS's checkpoints against transformers' own network."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from glass_core.embedders.esm2_files import TOKEN
from glass_core.errors import InputError, ModelError, SequenceError, UnavailableError
from glass_core.inputs.upload import example_upload
from glass_core.models.registry import load_siamese
from glass_core.models.space.clss import ClssSpace
from glass_core.models.space.own import OwnSpace, save_space
from glass_core.models.space.registry import list_spaces, load_space
from glass_core.models.space.sequences import SequenceReader
from glass_core.models.space.structures import MpnnReader
from glass_core.models.space.towers import SpaceConfig, Towers
from glass_core.protein.structure.file import read_structure
from glass_core.settings import Settings
from tests.tools.mpnn import made_structure_embedder

CPU = torch.device("cpu")
SEQUENCES = ["MKTAYIAKQRQISFVKSHF", "GG", "MKTAYIAXQRQISFVKSHFSRQLEERLGLIEVQ"]


def run_code(words):
    pytest.fail(words)


class Code:
    """What a training program keeps beside its weights."""

    def __reduce__(self):
        return (run_code, ("its code was run",))


def network():
    from transformers import EsmConfig, EsmModel

    torch.manual_seed(0)
    config = EsmConfig(
        vocab_size=33, hidden_size=24, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=48, position_embedding_type="rotary", token_dropout=True,
        emb_layer_norm_before=False, pad_token_id=1, mask_token_id=32, layer_norm_eps=1e-5,
    )  # fmt: skip
    return EsmModel(config).eval()


@pytest.fixture
def parts():
    """An encoder, an adapter, and the checkpoint that CLSS would save of them."""
    encoder, adapter = network(), torch.nn.Linear(24, 32)
    state = {
        "temperature": torch.tensor(0.5),
        **{f"sequence_encoder.{name}": one for name, one in encoder.state_dict().items()},
        "sequence_adapter.1.weight": adapter.weight.detach(),
        "sequence_adapter.1.bias": adapter.bias.detach(),
        "structure_adapter.0.weight": torch.zeros(32, 1536),
        "structure_adapter.0.bias": torch.zeros(32),
    }
    return encoder, adapter, state


def saved(folder, state, **more):
    path = folder / "CLSS-sub.lckpt"
    torch.save({"state_dict": state, "hyper_parameters": {"hidden_dim": 32}, **more}, path)
    return path


def test_clss_s_tower_is_transformers_own_network_behind_an_adapter(parts, tmp_path):
    encoder, adapter, state = parts
    space = ClssSpace.load(saved(tmp_path, state, callbacks=Code()), CPU)
    expected = []
    for sequence in SEQUENCES:
        ids = torch.tensor([[TOKEN["<cls>"], *(TOKEN[c] for c in sequence), TOKEN["<eos>"]]])
        with torch.inference_mode():
            hidden = encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            placed = adapter(torch.relu(hidden[0].mean(dim=0)))
        expected.append((placed / placed.norm()).numpy())
    np.testing.assert_allclose(space.of_sequences(SEQUENCES), expected, atol=1e-5)
    assert (space.info.name, space.info.dim) == ("CLSS-sub", 32)
    done = []
    space.of_sequences(SEQUENCES, done.append)
    assert done == [1, 2, 3]


def test_the_rescaling_of_token_dropout_is_kept(parts, tmp_path):
    encoder, _, state = parts
    encoder.config.token_dropout = False
    encoder.embeddings.token_dropout = False
    ids = torch.tensor([[TOKEN["<cls>"], *(TOKEN[c] for c in SEQUENCES[0]), TOKEN["<eos>"]]])
    with torch.inference_mode():
        plain = encoder.embeddings(ids, attention_mask=torch.ones_like(ids))
    space = ClssSpace.load(saved(tmp_path, state), CPU)
    with torch.inference_mode():
        ours = space._encoder.embeddings(ids, attention_mask=torch.ones_like(ids))
    torch.testing.assert_close(ours, 0.88 * plain)


def test_names_of_older_versions_of_transformers_load(parts, tmp_path):
    _, _, state = parts
    state.pop("sequence_encoder.rotary_embeddings.inv_freq")
    state["sequence_encoder.encoder.layer.0.attention.self.rotary_embeddings.inv_freq"] = (
        torch.zeros(3)
    )
    state["sequence_encoder.embeddings.position_ids"] = torch.zeros(1, 1026)
    old = ClssSpace.load(saved(tmp_path, state), CPU).of_sequences(SEQUENCES)
    (tmp_path / "new").mkdir()
    _, _, again = parts
    new = ClssSpace.load(saved(tmp_path / "new", again), CPU).of_sequences(SEQUENCES)
    np.testing.assert_allclose(old, new, atol=1e-6)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda s: s.pop("sequence_adapter.1.bias"), "holds no tower of sequences"),
        (lambda s: s.pop("sequence_encoder.encoder.layer.1.output.dense.bias"), "lacks the tensor"),
        (lambda s: s.update({"head.weight": torch.zeros(2)}), "of no part of CLSS: head.weight"),
        (
            lambda s: s.update({"sequence_adapter.1.weight": torch.zeros(32, 25)}),
            "does not fit its encoder",
        ),
        (
            lambda s: s.pop("sequence_encoder.contact_head.regression.weight"),
            "encoder is not ESM-2's",
        ),
        (
            lambda s: s.update({"sequence_encoder.pooler.dense.bias": torch.zeros(9)}),
            "another shape has pooler.dense.bias",
        ),
    ],
)
def test_other_files_are_told(harm, told, parts, tmp_path):
    _, _, state = parts
    harm(state)
    with pytest.raises(ModelError, match=told):
        ClssSpace.load(saved(tmp_path, state), CPU)


def test_garbage_is_told(tmp_path):
    path = tmp_path / "x.lckpt"
    path.write_bytes(b"\x80\x04 no checkpoint")
    with pytest.raises(ModelError, match=r"x\.lckpt: cannot be read"):
        ClssSpace.load(path, CPU)


def test_structures_and_letters_that_are_none_are_told(parts, tmp_path):
    _, _, state = parts
    space = ClssSpace.load(saved(tmp_path, state), CPU)
    with pytest.raises(UnavailableError, match="needs ESM3"):
        space.of_structures([])
    with pytest.raises(SequenceError, match="sequence 2"):
        space.of_sequences(["MKV", "MK1"])


@pytest.fixture
def own(tiny_assets, tmp_path):
    """A space of random towers over the tiny model and a small reader of structures."""
    predictor = load_siamese(Settings(assets=tiny_assets, device="cpu"))
    reader = SequenceReader(predictor)
    structures = MpnnReader(made_structure_embedder())
    torch.manual_seed(0)
    towers = Towers(SpaceConfig(reader.dim, structures.dim, hidden=16))
    folder = tmp_path / "compact"
    save_space(folder, towers, reader.name, reader.sha256, structures.name)
    return folder, predictor, lambda: structures


@pytest.fixture
def backbone():
    return read_structure(example_upload().content, chain="A", name="2gtl").backbone


def test_places_have_length_1_and_are_each_its_own(own, backbone):
    space = OwnSpace.load(*own)
    sequences = space.of_sequences([*SEQUENCES, SEQUENCES[0]])
    assert sequences.shape == (4, space.info.dim)
    np.testing.assert_allclose(np.linalg.norm(sequences, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(sequences[3], sequences[0], atol=1e-5)
    assert not np.allclose(sequences[1], sequences[0])
    (structure,) = space.of_structures([backbone])
    assert np.linalg.norm(structure) == pytest.approx(1, abs=1e-5)


def test_the_letters_of_a_structure_are_not_read(own, backbone):
    space = OwnSpace.load(*own)
    other = backbone.with_letters("A" * len(backbone))
    np.testing.assert_allclose(
        space.of_structures([backbone]), space.of_structures([other]), atol=1e-6
    )


def test_a_structure_may_lie_anywhere(own, backbone):
    space = OwnSpace.load(*own)
    turn = Rotation.from_euler("xyz", [1, 2, 3]).as_matrix().astype(np.float32)
    moved = replace(backbone, coordinates=backbone.coordinates @ turn.T + 30)
    np.testing.assert_allclose(
        space.of_structures([backbone]), space.of_structures([moved]), atol=1e-4
    )


def test_too_little_of_a_structure_is_told(own, backbone):
    coordinates = backbone.coordinates.copy()
    coordinates[:, 0] = np.nan
    traces = replace(backbone, coordinates=coordinates)
    with pytest.raises(InputError, match="0 residues with N, CA, C and O"):
        OwnSpace.load(*own).of_structures([traces])


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda f: (f / "card.json").unlink(), "card.json cannot be read"),
        (lambda f: (f / "card.json").write_text("[1]"), "card.json cannot be read"),
        (lambda f: rewritten(f, format="glass-space/9"), "not of the format glass-space/1"),
        (lambda f: rewritten(f, towers={"dim": 32}), "missing or unknown fields"),
        (
            lambda f: rewritten(f, sequences={"name": "compact 0", "sha256": "f" * 64}),
            "stands on other weights of compact 0",
        ),
        (lambda f: (f / "towers.safetensors").write_bytes(b"x"), "not the file its card describes"),
        (lambda f: (f / "towers.safetensors").unlink(), "is missing"),
    ],
)
def test_a_damaged_space_is_told(harm, told, own):
    harm(own[0])
    with pytest.raises(ModelError, match=told):
        OwnSpace.load(*own)


def rewritten(folder, **changes):
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_structures_by_another_reader_have_no_place(own, backbone):
    folder, predictor, structures = own
    rewritten(folder, structures="joint")
    space = OwnSpace.load(folder, predictor, structures)
    with pytest.raises(UnavailableError, match="places structures that joint has read"):
        space.of_structures([backbone])


def test_spaces_are_listed_and_loaded_by_name(own, parts, tiny_assets, tmp_path):
    shutil.copytree(tiny_assets, tmp_path / "assets")
    shutil.copytree(own[0], tmp_path / "assets/spaces/compact")
    (tmp_path / "mine").mkdir()
    saved(tmp_path / "mine", parts[2])
    settings = Settings(assets=tmp_path / "assets", models=tmp_path / "mine", device="cpu")
    assert list(list_spaces(settings)) == ["compact", "CLSS-sub"]
    assert load_space(settings).info.name == "compact"
    assert load_space(settings, "CLSS-sub").info.version == "checkpoint of CLSS"
    with pytest.raises(UnavailableError, match="none of that name; installed: compact, CLSS-sub"):
        load_space(settings, "clss")
