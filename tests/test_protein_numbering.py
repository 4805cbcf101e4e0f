"""The user's own numbers: how a variant is written in them, read back, kept and shown."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glass_core.errors import InputError, RecordError, RemodelError, VariantError
from glass_core.impact.analyse import Remodelling, analyse
from glass_core.impact.as_json import from_json, to_dict, to_json
from glass_core.inputs.analysis import AnalysisRequest, read_analysis
from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.lists import alanine_scan, all_substitutions, read_range
from glass_core.inputs.upload import Upload
from glass_core.inputs.words import read_variant
from glass_core.protein.annotation import Annotation, Feature, KnownVariant
from glass_core.protein.as_json import protein_dict, protein_from
from glass_core.protein.change import Change
from glass_core.protein.numbering import Numbering
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant
from glass_core.report.impact.annotation import known_variant_table
from glass_core.report.impact.exports import exports
from glass_core.report.impact.html import impact_report
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.tables import subdomain_table, variant_table
from glass_core.report.impact.track import residue_track
from glass_core.report.impact.verdict import verdict
from glass_core.report.numbering import position_ticks
from glass_core.report.screen.exports import read_screen_parquet, screen_parquet
from glass_core.report.screen.figures import heat_map
from glass_core.report.screen.tables import screen_frame, shown_columns
from glass_core.report.viewer import ViewOptions, viewer_html
from glass_core.screen.rows import first_row, row_from
from tests.test_impact import FakeRemodeller

WILD = "MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWT"
MATURE = Numbering.shifted(len(WILD), -1, "from the second residue")
LABELS = st.one_of(
    st.just(""),
    st.builds(
        lambda number, code: f"{number}{code}",
        st.integers(-20, 60),
        st.sampled_from(["", "", "A", "B", "a", ";"]),
    ),
)


@st.composite
def variants(draw):
    """A numbering with holes, codes and repeats, and a variant of a sequence it numbers."""
    sequence = draw(st.text(STANDARD, min_size=3, max_size=12))
    count = len(sequence)
    labels = draw(st.lists(LABELS, min_size=count, max_size=count))
    mutant = draw(st.text(STANDARD, min_size=1, max_size=14).filter(lambda m: m != sequence))
    return Numbering.own(labels, "as drawn"), Variant.from_sequences(sequence, mutant)


@given(variants())
def test_what_is_written_in_any_numbering_is_read_back(drawn):
    numbering, variant = drawn
    protein = Protein.from_sequence(variant.wild_type).counted_by(numbering)
    again = read_variant(protein.written(variant), protein)
    assert again.mutant == variant.mutant and again.text == variant.text


@given(variants())
def test_a_label_names_one_position(drawn):
    numbering, variant = drawn
    labels = [numbering.label(p) for p in range(1, len(variant.wild_type) + 1)]
    assert [numbering.position(label) for label in labels] == list(range(1, len(labels) + 1))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("E7V", "E6V"),
        ("E7V:E8K", "E6V:E7K"),
        ("M1A", "M(1)A"),
        ("H3_T5del", "H2_T4del"),
        ("L4_T5insGG", "L3_T4insGG"),
        ("M1_V2insA", "M(1)_V1insA"),
        ("E7_E8delinsP", "E6_E7delinsP"),
        ("T39delinsTA", "T38delinsTA"),
    ],
)
def test_written_in_the_users_numbers(text, written):
    protein = Protein.from_sequence(WILD).counted_by(MATURE)
    variant = Variant.parse(text, WILD)
    assert protein.written(variant) == written
    assert Protein.from_sequence(WILD).written(variant) == variant.text == text


def test_author_numbers_with_insertion_codes():
    numbers = Numbering("author", ("-1", "1", "52", "52A", "", "52"))
    protein = Protein.from_sequence("GKTAYI").counted_by(numbers)
    assert [protein.label(p) for p in range(1, 7)] == ["-1", "1", "52", "52A", "(5)", "(6)"]
    assert protein.written(Variant.parse("A4V:Y5F", "GKTAYI")) == "A52AV:Y(5)F"
    assert protein.named(4) == "A52A" and protein.counting.extent == "author numbers -1 to 52"


def test_numberings_that_are_refused():
    protein = Protein.from_sequence(WILD)
    with pytest.raises(RecordError, match="own_counting"):
        protein.counted_by(Numbering.shifted(3, 0, "short"))
    with pytest.raises(RecordError, match="name"):
        Numbering("own", ("1",))
    with pytest.raises(RecordError, match="kind"):
        Numbering("imgt", ("1",))
    with pytest.raises(InputError, match="author numbers come with a structure"):
        protein.counted_by("author")


def test_messages_have_the_users_numbers_alone():
    protein = Protein.from_sequence(WILD).counted_by(MATURE)
    with pytest.raises(VariantError, match="own number 7 is E, not V;"):
        read_variant("V7A", protein)
    with pytest.raises(VariantError, match="own number 6 is changed twice"):
        read_variant("E6V:E6K", protein)
    with pytest.raises(VariantError, match=r"own numbers 1 to 38, some perhaps"):
        read_variant("T39A", protein)
    with pytest.raises(InputError, match=r"within own numbers 1 to 38\."):
        read_range("30-39", protein)


def test_ranges_and_scans_are_counted_as_the_user_does():
    protein = Protein.from_sequence(WILD).counted_by(MATURE)
    assert read_range("6-08", protein) == (7, 9)
    assert read_range("(1)-2", protein) == (1, 3)
    assert [r.text for r in alanine_scan(protein, 7, 8)] == ["E6A", "E7A"]
    first = next(iter(all_substitutions(protein, 7, 7)))
    assert (first.text, first.variant.text) == ("E6A", "E7A")


def test_kept_and_read_again():
    protein = Protein.from_sequence(WILD).counted_by(MATURE)
    content = json.loads(json.dumps(protein_dict(protein)))
    assert protein_from(content).counting == MATURE
    del content["own_counting"]  # as earlier versions wrote it
    assert protein_from(content).counting == Numbering.of_sequence(len(WILD))
    assert protein.counted_by("sequence").own_counting is None


def test_hgvs_is_of_a_reference_sequence():
    own = Protein.from_sequence(WILD[1:])
    variant = Variant.parse("E6V", own.sequence)
    assert own.hgvs(variant) == ("p.Glu6Val", "positions of the sequence given")
    assert own.counted_by(Numbering.shifted(38, 9, "so")).hgvs(variant)[0] == "p.Glu6Val"
    known = own.annotated(Annotation("P68871", WILD))
    assert known.hgvs(variant) == ("P68871:p.Glu7Val", "UniProt positions of P68871")
    inserted = Variant.parse("E6_E7insG", own.sequence)
    assert known.hgvs(inserted)[0] == "P68871:p.Glu7_Glu8insGly"
    # A residue that UniProt's sequence has not is none of its own.
    other = Protein.from_sequence("A" + WILD[2:]).annotated(Annotation("P68871", WILD))
    assert other.hgvs(Variant.parse("A1G", other.sequence))[0] == "p.Ala1Gly"


@pytest.fixture(scope="module")
def impact(tiny_predictor, globin):
    """Chain A of 2GTL, whose first residue's author number is 5, counted by the authors."""
    inputs = read_analysis(
        AnalysisRequest(
            structure=Upload(globin_text(globin), "x.pdb"), variant="V35P", numbering="author"
        )
    )
    known = Annotation(
        "P00001",
        "M" * 10 + globin.sequence,
        features=(Feature("Domain", 41, 50, "here"),),
        variants=(KnownVariant(Change(41, "V", "P"), "Pathogenic", source="UniProt"),),
    )
    return analyse(
        inputs.protein.annotated(known),
        inputs.variant,
        predictor=tiny_predictor,
        mutant=Remodelling(FakeRemodeller(), seeds=1),
        background=0,
    )


