"""Sequences and variants: parsing, applying, writing back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glass_core.errors import GlassError, SequenceError, VariantError
from glass_core.protein.change import Change
from glass_core.protein.sequence import STANDARD, for_embedding, read_sequence, read_sequences
from glass_core.protein.variant import Variant

WILD = "MKTAYIAKQRQISFVKSHFSRQ"
proteins = st.text(STANDARD, min_size=2, max_size=60)


@pytest.mark.parametrize("text", ["mkta yiak\nqr", ">name of it\nMKTA\nYIAKQR\n", "MKTAYIAKQR*"])
def test_pasted_text_and_fasta(text):
    record = read_sequence(text)
    assert record.residues == "MKTAYIAKQR"
    assert record.name == ("name of it" if text.startswith(">") else "")


def test_several_records_in_order():
    assert [r.name for r in read_sequences(">a\nMK\n>b\nGG")] == ["a", "b"]


def test_nonstandard_letters_are_kept_but_embedded_as_x():
    record = read_sequence("MUOBZJX")
    assert record.residues == "MUOBZJX"
    assert for_embedding(record.residues) == "MXXXXXX"


@pytest.mark.parametrize(
    ("text", "mutant"),
    [
        ("K2R", "MRTAYIAKQRQISFVKSHFSRQ"),
        ("Lys2Arg", "MRTAYIAKQRQISFVKSHFSRQ"),
        ("p.Lys2Arg", "MRTAYIAKQRQISFVKSHFSRQ"),
        ("p.(Lys2Arg)", "MRTAYIAKQRQISFVKSHFSRQ"),
        ("k2r", "MRTAYIAKQRQISFVKSHFSRQ"),
        ("K2R:T3G", "MRGAYIAKQRQISFVKSHFSRQ"),
        ("K2R;T3G", "MRGAYIAKQRQISFVKSHFSRQ"),
        ("T3G, K2R", "MRGAYIAKQRQISFVKSHFSRQ"),
        ("T3del", "MKAYIAKQRQISFVKSHFSRQ"),
        ("T3_Y5del", "MKIAKQRQISFVKSHFSRQ"),
        ("K2_T3insGG", "MKGGTAYIAKQRQISFVKSHFSRQ"),
        ("T3_Y5delinsW", "MKWIAKQRQISFVKSHFSRQ"),
    ],
)
def test_notations(text, mutant):
    variant = Variant.parse(text, WILD)
    assert variant.mutant == mutant
    assert Variant.parse(variant.text, WILD) == variant


@pytest.mark.parametrize(
    ("text", "hgvs"),
    [
        ("K2R", "p.Lys2Arg"),
        ("M1V:K2R", "p.[Met1Val;Lys2Arg]"),
        ("K2del", "p.Lys2del"),
        ("K2_A4del", "p.Lys2_Ala4del"),
        ("M1_K2insAC", "p.Met1_Lys2insAlaCys"),
        ("K2delinsWW", "p.Lys2delinsTrpTrp"),
    ],
)
def test_hgvs_name_is_read_back(text, hgvs):
    variant = Variant.parse(text, WILD)
    assert variant.hgvs == hgvs
    assert Variant.parse(hgvs, WILD) == variant
    assert Variant.parse(f"NP_000537.3:{hgvs}", WILD) == variant


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("hello", "cannot be read"),
        ("R2K", "position 2 is K, not R"),
        ("K99R", "outside the sequence"),
        ("K0R", "outside the sequence"),
        ("K2K", "changes noth"),
        ("p.Lys2=", "changes nothing"),
        ("K2*", "stop"),
        ("K2R:K2G", "changed twice"),
        ("K2_Y5insG", "two neighbouring"),
        ("Y5_K2del", "ends before"),
        ("1", "cannot be read"),
        ("K" + "9" * 5000 + "R", "outside"),
        ("Foo2Arg", "no residue"),
        ("K2ins", "no inserted"),
    ],
)
def test_bad_variants_say_what_is_wrong(text, says):
    with pytest.raises(VariantError, match=says) as caught:
        Variant.parse(text, WILD)
    assert "\n" not in str(caught.value)


def test_deletions_go_to_the_c_terminus_of_a_repeat():
    assert Variant.from_sequences("MKAAAAGT", "MKAAAGT").text == "A6del"
    assert Variant.from_sequences("MKAAGT", "MKAAAGT").text == "A4_G5insA"


def test_equal_lengths_are_compared_directly():
    mutant = WILD.replace("Y", "W").replace("F", "G")
    changes = Variant.from_sequences(WILD, mutant).changes
    assert all(change.is_substitution for change in changes)
    assert len(changes) == 3


def test_partner_index_and_positions():
    variant = Variant.parse("T3del:A7G", WILD)
    assert variant.mutant_index[:5].tolist() == [0, 1, -1, 2, 3]
    assert variant.positions == (3, 7)
    assert Variant.parse("K2_T3insGG", WILD).positions == (2, 3)
    assert Variant.parse("K2_T3insGG", WILD).mutant_index[:4].tolist() == [0, 1, 4, 5]


@given(wild=proteins, data=st.data())
def test_substitutions_round_trip(wild, data):
    sites = data.draw(st.lists(st.integers(0, len(wild) - 1), min_size=1, max_size=4, unique=True))
    changes = tuple(
        Change(i + 1, wild[i], data.draw(st.sampled_from([c for c in STANDARD if c != wild[i]])))
        for i in sorted(sites)
    )
    variant = Variant(wild, changes)
    assert Variant.parse(variant.text, wild) == variant
    assert sum(a != b for a, b in zip(wild, variant.mutant, strict=True)) == len(sites)


@given(wild=proteins, mutant=proteins)
def test_any_two_sequences_give_a_variant_that_makes_the_mutant(wild, mutant):
    if wild == mutant:
        return
    variant = Variant.from_sequences(wild, mutant)
    assert variant.mutant == mutant
    assert Variant.parse(variant.text, wild).mutant == mutant
    partner = variant.mutant_index
    kept = partner[partner >= 0]
    assert (np.diff(kept) > 0).all()


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text):
    for read in (lambda: Variant.parse(text, WILD), lambda: read_sequence(text)):
        try:
            read()
        except GlassError as error:
            assert "\n" not in str(error)


def test_two_records_where_one_is_meant():
    with pytest.raises(SequenceError, match="2 FASTA records"):
        read_sequence(">a\nMK\n>b\nGG")
