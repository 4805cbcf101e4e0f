"""What is looked up about neighbours: structures, and known variants at the facing residues."""

from __future__ import annotations

import pytest

from glass_core.errors import InputError, NotFoundError
from glass_core.inputs.upload import example_upload
from glass_core.protein.structure.file import read_structure
from glass_core.protein.writing import write_change
from glass_core.report.search.tables import known_table
from glass_core.search.confirming import looked_up_structure, require_its_structure
from glass_core.search.entry import Entry
from glass_core.search.known import MOST_ASKED, known_at_site
from glass_core.search.site import SiteColumn, SiteNeighbour
from glass_core.settings import Settings
from glass_core.sources.fetch import Fetcher
from tests.test_search_database import letters
from tests.tools.services import ARF, P53, environment


@pytest.fixture
def fetcher(services, tmp_path):
    return Fetcher(Settings.from_environment(environment(services, tmp_path)))


def column(*members):
    return SiteColumn(9, "R", tuple(SiteNeighbour(*m, confidence=0.9, weight=0.8) for m in members))


def test_known_variants_at_the_facing_residue(fetcher):
    entries = [
        Entry("sp|P04637|P53_HUMAN", P53),
        Entry("9zzz_A", ARF[:60], structure="pdb:9zzz", chain="A"),
        Entry("nobody", letters(1)),
        Entry("P00001", letters(2)),
    ]
    there = column(
        ("sp|P04637|P53_HUMAN", "R", 175),
        ("gap", "-", None),
        ("9zzz_A", ARF[4], 5),
        ("nobody", "A", 3),
        ("P00001", "A", 3),
    )
    found, problems = known_at_site(there, entries, fetcher)
    assert [one.entry for one in found] == ["sp|P04637|P53_HUMAN", "9zzz_A"]
    assert [one.accession for one in found] == ["P04637", "Q8N726"]
    assert "R175H" in {write_change(v.change) for v in found[0].variants}
    assert all(v.change.position == 175 for v in found[0].variants)
    assert found[1].variants == ()
    assert [one.split(":")[0] for one in problems] == ["nobody", "P00001"]
    assert "names no entry of PDB or UniProt" in problems[0]
    table = known_table(found)
    assert set(table["neighbour"]) == {"sp|P04637|P53_HUMAN"}
    assert "R175H" in set(table["variant there"])
    assert known_table(()).empty


def test_no_more_than_some_are_asked(fetcher, services):
    entries = [Entry(f"n{k}", letters(k)) for k in range(MOST_ASKED + 5)]
    there = column(*((one.id, "A", 1) for one in entries))
    _, problems = known_at_site(there, entries, fetcher)
    assert len(problems) == MOST_ASKED
    assert not services.asked


def test_structures_are_looked_up_by_accession(fetcher):
    model = looked_up_structure(Entry("AF-Q8N726-F1", ARF), fetcher)
    assert model.sequence == ARF
    chain = looked_up_structure(Entry("x", ARF[:60], structure="pdb:9zzz", chain="A"), fetcher)
    assert chain.accession == "Q8N726"
    with pytest.raises(InputError, match="give a file"):
        looked_up_structure(Entry("x", ARF), fetcher)
    with pytest.raises(NotFoundError):
        looked_up_structure(Entry("x", ARF, structure="pdb:9abc"), fetcher)


@pytest.mark.parametrize(
    ("entry", "accession", "file"),
    [
        (Entry("x", "MKT", structure="pdb:2ht0", chain="A"), "2HT0", ""),
        (Entry("sp|P04637|P53_HUMAN", "MKT"), "P04637", ""),
        (Entry("P04637-2", "MKT", structure="a/b.cif"), "P04637-2", "a/b.cif"),
        (Entry("1abc", "MKT"), "1ABC", ""),
        (Entry("query_1", "MKT"), None, ""),
        (Entry("a|b", "MKT"), None, ""),
    ],
)
def test_an_entry_names_its_accession_or_none(entry, accession, file):
    assert (str(entry.accession) if entry.accession else None) == accession
    assert entry.file == file


def test_the_structure_of_another_protein_is_refused():
    own = read_structure(example_upload().content, chain="A", name="2gtl.pdb")
    other = read_structure(example_upload().content, chain="B", name="2gtl.pdb")
    entry = Entry("2gtl_A", own.sequence)
    require_its_structure(own, entry)
    require_its_structure(own, Entry("part", own.sequence[20:90]))
    require_its_structure(other, Entry("unknown", ""))
    with pytest.raises(InputError, match=r"2gtl\.pdb.*: is no structure of 2gtl_A"):
        require_its_structure(other, entry)