def globin_text(globin) -> bytes:
    from glass_core.protein.structure.write import write_structure

    return write_structure(globin, "pdb").encode()


def test_words_and_tables_lead_with_the_users_numbers(impact):
    assert impact.variant.text == "V31P" and impact.written == "V35P"
    assert verdict(impact).headline.startswith("V35P: ")
    assert variant_table(impact).iloc[0].to_dict() == {
        "change": "V35P",
        "residue": "35",
        "sequence position": "31",
        "UniProt P00001": "41",
        "chain": "A",
    }
    assert known_variant_table(impact.protein).iloc[0]["here"] == "V35P"
    assert all("V31" not in check.text for check in impact.checks)
    assert any("V35" in check.text for check in impact.checks)
    names = subdomain_table(impact)["part"]
    first, last = re.search(r"\((-?\d+)-(\d+)\)", names[0]).groups()
    segment = impact.subdomains[0].segments[0]
    assert (int(first), int(last)) == (segment[0] + 4, segment[0] + 4 + int(last) - int(first))


def test_files_name_both_numberings(impact):
    files = {e.label: e for e in exports(impact, "")}
    assert files["Residue CSV"].file_name == "glass-V35P-residues.csv"
    row = list(csv.DictReader(io.StringIO(files["Residue CSV"].make())))[30]
    told = {n: row[n] for n in ("residue", "position", "author_number", "uniprot_position")}
    assert told == {
        "residue": "V35",
        "position": "31",
        "author_number": "35",
        "uniprot_position": "41",
    }
    assert (row["variant"], row["written"]) == ("V31P", "V35P")
    assert row["numbering"] == "author numbers"
    report = impact_report([impact], "")
    assert "V35P" in report and "numbered by author numbers" in report
    assert "p.Val31Pro" not in report and "P00001:p.Val41Pro" in report
    assert to_dict(impact)["written"] == "V35P"
    assert from_json(to_json(impact)).written == "V35P"


