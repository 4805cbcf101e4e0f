"""What a search found, for people: words, tables, figures, files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from glass_core.errors import InputError
from glass_core.inputs.msa import read_profile
from glass_core.metrics.tmalign import tm_align
from glass_core.models.evaluation import BLOSUM, BY_ALIGNMENT, BY_VECTORS, COLUMN, MEAN, MMSEQS
from glass_core.models.prediction import ModelInfo
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from glass_core.report.evidence import relatives as evidence
from glass_core.report.evidence import words as evidence_words
from glass_core.report.search import figures
from glass_core.report.search.exports import search_exports
from glass_core.report.search.scene import neighbour_scene
from glass_core.report.search.tables import neighbour_table, site_table
from glass_core.report.search.words import (
    alignment_text,
    headline,
    homologue_shares,
    how_read,
    of_database,
    site_words,
)
from glass_core.search.alignment import Alignment
from glass_core.search.database import DatabaseMeta, VectorModel
from glass_core.search.entry import Entry
from glass_core.search.neighbours import Neighbour
from glass_core.search.relatives import Relatives
from tests.test_report_evidence import figure, record

WILD = "MKTAYIAKQR"
MODEL = ModelInfo("compact", "1", "0" * 64, "compact encoder 1", "cpu", "float32", None)


def aligned(target, pairs, score=5.0):
    facing = np.array(pairs)
    return Alignment(WILD, target, facing, np.linspace(0.5, 0.9, len(facing)), score)


def neighbour(name, target, pairs, chance=0.9, **more):
    made = aligned(target, pairs)
    return Neighbour("q", 1, Entry(name, target), 0.7, chance, alignment=made, **more)


def found(*neighbours, protein=None):
    meta = DatabaseMeta(
        VectorModel("compact", "1", "0" * 64, "e", "fold head"), 3, 9, 90, "2026-01-01",
        licence="CC0", origin="chains",
    )  # fmt: skip
    ranked = tuple(neighbours)
    counts = np.arange(50)
    own = protein or Protein.from_sequence(WILD, "mine and more")
    return Relatives(own, ranked, counts, Path("."), meta, MODEL, "an aligner")


STRAIGHT = [(k, k) for k in range(10)]
SAME = neighbour("itself", WILD, STRAIGHT, is_query=True)
ONE = neighbour("one", "MKTGYIAKQR", STRAIGHT)
TWO = neighbour("two", "KTPYAKQR", [(1, 0), (2, 1), (3, 2), (4, 3), (6, 4), (7, 5)], chance=0.6)
FAR = neighbour("far", "WWWWW", [(0, 0), (1, 1)], chance=0.2)


def test_the_headline_counts_those_that_are_likely():
    assert headline(found(SAME, ONE, TWO, FAR)).startswith(
        "2 of 3 neighbours probably share its fold; nearest one, chance 0.90"
    )
    assert headline(found(ONE)).startswith("1 of 1 neighbours probably shares its fold")
    assert headline(found(FAR)).startswith("No relative found: the nearest, far")
    assert headline(found(SAME)) == "The database holds nothing else than this protein."
    unknown = neighbour("far", "WWWWW", [(0, 0)], chance=float("nan"))
    assert headline(found(unknown)) == "Nearest: far, predicted TM-score 0.70"
    assert "Nobody has counted" in how_read(found(unknown))
    assert "0.5 by TM-align" in how_read(found(ONE))
    assert of_database(found(ONE)) == "chains, 9 entries, made on 2026-01-01, CC0"


def test_the_column_is_that_of_the_likely_ones():
    told = found(SAME, ONE, TWO, FAR)
    column = told.column(4)
    assert column.counts() == {"G": 1, "P": 1}
    said = site_words(column, told.protein, "P")
    assert said == (
        "2 of 2 neighbours have a residue at A4: G 1, P 1. P stands in 1 of them, 40% by weight."
    )
    assert site_words(told.column(4), told.protein, "W").endswith("None has W.")
    assert site_words(told.column(6), told.protein).startswith("1 of 2 neighbours")
    assert site_words(found(TWO).column(1), told.protein) == (
        "No neighbour has a residue that faces M1."
    )
    assert found(FAR).column(1).counts() == {"W": 1}, "where none is likely all are told"
    table = site_table(column)
    assert list(table["residue"]) == ["Gly", "Pro"]
    assert list(table["position there"]) == [4, 3]
    assert list(site_table(told.column(6))["residue"]) == ["Ile", "none"]


def test_an_alignment_is_shown_with_ranges_and_the_site():
    text = alignment_text(TWO, site=7, width=4).splitlines()
    assert text == [
        "protein     2 KTAY 5",
        "              ||.|",
        "two         1 KTPY 4",
        "",
        "               v",
        "protein     6 IAK 8",
        "               ||",
        "two         5 -AK 6",
    ]
    nothing = Neighbour("q", 1, Entry("x", "A"), 0.5)
    assert "nothing is alike" in alignment_text(nothing)


def test_the_table_leaves_out_what_nobody_knows():
    told = found(SAME, ONE, TWO)
    table = neighbour_table(told, 4)
    assert list(table["neighbour"]) == ["itself", "one", "two"]
    assert table["source"][0] == "itself"
    assert list(table["at the site"]) == ["A", "G", "P"]
    assert "TM-score (TM-align)" not in table and "class" not in table
    assert "at the site" not in neighbour_table(told)
    assert len(neighbour_table(told, only=told.others)) == 2


def test_figures_hold_what_was_found():
    told = found(SAME, ONE, TWO)
    drawn = figures.score_histogram(told)
    assert np.nansum(drawn.data[0].y) == told.counts.sum()
    assert [trace.name for trace in drawn.data] == [
        "all entries", "neighbours listed", "the protein itself",
    ]  # fmt: skip
    bars = figures.site_bars(told.column(4), {"A": 0.75, "G": 0.25}, "P")
    shares = dict(zip(bars.data[0].x, bars.data[0].y, strict=True))
    assert shares["P"] == pytest.approx(0.4) and shares["G"] == pytest.approx(0.6)
    assert dict(zip(bars.data[1].x, bars.data[1].y, strict=True))["A"] == 0.75
    assert "<b>P</b><br>new" in bars.layout.xaxis.ticktext
    assert len(figures.site_bars(told.column(4)).data) == 1


def test_shares_of_an_alignment_of_one_s_own():
    rows = "".join(f">r{k}\n{WILD[:3]}{'AG'[k % 2]}{WILD[4:]}\n" for k in range(4))
    profile = read_profile(f">q\n{WILD}\n{rows}".encode(), WILD, name="x.a3m")
    shares = homologue_shares(profile, 4)
    assert sum(shares.values()) == pytest.approx(1)
    assert {x for x, share in shares.items() if share} == {"A", "G"}
    assert homologue_shares(None, 4) is None


def test_every_file_is_made():
    files = {one.label: one for one in search_exports(found(SAME, ONE, TWO), 4)}
    assert files["TSV"].make().splitlines()[0].startswith("query_id\trank\tdatabase_id\ttm-score")
    assert files["CSV"].make().count("\n") == 4
    assert files["Parquet"].make()[:4] == b"PAR1"
    assert json.loads(files["JSON"].make())[1]["site"]["residue"] == "G"
    assert files["Alignment (A3M)"].make().startswith(f">mine\n{WILD}\n>one\n")
    assert all(one.file_name.startswith("glass-relatives-mine.") for one in files.values())


def test_the_scene_numbers_facing_residues_alike(globin_file):
    structure = read_structure(globin_file, chain="A")
    other = read_structure(globin_file, chain="B")
    protein = Protein.from_structure(structure)
    laid = tm_align(structure.ca, other.ca, structure.sequence, other.sequence)
    scene = neighbour_scene(protein, other, laid, 31, "2gtl_B")
    roles = {model.role: model for model in scene.models}
    assert set(roles) == {"wild", "neighbour"}
    assert scene.sites == (31,) and scene.site_labels == (protein.named(31),)

    def alphas(text):
        atoms = [line for line in text.splitlines() if line[12:16].strip() == "CA"]
        return {int(a[22:26]): np.array([a[30:38], a[38:46], a[46:54]], float) for a in atoms}

    own, theirs = alphas(roles["wild"].pdb), alphas(roles["neighbour"].pdb)
    shared = [n for n in own if n in theirs]
    assert len(shared) == laid.aligned_length
    apart = [np.linalg.norm(own[n] - theirs[n]) for n in shared]
    assert np.sqrt(np.mean(np.square(apart))) == pytest.approx(laid.rmsd, abs=0.1)
    faces = dict(scene.values)["faces"]
    assert faces[30] is not None
    with pytest.raises(InputError, match="no structure"):
        neighbour_scene(Protein.from_sequence(WILD), other, laid)


def search_record():
    bins = [
        {
            "tm": "0.5 to 0.8",
            "pairs": 7,
            "identity": 0.2,
            "recall": {BY_ALIGNMENT: figure(0.5), BLOSUM: figure(0.3)},
            "gain": figure(0.2),
        }
    ]
    return record(
        "search",
        "search",
        queries=100,
        searched=900,
        figures={who: {"first_hit": figure(0.8)} for who in (BY_ALIGNMENT, MMSEQS, MEAN)},
        misses={BY_ALIGNMENT: 20, MMSEQS: 30, BY_VECTORS: 40, MEAN: 50},
        alignments=bins,
        calibration_error={BY_ALIGNMENT: 0.02},
        confidence=[{"from": 0.0, "to": 0.1, "pairs": 1200, "right": 0.05}],
    )


def column_record(gain):
    figures_of = {
        COLUMN: {"spearman": figure(0.35)},
        BLOSUM: {"spearman": figure(0.3)},
        evidence.GAIN: {"spearman": figure(gain)},
    }
    return record(
        "search",
        "relatives",
        scan={"assays": 4, "without": 1, "figures": figures_of},
        stability={"assays": 0, "without": 2},
    )


def test_the_records_are_told_in_words_and_tables():
    said = " ".join(evidence.relatives_words({"search": search_record()}))
    assert "of 100 held-out chains" in said
    assert "20 misses, where MMseqs2 has 30 and the nearest vectors alone 40" in said
    assert "0.50 (0.49 to 0.51) of the pairs" in said and "0.20 (0.19 to 0.21) more" in said
    assert "0.020 off" in said
    table = evidence.retrieval_table(search_record())
    assert list(table["misses"]) == [20, 30, 50]
    assert list(table["kind"]) == ["model", "baseline", "baseline"]
    assert list(evidence.alignment_table(search_record())["pairs"]) == [7]
    assert list(evidence.confidence_table(search_record())["TM-align has them"]) == ["0.05"]
    answers = evidence_words.answers({"search": search_record()})
    assert list(answers) == ["Which proteins share its fold?", "How alike are two structures?"]


@pytest.mark.parametrize(
    ("gain", "verb"),
    [(0.05, "better than"), (0.0, "within the error no better than"), (-0.05, "worse than")],
)
def test_a_column_is_judged_by_its_gain(gain, verb):
    (said,) = evidence.column_words(column_record(gain))
    assert f"{verb} BLOSUM62" in said
    assert "scans, 4 held-out proteins" in said
    assert len(evidence.column_table(column_record(gain))) == 3
