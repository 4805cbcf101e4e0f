"""Structure files as programs and people write them, each kind of fault with its right value.

The chain is the first twenty residues of PDB entry 2GTL, chain A; its sequence is the entry's
own SEQRES. What a file means was taken from the PDB format 3.3 and the PDBx/mmCIF dictionary.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glass_core.errors import StructureError
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import list_chains, read_structure
from glass_core.protein.structure.write import write_structure
from tests.tools.atoms import (
    SEQUENCE,
    Atom,
    changed,
    cif,
    free_group,
    of,
    pdb,
    pdb_line,
    peptide,
    without,
)

PEPTIDE = peptide()
NUMBERS = tuple(map(str, range(1, 21)))
HETERO = [replace(a, hetero=True) for a in PEPTIDE]
SEQRES = [
    "SEQRES   1 A   20  ASP CYS CYS SER TYR GLU ASP ARG ARG GLU ILE ARG HIS",
    "SEQRES   2 A   20  ILE TRP ASP ASP VAL TRP SER",
]


def is_whole(structure):
    return (structure.sequence, structure.residue_numbers, structure.breaks) == (
        SEQUENCE,
        NUMBERS,
        (),
    )


def ligands(structure):
    found = structure.ligands
    return set() if found is None else set(map(str, found.res_name))


def test_the_plain_files_agree():
    for content in (pdb(PEPTIDE), pdb(PEPTIDE, "TER"), cif(PEPTIDE)):
        read = read_structure(content)
        assert is_whole(read)
        assert not read.notes
        assert read.ligands is None


# Which residues make the chain


@pytest.mark.parametrize("name", ["SAM", "ORN", "SEP", "LLP", "DAL", "GLU", "MSE"])
@pytest.mark.parametrize("content", ["pdb", "pdb with SEQRES", "cif"])
def test_a_free_amino_acid_is_a_ligand(name, content):
    group = free_group(name, 301)
    made = {
        "pdb": pdb(PEPTIDE, "TER", group),
        "pdb with SEQRES": pdb(*SEQRES, PEPTIDE, "TER", group),
        "cif": cif(PEPTIDE + group),
    }[content]
    read = read_structure(made)
    assert is_whole(read)
    assert ligands(read) == {name}
    if content != "cif":
        assert any(f"{name} 301 is bonded to no residue" in note for note in read.notes)
    protein = Protein.from_structure(read)
    assert protein.numbering("author").position("301") is None


@pytest.mark.parametrize("name", ["SAM", "ORN", "SEP", "LLP"])
def test_one_that_is_listed_as_an_atom_is_a_ligand_too(name):
    read = read_structure(pdb(PEPTIDE, free_group(name, 301, hetero=False)))
    assert is_whole(read)
    assert ligands(read) == {name}


def test_a_ligand_with_a_residues_number_is_no_copy_of_it():
    group = [replace(a, number=5) for a in free_group("SAM", 5)]
    read = read_structure(pdb(PEPTIDE, "TER", group))
    assert is_whole(read)
    assert ligands(read) == {"SAM"}


def test_hetero_groups_that_are_bonded_are_residues():
    for content in (
        pdb(HETERO, "TER"),
        pdb(changed(PEPTIDE, 6, hetero=True)),
        cif(HETERO),
        cif([replace(a, hetero=True) for a in PEPTIDE], leave_out=["label_seq_id"]),
    ):
        assert is_whole(read_structure(content))


@pytest.mark.parametrize("number", [1, 2, 10, 20])
def test_a_bonded_residue_has_its_place_wherever_it_is_listed(number):
    other = changed(PEPTIDE, number, residue="MSE", hetero=True)
    moved = [without(other, number), "TER", of(other, number)]
    wanted = SEQUENCE[: number - 1] + "M" + SEQUENCE[number:]
    for parts in (moved, [*moved, free_group("SAM", 301)], [of(other, number), moved[0]]):
        read = read_structure(pdb(*parts))
        assert (read.sequence, read.residue_numbers, read.breaks) == (wanted, NUMBERS, ())
    # Two neighbours together.
    pair = changed(other, number % 19 + 1, residue="MSE", hetero=True)
    both = (number, number % 19 + 1)
    read = read_structure(pdb(without(pair, *both), "TER", of(pair, *both)))
    assert read.residue_numbers == NUMBERS


def test_a_lone_residue_between_gaps_stays_by_its_number():
    gapped = changed(without(PEPTIDE, 9, 11), 10, residue="MSE", hetero=True)
    for parts in ([gapped], [without(gapped, 10), "TER", of(gapped, 10)]):
        read = read_structure(pdb(*parts))
        assert read.residue_numbers == tuple(n for n in NUMBERS if n not in ("9", "11"))
        assert read.sequence == SEQUENCE[:8] + "M" + SEQUENCE[11:]
        assert any("MSE 10 is bonded to no other residue; it was put" in n for n in read.notes)


def test_seqres_knows_a_lone_first_residue():
    gapped = changed(without(PEPTIDE, 2), 1, residue="MSE", hetero=True)
    told = [SEQRES[0].replace("ASP CYS", "MSE CYS", 1), SEQRES[1]]
    parts = (without(gapped, 1), "TER", of(gapped, 1))
    assert read_structure(pdb(*told, *parts)).residue_numbers[0] == "1"
    assert read_structure(pdb(*parts)).residue_numbers[0] == "3"


def test_seqres_takes_no_free_group_for_a_residue_that_is_not_seen():
    """The last residue is not seen, and one of its kind is a ligand far away."""
    parts = (*SEQRES, without(PEPTIDE, 20), "TER", free_group("SER", 401))
    read = read_structure(pdb(*parts))
    assert read.residue_numbers == NUMBERS[:-1]
    assert ligands(read) == {"SER"}


def test_ions_and_ligands_in_chains_of_their_own():
    """As programs that predict complexes write them."""
    x, y, z = next(a.xyz for a in PEPTIDE if a.number == 7 and a.name == "OD1")
    ion = Atom("ZN", "ZN", 1, (x + 2.0, y, z), chain="Z", element="ZN", hetero=True)
    far = replace(ion, chain="Y", xyz=(x + 80.0, y, z))
    for content in (pdb(PEPTIDE, "TER", [ion], [far]), cif([*PEPTIDE, ion, far])):
        read = read_structure(content)
        assert is_whole(read)
        assert list(read.ligands.element) == ["ZN"]


def test_unnamed_chains_are_told_by_segment_or_flagged():
    first, second = ([replace(a, chain="") for a in PEPTIDE] for _ in range(2))
    second = [replace(a.moved(30), number=a.number + 20) for a in second]
    read = read_structure(pdb(first, "TER", second))
    assert any("TER stands inside chain (blank), after 20: if these" in n for n in read.notes)
    named = [[replace(a, segment=s) for a in atoms] for s, atoms in (("P1", first), ("P2", second))]
    assert [str(c) for c in list_chains(pdb(*named))] == ["P1 (20 residues)", "P2 (20 residues)"]


def test_what_is_no_segment_parts_no_chain():
    """Charges of PDBQT run into the columns of the segment; some programs part alternatives."""
    charged = [replace(a, segment=f".{i % 900 + 100}") for i, a in enumerate(PEPTIDE)]
    parted = [replace(a, segment="AC1" if a.location == "A" else "AC2") for a in two_locations()]
    for atoms in (charged, parted):
        assert is_whole(read_structure(pdb(atoms)))


@pytest.mark.parametrize("name", ["MSE", "SEP", "HOH"])
def test_other_groups_of_a_chain_with_two_letters(name):
    lines = [pdb_line(a) for a in changed(PEPTIDE, 5, residue=name, hetero=True)]
    wide = "\n".join(f"{line[:20]}AA{line[22:]}" for line in lines)
    assert [c.id for c in list_chains(wide.encode())] == ["AA"]


def test_residues_read_as_unknown_are_named():
    read = read_structure(pdb(changed(PEPTIDE, 5, residue="QQQ")))
    assert read.sequence[4] == "X"
    assert read.notes == ("1 QQQ residue(s) read as unknown (X).",)


def test_a_chain_of_a_single_free_group_is_none():
    with pytest.raises(StructureError, match="no protein residue"):
        read_structure(pdb(free_group("SAM", 1)))


def test_what_our_own_files_say_of_ligands_and_unknown_residues_is_read_back():
    odd = changed(without(PEPTIDE, 19), 20, residue="XYZ")
    for residue in ("SAM", "XYZ"):
        given = changed(odd, 20, residue=residue)
        read = read_structure(cif(given + free_group("SAM", 301)))
        again = read_structure(write_structure(read, "mmcif", with_ligands=True).encode())
        assert again.sequence == read.sequence == SEQUENCE[:18] + "X"
        assert again.residue_numbers == read.residue_numbers
        assert ligands(again) == {"SAM"}
        assert again.notes == (f"1 {residue} residue(s) read as unknown (X).",)


# Alternative locations


def two_locations(first="A", second="B", occupancy=(0.6, 0.4), number=6, interleaved=True):
    one = [replace(a, location=first, occupancy=occupancy[0]) for a in of(PEPTIDE, number)]
    two = [
        replace(a, location=second, occupancy=occupancy[1]).moved(0.5) for a in of(PEPTIDE, number)
    ]
    both = [a for pair in zip(one, two, strict=True) for a in pair] if interleaved else one + two
    before = [a for a in PEPTIDE if a.number < number]
    return [*before, *both, *(a for a in PEPTIDE if a.number > number)]


@pytest.mark.parametrize("names", [("A", "B"), ("1", "2"), ("", "B"), ("A", ""), ("B", "A")])
@pytest.mark.parametrize("occupancy", [(0.6, 0.4), (0.4, 0.6), (0.5, 0.5)])
@pytest.mark.parametrize("interleaved", [True, False])
def test_the_location_with_the_higher_occupancy_is_read(names, occupancy, interleaved):
    atoms = two_locations(*names, occupancy, interleaved=interleaved)
    wanted = read_structure(pdb(PEPTIDE)).ca[5] + (0.5 if occupancy == (0.4, 0.6) else 0.0)
    for content in (pdb(atoms), cif(atoms)):
        read = read_structure(content)
        assert is_whole(read)
        assert read.ca[5].tolist() == pytest.approx(wanted.tolist(), abs=2e-3)
        assert read.notes == (
            "1 residue(s) have alternative locations (6); of each the likeliest was read.",
        )
        assert len(read.atoms) == len(PEPTIDE)


def test_a_side_chain_in_two_places_keeps_its_backbone():
    backbone = ("N", "CA", "C", "O")
    atoms = [
        replace(a, location="" if a.name in backbone else a.location, occupancy=1.0)
        if a.number == 6 and a.location == "A" and a.name in backbone
        else a
        for a in two_locations()
        if not (a.number == 6 and a.location == "B" and a.name in backbone)
    ]
    read = read_structure(pdb(atoms))
    assert is_whole(read)
    assert len(read.atoms) == len(PEPTIDE)


def test_locations_of_two_residue_types_give_one_of_them():
    atoms = [
        replace(a, residue="VAL") if a.location == "B" and a.name in ("N", "CA", "C", "O") else a
        for a in two_locations(occupancy=(0.3, 0.7))
        if a.location != "B" or a.name in ("N", "CA", "C", "O")
    ]
    for content in (pdb(atoms), cif(atoms)):
        read = read_structure(content)
        assert read.sequence == SEQUENCE[:5] + "V" + SEQUENCE[6:]
        assert read.residue_numbers == NUMBERS
        assert any("Residue 6 is GLU and VAL at once; VAL was read" in note for note in read.notes)


def test_a_stretch_that_is_only_in_b_is_not_lost():
    atoms = [replace(a, location="B", occupancy=0.4) if 5 <= a.number <= 8 else a for a in PEPTIDE]
    assert is_whole(read_structure(pdb(atoms)))
    late = [a for a in two_locations() if a.location != "B"]
    rest = [a for a in two_locations() if a.location == "B"]
    assert is_whole(read_structure(pdb(late, rest)))


def test_a_location_without_c_alpha_loses_no_residue():
    atoms = [a for a in two_locations() if not (a.location == "A" and a.name == "CA")]
    assert is_whole(read_structure(pdb(atoms)))


def test_an_atom_that_is_there_twice_counts_once():
    read = read_structure(pdb([a for a in PEPTIDE for _ in range(2)]))
    assert is_whole(read)
    assert len(read.atoms) == len(PEPTIDE)


# Copies under one name


@pytest.mark.parametrize("between", ["TER", "END", "ENDMDL", ""])
def test_of_copies_under_one_name_the_first_is_read(between):
    second = [a.moved(30) for a in PEPTIDE]
    read = read_structure(pdb(PEPTIDE, *([between] if between else []), second))
    assert is_whole(read)
    assert np.array_equal(read.ca, read_structure(pdb(PEPTIDE)).ca)
    assert any("copies" in note or "before the first ENDMDL" in note for note in read.notes)


def test_a_copy_that_has_more_residues_gives_none_of_them():
    second = [a.moved(30) for a in PEPTIDE]
    read = read_structure(pdb(without(PEPTIDE, 1, 8), "TER", second))
    assert read.residue_numbers == tuple(n for n in NUMBERS if n not in ("1", "8"))


def test_another_protein_under_the_same_name_is_no_part_of_the_first():
    other = [
        replace(a.moved(30), residue="GLY") for a in PEPTIDE if a.name in ("N", "CA", "C", "O")
    ]
    assert is_whole(read_structure(pdb(PEPTIDE, "TER", other)))


def test_copies_in_mmcif():
    second = [replace(a.moved(30), place=a.place) for a in PEPTIDE]
    text = cif(PEPTIDE + second).decode().splitlines()
    rows = [i for i, line in enumerate(text) if line.startswith("ATOM")]
    for i in rows[len(PEPTIDE) :]:
        words = text[i].split()
        words[6] = "B"  # another label_asym_id under the same author's chain
        text[i] = " ".join(words)
    assert is_whole(read_structure("\n".join(text).encode()))


@pytest.mark.parametrize("chain", ["", "A"])
def test_segments_that_number_alike_are_asked_about(chain):
    parts = [
        [replace(a.moved(by), segment=name, chain=chain) for a in PEPTIDE]
        for name, by in (("PROA", 0), ("PROB", 30))
    ]
    content = pdb(*parts)
    names = [f"{chain}:{name}" if chain else name for name in ("PROA", "PROB")]
    assert [c.id for c in list_chains(content)] == names
    with pytest.raises(StructureError, match=r"2 protein chains; choose one: .*PROA \(20 residues"):
        read_structure(content)
    for name in names:
        assert is_whole(read_structure(content, chain=name))


def test_segments_of_one_chain_are_one_chain():
    atoms = [replace(a, segment="PRO1" if a.number < 9 else "PRO2") for a in PEPTIDE]
    assert is_whole(read_structure(pdb(atoms)))


def test_models_are_counted():
    read = read_structure(pdb("MODEL 1", PEPTIDE, "ENDMDL", "MODEL 2", PEPTIDE, "ENDMDL"))
    assert is_whole(read)
    assert read.notes == ("The first of 2 models was read.",)
    unended = pdb("MODEL 1", PEPTIDE, "MODEL 2", PEPTIDE)
    assert is_whole(read_structure(unended))
    rows = cif(PEPTIDE).decode()
    second = "\n".join(
        f"{line[:-1]}2" for line in rows.splitlines() if line.startswith(("ATOM", "HETATM"))
    )
    read = read_structure((rows.replace("#\n", "") + second + "\n#\n").encode())
    assert is_whole(read)
    assert read.notes == ("The first of 2 models was read.",)


def test_numbers_that_go_back_in_a_bonded_chain_are_its_own():
    """A numbering that follows another protein's is no copy."""
    renumbered = [
        replace(a, number=a.number + 100 if a.number <= 10 else a.number) for a in PEPTIDE
    ]
    read = read_structure(pdb(renumbered))
    assert read.sequence == SEQUENCE
    assert read.residue_numbers == (*(str(n) for n in range(101, 111)), *NUMBERS[10:])


