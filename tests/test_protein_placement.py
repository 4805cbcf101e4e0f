"""Where the residues of a chain stand in a whole sequence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glass_core.errors import SequenceError
from glass_core.protein import placement
from glass_core.protein.annotation import Annotation
from glass_core.protein.placement import ChainResidues, place_residues
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from tests.tools.atoms import SEQUENCE, changed, pdb, peptide, without

letters = st.text("ACDEFGHIKLMNPQRSTVWY", min_size=12, max_size=60)


def places(chain, sequence):
    """Place of each residue of the chain, -1 for none."""
    made = np.full(len(chain.letters), -1)
    pairs = place_residues(chain, sequence)
    assert (np.diff(pairs, axis=0) > 0).all()
    made[pairs[:, 1]] = pairs[:, 0]
    return made.tolist()


def chain_of(sequence, kept, numbers=True, first=1):
    """The chain of the kept indices."""
    breaks = tuple(np.flatnonzero(np.diff(kept) > 1).tolist())
    return ChainResidues(
        "".join(sequence[i] for i in kept),
        breaks,
        tuple(i + first for i in kept) if numbers else (),
    )


@given(letters, st.data())
def test_numbers_and_breaks_place_every_residue(sequence, data):
    """Whatever is missing inside: where the author numbered along the sequence all is known."""
    first = data.draw(st.integers(-20, 400))
    gone = data.draw(st.sets(st.integers(3, len(sequence) - 4), max_size=8))
    kept = [i for i in range(len(sequence)) if i not in gone]
    assert places(chain_of(sequence, kept, first=first), sequence) == kept


@given(letters, letters, letters)
def test_ends_that_one_lacks_are_left_out(sequence, before, behind):
    whole = chain_of(sequence, list(range(len(sequence))), numbers=False)
    placed = places(whole, before + sequence + behind)
    assert all(i >= 0 for i in placed)
    assert "".join((before + sequence + behind)[i] for i in placed) == sequence


@given(letters, letters, st.booleans(), st.data())
def test_any_two_are_placed_in_order(sequence, chain, numbers, data):
    size = len(chain)
    breaks = tuple(sorted(data.draw(st.sets(st.integers(0, size - 2), max_size=4))))
    drawn = data.draw(st.lists(st.integers(-5, 90), min_size=size, max_size=size))
    placed = places(ChainResidues(chain, breaks, tuple(drawn) if numbers else ()), sequence)
    assert any(i >= 0 for i in placed)


def test_a_break_decides_between_like_residues():
    #                      0123456789
    for breaks, wanted in (((3,), [2, 3, 4, 5, 7, 8]), ((2,), [2, 3, 4, 6, 7, 8])):
        assert places(ChainResidues("PQRSTV", breaks), "MMPQRSSTVAA") == wanted


def test_a_gap_inside_the_chain_costs_more_than_a_changed_residue():
    assert places(ChainResidues("MKTAYLAKQRQ"), "MKTAYIAKQRQ") == list(range(11))
    assert places(ChainResidues("MKTAYIAKQRQISFVK", (7,)), "MKTAYIAKQQQQRQISFVK") == [
        *range(8),
        *range(11, 19),
    ]


def test_residues_that_the_sequence_lacks_face_nothing():
    own = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"
    tagged = ChainResidues("GSHHH" + own[:15] + "WWWWWW" + own[15:])
    assert places(tagged, own) == [-1] * 5 + [*range(15)] + [-1] * 6 + [*range(15, 33)]


def test_the_authors_numbers_decide_between_repeats():
    repeat = "MKTAYIAKQRQI"
    chain = ChainResidues(repeat, (), tuple(range(13, 25)))
    assert places(chain, repeat * 3) == list(range(12, 24))


def test_unknown_letters_are_placed():
    assert places(ChainResidues("MKTXYIAUQ"), "GGMKTAYIACQGG") == list(range(2, 11))


def test_what_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(placement, "_MAX_CELLS", 100)
    with pytest.raises(SequenceError, match="cut both to the domain"):
        place_residues(ChainResidues("MKTAYIAKQRQ"), "MKTAYLAKQRQ")


def test_uniprot_positions_follow_the_breaks_too():
    """Serine 8 has no coordinates, serine 9 has: letters could not tell which is which."""
    alike = SEQUENCE[:7] + "SS" + SEQUENCE[9:]
    atoms = changed(changed(peptide(), 8, residue="SER"), 9, residue="SER")
    for missing, wanted in (
        (8, [*range(1, 8), *range(9, 21)]),
        (9, [*range(1, 9), *range(10, 21)]),
    ):
        structure = read_structure(pdb(without(atoms, missing)))
        protein = Protein.from_structure(structure).annotated(Annotation("P12345", alike))
        assert [protein.uniprot_position(i) for i in range(len(protein))] == wanted
