"""Runs: kept as they go, taken up after a kill, never doubled, shared and deleted."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from glass_core.errors import Cancelled, GlassError, InputError, ModelError, RemodelError, RunError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import to_json
from glass_core.impact.provenance import provenance
from glass_core.inputs.lists import all_substitutions, from_mutants, from_text, read_request
from glass_core.protein.numbering import Numbering
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.remodel.duration import remodel_seconds
from glass_core.runs.screening import Piece, advance, begin, digest_of, score_piece
from glass_core.runs.second_stage import analysis_of
from glass_core.runs.store import RunStore
from glass_core.runs.view import View
from glass_core.screen.columns import RANKINGS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow, first_row
from glass_core.screen.stream import screen
from glass_core.settings import Settings

WILD = "MKTAYIAKQRQISFVKSHFSRQ"
PROTEIN = Protein.from_sequence(WILD, "one")
ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "deep" / "runs.sqlite")


@pytest.fixture
def settings(tiny_assets, tmp_path):
    return Settings(
        assets=tiny_assets,
        models=tmp_path / "none",
        device="cpu",
        runs=tmp_path / "deep" / "runs.sqlite",
    )


def begun(store, predictor, asked=None, name="", digest="", **more):
    asked = list(all_substitutions(PROTEIN)) if asked is None else asked
    request = ScreenRequest((PROTEIN,), "a test", "compact", **more)
    return begin(store, request, asked, predictor=predictor, name=name, digest=digest)


def test_effects_are_there_before_anything_else(store, tiny_predictor):
    run = begun(store, tiny_predictor)
    rows = store.rows(run)
    assert len(rows) == 19 * len(WILD) and all(r.status == "waiting" for r in rows)
    assert all(r["effect"] is not None and r["predicted_tm"] is None for r in rows)
    known = store.get(run)
    assert known.state == "waiting" and known.waiting == known.total == len(rows)
    assert len(run) >= 16


def test_a_run_goes_to_its_end_and_keeps_rejected_rows(store, settings, tiny_predictor):
    run = begun(store, tiny_predictor, list(from_text("K2R nonsense T3A", [PROTEIN])))
    told = []
    advance(store, run, settings=settings, predictor=tiny_predictor, tell=told.append)
    assert store.get(run).state == "done"
    assert dict(store.get(run).counts) == {"done": 2, "rejected": 1}
    assert told[-1].fraction == 1 and "predicting: 3 of 3" in str(told[-1])
    before = store.rows(run)
    advance(store, run, settings=settings, predictor=tiny_predictor)
    assert store.rows(run) == before, "nothing is done twice"


def test_cancelled_runs_keep_what_is_done_and_go_on(store, settings, tiny_predictor, monkeypatch):
    monkeypatch.setattr("glass_core.runs.screening.CHUNK_RESIDUES", 500)
    run = begun(store, tiny_predictor)
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        advance(
            store, run, settings=settings, predictor=tiny_predictor, cancelled=lambda: next(answers)
        )
    assert store.get(run).state == "cancelled" and store.get(run).counts["done"] == 3 * 22
    advance(store, run, settings=settings, predictor=tiny_predictor)
    assert store.get(run).waiting == 0 and store.get(run).state == "done"


def test_a_failure_of_the_model_is_told_and_the_run_stays(store, settings, tiny_predictor):
    run = begun(store, tiny_predictor)

    def broken(function, items):
        raise ModelError("weights are gone.")
        yield

    with pytest.raises(ModelError):
        advance(store, run, settings=settings, runner=broken)
    known = store.get(run)
    assert (known.state, known.error) == ("failed", "weights are gone.")
    assert known.waiting == known.total


KILLED = """
import sys
from pathlib import Path
from glass_core.models.registry import load_predictor
from glass_core.runs.store import RunStore
from glass_core.settings import Settings
import glass_core.runs.screening as screening
screening.CHUNK_RESIDUES = 200
settings = Settings(assets=Path(sys.argv[1]), device="cpu", runs=Path(sys.argv[2]))
def tell(progress):
    print(progress.done, flush=True)