# mmCIF as the standard allows it

OPTIONAL = (
    "pdbx_PDB_ins_code",
    "pdbx_PDB_model_num",
    "occupancy",
    "B_iso_or_equiv",
    "label_alt_id",
    "type_symbol",
    "auth_atom_id",
    "auth_comp_id",
    "auth_asym_id",
    "auth_seq_id",
    "label_entity_id",
    "label_seq_id",
    "group_PDB",
    "id",
)


@pytest.mark.parametrize("tag", OPTIONAL)
def test_a_column_that_is_not_mandatory_may_be_absent(tag):
    numbered = [replace(a, number=a.number + 100) for a in PEPTIDE]
    read = read_structure(cif(numbered, leave_out=[tag]))
    own = NUMBERS if tag == "auth_seq_id" else tuple(str(n) for n in range(101, 121))
    assert (read.sequence, read.residue_numbers) == (SEQUENCE, own)


def test_coordinates_are_mandatory():
    with pytest.raises(StructureError, match=r"no coordinates \(Cartn_y\)"):
        read_structure(cif(PEPTIDE, leave_out=["Cartn_y"]), name="x")
    with pytest.raises(StructureError, match="no table of atoms"):
        read_structure(b"data_x\n_cell.length_a 1\n", name="x")


def test_white_space_case_comments_and_line_ends():
    plain = cif(PEPTIDE).decode()
    indented = cif(PEPTIDE, indent="  ").decode()
    shouted = "\n".join(
        line.upper() if line.startswith(("data_", "loop_", "_")) else line
        for line in plain.splitlines()
    )
    commented = "# a comment\n" * 500 + plain.replace("loop_", "# another\nloop_ # and one more")
    for text in (
        indented,
        shouted,
        commented,
        plain.replace("\n", "\r\n"),
        plain.replace(" ", "\t"),
        plain.replace("data_x", "data_x\n_struct.title 'Prot\u00e9ine \u03b1'"),
        "\ufeff" + plain,
        plain.replace("data_x", "data_"),
    ):
        assert is_whole(read_structure(text.encode()))


