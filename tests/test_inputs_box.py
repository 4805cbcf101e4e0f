"""The one box: what a text is, told offline, and said in one line."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glass_core.errors import RecordError
from glass_core.inputs.box import GENES_LIKE_VARIANTS, understand
from glass_core.inputs.proposals import proposals
from glass_core.protein.accession import Accession
from glass_core.protein.notation import FORMS, has_form
from glass_core.protein.nucleotides import looks_like_nucleotides, translated
from glass_core.protein.protein import Protein
from glass_core.protein.understood import Understood
from glass_core.protein.written import take_apart

HBB = "MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFFESFGDLS"
CODING = "ATGGTGCATCTGACTCCTGAGGAGAAGTCTTAA"  # of HBB's first ten residues


@pytest.mark.parametrize(
    ("text", "preview"),
    [
        ("TP53", "gene TP53"),
        (" kras\n", "gene kras"),
        ("HLA-A", "gene HLA-A"),
        ("C9orf72", "gene C9orf72"),
        ("HBB E7V", "gene HBB, variant E7V"),
        ("TP53:R175H", "gene TP53, variant R175H"),
        ("BRCA1 p.Cys61Gly", "gene BRCA1, variant p.Cys61Gly"),
        ("TP53 R175H\nTP53 G245S\n", "gene TP53, 2 variants: R175H, G245S"),
        ("TP53 R175H, G245S", "gene TP53, 2 variants: R175H, G245S"),
        ("CFTR ΔF508", "gene CFTR, variant ΔF508"),
        ("A2M R5K", "gene A2M, variant R5K"),
        ("rs334", "dbSNP rs334"),
        ("RS334", "dbSNP rs334"),
        ("HBB rs334", "dbSNP rs334 of gene HBB"),
        ("P04637", "UniProt entry P04637"),
        ("p04637-2", "UniProt entry P04637-2"),
        ("P04637 R175H", "UniProt entry P04637, variant R175H"),
        ("P04637:p.Arg175His", "UniProt entry P04637, variant p.Arg175His"),
        ("2ocj", "PDB entry 2OCJ"),
        ("2OCJ A", "PDB entry 2OCJ, chain A"),
        ("2OCJ A:R175H", "PDB entry 2OCJ, chain A, variant R175H"),
        ("NM_000546.6:c.524G>A", "coding change c.524G>A of NM_000546.6"),
        ("ENST00000269305.9:c.524G>A", "coding change c.524G>A of ENST00000269305.9"),
        ("NC_000017.11:g.7675088C>T", "genomic change g.7675088C>T of NC_000017.11"),
        ("HBB:c.20A>T", "coding change c.20A>T of HBB"),
        ("HBB c.20A>T", "coding change c.20A>T of HBB"),
        ("NM_000546.6(TP53):c.524G>A (p.Arg175His)", "coding change c.524G>A of NM_000546.6"),
        (HBB, "protein sequence, 50 residues"),
        ("mvhltpeeks avtalwgkvn\nvdevggealg", "protein sequence, 30 residues"),
        (f">hbb human\n{HBB}", "protein sequence hbb human, 50 residues"),
        (">a\nMVHLT\n>b\nMKLV", "2 protein sequences: a, b"),
        ("variant,score\nR175H,1\nG2A,3", "table of variants, 3 lines"),
    ],
)
def test_what_a_text_is(text, preview):
    found = understand(text)
    assert found.preview == preview and not found.problem


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("HBB E7V", "gene", {"gene": "HBB", "variants": "E7V"}),
        ("HBB E 7 V", "gene", {"gene": "HBB", "variants": "E7V"}),
        ("HBB c.20A>T", "hgvs", {"hgvs": "HBB:c.20A>T"}),
        ("NM_1.2(TP53):c.5G>A (p.R2H)", "hgvs", {"hgvs": "NM_1.2:c.5G>A", "gene": "TP53"}),
        ("2OCJ:B", "accession", {"accession": Accession("pdb", "2OCJ"), "chain": "B"}),
        ("2OCJ A:R175H", "accession", {"chain": "A", "variants": "A:R175H"}),
        ("R175H\nG245S, R248Q", "variants", {"variants": "R175H\nG245S\nR248Q"}),
        ("Glu 7 Val", "variants", {"variants": "Glu7Val"}),
        ("", "nothing", {}),
    ],
)
def test_the_parts(text, kind, parts):
    found = understand(text)
    assert found.kind == kind
    assert {name: getattr(found, name) for name in parts} == parts
    assert found.asks_a_service == (kind in ("gene", "hgvs", "accession"))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_variant_is_one_and_needs_a_protein(form):
    found = understand(form)
    assert found.kind == "variants" and "of which protein?" in found.preview
    assert has_form(take_apart(form).variant)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("c.20A>T", "write the gene or the transcript before it, such as HBB:c.20A>T"),
        ("NM_1.1:r.76a>u", "describes RNA"),
        ("sickle cell", "is no sequence, gene, accession or variant; write for example TP53"),
        ("hemoglobin beta", "is no sequence"),
        ("what is this?", "is no sequence"),
        ("http://x/y", "is no sequence"),
        ("P04637 hello", "stands behind P04637 and is no variant"),
        ("rs1 rs2", "is no sequence"),
        ("Met Val His", "three-letter codes"),
        ("1 MVHLTPEEKS 11 AVTALWGKVN", "is a digit"),
        (">a\nMVH-LT", "is a gap"),
        (CODING[:-1], "these are nucleotides (ATGGTGCATCTG...), and a protein is meant"),
    ],
)
def test_what_cannot_be_used_says_why(text, says):
    found = understand(text)
    assert found.problem and says in found.preview
    assert found.offer is None


def test_an_open_reading_frame_is_offered_as_its_protein():
    for text in (CODING, CODING.lower(), f">x\n{CODING}", CODING.replace("T", "U")):
        found = understand(text)
        assert found.problem and found.offer.residues == HBB[:10]
        assert "one open reading frame of 10 residues (MVHLTPEEKS...)" in found.preview


@pytest.mark.parametrize("letters", ["ATGTAAGTGCATCTGACT", "GTGCATCTGACTCCTGAG", CODING + "A"])
def test_other_nucleotides_are_not_translated(letters):
    assert looks_like_nucleotides(letters) and translated(letters) == ""


def test_with_a_protein_open_variants_are_read_against_it():
    protein = Protein.from_sequence(HBB, "hbb")
    assert understand("E7V", protein).preview == "variant E7V of hbb"
    wrong = understand("E6V", protein)
    assert wrong.problem and "position 6 is P" in wrong.preview and wrong.variants == "E6V"
    assert proposals(wrong.variants, protein)[0].variants[0].text == "E7V"
    assert understand("TP53 R175H", protein).kind == "gene"


@pytest.mark.parametrize("gene", GENES_LIKE_VARIANTS)
def test_genes_that_look_like_variants(gene):
    assert understand(gene).gene == gene
    assert understand(gene, Protein.from_sequence("GGGGG")).gene == gene


def test_such_a_gene_is_a_variant_where_it_fits():
    protein = Protein.from_sequence("GFGGG", "x")
    assert understand("F2R", protein).preview == "variant F2R of x"
    assert understand("F2R G3A", protein).preview == "2 variants: F2R, G3A of x"


def test_a_chain_of_the_open_structure_is_no_gene(globin):
    protein = Protein.from_structure(globin)
    assert understand("A:V31P", protein).kind == "variants"
    assert understand("A:V31P").kind == "variants"


def test_coding_changes_are_of_the_open_proteins_gene():
    from glass_core.protein.annotation import Annotation

    protein = Protein.from_sequence(HBB).annotated(Annotation("P68871", HBB, gene="HBB"))
    assert understand("c.20A>T", protein).hgvs == "HBB:c.20A>T"
    assert understand("g.20A>T", protein).problem


def test_variants_of_the_protein_that_is_open_are_not_looked_up_again():
    from glass_core.protein.annotation import Annotation

    protein = Protein.from_sequence(HBB, "x").annotated(Annotation("P68871", HBB, gene="HBB"))
    for text in ("HBB E7V", "hbb:E7V", "P68871 E7V", "E7V"):
        assert understand(text, protein).preview == "variant E7V of x"
    assert understand("P68871 E6V", protein).problem
    assert understand("HBB", protein).kind == "gene"
    assert understand("P68871-2 E7V", protein).kind == "accession"
    assert understand("HBA1 E7V", protein).kind == "gene"


def test_records_check_themselves():
    for wrong in (
        {"kind": "other", "preview": "x"},
        {"kind": "gene", "preview": "x"},
        {"kind": "nothing", "preview": ""},
        {"kind": "nothing", "preview": "a\nb"},
    ):
        with pytest.raises(RecordError):
            Understood(**wrong)


def test_long_texts_are_told_while_typing():
    start = time.perf_counter()
    assert understand("\n".join(f"A{n}G" for n in range(1, 5001))).kind == "variants"
    assert understand(HBB * 2000).kind == "sequences"
    assert time.perf_counter() - start < 3


@given(st.text(max_size=60))
def test_any_text_is_answered_in_one_line(text):
    found = understand(text)
    assert found.preview and "\n" not in found.preview
    understand(text, Protein.from_sequence(HBB))
