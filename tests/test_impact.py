"""The spine: analyse, Impact, JSON, tables, figures, report, exports."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from glass_core.errors import Cancelled, GlassError, InputError, RemodelError
from glass_core.impact.analyse import analyse
from glass_core.impact.as_json import from_json, to_dict, to_json
from glass_core.impact.rows import RESIDUE_COLUMNS
from glass_core.inputs.analysis import AnalysisRequest, read_analysis
from glass_core.inputs.upload import EXAMPLE_VARIANT, example_upload
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.remodel.base import Remodelling, RemodelRequest, Replicate
from glass_core.report import style
from glass_core.report.colouring import FULL, colourings
from glass_core.report.impact.exports import exports
from glass_core.report.impact.html import impact_report
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.structures import NO_SCORE
from glass_core.report.impact.tables import residue_csv, subdomain_table
from glass_core.report.impact.track import residue_track
from glass_core.report.impact.verdict import verdict
from glass_core.report.viewer import ViewOptions, viewer_html


class FakeRemodeller:
    """Moves a few residues at the site by a known amount; takes no time."""

    name = "fake"

    def unavailable_reason(self):
        return None

    def version(self):
        return "fake 1"

    def remodel(self, request, watch=UNWATCHED):
        wild, substitutions, seed = request.wild, request.substitutions, request.seed
        watch.tell("moving", 0.5)
        watch.stop_if_cancelled()
        rng = np.random.default_rng(seed)
        residue = wild.residue_of_atom

        def moved(extra, letters):
            shift = rng.normal(0, 0.03, wild.ca.shape)
            for site in substitutions:
                shift[max(site - 2, 0) : site + 3] += extra
            atoms = wild.atoms.copy()
            atoms.coord = atoms.coord + shift[residue].astype(np.float32)
            for site, letter in letters.items():
                from glass_core.protein.sequence import THREE_LETTER

                atoms.res_name[residue == site] = THREE_LETTER[letter].upper()
            return Structure.from_atoms(atoms, "made", "remodelled")

        return Replicate(seed, moved(0, {}), moved(2.0, substitutions), moved(0, {}))


@pytest.fixture(scope="module")
def variant(globin):
    return Variant.parse(EXAMPLE_VARIANT, globin.sequence)


@pytest.fixture(scope="module")
def measured(globin, variant, tiny_predictor):
    return analyse(
        Protein.from_structure(globin),
        variant,
        predictor=tiny_predictor,
        mutant=Remodelling(FakeRemodeller(), seeds=2),
        background=5,
    )


@pytest.fixture(scope="module")
def predicted_only(tiny_predictor):
    sequence = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"
    return analyse(
        Protein.from_sequence(sequence, "<b>x</b>"),
        Variant.parse("K2R:R10del", sequence),
        predictor=tiny_predictor,
        background=5,
    )


def test_stages_are_reported_in_order(globin, variant, tiny_predictor):
    seen = []
    analyse(
        Protein.from_structure(globin),
        variant,
        predictor=tiny_predictor,
        mutant=Remodelling(FakeRemodeller()),
        background=0,
        watch=Watch(lambda *a: seen.append(a)),
    )
    fractions = [f for _, f in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any("seed 1 (1 of 1): moving" in stage for stage, _ in seen)


def test_cancel(globin, variant, tiny_predictor):
    with pytest.raises(Cancelled):
        analyse(
            Protein.from_structure(globin),
            variant,
            predictor=tiny_predictor,
            mutant=Remodelling(FakeRemodeller()),
            background=0,
            watch=Watch(cancelled=lambda: True),
        )


def test_inputs_that_do_not_belong_together(globin, variant, tiny_predictor):
    with pytest.raises(InputError, match="another sequence"):
        analyse(Protein.from_sequence("MKT"), variant, predictor=tiny_predictor)
    with pytest.raises(RemodelError, match="needs a wild-type structure"):
        analyse(
            Protein.from_sequence(globin.sequence),
            variant,
            predictor=tiny_predictor,
            mutant=Remodelling(FakeRemodeller()),
            background=0,
        )
    with pytest.raises(RemodelError, match="substitutions only"):
        analyse(
            Protein.from_structure(globin),
            Variant.parse("V31del", globin.sequence),
            predictor=tiny_predictor,
            mutant=Remodelling(FakeRemodeller()),
            background=0,
        )


def test_measurement_finds_the_site_above_the_floor(measured):
    assert measured.measured
    assert measured.deficit_above_floor.significant[28:33].all()
    assert measured.tm_score < measured.noise_floor.tm_score
    assert np.nanargmin(measured.measured_lddt) in range(27, 35)
    assert not np.isnan(measured.tm_score_sd)
    assert measured.subdomains[0].mutated


def test_baselines_stand_beside(measured):
    ranks = measured.baselines
    assert ranks.constant == 1.0
    assert ranks.blosum62 == -2
    assert 1 <= ranks.site_rank <= ranks.site_size == 19
    assert 0 <= ranks.percentile <= 100
    assert ranks.sample_size == 5


@pytest.mark.parametrize("name", ["measured", "predicted_only"])
def test_json_round_trip_is_lossless(name, request):
    impact = request.getfixturevalue(name)
    text = to_json(impact)
    assert to_json(from_json(text)) == text
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_json_contract(measured, predicted_only):
    content = to_dict(measured)
    for key in (
        "variant",
        "prediction",
        "measurement",
        "noise_floor",
        "residues",
        "subdomains",
        "flags",
        "provenance",
    ):
        assert key in content
    assert {"tm_score", "lddt", "model"} <= set(content["prediction"])
    assert {
        "tm_score",
        "tm_score_by_subject",
        "rmsd",
        "aligned_length",
        "sequence_identity",
        "alignment",
        "lddt",
        "strain",
        "rotation",
        "translation",
    } <= set(content["measurement"])
    assert set(content["measurement"]["alignment"]) == {"reference", "subject", "match"}
    assert content["provenance"]["protocol"]["seeds"] == "1,2"
    assert to_dict(predicted_only)["measurement"] is None
    assert to_dict(predicted_only)["noise_floor"] is None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "glass-impact/1"}', "[" * 5000])
def test_other_json_is_refused(text):
    with pytest.raises(InputError, match="not a GLASS impact"):
        from_json(text)


def test_csv_columns_and_empty_cells(measured, predicted_only):
    rows = list(csv.DictReader(io.StringIO(residue_csv(measured))))
    assert list(rows[0]) == list(RESIDUE_COLUMNS)
    assert len(rows) == 147
    assert rows[30]["wild_type"] == "V"
    assert rows[30]["mutant"] == "P"
    assert rows[30]["author_number"] == "35"
    assert rows[30]["deficit_significant"] == "True"
    bare = list(csv.DictReader(io.StringIO(residue_csv(predicted_only))))
    assert bare[9]["mutant"] == "-"
    assert bare[9]["predicted_lddt"] == ""
    assert bare[0]["measured_lddt"] == ""


def test_csv_runs_no_formula(globin, tiny_predictor):
    atoms = globin.atoms.copy()
    atoms.chain_id = np.array(["=cmd"] * len(atoms))
    protein = Protein.from_structure(Structure.from_atoms(atoms, "x"))
    impact = analyse(
        protein, Variant.parse("V31P", protein.sequence), predictor=tiny_predictor, background=0
    )
    assert "'=cmd" in residue_csv(impact)
    assert ",=cmd" not in residue_csv(impact)


def test_figures(measured, predicted_only):
    names = {t.name for t in residue_track(measured, 31).data}
    assert {
        "predicted lDDT",
        "measured lDDT",
        "noise floor",
        "effective strain",
        "helix",
        "± 1 sd over replicates",
    } <= names
    hover = next(t for t in residue_track(measured).data if t.name == "measured lDDT").customdata
    assert hover[30] == "V31 (chain A, author 35)"
    drawn = matrices(measured, 31, (20, 40)).data
    assert [t.type for t in drawn] == ["heatmap", "scatter"] * 3
    assert list(drawn[1].x) == list(drawn[1].y) == list(range(1, 148)), "the diagonal selects"
    assert {t.name for t in residue_track(predicted_only).data} >= {"predicted lDDT"}


def test_long_proteins_are_drawn_thinner(tiny_predictor):
    from tests.tools.services import helix

    sequence = "MKTAYIAKQRQISFVKSHFSRQ" * 70
    protein = Protein.from_structure(read_structure(helix(sequence, "A"), name="long"))
    impact = analyse(
        protein, Variant.parse("K2R", sequence), predictor=tiny_predictor, background=0
    )
    drawn = matrices(impact)
    assert len(drawn.data[0].x) <= 700
    assert drawn.data[0].z.shape == (len(drawn.data[0].x),) * 2
    assert "every 3 residues" in drawn.layout.annotations[0].text
    near = matrices(impact, span=(101, 300)).data[0]
    assert list(near.x) == list(range(101, 301)), "every residue where it was zoomed in"
    assert near.z[0, 1] == pytest.approx(np.linalg.norm(protein.ca[100] - protein.ca[101]), 1e-4)


def test_viewer_is_self_contained(measured):
    names = [one.name for one in colourings(measured)]
    assert names == ["strain", "deficit", "chain"]
    for colour_by in names:
        html = viewer_html(measured, ViewOptions(colour_by, True, True, 31), "let $3Dmol = 1;")
        assert "let $3Dmol = 1;" in html
        assert "pngURI" in html
        assert "V31P" in html
        assert html.count("addModel") == 2


def test_colours_of_the_view_are_fixed_and_explained(measured, predicted_only):
    strain, deficit, chain = colourings(measured)
    above = measured.strain_above_floor.significant
    within = [c == style.WITHIN_NOISE for c in strain.colours]
    assert within == list(~above), "grey where it is within the noise, nowhere else"
    assert "0.05 and more" in strain.words and "within the noise floor" in strain.words
    assert "measured" in deficit.title and "orange: mutant" in chain.words
    predicted = next(one for one in colourings(predicted_only) if one.name == "deficit")
    assert "predicted" in predicted.title
    for value, colour in zip(predicted.values, predicted.colours, strict=True):
        assert colour == style.change_colour(value / FULL["deficit"])


def test_a_report_has_no_button_that_sends_data_away(measured):
    full = impact_report([measured], "x")
    assert full.count('"showSendToCloud": false') == full.count("Plotly.newPlot(") == 2
    assert '"plotlyServerURL": "https' not in full


def test_report_opens_offline_and_escapes(predicted_only, measured):
    bare = impact_report([predicted_only], "x")
    assert "<b>x</b>" not in bare
    assert "&lt;b&gt;x&lt;/b&gt;" in bare
    full = impact_report([measured], "let $3Dmol = 1;")
    for section in ("along the sequence", "Superposition of", "Parts of the fold", "Provenance"):
        assert section in full
    assert 'src="http' not in full


def test_superposed_files_carry_the_score(measured):
    files = {e.label: e for e in exports(measured, None)}
    scripts = {"PyMOL script", "MolViewSpec"}
    assert set(files) == {"Residue CSV", "JSON", "Report (HTML)", "mmCIF", "PDB"} | scripts
    for label in ("mmCIF", "PDB"):
        content = files[label].make().encode()
        wild, mutant = (read_structure(content, chain=c) for c in "AM")
        assert mutant.sequence[30] == "P"
        assert wild.b_factor[30] == pytest.approx(100 * measured.deficit[30], abs=0.01)
        assert mutant.b_factor[30] == pytest.approx(wild.b_factor[30])
        assert np.linalg.norm(wild.ca - mutant.ca, axis=1).mean() < 1
    assert NO_SCORE < 0


def test_verdict_never_claims_more_than_the_floor(globin, tiny_predictor, measured, predicted_only):
    assert "above the noise floor" in verdict(measured).headline
    chance = f"(P {measured.prediction.told['p_damaging']:.2f}"
    assert chance in verdict(measured).headline, "measuring adds to the answer"
    assert "chance of being damaging" in verdict(measured).sentences[0]
    assert any("symmetric" in s for s in verdict(predicted_only).sentences)
    assert "is told of insertions and deletions" in verdict(predicted_only).headline

    class Still(FakeRemodeller):
        def remodel(self, request, watch=UNWATCHED):
            made = super().remodel(request, watch)
            return Replicate(made.seed, made.reference, made.floor, made.floor)

    quiet = analyse(
        Protein.from_structure(globin),
        Variant.parse("V31P", globin.sequence),
        predictor=tiny_predictor,
        mutant=Remodelling(Still()),
        background=0,
    )
    assert "; remodelled without a change beyond the noise" in verdict(quiet).headline


def test_a_mutant_structure_of_ones_own(globin, variant, tiny_predictor):
    made = FakeRemodeller().remodel(RemodelRequest(globin, {30: "P"})).mutant
    impact = analyse(
        Protein.from_structure(globin), variant, predictor=tiny_predictor, mutant=made, background=0
    )
    assert impact.noise_floor is None
    assert any("no noise floor" in f for f in impact.flags)
    assert from_json(to_json(impact)).tm_score == impact.tm_score
    with pytest.raises(GlassError, match="not the structure of V31P"):
        analyse(
            Protein.from_structure(globin),
            variant,
            predictor=tiny_predictor,
            mutant=globin,
            background=0,
        )


def test_subdomain_table_says_what_it_is_based_on(measured, predicted_only):
    assert "mean deficit (measured)" in subdomain_table(measured)
    assert "mean strain" in subdomain_table(measured)
    table = subdomain_table(predicted_only)
    assert table.empty or "mean deficit (predicted)" in table
    assert "mean strain" not in table


def test_measured_subdomains_are_ranked_by_strain(measured):
    strain = [part.mean_strain for part in measured.subdomains]
    assert strain == sorted(strain, reverse=True)
    assert not np.isnan(strain).any()


def test_the_example_needs_no_network():
    request = AnalysisRequest(variant=EXAMPLE_VARIANT, structure=example_upload(), chain="A")
    inputs = read_analysis(request)
    assert inputs.protein.sequence[30] == "V"


def test_model_and_protocol_travel_with_every_export(measured):
    provenance = json.loads(to_json(measured))["provenance"]
    assert provenance["versions"]["tmtools"]
    assert len(provenance["inputs"]["structure_sha256"]) == 64
    assert "inclusion radius 15" in provenance["definitions"]["lddt"]
    rows = list(csv.DictReader(io.StringIO(residue_csv(measured))))
    assert rows[0]["variant"] == "V31P"
    assert rows[0]["model"].startswith("compact")
    assert "fake 1" in rows[0]["protocol"]


def test_what_is_dear_is_compared_with_fewer_variants(tiny_predictor):
    from glass_core.impact.baselines import affordable_background

    class Costly:
        def __init__(self, per_residue, device="cpu"):
            self.info = replace(tiny_predictor.info, device=device)
            self.cost = lambda length: per_residue * length

    lengths = (50, 400, 500, 1500, 30_000)
    small, large = 8e6, 2.4e9  # the compact encoder and ProtT5-XL, whatever they are called
    assert [affordable_background(Costly(small), n) for n in lengths] == [100, 100, 80, 26, 0]
    assert [affordable_background(Costly(large), n) for n in lengths] == [0, 0, 0, 0, 0]
    assert affordable_background(Costly(large, "cuda:1"), 300) > 20


def test_what_the_structure_lacks_is_flagged(globin, tiny_predictor):
    sequence = "MKTAY" + globin.sequence
    protein = Protein.combine(sequence, globin)
    flagged = analyse(
        protein, Variant.parse("K2R", sequence), predictor=tiny_predictor, background=0
    )
    assert any("K2R has no coordinates" in flag for flag in flagged.flags)
    kept = np.isin(globin.residue_of_atom, np.flatnonzero(np.arange(len(globin)) % 20 != 5))
    holed = Protein.from_structure(Structure.from_atoms(globin.atoms[kept], "x"))
    variant = Variant.parse(f"{holed.sequence[20]}21P", holed.sequence)
    flags = analyse(holed, variant, predictor=tiny_predictor, background=0).flags
    assert any("lacks residues at 8 place(s)" in flag for flag in flags), flags
    whole = Protein.from_structure(globin)
    variant = Variant.parse("V31P", whole.sequence)
    flags = analyse(whole, variant, predictor=tiny_predictor, background=0).flags
    assert not any("lacks residues" in flag or "no coordinates" in flag for flag in flags)


def test_numbers_that_would_also_fit_by_the_author_are_doubted(globin, tiny_predictor):
    atoms = globin.atoms.copy()
    shift = next(
        k for k in range(1, 20) if globin.sequence[30] == globin.sequence[30 - k] and k != 30
    )
    atoms.res_id = np.arange(1, len(globin) + 1)[globin.residue_of_atom] + shift
    protein = Protein.from_structure(replace(globin, atoms=atoms))
    letter = protein.sequence[30]
    variant = Variant.parse(f"{letter}31{'A' if letter != 'A' else 'G'}", protein.sequence)
    found = analyse(protein, variant, predictor=tiny_predictor)
    said = [flag for flag in found.flags if "counted from 1" in flag]
    assert said and f"{letter}31 is position {31 - shift}" in said[0]
    counted = protein.counted_by("author")
    assert not [
        flag
        for flag in analyse(counted, variant, predictor=tiny_predictor).flags
        if "counted from 1" in flag
    ]