def test_quoted_values():
    odd = Atom("C1'", "LIG", 301, (50.0, 50.0, 50.0), hetero=True)
    read = read_structure(cif([*PEPTIDE, odd]))
    assert list(read.ligands.atom_name) == ["C1'"]
    quoted = cif(PEPTIDE).decode().replace(" ASP ", " 'ASP' ").replace(" CA ", ' "CA" ')
    assert is_whole(read_structure(quoted.encode()))


def test_several_blocks():
    dictionary = "data_comp_list\nloop_\n_chem_comp.id\n_chem_comp.name\nALA alanine\n#\n"
    first, second = cif(PEPTIDE).decode(), cif([a.moved(9) for a in PEPTIDE]).decode()
    for text in (dictionary + first, first + dictionary):
        read = read_structure(text.encode())
        assert is_whole(read)
        assert not read.notes
    both = first + second.replace("data_x", "data_y")
    read = read_structure(both.encode())
    assert is_whole(read)
    assert read.notes == ("2 blocks hold atoms; 'x' was read, 'y' was not.",)
    assert is_whole(read_structure((first + second).encode()))  # of one name


def test_entities_decide_which_groups_are_of_a_polymer():
    """Some programs number ligands too: what the entities are is said in a table of its own."""
    group = [replace(a, place="1") for a in free_group("ORN", 301)]
    text = cif(PEPTIDE + group).decode()
    rows = text.splitlines()
    for i, line in enumerate(rows):
        if " ORN " in line:
            words = line.split()
            words[6:9] = ["L", "2", "1"]
            rows[i] = " ".join(words)
    entities = "loop_\n_entity.id\n_entity.type\n1 polymer\n2 non-polymer\n#\n"
    told = "\n".join(rows).replace("data_x\n", f"data_x\n{entities}") + "\n"
    read = read_structure(told.encode())
    assert is_whole(read)
    assert ligands(read) == {"ORN"}


