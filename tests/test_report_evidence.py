"""How good a model is: tables, figures, and words never stronger than its records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glass_core.models.evaluation import Evaluation, Figure, read_evaluations
from glass_core.report.evidence import figures, names, pairs, tables, words
from glass_core.report.evidence.compare import above, compared, exactly, inside, plain
from glass_core.report.evidence.ranking import Basis, ranking_quality
from glass_core.report.screen.tables import bases

COMPACT = Path(__file__).parents[1] / "assets" / "models" / "compact"


@pytest.fixture(scope="module")
def committed():
    return read_evaluations(COMPACT)


def record(kind: str, name: str, **content) -> Evaluation:
    return Evaluation(
        kind, name, "test", {"name": "m", "version": "1", "sha256": "0" * 64}, content
    )


def figure(value: float, spread: float = 0.01) -> dict:
    return {"value": value, "low": value - spread, "high": value + spread}


def told(**values: float) -> dict:
    return {name: figure(value) for name, value in values.items()}


def fold_record(tm: float = 0.05, lddt: float = 0.1) -> Evaluation:
    every = {"tm_mae": 0.5, "tm_spearman": 0.6, "lddt_mae": 0.1, "lddt_within_spearman": 0.1}
    return record(
        "pairs",
        "fold",
        pairs=4,
        groups=4,
        welch_p={"sequence identity": 0.00001},
        figures={
            "model": told(**every | {"tm_mae": tm, "lddt_mae": lddt}),
            "sequence identity": told(**every | {"tm_mae": 0.13}),
            "constant 1": told(**every | {"lddt_mae": 0.2}),
        },
        rows={
            "tm": [0.3, 0.5, 0.7, 0.9],
            "predicted_tm": [0.4, 0.5, 0.6, 0.9],
            "lddt_error": [0.1, None, 0.2, 0.1],
            "length": [50, 60, 70, 80],
            "identity": [0.1, 0.3, 0.5, 1.0],
            "coverage": [0.9, 0.9, 1.0, 1.0],
        },
    )


def effects_record(name: str, /, sizes: dict | None = None, **of: float) -> Evaluation:
    """Spearman by predictor, one assay with a crystal and one with an AlphaFold model."""
    of = {who.replace("_", " "): value for who, value in of.items()}
    rows = [
        {
            "assay": assay,
            "group": assay,
            "structure": kind,
            "length": 50,
            "variants": 900,
            "spearman": of,
        }
        for assay, kind in (("Tsuboyama2022_dG_1ABC.pdb", "xray"), ("b", "af"))
    ]
    return record(
        "effects",
        name,
        assays=2,
        groups=2,
        rows=rows,
        structures={"xray": 1, "af": 1},
        figures={w: {"spearman": figure(v), "mean_over_assays": v} for w, v in of.items()},
        by_structure={"xray": {"assays": 1, "mean_over_assays": of}},
        **({} if sizes is None else {"sizes": sizes}),
    )


def clinical_record(name: str = "clinical", /, **of: float) -> Evaluation:
    of = {"model": 0.9, "BLOSUM62": 0.6} | {w.replace("_", " "): v for w, v in of.items()}
    return record(
        "clinical",
        name,
        labels=4,
        damaging=2,
        groups=2,
        calibration_error={"value": 0.1},
        figures={who: told(auroc=value) for who, value in of.items()},
        rows={"probability": [0.1, 0.2, 0.8, 0.9], "label": [0, 0, 1, 1], "BLOSUM62": [1, 1, 1, 1]},
    )


def sizes(coverage: float) -> dict:
    one = {
        "mean_absolute_error": figure(0.5),
        "coverage": figure(coverage),
        "coverage_of_variants": coverage,
        "width": 4.0,
        "pearson": 0.7,
        "spearman_pooled": None,
        "mean_absolute_error_of_variants": 0.52,
    }
    return {"variants": 1800, "stability": one}


def change_record(added: float, network: float = 0.3) -> Evaluation:
    def changes(value: float) -> dict:
        return told(distance_change=value, lddt_deficit=value)

    return record(
        "local change",
        "local change",
        pairs=3,
        groups=2,
        mean_error_angstrom=figure(0.2),
        site_adds=told(distance_change=added, lddt_deficit=0.0),
        figures={
            "Gaussian network": changes(network),
            "model": changes(0.4),
            "model without the site": changes(0.4 - added),
        },
        same_sequence={
            "pairs": 5,
            "groups": 4,
            "mean_error_angstrom": figure(0.4),
            "figures": {"model": changes(0.45)},
        },
    )


def reverse_record(bias: float) -> Evaluation:
    part = {
        "direct_and_reverse": figure(-0.9),
        "bias": figure(bias),
        **told(direct=0.7, reverse=0.6, error_direct=1.0, error_reverse=0.8),
    }
    row = {"mutant": "A1G", "measured": 1.0, "direct": 1.2, "reverse": -0.8}
    return record(
        "reverse",
        "ssym",
        variants=1,
        groups=1,
        figures={"stability": part},
        all_proteins={"variants": 2, "groups": 2, "figures": {"stability": part}},
        rows=[row | {"side": "test"}, row | {"side": "train", "mutant": "C2G"}],
    )


def only(sentences, *needles: str) -> str:
    """The one sentence with all of these words in it."""
    (found,) = [s for s in sentences if all(needle in s for needle in needles)]
    return found


def test_figures_differ_only_where_their_intervals_do_not_overlap():
    low, high = Figure(0.3, 0.2, 0.4), Figure(0.6, 0.5, 0.7)
    assert (above(high, low), above(low, high), above(low, Figure(0.5, 0.4, 0.6))) == (1, -1, 0)
    assert above(low, Figure(0.9, None, None)) is None
    assert above(low, exactly(0.4)) == 0 and above(low, exactly(0.41)) == -1
    assert compared(high, low) == "better than" == compared(low, high, lower_is_better=True)
    assert compared(low, high) == "worse than"
    assert "no better than" in compared(low, Figure(0.45, 0.39, 0.5))
    assert "no better than" in compared(Figure(0.45, 0.39, 0.5), low)
    assert "to be compared" in compared(low, Figure(0.9, None, None))
    assert plain(low) == "0.30 (0.20 to 0.40)" and inside(low, 1) == "0.3, 0.2 to 0.4"
    nothing = Figure(None, None, None)
    assert plain(nothing) == inside(nothing) == str(nothing) == "n/a"
    assert inside(Figure(0.1, None, None)) == "0.10, no interval"


@pytest.mark.parametrize(
    ("tm", "verb"), [(0.05, "better than"), (0.3, "worse than"), (0.131, "no better than")]
)
def test_words_on_fold_pairs(tm, verb):
    said = words.can_and_cannot({"fold": fold_record(tm, lddt=0.3)})
    assert f"{verb} the best trivial baseline (sequence identity, 0.130" in said[0]
    assert "Its lDDT is off by 0.300" in said[1] and "worse than" in said[1]
    assert said[-1] == words.SYMMETRIC


@pytest.mark.parametrize(
    ("rank", "words_of_it"),
    [(0.0, "does not reliably show"), (0.1, "points only weakly to"), (0.4, "points to the")],
)
def test_words_on_lddt_of_point_mutants(rank, words_of_it):
    made = record(
        "pairs",
        "point_mutant",
        figures={
            "model": told(tm_mae=0.03, lddt_within_spearman=rank),
            "constant 1": told(tm_mae=0.035),
        },
    )
    said = words.can_and_cannot({"point_mutant": made})[0]
    assert words_of_it in said and "no better than saying that nothing changes" in said


@pytest.mark.parametrize(
    ("moved", "verb"), [(0.1, "more than"), (0.045, "no more than"), (0.01, "less than")]
)
def test_words_on_the_experimental_noise(moved, verb):
    records = {
        name: record(
            "pairs",
            name,
            figures={
                "model": told(tm_mae=0.03, lddt_within_spearman=0.1),
                "constant 1": told(tm_mae=value),
            },
        )
        for name, value in (("point_mutant", moved), ("same_sequence", 0.05))
    }
    said = only(words.can_and_cannot(records), "Point mutants differ by")
    assert f"{verb} the same sequence solved twice" in said
    assert ("within the error" in said) == (moved == 0.045)


def test_words_on_clinical_labels():
    records = {"clinical": clinical_record()}
    said = words.answers(records)[names.DAMAGING]
    assert len(said) == 1 and "by sequence alone, with AUROC 0.90 (0.89 to 0.91), better" in said[0]
    assert "no diagnosis" in said[0]
    for sequence, verb in ((0.8, "better than"), (0.89, "no better than"), (0.95, "worse than")):
        records["clinical-structure"] = clinical_record(
            "clinical-structure", model_from_sequence=sequence
        )
        said = words.answers(records)[names.DAMAGING]
        assert f"{verb} the sequence alone on the same labels ({sequence:.2f}," in said[1]


@pytest.mark.parametrize(
    ("sequence", "verb"), [(0.6, "better than"), (0.79, "no better than"), (0.9, "worse than")]
)
def test_words_on_stability_compare_structure_and_sequence(sequence, verb):
    made = effects_record(
        "stability-structure", stability=0.8, stability_from_sequence=sequence, BLOSUM62=0.1
    )
    said = words.answers({"stability-structure": made})[names.FOLDS]
    assert f"Spearman 0.80 (0.79 to 0.81), {'within the error ' * ('no' in verb)}{verb}" in said[0]


@pytest.mark.parametrize(
    ("coverage", "judged"),
    [(0.98, "wider than need be"), (0.9, "within the error what they should"), (0.8, "too narrow")],
)
def test_words_on_intervals_of_stability(coverage, judged):
    made = effects_record("ddg-classical", sizes=sizes(coverage), stability=0.5)
    said = only(words.can_and_cannot({"ddg-classical": made}), "kcal/mol on classical")
    assert judged in said and f"hold {coverage:.2f}" in said


def test_stability_is_told_of_models_with_a_head_for_it_only():
    sequence = {"stability": effects_record("stability", model=0.4, BLOSUM62=0.1)}
    assert "Its effect score by sequence alone" in words.can_and_cannot(sequence)[0]
    without = {n: effects_record(n, model=0.4) for n in ("stability-structure", "ddg-classical")}
    assert names.FOLDS not in words.answers(without)


@pytest.mark.parametrize(
    ("bias", "judged"),
    [
        (0.3, "towards destabilising"),
        (0.005, "no bias that could be seen"),
        (-0.3, "towards stabilising"),
    ],
)
def test_words_on_a_change_and_its_reverse(bias, judged):
    said = words.answers({"ssym": reverse_record(bias)})[names.FOLDS][0]
    assert judged in said and "-0.90" in said and "1 groups" in said


@pytest.mark.parametrize(
    ("added", "judged"),
    [
        (0.0, "mostly flexibility: what the substitution adds cannot be seen"),
        (0.05, "Knowing the substitution adds 0.05 (0.04 to 0.06) to 0.35"),
        (-0.05, "away from 0.45"),
    ],
)
def test_words_on_local_change(added, judged):
    said = words.answers({"local change": change_record(added)})[names.CHANGES]
    assert "better than the best elastic network (0.30," in said[0] and judged in said[1]
    assert "one sequence solved twice differs with 0.45" in said[1]
    beaten = words.answers({"local change": change_record(added, network=0.39)})[names.CHANGES]
    assert "within the error no better than the best elastic network" in beaten[0]


@pytest.mark.parametrize(("alone", "verb"), [(0.3, "better than"), (0.49, "no better than")])
def test_words_on_what_is_combined(alone, verb):
    made = effects_record("scan-alignment", model=0.3, combined=0.5, alignment=alone, BLOSUM62=0.2)
    said = words.answers({"scan-alignment": made})[names.WORKS]
    combined = only(said, "all evidence")
    assert (
        "Where there is an alignment (2 scans), all evidence in one chance: Spearman 0.50"
        in combined
    )
    assert f"{verb} " in combined and f"the alignment alone ({alone:.2f}" in combined
    assert "better than the effect head (0.30" in combined
    assert only(said, "the alignment alone: Spearman")
    labels = clinical_record("clinical-structure", combined=0.95, model_from_sequence=0.8)
    said = words.answers({"clinical-structure": labels})[names.DAMAGING]
    combined = only(said, "all evidence")
    assert "a structure (4 labels), all evidence in one chance: AUROC 0.95" in combined
    assert "it is off by" not in combined, "how far is not in the record"
    labels.content["figures"]["combined"]["calibration_error"] = {
        "value": 0.02, "low": 0.01, "high": 0.04,
    }  # fmt: skip
    said = words.answers({"clinical-structure": labels})[names.DAMAGING]
    assert only(said, "all evidence").endswith("; it is off by 0.02 (0.01 to 0.04).")


@pytest.mark.parametrize(
    ("low", "high", "verb"),
    [
        (0.01, 0.05, "better than the effect head"),
        (-0.01, 0.05, "no better than the effect head"),
        (-0.05, -0.01, "worse than the effect head"),
    ],
)
def test_a_difference_that_was_measured_decides(low, high, verb):
    made = effects_record("scan-structure", model=0.49, combined=0.5, BLOSUM62=0.2)
    made.content["ahead"] = {"combined": {"model": {"value": 0.02, "low": low, "high": high}}}
    said = words.answers({"scan-structure": made})[names.WORKS]
    assert verb in only(said, "all evidence")


def test_committed_words_claim_no_more_than_the_records(committed):
    said = words.can_and_cannot(committed)
    assert len(set(said)) == len(said) and not any("n/a" in s or "no interval" in s for s in said)
    gained = committed["clinical-structure"].content["ahead"]["model"]["model from sequence"]
    assert gained["low"] > 0
    assert ", better than the sequence alone" in only(said, "With a structure", "AUROC")
    held = committed["ddg-classical"].content["sizes"]["stability"]["coverage"]
    assert held["low"] < 0.9 < held["high"]
    assert "within the error what they should" in only(said, "kcal/mol on classical")
    assert only(said, "points only weakly to")
    assert only(said, "mostly flexibility")


def test_ranking_tables_have_one_row_per_predictor_and_one_column_per_set(committed):
    asked = names.of_question(committed, names.FOLDS)
    table = tables.ranking_table(asked).set_index("predictor")
    assert list(table.columns[1:]) == [f"Spearman, {names.set_name(r.set)}" for r in asked]
    assert list(table.index[:2]) == [
        "stability head, with structure",
        "stability head, sequence alone",
    ]
    structure = committed["stability-structure"]
    column = table["Spearman, mega-scale, with structure"]
    assert column["stability head, with structure"] == str(
        structure.figure("stability", "spearman")
    )
    assert column["effect head, with structure"] == str(structure.figure("model", "spearman"))
    by_sequence = table["Spearman, mega-scale, sequence alone"]
    model = committed["stability"].figure("model", "spearman")
    assert by_sequence["effect head, sequence alone"] == str(model)
    assert by_sequence["effect head, with structure"] == ""
    assert table["kind"]["BLOSUM62"] == "baseline" and table["kind"].iloc[0] == "model"
    sampled = tables.sampled_table(committed).set_index("predictor")
    assert {"predicted TM-score deficit", "predicted lDDT deficit", "BLOSUM62"} <= set(
        sampled.index
    )


def test_unknown_predictors_and_sets_are_shown_by_their_own_names():
    made = effects_record("binding-docked", model=0.3, oracle=0.9, BLOSUM62=0.1)
    records = {"binding-docked": made}
    assert names.of_question(records, names.OTHERS) == [made]
    assert names.of_question(records, names.WORKS) == []
    table = tables.ranking_table([made])
    assert list(table["predictor"]) == ["effect head, sequence alone", "oracle", "BLOSUM62"]
    assert list(table["kind"]) == ["model", "", "baseline"]
    assert table.columns[2] == "Spearman, binding-docked"
    assert words.answers(records) == {names.PAIRS: (words.SYMMETRIC,)}
    assert figures.intervals(made).layout.yaxis.ticktext == tuple(table["predictor"])
    for name in ("scan-alignment", "clinical-alignment"):
        assert names.set_name(name) != name


def test_a_set_says_how_many_and_of_what_structures(committed):
    assert names.counts(committed["stability-structure"]) == (
        "23 domains, 24,317 variants, 14 groups; structures: 14 AlphaFold, 5 another model, "
        "4 crystal"
    )
    assert names.counts(committed["scan"]).endswith("; no structure read")
    assert "595 of them damaging" in names.counts(committed["clinical-structure"])
    unread = record("clinical", "clinical-alignment", labels=4, damaging=2, groups=2, figures={})
    assert names.counts(unread) == "4 labels, 2 of them damaging, 2 groups"


def test_structure_table_tells_crystals_from_models(committed):
    structure = committed["stability-structure"]
    table = tables.structure_table([committed["stability"], structure])
    assert list(table["structure"]) == ["AlphaFold", "another model", "crystal", "all"]
    assert table["n"].sum() == 2 * structure.content["assays"]
    assert list(table["stability head, with structure"]) == ["0.79", "0.72", "0.67", "0.75"]
    assert tables.structure_table([committed["scan"], committed["clinical"]]).empty


def test_size_reverse_and_change_tables(committed):
    sized = tables.size_table([committed["scan"], committed["ddg-classical"]])
    assert len(sized) == 2 and sized["90% interval holds"][0] == "0.922 (0.867 to 0.973)"
    assert tables.size_table([effects_record("x", sizes=sizes(0.9))])["Spearman"][0] == "n/a"
    reverse = tables.reverse_table(committed["ssym"])
    assert list(reverse["variants (groups)"]) == ["79 (2)", "511 (13)"]
    assert reverse["bias (kcal/mol)"][0] == "0.282 (0.152 to 0.413)"
    changes = tables.change_table(committed["local change"]).set_index("predictor")
    assert changes["distance change"][tables.ADDED] == "0.000 (-0.017 to 0.012)"
    assert changes["distance change, same sequence"]["closeness to the site"] == ""
    assert changes["lDDT deficit, same sequence"]["model"] == "0.431 (0.351 to 0.508)"


def test_pair_tables_and_figures():
    fold = fold_record()
    table = pairs.tm_table({"fold": fold})
    assert table["TM MAE"][0] == "0.050 (0.040 to 0.060)" and table["Welch p"][0] == "< 0.0001"
    assert table["best baseline"][0].startswith("sequence identity: 0.130")
    assert pairs.lddt_table({"fold": fold})["best baseline"][0].startswith("sequence identity: 0.1")
    assert len(pairs.boxes_by_tm(fold).data) == 4
    assert sum(len(t.x) for t in pairs.error_histograms(fold).data) == 7
    assert list(pairs.error_against(fold, "length").data[0].x) == [50, 60, 70, 80]


def test_figures_of_labels():
    roc = figures.roc_curves(clinical_record())
    assert list(roc.data[0].y) == [0, 0.5, 1, 1, 1]
    assert list(roc.data[1].x) == [0, 1], "ties are one step"
    assert roc.data[0].name == "effect head, sequence alone, AUROC 0.900"
    curve = figures.calibration_curve(clinical_record())
    assert list(curve.data[1].y) == [0, 0, 1, 1]


def test_roc_draws_every_predictor_that_has_rows():
    made = clinical_record("clinical-alignment", combined=0.95)
    made.content["rows"]["combined"] = [0.1, 0.2, 0.3, 0.4]
    assert [t.name.split(",")[0] for t in figures.roc_curves(made).data[:-1]] == [
        "effect head",
        "BLOSUM62",
        "all evidence",
    ]


def test_figures_of_ranks_and_changes():
    made = effects_record("stability-structure", stability=0.8, stability_from_sequence=0.6)
    dots = figures.assay_dots(made)
    assert [t.name for t in dots.data] == [
        "stability head, sequence alone",
        "stability head, with structure",
    ]
    assert "1ABC" in dots.data[0].y
    spread = figures.intervals(made)
    assert list(spread.data[0].x) == [0.8, 0.6]
    assert np.allclose(spread.data[0].error_x.array, 0.01)
    of_mutants, of_twins = figures.change_intervals(change_record(0.0)).data
    assert len(of_mutants.x) == 3 and list(of_twins.x) == [0.45]
    points = figures.reverse_scatter(reverse_record(0.2)).data[1]
    assert [row[0] for row in points.customdata] == ["A1G"], "held-out proteins only"


def test_a_predictor_without_a_value_is_drawn_nowhere():
    made = effects_record("scan", model=0.3, BLOSUM62=0.1)
    made.content["rows"][0]["spearman"] = {"model": None, "BLOSUM62": 0.1}
    assert None in figures.assay_dots(made).data[-1].x


def test_quality_of_a_ranking_is_of_how_it_was_told(committed):
    by_sequence = ranking_quality(committed, "ddg")
    assert "by sequence alone" in by_sequence and "0.64 for the stability of domains" in by_sequence
    by_structure = ranking_quality(committed, "ddg", Basis(structure=True))
    assert "from a structure" in by_structure and "0.76 for the stability" in by_structure
    assert "0.52 on classical measurements" in by_structure
    damaging = ranking_quality(committed, "p_damaging", Basis(structure=True))
    assert "AUROC 0.82 on clinical labels (BLOSUM62 0.70)" in damaging
    assert "classical" not in damaging
    assert "AUROC 0.83" in ranking_quality(committed, "p_damaging")
    for ranking in ("tm_deficit", "lddt_deficit"):
        assert ranking_quality(committed, ranking).endswith("on a sample of variants.")
    assert "(BLOSUM62" not in ranking_quality(committed, "blosum62")
    assert "not recorded" in ranking_quality({}, "effect")


@pytest.mark.parametrize(
    ("ranking", "value"), [("alignment_log_odds", "0.44"), ("p_combined", "0.55")]
)
def test_quality_with_an_alignment(ranking, value):
    scan = effects_record("scan-alignment", model=0.3, combined=0.55, alignment=0.44, BLOSUM62=0.2)
    records = {"scan-alignment": scan, "clinical": clinical_record(alignment=0.7)}
    said = ranking_quality(records, ranking, Basis(alignment=True))
    assert f"Spearman {value} in mutational scans (BLOSUM62 0.20)." in said
    assert "clinical" not in said, "measured without an alignment"
    bare = {"clinical": clinical_record()}
    assert "not recorded" in ranking_quality(bare, ranking, Basis(alignment=True))


def test_what_is_combined_without_an_alignment_is_of_structures():
    records = {"scan-structure": effects_record("scan-structure", combined=0.5)}
    said = ranking_quality(records, "p_combined", Basis(structure=True))
    assert "0.50" in said and "from a structure" in said
    assert "not recorded" in ranking_quality(records, "p_combined", Basis(True, True))
    alone = ranking_quality({"clinical": clinical_record()}, "p_combined")
    assert alone == ranking_quality({"clinical": clinical_record()}, "p_damaging")


def test_a_screen_says_whether_the_structure_was_read():
    frame = pd.DataFrame(
        {
            "p_damaging": [0.1, 0.2, np.nan],
            "effect": [1.0, 2.0, np.nan],
            "effect_structure": pd.array([1, 1, None], dtype="Int64"),
            "ddg": [0.1, 0.2, 0.3],
            "ddg_structure": pd.array([1, 0, None], dtype="Int64"),
            "blosum62": [1.0, 2.0, 3.0],
        }
    )
    assert bases(frame, "p_damaging") == (Basis(True),)
    assert bases(frame, "ddg") == (Basis(True), Basis())
    assert bases(frame, "blosum62") == (Basis(),)
    assert bases(frame.drop(columns="effect_structure"), "effect") == (Basis(),)
    frame = frame.assign(
        p_combined=[0.2, 0.3, 0.4],
        combined_structure=pd.array([1, 1, 0], dtype="Int64"),
        combined_alignment=pd.array([1, 0, 0], dtype="Int64"),
    )
    assert bases(frame, "p_combined") == (Basis(True, True), Basis(True), Basis())
