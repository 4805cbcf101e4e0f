"""Structure files in every format, odd residues, and sequence against structure."""

from __future__ import annotations

import gzip
import io
import warnings

import numpy as np
import pytest

from glass_core.errors import RecordError, StructureError
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import list_chains, read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure

ATOM = (
    "{record:<6}{serial:>5} {atom:<4}{alt}{res:>3} {chain}{number:>4}{code}   "
    "{x:8.3f}{y:8.3f}{z:8.3f}{occ:6.2f}{b:6.2f}          {element:>2}"
)


def pdb_line(
    number,
    res="ALA",
    atom=" CA ",
    chain="A",
    alt=" ",
    code=" ",
    x=0.0,
    occ=1.0,
    record="ATOM",
    element="C",
    b=20.0,
):
    return ATOM.format(
        record=record,
        serial=1,
        atom=atom,
        alt=alt,
        res=res,
        chain=chain,
        number=number,
        code=code,
        x=x,
        y=0.0,
        z=0.0,
        occ=occ,
        b=b,
        element=element,
    )


def pdb_text(*lines):
    return ("\n".join(lines) + "\nEND\n").encode()


def formats(structure):
    from biotite.structure.io import pdbx

    binary = pdbx.BinaryCIFFile()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pdbx.set_structure(binary, structure.atoms, data_block="x")
    packed = io.BytesIO()
    binary.write(packed)
    texts = {
        "mmcif": write_structure(structure, "mmcif").encode(),
        "pdb": write_structure(structure, "pdb").encode(),
        "bcif": packed.getvalue(),
    }
    return texts | {f"{k}.gz": gzip.compress(v) for k, v in texts.items()}


def test_all_formats_agree(globin):
    for name, content in formats(globin).items():
        read = read_structure(content, name=name)
        assert read.sequence == globin.sequence, name
        assert read.residue_numbers == globin.residue_numbers, name
        assert np.allclose(read.ca, globin.ca, atol=1e-3), name


def test_pdb_and_mmcif_of_an_entry_agree(globin_file, globin):
    other = read_structure(globin_file.with_suffix(".cif"), chain="A")
    assert other.sequence == globin.sequence
    assert other.residue_numbers == globin.residue_numbers
    assert np.array_equal(other.ca, globin.ca)


def test_calcium_is_no_c_alpha(globin_file):
    lengths = {c.id: len(c.sequence) for c in list_chains(globin_file)}
    assert lengths["M"] == 217
    assert lengths["A"] == 147


def test_several_chains_are_asked_for(globin_file):
    with pytest.raises(StructureError, match=r"15 protein chains; choose one: A \(147 residues\)"):
        read_structure(globin_file)
    with pytest.raises(StructureError, match="no protein chain 'Z'"):
        read_structure(globin_file, chain="Z")


def test_insertion_codes_and_gaps_are_kept():
    read = read_structure(
        pdb_text(
            pdb_line(52, x=0),
            pdb_line(52, code="A", res="GLY", x=3.8),
            pdb_line(53, res="TRP", x=7.6),
            pdb_line(60, res="SER", x=40.0),
        )
    )
    assert read.sequence == "AGWS"
    assert read.residue_numbers == ("52", "52A", "53", "60")
    assert read.breaks == (2,)


def test_every_atom_knows_its_residue(globin):
    """By number, insertion code and chain, as the starts of the residues have it."""
    coded = read_structure(
        pdb_text(
            *(
                pdb_line(52, atom=atom, res=res, code=code, x=x, element=atom.strip()[0])
                for code, res, x in ((" ", "ALA", 0.0), ("A", "ALA", 4.0), ("B", "GLY", 8.0))
                for atom in (" N  ", " CA ", " C  ")
            )
        )
    )
    assert coded.residue_of_atom.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for structure in (coded, globin):
        places = np.searchsorted(
            structure.residue_starts, np.arange(len(structure.atoms)), side="right"
        )
        assert np.array_equal(structure.residue_of_atom, places - 1)


def test_a_structure_leaves_the_callers_coordinates_writable(globin):
    atoms = globin.atoms.copy()
    structure = Structure(atoms, "x")
    atoms.coord[0] = 0
    assert structure.atoms.coord[0].any()
    with pytest.raises(ValueError, match="read-only"):
        structure.atoms.coord[0] = 0


def test_highest_occupancy_altloc_wins():
    read = read_structure(
        pdb_text(
            pdb_line(1, alt="A", x=1.0, occ=0.3),
            pdb_line(1, alt="B", x=2.0, occ=0.7),
            pdb_line(2, x=5.0),
        )
    )
    assert read.ca[:, 0].tolist() == [2.0, 5.0]


def test_selenomethionine_becomes_methionine():
    read = read_structure(
        pdb_text(
            pdb_line(1, res="MSE", record="HETATM"),
            pdb_line(1, res="MSE", record="HETATM", atom="SE  ", element="SE"),
            pdb_line(2, x=3.8),
        )
    )
    assert read.sequence == "MA"
    assert "SD" in read.atoms.atom_name
    assert any("MSE" in note for note in read.notes)


