"""Alignments by embeddings, against independent programs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import logsumexp

from glass_core.errors import InputError, ModelError, RecordError
from glass_core.search.alignment import Alignment, Gaps, align
from glass_core.search.deepblast import load_deepblast, recursion
from glass_core.search.similarity import Similarity, enhanced


def matrix(n, m, seed=0):
    return np.random.default_rng(seed).standard_normal((n, m))


def letters(length, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACDEFGHIKLMNPQRSTVWY"), length))


def by_biotite(alike, gaps):
    """The best score and pairs by biotite, in thousandths."""
    from biotite.sequence import GeneralSequence, LetterAlphabet
    from biotite.sequence.align import SubstitutionMatrix, align_optimal

    n, m = alike.shape
    symbols = [chr(33 + k) for k in range(max(n, m))]
    first, second = LetterAlphabet(symbols[:n]), LetterAlphabet(symbols[:m])
    scores = SubstitutionMatrix(first, second, np.round(1_000 * alike).astype(np.int32))
    found = align_optimal(
        GeneralSequence(first, symbols[:n]),
        GeneralSequence(second, symbols[:m]),
        scores,
        gap_penalty=(-round(1_000 * gaps.opening), -round(1_000 * gaps.extension)),
        terminal_penalty=False,
        local=gaps.mode == "local",
        max_number=1,
    )[0]
    trace = found.trace
    return found.score / 1_000, trace[(trace >= 0).all(axis=1)]


@pytest.mark.parametrize("mode", ["local", "global"])
@pytest.mark.parametrize("seed", range(4))
def test_biotite_finds_the_same(mode, seed):
    gaps = Gaps(0.9, 0.2, mode)
    alike = np.round(matrix(40, 33, seed), 3)
    ours = align(letters(40), letters(33), alike, gaps)
    score, pairs = by_biotite(alike, gaps)
    assert ours.score == pytest.approx(score, abs=1e-6)
    np.testing.assert_array_equal(ours.pairs, pairs)
    np.testing.assert_array_equal(ours.confidence, alike[pairs[:, 0], pairs[:, 1]])


def test_an_alignment_tells_what_faces_what():
    made = Alignment(
        "MKTAYI", "GKAYLI", np.array([[1, 1], [3, 2], [4, 3], [5, 5]]), np.ones(4), 3.0
    )
    assert made.rows == ("KTAY-I", "K-AYLI")
    assert made.identity == 1.0
    assert made.coverage == pytest.approx(4 / 6)
    assert made.query_range == (2, 6)
    assert made.target_range == (2, 6)
    assert made.facing(3) == 2
    assert made.facing(2) is None
    assert made.normalised_score == 0.5
    with pytest.raises(RecordError, match="pairs"):
        Alignment("MK", "MK", np.array([[1, 1], [0, 0]]), np.ones(2), 1.0)


def test_nothing_alike_is_no_alignment():
    none = align("MKT", "GGG", np.full((3, 3), -1.0), Gaps(1, 1, "local"))
    assert len(none) == 0
    assert none.query_range is None
    assert none.rows == ("", "")
    assert np.isnan(none.identity)


def test_too_long_is_told():
    with pytest.raises(InputError, match="give the domains"):
        align("A" * 5_000, "A" * 5_000, np.zeros((5_000, 5_000)), Gaps(1, 1))


@pytest.mark.parametrize("wrong", [{"opening": 0.1, "extension": 0.5}, {"mode": "half"}])
def test_gaps_are_checked(wrong):
    with pytest.raises(RecordError):
        Gaps(**{"opening": 1.0, "extension": 0.5, **wrong})


def test_similarities_by_the_slow_way():
    a, b = matrix(5, 7, 1), matrix(6, 7, 2)
    cosine = Similarity("cosine", enhanced=False).matrix(a, b)
    near = Similarity("distance", 0.3, enhanced=False).matrix(a, b)
    for i in range(5):
        for j in range(6):
            dot = a[i] @ b[j] / np.linalg.norm(a[i]) / np.linalg.norm(b[j])
            assert cosine[i, j] == pytest.approx(dot)
            assert near[i, j] == pytest.approx(np.exp(-0.3 * np.linalg.norm(a[i] - b[j])))
    sharp = enhanced(cosine)
    for i in range(5):
        for j in range(6):
            row = (cosine[i, j] - cosine[i].mean()) / cosine[i].std(ddof=1)
            column = (cosine[i, j] - cosine[:, j].mean()) / cosine[:, j].std(ddof=1)
            assert sharp[i, j] == pytest.approx((row + column) / 2)
    np.testing.assert_array_equal(enhanced(np.ones((3, 4))), np.zeros((3, 4)))
    assert np.isfinite(enhanced(np.array([[0.3]]))).all()


def slowly(match, gap):
    """The recursion cell by cell."""
    n, m = match.shape
    value = np.zeros((n + 1, m + 1))
    for i in range(n):
        for j in range(m):
            value[i + 1, j + 1] = match[i, j] + logsumexp(
                [gap[i, j] + value[i, j + 1], value[i, j], gap[i, j] + value[i + 1, j]]
            )
    return value[n, m]


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 5), (6, 4), (7, 7)])
def test_the_recursion_is_that_of_a_double_loop(n, m):
    match, gap = np.abs(matrix(n, m, 3)), -np.abs(matrix(n, m, 4))
    value, slope = recursion(match, gap)
    assert value == pytest.approx(slowly(match, gap))
    step = 1e-6
    for i in range(n):
        for j in range(m):
            moved = match.copy()
            moved[i, j] += step
            assert slope[i, j] == pytest.approx((slowly(moved, gap) - value) / step, abs=1e-4)


@given(arrays(np.float64, (9, 6), elements=st.floats(0, 40)))
def test_expected_alignments_are_chances(match):
    _, slope = recursion(match, -match)
    assert (slope >= 0).all()
    assert (slope <= 1 + 1e-9).all()
    made = align(letters(9), letters(6), slope, Gaps(0, 0))
    assert len(made) >= 1, "the traceback always arrives"


class Branch(torch.nn.Module):
    """One branch of DeepBLAST, under the names of its checkpoints."""

    def __init__(self, width):
        super().__init__()
        self.embed = torch.nn.Linear(width, width)
        self.conv = torch.nn.Sequential(
            *(
                torch.nn.Sequential(torch.nn.Conv1d(width, width, 8, padding=4), torch.nn.ReLU())
                for _ in range(2)
            )
        )

    def forward(self, x):
        return self.conv(self.embed(x).permute(0, 2, 1)).permute(0, 2, 1)


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    match, gap = Branch(24).eval(), Branch(24).eval()
    path = tmp_path / "deepblast-v3.ckpt"
    state = {f"aligner.match_embedding.{k}": v for k, v in match.state_dict().items()}
    state |= {f"aligner.gap_embedding.{k}": v for k, v in gap.state_dict().items()}
    torch.save(state, path)
    return path, match, gap


def test_a_checkpoint_of_deepblast_computes_what_its_network_computes(checkpoint):
    path, match, gap = checkpoint
    ours = load_deepblast(path)
    assert (ours.config.kernel, ours.config.layers) == (8, 2)
    x, y = torch.randn(9, 24), torch.randn(7, 24)
    with torch.inference_mode():
        theta, a = ours(x, y)
        zx, zy, gx, gy = match(x[None])[0], match(y[None])[0], gap(x[None])[0], gap(y[None])[0]
    assert theta.shape == (11, 9), "an even kernel adds one for each convolution"
    torch.testing.assert_close(theta, torch.log1p(torch.exp(zx @ zy.T)), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(a, torch.log(torch.sigmoid(gx @ gy.T)), atol=1e-5, rtol=1e-5)
    faces = ours.expected(x, y)
    assert faces.shape == (9, 7)
    _, whole = recursion(theta.double().numpy(), a.double().numpy())
    np.testing.assert_allclose(faces, whole[:9, :7])


def test_other_files_are_no_deepblast(tmp_path, checkpoint):
    path = tmp_path / "x.ckpt"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match="no checkpoint of DeepBLAST"):
        load_deepblast(path)
    state = torch.load(checkpoint[0], weights_only=True)
    del state["aligner.gap_embedding.embed.bias"]
    torch.save(state, path)
    with pytest.raises(ModelError, match=r"lacks the tensor gap_embedding\.embed\.bias"):
        load_deepblast(path)