def test_pictures_have_the_users_numbers(impact):
    track = residue_track(impact)
    axis = track.layout[f"xaxis{len(track._grid_ref)}"]
    assert axis.title.text == "author number"
    assert all(int(t) == v + 4 for v, t in zip(axis.tickvals, axis.ticktext, strict=True))
    assert {"10", "20", "100"} <= set(axis.ticktext)
    assert "V35P" in [note.text for note in track.layout.annotations]
    line = next(t for t in track.data if t.name == "predicted lDDT")
    assert line.customdata[30] == "V35 (sequence 31, UniProt 41, chain A)"
    assert any(t.text == "Domain 35-44: here" for t in track.data)
    assert any("V35P Pathogenic" in (t.text or ()) for t in track.data)
    cells = matrices(impact).data[0]
    assert cells.customdata[0][30] == "35 - 5" and "%{customdata}" in cells.hovertemplate
    assert '"V35P"' in viewer_html(impact, ViewOptions("chain"), "")


def test_ticks_by_sequence_are_plotlys_own():
    protein = Protein.from_sequence(WILD)
    assert position_ticks(protein, 1, 39) == {}
    ticks = position_ticks(protein.counted_by(MATURE), 1, 39)
    assert ticks["ticktext"] == ["5", "10", "15", "20", "25", "30", "35"]
    assert ticks["tickvals"] == [6, 11, 16, 21, 26, 31, 36]
    nothing = Numbering.own([""] * 39, "not at all")
    assert position_ticks(protein.counted_by(nothing), 1, 39)["ticktext"][0] == "(1)"


def test_a_screen_leads_with_the_users_numbers(tiny_predictor):
    protein = Protein.from_sequence(WILD, "hbb")
    choice = VariantChoice("list", text="E6V nonsense M(1)A", numbering=MATURE)
    rows = [first_row(one, (), tiny_predictor.info) for one in choice.read([protein]).requests]
    assert [r.written for r in rows] == ["E6V", "nonsense", "M(1)A"]
    assert [r.variant for r in rows] == ["E7V", "nonsense", "M1A"]
    assert rows[0].numbering == "own numbers, counted from the second residue"
    frame = screen_frame(rows)
    assert shown_columns(frame)[:3] == ["protein", "written", "variant"]
    plain = screen_frame([first_row(one, (), tiny_predictor.info) for one in _plain(protein)])
    assert shown_columns(plain)[:2] == ["protein", "written"] and "given" not in shown_columns(
        plain
    )
    assert read_screen_parquet(screen_parquet(rows)) == rows
    old = {n: v for n, v in rows[0].to_dict().items() if n not in ("written", "numbering")}
    assert row_from(old).written == "E7V"
    (counted,) = choice.counted([protein])
    frame["blosum62"] = np.array([-2, None, -1], dtype=object)
    figure = heat_map(frame[frame["changes"].notna()], counted, "blosum62")
    cells = next(t for t in figure.data if t.name == "cells")
    assert cells.text[0].startswith("E6V<br>")
    wild = next(t for t in figure.data if t.name == "wild type")
    assert wild.text[6] == "E6" and figure.layout.xaxis2.title.text == "own number"


def _plain(protein):
    return VariantChoice("list", text="E7V").read([protein]).requests


def test_a_remodel_refuses_in_the_users_numbers(tiny_predictor, globin):
    protein = Protein.combine("GS" + globin.sequence, globin)
    counted = protein.counted_by(Numbering.shifted(len(protein), 100, "from 101"))
    with pytest.raises(RemodelError, match="G101A: residue 101 has no coordinates"):
        analyse(
            counted,
            Variant.parse("G1A", protein.sequence),
            predictor=tiny_predictor,
            mutant=Remodelling(FakeRemodeller()),
            background=0,
        )


def test_the_command_counts_as_asked(run, globin, tmp_path):
    file = tmp_path / "globin.pdb"
    file.write_bytes(globin_text(globin))
    given = ("--structure", file, "--numbering", "author")
    code, out, _ = run("impact", *given, "--variant", "V35P")
    assert code == 0 and out.startswith("V35P: ")
    table = tmp_path / "o.csv"
    code, _, err = run("screen", *given, "--alanine", "--range", "35-36", "--out", table)
    assert code == 0, err
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [(r["written"], r["variant"]) for r in rows] == [("V35A", "V31A"), ("R36A", "R32A")]
