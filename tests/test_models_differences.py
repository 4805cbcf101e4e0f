"""Mutants predicted through differences to the wild type: as the plain path, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from glass_core.embedders.compact import CompactEmbedder
from glass_core.embedders.compact_encoder import CompactConfig, CompactEncoder
from glass_core.embedders.device import fast_bfloat16
from glass_core.models import predictor as module
from glass_core.models.differences.network import DIFFERENTIAL_DTYPE, DifferentialNetwork
from glass_core.models.heads.siamese import SiameseConfig, SiameseTransformer
from glass_core.models.prediction import ModelInfo
from glass_core.models.predictor import FEWEST_MUTANTS, SiamesePredictor
from glass_core.models.registry import load_predictor
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.settings import Settings

CPU = torch.device("cpu")
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def compact():
    return load_predictor(Settings(device="cpu"))


@pytest.fixture(scope="module")
def network(compact):
    return DifferentialNetwork(compact.embedder.encoder, compact._siamese, compact._fold)


@pytest.fixture
def forced(monkeypatch):
    """The differential path also where products in bf16 are not fast."""
    monkeypatch.setattr(module, "fast_bfloat16", lambda device: device.type == "cpu")


def random_sequence(length):
    return "".join(np.random.default_rng(length).choice(list(STANDARD), length))


def mutated(sequence, sites, rng):
    letters = list(sequence)
    for site in sites:
        letters[site] = rng.choice(list(STANDARD.replace(letters[site], "")))
    return "".join(letters)


def gaps(predictor, network, wild_type, mutants):
    """Largest differences of TM-score and lDDT between the two paths."""
    wild, *plain = predictor.project([wild_type, *mutants])
    tm, lddt = network.compare(wild_type, mutants)
    assert tm.shape == (len(mutants),) and lddt.shape == (len(mutants), len(wild_type))
    return (
        max(
            float((t - module.predicted_tm(wild.pooled, mutant.pooled)).abs())
            for t, mutant in zip(tm, plain, strict=True)
        ),
        max(
            float((one - module.predicted_lddt(wild.residues, mutant.residues)).abs().max())
            for one, mutant in zip(lddt, plain, strict=True)
        ),
    )


@pytest.mark.parametrize("which", ["globin", 12, 60, 320])
def test_differences_give_the_numbers_of_the_plain_path(compact, network, globin, which):
    wild_type = globin.sequence if which == "globin" else random_sequence(which)
    rng = np.random.default_rng(1)
    length = len(wild_type)
    sites = [*range(6), length // 2, *range(length - 4, length), *rng.choice(length, 5)]
    mutants = [mutated(wild_type, [site], rng) for site in sites]
    mutants += [mutated(wild_type, rng.choice(length, 2, replace=False), rng) for _ in range(6)]
    mutants += [mutated(wild_type, [0, length - 1], rng), mutated(wild_type, range(5, 11), rng)]
    assert max(gaps(compact, network, wild_type, mutants)) < TOLERANCE


def test_substitutions_that_the_globin_feels_most(compact, network, globin):
    wild_type = globin.sequence
    mutants = [
        wild_type[:site] + put_in + wild_type[site + 1 :]
        for site, letter in enumerate(wild_type)
        for put_in in "PWG"
        if letter in "WCPGLIF" and put_in != letter
    ]
    assert max(gaps(compact, network, wild_type, mutants[::4])) < TOLERANCE


def test_one_residue_and_unknown_letters(compact, network):
    assert max(gaps(compact, network, "M", ["K", "W"])) < TOLERANCE
    wild_type = "MKUX" + random_sequence(30)
    mutants = [wild_type.replace("U", "Z"), wild_type.replace("X", "W"), wild_type]
    assert max(gaps(compact, network, wild_type, mutants)) < TOLERANCE
    tm, lddt = network.compare(wild_type, [wild_type])
    assert float(tm[0]) == pytest.approx(1, abs=1e-5) and float(lddt.min()) > 1 - 1e-5


def test_companions_change_no_number(network):
    wild_type, rng = random_sequence(90), np.random.default_rng(2)
    mutants = [mutated(wild_type, [site], rng) for site in range(60)]
    tm, lddt = network.compare(wild_type, mutants)
    for place in (0, 31, 59):
        alone_tm, alone_lddt = network.compare(wild_type, [mutants[place]])
        torch.testing.assert_close(alone_tm[0], tm[place], atol=3e-5, rtol=0)
        torch.testing.assert_close(alone_lddt[0], lddt[place], atol=3e-5, rtol=0)


def test_another_shape_of_the_network():
    torch.manual_seed(3)
    encoder = CompactEncoder(
        CompactConfig(
            dim=32, layers=3, heads=2, feedforward=48, conv_layers=3, conv_width=3, window=64
        )
    )
    head = SiameseTransformer(
        SiameseConfig(prottrans_dim=32, hidden_dim=16, output_dim=24, nhead=2)
    )
    predictor = SiamesePredictor(
        CompactEmbedder(encoder, "small", CPU),
        {"siamese": head},
        ModelInfo("small", "0", "0" * 64, "small", "cpu", "float32"),
    )
    wild_type, rng = random_sequence(40), np.random.default_rng(4)
    mutants = [mutated(wild_type, [site], rng) for site in range(40)]
    network = DifferentialNetwork(encoder, head)
    assert max(gaps(predictor, network, wild_type, mutants)) < TOLERANCE


def substitutions(wild_type, number):
    rng = np.random.default_rng(5)
    made = [mutated(wild_type, [k % len(wild_type)], rng) for k in range(number)]
    return [Variant.from_sequences(wild_type, mutant) for mutant in made]


def test_a_list_of_substitutions_says_how_it_was_predicted(compact, forced):
    protein = Protein.from_sequence(random_sequence(40))
    variants = substitutions(protein.sequence, FEWEST_MUTANTS)
    done = []
    made = compact.predict(protein, variants, lambda *count: done.append(count))
    assert {p.model.dtype for p in made} == {DIFFERENTIAL_DTYPE}
    assert done[-1][0] == done[-1][1] == len({v.mutant for v in variants})
    plain = [compact.predict(protein, [v])[0] for v in variants[:8]]
    assert {p.model.dtype for p in plain} == {compact.info.dtype} == {"float32"}
    for fast, slow in zip(made, plain, strict=False):
        assert fast.tm_score == pytest.approx(slow.tm_score, abs=TOLERANCE)
        np.testing.assert_allclose(fast.lddt, slow.lddt, atol=TOLERANCE)
        assert fast.told == pytest.approx(slow.told, abs=1e-4)
        assert fast.flags == slow.flags


@pytest.mark.parametrize("why", ["a deletion", "few", "long", "slow", "no compact model"])
def test_everything_else_goes_the_plain_way(compact, forced, monkeypatch, why):
    wild_type = random_sequence(321 if why == "long" else 30)
    variants = substitutions(wild_type, FEWEST_MUTANTS - (why == "few"))
    predictor = compact
    if why == "a deletion":
        variants[3] = Variant.parse(f"{wild_type[4]}5del", wild_type)
    if why == "slow":
        monkeypatch.setattr(module, "fast_bfloat16", lambda device: False)
    if why == "no compact model":
        predictor = SiamesePredictor(
            _Wrapped(compact.embedder), {"siamese": compact._siamese}, compact.info
        )
    assert predictor._differential(variants) is None
    if why == "a deletion":
        made = predictor.predict(Protein.from_sequence(wild_type), variants)
        assert {p.model.dtype for p in made} == {"float32"} and np.isnan(made[3].lddt[4])


class _Wrapped:
    """Some other embedder."""

    def __init__(self, embedder):
        self.name, self.dim, self.device = embedder.name, embedder.dim, embedder.device
        self.encoder = None


@pytest.mark.parametrize(("units", "used"), [(True, True), (True, False), (False, True)])
def test_only_a_cpu_with_matrix_units_for_bfloat16_is_fast(monkeypatch, units, used):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: units)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: used)
    assert fast_bfloat16(CPU) == (units and used)
    assert not fast_bfloat16(torch.device("cuda"))


def test_matrix_units_that_onednn_may_not_use_are_not_fast():
    code = (
        "import torch; torch.cpu._is_amx_tile_supported = lambda: True\n"
        "from glass_core.embedders.device import fast_bfloat16\n"
        "print(fast_bfloat16(torch.device('cpu')))"
    )
    held = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    told = subprocess.run([sys.executable, "-c", code], env=held, capture_output=True, check=True)
    assert told.stdout.split() == [b"False"]
