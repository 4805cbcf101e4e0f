"""Tables and lists as databases, spreadsheets and neighbouring programs write them.

What the columns of MaveDB, ClinVar, UniProt and Rosetta hold was taken from their own
documentation; the inputs are made up for the sequence below.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from glass_core.errors import InputError
from glass_core.inputs.cells import plain_cell
from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.columns import NO_COLUMN, ColumnChoice
from glass_core.inputs.labels import LabelWord, label_words, read_label
from glass_core.inputs.lists import from_text
from glass_core.inputs.proteins import read_proteins
from glass_core.inputs.text import decode
from glass_core.inputs.upload import Upload, text_or_file
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import names_in_header

WILD = "MEEPQSDPSVEPPLSQETFSDLWKLLPENN"
PROTEIN = Protein.from_sequence(WILD, "target")


def read(text, name="in.csv", proteins=(PROTEIN,), named=None):
    content = text if isinstance(text, bytes) else text.encode()
    choice = VariantChoice("file", upload=Upload(content, name), named=named or ColumnChoice())
    asked = choice.read(list(proteins))
    return list(asked.requests), " ".join(asked.notes)


def rows(requests):
    return [(r.variant.text if r.variant else None, r.measured_value, r.label) for r in requests]


# MaveDB


MAVEDB = (
    "accession,hgvs_nt,hgvs_splice,hgvs_pro,score\n"
    "urn:mavedb:00000000-a-1#1,NA,NA,p.Glu2Lys,0.5\n"
    "urn:mavedb:00000000-a-1#2,NA,NA,p.Glu3Ala,-1.2\n"
)


@pytest.mark.parametrize("named", [None, ColumnChoice("hgvs_pro")])
def test_the_urns_of_mavedb_name_no_proteins(named):
    made, said = read(MAVEDB, named=named)
    assert rows(made) == [("E2K", 0.5, None), ("E3A", -1.2, None)]
    assert said == "Read variants from 'hgvs_pro', measured values from 'score'."


def test_several_targets_in_one_column():
    """A score set of several targets names each in front of its variants."""
    text = "hgvs_pro,score\ntarget:p.Glu2Lys,1\nother:p.Asp2Ala,2\ntarget:p.Glu3Ala,3\n"
    made, _ = read(text)
    assert rows(made) == [("E2K", 1.0, None), (None, 2.0, None), ("E3A", 3.0, None)]
    assert "'other' is the name of no protein given" in made[1].reason
    other = Protein.from_sequence("MDLSALRVEE", "other")
    made, _ = read(text, proteins=(PROTEIN, other))
    assert [r.protein.name for r in made] == ["target", "other", "target"]
    nameless = Protein.from_sequence(WILD, "x")
    with pytest.raises(InputError, match="are of several proteins, none of them 'x'"):
        read(text, proteins=(nameless,))


# ClinVar


@pytest.mark.parametrize(
    "heading",
    [
        "Germline classification",
        "Clinical significance",
        "ClinicalSignificance",
        "clinical_significance",
        "Clinical significance (Last reviewed)",
        "CLIN_SIG",
        "label",
    ],
)
def test_labels_under_any_of_their_headings(heading):
    text = (
        f"Name\tProtein change\t{heading}\n"
        "NM_000000.1(X):c.5A>C (p.Glu2Ala)\tE2A\tPathogenic\n"
        "NM_000000.1(X):c.8A>C (p.Glu3Ala)\tE3A\tBenign(Last reviewed: Jun 3, 2020)\n"
    )
    made, said = read(text, "in.tsv")
    assert rows(made) == [("E2A", None, True), ("E3A", None, False)]
    assert f"labels from '{heading}'" in said


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("Pathogenic", True),
        ("Likely_pathogenic", True),
        ("Pathogenic/Likely pathogenic", True),
        ("Pathogenic; drug response", True),
        ("Pathogenic|risk factor", True),
        ("Pathogenic, low penetrance", True),
        ("Likely benign (Last reviewed: Mar 1, 2021)", False),
        ("Benign/Likely benign", False),
        ("Uncertain significance", None),
        ("Conflicting classifications of pathogenicity", None),
        ("Pathogenic; Uncertain significance", None),
        ("Pathogenic / Benign", None),
        ("drug response", None),
        ("not provided", None),
        ("", None),
        ("Destabilizing", True),
        ("loss of function", True),
        ("non_functional", True),
        ("Functional", False),
        ("no effect", False),
    ],
)
def test_what_clinvar_calls_a_variant(words, label):
    assert read_label(words) is label


def test_labels_of_a_stability_set_are_both_kinds():
    words = ["destabilising", "Neutral", "wt-like", "Stabilizing", "unstable"]
    assert [read_label(word) for word in words] == [True, False, False, False, True]


@pytest.mark.parametrize("word", ["-1", "2", "-", "unclear", "not destabilising"])
def test_what_is_no_label_is_none(word):
    assert read_label(word) is None


def test_every_word_of_a_label_column_is_counted_and_can_be_assigned():
    values = ["Damaging", "unclear", "UNCLEAR", "mild", "", "n/a", "neutral"]
    assert label_words(values) == (
        LabelWord("unclear", 2, None),
        LabelWord("damaging", 1, True),
        LabelWord("mild", 1, None),
        LabelWord("neutral", 1, False),
    )
    assigned = {"unclear": False, "mild": True, "neutral": None}
    assert {w.word: w.damaging for w in label_words(values, assigned=assigned)} == {
        "unclear": False,
        "damaging": True,
        "mild": True,
        "neutral": None,
    }
    assert read_label("1", one_is_fit=True, assigned={"1": True}) is True, "as it was said"


def test_assigned_words_reach_the_variants():
    text = "variant,label\nE2K,odd\nE3A,fine\nP4A,benign\n"
    asked, said = read(text, named=ColumnChoice(label_words=(("odd", True), ("fine", False))))
    assert [one.label for one in asked] == [True, False, False]
    assert "left out" not in said


def test_the_whole_row_comes_with_its_variant():
    asked, _ = read("variant,score,note\nE2K,1.50, as told \nE3A,,\n")
    assert dict(asked[0].own) == {"variant": "E2K", "score": "1.50", "note": " as told "}
    assert dict(asked[1].own) == {"variant": "E3A", "score": "", "note": ""}
    (alone,) = from_text("E2K", [PROTEIN])
    assert dict(alone.own) == {}


def test_cells_of_other_types_are_plain():
    cells = [np.float64(1.5), np.int64(3), np.bool_(True), float("nan"), None, [1], "a"]
    assert [plain_cell(cell) for cell in cells] == [1.5, 3, True, None, None, "[1]", "a"]


def test_one_variant_in_several_isoforms_numbers_is_one():
    # E3A and E2A both fit the sequence; P4A fits, Q4A does not.
    text = 'Protein change,Germline classification\n"E3A, E2A",Benign\n"P4A, Q4A",Pathogenic\n'
    made, said = read(text)
    assert rows(made) == [(None, None, False), ("P4A", None, True)]
    assert "told in several isoforms' numbers, of which E3A and E2A fit" in made[0].reason
    assert "Of several isoforms' numbers in 'Protein change' those that fit were read." in said
    with_name = (
        "Name,Protein change,Germline classification\n"
        '"NM_000000.1(X):c.8A>C (p.Glu3Ala)","E3A, E2A",Benign\n'
    )
    made, said = read(with_name)
    assert rows(made) == [("E3A", None, False)]
    assert "variants from 'Name'" in said


# UniProt

HEADERS = (
    f">sp|P00001|AAAA_HUMAN Protein one OS=Homo sapiens GN=GENA PE=1 SV=1\n{WILD}\n"
    ">tr|P00002|BBBB_HUMAN Protein two OS=Homo sapiens GN=GENB\nMDLSALRVEEVQNVINAMQK\n"
)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("P00001", "P00002"),
        ("AAAA_HUMAN", "BBBB_HUMAN"),
        ("GENA", "GENB"),
        ("sp|P00001|AAAA_HUMAN", "tr|P00002|BBBB_HUMAN"),
    ],
)
@pytest.mark.parametrize("column", ["uniprot", "gene", "protein", "target"])
def test_accession_entry_and_gene_name_a_protein(one, two, column):
    proteins = read_proteins(HEADERS)
    text = f"{column},variant\n{one},E2K\n{two},D2A\n"
    made, _ = read(text, proteins=proteins)
    assert [r.protein for r in made if r.variant] == proteins
    made, _ = read(f"{one} E2K\n{two} D2A\n", "in.txt", proteins)
    assert [r.protein for r in made if r.variant] == proteins


def test_a_name_that_two_share_names_neither():
    proteins = read_proteins(HEADERS.replace("GENB", "GENA"))
    made, _ = read("gene,variant\nGENA,E2K\nP00002,D2A\n", proteins=proteins)
    assert [r.variant is not None for r in made] == [False, True]


def test_headers_of_other_databases():
    assert names_in_header("NP_000537.3 cellular tumor antigen p53") == ("NP_000537",)
    assert names_in_header("target") == ()
    assert names_in_header("") == ()


# Spreadsheets


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas(separator):
    made, said = read(f"variant{separator}score\nE2K{separator}0,53\nE3A{separator}-1,2\n")
    assert rows(made) == [("E2K", 0.53, None), ("E3A", -1.2, None)]
    assert "Read the commas of column 'score' as decimal points." in said


def test_commas_that_might_part_thousands_are_not_guessed():
    made, said = read("variant;score\nE2K;1,234\nE3A;2,500\n")
    assert [r.measured_value for r in made] == [None, None]
    assert "None of the 2 entries of column 'score' could be read as a number; '1,234'" in said


def test_what_a_column_lacks_is_said():
    _, said = read("variant,score,label\nE2K,high,sick\nE3A,1.5,benign\nP4A,,NA\n")
    assert "1 of the 2 entries of column 'score' could be read as a number; 'high'" in said
    assert "Labels of 'label' read as tolerated: 'benign' (1)." in said
    assert "Labels of 'label' left out, for they are not known: 'sick' (1)." in said
    _, said = read("variant,score\nE2K,NA\nE3A,\n")
    assert "Column 'score' is empty." in said


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_encodings(encoding):
    text = "variant,ddG \u00b1 SD,score\nE2K,1.0 \u00b1 0.1,0.5\nE3A,0.2 \u00b1 0.1,1\n"
    made, said = read(text.encode(encoding))
    assert rows(made) == [("E2K", 0.5, None), ("E3A", 1.0, None)]
    assert ("was read as Windows-1252" in said) == (encoding == "cp1252")
    made, _ = read("E2K # \u00b1\nE3A\n".encode(encoding), "in.txt")
    assert [r.variant.text for r in made] == ["E2K", "E3A"]
    made, _ = read(f">m \u00b1\n{WILD.replace('MEE', 'MKE')}\n".encode(encoding), "in.fasta")
    assert [r.variant.text for r in made] == ["E2K"]


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04\x14\x00\x06\x00\x08\x00",
        b"\x89PNG\r\n\x1a\x00\x00",
        b"\xff\xfe\x00",
        b"\x81\x8d\x8f\x90",
    ],
)
def test_what_is_no_text_is_refused(content):
    with pytest.raises(InputError, match="is not a text file"):
        decode(content, "x")
    with pytest.raises(InputError, match="is not a text file"):
        read(content, "in.xlsx")


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_excels_first_line_tells_the_separator(first):
    made, _ = read(f"{first}\nvariant;score\nE2K;0,5\nE3A;1\n")
    assert rows(made) == [("E2K", 0.5, None), ("E3A", 1.0, None)]
    made, _ = read(f"{first}\nvariant;score\nE2K;0,5\nE3A;1\n", "in.txt")
    assert rows(made) == [("E2K", 0.5, None), ("E3A", 1.0, None)]


# Tables called something else, and lists


@pytest.mark.parametrize(
    "text",
    [
        "variant\tscore\nE2K\t1\nE3A\t5\n",
        "variant,score\nE2K,1\nE3A,5\n",
        "variant score\nE2K 1\nE3A 5\n",
        "# a comment\nvariant score\nE2K 1\nE3A 5\n",
        "Mutation;ddG\nE2K;1\nE3A;5\n",
    ],
)
@pytest.mark.parametrize("name", ["in.txt", "in.dat", "scores"])
def test_a_table_by_any_name_is_a_table(text, name):
    made, said = read(text, name)
    assert rows(made) == [("E2K", 1.0, None), ("E3A", 5.0, None)]
    assert "Read variants from" in said


@pytest.mark.parametrize(
    "text", ["E2K 1\nE3A 5\n", "E2K\t1\nE3A\t5", "E2K,1,7\nE3A,5,8", "E2K 1.5"]
)
def test_numbers_beside_variants_are_no_sites(text):
    made, _ = read(text, "in.txt")
    assert {r.variant.text for r in made} <= {"E2K", "E3A"}
    asked = VariantChoice("list", text=text).read([PROTEIN])
    assert {r.variant.text for r in asked.requests} <= {"E2K", "E3A"}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("E2K", 1),
        ("E2K E3A", 2),
        ("E2K, E3A\nP4A, Q5A\n", 4),
        ("5", 19),
        ("E2K\n5", 20),
        ("2 3\n4 5\n", 76),
        ("2-3", 38),
        ("E2K/A", 2),
        ("E2K # the first\nE3A # the second\n", 2),
    ],
)
def test_lists_stay_lists(text, count):
    made, said = read(text, "in.txt")
    assert (len(made), said) == (count, "")
    assert all(r.variant for r in made)


@pytest.mark.parametrize(
    ("text", "variants"),
    [
        ("E2K 12 # good\nE3A 6\n", ["E2K", "E3A"]),
        ("E2K 12\nE3A 6 rep\n", ["E2K", "E3A"]),
        ("1 E2K\n2 E3A\n", ["E2K", "E3A"]),
        ("E 2 K\n", []),
        ("2 0.5\n3 0.7\n", []),
        ("E2K 5", ["E2K"]),
    ],
)
def test_a_number_beside_other_words_is_no_site(text, variants):
    made, _ = read(text, "in.txt")
    assert [r.variant.text for r in made if r.variant] == variants
    for one in made:
        assert one.variant or one.reason


def test_a_row_with_more_cells_than_headings_is_shown():
    """As a comma between decimals makes of a comma-separated table."""
    with pytest.raises(InputError, match="more cells than there are headings, 'E2K,0,512'"):
        read("variant,score\nE2K,0,512\nE3A,1,204\n")
    made, _ = read("variant,score,\nE2K,0.5,,\nE3A,1,,,\n")
    assert rows(made) == [("E2K", 0.5, None), ("E3A", 1.0, None)]


def test_the_row_names_of_r_have_no_heading():
    for text in (
        '"variant" "score"\n"1" "E2K" 0.5\n"2" "E3A" 1\n',
        "variant score\n1 E2K 0.5\n2 E3A 1",
    ):
        made, _ = read(text, "in.txt")
        assert rows(made) == [("E2K", 0.5, None), ("E3A", 1.0, None)]


def test_quotes_and_commas_inside_the_cells_of_a_tsv():
    made, _ = read('variant\tcomment\tscore\nE2K\t"open\t0.5\nE3A\tx\t0.6\nP4A\ty"\t3\n', "in.tsv")
    assert rows(made) == [("E2K", 0.5, None), ("E3A", 0.6, None), ("P4A", 3.0, None)]
    made, _ = read('variant\tscore\tnote (log2, mean, n=3)\nE2K\t1\t"a ""b"""\n', "in.tsv")
    assert rows(made) == [("E2K", 1.0, None)]


