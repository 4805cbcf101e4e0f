"""The card of a variant: one line for each thing that is known, and where they agree."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json
from glass_core.models.evaluation import Evaluation, read_evaluations
from glass_core.protein.annotation import Annotation, Feature, KnownVariant
from glass_core.protein.change import Change
from glass_core.protein.numbering import Numbering
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.report import style
from glass_core.report.colouring import colourings
from glass_core.report.evidence.defaults import leading_change
from glass_core.report.impact.card import answer_card, reasons, thin
from glass_core.report.scripts import molviewspec, pymol_script
from glass_core.settings import PROJECT
from tests.test_impact import measured, variant  # noqa: F401

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQ"


@pytest.fixture(scope="module")
def records():
    return read_evaluations(PROJECT / "assets" / "models" / "compact")


@pytest.fixture(scope="module")
def sample():
    return from_json((PROJECT / "assets" / "sample.json").read_text())


def lines(impact, known=()):
    return {one.name: one for one in answer_card(impact, dict(known)).lines}


def annotated(predictor, text="K2R", **known):
    annotation = Annotation("P12345", SEQUENCE, "a protein", **known)
    protein = Protein.from_sequence(SEQUENCE).annotated(annotation)
    return analyse(protein, Variant.parse(text, SEQUENCE), predictor=predictor)


def test_the_chance_leads_and_says_its_rank(sample, records):
    card = answer_card(sample, records)
    assert card.lines[0].name == "Chance of being damaging"
    told = sample.prediction.told
    assert card.lines[0].says == f"{told['p_combined']:.2f}, damaging"
    assert f"{told['combined_percentile']:.0f}%" in card.lines[0].detail
    assert card.lines[0].whose == "predicted" and card.lines[0].meaning
    trust = card.lines[-1]
    figure = records["clinical-structure"].figure("combined", "auroc").value
    assert f"AUROC {figure:.2f}" in trust.detail and trust.whose == "record"


def test_databases_speak_for_themselves(tiny_predictor):
    known = (
        KnownVariant(Change(2, "K", "R"), "Pathogenic", ids=("rs1",), source="ClinVar"),
        KnownVariant(Change(2, "K", "E"), "Benign", source="ClinVar"),
        KnownVariant(Change(5, "Y", "F"), "Benign", source="ClinVar"),
    )
    line = lines(annotated(tiny_predictor, variants=known))["Databases"]
    assert line.says == "Pathogenic" and line.whose == "external"
    assert line.link == "https://www.ncbi.nlm.nih.gov/snp/rs1"
    assert "K2E (Benign)" in line.detail and "Y5F" not in line.detail
    line = lines(annotated(tiny_predictor, "K2W", variants=known))["Databases"]
    assert line.says == "this variant is not classified" and "K2R (Pathogenic)" in line.detail
    assert "Databases" not in lines(annotated(tiny_predictor))


def test_what_stands_at_the_site(tiny_predictor):
    features = (
        Feature("Active site", 2, 2, "proton donor"),
        Feature("Domain", 1, 20, "kinase"),
        Feature("Disulfide bond", 1, 9),
    )
    line = lines(annotated(tiny_predictor, features=features))["At the site"]
    assert "proton donor" in line.says + line.detail and "kinase" in line.says + line.detail
    assert "Disulfide" not in line.says + line.detail, "it lies between the two cysteines"
    line = lines(annotated(tiny_predictor, "Q22A", features=features))["At the site"]
    assert line.says == "nothing is known to stand here"


def test_measuring_adds_a_line_and_replaces_none(measured):  # noqa: F811
    before = replace(measured, replicates=(), measurements=(), as_published=(), noise_floor=None)
    one, other = lines(before), lines(measured)
    assert set(one) == set(other)
    assert one["Measured"].says == "not yet: remodel the mutant"
    strain = int(measured.strain_above_floor.significant.sum())
    deficit = int(measured.deficit_above_floor.significant.sum())
    assert f"{deficit} by lDDT, {strain} by strain" in other["Measured"].detail
    assert {n: line for n, line in one.items() if n not in ("Measured", "How far to trust it")} == {
        n: line for n, line in other.items() if n not in ("Measured", "How far to trust it")
    }


def test_a_still_remodel_does_not_speak_against_the_evidence(sample, measured):  # noqa: F811
    """Wild type measured against itself: nothing moves."""
    still = replace(
        sample,
        replicates=measured.replicates,
        measurements=measured.noise_floor.replicates,
        as_published=measured.as_published,
        noise_floor=measured.noise_floor,
    )
    assert "cannot show unfolding" in answer_card(still, {}).together
    assert not answer_card(sample, {}).together.endswith("evidence.")


def test_thin_mechanisms_are_called_so(sample, tiny_predictor):
    assert thin(sample) == "" and reasons(sample)[0].name == "buried"
    assert "Without a structure" in thin(annotated(tiny_predictor))
    assert "substitutions only" in thin(annotated(tiny_predictor, "K2del"))


def test_what_colours_the_structure_follows_the_record(sample, records):
    assert leading_change(records) == "change"
    assert leading_change({}) == "change"
    known = records["local change"]
    content = json.loads(json.dumps(known.content))
    content["figures"]["predicted lDDT"]["distance_change"]["value"] = 0.9
    other = Evaluation(known.kind, known.set, known.side, known.model, content)
    assert leading_change({"local change": other}) == "deficit"
    assert colourings(sample, "deficit")[0].name == "deficit"
    assert {c.name for c in colourings(sample, "deficit")} == {c.name for c in colourings(sample)}


def test_scripts_hold_structures_and_colours(sample, measured):  # noqa: F811
    shown = colourings(sample)[0]
    script = pymol_script(sample, shown)
    compile(script.split("python\n")[1].split("python end")[0], "script", "exec")
    assert "show sticks, resi 31" in script and shown.colours[30] in script
    shifted = Numbering.own([str(k - 40) for k in range(1, 148)], "mine")
    counted = replace(sample, protein=sample.protein.counted_by(shifted))
    theirs = pymol_script(counted, shown)
    assert "show sticks, resi \\-9" in theirs and "31: '-9'" in theirs
    state = json.loads(molviewspec(sample, shown))
    text = json.dumps(state)
    assert state["root"]["children"][0]["params"]["url"].startswith("data:text/plain;base64,")
    assert shown.colours[30].lower() in text.lower() and "V31P" in text
    both = json.loads(molviewspec(measured, colourings(measured)[0]))
    assert len([c for c in both["root"]["children"] if c["kind"] == "download"]) == 2
    assert style.WILD.lower() in json.dumps(both).lower()
    assert pymol_script(measured, colourings(measured)[0]).count("read_pdbstr") == 2
    assert np.isnan(colourings(sample)[-1].values).all()


def test_a_headline_without_a_side_says_the_rank(sample):
    from glass_core.report.impact.verdict import verdict

    told = dict(sample.prediction.told) | {"p_combined": 0.51, "combined_percentile": 91.2}
    unsure = replace(sample, prediction=replace(sample.prediction, told=told))
    assert verdict(unsure).headline == (
        "V31P: the prediction takes no side (P 0.51, percentile 91 of its substitutions)"
    )
    assert verdict(sample).headline.endswith("(P 0.97)")
