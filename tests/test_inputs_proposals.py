"""Numberings that are proposed where a variant, or a whole list, does not fit."""

from __future__ import annotations

import pickle

import pytest

from glass_core.errors import InputError, VariantError
from glass_core.inputs.analysis import AnalysisRequest, read_analysis
from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.columns import guess_columns
from glass_core.inputs.lists import from_text
from glass_core.inputs.proposals import MOST_ROWS, OtherNumberingError, list_proposals, proposals
from glass_core.inputs.table import read_table
from glass_core.inputs.upload import Upload
from glass_core.inputs.words import read_variant
from glass_core.protein.annotation import Annotation, Feature
from glass_core.protein.numbering import Numbering
from glass_core.protein.protein import Protein

HBB = "MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFFESFGDLS"


def test_a_proposal_can_be_taken():
    protein = Protein.from_sequence(HBB)
    (one,) = proposals("E6V", protein)
    assert one.words == (
        "E6 fits if the first methionine is not counted: it is E7 by sequence positions"
    )
    assert [v.text for v in one.variants] == ["E7V"]
    counted = protein.counted_by(one.numbering)
    assert counted.counting.name == "from the second residue (initiator methionine not counted)"
    assert counted.written(read_variant("E6V", counted)) == "E6V"
    inputs = read_analysis(AnalysisRequest(wild=HBB, variant="E6V", numbering=one.numbering))
    assert inputs.variant.text == "E7V" and inputs.protein.counting == one.numbering


def test_nothing_is_proposed_for_what_fits_or_cannot_be_read():
    protein = Protein.from_sequence(HBB)
    assert proposals("E7V", protein) == ()
    for text in ("W6V", "what", "", "R175H"):
        assert proposals(text, protein) == ()


def test_what_a_protein_lacks_in_life_is_left_out_in_turn():
    features = (Feature("Signal", 1, 10), Feature("Propeptide", 11, 20), Feature("Domain", 1, 30))
    protein = Protein.from_sequence(HBB).annotated(Annotation("P12345", HBB, features=features))
    (one,) = proposals("A1W", protein)
    assert "the signal peptide" in one.words and one.variants[0].text == "A11W"
    assert [one.variants[0].text for one in proposals("V1W", protein)] == ["V2W", "V21W"]
    (one,) = proposals("D2W", protein)
    assert "the propeptide" in one.words and one.variants[0].text == "D22W"
    assert one.numbering.name == "from behind the propeptide (the first 20 residues not counted)"


def test_every_numbering_known_is_tried_against_the_users(globin):
    tagged = Protein.combine("GS" + globin.sequence, globin)
    by_authors, *rest = proposals("V35P", tagged)
    assert by_authors.numbering == "author" and by_authors.variants[0].text == "V33P"
    assert by_authors.words == "V35 fits by author numbers: it is V33 by sequence positions"
    assert rest == []
    back = proposals("V33P", tagged.counted_by("author"))
    assert [one.numbering for one in back] == ["sequence"]
    assert back[0].words.endswith("it is V35 by author numbers")
    assert [one.words for one in proposals("V33P", tagged, "author")] == [back[0].words]


def test_the_error_carries_the_proposals():
    with pytest.raises(OtherNumberingError, match=r"check the numbering.*E6 fits if") as caught:
        read_variant("E6V", Protein.from_sequence(HBB))
    assert isinstance(caught.value, VariantError)
    assert caught.value.proposals[0].variants[0].text == "E7V"
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and len(again.proposals) == 1


def test_a_list_gets_the_numbering_in_which_most_rows_fit():
    protein = Protein.from_sequence(HBB)
    requests = list(from_text("V1A E6V L3A E7V W99A", [protein]))
    assert [r.variant is not None for r in requests] == [False, False, False, True, False]
    best = list_proposals(requests)[0]
    assert (best.fits, best.rows) == (4, 5)
    assert best.words == (
        "4 of 5 rows fit if the first methionine is not counted; 1 by sequence positions"
    )
    again = VariantChoice("list", text="V1A E6V L3A E7V W99A", numbering=best.numbering)
    assert sum(r.variant is not None for r in again.read([protein]).requests) == 4
    assert list_proposals(list(from_text("E7V", [protein]))) == ()


def test_a_table_whose_numbers_do_not_fit_is_read_and_not_refused(globin):
    protein = Protein.from_structure(globin)
    lines = [f"{globin.sequence[i]}{globin.residue_numbers[i]}P" for i in (30, 40, 50)]
    content = ("comment,mutation\n" + "".join(f"x,{v}\n" for v in lines)).encode()
    assert guess_columns(read_table(content, "x.csv"), [protein]).variant == "mutation"
    choice = VariantChoice("file", upload=Upload(content, "x.csv"))
    requests = list(choice.read([protein]).requests)
    assert all(r.variant is None for r in requests)
    best = list_proposals(requests)[0]
    assert best.words == "3 of 3 rows fit by author numbers; none by sequence positions"
    read = VariantChoice("file", upload=Upload(content, "x.csv"), numbering=best.numbering)
    assert [r.text for r in read.read([protein]).requests if r.variant] == lines
    with pytest.raises(InputError, match="no column holds variants"):
        guess_columns(read_table(b"a,b\n1,2\n", "x.csv"), [protein])


def test_of_several_proteins_only_what_each_knows_of_itself(globin):
    one = Protein.from_structure(globin)
    two = Protein.from_sequence(HBB, "hbb")
    mixed = [*from_text("V35P", [one]), *from_text("E6V", [two])]
    (best,) = list_proposals(mixed)
    assert (best.numbering, best.fits, best.rows) == ("author", 1, 2)


def test_long_lists_are_tried_in_part():
    protein = Protein.from_sequence(HBB)
    requests = list(from_text("E6V " * (MOST_ROWS + 5), [protein]))
    assert list_proposals(requests)[0].rows == MOST_ROWS


def test_a_numbering_taken_over_proposes_the_way_back():
    protein = Protein.from_sequence(HBB)
    mature = protein.counted_by(proposals("E6V", protein)[0].numbering)
    back, _ = proposals("E7V", protein.counted_by(Numbering.shifted(len(HBB), 5, "from 6")))
    assert back.numbering == "sequence" and back.variants[0].text == "E7V"
    assert proposals("E6V", mature) == ()
