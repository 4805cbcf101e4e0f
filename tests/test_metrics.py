"""Metrics against independent programs, a plain transcription, and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from benchmarks.algorithm_2 import algorithm_2
from glass_core.errors import InputError, RecordError
from glass_core.metrics.distances import (
    difference_matrix,
    distance_matrix,
    local_distance_difference,
    place_on_reference,
)
from glass_core.metrics.lddt import lddt
from glass_core.metrics.measure import measure
from glass_core.metrics.noise import NoiseFloor, deficit_above_floor, strain_above_floor
from glass_core.metrics.secondary import elements, secondary_structure
from glass_core.metrics.strain import effective_strain
from glass_core.metrics.subdomains import compact_subdomains, placement_p_value, subdomains
from glass_core.metrics.tmalign import tm_align


def walk(seed, n=40):
    """A random chain with C-alpha spacing."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(n, 3))
    return np.cumsum(3.8 * steps / np.linalg.norm(steps, axis=1, keepdims=True), axis=0)


def test_inverse_cubic_equals_the_transcription(globin, globin_b):
    alignment = measure(globin, globin_b).alignment
    placed = place_on_reference(globin_b.ca, alignment.pairs, len(globin))
    np.testing.assert_allclose(lddt(globin.ca, placed), algorithm_2(globin.ca, placed), atol=1e-12)


def test_uniform_equals_biotite(globin):
    import biotite.structure as struc

    moved = globin.ca + np.random.default_rng(0).normal(0, 0.8, globin.ca.shape)
    reference = globin.atoms[globin.ca_mask]
    subject = reference.copy()
    subject.coord = moved.astype(np.float32)
    theirs = struc.lddt(reference, subject, aggregation="residue")
    ours = lddt(reference.coord.astype(float), subject.coord.astype(float), weight="uniform")
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_tm_score_agrees_with_biotite(globin, globin_b):
    """biotite scores our superposition with its own implementation of the TM-score."""
    import biotite.structure as struc

    alignment = measure(globin, globin_b).alignment
    reference = globin.atoms[globin.ca_mask]
    subject = globin_b.atoms[globin_b.ca_mask].copy()
    subject.coord = alignment.onto_reference(subject.coord).astype(np.float32)
    for length, ours in (
        (len(globin), alignment.tm_score),
        (len(globin_b), alignment.tm_score_by_subject),
    ):
        theirs = struc.tm_score(
            reference, subject, alignment.pairs[:, 0], alignment.pairs[:, 1], length
        )
        assert ours == pytest.approx(theirs, abs=5e-3)


def test_alignment_of_a_moved_copy(globin):
    turn = Rotation.random(rng=np.random.default_rng(1)).as_matrix()
    moved = globin.ca @ turn.T + [10, -5, 3]
    alignment = tm_align(globin.ca, moved, globin.sequence, globin.sequence)
    assert alignment.tm_score == pytest.approx(1, abs=1e-6)
    assert alignment.sequence_identity == 1
    np.testing.assert_allclose(alignment.onto_reference(moved), globin.ca, atol=1e-3)
    np.testing.assert_allclose(
        globin.ca @ alignment.rotation.T + alignment.translation, moved, atol=1e-3
    )


def test_argument_order_matters(globin, globin_b):
    forward, backward = measure(globin, globin_b), measure(globin_b, globin)
    assert forward.alignment.tm_score == pytest.approx(
        backward.alignment.tm_score_by_subject, abs=1e-3
    )
    assert abs(forward.alignment.tm_score - backward.alignment.tm_score) > 1e-3
    assert len(forward.lddt) == 147
    assert len(backward.lddt) == 145


def test_fixed_correspondence_follows_the_sequence(globin, globin_b):
    by_sequence = measure(globin, globin_b, correspondence="sequence").alignment
    assert by_sequence.correspondence == "sequence"
    assert by_sequence.tm_score < measure(globin, globin_b).alignment.tm_score


def test_too_short_and_wrong_shapes():
    with pytest.raises(InputError, match="at least 3"):
        tm_align(np.zeros((2, 3)), np.zeros((2, 3)), "AA", "AA")
    with pytest.raises(RecordError, match="reference"):
        tm_align(np.zeros((4, 3)), np.zeros((4, 3)), "AAA", "AAAA")
    with pytest.raises(RecordError, match="subject"):
        lddt(np.zeros((4, 3)), np.zeros((5, 3)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), noise=st.floats(0, 3))
def test_rigid_motion_changes_nothing(seed, noise):
    rng = np.random.default_rng(seed)
    reference = walk(seed)
    subject = reference + rng.normal(0, noise, reference.shape)
    moved = subject @ Rotation.random(rng=rng).as_matrix().T + rng.normal(0, 50, 3)
    for metric in (lddt, effective_strain, lambda a, b: local_distance_difference(a, b, 15.0)):
        np.testing.assert_allclose(metric(reference, subject), metric(reference, moved), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), gone=st.integers(0, 39))
