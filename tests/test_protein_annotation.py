"""What was looked up, in records, rows, figures and lists."""

from __future__ import annotations

import json

import numpy as np
import pytest

from glass_core.errors import GlassError, InputError, RecordError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json, to_json
from glass_core.inputs.lists import known_variants
from glass_core.protein.annotation import Annotation, Feature, KnownVariant, Retrieved
from glass_core.protein.as_json import annotation_dict, annotation_from
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.report.impact.annotation import (
    calling,
    has_annotation,
    known_variant_table,
    placed_features,
)
from glass_core.report.impact.html import impact_report
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.tables import residue_table, variant_table
from glass_core.report.impact.track import residue_track


def annotation(sequence, **more):
    """Ten residues stand before the sequence in UniProt."""
    return Annotation(
        "P12345",
        "M" * 10 + sequence,
        "A globin",
        "GLB",
        "Lumbricus",
        (
            Feature("Domain", 15, 60, "fold"),
            Feature("Domain", 1, 5, "before it"),
            Feature("Domain", 20, 30, "inside"),
            Feature("Active site", 41, 41, "acid"),
        ),
        (
            KnownVariant(Change(41, "V", "P"), "Pathogenic", "x", ("rs1",), "UniProt"),
            KnownVariant(Change(12, sequence[1], "A"), "Benign"),
            KnownVariant(Change(13, sequence[2], "")),
            KnownVariant(Change(14, "W" if sequence[3] != "W" else "A", "G"), "Benign"),
            KnownVariant(Change(3, "M", "V"), "Benign"),
        ),
        retrieved=(Retrieved("UniProt", "P12345", "2026-01-02T03:04:05+00:00"),),
        **more,
    )


@pytest.fixture(scope="module")
def protein(globin):
    size = len(globin) + 10
    error = np.minimum(np.abs(np.subtract.outer(np.arange(size), np.arange(size))), 31)
    return Protein.from_structure(globin).annotated(annotation(globin.sequence, pae=error))


@pytest.fixture(scope="module")
def impact(protein, tiny_predictor):
    return analyse(
        protein, Variant.parse("V31P", protein.sequence), predictor=tiny_predictor, background=0
    )


def test_features_are_placed_on_the_sequence(protein):
    placed = [(p.feature.kind, p.first, p.last) for p in placed_features(protein)]
    assert placed == [("Domain", 5, 50), ("Domain", 10, 20), ("Active site", 31, 31)]


def test_known_variants_that_fit_become_a_list_with_labels(protein):
    made = list(known_variants(protein))
    assert [(a.row, a.text, a.variant.text, a.label) for a in made] == [
        (1, "V41P", "V31P", True),
        (2, f"{protein.sequence[1]}12A", f"{protein.sequence[1]}2A", False),
        (3, f"{protein.sequence[2]}13del", f"{protein.sequence[2]}3del", None),
    ]
    table = known_variant_table(protein)
    assert table["here"].tolist() == [a.variant.text for a in made]
    assert list(known_variants(Protein.from_sequence("MK"))) == []


@pytest.mark.parametrize(
    ("significance", "called"),
    [
        ("Pathogenic", "damaging"),
        ("Pathogenic / Likely pathogenic", "damaging"),
        ("Benign", "benign"),
        ("Benign / Pathogenic", "unclear or not said"),
        ("", "unclear or not said"),
        ("Uncertain significance", "unclear or not said"),
        ("Uncertain significance / Benign", "unclear or not said"),
    ],
)
def test_what_databases_call_it(significance, called):
    assert calling(KnownVariant(Change(1, "M", "V"), significance)) == called


def test_the_track_shows_what_is_known(impact, globin, tiny_predictor):
    names = [trace.name for trace in residue_track(impact).data]
    assert {
        "Domain",
        "sites",
        "known, damaging",
        "known, benign",
        "known, unclear or not said",
    } <= set(names)
    bare = Protein.from_structure(globin)
    assert not has_annotation(bare)
    plain = analyse(bare, impact.variant, predictor=tiny_predictor, background=0)
    assert len(residue_track(plain).data) < len(names)


