"""Screening: lists of variants, the stream, the table, and what the command writes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glass_core.errors import Cancelled, GlassError, InputError, ModelError, RecordError
from glass_core.impact.record import Impact
from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.columns import Columns, from_table, guess_columns
from glass_core.inputs.labels import read_label
from glass_core.inputs.lists import (
    VariantRequest,
    alanine_scan,
    all_substitutions,
    from_mutants,
    from_text,
    read_range,
    read_request,
)
from glass_core.inputs.proteins import read_proteins
from glass_core.inputs.table import read_table
from glass_core.inputs.upload import Upload
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.remodel.base import Remodelling
from glass_core.report.screen.agreement import agreements
from glass_core.report.screen.exports import screen_csv, screen_parquet
from glass_core.report.screen.tables import (
    columns_document,
    dictionary_frame,
    ranking_values,
    rejected_csv,
    screen_frame,
)
from glass_core.screen.columns import RANKINGS, SCREEN_COLUMNS, SCREEN_FORMAT
from glass_core.screen.rows import ScreenRow, finished_row, first_row, row_from
from glass_core.screen.stream import Failure, measure_each, screen

WILD = "MKTAYIAKQRQISFVKSHFSRQ"
PROTEIN = Protein.from_sequence(WILD, "one")
OTHER = Protein.from_sequence("ACDEFGHIKL", "two second protein")


def texts(asked):
    return [a.variant.text if a.variant else f"! {a.reason}" for a in asked]


def test_all_substitutions_of_a_range():
    asked = list(all_substitutions(PROTEIN, 3, 4))
    assert [a.row for a in asked] == list(range(1, 39))
    assert {a.variant.text for a in asked} == {
        f"{w}{p}{m}" for p, w in ((3, "T"), (4, "A")) for m in STANDARD if m != w
    }
    assert len(list(all_substitutions(PROTEIN))) == 19 * len(WILD)
    assert not list(all_substitutions(Protein.from_sequence("XUX"))), "no known wild type"
    with pytest.raises(InputError, match="residues 1 to 22"):
        list(all_substitutions(PROTEIN, 4, 23))


def test_alanine_scan_turns_alanines_to_glycine():
    assert texts(alanine_scan(PROTEIN, 3, 5)) == ["T3A", "A4G", "Y5A"]


@pytest.mark.parametrize(("text", "span"), [("10-12", (10, 12)), (" 7 ", (7, 7)), ("2:5", (2, 5))])
def test_ranges(text, span):
    assert read_range(text, PROTEIN) == span


@pytest.mark.parametrize("text", ["", "a-b", "5-2", "0-3", "1-99", "9" * 30, "-3", "1-2-3"])
def test_bad_ranges_say_so(text):
    with pytest.raises(InputError, match="range"):
        read_range(text, PROTEIN)


def test_text_gives_variants_and_reasons():
    asked = list(from_text("K2R, T3A;A4G  # a note\n\n M1V:K2R\nQ2A nonsense\n", [PROTEIN]))
    assert texts(asked)[:4] == ["K2R", "T3A", "A4G", "M1V:K2R"]
    assert "is K, not Q" in asked[4].reason and "cannot be read" in asked[5].reason
    assert [a.row for a in asked] == [1, 2, 3, 4, 5, 6]


def test_text_of_several_proteins_names_them():
    asked = list(from_text("two C2A\none K2R T3A\nthree K2R\n", [PROTEIN, OTHER]))
    assert [a.protein.name.split()[0] for a in asked] == ["two", "one", "one", "one"]
    assert "name of no protein" in asked[3].reason


def test_mutant_sequences():
    fasta = f">first\n{WILD[:1]}R{WILD[2:]}\n>same\n{WILD}\n>short\n{WILD[:5]}{WILD[6:]}\n"
    asked = list(from_mutants(fasta, PROTEIN))
    assert [a.text for a in asked] == ["first", "same", "short"]
    assert asked[0].variant.text == "K2R" and asked[2].variant.text == "I6del"
    assert "identical" in asked[1].reason


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_variants_or_reasons(text):
    for asked in from_text(text, [PROTEIN]):
        assert (asked.variant is None) == bool(asked.reason)
    try:
        list(from_mutants(text, PROTEIN))
    except GlassError as error:
        assert "\n" not in str(error)


def table(text, name="t.csv"):
    return read_table(text.encode(), name)


def test_columns_are_guessed_by_name_and_by_content():
    by_name = table("id,Mutant,DMS_score,DMS_score_bin\na,K2R,0.5,1\nb,T3A,-1,0\n")
    assert guess_columns(by_name, [PROTEIN]) == Columns(
        "Mutant", None, "DMS_score", "DMS_score_bin", one_is_fit=True
    )
    by_content = table("a\tchanges here\n1\tK2R\n2\tT3A\n", "t.tsv")
    assert guess_columns(by_content, [PROTEIN]).variant == "changes here"
    own = table("mutation,measured_value,measured_tm,label\nK2R,0.5,,1\n")
    assert guess_columns(own, [PROTEIN]) == Columns("mutation", None, "measured_value", "label")
    misleading = table("variant,hgvs\nrs1,p.Lys2Arg\nrs2,p.Thr3Ala\n")
    assert guess_columns(misleading, [PROTEIN]).variant == "hgvs"
    with pytest.raises(InputError, match="no column holds variants of one"):
        guess_columns(table("a,b\n1,2\n"), [PROTEIN])


def test_tables_carry_labels_scores_and_proteins():
    made = table(
        "protein;variant;score;label\none;K2R;1.5;Pathogenic\ntwo;C2A;;benign\n"
        "gone;K2R;x;uncertain\n"
    )
    asked = list(from_table(made, guess_columns(made, [PROTEIN, OTHER]), [PROTEIN, OTHER]).requests)
    assert [(a.label, a.measured_value) for a in asked] == [
        (True, 1.5),
        (False, None),
        (None, None),
    ]
    assert asked[1].protein is OTHER and "name of no protein" in asked[2].reason
    with pytest.raises(InputError, match="names the protein"):
        list(from_table(made, Columns("variant"), [PROTEIN, OTHER]).requests)
    assert read_label("1", one_is_fit=True) is False and read_label("0", True) is True
    assert read_label("benign", one_is_fit=True) is False
    assert read_label("VUS") is None and read_label("LP") is True and read_label("0") is False


def test_a_table_about_other_proteins_is_not_read_as_this_one():
    made = table("gene,variant\nTP53,K2R\none,K2R\nBRCA1,T3A\n")
    columns = guess_columns(made, [PROTEIN])
    asked = list(from_table(made, columns, [PROTEIN]).requests)
    assert [a.variant is not None for a in asked] == [False, True, False]
    nameless = Protein.from_sequence(WILD)
    with pytest.raises(InputError, match="names several proteins"):
        list(from_table(made, columns, [nameless]).requests)
    same = table("gene,variant\nTP53,K2R\nTP53,T3A\n")
    assert all(
        a.variant for a in from_table(same, guess_columns(same, [nameless]), [nameless]).requests
    )
    numbered = table("id,variant\n1,K2R\n2,T3A\n")
    assert all(
        a.variant
        for a in from_table(numbered, guess_columns(numbered, [PROTEIN]), [PROTEIN]).requests
    )


@pytest.mark.parametrize(
    "text",
    [
        "K2R\nT3A\n",
        "#variant,score\nK2R,1\nT3A,2\n",
        "# made by hand, today\nvariant\nK2R\nT3A\n",
        "variant,note\nK2R,x #1\nT3A,\n",
        "variant,score\nK2R,1,\nT3A,2,\n",
        "\n\nvariant\nK2R\n\nT3A\n",
        "variant;a;variant\nK2R;;\nT3A;;\n",
        "variant\nK2R\r\nT3A",
    ],
)
def test_ordinary_tables_lose_no_row(text):
    made = table(text)
    asked = list(from_table(made, guess_columns(made, [PROTEIN]), [PROTEIN]).requests)
    assert texts(asked) == ["K2R", "T3A"]


def test_a_parquet_table_may_have_the_variants_as_index(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"score": [1.0, 2.0]}, index=pd.Index(["K2R", "T3A"], name="variant")).to_parquet(
        path
    )
    made = read_table(path.read_bytes(), "t.parquet")
    assert texts(from_table(made, guess_columns(made, [PROTEIN]), [PROTEIN]).requests) == [
        "K2R",
        "T3A",
    ]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xff\xfe\x00", "t.csv"),
        (b"", "t.csv"),
        (b"a,b\n", "t.csv"),
        (b"PAR1junk", "t.parquet"),
        (b'a,b\n"1,2\n', "t.csv"),
    ],
)
def test_what_is_no_table_is_refused(content, name):
    with pytest.raises(InputError, match="t\\."):
        read_table(content, name)


@given(st.binary(max_size=300), st.sampled_from(["t.csv", "t.tsv", "t.parquet", "t.txt"]))
@settings(max_examples=200, deadline=None)
def test_any_file_gives_variants_or_one_line(content, name):
    try:
        list(VariantChoice("file", upload=Upload(content, name)).read([PROTEIN]).requests)
    except GlassError as error:
        assert "\n" not in str(error)


def test_proteins_of_a_screen(globin_file):
    assert [p.name for p in read_proteins(">a\nACD\n>b\nCDE\n")] == ["a", "b"]
    assert read_proteins("", Upload.from_path(globin_file), "A")[0].structure is not None
    with pytest.raises(InputError, match="called 'a'"):
        read_proteins(">a\nACD\n>a\nCDE\n")
    with pytest.raises(InputError, match="one wild-type sequence"):
        read_proteins(">a\nACD\n>b\nCDE\n", Upload.from_path(globin_file))


def test_the_stream_keeps_order_and_says_what_failed(tiny_predictor):
    asked = [*from_text("K2R wrong A4_I6del M1V:K2R", [PROTEIN]), read_request(5, "C2A", OTHER)]
    done = []
    made = list(screen(asked, predictor=tiny_predictor, progress=done.append))
    assert [type(m) for m in made] == [Impact, Failure, Impact, Impact, Impact]
    assert (made[1].row, made[1].text) == (2, "wrong")
    assert made[4].protein is OTHER and done == [4, 5]
    alone = tiny_predictor.predict(PROTEIN, [asked[2].variant])[0]
    assert made[2].prediction.tm_score == pytest.approx(alone.tm_score, abs=1e-5)
    np.testing.assert_allclose(made[2].prediction.lddt, alone.lddt, atol=1e-5)
    assert made[0].provenance.inputs["mutant_sha256"] != made[2].provenance.inputs["mutant_sha256"]


def test_chunks_change_nothing(tiny_predictor):
    asked = list(all_substitutions(PROTEIN, 1, 3))
    whole, pieces = (
        [i.prediction.tm_score for i in screen(asked, predictor=tiny_predictor, chunk_residues=n)]
        for n in (10**6, 50)
    )
    np.testing.assert_allclose(whole, pieces, atol=1e-5)


def test_one_bad_variant_does_not_take_the_others_with_it(tiny_predictor):
    class Picky:
        info = tiny_predictor.info
        tables = tiny_predictor.tables

        def predict(self, protein, variants, progress=None):
            if any(v.text == "T3A" for v in variants):
                raise ModelError("out of memory: use a shorter sequence.")
            return tiny_predictor.predict(protein, variants)

    made = list(screen(from_text("K2R T3A A4G", [PROTEIN]), predictor=Picky()))
    assert [isinstance(m, Failure) for m in made] == [False, True, False]
    assert made[1] == Failure(2, "T3A", "out of memory: use a shorter sequence.")


def test_a_stream_can_be_stopped_and_never_looks_ahead(tiny_predictor):
    seen = []

    def asking():
        for one in all_substitutions(PROTEIN):
            seen.append(one)
            yield one

    stream = screen(
        asking(), predictor=tiny_predictor, chunk_residues=100, cancelled=lambda: len(seen) > 20
    )
    with pytest.raises(Cancelled):
        list(stream)
    assert len(seen) < 40


def test_the_second_stage_measures(tiny_predictor, globin):
    class Same:
        def remodel(self, request, watch):
            from glass_core.remodel.base import Replicate

            if 2 in request.substitutions:
                raise ModelError("no force field.")
            return Replicate(request.seed, request.wild, request.wild, request.wild)

        def version(self):
            return "same 1"

    protein = Protein.from_structure(globin)
    asked = [read_request(p, f"{protein.sequence[p - 1]}{p}W", protein) for p in (3, 20)]
    calls = []

    class Counting:
        info, cost = tiny_predictor.info, tiny_predictor.cost

        def predict(self, protein, variants, progress=None):
            calls.extend(variants)
            return tiny_predictor.predict(protein, variants)

    made = list(measure_each(asked, predictor=Counting(), remodelling=Remodelling(Same())))
    assert calls == [a.variant for a in asked], "each is predicted once"
    assert isinstance(made[0], Failure) and made[0].reason == "no force field."
    assert made[1].tm_score == pytest.approx(1, abs=1e-4)
    row = finished_row(first_row(asked[1], (), tiny_predictor.info), made[1])
    assert row.measured_tm == pytest.approx(1, abs=1e-4)
    assert row.measured_lddt_site == pytest.approx(1, abs=1e-4)
    assert "same 1" in row.protocol and "seeds 1" in row.protocol


def test_every_column_is_a_field_and_documented():
    row = ScreenRow(1, "p", "K2R", "waiting")
    assert set(row.to_dict()) == set(SCREEN_COLUMNS)
    assert all(column.meaning for column in SCREEN_COLUMNS.values())
    assert row_from({**row.to_dict(), "effect": float("nan"), "unknown": 3}) == row
    assert list(dictionary_frame()["column"]) == [*SCREEN_COLUMNS]


@pytest.fixture(scope="module")
def rows(tiny_predictor, globin):
    protein = Protein.from_structure(globin)
    asked = list(all_substitutions(protein, 1, 3))
    asked[5:6] = [VariantRequest(6, "=bad()", protein, None, "=cannot be read")]
    asked[7] = read_request(8, f"{protein.sequence[0]}1del", protein)
    tables = tiny_predictor.tables(protein)
    first = [first_row(a, tables, tiny_predictor.info) for a in asked]
    outcomes = screen(asked, predictor=tiny_predictor)
    return [
        finished_row(r, o) if r.status == "waiting" else r
        for r, o in zip(first, outcomes, strict=True)
    ]


def test_rows_hold_what_impact_says(rows, tiny_predictor, globin):
    protein = Protein.from_structure(globin)
    row = rows[20]
    impact = next(screen([read_request(1, row.variant, protein)], predictor=tiny_predictor))
    assert row["predicted_tm"] == pytest.approx(impact.prediction.tm_score, abs=1e-6)
    site = impact.prediction.lddt[row.position - 1]
    assert row["predicted_lddt_site"] == pytest.approx(site, abs=1e-6)
    assert row["predicted_lddt_min"] <= row["predicted_lddt_site"]
    assert row.author_number == protein.author_number(row.position - 1)
    assert row.neighbours > 0 and row.secondary_structure in "HEC" and row.chain == "A"
    assert row.hgvs.startswith("p.") and row.status == "done"
    site_rows = [r for r in rows if r.position == 3]
    order = sorted(site_rows, key=lambda r: r["effect"])
    np.testing.assert_allclose([r["percentile_site"] for r in order], np.arange(19) * 100 / 19)
    assert rows[7]["effect"] is None and rows[7]["predicted_lddt_site"] is None
    assert rows[5].status == "rejected" and rows[5]["predicted_tm"] is None


def test_scores_rise_with_damage(rows):
    frame = screen_frame(rows)
    for score in RANKINGS:
        order = RANKINGS[score]
        column = ranking_values(frame, score)
        by_row = [None if (v := r[order.column]) is None else order.of(v) for r in rows]
        np.testing.assert_allclose(
            column.to_numpy(), [np.nan if v is None else v for v in by_row], equal_nan=True
        )
    assert ranking_values(frame, "lddt_deficit").min() >= -1e-9


def test_csv_and_parquet_hold_the_same(rows, tmp_path):
    csv = pd.read_csv(pd.io.common.StringIO(screen_csv(rows)))
    path = tmp_path / "t.parquet"
    path.write_bytes(screen_parquet(rows))
    parquet = pd.read_parquet(path)
    assert list(csv.columns) == [*parquet.columns, "format"] == [*SCREEN_COLUMNS, "format"]
    assert set(csv["format"]) == {SCREEN_FORMAT}
    np.testing.assert_allclose(csv["predicted_tm"], parquet["predicted_tm"], equal_nan=True)
    assert csv["variant"][5] == "'=bad()", "no formula"
    import pyarrow.parquet as pq

    dictionary = json.loads(pq.read_schema(path).metadata[b"glass_columns"])
    assert dictionary["effect"]["meaning"] == SCREEN_COLUMNS["effect"].meaning
    bad = pd.read_csv(pd.io.common.StringIO(rejected_csv(rows)))
    assert bad["row"].tolist() == [6] and bad["reason"][0].startswith("'=")
    assert rejected_csv(rows[:3]) == ""


def test_agreement_with_labels_and_values(rows):
    known = [r for r in rows if r["effect"] is not None]
    told = [
        row_from({**r.to_dict(), "measured_value": -r["effect"], "label": int(r["effect"] > 0)})
        for r in known
    ]
    found = {a.ranking: a for a in agreements(screen_frame(told))}
    assert found["effect"].spearman == pytest.approx(-1)
    assert found["effect"].auroc == 1 and found["effect"].labels == len(known)
    assert agreements(screen_frame(rows)) == []


def test_records_are_checked():
    with pytest.raises(RecordError):
        Failure(1, "K2R", "")
    with pytest.raises(RecordError):
        VariantRequest(0, "K2R", PROTEIN, None, "why")
    with pytest.raises(RecordError):
        VariantRequest(1, "K2R", PROTEIN, None)


def test_command_scores_all_substitutions_of_a_range(run, tmp_path):
    out = tmp_path / "s.csv"
    code, said, err = run("screen", "--wild", WILD, "--all", "--range", "2-3", "--out", out)
    assert code == 0, err
    made = pd.read_csv(out)
    assert len(made) == 38 and "38 of 38" in said and (made["status"] == "done").all()
    assert {
        "variant",
        "position",
        "wild_type",
        "mutant",
        "predicted_tm",
        "predicted_lddt_site",
        "predicted_lddt_min",
        "effect",
        "p_damaging",
        "percentile_site",
        "percentile_protein",
        "blosum62",
        "status",
        "reason",
    } <= set(made.columns)
    assert not (tmp_path / "s-rejected.csv").exists()


def test_command_reads_a_table_and_reports_bad_rows(run, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("mutant,DMS_score\nK2R,1\nQ2R,2\nT3A,3\nA4G,\n")
    code, _, err = run(
        "screen", "--wild", WILD, "--variants", source, "--out", tmp_path / "o.parquet"
    )
    assert code == 3 and "1 gave no result" in err
    made = pd.read_parquet(tmp_path / "o.parquet")
    assert made["status"].tolist() == ["done", "rejected", "done", "done"]
    assert made["measured_value"].iloc[0] == 1 and np.isnan(made["measured_value"].iloc[3])
    assert pd.read_csv(tmp_path / "o-rejected.csv")["row"].tolist() == [2]


def test_command_takes_many_proteins(run, tmp_path):
    fasta = tmp_path / "w.fasta"
    fasta.write_text(f">one\n{WILD}\n>two\nACDEFGHIKL\n")
    source = tmp_path / "in.tsv"
    source.write_text("protein\tvariant\ntwo\tC2A\none\tK2R\ntwo\tD3A\n")
    code, _, err = run("screen", "--wild", fasta, "--variants", source, "--out", tmp_path / "o.csv")
    assert code == 0, err
    assert pd.read_csv(tmp_path / "o.csv")["protein"].tolist() == ["two", "one", "two"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--wild", WILD, "--all", "--out", "o.txt"), "ends in .csv"),
        (("--wild", WILD, "--out", "o.csv"), "one of --variants"),
        (("--wild", WILD, "--all", "--alanine", "--out", "o.csv"), "one of --variants"),
        (("--wild", WILD, "--variants", "K2R", "--range", "2", "--out", "o.csv"), "--range goes"),
        (("--wild", "", "--all", "--out", "o.csv"), "wild type: is empty"),
        (("--wild", WILD, "--all", "--range", "1-99", "--out", "o.csv"), "residues 1 to 22"),
        (("--wild", WILD, "--all", "--rank", "luck", "--out", "o.csv"), "is no ranking"),
        (("--wild", WILD, "--all", "--remodel", "nope", "--out", "o.csv"), "nope"),
        (("--wild", WILD, "--variants", " ", "--out", "o.csv"), "there are none"),
    ],
)
def test_command_refuses_in_one_line(run, arguments, words):
    code, out, err = run("screen", *arguments)
    assert code == 2 and out == ""
    assert words in err and err.startswith("Error: ") and len(err.splitlines()) == 1


def test_the_data_dictionary_in_docs_is_this_one():
    from pathlib import Path

    text = (Path(__file__).parents[1] / "docs" / "screen-columns.md").read_text()
    assert text == columns_document()


@pytest.mark.data
def test_a_measured_scan_of_the_shared_data_gives_its_spearman(shared_data, tmp_path):
    """The committed model; a scan of ProteinGym as a user would upload it."""
    from glass_core.models.registry import load_predictor
    from glass_core.settings import Settings

    table = pd.read_parquet(
        shared_data / "variants" / "dms.parquet",
        columns=["assay", "wt_sequence", "mutant", "n_mut", "score"],
    )
    scan = table[table["assay"] == "CCDB_ECOLI_Tripathi_2016"]
    protein = Protein.from_sequence(scan["wt_sequence"].iloc[0], "CcdB")
    upload = Upload(scan[["mutant", "score"]].to_csv(index=False).encode(), "scan.csv")
    asked = list(VariantChoice("file", upload=upload).read([protein]).requests)
    assert len(asked) == len(scan) and all(
        a.variant and a.measured_value is not None for a in asked
    )
    predictor = load_predictor(Settings(device="cpu"))
    tables = predictor.tables(protein)
    frame = screen_frame(first_row(a, tables, predictor.info) for a in asked)
    found = {a.ranking: a for a in agreements(frame)}
    assert found["effect"].values == len(scan)
    assert found["effect"].spearman < found["blosum62"].spearman < 0, "fitness falls with damage"


def test_rankings_are_those_that_a_model_tells():
    from glass_core.screen.columns import rankings_of

    everything = rankings_of(["siamese", "structure_effect", "stability", "combined"])
    assert everything[:3] == ["p_combined", "p_damaging", "effect"] and "ddg" in everything
    bare = rankings_of(["siamese"])
    assert bare[0] == "lddt_deficit" and "alignment_log_odds" in bare and "blosum62" in bare
    assert not {"p_combined", "p_damaging", "effect", "ddg"} & set(bare)
