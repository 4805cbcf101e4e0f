"""Web services through a local server: recorded shapes, and everything that goes wrong."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from glass_core.errors import GlassError, InputError, NotFoundError, SourceError
from glass_core.protein.accession import Accession, read_accession
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from glass_core.protein.written import take_apart
from glass_core.settings import Settings
from glass_core.sources.alphafold import choose
from glass_core.sources.fetch import Fetcher, Limits
from glass_core.sources.kept import Kept, KeptAnswers
from glass_core.sources.lookup import look_up
from glass_core.sources.variation import read_variation
from tests.tools.services import ARF, P53, Reply, bomb, environment, helix, record, running

FAST = Limits(bytes=2_000_000, silence_s=0.4, total_s=1.0, attempts=3, longest_wait_s=0.01)
P53_ENTRY = Accession("uniprot", "P04637")


@pytest.fixture
def settings(services, tmp_path):
    return Settings.from_environment(environment(services, tmp_path / "downloads"))


@pytest.fixture
def fetcher(settings):
    return Fetcher(settings, FAST)


# --- accessions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "database", "id", "isoform"),
    [
        ("P04637", "uniprot", "P04637", None),
        (" p04637 ", "uniprot", "P04637", None),
        ("P04637-2", "uniprot", "P04637", 2),
        ("A0A024R161", "uniprot", "A0A024R161", None),
        ("AF-P04637-F1", "uniprot", "P04637", None),
        ("AF-Q8N726-2-F1-model_v4", "uniprot", "Q8N726", 2),
        ("2ocj", "pdb", "2OCJ", None),
        ("pdb_00002ocj", "pdb", "2OCJ", None),
    ],
)
def test_accessions_are_told_by_their_form(text, database, id, isoform):
    assert read_accession(text) == Accession(database, id, isoform)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "P0463",
        "../../etc/passwd",
        "http://x/P04637",
        "P04637/../x",
        "R175H",
        "175",
        "P04637\n"[:-1] + "?x=1",
    ],
)
def test_what_is_no_accession_is_refused_with_an_example(text):
    with pytest.raises(InputError, match="write for example"):
        read_accession(text)


@pytest.mark.parametrize(
    ("text", "accession", "rest"),
    [
        ("P04637 R175H", "P04637", "R175H"),
        ("p04637:p.Arg175His", "P04637", "p.Arg175His"),
        ("2OCJ A:R175H", "2OCJ", "A:R175H"),
        ("A:R175H", None, "A:R175H"),
        ("R175H", None, "R175H"),
        ("A1P:D2N", None, "A1P:D2N"),
        ("175", None, "175"),
        ("1234 R5K", None, "1234 R5K"),
    ],
)
def test_an_accession_before_a_variant(text, accession, rest):
    written = take_apart(text)
    assert (written.accession and written.accession.id, written.rest) == (accession, rest)


# --- what is found ------------------------------------------------------------------------


def test_an_entry_with_all_that_belongs_to_it(fetcher, services):
    stages = []
    found = look_up(P53_ENTRY, fetcher, lambda stage, fraction: stages.append((stage, fraction)))
    annotation = found.annotation
    assert annotation.sequence == P53
    assert annotation.title == "Cellular tumor antigen p53 (TP53), Homo sapiens"
    assert [f.kind for f in annotation.features] == [
        "Binding site",
        "Site",
        "Region",
        "DNA binding",
        "Glycosylation",
    ]
    assert "ft_carbohyd" in services.queries[0]
    assert found.model.id == "AF-P04637-F1"
    assert found.model.version == 6
    assert found.model.mean_plddt == 75.06
    assert annotation.pae.shape == (393, 393)
    assert annotation.pae[0, 8] == 2
    assert [str(r).split(",")[0] for r in annotation.retrieved] == [
        "UniProt P04637",
        "AlphaFold DB AF-P04637-F1 version 6",
        "EBI Proteins P04637",
    ]
    structure = read_structure(found.structure, name=found.structure_name)
    assert structure.origin == "alphafold"
    assert structure.sequence == P53
    assert [fraction for _, fraction in stages] == sorted(fraction for _, fraction in stages)
    assert stages[-1] == ("done", 1.0)


def test_known_variants_of_both_databases_are_joined(fetcher):
    found = look_up(P53_ENTRY, fetcher)
    known = {v.text: v for v in found.annotation.variants}
    assert set(known) == {"P72R", "R175H", "R213del"}
    assert known["R175H"].significance == "Pathogenic / Likely pathogenic"
    assert known["R175H"].description == "in LFS; dbSNP:rs28934578"
    assert known["R175H"].ids[:2] == ("VAR_000175", "rs28934578")
    assert known["R175H"].source == "UniProt, EBI Proteins"
    assert any("COSMIC alone" in note and "(1)" in note for note in found.notes)
    assert any("do not fit" in note and "(1)" in note for note in found.notes)


def test_a_merged_accession_leads_on_and_says_so(fetcher):
    found = look_up(Accession("uniprot", "Q15086"), fetcher)
    assert found.annotation.accession == "P04637"
    assert any("secondary accession of P04637" in note for note in found.notes)


def test_a_redirected_accession_leads_on_too(fetcher, services):
    services.replies["/uniprotkb/Q99659.json"] = Reply(
        status=303, headers={"Location": "/uniprotkb/P04637.json"}
    )
    assert look_up(Accession("uniprot", "Q99659"), fetcher).annotation.accession == "P04637"


@pytest.mark.parametrize(
    ("accession", "says"),
    [
        ("P00001", "no longer there (deleted)"),
        ("P00002", "was split into P04637, Q8N726"),
        ("P99999", "has no entry P99999"),
    ],
)
def test_an_entry_that_is_gone_says_how(fetcher, accession, says):
    with pytest.raises(NotFoundError) as caught:
        look_up(Accession("uniprot", accession), fetcher)
    assert says in str(caught.value)


def test_an_isoform_keeps_no_features_of_the_canonical_sequence(fetcher, services):
    found = look_up(Accession("uniprot", "P04637", 2), fetcher)
    assert found.annotation.accession == "P04637-2"
    assert found.annotation.sequence == P53[:331] + "DGRDRGELLQ"
    assert found.annotation.features == found.annotation.variants == ()
    assert found.structure is None
    notes = " ".join(found.notes)
    assert "not the canonical sequence" in notes
    assert "no model of P04637-2" in notes


def test_the_isoform_that_is_canonical_is_the_entry(fetcher, services):
    services.replies["/uniprotkb/P04637-1.fasta"] = Reply(f">x\n{P53}\n".encode())
    found = look_up(Accession("uniprot", "P04637", 1), fetcher)
    assert found.annotation.accession == "P04637"
    assert found.model.id == "AF-P04637-F1"
    assert len(found.annotation.variants) == 3
    assert "P04637-1 is the canonical sequence of P04637." in found.notes


def test_a_pdb_entry_numbered_by_uniprot(fetcher):
    found = look_up(Accession("pdb", "9ZZZ"), fetcher)
    protein = Protein.from_structure(read_structure(found.structure, name="9zzz"))
    assert protein.accession == "Q8N726"
    assert protein.uniprot_position(0) == 1
    assert protein.author_number(0) == "101"
    assert not found.notes


def test_a_pdb_entry_that_only_rcsb_has(fetcher):
    found = look_up(Accession("pdb", "9ZZY"), fetcher)
    assert "9zzy_updated.cif: is not known there" in found.notes[0]
    assert Protein.from_structure(read_structure(found.structure)).accession == ""
    with pytest.raises(NotFoundError, match="no entry 9XXX"):
        look_up(Accession("pdb", "9XXX"), fetcher)


# --- AlphaFold DB's traps -----------------------------------------------------------------


def test_the_first_record_is_not_simply_taken():
    isoform = record("P04637-2", P53[:20], "http://x/iso")
    own = record("P04637", P53, "http://x/own", old_names=True)
    assert choose([isoform, own], P53_ENTRY, P53).structure_url == "http://x/own.cif"


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([], "has no model"),
        ({"error": "x"}, "has no model"),
        ([None, 3], "has no model"),
        ([record("P04637-2", P53[:20], "x")], "it has AF-P04637-2-F1"),
        ([record("P04637", P53[:-1] + "W", "x")], "of another sequence (393 residues)"),
        ([record("P04637", P53, "x", cifUrl=None)], "without an mmCIF file"),
        ([record("P04637", P53, "x") | {"sequence": None}], "of another sequence (0 residues)"),
    ],
)
def test_records_that_do_not_fit_are_named(records, says):
    with pytest.raises(NotFoundError) as caught:
        choose(records, P53_ENTRY, P53)
    assert says in str(caught.value)


def test_long_proteins_are_told_why():
    with pytest.raises(NotFoundError, match="over 2,700 residues have none"):
        choose([], P53_ENTRY, "A" * 2701)


def test_a_model_of_a_part_is_numbered_from_its_start(fetcher, services):
    part = P53[90:300]
    services.json(
        "/api/prediction/P04637",
        [record("P04637", part, f"{services.address}/files/part", sequenceStart=91)],
    )
    services.replies["/files/part.cif"] = Reply(helix(part, "A", plddt=True))
    found = look_up(P53_ENTRY, fetcher)
    assert any("covers residues 91 to 300 only" in note for note in found.notes)
    assert found.annotation.pae is None
    protein = Protein.combine(P53, read_structure(found.structure)).annotated(found.annotation)
    assert protein.author_number(90) == "1"
    assert protein.uniprot_position(90) == 91


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([{"predicted_aligned_error": [[1, 2], [3, 4]]}], "no table of 393 x 393"),
        ([{"predicted_aligned_error": "x"}], "no table"),
        ([], "no table"),
        ({"a": 1}, "no table"),
        ([{"predicted_aligned_error": [[1], [2, 3]]}], "no table"),
    ],
)
def test_a_bad_aligned_error_costs_only_itself(fetcher, services, content, says):
    services.json("/files/AF-P04637-F1-pae.json", content)
    found = look_up(P53_ENTRY, fetcher)
    assert found.structure is not None
    assert found.annotation.pae is None
    assert any("No predicted aligned error" in note and says in note for note in found.notes)


def test_a_file_on_another_host_is_not_fetched(fetcher, services):
    services.json(
        "/api/prediction/P04637", [record("P04637", P53, "http://169.254.169.254/latest/meta-data")]
    )
    found = look_up(P53_ENTRY, fetcher)
    assert found.structure is None
    assert any("none of the services in the settings" in note for note in found.notes)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://[",
        "//x",
        "HERE@evil.example/x",
        "ftp://x/y",
        "javascript:1",
        "HERE.evil.example/x",
        "HERE/\x00",
        "HERE/\ud800",
        "HERE/ \n x",
        "http://127.0.0.1:0/x",
        "HERE:99999999/x",
        "HERE/%",
        "HERE/" + "x" * 100_000,
    ],
)
def test_odd_addresses_in_an_answer_cost_only_the_structure(fetcher, services, url):
    own = record("P04637", P53, "x") | {"cifUrl": url.replace("HERE", services.address)}
    services.json("/api/prediction/P04637", [own])
    found = look_up(P53_ENTRY, fetcher)
    assert found.structure is None
    assert found.annotation.sequence == P53
    (note,) = (note for note in found.notes if note.startswith("No structure"))
    assert "\n" not in note
    assert len(note) < 600


def test_a_redirect_to_another_host_is_not_followed(fetcher, services, settings):
    with running() as elsewhere:
        services.replies["/files/x"] = Reply(
            status=302, headers={"Location": f"{elsewhere.address}/uniprotkb/P04637.json"}
        )
        with pytest.raises(SourceError, match="none of the services"):
            fetcher.get(f"{settings.uniprot}/files/x")
        assert not elsewhere.asked


def test_a_damaged_structure_file_costs_only_itself(fetcher, services):
    services.replies["/files/AF-P04637-F1.cif"] = Reply(b"data_x\n_entry.id x\n")
    found = look_up(P53_ENTRY, fetcher)
    assert found.structure is None
    assert found.annotation.sequence == P53
    assert any(note.startswith("No structure:") for note in found.notes)


def test_variants_of_another_shape_are_passed_over():
    rows = [
        {"begin": "1", "end": "1", "wildType": "M", "alternativeSequence": "V"},
        {"begin": "x", "end": None},
        {"begin": 2, "end": 2, "wildType": "EE"},
        7,
        None,
        {
            "begin": "3",
            "end": "3",
            "wildType": "E",
            "mutatedType": "K",
            "clinicalSignificances": "Benign",
            "association": [{"name": "A"}, {"name": "A"}],
        },
    ]
    variants, notes = read_variation({"features": rows}, P53)
    assert [v.text for v in variants] == ["M1V", "E3K"]
    assert variants[1].significance == "Benign"
    assert variants[1].description == "A"
    assert notes == ()
    assert read_variation("nonsense", P53) == ((), ())


# --- a bad line ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(b""), "empty file"),
        (Reply(b"  \n"), "empty file"),
        (Reply(b"<!DOCTYPE html><html>log in</html>", kind="text/html"), "web page"),
        (Reply(b'{"error": "bad  accession"}', 400), "status 400: bad accession"),
        (Reply(b"\xff\xfe", 403), "status 403"),
        (Reply(b"x", 410), "not known there"),
        (Reply(b" " * 3_000_000), "larger than 2 MB"),
        (bomb(50), "larger than 2 MB"),
        (Reply(b"x" * 100, trickle_s=0.05), "takes longer than 1 s"),
        (Reply(b"x" * 10, says_length=100), "cannot be reached"),
        (Reply(b"x", 503), "out of order (status 503), also at the last of 3"),
        (Reply(status=302, headers={"Location": "/thing"}), "in circles"),
        (Reply(b"not gzip", headers={"Content-Encoding": "gzip"}), ""),
    ],
)
def test_a_service_that_misbehaves_is_told_in_one_line(fetcher, services, settings, reply, says):
    services.replies["/thing"] = reply
    with pytest.raises(SourceError) as caught:
        fetcher.get(f"{settings.uniprot}/thing")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{", b"\xff\xff", b"NaN or so"])
def test_json_that_is_none(fetcher, services, settings, content):
    services.replies["/thing"] = Reply(content)
    with pytest.raises(SourceError, match="no JSON"):
        fetcher.get(f"{settings.uniprot}/thing").json()


def test_a_busy_service_is_asked_again_after_the_time_it_names(services, settings):
    waits = []
    services.sequence(
        "/thing", Reply(b"x", 429, headers={"Retry-After": "7"}), Reply(b"x", 500), Reply(b"good")
    )
    patient = Limits(attempts=4, longest_wait_s=8.0)
    answer = Fetcher(settings, patient, sleep=waits.append).get(f"{settings.uniprot}/thing")
    assert answer.content == b"good"
    assert waits[0] == 7.0
    assert 0 < waits[1] <= 8.0
    assert services.asked.count("/thing") == 3


def test_nobody_there(tmp_path):
    closed = Settings.from_environment(
        {"GLASS_UNIPROT": "http://127.0.0.1:9", "GLASS_DOWNLOADS": str(tmp_path)}
    )
    with pytest.raises(SourceError, match="cannot be reached"):
        look_up(P53_ENTRY, Fetcher(closed, FAST))


@pytest.mark.parametrize("field", ["structure_url", "x"])
def test_only_the_entry_must_be_there(fetcher, services, field):
    for path in list(services.replies):
        if not path.startswith("/uniprotkb"):
            services.replies[path] = Reply(b"x", 500)
    found = look_up(P53_ENTRY, fetcher)
    assert found.annotation.sequence == P53
    notes = " ".join(found.notes)
    assert "No structure" in notes
    assert "Known variants are UniProt's alone" in notes


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        None,
        7,
        {"sequence": None},
        {"sequence": {"value": 3}},
        {"sequence": {"value": ""}},
        {"sequence": {"value": "MK1"}},
        {"primaryAccession": ["P"], "sequence": {"value": "*"}},
    ],
)
def test_an_entry_without_a_sequence(fetcher, services, content):
    services.json("/uniprotkb/P04637.json", content)
    with pytest.raises(SourceError, match="no usable sequence"):
        look_up(P53_ENTRY, fetcher)


def test_names_of_any_kind_do_no_harm(fetcher, services):
    services.json(
        "/uniprotkb/P04637.json",
        {
            "sequence": {"value": P53},
            "genes": [{"geneName": {"value": "<script>x</script>\n" * 90}}],
            "proteinDescription": [],
            "features": [
                {"type": 3, "location": {"start": {"value": "x"}}},
                {"type": "Domain", "location": {"start": {"value": 9}, "end": {"value": 3}}},
            ],
        },
    )
    annotation = look_up(P53_ENTRY, fetcher).annotation
    assert len(annotation.gene) <= 300
    assert "\n" not in annotation.gene
    assert annotation.features == ()


# --- what is kept -------------------------------------------------------------------------


def test_answers_are_kept_with_their_date_and_asked_for_once(fetcher, services, settings):
    first = look_up(P53_ENTRY, fetcher)
    asked = len(services.asked)
    again = look_up(P53_ENTRY, Fetcher(settings, FAST))
    assert len(services.asked) == asked
    assert again.annotation.retrieved == first.annotation.retrieved


def test_what_was_longest_not_asked_for_makes_room(tmp_path):
    kept = KeptAnswers(tmp_path, limit=4_000)
    for number, name in enumerate("abc"):
        assert kept.put(name, Kept(bytes(1_000), "2026-01-01")) == ""
        os.utime(kept._path(name), (number, number))
    assert kept.get("a") is not None, "asked for: no longer the oldest"
    kept.put("d", Kept(bytes(1_000), "2026-01-01"))
    assert [name for name in "abcd" if kept.get(name) is None] == ["b"]
    kept.put("large", Kept(bytes(9_000), "2026-01-01"))
    assert kept.get("large") is not None, "the newest is kept, however large"
    assert [p.suffix for p in tmp_path.iterdir()] == [".answer"]


def test_offline_lives_on_what_is_kept(fetcher, services, settings):
    look_up(P53_ENTRY, fetcher)
    asked = len(services.asked)
    offline = Fetcher(replace(settings, offline=True), FAST)
    assert look_up(P53_ENTRY, offline).annotation.sequence == P53
    with pytest.raises(SourceError, match="GLASS_OFFLINE is set"):
        look_up(Accession("uniprot", "Q8N726"), offline)
    assert len(services.asked) == asked


def test_a_stale_answer_is_better_than_none_and_says_so(fetcher, services, settings):
    look_up(P53_ENTRY, fetcher)
    services.replies.clear()
    services.replies.update({p: Reply(b"x", 503) for p in set(services.asked)})
    stale = Fetcher(settings, replace(FAST, fresh_days=0))
    found = look_up(P53_ENTRY, stale)
    assert found.structure is not None
    assert any("which was kept" in note for note in found.notes)


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff" * 50, b'{"url": 1}\nx', b"[" * 10_000])
def test_a_damaged_copy_is_fetched_again(fetcher, services, settings, damage):
    url = f"{settings.uniprot}/uniprotkb/P04637.json"
    before = fetcher.get(url).content
    for path in settings.downloads.iterdir():
        path.write_bytes(damage)
    assert fetcher.get(url).content == before
    assert services.asked.count("/uniprotkb/P04637.json") == 2


def test_a_cut_copy_is_fetched_again(fetcher, services, settings):
    url = f"{settings.uniprot}/uniprotkb/P04637.json"
    before = fetcher.get(url).content
    for path in settings.downloads.iterdir():
        path.write_bytes(path.read_bytes()[:-20])
    assert fetcher.get(url).content == before


def test_a_folder_that_cannot_be_written_is_said_and_costs_nothing(services, settings, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    fetcher = Fetcher(replace(settings, downloads=blocked / "inside"), FAST)
    found = look_up(P53_ENTRY, fetcher)
    assert found.annotation.sequence == P53
    assert any("could not be kept" in note for note in found.notes)


def test_no_file_name_comes_from_an_address(fetcher, settings, services):
    for path in ("/a/../../../../tmp/x", "/tmp/x"):
        services.replies[path] = Reply(b"x")
    fetcher.get(f"{settings.uniprot}/a/../../../../tmp/x?y=/../z")
    (made,) = settings.downloads.iterdir()
    assert made.name.removesuffix(".answer").isalnum()


# --- numbering ----------------------------------------------------------------------------


def test_annotation_numbers_a_construct_by_uniprot():
    from glass_core.protein.annotation import Annotation

    annotation = Annotation("Q8N726", ARF)
    construct = Protein.from_sequence("MGSSHHHHHH" + ARF[20:99])
    numbered = construct.annotated(annotation)
    assert numbered.uniprot_position(0) is None
    assert numbered.uniprot_position(10) == 21
    assert numbered.position_of_uniprot(21) == 11
    assert numbered.position_of_uniprot(5) is None
    with pytest.raises(InputError, match="is another protein"):
        Protein.from_sequence(P53).annotated(annotation)


def test_what_was_looked_up_survives_json(fetcher):
    from glass_core.protein.as_json import protein_dict, protein_from

    found = look_up(P53_ENTRY, fetcher)
    protein = Protein.combine(P53, read_structure(found.structure)).annotated(found.annotation)
    text = json.dumps(protein_dict(protein), allow_nan=False)
    back = protein_from(json.loads(text))
    assert back.accession == "P04637"
    assert np.array_equal(back.uniprot_positions, protein.uniprot_positions)
    assert np.array_equal(back.annotation.pae, found.annotation.pae)
    assert back.annotation.features == found.annotation.features
    assert back.annotation.variants == found.annotation.variants
    assert back.annotation.retrieved == found.annotation.retrieved
    assert len(text) < 2_000_000


def test_an_aligned_error_that_unpacks_to_more_is_refused(fetcher):
    import base64
    import zlib

    from glass_core.protein.as_json import annotation_dict, annotation_from

    content = annotation_dict(look_up(P53_ENTRY, fetcher).annotation)
    content["pae"] = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    with pytest.raises(GlassError, match="393 x 393 values"):
        annotation_from(content)


# --- the command line ---------------------------------------------------------------------


@pytest.fixture
def run(tiny_assets, tmp_path, services):
    from click.testing import CliRunner

    from glass_core.cli.main import main

    def call(*arguments):
        places = environment(services, tmp_path / "downloads") | {
            "GLASS_ASSETS": str(tiny_assets),
            "GLASS_MODELS": str(tmp_path / "none"),
            "GLASS_DEVICE": "cpu",
            "GLASS_RUNS": str(tmp_path / "runs.sqlite"),
        }
        result = CliRunner().invoke(main, [str(a) for a in arguments], env=places)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    return call


def test_an_accession_and_a_variant_are_enough(run):
    code, out, err = run("impact", "--variant", "Q8N726 G16D", "--json")
    assert code == 0, err
    rows = json.loads(out)["residues"]
    assert rows[15]["uniprot_position"] == 16
    assert rows[15]["plddt"] > 0
    assert (
        "AlphaFold DB AF-Q8N726-F1 version 6"
        in json.loads(out)["provenance"]["inputs"]["retrieved"]
    )


@pytest.mark.parametrize("text", ["TP53 R175H", "rs28934578", "NM_000546.6:c.524G>A"])
def test_a_gene_a_name_or_a_coding_change_is_enough(run, text):
    code, out, err = run("impact", "--variant", text)
    assert code == 0, err
    assert out.startswith("R175H: ")
    assert "! " in err and "P04637" in err


def test_a_gene_stands_for_its_entry(run, tmp_path):
    code, out, err = run("fetch", "TP53", "--out", tmp_path)
    assert code == 0 and "393 residues" in out and "is read as P04637" in err


def test_a_pdb_entry_in_author_numbers(run):
    code, out, err = run(
        "impact", "--accession", "9zzz", "--variant", "G116D", "--numbering", "author", "--json"
    )
    assert code == 0, err
    row = json.loads(out)["residues"][15]
    assert (row["mutant"], row["author_number"], row["uniprot_position"]) == ("D", "116", 16)


def test_known_variants_are_screened_with_their_labels(run, tmp_path):
    import pandas as pd

    out = tmp_path / "known.csv"
    code, _, err = run("screen", "--accession", "P04637", "--known", "--out", out)
    assert code == 0, err
    table = pd.read_csv(out)
    assert dict(zip(table["variant"], table["label"].fillna(-1), strict=True)) == {
        "P72R": 0,
        "R175H": 1,
        "R213del": -1,
    }
    assert table["uniprot_position"].tolist() == [72, 175, 213]
    code, _, err = run("screen", "--wild", ARF, "--known", "--out", out)
    assert code == 2
    assert "--known goes with --accession" in err


def test_alphafold_s_alignment_goes_with_an_accession(run, tmp_path, services):
    rows = [P53, *(P53[:k] + "A" * 60 + P53[k + 60 :] for k in range(0, 330, 6))]
    alignment = "".join(f">{n}\n{row}\n" for n, row in enumerate(rows)).encode()
    services.replies["/files/AF-P04637-F1-msa.a3m"] = Reply(alignment, kind="text/plain")
    words = ("impact", "--accession", "P04637", "--variant", "R175H", "--msa", "alphafold")
    code, out, err = run(*words, "--json")
    assert code == 0, err
    assert "AF-P04637-F1-msa.a3m" in json.loads(out)["protein"]["profile"]["name"]
    out = tmp_path / "s.csv"
    code, _, err = run(
        "screen", "--accession", "P04637", "--all", "--range", "175-175", "--out", out,
        "--msa", "alphafold",
    )  # fmt: skip
    assert code == 0, err
    assert "alignment_log_odds" in out.read_text().splitlines()[0]
    code, _, err = run("impact", "--wild", ARF, "--variant", "G16D", "--msa", "alphafold")
    assert code == 2 and "goes with the --accession" in err


def test_fetch_writes_what_was_found(run, tmp_path):
    code, out, err = run("fetch", "P04637", "--out", tmp_path / "p53")
    assert code == 0, err
    assert "393 residues, 5 features, 3 known variants; AF-P04637-F1 version 6" in out
    made = sorted(p.name for p in (tmp_path / "p53").iterdir())
    assert made == ["P04637-variants.csv", "P04637.cif", "P04637.fasta"]
    assert read_structure(tmp_path / "p53" / "P04637.cif").sequence == P53
    assert json.loads(run("fetch", "9zzz", "--out", tmp_path, "--json")[1])["files"] == ["9ZZZ.cif"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("fetch", "../hello"), "neither a UniProt accession nor a PDB entry"),
        (("fetch", "hello"), "no reviewed entry of gene hello"),
        (("fetch", "CDKN2A"), "several may be meant, give one of P42771"),
        (("impact", "--variant", "rs1042522"), "give one of P04637 P72R (P04637, "),
        (("fetch", "P99999"), "no entry P99999"),
        (("fetch", "P04637 R175H"), "as the variant"),
        (("impact", "--accession", "P04637", "--variant", "K175H"), "position 175 is R, not K"),
        (("impact", "--accession", "P04637", "--variant", "170-180"), "names 209 variants"),
        (("impact", "--accession", "P04637", "--wild", ARF, "--variant", "G16D"), "disagree"),
        (("impact", "--wild", ARF, "--variant", "G16D", "--numbering", "UniProt"), "are not known"),
    ],
)
def test_what_goes_wrong_is_one_line(run, arguments, says):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ") or "\nError: " in err
    assert says in err
