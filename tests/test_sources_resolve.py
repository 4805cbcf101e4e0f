"""Genes, names of dbSNP and changes of genes: what the services make of them."""

from __future__ import annotations

import json

import pytest

from glass_core.errors import InputError, NotFoundError, RecordError, SourceError
from glass_core.inputs.box import understand
from glass_core.inputs.words import read_variant
from glass_core.protein.accession import Accession
from glass_core.protein.annotation import KnownVariant
from glass_core.protein.as_json import annotation_dict, annotation_from
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.report.impact.annotation import known_variant_table
from glass_core.settings import Settings
from glass_core.sources.candidates import Candidate
from glass_core.sources.fetch import Fetcher, Limits
from glass_core.sources.lookup import look_up
from glass_core.sources.resolve import Resolved, resolve
from tests.tools.services import environment, gene_entry, listed, names, vep_path

FAST = Limits(bytes=2_000_000, silence_s=0.4, total_s=1.0, attempts=2, longest_wait_s=0.01)


@pytest.fixture
def settings(services, tmp_path):
    return Settings.from_environment(environment(services, tmp_path / "downloads"))


@pytest.fixture
def fetcher(settings):
    return Fetcher(settings, FAST)


def found(text, fetcher):
    return resolve(understand(text), fetcher)


def chosen(text, fetcher):
    one = found(text, fetcher).chosen
    return str(one.accession), one.variants


# --- genes --------------------------------------------------------------------------------


def test_a_gene_is_that_of_man_and_the_others_can_be_chosen(fetcher, services):
    result = found("TP53 R175H", fetcher)
    assert (str(result.chosen.accession), result.chosen.variants) == ("P04637", "R175H")
    assert [str(c.accession) for c in result.candidates] == ["P04637", "Q00001", "P02340"]
    assert result.candidates[2].title == "Cellular tumor antigen p53, Mus musculus, 390 residues"
    assert result.numbering is None  # the numbers are the user's own
    assert (
        "Gene TP53 is read as P04637, Cellular tumor antigen p53, Homo sapiens" in (result.notes[0])
    )
    assert result.notes[1] == "2 other reviewed entries have a gene of that name."
    assert "reviewed%3Atrue" in services.queries[0] and "size=100" in services.queries[0]


def test_a_synonym_is_said_to_be_one(fetcher):
    assert "p53 is another name of gene TP53." in found("p53", fetcher).notes


@pytest.mark.parametrize(
    ("gene", "accessions", "says"),
    [
        ("CDKN2A", ["P42771", "Q8N726"], "2 human proteins are made of gene CDKN2A; choose one."),
        ("bla", ["P62593", "P00807"], "Gene bla has no reviewed human entry; choose an organism."),
    ],
)
def test_where_it_cannot_be_told_the_reader_chooses(fetcher, gene, accessions, says):
    result = found(gene, fetcher)
    assert result.chosen is None and says in result.notes
    assert sorted(str(c.accession) for c in result.candidates) == sorted(accessions)


def test_the_only_organism_is_taken(fetcher):
    assert chosen("TEM1", fetcher) == ("P62593", "")


def test_man_is_asked_for_where_the_first_hundred_are_others(fetcher, services):
    others = [
        gene_entry(f"P1{n:04}", "x", "XYZ1", "Mus musculus", 10090, 9) for n in range(100, 200)
    ]
    human = gene_entry("P04637", "p53", "XYZ1", "Homo sapiens", 9606, 9)
    services.genes["XYZ1"] = [*others, human]
    assert chosen("XYZ1", fetcher) == ("P04637", "")
    assert len(services.asked) == 2 and "9606" in services.queries[1]


def test_genes_that_are_not_known(fetcher):
    with pytest.raises(NotFoundError, match="no reviewed entry of gene NOGENE1; check the symbol"):
        found("NOGENE1", fetcher)


# --- names of dbSNP -----------------------------------------------------------------------


