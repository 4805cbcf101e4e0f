"""A result made again: what differs, what was changed, what cannot be repeated."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import glass_core
from glass_core.errors import InputError, UnavailableError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json, to_json
from glass_core.impact.compare import Changed, Stated, changed, differences, tolerance_of
from glass_core.impact.rerun import rerun
from glass_core.inputs.lists import from_text
from glass_core.protein.annotation import Annotation, Retrieved
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.records import Column
from glass_core.remodel.base import Remodelling, RemodelRequest, RemodelSettings
from glass_core.runs.bundle import export_bundle, read_bundle
from glass_core.runs.screening import advance, begin
from glass_core.runs.store import RunStore
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rerun import rerun_screen
from glass_core.settings import Settings
from tests.test_impact import FakeRemodeller

WILD = "MKTAYIAKQRQISFVKSHFSRQ"
OLD = Path(__file__).parent / "data" / "format1"


def fake(name):
    assert name == "fake"
    return FakeRemodeller()


def nowhere(name):
    raise UnavailableError(f"remodeller '{name}': is not installed")


@pytest.fixture(scope="module")
def measured(globin, tiny_predictor):
    return analyse(
        Protein.from_structure(globin),
        Variant.parse("V31P", globin.sequence),
        predictor=tiny_predictor,
        mutant=Remodelling(FakeRemodeller(), (3, 7), RemodelSettings(sphere_radius=12.5)),
        correspondence="sequence",
        background=5,
    )


@pytest.fixture(scope="module")
def plain(tiny_predictor):
    variant = Variant.parse("K2R", WILD)
    return analyse(Protein.from_sequence(WILD), variant, predictor=tiny_predictor, background=5)


def edited(impact, change):
    """The JSON of an impact after `change` was done to its content."""
    content = json.loads(to_json(impact))
    change(content)
    return json.dumps(content)


# --- an analysis --------------------------------------------------------------------------


def test_a_prediction_repeats_to_the_letter(plain, tiny_predictor):
    made = rerun(to_json(plain), predictor=tiny_predictor)
    assert made.comparison.repeats
    assert made.comparison.changed == made.comparison.left_out == made.comparison.kept == ()
    assert made.impact.baselines == plain.baselines, "ranked against as many"
    assert made.comparison.compared > 8


def test_a_remodel_repeats_with_its_protocol_and_seeds(measured, tiny_predictor):
    made = rerun(to_json(measured), predictor=tiny_predictor, remodeller=fake)
    assert made.comparison.repeats and not made.comparison.changed
    assert made.impact.provenance.protocol == measured.provenance.protocol
    assert [r.seed for r in made.impact.replicates] == [3, 7]
    assert {m.alignment.correspondence for m in made.impact.measurements} == {"sequence"}
    np.testing.assert_array_equal(made.impact.measured_lddt, measured.measured_lddt)


def test_every_number_that_was_another_is_told(measured, tiny_predictor):
    def change(content):
        content["prediction"]["tm_score"] -= 0.002
        content["prediction"]["lddt"][4] -= 0.5
        content["prediction"]["lddt"][9] -= 0.1
        content["prediction"]["told"]["p_damaging"] /= 2
        content["measurement"]["replicates"][0]["lddt"][30] = 0.0
        for replicate in content["noise_floor"]["replicates"]:
            replicate["lddt"][2] = None
        content["evidence"][0]["says"] = "nothing at all"

    told = rerun(edited(measured, change), predictor=tiny_predictor, remodeller=fake).comparison
    by_name = {one.name: one for one in told.differences}
    assert by_name["predicted TM-score"].now == measured.prediction.tm_score
    assert by_name["predicted TM-score"].tolerance == 0.001
    worst = by_name["predicted lDDT at 5, the most of 2 positions"]
    assert worst.now - worst.before == pytest.approx(0.5)
    assert "clinical likeness" in by_name
    assert "measured lDDT at 31" in by_name
    assert by_name["noise floor, lDDT at 3"].before is None
    (evidence,) = (one for name, one in by_name.items() if name.startswith("evidence"))
    assert evidence.before == "nothing at all" and evidence.tolerance == 0
    assert not told.changed, "the file was edited and nothing else"


def test_less_than_the_tolerance_is_nothing(plain, tiny_predictor):
    def change(content):
        content["prediction"]["tm_score"] -= 0.0009
        content["prediction"]["lddt"][4] -= 0.0009
        content["baselines"]["site_rank"] += 1

    assert rerun(edited(plain, change), predictor=tiny_predictor).comparison.repeats


def test_what_is_told_now_alone_is_no_difference(plain, tiny_predictor):
    text = edited(plain, lambda content: content["prediction"]["told"].clear())
    assert rerun(text, predictor=tiny_predictor).comparison.repeats


def test_the_reasons_that_can_be_known_are_told(measured, tiny_predictor):
    def change(content):
        content["prediction"]["model"] |= {"sha256": "f" * 64, "dtype": "bfloat16"}
        content["provenance"]["versions"] |= {"glass": "0.0.1", "torch": "1.0"}
        content["provenance"]["inputs"]["structure_sha256"] = "0" * 64
        content["provenance"]["protocol"]["remodeller"] = "fake 0"
        content["provenance"]["definitions"]["lddt"] = "another one"

    told = rerun(edited(measured, change), predictor=tiny_predictor, remodeller=fake).comparison
    assert {one.name: one.before for one in told.changed} == {
        "weights of the model, SHA-256": "f" * 64,
        "precision": "bfloat16",
        "GLASS": "0.0.1",
        "torch": "1.0",
        "structure as GLASS writes it, SHA-256": "0" * 64,
        "remodelled with": "fake 0",
        "definition of lddt": "another one",
    }
    assert told.repeats, "none of it has changed a number"


def test_a_remodel_that_cannot_be_repeated_is_left_out_and_said(measured, tiny_predictor):
    made = rerun(to_json(measured), predictor=tiny_predictor, remodeller=nowhere)
    assert made.comparison.repeats and not made.comparison.changed
    assert not made.impact.measured
    (sentence,) = made.comparison.left_out
    assert "not measured again" in sentence and "'fake': is not installed" in sentence


@pytest.mark.parametrize(
    ("name", "text"), [("seeds", "a,b"), ("remodeller", ""), ("later", "1"), ("seeds", None)]
)
def test_a_protocol_of_another_version_is_left_out(measured, tiny_predictor, name, text):
    def change(content):
        protocol = content["provenance"]["protocol"]
        protocol[name] = text
        if text is None:
            del protocol[name]

    made = rerun(edited(measured, change), predictor=tiny_predictor, remodeller=fake)
    assert "protocol: cannot be read" in made.comparison.left_out[0]


def test_a_mutant_structure_of_ones_own_is_in_the_file(globin, tiny_predictor):
    own = FakeRemodeller().remodel(RemodelRequest(globin, {30: "P"})).mutant
    impact = analyse(
        Protein.from_structure(globin),
        Variant.parse("V31P", globin.sequence),
        predictor=tiny_predictor,
        mutant=own,
        background=0,
    )
    made = rerun(to_json(impact), predictor=tiny_predictor, remodeller=nowhere)
    assert made.comparison.repeats and not made.comparison.left_out
    assert made.impact.tm_score == pytest.approx(impact.tm_score, abs=1e-6)
    assert made.comparison.kept == ("the mutant structure that was given, made",)


def test_what_was_looked_up_is_taken_as_it_stands(tiny_predictor):
    looked_up = Annotation(
        "P12345", WILD, "x", "x", "x", retrieved=(Retrieved("UniProt", "P12345", "2026-01-02"),)
    )
    protein = Protein.from_sequence(WILD).annotated(looked_up)
    impact = analyse(protein, Variant.parse("K2R", WILD), predictor=tiny_predictor, background=0)
    (kept,) = rerun(to_json(impact), predictor=tiny_predictor).comparison.kept
    assert kept.startswith("what was looked up: UniProt P12345")


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(evidence=[{}]),
        lambda c: c.update(evidence=[3]),
        lambda c: c.update(checks=[{"name": "x", "position": 1, "holds": "maybe"}]),
        lambda c: c["provenance"].update(protocol={"seeds": 1}),
        lambda c: c["provenance"].update(versions=["glass"]),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(plain, tiny_predictor, change):
    with pytest.raises(InputError, match="not a GLASS impact file"):
        rerun(edited(plain, change), predictor=tiny_predictor)


def test_an_analysis_of_format_1_is_repeated(tiny_predictor):
    told = rerun(
        (OLD / "impact.json").read_text(), predictor=tiny_predictor, remodeller=nowhere
    ).comparison
    assert Changed("GLASS", "0.1.0", glass_core.__version__) in told.changed
    assert "clinical likeness" in {one.name for one in told.differences}


def test_protocols_survive_their_words():
    made = Remodelling(FakeRemodeller(), (5,), RemodelSettings("anneal", 7.5, 400, 9, 60, 2))
    again = Remodelling.from_protocol(made.protocol(), fake)
    assert (again.seeds, again.settings) == (made.seeds, made.settings)
    with pytest.raises(InputError, match="protocol: cannot be read"):
        Remodelling.from_protocol({}, fake)


# --- comparing ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "tolerance"),
    [
        (Column("x"), 0.001),
        (Column("x", digits=0), 1.0),
        (Column("x", kind="whole", span="1 to 19"), 1.0),
        (Column("x", kind="whole", span="0 or 1"), 0.0),
    ],
)
def test_the_tolerance_is_one_in_the_last_digit_that_is_seen(column, tolerance):
    assert tolerance_of(column) == tolerance


def test_no_value_equals_no_value_alone():
    nan = float("nan")
    was = {"a": Stated(np.array([nan, 1.0, nan])), "b": Stated(1.0, 5.0), "c": Stated(None)}
    now = {"a": Stated(np.array([nan, nan, 2.0])), "c": Stated(0.0)}
    told = list(differences(was, now))
    assert [(one.name, one.before, one.now) for one in told] == [
        ("a at 2, the most of 2 positions", 1.0, None),
        ("b", 1.0, None),
        ("c", None, 0.0),
    ]
    assert not list(differences(was, was))


def test_tracks_of_another_length_differ():
    (one,) = differences({"a": Stated(np.zeros(3))}, {"a": Stated(np.zeros(4))})
    assert one.name == "a, along the sequence" and one.now is None


def test_conditions_stand_in_the_order_of_today():
    assert changed({"a": "1", "b": "2"}, {"c": "3", "b": "2"}) == (
        Changed("c", "", "3"),
        Changed("a", "1", ""),
    )


# --- a screen -----------------------------------------------------------------------------


@pytest.fixture
def screened(tiny_predictor, tmp_path):
    """A finished screen of three entries, one of which cannot be read: store and run."""
    store = RunStore(tmp_path / "s.sqlite")
    protein = Protein.from_sequence(WILD, "p")
    asked = from_text("K2R W1A I6P", [protein])
    run = begin(
        store, ScreenRequest((protein,), "x", "compact", "effect"), asked, predictor=tiny_predictor
    )
    advance(store, run, settings=Settings(), predictor=tiny_predictor)
    return store, run


def test_a_screen_repeats(screened, tiny_predictor):
    bundle = read_bundle(export_bundle(*screened))
    made = rerun_screen(bundle.request, bundle.rows, predictor=tiny_predictor)
    assert made.comparison.repeats and not made.comparison.changed
    assert [row.status for row in made.rows] == ["done", "rejected", "done"]
    for row, was in zip(made.rows, bundle.rows, strict=True):
        assert row.to_dict() == {n: pytest.approx(v) for n, v in was.to_dict().items()}


def test_a_screen_that_differs_says_where(screened, tiny_predictor):
    store, run = screened
    request, rows = store.inputs(run), store.rows(run)
    rows[0] = replace(rows[0], told=rows[0].told | {"effect": 50.0})
    rows[2] = replace(rows[2], model="compact 9 (0)", measured_tm=0.9, label=1)
    rows[2] = replace(rows[2], told=rows[2].told | {"effect": 5.0})
    made = rerun_screen(request, rows, predictor=tiny_predictor)
    (one,) = made.comparison.differences
    assert one.name == "effect score of K2R, the most of 2 rows" and one.before == 50.0
    assert "Measured rows (1)" in made.comparison.left_out[0]
    assert made.rows[2].measured_tm == 0.9 and made.rows[2].label == 1, "what was given is kept"


def test_a_screen_without_a_result_cannot_be_repeated(screened, tiny_predictor):
    store, run = screened
    with pytest.raises(InputError, match="nothing to repeat"):
        rerun_screen(store.inputs(run), store.rows(run)[1:2], predictor=tiny_predictor)


# --- the command --------------------------------------------------------------------------


def test_the_command_says_that_it_repeats(run, plain, tmp_path):
    before, after = tmp_path / "a.json", tmp_path / "b.json"
    before.write_text(to_json(plain))
    code, out, err = run("rerun", before, "--out", after)
    assert code == 0, err
    assert out.startswith("It repeats in all of ")
    assert from_json(after.read_text()).prediction.told == plain.prediction.told


def test_the_command_says_what_differs_and_why(run, plain, tmp_path):
    def change(content):
        content["prediction"]["tm_score"] = 0.5
        content["prediction"]["model"]["sha256"] = "0123456789abcdef" * 4

    path = tmp_path / "a.json"
    path.write_text(edited(plain, change))
    code, out, _ = run("rerun", path)
    assert code == 1
    assert "predicted TM-score: 0.5 before, " in out and "(tolerance 0.001)" in out
    assert "weights of the model, SHA-256: 0123456789ab before, " in out
    code, out, _ = run("rerun", path, "--json")
    told = json.loads(out)
    assert code == 1 and told["format"] == "glass-rerun/1" and not told["repeats"]
    assert told["differences"][0]["name"] == "predicted TM-score"


def test_an_edited_file_is_not_explained_away(run, plain, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(edited(plain, lambda c: c["prediction"].update(tm_score=0.5)))
    code, out, _ = run("rerun", path)
    assert code == 1 and "Nothing that is recorded" in out


def test_the_command_says_what_it_could_not_repeat(run, measured, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(to_json(measured))  # by a remodeller that is not there
    code, out, _ = run("rerun", path)
    assert code == 3
    assert "Not repeated: The mutant was not measured again. remodeller 'fake'" in out


def test_the_command_repeats_a_bundle(run, screened, tmp_path):
    bundle, table = tmp_path / "run.zip", tmp_path / "new.csv"
    bundle.write_bytes(export_bundle(*screened))
    code, out, err = run("rerun", bundle, "--out", table)
    assert code == 0, err
    assert len(table.read_text().splitlines()) == 4
    shutil.copy(OLD / "screen.zip", bundle)
    code, out, _ = run("rerun", bundle)
    assert code == 1 and "model: compact 0.4.0" in out


def test_another_model_may_be_asked(run, plain, tmp_path, tiny_assets):
    folder = tmp_path / "none" / "other"
    path = tmp_path / "a.json"
    path.write_text(to_json(plain))
    code, _, err = run("rerun", path, "--model", "other")
    assert code == 2 and "model 'other': is not installed" in err
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    code, _, err = run("rerun", path, "--model", "other")
    assert code == 0, err


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04broken", b"\xff\xfe\x00"])
def test_what_is_no_result_is_refused(run, tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    code, out, err = run("rerun", path)
    assert code == 2 and err.startswith("Error: ") and not out
    assert run("rerun", tmp_path / "missing.json")[0] == 2
