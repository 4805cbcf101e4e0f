"""The record of what an alignment says: its numbers by hand, its checks, and JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from glass_core.errors import RecordError, SequenceError
from glass_core.protein.profile import AlignmentProfile, profile_dict, profile_from
from glass_core.protein.sequence import STANDARD

HASH = "0123456789abcdef" * 4
A, C, D = 0, 1, 2


def profile(counts, wild_type="ACU", depth=60, neff=40.0, **changes):
    values = {"name": "a.a3m", "sha256": HASH, "depth": depth, "rows_in_file": 80} | changes
    return AlignmentProfile(wild_type, neff=neff, counts=counts, **values)


@pytest.fixture
def counts():
    """Three positions: A with 30 A and 10 C; one without a column; U with 4 D."""
    values = np.zeros((3, 20))
    values[0, [A, C]] = 30.0, 10.0
    values[1] = np.nan
    values[2, D] = 4.0
    return values


def test_log_odds_by_hand(counts):
    odds = profile(counts).log_odds
    assert odds[0, C] == pytest.approx(np.log(11 / 31))
    assert odds[0, D] == pytest.approx(np.log(1 / 31))
    assert np.isnan(odds[0, A])  # the wild type's own
    assert np.isnan(odds[1]).all()  # no column
    assert np.isnan(odds[2]).all()  # a wild type outside the 20
    assert not odds.flags.writeable


def test_a_residue_more_frequent_than_the_wild_type_has_positive_log_odds(counts):
    assert profile(counts, "CAA").log_odds[0, A] == pytest.approx(np.log(31 / 11))


def test_occupancy_and_coverage_by_hand(counts):
    read = profile(counts)
    assert read.occupancy[[0, 2]] == pytest.approx([1.0, 0.1])
    assert np.isnan(read.occupancy[1])
    assert read.coverage == pytest.approx(1 / 3)


def test_conservation_by_hand(counts):
    read = profile(counts)
    f = np.array([31, 11, *[1] * 18]) / 60
    assert read.conservation[0] == pytest.approx(1 + (f * np.log(f)).sum() / np.log(20))
    assert np.isnan(read.conservation[1])
    assert read.conservation[0] > read.conservation[2]
    even = np.full((1, 20), 2.0)
    assert profile(even, "A").conservation[0] == pytest.approx(0.0, abs=1e-12)


def test_a_deep_and_wide_alignment_is_used():
    counts = np.zeros((20, 20))
    counts[:, A] = 40.0
    assert profile(counts, "A" * 20).usable
    assert profile(counts, "A" * 20).why_not_used == ""


def test_what_is_not_used_says_why(counts):
    wide = np.zeros((20, 20))
    wide[:, A] = 5.0
    shallow = profile(wide, "A" * 20, neff=19.9)
    assert not shallow.usable
    assert "its 60 rows count as 19.9 different sequences" in shallow.why_not_used
    alone = profile(np.ones((1, 20)) / 20, "A", depth=1, neff=1.0)
    assert "its one row counts as 1.0 different sequences" in alone.why_not_used
    narrow = profile(counts)
    assert not narrow.usable
    assert "at 1 of 3 positions" in narrow.why_not_used


def test_it_passes_through_json_without_loss(counts):
    counts[2, D] = 0.1 + 1 / 3
    read = profile(counts, notes=("One.", "Two."))
    again = profile_from(json.loads(json.dumps(profile_dict(read), allow_nan=False)))
    np.testing.assert_array_equal(again.counts, read.counts)
    assert profile_dict(again) == profile_dict(read)
    assert again.notes == ("One.", "Two.")
    assert profile_dict(None) is None and profile_from(None) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"depth": 0}, "depth"),
        ({"depth": 81}, "depth"),
        ({"neff": 0.0}, "neff"),
        ({"neff": 61.0}, "neff"),
        ({"neff": float("nan")}, "neff"),
        ({"neff": 39.0}, "counts"),
        ({"sha256": "abc"}, "sha256"),
    ],
)
def test_values_that_contradict_each_other_are_refused(counts, changes, field):
    with pytest.raises(RecordError, match=f"^{field}:"):
        profile(counts, **changes)


def test_counts_are_whole_rows_of_the_right_shape(counts):
    with pytest.raises(RecordError, match="counts: has shape"):
        profile(counts, "AC")
    counts[0, 5] = np.nan
    with pytest.raises(RecordError, match="NaN all along a position"):
        profile(counts)
    counts[0, 5] = -1.0
    with pytest.raises(RecordError, match="counts"):
        profile(counts)
    with pytest.raises(SequenceError):
        profile(counts, "A-C")


def test_the_letters_are_in_the_order_of_standard():
    assert (STANDARD[A], STANDARD[C], STANDARD[D]) == ("A", "C", "D")