def test_decimal_commas_with_three_figures():
    made, _ = read("variant;score\nE2K;0,512\nE3A;1,204\nP4A;-0,331\n")
    assert [r.measured_value for r in made] == [0.512, 1.204, -0.331]


def test_rosettas_mutfile():
    made, said = read("total 3\n1\nE 2 K\n2\nE 3 A # both\nP 4 G\n", "in.mutfile")
    assert [r.variant.text for r in made] == ["E2K", "E3A:P4G"]
    assert said == "Read as a Rosetta mutfile."
    with pytest.raises(InputError, match="a line that is none of it"):
        read("total 1\n1\nE2K\n", "in.txt")


def test_every_guess_can_be_overruled():
    text = "variant,other,score,value,label,class,gene\nE2K,E3A,1,2,0,1,target\nP4A,Q5A,3,4,1,0,x\n"
    made, _ = read(text)
    assert rows(made) == [("E2K", 1.0, False), (None, 3.0, True)]
    made, _ = read(text, named=ColumnChoice("other", NO_COLUMN, "value", "class"))
    assert rows(made) == [("E3A", 2.0, True), ("Q5A", 4.0, False)]
    made, _ = read(text, named=ColumnChoice(None, NO_COLUMN, NO_COLUMN, NO_COLUMN))
    assert rows(made) == [("E2K", None, None), ("P4A", None, None)]
    made, _ = read(text, named=ColumnChoice(protein=NO_COLUMN, one_is_fit=True))
    assert rows(made) == [("E2K", 1.0, True), ("P4A", 3.0, False)]
    with pytest.raises(InputError, match=r"in.csv: has no column 'x'; it has variant, other"):
        read(text, named=ColumnChoice(label="x"))
    with pytest.raises(InputError, match="is a list without columns"):
        read("E2K\n", "in.txt", named=ColumnChoice(label="x"))


