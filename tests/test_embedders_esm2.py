"""ESM-2's log-odds against transformers' own head and tokeniser, on tiny random weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from glass_core.embedders.compact import windows
from glass_core.embedders.esm2 import WINDOW, Esm2
from glass_core.embedders.esm2_files import TOKEN, find_source
from glass_core.embedders.esm2_scores import esm2_title, with_esm2
from glass_core.errors import Cancelled, GlassError, ModelError, UnavailableError
from glass_core.progress import Watch
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.settings import Settings

CPU = torch.device("cpu")
SPECIAL = ["<cls>", "<pad>", "<eos>", "<unk>"]
WORDS = [*SPECIAL, *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]
"""The published vocab.txt."""
SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"
REPOSITORY = "facebook/esm2_t6_8M_UR50D"
LARGEST = "facebook/esm2_t36_3B_UR50D"


@pytest.fixture(scope="module")
def folder(tiny_esm2):
    return tiny_esm2


@pytest.fixture(scope="module")
def esm(folder):
    return Esm2.load(Settings(esm2=str(folder)), CPU)


@pytest.fixture(scope="module")
def judge(folder):
    """Log-probabilities of all 33 words by transformers alone, shape=(L, 33)."""
    from transformers import EsmForMaskedLM, EsmTokenizer

    tokenizer = EsmTokenizer(str(folder / "vocab.txt"))
    model = EsmForMaskedLM.from_pretrained(folder).eval()

    def ask(text):
        with torch.inference_mode():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0, 1:-1]
        return dict(zip(WORDS, torch.log_softmax(logits.double(), -1).T.numpy(), strict=True))

    return ask


@pytest.fixture
def copy(folder, tmp_path):
    """The folder copied to a place that is no cache."""
    return shutil.copytree(folder, tmp_path / "mine")


def by_judge(told, sequence):
    """Log-odds from log-probabilities by word, NaN as we have it."""
    table = np.full((len(sequence), 20), np.nan)
    for i, own in enumerate(sequence):
        for k, letter in enumerate(STANDARD):
            if own in STANDARD and letter != own:
                table[i, k] = told[letter][i] - told[own][i]
    return table


def close(ours, theirs):
    np.testing.assert_allclose(ours.score, theirs, atol=1e-5, rtol=0, equal_nan=True)


def test_the_vocabulary_is_the_published_one():
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    assert tuple(WORDS) == get_default_vocab_list()
    assert all(TOKEN[word] == number for number, word in enumerate(WORDS))


def test_wild_type_marginals_equal_transformers_own(esm, judge):
    scores = esm.wild_type_marginals(SEQUENCE)
    close(scores, by_judge(judge(SEQUENCE), SEQUENCE))
    assert np.nanstd(scores.score) > 0.1, "the test would hold of anything"


def test_masked_marginals_equal_a_slow_loop(esm, judge):
    slow = np.full((len(SEQUENCE), 20), np.nan)
    for i in range(len(SEQUENCE)):
        told = judge(SEQUENCE[:i] + "<mask>" + SEQUENCE[i + 1 :])
        slow[i] = by_judge(told, SEQUENCE)[i]
    masked = esm.masked_marginals(SEQUENCE)
    close(masked, slow)
    far = np.abs(masked.score - esm.wild_type_marginals(SEQUENCE).score)
    assert np.nanmax(far) > 0.01


def test_letters_outside_the_20_are_read_as_x(esm, judge):
    sequence = "MKXAYUAKBQO"
    read = "MKXAYXAKXQX"
    scores = esm.wild_type_marginals(sequence)
    close(scores, by_judge(judge(read), sequence))
    assert np.isnan(scores.score[[2, 5, 8, 10]]).all()
    masked = esm.masked_marginals(sequence)
    assert np.array_equal(np.isnan(masked.score), np.isnan(scores.score))
    assert np.isnan(esm.masked_marginals("XX").score).all()


def test_long_sequences_are_read_in_windows(esm, judge, monkeypatch):
    monkeypatch.setattr("glass_core.embedders.esm2.WINDOW", 16)
    whole = np.full((len(SEQUENCE), 20), np.nan)
    for cut in windows(len(SEQUENCE), 16):
        piece = SEQUENCE[cut.start : cut.stop]
        rows = slice(cut.start + cut.first, cut.start + cut.last)
        whole[rows] = by_judge(judge(piece), piece)[cut.first : cut.last]
    close(esm.wild_type_marginals(SEQUENCE), whole)
    assert not np.isnan(whole).all(axis=1).any()
    first = windows(len(SEQUENCE), 16)[0]
    last = first.last - 1  # the last residue that is taken from the first window
    told = judge(SEQUENCE[:last] + "<mask>" + SEQUENCE[last + 1 : 16])
    masked = esm.masked_marginals(SEQUENCE).score
    expected = by_judge(told, SEQUENCE[:16])[last]
    np.testing.assert_allclose(masked[last], expected, atol=1e-5, rtol=0)
    assert not np.isnan(masked).all(axis=1).any()


def test_a_window_is_what_was_seen_in_training(esm):
    assert WINDOW == 1_022
    scores = esm.wild_type_marginals("MKTAYIAKQR" * 103)  # 1,030
    assert not np.isnan(scores.score).all(axis=1).any()


def test_they_are_named_as_esm2s(esm):
    scores = esm.wild_type_marginals(SEQUENCE)
    assert scores.name == "ESM-2 8M (wild-type marginals)"
    assert scores.source == REPOSITORY
    assert scores.version == "revision 0123456789ab"
    assert scores.licence == "MIT"
    assert not scores.higher_is_damaging
    assert "lower = more damaging" in scores.scale
    assert scores.kind == "esm2"
    masked = esm.masked_marginals(SEQUENCE)
    assert (masked.kind, masked.name) == ("esm2_masked", "ESM-2 8M (masked marginals)")
    one, other, both = (
        scores.told(Variant.parse(text, SEQUENCE))["esm2"] for text in ("M1A", "K2A", "M1A:K2A")
    )
    assert both == pytest.approx(one + other, abs=1e-5)
    protein = Protein(SEQUENCE, "", None, np.full(len(SEQUENCE), -1), computed=(scores, masked))
    assert len(protein.external) == 2


def test_batches_change_no_number_and_are_told(folder, esm):
    told = []
    small = Esm2.load(Settings(esm2=str(folder)), CPU)
    small.token_budget = 100  # three at a time
    watch = Watch(tell=lambda stage, fraction: told.append((stage, fraction)))
    masked = small.masked_marginals(SEQUENCE, watch)
    np.testing.assert_allclose(masked.score, esm.masked_marginals(SEQUENCE).score, atol=1e-5)
    assert len(told) == 11
    assert told[-1] == ("ESM-2", 1.0)
    assert [f for _, f in told] == sorted(f for _, f in told)


def test_it_stops_when_asked_to(folder):
    small = Esm2.load(Settings(esm2=str(folder)), CPU)
    small.token_budget = 33
    told = []
    watch = Watch(lambda *what: told.append(what), lambda: len(told) >= 3)
    with pytest.raises(Cancelled, match="ESM-2"):
        small.masked_marginals(SEQUENCE, watch)
    assert len(told) == 3


def test_memory_that_runs_out_makes_smaller_batches(folder, esm, monkeypatch):
    small = Esm2.load(Settings(esm2=str(folder)), CPU)
    original, sizes = small._batch, []

    def tight(pieces):
        sizes.append(len(pieces))
        if len(pieces) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return original(pieces)

    monkeypatch.setattr(small, "_batch", tight)
    np.testing.assert_allclose(
        small.masked_marginals(SEQUENCE).score, esm.masked_marginals(SEQUENCE).score, atol=1e-5
    )
    assert max(sizes) > 2


@pytest.mark.parametrize("sequence", ["", "MK*", "mkt", "M-K"])
def test_what_is_no_sequence_is_refused(esm, sequence):
    for way in (esm.wild_type_marginals, esm.masked_marginals):
        with pytest.raises(GlassError, match="sequence"):
            way(sequence)


# --- weights ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "no weights are on this machine; run: glass models get esm2-650m"),
        ("esm2-8m", "run: glass models get esm2-8m "),
        (REPOSITORY, "run: glass models get esm2-8m "),
        ("nobody/nothing", "run: glass models get esm2-650m"),
        ("/no/such/folder", "run: glass models get esm2-650m"),
    ],
)
def test_missing_weights_say_how_to_get_them(given, says, monkeypatch):
    monkeypatch.setattr("glass_core.embedders.published.cached_snapshot", lambda name: None)
    with pytest.raises(UnavailableError, match=says):
        Esm2.load(Settings(esm2=given), CPU)


def test_a_name_of_ours_leads_to_the_cache(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "glass_core.embedders.published.cached_snapshot", lambda name: asked.append(name) or folder
    )
    assert find_source("esm2-8m").title == "ESM-2 8M"
    assert asked == [REPOSITORY]


def test_with_nothing_named_the_largest_that_was_fetched_is_taken(folder, tmp_path, monkeypatch):
    began = tmp_path / "began"  # a download that never ended
    began.mkdir()
    here = {REPOSITORY: folder, "facebook/esm2_t30_150M_UR50D": folder, LARGEST: began}
    asked = []
    monkeypatch.setattr(
        "glass_core.embedders.esm2_files.find_folder",
        lambda given, repository: asked.append(given) or here.get(repository),
    )
    assert find_source("").folder == folder
    assert asked[:3] == ["esm2-3b", "esm2-650m", "esm2-150m"]
    assert asked[-1] == "esm2-150m"


def test_a_protein_gets_the_scores_of_its_sequence(folder):
    settings = Settings(esm2=str(folder), device="cpu")
    protein = Protein.from_sequence(SEQUENCE)
    both = with_esm2(with_esm2(protein, "wild-type", settings), "masked", settings)
    assert [scores.kind for scores in both.external] == ["esm2", "esm2_masked"]
    assert protein.external == ()
    again = with_esm2(both, "wild-type", settings)
    assert [scores.kind for scores in again.external] == ["esm2_masked", "esm2"]


def test_the_same_wild_type_is_asked_about_once(folder, monkeypatch):
    settings = Settings(esm2=str(folder), device="cpu")
    asked, original = [], Esm2.wild_type_marginals
    monkeypatch.setattr(
        Esm2,
        "wild_type_marginals",
        lambda self, sequence, watch: asked.append(sequence) or original(self, sequence, watch),
    )
    sequences = [SEQUENCE[:20], SEQUENCE[:20], SEQUENCE[:19]]
    for number, sequence in enumerate(sequences):
        watch = Watch(tell=lambda *what, number=number: None)
        with_esm2(Protein.from_sequence(sequence), "wild-type", settings, watch)
    assert asked == [SEQUENCE[:20], SEQUENCE[:19]]


def test_what_was_cancelled_is_not_kept(folder):
    settings = Settings(esm2=str(folder), device="cpu")
    protein = Protein.from_sequence(SEQUENCE[:18])
    with pytest.raises(Cancelled, match="ESM-2"):
        with_esm2(protein, "masked", settings, Watch(cancelled=lambda: True))
    assert len(with_esm2(protein, "masked", settings).external) == 1


def test_what_the_weights_are_called(folder, no_esm2):
    assert esm2_title(Settings(esm2=str(folder))) == "ESM-2 8M"
    assert esm2_title(Settings()) == ""
    assert esm2_title(Settings(esm2="/no/such/folder")) == ""


def test_a_folder_of_ones_own_is_called_by_its_name(copy):
    scores = Esm2.load(Settings(esm2=str(copy)), CPU).wild_type_marginals("MKT")
    assert (scores.name, scores.source) == ("ESM-2 mine (wild-type marginals)", "mine")
    assert scores.licence == "MIT, as ESM-2 is published"


def test_files_as_they_were_published_are_read_alike(copy, esm):
    """They have frequencies for each layer, and the head's matrix beside the letters'."""
    path = copy / "model.safetensors"
    tensors = load_file(path)
    (shared,) = (name for name in tensors if name.endswith("inv_freq"))
    frequencies = tensors.pop(shared)
    for layer in range(2):
        name = f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"
        tensors[name] = frequencies.clone()
    tensors = {k: v for k, v in tensors.items() if "contact_head" not in k}
    tensors["lm_head.decoder.weight"] = tensors["esm.embeddings.word_embeddings.weight"].clone()
    tensors["esm.embeddings.position_ids"] = torch.arange(1026)[None]
    save_file(tensors, path, metadata={"format": "pt"})
    close(
        Esm2.load(Settings(esm2=str(copy)), CPU).wild_type_marginals(SEQUENCE),
        esm.wild_type_marginals(SEQUENCE).score,
    )


def test_weights_that_are_no_safetensors_are_read_as_tensors_only(copy, esm):
    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    close(
        Esm2.load(Settings(esm2=str(copy)), CPU).wild_type_marginals(SEQUENCE),
        esm.wild_type_marginals(SEQUENCE).score,
    )
    torch.save({"run": print}, copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        Esm2.load(Settings(esm2=str(copy)), CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "bert"}, "is no ESM-2 model"),
        ({"position_embedding_type": "absolute"}, "is no ESM-2 model"),  # ESM-1b
        ({"vocab_size": 64}, "is no ESM-2 model"),
        ({"is_folding_model": True}, "is no ESM-2 model"),
        ({"hidden_size": "wide"}, "odd ones"),
        ({"num_hidden_layers": 10**9}, "odd ones"),
        ({"num_attention_heads": 5}, "cannot be loaded"),
        ({"hidden_size": 48}, "cannot be loaded"),
        ({"num_hidden_layers": 3}, "cannot be loaded"),
    ],
)
def test_another_models_folder_is_refused_in_one_line(copy, changes, says):
    path = copy / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelError, match=says) as caught:
        Esm2.load(Settings(esm2=str(copy)), CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "error", "says"),
    [
        ("config.json", b"{", ModelError, "config.json cannot be read"),
        ("config.json", b"[]", ModelError, "is no ESM-2 model"),
        ("config.json", None, ModelError, "config.json cannot be read"),
        ("vocab.txt", b"A\nB\n", ModelError, "by its vocab.txt"),
        ("model.safetensors", b"damaged", ModelError, "cannot be loaded"),
        ("model.safetensors", None, UnavailableError, "holds no weights"),
    ],
)
def test_damaged_files_are_refused_in_one_line(copy, file, content, error, says):
    if content is None:
        (copy / file).unlink()
    else:
        (copy / file).write_bytes(content)
    with pytest.raises(error, match=says) as caught:
        Esm2.load(Settings(esm2=str(copy)), CPU)
    assert "\n" not in str(caught.value)


def test_a_lacking_tensor_is_named(copy):
    path = copy / "model.safetensors"
    tensors = load_file(path)
    del tensors["lm_head.dense.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="lacks 1 tensors, such as lm_head"):
        Esm2.load(Settings(esm2=str(copy)), CPU)


def test_weights_that_are_not_known_are_one_line(run):
    code, out, err = run("models", "get", "nothing")
    assert code == 2 and out == ""
    assert err.startswith("Error: 'nothing': is not known; use ") and len(err.splitlines()) == 1