def test_a_name_of_dbsnp_leads_to_the_reviewed_entry(fetcher):
    result = found("rs28934578", fetcher)
    assert (str(result.chosen.accession), result.chosen.variants) == ("P04637", "R175H")
    assert result.numbering == "UniProt"
    assert result.chosen.title == "P04637, Cellular tumor antigen p53, Pathogenic"
    assert result.notes == (
        "rs28934578 is R175H of P04637, Cellular tumor antigen p53, Pathogenic.",
    )
    annotation = look_up(result.chosen.accession, fetcher).annotation
    protein = Protein.from_sequence(annotation.sequence).annotated(annotation)
    assert read_variant(result.chosen.variants, protein, result.numbering).text == "R175H"


def test_several_alleles_are_to_be_chosen_from(fetcher):
    result = found("rs1042522", fetcher)
    assert result.chosen is None
    assert [c.variants for c in result.candidates] == ["P72R", "P72H"]
    assert "rs1042522 stands for 2 changes; choose one." in result.notes


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("rs99", NotFoundError, "EBI lists no change of a protein by this name"),
        ("rs397516435", InputError, "changes no residue of a known protein"),
        ("HBB rs28934578", InputError, "changes no residue of a known protein of gene HBB"),
        ("rs4", InputError, "changes no residue"),  # the rows are of another name
    ],
)
def test_names_that_lead_nowhere(fetcher, text, kind, says):
    with pytest.raises(kind, match=says):
        found(text, fetcher)


def test_deletions_and_entries_that_are_not_reviewed(fetcher, services):
    gone = listed("F", 508, "-", [], [("dbSNP", "rs5")])
    odd = [listed("F", 5, x, [], [("dbSNP", "rs5")]) for x in ("*", "F", "?")]
    odd.append({"begin": None, "wildType": "F", "mutatedType": None})
    services.json(
        "/api/variation/dbsnp/rs5",
        [names("A0A087WXZ1", "A0A087WXZ1_HUMAN", "CFTR", [gone, *odd]), names("?", "", "", [gone])],
    )
    assert chosen("rs5", fetcher) == ("A0A087WXZ1", "F508del")


# --- changes of genes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "NM_000546.6:c.524G>A",
        "TP53:c.524G>A",
        "TP53 c.524G>A",
        "NC_000017.11:g.7675088C>T",
        "NM_000546.6(TP53):c.524G>A (p.Arg175His)",
    ],
)
def test_a_change_of_a_gene_is_read_by_mane_select(fetcher, text):
    result = found(text, fetcher)
    assert (str(result.chosen.accession), result.chosen.variants) == ("P04637-1", "p.Arg175His")
    assert result.numbering == "UniProt"
    said = " ".join(result.notes)
    assert "is p.Arg175His of P04637-1, gene TP53, by ENST00000269305 (" in said
    assert "By other transcripts it is p.Arg43His of P04637-2, p.Arg175His of P04637-7." in said
    assert "In 1 other transcript(s) it changes no residue." in said


def test_the_transcript_that_is_named_goes_first(fetcher):
    result = found("ENST00000504937.5:c.128G>A", fetcher)
    assert (str(result.chosen.accession), result.chosen.variants) == ("P04637-2", "p.Arg43His")
    assert "(the transcript named)" in result.notes[0]


def test_the_isoform_of_mane_select_is_looked_up_and_fits(fetcher):
    result = found("TP53:c.524G>A", fetcher)
    entry = look_up(result.chosen.accession, fetcher)
    assert "P04637-1 is the canonical sequence of P04637." in entry.notes
    protein = Protein.from_sequence(entry.annotation.sequence).annotated(entry.annotation)
    assert read_variant(result.chosen.variants, protein, result.numbering).text == "R175H"


