"""Every notation in every numbering: read, refused with its reason, written and read back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glass_core.errors import GlassError, InputError, VariantError
from glass_core.inputs.lists import from_text
from glass_core.inputs.words import how_read, read_variant, read_variants
from glass_core.protein.annotation import Annotation
from glass_core.protein.change import Change
from glass_core.protein.notation import FORMS, expand
from glass_core.protein.numbering import NUMBERING_KINDS
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import NONSTANDARD, STANDARD
from glass_core.protein.structure.file import read_structure
from glass_core.protein.variant import Variant
from tests.test_protein_structure import pdb_line, pdb_text

WILD = "MKTAYIAKQRQISFVKSHFSRQ"
letters = st.sampled_from(STANDARD)


@pytest.fixture(scope="module")
def numbered():
    """Author numbers -1, 1, 52, 52A, 52B, 60; UniProt 10 to 15."""
    codes = [(-1, " "), (1, " "), (52, " "), (52, "A"), (52, "B"), (60, " ")]
    names = ["GLY", "LYS", "THR", "ALA", "TYR", "ILE"]
    structure = read_structure(
        pdb_text(
            *(
                pdb_line(number, res=name, code=code, x=3.8 * place)
                for place, ((number, code), name) in enumerate(zip(codes, names, strict=True))
            )
        )
    )
    protein = Protein.from_structure(structure)
    return protein.annotated(Annotation("P12345", "MMMMMMMMM" + protein.sequence))


@pytest.mark.parametrize(
    ("text", "reads_as"),
    [
        ("K2dup", "K2_T3insK"),
        ("p.Lys2dup", "K2_T3insK"),
        ("K2_A4dup", "A4_Y5insKTA"),
        ("p.Lys2_Ala4dup", "A4_Y5insKTA"),
        ("Q22dup", "Q22delinsQQ"),
        ("ΔK2", "K2del"),
        ("delK2", "K2del"),
        ("deltaLys2", "K2del"),
        ("p.Lys2_Thr3insGlyGly", "K2_T3insGG"),
        ("K2Xaa", "K2Xaa"),
        ("K002R", "K2R"),
        ("NP_000537.3:p.Lys2Arg", "K2R"),
        ("NP_000537.3:K2R", "K2R"),
        ("TP53:p.(Lys2Arg)", "K2R"),
        ("p.([Lys2Arg;Thr3Gly])", "K2R:T3G"),
        ("p.[Lys2Arg;Thr3Gly]", "K2R:T3G"),
    ],
)
def test_less_common_forms(text, reads_as):
    variant = Variant.parse(text, WILD)
    assert variant.text == reads_as
    assert Variant.parse(variant.text, WILD).mutant == variant.mutant


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("p.Lys2=", "synonymous"),
        ("K2K", "synonymous"),
        ("p.=", "synonymous"),
        ("K2*", "stop"),
        ("p.Lys2Ter", "stop"),
        ("K2X", "X has meant a stop and an unknown residue"),
        ("K2fs", "frameshift"),
        ("p.Lys2Argfs*17", "frameshift"),
        ("Lys2ArgfsTer5", "frameshift"),
        ("p.Ter23GlnextTer17", "extends"),
        ("p.Met1ext-5", "extends"),
        ("p.?", "leaves the effect"),
        ("p.Met1?", "leaves the effect"),
        ("p.0", "no protein is made"),
        ("c.524G>A", "DNA or RNA"),
        ("NM_000546.6:c.524G>A", "DNA or RNA"),
        ("g.7675088C>T", "DNA"),
        ("rs28934578", "dbSNP name"),
        ("K2_A4dupK", "nothing may follow 'dup'"),
        ("K2AR", "insertion codes belong to author numbers"),
        ("K-2R", "outside the sequence"),
        ("K2/R", "cannot be read"),
        ("K2Foo", "no residue"),
        ("p.", "leaves the effect"),
    ],
)
def test_what_cannot_be_compared_is_named(text, says):
    with pytest.raises(VariantError) as caught:
        Variant.parse(text, WILD)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "number", "first", "last"),
    [
        ("K2R/G/W", 3, "K2R", "K2W"),
        ("Lys2Arg/Gly", 2, "K2R", "K2G"),
        ("K2R/r", 1, "K2R", "K2R"),
        ("2", 19, "K2A", "K2Y"),
        ("K2", 19, "K2A", "K2Y"),
        ("Lys2", 19, "K2A", "K2Y"),
        ("2-4", 57, "K2A", "A4Y"),
        ("2–4", 57, "K2A", "A4Y"),
        ("p.Lys2", 19, "K2A", "K2Y"),
    ],
)
def test_several_at_once(text, number, first, last):
    made = expand(text, WILD)
    assert (len(made), made[0], made[-1]) == (number, first, last)


@pytest.mark.parametrize("text", ["K2R", "K2R:T3G", "F508del", "", "hello", "0", "p.0"])
def test_one_variant_is_not_several(text):
    assert expand(text, WILD) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("R2G/H", "position 2 is K, not R"),
        ("K2R/K", "synonymous"),
        ("R2", "position 2 is K"),
        ("99", "outside"),
        ("4-2", "ends before it starts"),
        ("2-99", "outside"),
    ],
)
def test_several_at_once_that_do_not_fit(text, says):
    with pytest.raises(VariantError) as caught:
        expand(text, WILD)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind", "reads_as"),
    [
        ("K2R", "sequence", "K2R"),
        ("K11R", "UniProt", "K2R"),
        ("K1R", "author", "K2R"),
        ("G-1S", "author", "G1S"),
        ("A52AG", "author", "A4G"),
        ("Ala52AGly", "author", "A4G"),
        ("p.Ala52AGly", "author", "A4G"),
        ("T52G", "author", "T3G"),
        ("T52ALA", "author", "T3A"),
        ("A52Adel", "author", "A4del"),
        ("T52_Y52Bdel", "author", "T3_Y5del"),
        ("K11_T12insGG", "UniProt", "K2_T3insGG"),
        ("a52ag", "author", "A4G"),
    ],
)
def test_numbers_mean_what_was_chosen(numbered, text, kind, reads_as):
    assert read_variant(text, numbered, kind).text == reads_as


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("52A", "author", 19),
        ("52-60", "author", 4 * 19),
        ("12", "UniProt", 19),
        ("-1-1", "author", 2 * 19),
    ],
)
def test_sites_and_ranges_in_other_numbers(numbered, text, kind, number):
    assert len(read_variants(text, numbered, kind)) == number


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("K2R", "UniProt", "UniProt positions 10 to 15"),
        ("K2R", "author", "author numbers -1 to 60"),
        ("K52CR", "author", "author number 52C is outside"),
        ("B:K2R", "sequence", "is of chain B, but"),
        ("P04637 K2R", "sequence", "is of P04637, but the wild type is P12345"),
        ("2-3", "sequence", "names 38 variants where one is meant"),
    ],
)
def test_numbers_that_are_not_there(numbered, text, kind, says):
    with pytest.raises(VariantError) as caught:
        read_variant(text, numbered, kind)
    assert says in str(caught.value)


def test_a_numbering_that_the_protein_lacks():
    bare = Protein.from_sequence(WILD)
    for kind in ("UniProt", "author"):
        with pytest.raises(InputError, match="or choose another numbering"):
            read_variant("K2R", bare, kind)


def test_chain_reference_and_accession(numbered):
    for text in ("A:K2R", "P12345 K2R", "P12345:K2R", "A:K2R:T3G", "P12345:p.Lys2Arg"):
        assert read_variant(text, numbered).text.startswith("K2R")


def test_how_it_was_read(numbered):
    assert how_read("K2R", numbered) == ""
    assert "NP_1.3 was not looked up" in how_read("NP_1.3:p.Lys2Arg", numbered)
    assert "author numbers" in how_read("K1R", numbered, "author")
    assert "chain A was passed over" in how_read("A:K2R", Protein.from_sequence(WILD))


def test_lists_take_all_forms():
    protein = Protein.from_sequence(WILD, "x")
    text = "K2R, p.[Lys2Arg;Thr3Gly] K2R/G\nP04637 K2W  # with its accession\nNP_1.3:p.Lys2His\n3"
    made = list(from_text(text, [protein]))
    assert [a.row for a in made] == list(range(1, 6 + 1 + 19))
    assert [a.variant.text for a in made[:7]] == [
        "K2R",
        "K2R:T3G",
        "K2R",
        "K2G",
        "K2W",
        "K2H",
        "T3A",
    ]
    assert made[2].text == made[3].text == "K2R/G"


def test_every_example_is_read():
    sequence = list("A" * 800)
    for position, letter in ((2, "D"), (23, "K"), (24, "L"), (175, "R"), (508, "F"), (746, "E")):
        sequence[position - 1] = letter
    protein = Protein.from_sequence("".join(sequence))
    counts = {text: len(read_variants(text, protein)) for text in FORMS}
    assert list(counts.values()) == [1] * 11 + [3, 19, 11 * 19]


@pytest.mark.parametrize("kind", NUMBERING_KINDS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_text_is_read_back_in_every_numbering(kind, data, numbered):
    """A variant written with the labels of a numbering is the same variant."""
    place = data.draw(st.integers(0, len(numbered) - 1))
    wild = numbered.sequence[place]
    mutant = data.draw(st.sampled_from([c for c in STANDARD if c != wild]))
    label = numbered.numbering(kind).labels[place]
    variant = read_variant(f"{wild}{label}{mutant}", numbered, kind)
    assert variant == Variant(numbered.sequence, (Change(place + 1, wild, mutant),))


@given(wild=st.text(STANDARD + NONSTANDARD, min_size=2, max_size=40), data=st.data())
@settings(deadline=None)
def test_round_trip_of_any_changes(wild, data):
    """One-letter and HGVS text of deletions, insertions, delins and substitutions."""
    start = data.draw(st.integers(1, len(wild)))
    end = data.draw(st.integers(start - 1, min(start + 5, len(wild))))
    out = wild[start - 1 : end]
    put_in = data.draw(st.text(STANDARD + NONSTANDARD, max_size=5).filter(lambda s: s != out))
    if len(out) == len(wild) and not put_in:
        return
    variant = Variant(wild, (Change(start, out, put_in),))
    for text in (variant.text, variant.hgvs, f"NP_1.1:{variant.hgvs}"):
        assert Variant.parse(text, wild).mutant == variant.mutant


@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_hgvs_names_satisfy_an_independent_parser(data):
    """mavehgvs 0.8.1 reads what `hgvs` writes, with the same residues and positions."""
    from mavehgvs import Variant as Mave

    sites = sorted(data.draw(st.sets(st.integers(0, len(WILD) - 2), min_size=1, max_size=3)))
    sites = [s for k, s in enumerate(sites) if k == 0 or s > sites[k - 1] + 2]
    changes = []
    for site in sites:
        kind = data.draw(st.sampled_from(["sub", "del", "ins", "delins"]))
        put_in = "".join(data.draw(st.lists(letters, min_size=1, max_size=3)))
        wild = WILD[site]
        if kind == "sub":
            changes.append(Change(site + 1, wild, next(c for c in STANDARD if c != wild)))
        elif kind == "del":
            changes.append(Change(site + 1, wild, ""))
        elif kind == "ins":
            changes.append(Change(site + 2, "", put_in))
        else:
            changes.append(Change(site + 1, WILD[site : site + 2], put_in + "W"))
    variant = Variant(WILD, tuple(changes))
    read = Mave(variant.hgvs)
    assert read.prefix == "p"
    assert (len(changes) > 1) == read.is_multi_variant()
    if len(changes) == 1:
        (change,) = changes
        position = read.positions[0] if isinstance(read.positions, tuple) else read.positions
        shown = change.position - 1 if not change.wild else change.position
        assert position.position == shown


@given(text=st.text(max_size=80), kind=st.sampled_from(NUMBERING_KINDS))
def test_any_text_is_read_or_refused_in_one_line(numbered, text, kind):
    try:
        made = read_variants(text, numbered, kind)
    except GlassError as error:
        assert "\n" not in str(error)
    else:
        assert all(variant.wild_type == numbered.sequence for variant in made)


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000,
        "K" + "2" * 100_000 + "R",
        "(" * 50_000,
        "K2R:" * 20_000,
        "p." * 50_000,
        "K2_" * 30_000,
        "/R" * 50_000,
        "A:" * 50_000,
        "-" * 100_000,
        "K2ins" + "A" * 200_000 + "1",
        "fs" * 50_000,
        "K2" + "R/" * 50_000,
        "p.[" + ";" * 100_000,
        "\x00" * 100_000,
        "9-" * 50_000,
    ],
)
def test_long_texts_are_refused_in_a_short_message(text):
    protein = Protein.from_sequence(WILD)
    with pytest.raises(GlassError) as caught:
        read_variants(text, protein)
    assert len(str(caught.value)) < 400


def test_numbers_travel_with_every_residue(numbered):
    table = [(numbered.author_number(i), numbered.uniprot_position(i)) for i in range(6)]
    assert table == [("-1", 10), ("1", 11), ("52", 12), ("52A", 13), ("52B", 14), ("60", 15)]
    assert np.array_equal(numbered.uniprot_positions, np.arange(10, 16))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("p.Lys2_Thr3insGlyTer", "puts in a stop"),
        ("p.Lys2delinsTer", "puts in a stop"),
        ("p.(Lys2_Thr3delinsAlaTer)", "puts in a stop"),
        ("p.[Lys2Ala(;)Thr3Ala]", "not known whether"),
        ("p.[Lys2Ala,Thr3Ala]", "gives several proteins"),
        ("p.[Lys2Ala];[Thr3Ala]", "different copies"),
    ],
)
def test_what_is_not_one_protein_is_refused_by_name(text, says):
    with pytest.raises(VariantError, match=says):
        read_variants(text, Protein.from_sequence(WILD, "x"))
