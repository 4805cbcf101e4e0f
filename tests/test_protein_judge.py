"""Structure files as gemmi reads them, and as the wwPDB's own tables map them to sequences.

gemmi (Wojdyr, J. Open Source Softw. 7, 4200 (2022)) reads the syntax of mmCIF for us, but which
residues make which chain is decided here by other rules than its own; of PDB it reads nothing.
"""

from __future__ import annotations

import gzip
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import gemmi
import pytest

from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import list_chains, read_structure
from glass_core.protein.structure.residues import letter_of

MORE_FILES = "GLASS_MMCIF_FILES"
"""Names a folder of mmCIF files of the wwPDB, for the last test."""
FEW, MANY = 6, 1000
"""Chains of one file; each is read from the file anew."""
SCHEME = ("pdb_strand_id", "seq_id", "mon_id", "pdb_seq_num", "pdb_ins_code", "auth_mon_id")


def content_of(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def judged(content: bytes) -> dict[str, list[tuple[str, str]]]:
    """Author number and letter of each residue with a C-alpha, by chain, as gemmi has them."""
    if b"_atom_site" in content:
        structure = gemmi.make_structure_from_block(gemmi.cif.read_string(content, 0)[0])
    else:
        # Old files have their line numbers where gemmi would read a charge.
        lines = [line[:78] for line in content.decode("ascii", "replace").splitlines()]
        structure = gemmi.read_pdb_string("\n".join(lines))
    structure.setup_entities()
    found = {}
    peptide = (gemmi.PolymerType.PeptideL, gemmi.PolymerType.PeptideD)
    for chain in structure[0]:
        polymer = chain.get_polymer()
        if polymer.check_polymer_type() not in peptide:
            continue
        residues = [
            residue
            for residue in polymer.first_conformer()
            if residue.find_atom("CA", "*", gemmi.Element("C"))
        ]
        if residues:
            found[chain.name] = [
                (
                    f"{residue.seqid.num}{residue.seqid.icode.strip()}",
                    gemmi.find_tabulated_residue(residue.name).one_letter_code.strip().upper(),
                )
                for residue in residues
            ]
    return found


def ours(content: bytes, most: int) -> dict[str, list[tuple[str, str]]]:
    found = {}
    for chain in list_chains(content)[:most]:
        structure = read_structure(content, chain=chain.id)
        found[chain.id] = list(zip(structure.residue_numbers, structure.sequence, strict=True))
    return found


def differences(content: bytes, most: int = MANY) -> list[str]:
    """What differs in the names of all chains, and in the residues of the first so many."""
    judge, own = judged(content), ours(content, most)
    names = [chain.id for chain in list_chains(content)]
    if list(judge) != names:
        return [f"chains {names}, not {list(judge)}"]
    return [
        f"{chain}: {mine} for {theirs}"
        for chain in own
        for mine, theirs in zip(own[chain], judge[chain], strict=False)
        if mine != theirs and theirs[1]  # gemmi has no letter for rare residues
    ] + [f"{chain}: length" for chain in own if len(own[chain]) != len(judge[chain])]


def misplaced(content: bytes, most: int = MANY) -> tuple[int, list[str]]:
    """Residues whose place in SEQRES is not that of the entry's own table, and their number."""
    block = gemmi.cif.read_string(content, 0)[0]
    whole: dict[str, dict[int, str]] = defaultdict(dict)
    place: dict[str, dict[str, int]] = defaultdict(dict)
    for strand, seq, name, number, code, solved in block.find("_pdbx_poly_seq_scheme.", SCHEME):
        whole[strand].setdefault(int(seq), letter_of(name))
        if solved not in (".", "?"):
            place[strand][number + ("" if code in (".", "?") else code)] = int(seq) - 1
    count, wrong = 0, []
    for chain in list_chains(content)[:most]:
        if chain.id not in whole:
            continue
        structure = read_structure(content, chain=chain.id)
        sequence = "".join(whole[chain.id][seq] for seq in sorted(whole[chain.id]))
        protein = Protein.combine(sequence, structure)
        count += len(structure)
        found = {int(j): i for i, j in enumerate(protein.structure_index) if j >= 0}
        wrong += [
            f"{chain.id} {number}: {found.get(j)} for {place[chain.id].get(number)}"
            for j, number in enumerate(structure.residue_numbers)
            if found.get(j) != place[chain.id].get(number)
        ]
    return count, wrong


def entries(globin_file: Path) -> Iterator[Path]:
    """The whole entries that come with tmtools, each in both formats."""
    yield from sorted(globin_file.parent.glob("*.pdb")) + sorted(globin_file.parent.glob("*.cif"))


def test_whole_entries_read_as_gemmi_reads_them(globin_file):
    for path in entries(globin_file):
        assert differences(content_of(path), FEW) == [], path.name


def test_every_residue_of_whole_entries_is_where_the_entry_has_it(globin_file):
    total = 0
    for path in entries(globin_file):
        if path.suffix == ".cif":
            count, wrong = misplaced(content_of(path), FEW)
            assert wrong == [], path.name
            total += count
    assert total > 1500


def test_the_judge_finds_differences(globin_file):
    content = content_of(globin_file)
    lines = [b"" if b" CA  CYS A   6 " in line else line for line in content.splitlines()]
    other = ours(b"\n".join(lines), 1)
    assert [n for n, _ in other["A"]] != [n for n, _ in judged(content)["A"]]


EXPLAINED: dict[str, str] = {}
"""File of the shared data -> why it reads otherwise than gemmi has it. None does."""


@pytest.mark.data
@pytest.mark.slow
def test_the_files_at_hand_read_as_gemmi_reads_them(shared_data):
    files = sorted((shared_data / "structures" / "fullatom").glob("*.pdb.gz"))
    files += sorted((shared_data / "properties" / "binding_structures").glob("*.pdb.gz"))
    assert len(files) >= 250
    chains, found = 0, {}
    for path in files:
        content = content_of(path)
        chains += len(judged(content))
        different = differences(content)
        if different:
            found[path.name] = different
    assert found.keys() == EXPLAINED.keys(), found
    assert chains >= 300


@pytest.mark.data
@pytest.mark.slow
def test_more_entries_map_as_the_wwpdb_has_them():
    if MORE_FILES not in os.environ:
        pytest.skip(f"no folder of mmCIF files; set {MORE_FILES}")
    total, wrong = 0, {}
    for path in sorted(Path(os.environ[MORE_FILES]).glob("*.cif*")):
        content = content_of(path)
        count, bad = misplaced(content)
        total += count
        if bad:
            wrong[path.name] = bad
    assert not wrong
    assert total > 0
