"""Other people's scores: as a record, on a protein's own positions, through JSON."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest

from glass_core.errors import RecordError
from glass_core.protein.annotation import Annotation
from glass_core.protein.as_json import annotation_dict, annotation_from, protein_dict, protein_from
from glass_core.protein.external import UNCLASSED, ExternalScores, external_dict, external_from
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.records import packed

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGT"
ALL = 19 * len(SEQUENCE)
"""Substitutions."""


def made(sequence=SEQUENCE, **changes):
    """Scores 0, 0.01, 0.02, ... in reading order."""
    own = np.array([[a == b for b in STANDARD] for a in sequence])
    score = np.full(own.shape, np.nan)
    score[~own] = np.arange((~own).sum()) / 100
    classes = np.where(own, UNCLASSED, np.arange(20) % 2)
    return ExternalScores(
        **{
            "kind": "judge",
            "name": "Judge",
            "source": "a database, ENTRY",
            "version": "2",
            "licence": "CC BY 4.0",
            "citation": "A. Nonymous (2023)",
            "scale": "penalty",
            "higher_is_damaging": True,
            "sequence": sequence,
            "score": score,
            "retrieved": "2026-02-03T04:05:06+00:00",
            "class_names": ("mild", "harsh"),
            "classes": classes,
            **changes,
        }
    )


def variant(text, sequence=SEQUENCE):
    return Variant.parse(text, sequence)


def test_a_substitution_is_told_with_its_percentile_and_class():
    scores = made()
    told = scores.told(variant("K2C"))  # 19 of M1, and K2A before it
    assert told == {"judge": 0.2, "judge_percentile": round(100 * 20 / (ALL), 6)}
    assert scores.class_of(variant("K2C")) == "harsh"
    assert scores.credit == (
        "Judge: a database, ENTRY, 2; CC BY 4.0; A. Nonymous (2023); retrieved 2026-02-03"
    )


def test_where_lower_is_damaging_the_percentile_turns_round():
    told = made(higher_is_damaging=False).told(variant("M1A"))
    assert told["judge"] == 0
    assert told["judge_percentile"] == round(100 * (ALL - 1) / (ALL), 6)


def test_several_substitutions_are_summed_where_scores_are_additive():
    two = variant("K2C:T3A")
    assert made().told(two) == {}
    assert made(additive=True).told(two) == {"judge": round(0.20 + 0.38, 6)}
    assert made(additive=True).class_of(two) == ""


@pytest.mark.parametrize(
    "given",
    [variant("K2del"), variant("K2Xaa"), variant("K2C", "MKTAYIAK")],
    ids=["gap", "X", "else"],
)
def test_nothing_is_told_where_there_is_no_score(given):
    assert made().told(given) == {}
    assert made().class_of(given) == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "Not a word"}, "kind"),
        ({"licence": ""}, "licence"),
        ({"source": ""}, "source"),
        ({"score": np.zeros((3, 20))}, "score"),
        ({"score": np.zeros((len(SEQUENCE), 20))}, "own letter"),
        ({"score": np.full((len(SEQUENCE), 20), np.inf)}, "finite"),
        ({"classes": np.full((len(SEQUENCE), 20), 2)}, "class_names"),
    ],
)
def test_what_contradicts_itself_is_refused(changes, says):
    with pytest.raises(RecordError, match=says):
        made(**changes)


# --- on a protein -------------------------------------------------------------------------


def test_scores_follow_a_construct_with_a_tag_and_a_point_difference():
    letters = list(SEQUENCE[4:])
    letters[6] = "W"  # position 11 of the whole sequence, Q there
    construct = "GSHHHHHH" + "".join(letters)
    whole = Annotation("P12345", SEQUENCE, external=(made(),))
    protein = Protein.from_sequence(construct).annotated(whole)
    (placed,) = protein.external
    assert placed.sequence == construct
    assert np.isnan(placed.score[:8]).all(), "the tag has none"
    assert np.isnan(placed.score[14]).all(), "a residue that differs has none"
    assert (placed.classes[14] == UNCLASSED).all()
    kept = [8 + k for k in range(len(letters)) if k != 6]
    assert np.array_equal(placed.score[kept], made().score[np.array(kept) - 4], equal_nan=True)
    assert placed.told(variant("Y9A", construct))["judge"] == made().told(variant("Y5A"))["judge"]
    assert placed.credit == made().credit


def test_scores_of_another_sequence_are_refused():
    with pytest.raises(RecordError, match="same sequence"):
        Annotation("P12345", "MKTAY", external=(made(),))
    with pytest.raises(RecordError, match="same sequence"):
        replace(Protein.from_sequence("MKTAY"), computed=(made(),))


def test_computed_scores_come_after_those_looked_up():
    protein = replace(Protein.from_sequence(SEQUENCE), computed=(made(kind="second"),))
    annotated = protein.annotated(Annotation("P12345", SEQUENCE, external=(made(),)))
    assert [scores.kind for scores in annotated.external] == ["judge", "second"]
    assert protein.following_structure().external == ()


# --- JSON ---------------------------------------------------------------------------------


def same(a, b):
    content = [external_dict(one) for one in (a, b)]
    return content[0] == content[1]


def test_scores_survive_json():
    for scores in (made(), made(classes=None, class_names=()), made("MXU")):
        text = json.dumps(external_dict(scores), allow_nan=False)
        assert same(external_from(json.loads(text)), scores)


def test_a_protein_keeps_its_scores_through_json():
    protein = replace(Protein.from_sequence(SEQUENCE[2:]), computed=(made(SEQUENCE[2:]),))
    protein = protein.annotated(Annotation("P12345", SEQUENCE, external=(made(),)))
    content = json.loads(json.dumps(protein_dict(protein), allow_nan=False))
    back = protein_from(content)
    assert len(back.external) == 2
    assert all(map(same, back.external, protein.external))
    assert same(back.annotation.external[0], made())


def test_json_from_before_there_were_scores_still_reads():
    protein = Protein.from_sequence(SEQUENCE).annotated(Annotation("P12345", SEQUENCE))
    content = protein_dict(protein)
    del content["computed"], content["annotation"]["external"]
    assert protein_from(content).external == ()


def test_scores_take_little_room():
    sequence = SEQUENCE * 20
    assert len(json.dumps(external_dict(made(sequence)))) < 6 * 19 * len(sequence)


@pytest.mark.parametrize(
    "score",
    [
        base64.b64encode(zlib.compress(bytes(50_000_000))).decode(),
        base64.b64encode(zlib.compress(b"ab")).decode(),
        "no base 64",
        packed(np.zeros((len(SEQUENCE), 20), dtype="<f4")),
    ],
)
def test_packed_scores_that_do_not_fit_are_refused(score):
    content = annotation_dict(Annotation("P12345", SEQUENCE, external=(made(),)))
    content["external"][0]["score"] = score
    with pytest.raises(RecordError, match="score"):
        annotation_from(content)
