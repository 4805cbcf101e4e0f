"""A text is taken apart once: which part is an accession, a chain, a reference, the change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glass_core.errors import RecordError, VariantError
from glass_core.inputs.lists import from_text
from glass_core.inputs.words import how_read, read_variant, read_variants
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.protein.written import Written, take_apart

WILD = "MKTAYIAKQRQISFVKSHFSRQ"


def parts(text):
    written = take_apart(text)
    return str(written.accession or ""), written.chain, written.reference, written.core


@pytest.mark.parametrize(
    ("text", "accession", "chain", "reference", "core"),
    [
        ("R175H", "", "", "", "R175H"),
        ("  R175H\n", "", "", "", "R175H"),
        ("r175h", "", "", "", "r175h"),
        ("p.Arg175His", "", "", "", "p.Arg175His"),
        ("p.(Arg175His)", "", "", "", "p.(Arg175His)"),
        ("F508del", "", "", "", "F508del"),
        ("ΔF508", "", "", "", "ΔF508"),
        ("175", "", "", "", "175"),
        ("170-180", "", "", "", "170-180"),
        ("1234", "", "", "", "1234"),
        ("", "", "", "", ""),
        ("A123V;G45D", "", "", "", "A123V;G45D"),
        ("A123V, G45D", "", "", "", "A123V, G45D"),
        ("p.[Ala1Pro;Asp2Asn]", "", "", "", "Ala1Pro;Asp2Asn"),
        # several changes of one variant, no chain and no reference
        ("A1P:D2N", "", "", "", "A1P:D2N"),
        ("a1p:d2n", "", "", "", "a1p:d2n"),
        ("p.Ala1Pro:p.Asp2Asn", "", "", "", "p.Ala1Pro:p.Asp2Asn"),
        ("A1P:p.Asp2Asn", "", "", "", "A1P:p.Asp2Asn"),
        # a chain
        ("A:R175H", "", "A", "", "R175H"),
        ("a:R175H", "", "a", "", "R175H"),
        ("AA1:R175H", "", "AA1", "", "R175H"),
        ("A1:D2N", "", "A1", "", "D2N"),
        ("1234:R5K", "", "1234", "", "R5K"),
        ("A:A1P:D2N", "", "A", "", "A1P:D2N"),
        ("A: R175H", "", "", "", "A: R175H"),
        # an accession, in any case
        ("P04637 R175H", "P04637", "", "", "R175H"),
        ("P04637:R175H", "P04637", "", "", "R175H"),
        ("p04637:p.Arg175His", "P04637", "", "", "p.Arg175His"),
        ("P04637-2:p.Arg175His", "P04637-2", "", "", "p.Arg175His"),
        ("AF-P62593-F1 G236S", "P62593", "", "", "G236S"),
        ("P04637", "P04637", "", "", ""),
        ("2OCJ", "2OCJ", "", "", ""),
        ("2ocj R175H", "2OCJ", "", "", "R175H"),
        ("1ABC:R175H", "1ABC", "", "", "R175H"),
        ("1234 R5K", "", "", "", "1234 R5K"),
        ("P04637 R175H, G245S", "P04637", "", "", "R175H, G245S"),
        # an accession and a chain, either way round
        ("1ABC A:R175H", "1ABC", "A", "", "R175H"),
        ("P04637:A:R175H", "P04637", "A", "", "R175H"),
        ("A:P04637:R175H", "P04637", "A", "", "R175H"),
        ("A:P04637 R175H", "P04637", "A", "", "R175H"),
        ("A:P12345", "", "A", "", "P12345"),
        ("A:175A", "", "A", "", "175A"),
        # a reference
        ("NP_000537.3:p.Arg175His", "", "", "NP_000537.3", "p.Arg175His"),
        ("NP_000537.3:R175H", "", "", "NP_000537.3", "R175H"),
        ("ENSP00000269305:R175H", "", "", "ENSP00000269305", "R175H"),
        ("TP53:p.Arg175His", "", "", "TP53", "p.Arg175His"),
        ("A:p.Arg175His", "", "", "A", "p.Arg175His"),
        ("HGNC:11998:p.Arg175His", "", "", "HGNC:11998", "p.Arg175His"),
        ("NM_000546.6:c.524G>A", "", "", "NM_000546.6", "c.524G>A"),
        ("NP_1.3:p.[Ala1Pro;Asp2Asn]", "", "", "NP_1.3", "Ala1Pro;Asp2Asn"),
        ("NP_1.3:p.Ala1Pro:p.Asp2Asn", "", "", "NP_1.3", "p.Ala1Pro:p.Asp2Asn"),
        ("A1P,NP_1.3:p.Asp2Asn", "", "", "", "A1P,NP_1.3:p.Asp2Asn"),
        ("A:NP_1.3:p.Ala1Pro", "", "A", "NP_1.3", "p.Ala1Pro"),
        ("P04637 NP_1.3:p.Ala1Pro", "P04637", "", "NP_1.3", "p.Ala1Pro"),
        ("2OCJ A:NP_1.3:p.Ala1Pro", "2OCJ", "A", "NP_1.3", "p.Ala1Pro"),
    ],
)
def test_every_part_has_its_place(text, accession, chain, reference, core):
    assert parts(text) == (accession, chain, reference, core)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("R175H", "R175H"),
        ("P04637", ""),
        ("P04637 R175H, G245S", "R175H, G245S"),
        ("2OCJ A:R175H", "A:R175H"),
        ("A:P04637:R175H", "A:R175H"),
        ("P04637 TP53:p.[Ala1Pro;Asp2Asn]", "TP53:p.[Ala1Pro;Asp2Asn]"),
    ],
)
def test_the_rest_without_the_accession_is_read_as_the_same(text, rest):
    assert take_apart(text).rest == rest
    assert parts(rest)[1:] == parts(text)[1:]


def test_an_accession_alone_may_also_be_a_site():
    """``P12345`` where a variant is meant: all variants of a proline."""
    protein = Protein.from_sequence("A" * 12344 + "P")
    assert len(read_variants("P12345", protein)) == 19
    with pytest.raises(VariantError, match="outside the sequence"):
        read_variants("P12345", Protein.from_sequence(WILD))


def test_two_changes_are_never_taken_for_a_reference():
    protein = Protein.from_sequence(WILD)
    assert read_variant("p.Lys2Arg:p.Thr3Gly", protein).text == "K2R:T3G"
    assert read_variant("NP_1.3:p.Lys2Arg:p.Thr3Gly", protein).text == "K2R:T3G"


def test_accessions_in_a_line_keep_its_variants_apart():
    rows = list(from_text("P04637:K2R P04637:T3G\nP04637 K2R T3G", [Protein.from_sequence(WILD)]))
    assert [row.variant.text for row in rows] == ["K2R", "T3G", "K2R", "T3G"]


def test_an_accession_that_was_not_compared_is_said():
    protein = Protein.from_sequence(WILD)
    for text in ("P04637 K2R", "P04637:K2R", "P04637:p.Lys2Arg"):
        assert "P04637 was not looked up" in how_read(text, protein)


@pytest.mark.parametrize("text", ["A:K2R", "2OCJ A:K2R"])
def test_a_sequence_has_no_chain(text):
    with pytest.raises(VariantError, match="is of chain A, and there is only a sequence"):
        Variant.parse(text, WILD)


@given(st.text("AP1:p.[];, -X_NR5R2", max_size=30) | st.text(max_size=60))
def test_any_text_is_taken_apart(text):
    written = take_apart(text)
    assert written.text == text
    assert written.core in text


def test_the_record_checks_itself():
    for wrong in ({"chain": "A B"}, {"reference": "NP 1"}, {"core": " K2R"}):
        with pytest.raises(RecordError):
            Written("", **wrong)