def test_two_genes_or_frames_are_to_be_chosen_from(fetcher):
    result = found("CDKN2A:c.44C>T", fetcher)
    assert result.chosen is None
    assert [(str(c.accession), c.variants) for c in result.candidates] == [
        ("P42771-1", "p.Ala15Val"),
        ("Q8N726-1", "p.Pro58Leu"),
    ]
    assert "CDKN2A:c.44C>T changes several proteins; choose one." in result.notes


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("TP53:c.20-5A>G", InputError, r"changes no residue of gene TP53 \(intron variant\)"),
        ("TP53:c.586C>T", InputError, r"changes no residue of gene TP53 \(stop gained\)"),
        ("TP53:c.9999G>A", SourceError, "status 400: Unable to parse HGVS notation"),
        ("NM_9.9:c.1A>G", NotFoundError, "Ensembl does not know it; check the reference"),
    ],
)
def test_changes_that_lead_nowhere(fetcher, text, kind, says):
    with pytest.raises(kind, match=says):
        found(text, fetcher)


def test_odd_answers_are_no_crash(fetcher, services):
    for answer in ({}, [], [None], [{"transcript_consequences": [{"hgvsp": 3}]}]):
        services.json(vep_path("X1:c.1A>G"), answer)
        with pytest.raises(InputError, match="nothing to analyse"):
            resolve(understand("X1:c.1A>G"), Fetcher(fetcher.settings, Limits(fresh_days=0)))


# --- the door -----------------------------------------------------------------------------


def test_an_accession_needs_no_service(fetcher, services):
    result = found("P04637 R175H", fetcher)
    assert result.chosen == Candidate(Accession("uniprot", "P04637"), "R175H", "P04637")
    assert services.asked == []
    with pytest.raises(InputError, match="nothing to look up"):
        found("R175H", fetcher)
    with pytest.raises(RecordError):
        Resolved((), None)


def test_offline_it_says_so_and_lives_on_what_was_kept(settings):
    from dataclasses import replace

    online, offline = Fetcher(settings, FAST), Fetcher(replace(settings, offline=True), FAST)
    for text in ("TP53", "rs28934578", "TP53:c.524G>A"):
        with pytest.raises(SourceError, match="GLASS_OFFLINE is set"):
            found(text, offline)
        found(text, online)
        assert found(text, offline).chosen is not None


# --- known variants -----------------------------------------------------------------------


def test_review_status_and_link_of_a_known_variant(fetcher):
    annotation = look_up(Accession("uniprot", "P04637"), fetcher).annotation
    known = {v.text: v for v in annotation.variants}
    status = "criteria provided, multiple submitters, no conflicts"
    assert known["R175H"].review_status == status and known["P72R"].review_status == ""
    assert known["R175H"].link == "https://www.ncbi.nlm.nih.gov/clinvar/RCV000013173/"
    assert known["P72R"].link == "https://www.ncbi.nlm.nih.gov/snp/rs1042522"
    content = json.loads(json.dumps(annotation_dict(annotation)))
    assert annotation_from(content).variants == annotation.variants
    for one in content["variants"]:
        del one["review_status"]  # as earlier versions wrote them
    assert annotation_from(content).variants[0].review_status == ""
    protein = Protein.from_sequence(annotation.sequence).annotated(annotation)
    row = known_variant_table(protein).set_index("here").loc["R175H"]
    assert row["review status"] == status and row["link"].endswith("RCV000013173/")


@pytest.mark.parametrize(
    ("ids", "link"),
    [
        (
            ("VAR_1", "rs5", "VCV000013173.2"),
            "https://www.ncbi.nlm.nih.gov/clinvar/variation/13173/",
        ),
        (("VAR_000175",), "https://web.expasy.org/variant_pages/VAR_000175.html"),
        (("rs5/../x", "javascript:1"), ""),
        ((), ""),
    ],
)
def test_links_are_made_of_names_of_known_forms(ids, link):
    assert KnownVariant(Change(1, "M", "V"), ids=ids).link == link
