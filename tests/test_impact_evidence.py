"""Other people's scores as evidence: whose they are, in every place that shows evidence."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from glass_core.errors import RecordError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json, to_dict, to_json
from glass_core.impact.evidence import Evidence, agreement
from glass_core.protein.annotation import Annotation, KnownVariant
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.report.impact.evidence import evidence_table, external_note
from glass_core.report.impact.html import impact_report
from glass_core.report.impact.verdict import verdict
from glass_core.sources.alphamissense import CLASSES, read_scores
from glass_core.sources.fetch import Answer
from tests.test_protein_external import SEQUENCE, made
from tests.tools.services import P53, environment, missense_table

LOG_ODDS = {"higher_is_damaging": False, "class_names": (), "classes": None, "additive": True}


@pytest.fixture(scope="module")
def known():
    """A protein with everything external there is."""
    answer = Answer("x", missense_table(SEQUENCE), "2026-01-02")
    annotation = Annotation(
        "P12345", SEQUENCE, external=(read_scores(answer, SEQUENCE, "AF-P12345-F1"),)
    )
    protein = Protein.from_sequence(SEQUENCE).annotated(annotation)
    esm2 = made(kind="esm2", name="ESM-2 8M", licence="MIT", scale="log-odds", **LOG_ODDS)
    return protein.with_computed(esm2)


def judged(protein, text, predictor):
    return analyse(protein, Variant.parse(text, SEQUENCE), predictor=predictor, background=0)


def external(impact):
    return [one for one in impact.evidence if one.whose == "external"]


@pytest.mark.parametrize(
    ("text", "says", "side"),
    [
        ("M1A", "likely benign", "tolerated"),
        (f"{SEQUENCE[19]}20A", "ambiguous", "neither"),
        (f"{SEQUENCE[-1]}{len(SEQUENCE)}Y", "likely pathogenic", "damaging"),
    ],
)
def test_the_authors_class_takes_the_side(known, tiny_predictor, text, says, side):
    assert says in CLASSES
    missense, esm2 = external(judged(known, text, tiny_predictor))
    assert (missense.name, missense.title) == ("alphamissense", "AlphaMissense")
    assert (missense.says, missense.side) == (says, side)
    assert 0 <= missense.value <= 1 and 0 <= missense.percentile <= 100
    for words in ("AF-P12345-F1", "SHA-256", "CC BY 4.0", "2026-01-02"):
        assert words in missense.source
    assert (esm2.name, esm2.side, esm2.says) == ("esm2", "neither", "no class")
    assert esm2.source.endswith("; log-odds")
    assert esm2.percentile == pytest.approx(100 - missense.percentile, abs=0.2), "turned round"


def test_external_evidence_comes_after_our_own(known, tiny_predictor):
    evidence = judged(known, "K2R", tiny_predictor).evidence
    assert [one.whose for one in evidence] == ["GLASS", "external", "external"]


def test_an_alignment_is_nobodys_model(tiny_predictor):
    counts = np.full((len(SEQUENCE), 20), 5.0)
    profile = AlignmentProfile(SEQUENCE, "mine.a3m", "0" * 64, 100, 100, 100.0, counts)
    impact = judged(
        replace(Protein.from_sequence(SEQUENCE), profile=profile), "K2R", tiny_predictor
    )
    assert [(e.name, e.whose) for e in impact.evidence][-1] == ("alignment", "alignment")


def test_nothing_of_ours_is_computed_from_them(known, tiny_predictor):
    bare = Protein.from_sequence(SEQUENCE).annotated(Annotation("P12345", SEQUENCE))
    beside, alone = (to_dict(judged(protein, "M1A", tiny_predictor)) for protein in (known, bare))
    assert beside["evidence"][: len(alone["evidence"])] == alone["evidence"]
    theirs = {"evidence", "agreement", "protein", "provenance"}
    assert beside.keys() == alone.keys()
    for part in beside.keys() - theirs:
        assert beside[part] == alone[part], part


def test_a_variant_that_they_say_nothing_of_has_no_external_evidence(known, tiny_predictor):
    assert external(judged(known, "K2del", tiny_predictor)) == []
    both = external(judged(known, "M1A:K2R", tiny_predictor))
    assert [(one.name, one.percentile) for one in both] == [("esm2", None)], (
        "summed where it may be"
    )


def test_agreement_names_whose_each_is(known, tiny_predictor):
    own = Evidence("stability", "stability", 2.0, "kcal/mol", 90.0, "damaging", "bad", "ours")
    theirs = external(judged(known, "M1A", tiny_predictor))
    words = agreement([own, *theirs])
    assert words == (
        "The evidence differs: stability says bad, but AlphaMissense says likely benign."
    )


def test_whose_is_checked():
    with pytest.raises(RecordError, match="whose"):
        Evidence("a", "a", 1.0, "", None, "neither", "x", "y", whose="nobody")


def test_the_table_and_its_note_say_whose_the_rows_are(known, tiny_predictor):
    impact = judged(known, "K2R", tiny_predictor)
    table = evidence_table(impact)
    assert list(table["whose"]) == ["GLASS", "external", "external"]
    note = external_note(impact)
    assert "nothing of GLASS is computed from them" in note
    assert "AlphaMissense" in note and "CC BY 4.0" in note and "ESM-2 8M" in note and "MIT" in note
    assert external_note(judged(known, "K2del", tiny_predictor)) == ""
    assert external_note(judged(Protein.from_sequence(SEQUENCE), "K2R", tiny_predictor)) == ""


def test_the_report_shows_the_same(known, tiny_predictor):
    impact = judged(known, "K2R", tiny_predictor)
    report = impact_report([impact], None)
    assert "<td>external</td>" in report and "<th>whose</th>" in report
    assert "nothing of GLASS is computed from them" in report and "CC BY 4.0" in report


def test_json_says_whose_and_reads_back(known, tiny_predictor):
    impact = judged(known, "K2R", tiny_predictor)
    content = json.loads(to_json(impact))
    assert [one["whose"] for one in content["evidence"]] == ["GLASS", "external", "external"]
    assert from_json(to_json(impact)).evidence == impact.evidence


# --- the command --------------------------------------------------------------------------


def test_command_shows_alphamissense_of_what_was_looked_up(run, services, tmp_path):
    places = environment(services, tmp_path / "downloads")
    code, out, err = run("impact", "--variant", "P04637 D393Y", **places)
    assert code == 0, err
    (line,) = (line for line in out.splitlines() if line.startswith("  AlphaMissense (external)"))
    assert line.startswith("  AlphaMissense (external): likely pathogenic (1.00, percentile 100; ")
    assert "CC BY 4.0" in line
    assert P53.endswith("D")


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        (("--esm2",), "esm2"),
        (("--esm2", "wild-type"), "esm2"),
        (("--esm2", "masked"), "esm2_masked"),
    ],
)
def test_command_asks_esm2(run, tiny_esm2, option, kind):
    code, out, err = run(
        "impact",
        "--wild",
        SEQUENCE,
        "--variant",
        "K2R",
        *option,
        "--json",
        GLASS_ESM2=str(tiny_esm2),
    )
    assert code == 0, err
    (one,) = (e for e in json.loads(out)["evidence"] if e["whose"] == "external")
    assert one["name"] == kind and one["side"] == "neither"
    assert "facebook/esm2_t6_8M_UR50D, revision 0123456789ab; MIT" in one["source"]
    again = from_json(out).protein.computed
    assert [scores.kind for scores in again] == [kind]


def test_command_does_not_ask_esm2_unasked(run, tiny_esm2):
    _, out, _ = run(
        "impact", "--wild", SEQUENCE, "--variant", "K2R", "--json", GLASS_ESM2=str(tiny_esm2)
    )
    assert all(e["whose"] != "external" for e in json.loads(out)["evidence"])


@pytest.mark.parametrize("command", ["impact", "screen"])
def test_without_weights_one_line_says_how_to_get_them(run, no_esm2, command, tmp_path):
    what = {"impact": ("--variant", "K2R"), "screen": ("--all", "--out", tmp_path / "o.csv")}[
        command
    ]
    code, out, err = run(command, "--wild", SEQUENCE, *what, "--esm2")
    assert code == 2 and out == ""
    assert err.startswith("Error: ESM-2: no weights are on this machine; run: glass models get ")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "o.csv").exists()


def listing(significance: str, predictor, text: str = "R2W", ids: tuple[str, ...] = ("rs1",)):
    """The impact of a variant of a protein with one listed variant, R2W."""
    sequence = "MRTAYIAKQRQISFVKSHFSRQ"
    change = Variant.parse("R2W", sequence).changes[0]
    entry = KnownVariant(change, significance, "", ids, "EBI Proteins")
    annotation = Annotation("P12345", sequence, variants=(entry,))
    protein = Protein.from_sequence(sequence).annotated(annotation)
    variant = Variant.parse(text, sequence)
    return analyse(protein, variant, predictor=predictor, background=0)


@pytest.mark.parametrize(
    ("significance", "side"),
    [
        ("Pathogenic/Likely pathogenic", "damaging"),
        ("Benign", "tolerated"),
        ("Uncertain significance", "neither"),
    ],
)
def test_what_databases_call_the_variant_is_evidence_and_in_the_headline(
    significance, side, tiny_predictor
):
    impact = listing(significance, tiny_predictor)
    (one,) = [e for e in impact.evidence if e.name == "databases"]
    assert (one.says, one.side, one.whose, one.value) == (significance, side, "external", None)
    assert one.source == "EBI Proteins (rs1)"
    assert verdict(impact).headline.endswith(f"; databases: {significance}")
    content = to_dict(impact)
    assert content["evidence"][-1]["value"] is None
    assert to_dict(from_json(to_json(impact)))["evidence"] == content["evidence"]
    assert evidence_table(impact)["value"].iloc[-1] == ""


def test_databases_that_say_nothing_of_this_very_variant_are_no_evidence(tiny_predictor):
    for impact in (
        listing("", tiny_predictor),
        listing("Pathogenic", tiny_predictor, "R2K"),
        listing("Pathogenic", tiny_predictor, "R2W:T3A"),
    ):
        assert not [e for e in impact.evidence if e.name == "databases"]
        assert "databases" not in verdict(impact).headline


def test_a_percentile_is_of_the_value_beside_it(tiny_predictor):
    protein = Protein.from_sequence(SEQUENCE)
    impact = judged(protein, "M1A", tiny_predictor)
    (effect,) = [e for e in impact.evidence if e.name == "effect"]
    chances = tiny_predictor.effects(protein).probability
    known = chances[~np.isnan(chances)]
    assert effect.percentile == pytest.approx(100 * np.mean(known < effect.value))
