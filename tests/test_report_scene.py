"""What the live 3D view is given, and what is drawn at the site."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from glass_core.errors import InputError
from glass_core.impact.analyse import analyse
from glass_core.impact.checks.run import structural_checks
from glass_core.impact.checks.site import Site, Surroundings
from glass_core.impact.contacts import near_residues, new_side_chain, side_chain_contacts
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.report.scene import AROUND, scene, site_scene
from glass_core.report.side_by_side import compared_scene, comparison_table, comparison_track
from tests.test_impact import measured, variant  # noqa: F401


@pytest.fixture(scope="module")
def protein(globin):
    return Protein.from_structure(globin)


def predicted(protein, text, predictor):
    change = Variant.parse(text, protein.sequence)
    return analyse(protein, change, predictor=predictor, background=0)


def atoms_of(text):
    return [line for line in text.splitlines() if line.startswith(("ATOM", "HETATM"))]


def test_a_scene_is_plain_values_with_a_colour_for_every_residue(protein, tiny_predictor):
    made = scene(predicted(protein, "V31P", tiny_predictor))
    data = json.loads(json.dumps(made.data(), allow_nan=False))
    for colouring in data["colourings"]:
        assert len(colouring["colours"]) == len(protein)
    assert data["colour"] in {one["name"] for one in data["colourings"]}
    assert data["sites"] == [31] and data["siteLabels"] == ["V31P"]
    roles = [model["role"] for model in data["models"]]
    assert roles == ["wild", "ligand", "partner", "rotamer"], "haem and other chains are there"
    for one in data["values"]:
        assert len(one["values"]) == len(protein)


def test_the_same_protein_keeps_the_camera_and_the_site_has_one_of_its_own(protein, tiny_predictor):
    one, other = (predicted(protein, v, tiny_predictor) for v in ("V31P", "E10K"))
    assert scene(one).view == scene(other).view != ""
    assert site_scene(one).view != scene(one).view


def test_the_site_is_shown_with_what_is_near_alone(protein, tiny_predictor):
    made = site_scene(predicted(protein, "V31P", tiny_predictor))
    shown = {int(line[22:26]) for line in atoms_of(made.models[0].pdb)}
    apart = np.linalg.norm(protein.ca - protein.ca[30], axis=1)
    assert shown == {i + 1 for i in np.flatnonzero(apart <= AROUND)}
    assert made.at_site and set(made.near) <= shown


def test_the_new_side_chain_is_where_the_clash_is_told(protein, tiny_predictor):
    """The picture and the sentence are of one thing."""
    around = Surroundings.of(protein.structure)
    change = Variant.parse("G72W", protein.sequence)
    site = Site(protein, change.changes[0], around)
    made = new_side_chain(site)
    check = next(c for c in structural_checks(protein, change) if c.name == "clash")
    assert (made.clash is not None) == check.holds
    if made.clash is not None:
        assert f"{made.clash.distance:.1f} Å" in check.text
    alpha = around.atom(site.place, "CA")
    first = made.coordinates[made.names.index("CB")]
    assert np.linalg.norm(first - alpha) == pytest.approx(1.53, abs=0.05)


def test_contacts_are_those_of_the_checks_and_short(protein):
    around = Surroundings.of(protein.structure)
    found = [c for place in range(len(protein)) for c in side_chain_contacts(around, place)]
    kinds = {one.kind for one in found}
    assert {"hydrogen bond", "salt bridge"} <= kinds
    assert all(one.distance <= 4.0 for one in found)
    for place in (10, 40):
        for one in side_chain_contacts(around, place):
            assert one.partner != place
    near = near_residues(around, 30)
    assert 30 not in near and 29 in near and 31 in near


def test_residues_without_coordinates_have_no_site(protein, tiny_predictor, globin):
    longer = Protein.combine("MKT" + globin.sequence, globin)
    assert site_scene(predicted(longer, "K2R", tiny_predictor)) is None
    assert scene(predicted(longer, "K2R", tiny_predictor)).sites == (2,)


def test_without_a_structure_there_is_no_scene(tiny_predictor):
    bare = Protein.from_sequence("MKTAYIAKQRQISFVKSHFSRQ")
    with pytest.raises(InputError, match="needs a structure"):
        scene(predicted(bare, "K2R", tiny_predictor))


def test_a_measured_mutant_takes_the_place_of_the_rotamer(measured):  # noqa: F811
    roles = [model.role for model in scene(measured).models]
    assert roles[:2] == ["wild", "mutant"] and "rotamer" not in roles


def test_variants_side_by_side(protein, tiny_predictor):
    impacts = [predicted(protein, v, tiny_predictor) for v in ("V31P", "E10K", "V31A")]
    table = comparison_table(impacts)
    assert list(table["variant"]) == ["V31P", "E10K", "V31A"]
    assert table["TM-score (measured)"].isna().all(), "no value is NaN"
    assert table["chance of being damaging"].between(0, 1).all()
    lines = [t for t in comparison_track(impacts).data if t.name in set(table["variant"])]
    assert len({line.line.color for line in lines}) == 3
    made = compared_scene(impacts)
    assert dict(zip(made.sites, made.site_labels, strict=True)) == {31: "V31P, V31A", 10: "E10K"}
    drawn = [model for model in made.models if model.role == "rotamer"]
    assert len({model.colour for model in drawn}) == 3
    with pytest.raises(InputError, match="2 to 6"):
        comparison_track(impacts[:1])
    other = predicted(Protein.from_sequence("MKTAYIAK"), "K2R", tiny_predictor)
    with pytest.raises(InputError, match="different proteins"):
        comparison_track([impacts[0], other])


def test_the_user_s_numbers_are_shown(protein, tiny_predictor):
    counted = protein.counted_by("author")
    made = scene(replace(predicted(protein, "V31P", tiny_predictor), protein=counted))
    label = counted.label(31)
    assert label != "31" and made.site_labels == (f"V{label}P",)
    assert made.residues[30].startswith(f"V{label}")