def test_the_aligned_error_is_a_matrix_in_the_proteins_positions(impact):
    drawn = matrices(impact)
    assert [a.text for a in drawn.layout.annotations][:2] == [
        "wild type",
        "predicted aligned error",
    ]
    error = np.asarray(drawn.data[2].z)
    assert error[0, 0] == 0
    assert error[0, 20] == 20
    assert error[0, 146] == 31


def test_every_numbering_is_in_tables_and_hover(impact):
    table = residue_table(impact)
    assert table["uniprot_position"].tolist()[:2] == [11, 12]
    assert variant_table(impact).iloc[0].tolist() == ["V31P", "31", "41", "A", "35"]
    hover = next(t for t in residue_track(impact).data if t.name == "predicted lDDT").customdata
    assert hover[30] == "V31 (UniProt 41, chain A, author 35)"


def test_what_was_looked_up_is_in_the_record_and_survives(impact):
    assert impact.provenance.inputs["retrieved"] == "UniProt P12345, retrieved 2026-01-02"
    assert "UniProt P12345, retrieved 2026-01-02" in impact_report([impact], None)
    back = from_json(to_json(impact))
    assert back.protein.annotation.features == impact.protein.annotation.features
    assert np.array_equal(back.protein.annotation.pae, impact.protein.annotation.pae)
    assert back.protein.uniprot_position(30) == 41


def test_known_variants_are_kept_as_they_always_were():
    known = KnownVariant(Change(508, "F", ""), "Pathogenic", "x", ("rs1", "VAR_1"), "UniProt")
    kept = {
        "start": 508,
        "wild": "F",
        "mutant": "",
        "significance": "Pathogenic",
        "description": "x",
        "ids": ("rs1", "VAR_1"),
        "source": "UniProt",
        "review_status": "",
    }
    written = annotation_dict(Annotation("P13569", "MK", variants=(known,)))
    assert written["variants"] == [kept]
    assert annotation_from(json.loads(json.dumps(written))).variants == (known,)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change(175, "R", "H"), "R175H"),
        (Change(508, "F", ""), "F508del"),
        (Change(746, "ELREA", ""), "E746_A750del"),
        (Change(746, "ELREA", "P"), "E746_A750delinsP"),
        (Change(3, "K", "RS"), "K3delinsRS"),
    ],
)
def test_known_variants_are_written_as_all_changes(change, text):
    assert KnownVariant(change).text == text


@pytest.mark.parametrize(
    "make",
    [
        lambda: Feature("Domain", 5, 3),
        lambda: Feature("Domain", 0, 3),
        lambda: KnownVariant(Change(0, "M", "V")),
        lambda: KnownVariant(Change(1, "M", "M")),
        lambda: KnownVariant(Change(1, "", "V")),
        lambda: Annotation("", "MK"),
        lambda: Annotation("P", ""),
        lambda: Annotation("P", "MK", pae=np.zeros((3, 3))),
        lambda: Protein("MK", "", None, np.array([-1, -1]), "", np.array([1, 2])),
        lambda: Protein("MK", "", None, np.array([-1, -1]), "P", np.array([0, 2])),
    ],
)
def test_records_check_themselves(make):
    with pytest.raises(GlassError):
        make()


def test_the_aligned_error_cannot_be_written(protein):
    with pytest.raises(ValueError, match="read-only"):
        protein.annotation.pae[0, 0] = 1
    with pytest.raises(RecordError):
        Annotation("P", "MK", pae=np.zeros((2, 3)))


def test_an_annotation_that_aligns_nowhere_is_another_protein_s():
    """Free ends may leave nothing aligned at all, which is no reason to crash."""
    protein = Protein.from_sequence("GGSDPNWCCTEVVPGNDTWHYMCPEVGDNT")
    with pytest.raises(InputError):
        protein.annotated(Annotation("P12345", "MKHAYITKQRQFSFHKSHYSRALYERLVL"))
