"""Where a variant acts along the sequence: what leads, and what is drawn of it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from glass_core.impact.analyse import Remodelling, analyse
from glass_core.impact.as_json import from_json, to_dict, to_json
from glass_core.metrics.subdomains import subdomains
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.report import style
from glass_core.report.impact.exports import exports
from glass_core.report.impact.html import impact_report
from glass_core.report.impact.tables import subdomain_table
from glass_core.report.impact.track import residue_track
from glass_core.report.viewer import (
    LEAST_FULL,
    ViewOptions,
    colour_choices,
    colour_legend,
    full_colour,
    viewer_html,
)
from tests.test_impact import FakeRemodeller


def profile(sequence: str, rows: int) -> AlignmentProfile:
    """An alignment that is all alanine, but for the first column, which it lacks."""
    counts = np.zeros((len(sequence), 20))
    counts[:, 0] = rows
    counts[0] = np.nan
    return AlignmentProfile(sequence, "x.a3m", "0" * 64, rows, rows, float(rows), counts)


def with_tracks(impact):
    """The impact with what a head of local change tells: the last residues move most."""
    length = len(impact.protein)
    change = np.linspace(0.1, 2.0, length)
    change[:3] = np.nan
    tracks = {"local_change": change, "flexibility": 0.9 * change}
    return replace(impact, prediction=replace(impact.prediction, tracks=tracks))


@pytest.fixture(scope="module")
def plain(tiny_predictor, globin):
    protein = Protein.from_structure(globin)
    return analyse(
        replace(protein, profile=profile(protein.sequence, 40)),
        Variant.parse("V31P", protein.sequence),
        predictor=tiny_predictor,
        background=0,
    )


@pytest.fixture(scope="module")
def moved(plain):
    return with_tracks(plain)


@pytest.fixture(scope="module")
def remodelled(tiny_predictor, globin):
    protein = Protein.from_structure(globin)
    return with_tracks(
        analyse(
            protein,
            Variant.parse("V31P", protein.sequence),
            predictor=tiny_predictor,
            mutant=Remodelling(FakeRemodeller(), seeds=2),
            background=0,
        )
    )


def titles(figure) -> list[str]:
    axes = [axis for axis in figure.layout if axis.startswith("yaxis")]
    axes.sort(key=lambda axis: int(axis.removeprefix("yaxis") or 1))
    return [text for axis in axes if (text := figure.layout[axis].title.text)]


def line(figure, name: str):
    return next(trace for trace in figure.data if trace.name == name)


def test_predicted_change_leads_where_nothing_was_measured(moved, plain):
    figure = residue_track(moved, 31)
    assert titles(figure)[:3] == ["change (Å)", "lDDT", "conserved"]
    np.testing.assert_allclose(line(figure, "predicted change").y, moved.predicted_change)
    assert line(figure, "predicted change").line.color == style.PREDICTED
    faint = line(figure, "predicted without the mutation")
    assert faint.line.dash == "dot" and faint.line.color == style.FLOOR
    assert titles(residue_track(plain))[0] == "lDDT", "without the head"


def test_what_is_measured_leads_and_stands_beside_the_prediction(remodelled):
    figure = residue_track(remodelled)
    assert titles(figure)[:3] == ["lDDT", "strain", "change (Å)"]
    measured = line(figure, "measured change")
    np.testing.assert_allclose(measured.y, remodelled.distance_change)
    assert measured.line.color == style.MEASURED
    assert measured.yaxis == line(figure, "predicted change").yaxis
    assert measured.yaxis != line(figure, "measured lDDT").yaxis


def test_conservation_is_drawn_of_an_alignment_that_counts(plain):
    kept = line(residue_track(plain), "conservation").y
    assert np.isnan(kept[0]) and (kept[1:] > 0).all()


def test_an_alignment_too_shallow_is_not_drawn(plain):
    protein = replace(plain.protein, profile=profile(plain.protein.sequence, 2))
    assert "conserved" not in titles(residue_track(replace(plain, protein=protein)))


def test_parts_are_ranked_by_what_tells_most(moved, plain, remodelled):
    by_change = [part.mean_change for part in moved.subdomains]
    assert by_change == sorted(by_change, reverse=True)
    assert "mean change (predicted, Å)" in subdomain_table(moved)
    assert "mean change (predicted, Å)" not in subdomain_table(plain)
    by_strain = [part.mean_strain for part in remodelled.subdomains]
    assert by_strain == sorted(by_strain, reverse=True)
    by_deficit = [part.mean_deficit for part in plain.subdomains]
    assert by_deficit == sorted(by_deficit, reverse=True)


def test_the_mean_change_of_a_part_by_hand():
    change = np.array([1.0, 1.0, 3.0, np.nan, 0.0, 0.0])
    parts = subdomains(np.zeros(6), [3], "HHHHCC", None, None, change)
    first = parts[0]
    assert first.segments == ((1, 4),) and first.mutated
    assert first.mean_change == pytest.approx(5 / 3)
    assert np.isnan(first.mean_strain)


def test_the_view_is_coloured_by_it_first(moved, remodelled):
    assert colour_choices(moved)[0] == "change"
    assert colour_choices(remodelled)[:2] == ("strain", "change")
    assert "predicted change in Å" in colour_legend(moved, "change")
    html = viewer_html(moved, ViewOptions("change"), "let $3Dmol = 1;")
    assert html != viewer_html(moved, ViewOptions("deficit"), "let $3Dmol = 1;")


def test_json_and_table_hold_one_value_per_position(moved, plain):
    content = to_dict(moved)
    assert content["prediction"]["local_change"][:3] == [None] * 3
    np.testing.assert_allclose(
        content["prediction"]["local_change"][3:], moved.predicted_change[3:]
    )
    assert to_dict(plain)["prediction"]["local_change"] is None
    assert to_dict(from_json(to_json(moved)))["prediction"] == content["prediction"]
    text = next(e for e in exports(moved, None) if e.file_name.endswith("residues.csv")).make()
    rows = list(csv.DictReader(io.StringIO(text if isinstance(text, str) else text.decode())))
    assert rows[0]["predicted_change"] == "" and rows[0]["conservation"] == ""
    assert float(rows[40]["predicted_change"]) == pytest.approx(moved.predicted_change[40], 1e-3)
    assert float(rows[40]["predicted_flexibility"]) < float(rows[40]["predicted_change"])
    assert float(rows[40]["conservation"]) > 0
    assert "predicted change" in impact_report([moved], "x")


def test_noise_looks_small(moved):
    lowest = float(np.nanmin(moved.predicted_lddt))
    axis = residue_track(moved).layout.yaxis2.range
    assert axis[0] == pytest.approx(min(0.9, lowest) - 0.02) and axis[1] > 1
    for colour_by, least in LEAST_FULL.items():
        if colour_by in colour_choices(moved):
            assert full_colour(moved, colour_by) >= least
    still = replace(
        moved, prediction=replace(moved.prediction, lddt=np.full(len(moved.protein), 0.999))
    )
    assert full_colour(still, "deficit") == LEAST_FULL["deficit"], "0.001 is not painted dark"
    assert residue_track(still).layout.yaxis2.range == pytest.approx((0.88, 1.01))