def test_residue_without_c_alpha_is_absent_and_noted():
    read = read_structure(
        pdb_text(pdb_line(1), pdb_line(2, atom=" N  ", element="N", x=3), pdb_line(3, x=7.6))
    )
    assert read.residue_numbers == ("1", "3")
    assert any("without C-alpha" in note for note in read.notes)


def test_only_alphafold_b_factors_are_plddt(globin):
    assert globin.plddt is None
    read = read_structure(
        b"TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION\n"
        + pdb_text(pdb_line(1, b=91.5), pdb_line(2, x=3.8, b=40.0))
    )
    assert read.origin == "alphafold"
    assert read.plddt.tolist() == pytest.approx([91.5, 40.0])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "binary file"),
        (b"just some words", "neither mmCIF nor PDB"),
        (b"\x1f\x8b\x08broken", "damaged gzip"),
        (b"data_x\nloop_\n_atom_site.id\n1\n", "cannot be read as mmCIF"),
        (
            b"HEADER    WATER\n"
            + pdb_text(pdb_line(1, res="HOH", atom=" O  ", element="O", record="HETATM")),
            "no protein",
        ),
        (b"ATOM      1  CA  ALA A   1      xx.xxx  1.000  1.000\n", "cannot be read as PDB"),
    ],
)
def test_bad_files_say_what_is_wrong(content, says):
    with pytest.raises(StructureError, match=says) as caught:
        read_structure(content, name="upload.pdb")
    assert "\n" not in str(caught.value)
    assert "upload.pdb" in str(caught.value)


def test_truncated_mmcif(globin):
    content = write_structure(globin, "mmcif").encode()
    with pytest.raises(StructureError, match="truncated"):
        read_structure(content[: content.rindex(b"ATOM") + 30])


def test_missing_file(tmp_path):
    with pytest.raises(StructureError, match="no such file"):
        read_structure(tmp_path / "nothing.cif")


def test_sequence_with_tag_loop_and_point_difference(globin):
    own = globin.sequence
    given = "MHHHHHH" + own[:40] + ("W" if own[40] != "W" else "A") + own[41:]
    protein = Protein.combine(given, globin)
    assert not protein.covered[:7].any()
    assert protein.covered[7:].all()
    (mismatch,) = protein.mismatches
    assert mismatch.position == 48
    assert mismatch.author_number == globin.residue_numbers[40]
    assert "x" in protein.alignment_report()
    assert protein.author_number(7) == globin.residue_numbers[0]
    assert np.isnan(protein.ca[:7]).all()


def test_another_proteins_structure_is_refused(globin):
    with pytest.raises(StructureError, match="disagree"):
        Protein.combine("MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVK", globin)


def test_records_check_themselves(globin):
    with pytest.raises(RecordError, match="structure_index"):
        Protein(globin.sequence, "x", globin, np.arange(3))
    with pytest.raises(ValueError, match="read-only"):
        globin.ca[0, 0] = 1.0


def test_contacts_with_the_chains_of_the_file(globin_file):
    alone = read_structure(globin_file, chain="A")
    touching = {n: c for n, c in zip(alone.residue_numbers, alone.contacts, strict=True) if c}
    assert len(alone.contacts) == len(alone)
    assert 5 < len(touching) < 80
    named = {name for chains in touching.values() for name in chains.split()}
    assert named <= set("BCDEFGHIJKLMNO")
    # by hand, from all pairs of heavy atoms
    from biotite.structure.io import pdb

    atoms = pdb.PDBFile.read(str(globin_file)).get_structure(model=1)
    atoms = atoms[~atoms.hetero & (atoms.element != "H")]
    own, others = atoms[atoms.chain_id == "A"], atoms[atoms.chain_id == "B"]
    near = np.linalg.norm(own.coord[:, None] - others.coord[None], axis=-1).min(axis=1) <= 5
    by_hand = set(map(str, own.res_id[near]))
    assert {n for n, chains in touching.items() if "B" in chains.split()} == by_hand


def test_an_assembly_brings_symmetry_copies(globin_file):
    file = globin_file.with_suffix(".cif")
    unit = read_structure(file, chain="C")
    whole = read_structure(file, chain="C", neighbours="assembly")
    assert np.array_equal(unit.ca, whole.ca)
    assert any("'" in chains for chains in whole.contacts)
    assert not any("'" in chains for chains in unit.contacts)


def test_a_file_without_an_assembly_says_so(globin):
    content = write_structure(globin, "mmcif").encode()
    for text in (content, write_structure(globin, "pdb").encode()):
        with pytest.raises(StructureError, match="describes no biological assembly"):
            read_structure(text, name="x", neighbours="assembly")


def test_of_many_chains_how_many_are_not_named_is_said(globin_file):
    with pytest.raises(StructureError, match=r"has 15 protein chains; .* and 3 more\.$"):
        read_structure(globin_file)