def test_the_command_overrules_them_too(run, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("variant,score,value,label,class,gene\nE2K,1,2,0,1,target\nP4A,3,4,1,0,x\n")
    out = tmp_path / "o.parquet"
    options = ("--score", "value", "--label", "class", "--protein", "none", "--one-is-fit")
    code, _, err = run("screen", "--wild", WILD, "--variants", source, "--out", out, *options)
    assert code == 0, err
    assert "measured values from 'value', labels from 'class'." in err
    import pandas as pd

    table = pd.read_parquet(out)
    assert table["measured_value"].tolist() == [2.0, 4.0]
    assert table["label"].tolist() == [0, 1]
    code, _, err = run("screen", "--wild", WILD, "--all", "--label", "x", "--out", out)
    assert code == 2 and "options about columns go with --variants" in err


# Text or file


def written(sequence, form):
    lines = "\n".join(sequence[i : i + 60] for i in range(0, len(sequence), 60))
    return {"letters": sequence, "FASTA": f">x\n{lines}\n", "lines": lines}[form]


@pytest.mark.parametrize("form", ["letters", "FASTA", "lines"])
def test_a_sequence_as_long_as_p53s_is_text(run, form):
    """393 letters, more than the 255 that the name of a file may have."""
    sequence = (WILD * 14)[:393]
    given = written(sequence, form)
    code, out, err = run("impact", "--wild", given, "--variant", "E2K", "--json")
    assert code == 0, err
    assert json.loads(out)["wild_type"] == sequence
    mutant = written("MK" + sequence[2:], form)
    code, out, err = run("impact", "--wild", given, "--mutant", mutant, "--json")
    assert code == 0, err
    assert json.loads(out)["variant"] == "E2K"


@pytest.mark.parametrize("form", ["letters", "FASTA", "lines"])
def test_a_sequence_of_thirty_thousand_letters_is_text(form):
    sequence = WILD * 1000
    (protein,) = read_proteins(text_or_file(written(sequence, form)))
    assert protein.sequence == sequence
    many = " ".join(f"{letter}{n}A" for n, letter in enumerate(sequence, start=1) if letter != "A")
    asked = list(VariantChoice.text_or_file(many).read([protein]).requests)
    assert len(asked) == len(sequence) and all(one.variant for one in asked)


@pytest.mark.parametrize(
    "given", ["no/such/file.fasta", "./wild", "/no/wild", "~/wild", "wild.txt", "no/such", "x.pdb"]
)
def test_a_mistyped_path_is_a_missing_file(run, given, tmp_path):
    for options in (("--wild", given, "--variant", "E2K"), ("--wild", WILD, "--mutant", given)):
        code, _, err = run("impact", *options)
        assert (code, err) == (2, f"Error: {given}: there is no such file; check the path.\n")
    out = tmp_path / "o.csv"
    code, _, err = run("screen", "--wild", WILD, "--variants", given, "--out", out)
    assert (code, err) == (2, f"Error: {given}: there is no such file; check the path.\n")


def test_a_folder_called_like_a_variant_is_none_of_our_business(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "E2K").mkdir()
    code, _, err = run("screen", "--wild", WILD, "--variants", "E2K", "--out", tmp_path / "o.csv")
    assert code == 0, err


def test_what_is_no_protein_sequence_is_refused(run):
    code, _, err = run("impact", "--wild", "MET GLN ILE PHE VAL", "--variant", "M1A")
    assert code == 2 and "three-letter codes" in err
    code, _, err = run("impact", "--wild", "ATGCAGATCTTCGTCAAGACGTTAACCGGTAAA", "--variant", "A1G")
    assert code == 2 and "looks like DNA or RNA (ATGCAGATCTTC...)" in err


def test_a_folder_is_no_file(run, tmp_path):
    code, _, err = run("impact", "--wild", tmp_path, "--variant", "E2K")
    assert code == 2
    assert err.endswith(": is a folder; give a file in it.\n")
