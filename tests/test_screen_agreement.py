"""A screen against labels and values of the input: figures, intervals, cut-offs, calibration.

Golden values are counted by hand or taken from independent definitions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from glass_core.metrics.agreement import (
    auroc,
    average_precision,
    calibration_error,
    calls,
    precision_cut_off,
    reliability,
    youden_cut_off,
)
from glass_core.metrics.resampling import FEWEST_DRAWS, MOST_VALUES, interval
from glass_core.report.screen.agreement import (
    agreement_frame,
    label_agreement,
    label_table,
    value_agreement,
)
from glass_core.report.screen.agreement_figures import (
    precision_recall_curve,
    reliability_diagram,
    reliability_table,
    roc_curve,
)
from glass_core.report.screen.tables import screen_frame
from glass_core.screen.rows import ScreenRow

SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
LABEL = np.array([1, 1, 0, 1, 0, 0, 1, 0.0])


def framed(score, label=None, measured=None):
    return screen_frame(
        ScreenRow(
            n,
            "one",
            "K2R",
            "done",
            told={"p_damaging": float(s)},
            label=None if label is None or np.isnan(label[n - 1]) else int(label[n - 1]),
            measured_value=None if measured is None else float(measured[n - 1]),
        )
        for n, s in enumerate(score, start=1)
    )


def test_calls_are_counted():
    made = calls(SCORE, LABEL)
    np.testing.assert_array_equal(made.true, [1, 2, 2, 3, 3, 3, 4, 4])
    np.testing.assert_array_equal(made.false, [0, 0, 1, 1, 2, 3, 3, 4])
    # precision at each new hit: 1, 1, 3/4, 4/7, a quarter of the recall each
    assert average_precision(SCORE, LABEL) == pytest.approx((1 + 1 + 3 / 4 + 4 / 7) / 4)
    assert youden_cut_off(made) == 0.8, "of two with an index of 0.5 the higher"
    assert precision_cut_off(made, 1) == 0.8 and precision_cut_off(made, 0.7) == 0.6
    assert np.isnan(precision_cut_off(calls(-SCORE, LABEL), 0.9))


def test_equal_scores_are_called_together():
    made = calls(np.array([1, 1, 0.0]), np.array([1, 0, 0.0]))
    np.testing.assert_array_equal(made.threshold, [1, 0])
    np.testing.assert_array_equal(made.false, [1, 2])


@pytest.mark.parametrize("label", [np.zeros(8), np.ones(8)])
def test_one_class_alone_tells_nothing(label):
    assert calls(SCORE, label) is None and np.isnan(average_precision(SCORE, label))
    assert label_agreement(framed(SCORE, label), "p_damaging") is None


@given(
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40).filter(
        lambda rows: len({label for _, label in rows}) == 2
    )
)
def test_the_area_under_the_calls_is_the_auroc(rows):
    score, label = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    made = calls(score, label)
    area = np.trapezoid(np.append(0, made.true_rate), np.append(0, made.false_rate))
    assert area == pytest.approx(auroc(score, label))
    assert label.mean() - 1e-9 <= made.precision[-1] <= label.mean() + 1e-9
    at = youden_cut_off(made)
    hit, missed = ((score >= at) & (label == k) for k in (1, 0))
    index = hit.sum() / (label == 1).sum() - missed.sum() / (label == 0).sum()
    assert index == pytest.approx((made.true_rate - made.false_rate).max())


def test_reliability_bins():
    chance = np.array([0.05, 0.05, 0.95, 1.0])
    one, two = reliability(chance, np.array([0, 1, 1, 1.0]))
    assert (one.chance, one.share, one.number) == (pytest.approx(0.05), 0.5, 2)
    assert (two.chance, two.share, two.number) == (pytest.approx(0.975), 1, 2)
    error = calibration_error(chance, np.array([0, 1, 1, 1.0]))
    assert error == pytest.approx(0.5 * 0.45 + 0.5 * 0.025)


def test_intervals_are_those_of_theory_and_repeat():
    values = np.random.default_rng(5).normal(size=400)
    low, high = interval(lambda rows: float(values[rows].mean()), len(values))
    half = 1.96 * values.std() / 20
    assert (low, high) == (
        pytest.approx(values.mean() - half, abs=0.02),
        pytest.approx(values.mean() + half, abs=0.02),
    )
    assert (low, high) == interval(lambda rows: float(values[rows].mean()), len(values))
    assert np.isnan(interval(lambda rows: float("nan"), 4)).all()
    drawn = []
    interval(lambda rows: drawn.append(len(rows)) or 0.0, MOST_VALUES)
    assert drawn == [MOST_VALUES] * FEWEST_DRAWS


def test_a_ranking_against_labels():
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 300).astype(float)
    score = np.clip(0.3 + 0.3 * label + rng.normal(0, 0.15, 300), 0, 1)
    label[:10] = np.nan
    frame = framed(score, label)
    found = label_agreement(frame, "p_damaging")
    assert found.labels == 290 and found.damaging == int(np.nansum(label))
    assert found.auroc.value == pytest.approx(auroc(score[10:], label[10:]))
    assert found.auroc.low < found.auroc.value < found.auroc.high
    cut = found.cut_off
    assert cut.rule == "Youden's index"
    assert cut.value.low <= cut.value.value <= cut.value.high
    called = score[10:] >= cut.value.value
    assert cut.called == called.sum()
    assert cut.precision == pytest.approx(label[10:][called].mean())
    assert cut.sensitivity == pytest.approx(called[label[10:] == 1].mean())
    assert cut.specificity == pytest.approx(1 - called[label[10:] == 0].mean())
    assert label_agreement(frame, "p_damaging") == found, "the same again"
    strict = label_agreement(frame, "p_damaging", precision=0.9).cut_off
    assert strict.rule == "a precision of 90%" and strict.precision >= 0.9
    table = label_table(found).set_index("figure")
    assert table.loc["AUROC", "value"] == found.auroc.value
    assert table.loc["cut-off by Youden's index", "from"] == cut.value.low


def test_a_precision_that_is_never_reached_has_no_cut_off():
    found = label_agreement(framed(-SCORE, LABEL), "p_damaging", precision=0.99)
    assert found.cut_off.value.value is None and found.cut_off.called == 0
    assert len(roc_curve(framed(-SCORE, LABEL), found).data) == 2, "nothing is marked"


def test_a_ranking_against_values():
    rng = np.random.default_rng(2)
    score = rng.random(80)
    measured = score + rng.normal(0, 0.3, 80)
    found = value_agreement(framed(score, measured=measured), "p_damaging")
    assert found.value == pytest.approx(spearmanr(score, measured).statistic)
    assert found.low < found.value < found.high
    assert value_agreement(framed(score), "p_damaging").value is None


def test_the_table_of_all_rankings_has_what_there_is():
    frame = framed(SCORE, LABEL)
    table = agreement_frame(frame)
    assert list(table) == ["ranking", "AUROC", "average precision", "labels"]
    assert agreement_frame(framed(SCORE)).empty
    both = agreement_frame(framed(SCORE, LABEL, SCORE))
    assert both["Spearman"].tolist() == [pytest.approx(1)]


def test_figures_and_their_tables():
    frame = framed(SCORE, LABEL)
    found = label_agreement(frame, "p_damaging")
    roc = roc_curve(frame, found)
    line = next(t for t in roc.data if t.mode == "lines" and t.customdata is not None)
    np.testing.assert_allclose(line.y, [0, 0.25, 0.5, 0.5, 0.75, 0.75, 0.75, 1, 1])
    mark = next(t for t in roc.data if t.name == "suggested cut-off")
    assert (mark.x[0], mark.y[0]) == (0, 0.5) and mark.text[0] == "0.8"
    recall = precision_recall_curve(frame, found)
    assert recall.data[0].y == (0.5, 0.5), "what a random order has"
    points = reliability_diagram(frame, "p_damaging").data[1]
    table = reliability_table(frame, "p_damaging")
    assert list(points.text) == [str(n) for n in table["variants"]]
    assert table["variants"].sum() == len(SCORE)
    # Wilson's interval of 1 of 1
    assert table["from"].iloc[-1] == pytest.approx(1 / (1 + 1.959964**2), abs=1e-4)


def test_no_label_is_no_agreement():
    assert label_agreement(framed(SCORE), "p_damaging") is None
    assert isinstance(agreement_frame(framed(SCORE)), pd.DataFrame)
