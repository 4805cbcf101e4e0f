"""What was typed and dropped: text or file, which variants are meant, one analysis."""

from __future__ import annotations

import pytest

from glass_core.errors import InputError, RecordError, VariantError
from glass_core.inputs.analysis import AnalysisInputs, AnalysisRequest, read_analysis
from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.columns import ColumnChoice, Columns
from glass_core.inputs.proposals import OtherNumberingError
from glass_core.inputs.upload import Upload, file_named, text_or_file
from glass_core.inputs.words import read_variant
from glass_core.protein.annotation import Annotation, Feature, KnownVariant
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant

WILD = "MKTAYIAKQRQISFVKSHFSRQ"
PROTEIN = Protein.from_sequence(WILD, "first word")
TABLE = Upload(b"mutant,other\nK2R,T3A\n", "list.csv")


def texts(choice, *proteins):
    return [request.variant.text for request in choice.read(proteins or (PROTEIN,)).requests]


@pytest.mark.parametrize("given", ["K2R", "K2R\nT3A", "M" * 300, "M" * 2000, "a/\x00b", ""])
def test_a_text_is_no_file(given):
    assert file_named(given) is None
    assert text_or_file(given) == given


def test_the_path_of_a_file_is_its_text(tmp_path):
    path = tmp_path / "wild.fasta"
    path.write_text(">x\nMK\n")
    assert file_named(str(path)) == path
    assert text_or_file(str(path)) == ">x\nMK\n"


@pytest.mark.parametrize("given", ["absent.csv", "no/folder/wild.FASTA"])
def test_a_file_that_is_not_there_is_no_sequence(given):
    for read in (text_or_file, VariantChoice.text_or_file):
        with pytest.raises(InputError, match=f"^{given}: there is no such file; check the path"):
            read(given)


@pytest.mark.parametrize(
    ("choice", "variants", "words"),
    [
        (VariantChoice("all", span="2"), 19, "all substitutions of first"),
        (VariantChoice("all"), 19 * 22, "all substitutions of first"),
        (VariantChoice("alanine", span=" 2-4 "), 3, "alanine scan of first"),
        (VariantChoice("list", text="K2R T3A"), 2, "typed variants"),
        (VariantChoice("file", upload=TABLE), 1, "list.csv"),
        (VariantChoice("file", upload=Upload(b"K2R\nT3A", "a.txt")), 2, "a.txt"),
        (VariantChoice("file", upload=Upload(b">m\nMR", "a.fa")), 1, "a.fa"),
    ],
)
def test_which_variants_are_meant(choice, variants, words):
    assert len(texts(choice)) == variants
    assert choice.words([PROTEIN]) == words


def test_columns_are_guessed_chosen_or_one_is_named():
    assert texts(VariantChoice("file", upload=TABLE)) == ["K2R"]
    assert texts(VariantChoice("file", upload=TABLE, named=ColumnChoice("other"))) == ["T3A"]
    assert texts(VariantChoice("file", upload=TABLE, columns=Columns("other"))) == ["T3A"]
    with pytest.raises(InputError, match=r"list.csv: has no column 'x'; it has mutant, other"):
        VariantChoice("file", upload=TABLE, named=ColumnChoice("x")).read([PROTEIN])


def test_text_or_a_file_of_variants(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(TABLE.content)
    assert texts(VariantChoice.text_or_file(str(path), ColumnChoice("other"))) == ["T3A"]
    assert VariantChoice.text_or_file("K2R").kind == "list"
    with pytest.raises(InputError, match="column 'x': goes with a table"):
        VariantChoice.text_or_file("K2R", ColumnChoice("x"))


def test_known_variants_come_with_what_was_looked_up():
    with pytest.raises(InputError, match="nothing was looked up; give an accession"):
        VariantChoice("known").read([PROTEIN])
    listed = (KnownVariant(Change(2, "K", "R")),)
    protein = PROTEIN.annotated(Annotation("P12345", WILD, variants=listed))
    assert texts(VariantChoice("known"), protein) == ["K2R"]
    assert VariantChoice("known").words([protein]) == "known variants of first"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "some"},
        {"kind": "file"},
        {"kind": "all", "text": "K2R"},
        {"kind": "list", "span": "2"},
        {"kind": "list", "upload": TABLE},
        {"kind": "list", "named": ColumnChoice("x")},
        {"kind": "file", "upload": TABLE, "named": ColumnChoice("x"), "columns": Columns("x")},
        {"kind": "list", "numbering": "other"},
    ],
)
def test_a_choice_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(RecordError):
        VariantChoice(**wrong)


def test_a_line_that_begins_with_no_name_says_which_are_meant():
    proteins = [PROTEIN, Protein.from_sequence("MKL", "other")]
    good, bad = VariantChoice("list", text="other K2R\nx,K2R").read(proteins).requests
    assert (good.protein, good.variant.text) == (proteins[1], "K2R")
    assert bad.reason == ("'x' is the name of no protein; begin the line with first or other.")


def test_an_analysis_of_a_sequence():
    inputs = read_analysis(AnalysisRequest(wild=WILD, variant="A:K2R"))
    assert inputs.variant.text == "K2R"
    mutant = "MR" + WILD[2:]
    assert read_analysis(AnalysisRequest(wild=WILD, mutant=mutant)).variant.text == "K2R"
    with pytest.raises(VariantError, match="not what the mutant sequence shows"):
        read_analysis(AnalysisRequest(wild=WILD, mutant=mutant, variant="T3A"))


def test_records_of_an_analysis_check_themselves():
    for wrong in ({"numbering": "other"}, {"follow": "neither"}):
        with pytest.raises(RecordError):
            AnalysisRequest(**wrong)
    with pytest.raises(RecordError):
        AnalysisInputs(PROTEIN, Variant.parse("M1K", "MK"))


HBB = "MVHLTPEEKSAVTALWGKVNVDEVGG"


@pytest.mark.parametrize(
    ("sequence", "text", "hint"),
    [
        (HBB, "E6V", "E6 fits if the first methionine is not counted: it is E7 by"),
        (HBB[1:], "E8K", "E8 fits if a first methionine is counted that the sequence lacks:"),
        (HBB[1:], "E8K:S10A", ": it is E7 by sequence positions"),
    ],
)
def test_a_residue_that_does_not_fit_is_looked_for_in_other_numberings(sequence, text, hint):
    with pytest.raises(VariantError, match=hint):
        read_variant(text, Protein.from_sequence(sequence))


@pytest.mark.parametrize("text", ["W6V", "E6V:W1A"])
def test_what_fits_nowhere_has_no_hint(text):
    with pytest.raises(VariantError, match="check the numbering") as caught:
        read_variant(text, Protein.from_sequence(HBB))
    assert "fits" not in str(caught.value)
    assert not isinstance(caught.value, OtherNumberingError)


def test_author_numbers_and_signal_peptides_are_tried(globin):
    with pytest.raises(VariantError, match="V35 fits by author numbers: it is V31"):
        read_variant("V35P", Protein.from_structure(globin))
    with pytest.raises(VariantError, match="D1 fits by sequence positions: it is D5 by author"):
        read_variant("D1P", Protein.from_structure(globin), "author")
    annotation = Annotation("P12345", HBB, features=(Feature("Signal", 1, 10),))
    protein = Protein.from_sequence(HBB).annotated(annotation)
    with pytest.raises(
        VariantError, match="A1 fits if the signal peptide is not counted: it is A11"
    ):
        read_variant("A1W", protein)