screening.advance(RunStore(settings.runs), sys.argv[3], settings=settings,
                  predictor=load_predictor(settings), tell=tell)
"""


def test_kill_9_in_the_middle_and_start_again(store, settings, tiny_assets, tiny_predictor):
    run = begun(store, tiny_predictor)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tiny_assets), str(settings.runs), run],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    for _ in range(4):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    half = store.get(run)
    assert half.state == "running" and 0 < half.counts["done"] < half.total
    done_before = store.rows(run, View(status="done"))
    advance(store, run, settings=settings, predictor=tiny_predictor)
    rows = store.rows(run)
    assert [r.row for r in rows] == list(range(1, len(rows) + 1)), "none lost, none twice"
    assert store.get(run).waiting == 0
    after = {r.row: r for r in rows}
    assert all(after[r.row] == r for r in done_before)
    single = {
        i.variant.text: i.prediction.tm_score
        for i in screen(all_substitutions(PROTEIN), predictor=tiny_predictor)
    }
    assert all(r["predicted_tm"] == pytest.approx(single[r.variant], abs=1e-5) for r in rows)


@pytest.mark.slow
def test_a_worker_of_a_cluster_is_killed_in_the_middle(
    store, settings, tiny_predictor, monkeypatch
):
    from dask.distributed import LocalCluster

    from glass_core.compute import dask_runner

    monkeypatch.setattr("glass_core.runs.screening.CHUNK_RESIDUES", 200)
    run = begun(store, tiny_predictor)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        victims = [worker.process.pid for worker in cluster.workers.values()]
        told = []

        def tell(progress):
            told.append(progress.done)
            if len(told) == 2:
                os.kill(victims[0], signal.SIGKILL)

        with dask_runner(cluster.scheduler_address) as runner:
            advance(store, run, settings=settings, runner=runner, tell=tell)
    rows = store.rows(run)
    assert [r.row for r in rows] == list(range(1, 19 * len(WILD) + 1))
    assert all(r.status == "done" for r in rows)
    single = {
        i.variant.text: i.prediction.tm_score
        for i in screen(all_substitutions(PROTEIN), predictor=tiny_predictor)
    }
    assert all(r["predicted_tm"] == pytest.approx(single[r.variant], abs=1e-5) for r in rows)


def test_views_sort_filter_and_page(store, settings, tiny_predictor):
    run = begun(store, tiny_predictor, list(all_substitutions(PROTEIN, 1, 4)))
    advance(store, run, settings=settings, predictor=tiny_predictor)
    top = store.rows(run, View("lddt_deficit", descending=True, limit=5))
    deficits = [1 - r["predicted_lddt_site"] for r in store.rows(run)]
    assert [1 - r["predicted_lddt_site"] for r in top] == sorted(deficits, reverse=True)[:5]
    second = store.rows(run, View("lddt_deficit", descending=True, limit=5, offset=5))
    assert not {r.row for r in top} & {r.row for r in second}
    assert store.count(run, View(search="k2")) == 19
    for score in RANKINGS:
        order = RANKINGS[score]
        values = [r[order.column] for r in store.rows(run)]
        told = sorted(order.of(value) for value in values if value is not None)
        if not told:  # this model has no head for it, or others would tell it
            others = ("p_combined", "ddg", "alignment_log_odds", "estimated_")
            assert order.column.startswith(others) or order.external
            continue
        assert store.count(run, View(score, at_least=told[-10] - 1e-12)) == sum(
            v >= told[-10] for v in told
        ), score
    with pytest.raises(InputError, match="is no column"):
        store.rows(run, View("row; DROP TABLE runs"))
    columns = store.columns(run, ["row", "effect"])
    assert columns["row"] == [r.row for r in store.rows(run)]
    with pytest.raises(InputError):
        store.columns(run, ["row", "*"])
    assert store.rows(run, View(search="' OR 1=1 --")) == []


def test_runs_are_listed_named_found_and_deleted(store, tiny_predictor):
    first = begun(store, tiny_predictor, [read_request(1, "K2R", PROTEIN)], digest="a")
    second = begun(
        store, tiny_predictor, [read_request(1, "T3A", PROTEIN)], name="mine", digest="b"
    )
    assert [r.id for r in store.newest()] == [second, first]
    assert store.find("a").id == first and store.find("c") is None
    store.rename(first, "  a better name " + "x" * 500)
    assert store.get(first).name.startswith("a better name x") and len(store.get(first).name) == 120
    with pytest.raises(InputError):
        store.rename(first, "  ")
    store.delete(first)
    assert store.get(first) is None and store.rows(first) == []
    with pytest.raises(RunError, match="not known"):
        store.inputs(first)
    assert store.get(second).name == "mine"


def test_inputs_and_impacts_round_trip(store, tiny_predictor, globin):
    protein = Protein.from_structure(globin)
    made = asdict(provenance(protein, protein.sequence, {}))
    inputs = ScreenRequest((protein, PROTEIN), "somewhere", "compact", "effect", "openmm", 3, made)
    run = store.create(inputs, [])
    read = store.inputs(run)
    assert read.proteins[1].sequence == WILD and read.ranking == "effect" and read.remodel_top == 3
    assert read.proteins[0].author_number(5) == protein.author_number(5)
    assert (read.proteins[0].ca == protein.ca).all()
    impact = next(screen([read_request(1, "K2R", PROTEIN)], predictor=tiny_predictor))
    kept = store.keep_impact(impact)
    assert to_json(store.impact(kept)) == to_json(impact)
    assert store.get(kept).name == "one K2R" and store.get(kept).kind == "impact"
    assert store.impact(run) is None


def test_an_unfinished_transaction_leaves_no_half_run(store, tiny_predictor):
    def failing():
        yield ScreenRow(1, "one", "K2R", "waiting")
        raise ModelError("stop")

    with pytest.raises(ModelError):
        store.create(ScreenRequest((PROTEIN,), "x", "compact"), failing())
    assert store.newest() == []


def test_a_locked_file_a_full_disk_and_junk_are_one_line_each(
    tmp_path, monkeypatch, store, tiny_predictor
):
    run = begun(store, tiny_predictor, [read_request(1, "K2R", PROTEIN)])
    monkeypatch.setattr("glass_core.runs.database._PATIENCE_S", 0.05)
    other = sqlite3.connect(store.path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RunError, match="locked by another program"):
        store.rename(run, "x")
    other.rollback()
    pages = other.execute("PRAGMA page_count").fetchone()[0]
    other.close()

    def small(database, timeout):
        db = sqlite3.connect(database, timeout=timeout)
        db.execute(f"PRAGMA max_page_count={pages + 1}")
        return db

    cramped = RunStore(store.path, small)
    many = [ScreenRow(n, "one", "K2R", "done", "y" * 500) for n in range(2, 2000)]
    with pytest.raises(RunError, match="disk is full"):
        cramped.write(run, many)
    assert len(store.rows(run)) == 1, "the run stays as it was"
    junk = tmp_path / "junk.sqlite"
    junk.write_bytes(b"not a database at all, but long enough to look at" * 50)
    with pytest.raises(RunError, match="move it away"):
        RunStore(junk)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(RunError, match="GLASS_RUNS"):
        RunStore(blocked / "runs.sqlite")


def test_a_file_of_an_earlier_version_gets_the_new_columns(store, tiny_predictor):
    run = begun(store, tiny_predictor, [read_request(1, "K2R", PROTEIN)])
    db = sqlite3.connect(store.path)
    db.execute("ALTER TABLE rows DROP COLUMN protocol")
    db.commit()
    db.close()
    again = RunStore(store.path)
    assert again.rows(run)[0].protocol is None
    again.write(run, again.rows(run))


def test_two_writers_do_not_disturb_each_other(store, settings, tiny_predictor):
    runs = [
        begun(store, tiny_predictor, list(all_substitutions(PROTEIN, k, k + 3))) for k in (1, 5)
    ]
    errors = []

    def work(run):
        try:
            advance(RunStore(store.path), run, settings=settings, predictor=tiny_predictor)
        except GlassError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for run, first in zip(runs, (1, 5), strict=True):
        assert {r.position for r in store.rows(run)} == set(range(first, first + 4))
        assert store.get(run).state == "done"


def test_digests_tell_screens_apart(tiny_predictor, globin):
    info, asked = tiny_predictor.info, [read_request(1, "K2R", PROTEIN)]
    one = digest_of([PROTEIN], asked, info)
    assert one == digest_of([PROTEIN], [read_request(1, "K2R", PROTEIN)], info)
    shaped = Protein.from_structure(globin)
    mutants = [list(from_mutants(f">m\n{m}{WILD[1:]}\n", PROTEIN)) for m in "AC"]
    others = [
        digest_of([PROTEIN], asked, replace(info, sha256="0")),
        digest_of([PROTEIN], [], info),
        digest_of([Protein.from_sequence(WILD[:-1], "one")], [], info),
        digest_of([PROTEIN], [read_request(1, "K2R", PROTEIN, measured_value=1.0)], info),
        digest_of([PROTEIN], [read_request(1, "K2R", PROTEIN, label=True)], info),
        digest_of([PROTEIN], mutants[0], info),
        digest_of([PROTEIN], mutants[1], info),
        digest_of([shaped], [], info),
        digest_of([Protein.from_sequence(shaped.sequence, shaped.name)], [], info),
    ]
    assert len({one, *others}) == 1 + len(others)


def test_a_bug_or_a_lost_cluster_does_not_look_as_if_it_ran_on(store, settings, tiny_predictor):
    run = begun(store, tiny_predictor)

    def lost(function, items):
        raise KeyError("worker")
        yield

    with pytest.raises(KeyError):
        advance(store, run, settings=settings, runner=lost)
    assert store.get(run).state == "failed" and "KeyError" in store.get(run).error


def test_a_run_that_is_deleted_meanwhile_says_so(store, tiny_predictor):
    run = begun(store, tiny_predictor, [read_request(1, "K2R", PROTEIN)])
    rows = store.rows(run)
    store.delete(run)
    with pytest.raises(RunError, match="deleted meanwhile"):
        store.write(run, rows)


def test_others_can_write_while_a_run_is_prepared(store, tiny_predictor, monkeypatch):
    monkeypatch.setattr("glass_core.runs.database._PATIENCE_S", 0.2)
    run = begun(store, tiny_predictor, [read_request(1, "K2R", PROTEIN)])

    def slow():
        yield ScreenRow(1, "one", "K2R", "waiting")
        store.rename(run, "written in between")

    second = store.create(ScreenRequest((PROTEIN,), "x", "compact"), slow())
    assert store.get(run).name == "written in between" and store.get(second).state == "waiting"


def test_rows_of_proteins_that_alternate_are_done_together(store, settings, tiny_predictor):
    other = Protein.from_sequence("ACDEFGHIKL", "two")
    asked = [read_request(n, *("K2R", PROTEIN) if n % 2 else ("C2A", other)) for n in range(1, 41)]
    run = begin(
        store, ScreenRequest((PROTEIN, other), "x", "compact"), asked, predictor=tiny_predictor
    )
    sizes = []

    def watched(function, items):
        sizes.extend(len(item.rows) for item in items)
        yield from enumerate(map(function, items))

    advance(store, run, settings=settings, predictor=tiny_predictor, runner=watched)
    assert sorted(sizes) == [20, 20] and store.get(run).counts == {"done": 40}


def test_resume_from_the_command_line(settings, tiny_predictor, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from glass_core.cli.main import main

    environment = {
        "GLASS_ASSETS": str(settings.assets),
        "GLASS_RUNS": str(settings.runs),
        "GLASS_MODELS": str(settings.models),
        "GLASS_DEVICE": "cpu",
    }
    command = ["screen", "--wild", WILD, "--all", "--out", str(tmp_path / "o.csv"), "--resume"]
    first = CliRunner().invoke(main, command, env=environment)
    assert first.exit_code == 0 and "begun" in first.stderr
    again = CliRunner().invoke(main, command, env=environment)
    assert "taken up, 0 rows to go" in again.stderr
    assert len(RunStore(settings.runs).newest()) == 1


def test_pieces_of_a_screen_travel_with_the_structure(globin, tiny_predictor):
    import pickle

    protein = Protein.from_structure(globin)
    variant = f"{protein.sequence[30]}31P"
    rows = (first_row(read_request(1, variant, protein), (), tiny_predictor.info),)
    piece = pickle.loads(pickle.dumps(Piece(protein, rows)))
    np.testing.assert_array_equal(piece.protein.ca, protein.ca)
    asked = []

    class Asking:
        info = tiny_predictor.info

        def predict(self, protein, variants, progress=None):
            asked.append(protein)
            return tiny_predictor.predict(protein, variants)

    (done,) = score_piece(piece, settings=Settings(), model="compact", predictor=Asking())
    assert done.status == "done" and asked[0].structure is not None


class Shifting:
    """A remodeller that moves nothing, and refuses to touch the third residue."""

    def remodel(self, request, watch):
        from glass_core.remodel.base import Replicate

        if 2 in request.substitutions:
            raise RemodelError("no force field.")
        return Replicate(request.seed, request.wild, request.wild, request.wild)

    def version(self):
        return "shifting 1"


@pytest.fixture
def remodelled(store, settings, tiny_predictor, globin, monkeypatch):
    """A screen of which two were remodelled and one could not be."""
    monkeypatch.setattr("glass_core.runs.second_stage.get_remodeller", lambda *asked: Shifting())
    protein = Protein.from_structure(globin)
    sequence = protein.sequence
    asked = [
        read_request(n, f"{sequence[p]}{p + 1}W", protein) for n, p in ((1, 2), (2, 9), (3, 20))
    ]
    request = ScreenRequest((protein,), "s", "compact", "effect", "openmm", 3)
    run = begin(store, request, asked, predictor=tiny_predictor)
    told = []
    advance(store, run, settings=settings, predictor=tiny_predictor, tell=told.append)
    return run, told


def test_what_was_measured_is_kept_whole(store, remodelled, tiny_predictor):
    run, told = remodelled
    failed, *measured = store.rows(run)
    assert failed.analysis is None and "no force field" in failed.reason
    for row in measured:
        assert row.measured_strain_site == pytest.approx(0, abs=1e-6)
        assert row.above_floor_lddt == 0 and row.above_floor_strain == 0
        impact = store.impact(row.analysis)
        assert impact.measured and impact.variant.text == row.variant
        assert impact.tm_score == row.measured_tm
        assert analysis_of(store, run, row.row, predictor=tiny_predictor) == row.analysis
    studies = {store.get(row.analysis).study for row in measured}
    assert len(studies) == 1 and None not in studies
    assert [r.remaining_s is not None for r in told if r.stage.startswith("remodelling")] == 3 * [
        True
    ]


def test_other_rows_open_as_predictions_of_the_same_study(store, remodelled, tiny_predictor):
    run, _ = remodelled
    failed, one, _ = store.rows(run)
    kept = analysis_of(store, run, failed.row, predictor=tiny_predictor)
    assert not store.impact(kept).measured and store.impact(kept).variant.text == failed.variant
    assert store.get(kept).study == store.get(one.analysis).study
    assert store.rows(run)[0].analysis == kept
    assert analysis_of(store, run, failed.row, predictor=tiny_predictor) == kept, "once"
    store.delete(kept)
    assert analysis_of(store, run, failed.row, predictor=tiny_predictor) != kept
    with pytest.raises(InputError, match="row 9"):
        analysis_of(store, run, 9, predictor=tiny_predictor)


def test_a_row_that_was_opened_before_is_measured_under_its_address(
    store, settings, tiny_predictor, globin, monkeypatch
):
    monkeypatch.setattr("glass_core.runs.second_stage.get_remodeller", lambda *asked: Shifting())
    protein = Protein.from_structure(globin)
    asked = [read_request(1, f"{protein.sequence[9]}10W", protein)]
    request = ScreenRequest((protein,), "s", "compact", "effect", "openmm", 3)
    run = begin(store, request, asked, predictor=tiny_predictor)
    kept = analysis_of(store, run, 1, predictor=tiny_predictor)
    advance(store, run, settings=settings, predictor=tiny_predictor)
    assert store.rows(run)[0].measured_tm is not None
    # rows that were waiting are written anew, so that the address may be another
    assert store.impact(store.rows(run)[0].analysis).measured
    assert store.get(kept).study == store.get(store.rows(run)[0].analysis).study


def test_rejected_rows_have_no_analysis(store, tiny_predictor):
    run = begun(store, tiny_predictor, list(from_text("K2R nonsense", [PROTEIN])))
    with pytest.raises(InputError, match="nonsense"):
        analysis_of(store, run, 2, predictor=tiny_predictor)
    assert store.count(run, View(readable=True)) == 1 and store.count(run, View()) == 2


def test_proteins_of_a_screen_have_a_study_each(store, tiny_predictor):
    two = Protein.from_sequence(WILD[:-2], "two")
    asked = [read_request(1, "K2R", PROTEIN), read_request(2, "K2R", two)]
    run = begin(
        store, ScreenRequest((PROTEIN, two), "both", "compact"), asked, predictor=tiny_predictor
    )
    kept = [analysis_of(store, run, n, predictor=tiny_predictor) for n in (1, 2)]
    assert len({store.get(one).study for one in kept}) == 2
    store.delete(run)
    assert store.impact(kept[0]) is not None, "what was opened stays"


@pytest.mark.parametrize(
    ("residues", "seconds"),
    [
        (70, 9.9),
        (147, 20.2),
        (177, 38.2),
        (211, 48.7),
        (248, 65.1),
        (319, 76.7),
        (408, 148.5),
        (522, 123.5),
        (566, 120.2),
    ],
)
def test_estimates_of_remodelling_were_true_within_a_factor_of_two(residues, seconds):
    """Measured with OpenMM on two cores, beside other work."""
    assert 0.5 < remodel_seconds(residues) / seconds < 2
    assert remodel_seconds(residues, 3) == 3 * remodel_seconds(residues)


def test_searches_find_the_users_own_numbers(store, tiny_predictor):
    counted = PROTEIN.counted_by(Numbering.shifted(len(WILD), 100, "mine"))
    request = ScreenRequest((counted,), "s", "compact")
    asked = list(all_substitutions(counted, 2, 2))
    run = begin(store, request, asked, predictor=tiny_predictor)
    assert store.count(run, View(search="k102")) == 19 == store.count(run, View(search="K2"))


def test_a_protein_is_opened_once_and_its_variants_gather(store, tiny_predictor):
    from glass_core.runs.studies import protein_digest

    protein = Protein.from_sequence("MKTAYIAKQRQISFVKSHFSRQ", "mine").counted_by("sequence")
    study = store.studies.open(protein)
    again = store.studies.get(study.id)
    assert again.name == "mine" and again.digest == study.digest == protein_digest(protein)
    assert protein_digest(again.protein) == study.digest, "kept without loss"
    assert store.studies.get("unknown") is None
    runs = []
    for text in ("K2R", "T3A"):
        made = analyse(protein, Variant.parse(text, protein.sequence), predictor=tiny_predictor)
        runs.append(store.keep_impact(made, study=study.id))
    assert [r.id for r in store.of_study(study.id)] == runs
    first = store.get(runs[0])
    assert first.variant == "K2R" and first.verdict.startswith("K2R:") and not first.measured
    assert 0 <= first.chance <= 1 and first.ddg is None
    assert store.impact(runs[0], again.protein).protein is again.protein


def test_a_run_that_is_measured_keeps_its_star_and_note(store, tiny_predictor):
    protein = Protein.from_sequence("MKTAYIAKQRQISFVKSHFSRQ")
    made = analyse(protein, Variant.parse("K2R", protein.sequence), predictor=tiny_predictor)
    run = store.keep_impact(made)
    store.mark(run, star=True, note="ask")
    store.keep_impact(made, run=run)
    known = store.get(run)
    assert known.star and known.note == "ask"
    assert [r.id for r in store.newest(search="k2r")] == [run]
    assert [r.id for r in store.newest(search="ASK")] == [run]
    assert store.newest(search="nothing like it") == []