# PDB as people write it


def cut(content, width):
    return "\n".join(line[:width] for line in content.decode().splitlines()).encode()


@pytest.mark.parametrize("width", [54, 60, 66, 70, 76])
def test_lines_may_end_after_the_coordinates(width):
    read = read_structure(cut(pdb(PEPTIDE), width))
    assert is_whole(read)
    assert set(read.atoms.element) == {"N", "C", "O", "S"}
    assert read.atoms.occupancy.tolist() == [1.0] * len(PEPTIDE)
    assert set(read.b_factor) == ({0.0} if width < 66 else {20.0})


def test_the_last_columns_of_old_files_are_no_elements():
    lines = [f"{pdb_line(a)[:66]}      1ABC{i:>4}" for i, a in enumerate(PEPTIDE, 1)]
    read = read_structure(("\n".join(lines) + "\nEND\n").encode())
    assert is_whole(read)
    assert set(read.atoms.element) == {"N", "C", "O", "S"}


def test_an_ion_without_element_is_no_c_alpha():
    ion = Atom("CA", "CA", 301, (50.0, 0.0, 0.0), element="", hetero=True)
    read = read_structure(cut(pdb(PEPTIDE, "TER", [ion]), 66))
    assert is_whole(read)
    assert list(read.ligands.element) == ["CA"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (pdb_line(PEPTIDE[0])[:50], "line 2 ends before its coordinates do"),
        (pdb_line(PEPTIDE[0]).replace("  ", "\t", 1)[:30], "line 2 has tabs"),
        (pdb_line(PEPTIDE[0])[:30] + "  xx.xxx   1.000   1.000", "coordinate 'xx.xxx'"),
        (pdb_line(PEPTIDE[0])[:30] + " " * 24, "has no coordinate|ends before"),
        (pdb_line(PEPTIDE[0]).replace("A   1", "A  1x"), "residue number"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line, says):
    with pytest.raises(StructureError, match=says) as caught:
        read_structure(b"HEADER    X\n" + line.encode() + b"\n", name="x.pdb")
    assert str(caught.value).startswith("x.pdb: cannot be read as PDB, line 2 ")


def test_lines_parted_by_tabs():
    lines = ["\t".join(pdb_line(a)[:66].split()) for a in PEPTIDE]
    assert is_whole(read_structure("\n".join(lines).encode()))
    elements = [f"{line}\t{a.element}" for line, a in zip(lines, PEPTIDE, strict=True)]
    assert is_whole(read_structure("\n".join(elements).encode()))


def hybrid(number):
    """Hybrid-36 of a number above 9,999, by its definition: A000 follows 9999."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    left, made = number - 10_000 + 10 * 36**3, ""
    for _ in range(4):
        left, digit = divmod(left, 36)
        made = digits[digit] + made
    return made


@pytest.mark.parametrize("write", [hybrid, str])
def test_numbers_over_9999(write):
    lines = []
    for a in PEPTIDE:
        number = a.number + 9990
        line = pdb_line(replace(a, number=0))
        field = f"{number:>4} " if number < 10_000 else f"{write(number):<5}"
        lines.append(f"{line[:22]}{field}{line[27:]}".replace("ATOM      1", "ATOM  A0000"))
    read = read_structure("\n".join(lines).encode())
    assert read.sequence == SEQUENCE
    assert read.residue_numbers == tuple(str(n) for n in range(9991, 10011))
    with pytest.raises(StructureError, match=r"residue numbers from -999 to 9,999; use mmCIF"):
        write_structure(read, "pdb")
    again = read_structure(write_structure(read, "mmcif").encode())
    assert again.residue_numbers == read.residue_numbers


def test_four_letters_of_a_residue_or_two_of_a_chain():
    lines = [pdb_line(a) for a in PEPTIDE]
    wide = [f"{line[:20]}BA{line[22:]}" for line in lines]
    assert [c.id for c in list_chains("\n".join(wide).encode())] == ["BA"]
    water = pdb_line(Atom("OH2", "TIP", 400, (0.0, 0.0, 40.0), element="O"))
    read = read_structure("\n".join([*lines, f"{water[:20]}3{water[21:]}"]).encode())
    assert is_whole(read) and read.ligands is None


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "NASP"), (20, "CSER"), (13, "HISD"), (13, "HISE"), (2, "CYS2"), (13, "HID"), (2, "CYX")],
)
def test_names_of_force_fields(number, name):
    """AMBER's ends of a chain, GROMACS's and AMBER's protonation; the lone one is beyond a gap."""
    lines = [
        f"{line[:17]}{name:<4}{line[21:]}" if a.number == number else line
        for a in PEPTIDE
        for line in [pdb_line(a)]
    ]
    assert is_whole(read_structure("\n".join(lines).encode()))
    lone = [line for line, a in zip(lines, PEPTIDE, strict=True) if abs(a.number - number) != 1]
    read = read_structure("\n".join(lone).encode())
    assert str(number) in read.residue_numbers


@pytest.mark.parametrize("chain", ["", "A"])
def test_a_blank_chain_is_read_and_written(chain):
    read = read_structure(pdb([replace(a, chain=chain) for a in PEPTIDE]))
    assert is_whole(read)
    for form in ("pdb", "mmcif"):
        assert is_whole(read_structure(write_structure(read, form).encode()))


# Confidence


@pytest.mark.parametrize(
    ("header", "origin"),
    [
        ("EXPDTA    X-RAY DIFFRACTION\nREMARK 200 STARTING MODEL: ALPHAFOLD", "experiment"),
        ("TITLE     ALPHAFOLD PREDICTION AS A START\nEXPDTA    X-RAY DIFFRACTION", "experiment"),
        ("REMARK   1 TEMPLATE FROM ALPHAFOLD", "unknown"),
        ("TITLE     COMPLEX WITH ALPHAFOLD IN ITS TITLE", "unknown"),
        ("TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION FOR PROTEIN X (P12345)", "alphafold"),
        ("TITLE     ALPHAFOLD MODEL\nEXPDTA    THEORETICAL MODEL", "alphafold"),
        ("EXPDTA    THEORETICAL MODEL", "model"),
        ("EXPDTA    SOLUTION NMR", "experiment"),
    ],
)
def test_confidence_is_where_the_header_says_so(header, origin):
    read = read_structure(pdb(header, PEPTIDE))
    assert read.origin == origin
    assert (read.plddt is not None) == (origin == "alphafold")


def metric(kind, values):
    rows = "\n".join(f"{n} A {n} 7 {value}" for n, value in enumerate(values, start=1))
    return (
        f"loop_\n_ma_qa_metric.id\n_ma_qa_metric.mode\n_ma_qa_metric.type\n7 local '{kind}'\n#\n"
        "loop_\n_ma_qa_metric_local.ordinal_id\n_ma_qa_metric_local.label_asym_id\n"
        "_ma_qa_metric_local.label_seq_id\n_ma_qa_metric_local.metric_id\n"
        f"_ma_qa_metric_local.metric_value\n{rows}\n#\n"
    )


def test_confidence_of_modelcif_is_its_own_metric():
    values = [50 + n for n in range(20)]
    entry = "_entry.id AF-P12345-F1\n"
    read = read_structure(cif(PEPTIDE, before=entry + metric("pLDDT", values)))
    assert (read.origin, read.plddt.tolist()) == ("alphafold", values)
    read = read_structure(cif(PEPTIDE, before=metric("pLDDT", values)))
    assert (read.origin, read.plddt.tolist()) == ("predicted", values)
    titled = "_struct.title 'Model of the BRAF-MEK1 complex'\n"
    read = read_structure(cif(PEPTIDE, before=titled + metric("QMEANDisCo", values)))
    assert (read.origin, read.plddt) == ("model", None)
    shares = [value / 100 for value in values]
    read = read_structure(cif(PEPTIDE, before=metric("pLDDT in [0,1]", shares)))
    assert read.plddt.tolist() == pytest.approx(values)
    read = read_structure(cif(PEPTIDE, before=metric("energy", values)))
    assert (read.origin, read.plddt) == ("model", None)


# Where a residue beside a gap belongs


@pytest.mark.parametrize("numbers", ["author", "plain"])
def test_a_residue_beside_a_loop_stays_where_the_chain_has_it(numbers):
    """Two like residues, one without coordinates: letters alone could not tell which."""
    for missing, like in ((8, 9), (9, 8)):
        alike = changed(changed(PEPTIDE, 8, residue="SER"), 9, residue="SER")
        gapped = without(alike, missing)
        if numbers == "plain":
            gapped = [replace(a, number=a.number - (a.number > missing)) for a in gapped]
        sequence = SEQUENCE[:7] + "SS" + SEQUENCE[9:]
        protein = Protein.combine(sequence, read_structure(pdb(gapped)))
        wanted = [*range(missing - 1), -1, *range(missing - 1, 19)]
        assert protein.structure_index.tolist() == wanted, (missing, like)
