"""AlphaMissense's scores and AlphaFold's alignment, through a local AlphaFold DB."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glass_core.errors import NotFoundError, SourceError
from glass_core.inputs.msa import read_profile
from glass_core.protein.accession import Accession
from glass_core.protein.variant import Variant
from glass_core.settings import Settings
from glass_core.sources.alphafold import alphafold_alignment
from glass_core.sources.alphamissense import CLASSES, read_scores
from glass_core.sources.fetch import Answer, Fetcher, Limits
from glass_core.sources.lookup import look_up
from tests.tools.services import P53, Reply, bomb, environment, helix, missense_table, record

FAST = Limits(bytes=40_000_000, silence_s=1.0, total_s=5.0, attempts=2, longest_wait_s=0.01)
P53_ENTRY = Accession("uniprot", "P04637")
TABLE = "/files/AF-P04637-F1-aa-substitutions.csv"
HEAD = "protein_variant,am_pathogenicity,am_class\n"


@pytest.fixture
def settings(services, tmp_path):
    return Settings.from_environment(environment(services, tmp_path / "downloads"))


@pytest.fixture
def fetcher(settings):
    return Fetcher(settings, FAST)


def note_of(found):
    (note,) = (note for note in found.notes if note.startswith("No AlphaMissense scores"))
    assert "\n" not in note
    assert len(note) < 600
    return note


def read(text, sequence="MKT"):
    return read_scores(Answer("x", (HEAD + text).encode(), "2026-01-02"), sequence, "AF-X-F1")


def test_scores_come_with_a_human_protein(fetcher):
    found = look_up(P53_ENTRY, fetcher)
    (scores,) = found.annotation.external
    assert scores.sequence == P53
    assert scores.score.shape == (393, 20)
    assert np.isnan(scores.score).sum() == 393, "the own letters alone have none"
    assert scores.licence == "CC BY 4.0"
    assert "Science 381" in scores.credit
    assert "AF-P04637-F1" in scores.source
    assert scores.version.startswith("SHA-256 ")
    assert scores.higher_is_damaging
    told = scores.told(Variant.parse("D393Y", P53))
    assert told["alphamissense"] > 0.999
    assert told["alphamissense_percentile"] > 99.9
    assert scores.class_of(Variant.parse("D393Y", P53)) == "likely pathogenic"
    assert scores.class_of(Variant.parse("M1A", P53)) == "likely benign"
    assert not any("AlphaMissense" in str(one) for one in found.annotation.retrieved)


def test_without_an_address_there_are_none_and_nothing_is_said(fetcher, services):
    found = look_up(Accession("uniprot", "P62593"), fetcher)
    assert found.annotation.external == ()
    assert not any("AlphaMissense" in note for note in found.notes)
    assert not any("substitutions" in path for path in services.asked)


def test_a_damaged_structure_does_not_cost_the_scores(fetcher, services):
    services.replies["/files/AF-P04637-F1.cif"] = Reply(b"data_x\n_entry.id x\n")
    assert look_up(P53_ENTRY, fetcher).annotation.external


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "file:///etc/passwd", "HERE@evil.example/x", "http://["],
)
def test_another_host_is_not_asked(fetcher, services, url):
    url = url.replace("HERE", services.address)
    files = f"{services.address}/files/AF-P04637-F1"
    services.json("/api/prediction/P04637", [record("P04637", P53, files, amAnnotationsUrl=url)])
    found = look_up(P53_ENTRY, fetcher)
    assert found.structure is not None
    assert found.annotation.external == ()
    note_of(found)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (bomb(30), "larger than 20 MB"),
        (Reply(b"x", 404), "not known"),
        (Reply(b"x", 503), "busy"),
        (Reply(b""), "empty file"),
        (Reply(b"<html>log in</html>"), "web page"),
        (Reply(b"\xff\xfe\x00"), "no table of comma-separated values"),
        (Reply(HEAD.encode() + b'"M1A,0.5,Amb\n'), "no table of comma-separated values"),
        (Reply(HEAD.encode()), "has no rows"),
        (Reply(b"a,b,c\n1,2,3\n"), "has no column am_class"),
        (Reply(missense_table(P53) + b"x,0.1,Amb\n"), "line 7469: 'x' is no substitution"),
        (Reply(missense_table(P53)[:-9]), "line 7468"),
    ],
)
def test_a_bad_table_costs_only_itself(fetcher, services, reply, says):
    services.replies[TABLE] = reply
    found = look_up(P53_ENTRY, fetcher)
    assert found.structure is not None
    assert found.annotation.pae is not None
    assert found.annotation.external == ()
    assert says in note_of(found)


def test_a_table_of_another_sequence_is_refused(fetcher, services):
    services.replies[TABLE] = Reply(missense_table("M" + P53))
    assert "line 21: M2A is of another sequence, UniProt's has E there" in note_of(
        look_up(P53_ENTRY, fetcher)
    )
    services.replies[TABLE] = Reply(missense_table(P53 + "M"))
    fresh = Fetcher(fetcher.settings, replace(FAST, fresh_days=0))
    assert "M394A is of another sequence, UniProt's ends before there" in note_of(
        look_up(P53_ENTRY, fresh)
    )


@pytest.mark.parametrize(
    "classes",
    [
        ("LBen", "Amb", "LPath"),
        ("likely_benign", "ambiguous", "likely_pathogenic"),
        ("benign", "Ambiguous", "pathogenic"),
    ],
)
def test_every_spelling_of_the_classes_is_read(classes):
    b, a, p = classes
    scores = read(f"M1A,0.1,{b}\nM1C,0.4,{a}\nK2A,1,{p}\n")
    said = [scores.class_of(Variant.parse(v, "MKT")) for v in ("M1A", "M1C", "K2A", "T3A")]
    assert said == [*CLASSES, ""]
    assert scores.told(Variant.parse("M1A", "MKT")) == {
        "alphamissense": 0.1,
        "alphamissense_percentile": 0.0,
    }
    assert scores.told(Variant.parse("T3A", "MKT")) == {}, "what is lacking is no value"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("M1A,1.5,Amb", "no number from 0 to 1"),
        ("M1A,nan,Amb", "no number from 0 to 1"),
        ("M1A,,Amb", "no number from 0 to 1"),
        ("M1A,0.5,Perhaps", "no class of AlphaMissense"),
        ("M1A,0.5", "no class of AlphaMissense"),
        ("M1M,0.5,Amb", "no substitution"),
        ("M1*,0.5,Amb", "no substitution"),
        ("M1U,0.5,Amb", "no substitution"),
        ("M0A,0.5,Amb", "no substitution"),
        ("M" + "9" * 5000 + "A,0.5,Amb", "no substitution"),
        ("M1A,0.5,Amb\nM1A,0.5,Amb", "line 3: has M1A a second time"),
    ],
)
def test_a_bad_row_is_named(row, says):
    with pytest.raises(SourceError, match=says) as caught:
        read(row)
    assert "\n" not in str(caught.value)


def test_offline_lives_on_what_is_kept(fetcher, services, settings):
    first = look_up(P53_ENTRY, fetcher).annotation.external[0]
    asked = len(services.asked)
    offline = Fetcher(replace(settings, offline=True), FAST)
    again = look_up(P53_ENTRY, offline).annotation.external[0]
    assert len(services.asked) == asked
    assert np.array_equal(again.score, first.score, equal_nan=True)
    assert again.retrieved == first.retrieved


def test_a_stale_table_is_better_than_none_and_says_so(fetcher, services, settings):
    look_up(P53_ENTRY, fetcher)
    services.replies[TABLE] = Reply(b"x", 503)
    found = look_up(P53_ENTRY, Fetcher(settings, replace(FAST, fresh_days=0)))
    assert found.annotation.external
    (note,) = (note for note in found.notes if "which was kept" in note)
    assert "substitutions" in note


def test_a_model_of_a_part_is_read_in_uniprot_numbers(fetcher, services):
    part = P53[90:300]
    services.json(
        "/api/prediction/P04637",
        [
            record(
                "P04637",
                part,
                f"{services.address}/files/part",
                sequenceStart=91,
                amAnnotationsUrl=services.address + TABLE,
            )
        ],
    )
    services.replies["/files/part.cif"] = Reply(helix(part, "A", plddt=True))
    assert look_up(P53_ENTRY, fetcher).annotation.external[0].sequence == P53


# --- the alignment ------------------------------------------------------------------------


def test_the_alignment_is_fetched_on_request_and_can_be_read(fetcher, services):
    found = look_up(P53_ENTRY, fetcher)
    assert not any(path.endswith(".a3m") for path in services.asked)
    content = alphafold_alignment(found.model, fetcher)
    profile = read_profile(content, P53, name="AF-P04637-F1.a3m")
    assert profile.depth == 2
    assert profile.why_not_used


def test_an_alignment_that_is_not_there_or_too_large(fetcher, services, settings):
    found = look_up(P53_ENTRY, fetcher)
    with pytest.raises(NotFoundError, match="tells of no alignment"):
        alphafold_alignment(replace(found.model, alignment_url=""), fetcher)
    elsewhere = replace(found.model, alignment_url="http://evil.example/x.a3m")
    with pytest.raises(SourceError, match="none of the services"):
        alphafold_alignment(elsewhere, fetcher)
    services.replies["/files/AF-P04637-F1-msa.a3m"] = bomb(50)
    with pytest.raises(SourceError, match="larger than 40 MB"):
        alphafold_alignment(found.model, fetcher)
