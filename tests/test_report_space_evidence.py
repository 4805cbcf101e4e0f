"""What is said of a space on the Evidence page."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from glass_core.errors import InputError
from glass_core.models.evaluation import Evaluation
from glass_core.report.evidence.space import (
    distance_figure,
    neighbours_table,
    retrieval_table,
    space_records,
    space_words,
)
from glass_core.settings import Settings


@pytest.fixture
def assets(tmp_path):
    shutil.copytree(Settings().assets / "spaces", tmp_path / "spaces")
    return tmp_path


def figure(value):
    return {"value": value, "low": value - 0.05, "high": value + 0.05}


def told(**folds):
    """A record whose towers find much, with these values at the topology."""
    found = {"top 10": figure(0.8), "plain": {"top 1": 0.3, "top 10": 0.8, "mrr": 0.5}}
    ways = ("sequence to structure", "20 residues to structure", "length alone")
    levels = ("superfamily", "architecture", "class")
    content = {
        "chains": 944,
        "retrieval": dict.fromkeys(ways, found),
        "neighbours": {
            "all": {
                who: {**{level: figure(0.5) for level in levels}, "fold": figure(value)}
                for who, value in folds.items()
            }
        },
    }
    return Evaluation("space", "space", "test", {"version": "1"}, content)


def test_records_of_a_models_spaces_are_found(assets):
    settings = Settings(assets=assets)
    assert list(space_records(settings, "compact")) == ["compact"]
    assert space_records(settings, "other") == {}
    path = assets / "spaces/compact/evaluation/space.json"
    path.write_text(json.dumps({"format": "other"}))
    with pytest.raises(InputError, match=r"space\.json: is no evaluation record"):
        space_records(settings, "compact")
    path.unlink()
    assert space_records(settings, "compact") == {}


def test_better_is_said_only_where_it_is():
    ways = {"sequence tower": 0.5, "mean embedding": 0.2, "fold head": 0.52}
    words = " ".join(space_words(told(**ways)))
    assert "better than the mean embedding" in words
    assert "within the error no better than the fold head" in words
    assert "lengths alone" in words
    worse = " ".join(space_words(told(**{**ways, "mean embedding": 0.9})))
    assert "worse than the mean embedding" in worse


def test_distances_are_drawn_by_what_two_chains_share(assets):
    (record,) = space_records(Settings(assets=assets), "compact").values()
    figure = distance_figure(record)
    assert [box.name for box in figure.data] == ["sequence tower", "structure tower"]
    assert [one.split(" (")[0] for one in figure.data[0].x] == [
        "superfamily", "topology", "architecture", "class", "none",
    ]  # fmt: skip
    for box in figure.data:
        edges = [box.lowerfence, box.q1, box.median, box.q3, box.upperfence]
        assert (np.diff(edges, axis=0) > 0).all()
        assert box.median[0] > box.median[-1], "a superfamily lies nearer than strangers"
    assert distance_figure(told(**{"sequence tower": 0.5})) is None


def test_tables_hold_every_way():
    ways = {"sequence tower": 0.5, "mean embedding": 0.2, "fold head": 0.5, "MMseqs2": 0.3}
    record = told(**ways)
    table = neighbours_table(record)
    assert table["predictor"].tolist()[-1] == "MMseqs2, first hit"
    assert table["topology"].iloc[0] == "0.500 (0.450 to 0.550)"
    assert retrieval_table(record)["among ten"].tolist() == ["0.800 (0.750 to 0.850)"] * 3
