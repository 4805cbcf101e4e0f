"""Good input of every kind that `docs/robustness.md` lists, to be damaged: name, parser, seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.mutfile import is_mutfile
from glass_core.inputs.proteins import read_proteins
from glass_core.inputs.upload import Upload, file_named
from glass_core.protein.protein import Protein
from glass_core.protein.structure.bonds import bonded_ligands, cross_links, is_cyclic, metal_sites
from glass_core.protein.structure.file import list_chains, read_structure
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

RESIDUES = 8
Form = tuple[str, Callable[[bytes], object], list[bytes]]


def forms() -> Iterator[Form]:
    """Every kind of real file and list."""
    atoms = peptide(RESIDUES)
    modified = changed(atoms, 2, residue="MSE", hetero=True)
    ligand, ion = free_group("SAM", 301), Atom("ZN", "ZN", 401, atoms[0].xyz, element="ZN")
    yield (
        "residues of the chain",
        structure,
        [
            pdb(atoms, "TER", ligand),
            pdb(without(modified, 2), "TER", of(modified, 2)),
            cif(modified + ligand),
            pdb("SEQRES   1 A    8  ASP CYS CYS SER TYR GLU ASP ARG", modified),
        ],
    )
    located = [replace(a, location=name, occupancy=0.5) for a in atoms for name in ("1", "2")]
    yield (
        "alternative locations",
        structure,
        [pdb(located), cif(located), pdb(changed(located, 3, residue="SER"))],
    )
    yield (
        "copies under one name",
        structure,
        [
            pdb(atoms, "TER", atoms),
            pdb(atoms, "END", atoms),
            pdb(*([replace(a, segment=s, chain="") for a in atoms] for s in ("PROA", "PROB"))),
            pdb("MODEL 1", atoms, "ENDMDL", "MODEL 2", atoms),
        ],
    )
    yield "loops", loop, [pdb(without(atoms, 4)), cif(without(atoms, 4, 5))]
    yield (
        "mmCIF as the standard allows it",
        structure,
        [
            cif(atoms, indent="  "),
            cif(atoms).upper(),
            cif(atoms, leave_out=["pdbx_PDB_ins_code", "occupancy"]),
            b"data_y\n_cell.length_a 1\n" + cif(atoms) + cif(atoms),
        ],
    )
    short = b"\n".join(pdb_line(a)[:54].encode() for a in atoms)
    tabs = "\n".join("\t".join(pdb_line(a).split()) for a in atoms).encode()
    yield "PDB as people write it", structure, [short, tabs, pdb(atoms).replace(b"   5 ", b"A005 ")]
    yield (
        "confidence",
        structure,
        [
            pdb("TITLE     ALPHAFOLD PREDICTION", atoms),
            pdb("EXPDTA    X-RAY DIFFRACTION", "REMARK   1 ALPHAFOLD", atoms),
            cif(
                atoms,
                before="loop_\n_ma_qa_metric.id\n_ma_qa_metric.type\n7 pLDDT\nloop_\n"
                "_ma_qa_metric_local.label_asym_id\n_ma_qa_metric_local.label_seq_id\n"
                "_ma_qa_metric_local.metric_id\n_ma_qa_metric_local.metric_value\nA 1 7 90\n",
            ),
        ],
    )
    yield "bonds and metals", bonds, [pdb(atoms, "TER", [ion], ligand), cif([*atoms, ion])]
    yield (
        "tables of databases",
        table,
        [
            b"accession,hgvs_pro,score\nurn:mavedb:1#1,p.Cys2Lys,0.5\nurn:mavedb:1#2,p.Asp1Ala,1\n",
            b"Name\tProtein change\tGermline classification\n"
            b"NM_1.1(X):c.5A>C (p.Cys2Ala)\tC2A, C1A\tPathogenic; drug response\n",
            b"sep=;\nvariant;ddG \xb1 SD\nC2A;0,5\nD1A;-1,2\n",
            "variant\tscore\nC2A\t1\n".encode("utf-16"),
            b"total 2\n1\nC 2 A\n1\nD 1 A\n",
            b"variant score\nC2A 1\nD1A 5\n",
        ],
    )
    yield (
        "text or file",
        text,
        [SEQUENCE.encode(), f">sp|P00001|A_B x GN=G\n{SEQUENCE}\n".encode(), b"no/such.fasta"],
    )


def structure(content: bytes) -> None:
    """Every chain of a file."""
    for chain in list_chains(content, name="damaged")[:4]:
        Protein.from_structure(read_structure(content, chain=chain.id, name="damaged"))


def loop(content: bytes) -> None:
    """A chain with a gap beside its whole sequence."""
    Protein.combine(SEQUENCE, read_structure(content, name="damaged"))


def bonds(content: bytes) -> None:
    """What is bonded or held beyond the chain."""
    read = read_structure(content, name="damaged")
    for find in (is_cyclic, cross_links, metal_sites, bonded_ligands):
        find(read)


def table(content: bytes) -> None:
    """A table or list of any name."""
    names = ("a.txt",) if is_mutfile(content.decode("utf-8", "replace")) else ("a.csv", "a.txt")
    for name in names:
        choice = VariantChoice("file", upload=Upload(content, name))
        list(choice.read([Protein.from_sequence(SEQUENCE, "x")]).requests)


def text(content: bytes) -> None:
    """What may be a path, a sequence or a list."""
    given = content.decode("utf-8", errors="replace")
    if file_named(given) is None:
        read_proteins(given)