def test_self_is_perfect_and_deleted_is_nan(seed, gone):
    reference = walk(seed)
    subject = reference.copy()
    subject[gone] = np.nan
    for metric, perfect in ((lddt, 1.0), (effective_strain, 0.0)):
        assert np.nanmax(np.abs(metric(reference, reference) - perfect)) < 1e-6
        track = metric(reference, subject)
        assert np.isnan(track[gone])
        assert not np.isnan(np.delete(track, gone)).any()


def test_lone_residue_has_no_value():
    reference = np.array([[0, 0, 0], [3.8, 0, 0], [100.0, 0, 0]])
    assert np.isnan(lddt(reference, reference)[2])
    assert np.isnan(effective_strain(reference, reference)[2])


def test_threshold_counts_when_equal():
    reference = np.array([[0.0, 0, 0], [4.0, 0, 0]])
    assert lddt(reference, np.array([[0.0, 0, 0], [4.5, 0, 0]]))[0] == pytest.approx(1.0)
    assert lddt(reference, np.array([[0.0, 0, 0], [8.0, 0, 0]]))[0] == pytest.approx(0.25)


def test_strain_of_a_uniform_stretch():
    reference = walk(3)
    np.testing.assert_allclose(effective_strain(reference, 1.1 * reference), 0.1, atol=1e-9)


def test_difference_matrix_sign():
    reference = np.array([[0.0, 0, 0], [4.0, 0, 0]])
    subject = np.array([[0.0, 0, 0], [6.0, 0, 0]])
    assert difference_matrix(reference, subject)[0, 1] == 2.0
    assert distance_matrix(reference)[1, 0] == 4.0
    assert local_distance_difference(reference, subject, 15.0).tolist() == [2.0, 2.0]


def test_secondary_structure_of_a_globin(globin):
    letters = secondary_structure(globin)
    assert len(letters) == len(globin)
    assert letters.count("H") / len(letters) > 0.6
    assert "E" not in letters
    assert len(elements(letters)) >= 5


def test_compact_subdomains_cover_the_chain_once(globin):
    members = compact_subdomains(globin.ca)
    joined = np.concatenate(members)
    assert len(set(joined)) == len(joined) >= 0.8 * len(globin)
    assert [m.tolist() for m in compact_subdomains(globin.ca)] == [m.tolist() for m in members]


def test_placement_p_value_by_hand():
    deficit = np.zeros(20)
    deficit[5:8] = 1.0
    assert placement_p_value(deficit, np.array([5, 6, 7])) == pytest.approx(1 / 18)
    assert placement_p_value(np.zeros(20), np.array([5, 6, 7])) == 1.0
    assert np.isnan(placement_p_value(np.full(20, np.nan), np.array([1, 2])))


def test_subdomains_name_the_hit_helix(globin):
    letters = secondary_structure(globin)
    helix = elements(letters)[2]
    deficit = np.zeros(len(globin))
    deficit[helix.start : helix.stop] = 0.2
    parts = subdomains(deficit, [helix.start + 2], letters, globin.ca)
    assert parts[0].name == f"helix 3 ({helix.start + 1}-{helix.stop})"
    assert parts[0].mutated
    assert parts[0].p_value < 0.02
    stretches = subdomains(deficit, [1])
    assert stretches[0].kind == "stretch"
    assert np.isnan(stretches[0].p_value)


def test_effect_above_the_floor(globin):
    rng = np.random.default_rng(0)

    def jiggled(scale, extra=None):
        atoms = globin.atoms.copy()
        residue = globin.residue_of_atom
        shift = rng.normal(0, scale, globin.ca.shape)
        if extra is not None:
            shift[60:64] += extra
        atoms.coord = atoms.coord + shift[residue].astype(np.float32)
        return type(globin).from_atoms(atoms, "x")

    floor = NoiseFloor((measure(globin, jiggled(0.05)),))
    hit = deficit_above_floor((measure(globin, jiggled(0.05, 2.5)),), floor)
    assert hit.significant[60:64].all()
    assert hit.significant.sum() < 60
    nothing = deficit_above_floor((measure(globin, jiggled(0.05)),), floor)
    assert nothing.significant.sum() <= 3
    quiet = NoiseFloor((measure(globin, jiggled(0.01)),))
    small = (measure(globin, jiggled(0.01, 0.15)),)
    assert not deficit_above_floor(small, quiet).significant.any()
    assert strain_above_floor(small, quiet).significant[60:64].any()
