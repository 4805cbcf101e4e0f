"""Accessions, numberings and known variants on the pages, a local server for the network."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from glass_core.runs.store import RunStore
from glass_core.settings import Settings
from pages.parts.hand_over import HandOver
from tests.test_pages_impact import APP, headline, look_at, words
from tests.test_protein_structure import pdb_line, pdb_text
from tests.tools.pace import patience
from tests.tools.services import ARF, P53, Reply, environment


@pytest.fixture
def page(services, tiny_assets, tmp_path, monkeypatch):
    import streamlit as st

    places = environment(services, tmp_path / "downloads") | {
        "GLASS_ASSETS": str(tiny_assets),
        "GLASS_MODELS": str(tmp_path / "none"),
        "GLASS_DEVICE": "cpu",
        "GLASS_RUNS": str(tmp_path / "runs.sqlite"),
    }
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield AppTest.from_file(str(APP), default_timeout=patience(60)).run()
    st.cache_resource.clear()


def look_up(page, text, role=""):
    page.text_input(key=f"{role}accession").set_value(text)
    page.button(key=f"{role}look_up").click().run()
    assert not page.exception
    return page


def captions(page):
    return " ".join(c.value for c in page.caption).replace("\\", "")


def texts(page):
    return " ".join(m.value for m in page.markdown).replace("\\", "")


def test_an_accession_fills_the_form_and_says_what_was_found(page):
    look_up(page, "Q8N726")
    assert ARF in page.text_area(key="wild").value
    assert "Tumor suppressor ARF (CDKN2A), Homo sapiens" in texts(page)
    said = captions(page)
    assert "Q8N726, 132 residues" in said
    assert "mean pLDDT 6" in said
    assert "AlphaFold DB AF-Q8N726-F1 version 6, retrieved 2" in said
    assert "Structure: AF-Q8N726-F1.cif" in said
    assert "run" not in page.query_params


def test_an_accession_with_a_variant_is_analysed_at_once(page):
    look_up(page, "P04637 R175H")
    assert "R175H" in headline(page)
    assert page.query_params["run"]
    assert any("what was chosen (2)" in e.label for e in page.expander)
    look_at(page, "Known variants")
    assert len(next(d.value for d in page.dataframe if "significance" in d.value.columns)) == 3
    look_at(page, "Distances")
    assert "it is confidence, not an effect" in captions(page)
    look_at(page, "How it was read")
    assert "p.Arg175His" in captions(page)
    ledger = next(d.value for d in page.dataframe if "change" in d.value.columns)
    assert ledger.iloc[0].tolist() == ["R175H", "175", "175", "A", "175"]
    assert "UniProt P04637" in ledger.columns


def test_the_same_typed_into_the_variant_box(page):
    page.text_input(key="variant").set_value("Q8N726 G16D")
    page.button(key="analyse").click().run()
    assert not page.exception
    assert "G16D" in headline(page)
    assert page.text_input(key="accession").value == "Q8N726 G16D"


def test_an_example_by_accession(page):
    page.button(key="example p14ARF G16D").click().run()
    assert not page.exception
    assert "G16D" in headline(page)


def test_a_result_opened_again_still_knows_the_protein(page):
    look_up(page, "P04637 R175H")
    again = AppTest.from_file(str(APP), default_timeout=patience(60))
    again.query_params["run"] = page.query_params["run"]
    again.run()
    assert not again.exception
    assert "Cellular tumor antigen p53" in texts(again)
    look_at(again, "Known variants")
    assert any("significance" in d.value.columns for d in again.dataframe)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is neither a UniProt accession"),
        ("hello", "is neither"),
        ("P99999", "no entry P99999"),
        ("P00001", "no longer there"),
        ("../x", "is neither"),
        ("http://x.y/z", "is neither"),
    ],
)
def test_a_failed_look_up_keeps_the_form(page, text, says):
    page.text_area(key="wild").set_value(ARF)
    look_up(page, text)
    assert len(page.error) == 1
    assert says in page.error[0].value
    assert page.text_area(key="wild").value == ARF
    page.text_input(key="variant").set_value("G16D")
    page.button(key="analyse").click().run()
    assert "G16D" in headline(page)


def test_no_network_is_said_and_a_pasted_sequence_still_works(page, services):
    for path in list(services.replies):
        services.replies[path] = Reply(b"<html>log in</html>", kind="text/html")
    look_up(page, "P04637")
    assert "answered with a web page" in page.error[0].value
    page.text_area(key="wild").set_value(P53)
    page.text_input(key="variant").set_value("R175H")
    page.button(key="analyse").click().run()
    assert "R175H" in headline(page)


def test_clear_empties_what_was_looked_up(page):
    look_up(page, "P04637 R175H")
    page.button(key="clear_accession").click().run()
    assert not page.exception
    assert page.text_area(key="wild").value == ""
    assert page.session_state["annotation"] is None
    page.text_area(key="wild").set_value(ARF)
    page.text_input(key="variant").set_value("G16D")
    page.button(key="analyse").click().run()
    assert not page.error


def test_another_sequence_beside_an_accession_is_refused(page):
    look_up(page, "Q8N726")
    page.text_area(key="wild").set_value(P53)
    page.text_input(key="variant").set_value("R175H")
    page.button(key="analyse").click().run()
    assert "disagree" in page.error[0].value


def test_author_numbers_of_a_pdb_entry(page):
    look_up(page, "9zzz")
    assert "Structure: 9zzz.cif" in captions(page)
    page.selectbox(key="numbering").set_value("author")
    page.text_input(key="variant").set_value("A:G116D")
    page.button(key="analyse").click().run()
    assert not page.exception
    assert "G116D" in headline(page), "the user's own numbers lead"
    look_at(page, "How it was read")
    assert "Numbers were read as author numbers" in captions(page)


def test_a_numbering_without_numbers_says_so(page):
    page.text_area(key="wild").set_value(ARF)
    page.text_input(key="variant").set_value("G16D")
    page.selectbox(key="numbering").set_value("UniProt")
    page.button(key="analyse").click().run()
    assert "UniProt positions are not known" in page.error[0].value


def test_several_variants_are_offered_to_the_screen(page):
    page.text_area(key="wild").set_value(ARF)
    page.text_input(key="variant").set_value("G16D/A")
    page.button(key="analyse").click().run()
    assert "names 2 variants where one is meant" in page.error[0].value
    page.button(key="screen_them").click().run()
    assert not page.exception
    assert page.text_area(key="screen_list").value == "G16D/A"
    assert page.query_params["run"]


def test_the_structures_residues_can_be_followed(page):
    from glass_core.inputs.upload import Upload

    names = ["MET", "LYS", "TRP", "ALA", "TYR", "ILE", "ALA", "LYS"]
    page.session_state["given"] = Upload(
        pdb_text(*(pdb_line(n, res=name, x=3.8 * n) for n, name in enumerate(names, start=1))),
        "mine.pdb",
    )
    page.text_area(key="wild").set_value("MKTAYIAK")
    page.text_input(key="variant").set_value("K2R")
    page.button(key="analyse").click().run()
    assert any("mismatches: 1" in e.label for e in page.expander)
    page.button(key="follow_structure").click().run()
    assert not page.exception
    assert page.text_area(key="wild").value == "MKWAYIAK"
    assert not any("mismatches" in e.label for e in page.expander)


def test_chains_are_shown_with_their_sequences(page, globin_file):
    from glass_core.inputs.upload import Upload

    page.session_state["given"] = Upload(globin_file.read_bytes(), "2gtl.pdb")
    page.run()
    assert "A (147 residues)" in page.selectbox(key="chain").options
    assert any(code.value.startswith(">A\n") and ">M\n" in code.value for code in page.code)


def test_known_variants_are_screened(page):
    page.switch_page("pages/screen.py").run()
    look_up(page, "P04637", "screen_")
    assert P53 in page.text_area(key="screen_wild").value
    page.session_state["screen_which"] = "Known"
    page.run()
    assert "**3 accepted**, 0 rejected" in texts(page)
    page.button(key="screen_go").click().run()
    assert not page.exception
    assert page.query_params["run"]


def test_lists_in_other_numbers(page):
    page.switch_page("pages/screen.py").run()
    look_up(page, "9zzz G116D", "screen_")
    page.selectbox(key="screen_numbering").set_value("author").run()
    assert "**1 accepted**, 0 rejected" in texts(page)
    page.selectbox(key="screen_numbering").set_value("sequence").run()
    assert "**0 accepted**, 1 rejected" in texts(page)


def deep_alignment(sequence: str) -> bytes:
    """Sixty homologues of which each differs at a fifth of the positions, as A3M."""
    rng = np.random.default_rng(0)
    rows = [sequence]
    for _ in range(60):
        changed = rng.random(len(sequence)) < 0.3
        rows.append("".join("A" if c else s for c, s in zip(changed, sequence, strict=True)))
    return "".join(f">{n}\n{row}\n" for n, row in enumerate(rows)).encode()


def test_alphafold_s_alignment_is_fetched_when_it_is_asked_for(page, services):
    path = "/files/AF-Q8N726-F1-msa.a3m"
    services.replies[path] = Reply(deep_alignment(ARF), kind="text/plain")
    assert not [b for b in page.button if b.key == "fetch_alignment"]
    look_up(page, "Q8N726")
    assert path not in services.asked
    page.button(key="fetch_alignment").click().run()
    assert not page.exception and path in services.asked
    assert "AF-Q8N726-F1-msa.a3m is used" in captions(page)
    page.text_input(key="variant").set_value("G16D")
    page.button(key="analyse").click().run()
    assert not page.exception
    look_at(page, "All evidence")
    evidence = next(d.value for d in page.dataframe if "evidence" in d.value.columns)
    row = evidence[evidence["evidence"] == "the alignment"].iloc[0]
    assert "AF-Q8N726-F1-msa.a3m, 61 rows" in row["source"]
    look_up(page, "P04637")
    assert not page.exception and not page.error, "the alignment was of another protein"
    assert "msa.a3m is used" not in captions(page)
    look_up(page, "Q8N726")
    page.button(key="fetch_alignment").click().run()
    page.button(key="clear_accession").click().run()
    assert "msa.a3m is used" not in captions(page)
    assert not [b for b in page.button if b.key == "fetch_alignment"]


def test_an_alignment_that_cannot_be_fetched_is_said(page, services):
    services.replies.pop("/files/AF-Q8N726-F1-msa.a3m")
    look_up(page, "Q8N726")
    page.button(key="fetch_alignment").click().run()
    assert not page.exception
    assert any("404" in e.value or "not" in e.value for e in page.error)
    assert ARF in page.text_area(key="wild").value, "nothing is lost"


def screen_with_alignment(page, services, span):
    services.replies["/files/AF-Q8N726-F1-msa.a3m"] = Reply(deep_alignment(ARF), kind="text/plain")
    page.switch_page("pages/screen.py").run()
    look_up(page, "Q8N726", "screen_")
    page.button(key="screen_fetch_alignment").click().run()
    page.text_input(key="screen_range").set_value(span).run()
    page.button(key="screen_go").click().run()


def test_a_screen_takes_the_fetched_alignment(page, services):
    screen_with_alignment(page, services, "16-17")
    assert not page.exception
    assert page.dataframe[0].value["alignment_log_odds"].notna().all()


def test_an_alignment_goes_along_with_a_variant_that_is_opened(page, services):
    screen_with_alignment(page, services, "16-16")
    run = page.query_params["run"]
    page.session_state["hand_over_impact"] = HandOver.of_protein(opened(run), "G16D")
    page.switch_page("pages/impact.py").run()
    assert not page.exception
    assert "Of the result: AF-Q8N726-F1-msa.a3m, 61 rows" in captions(page)
    look_at(page, "All evidence")
    rows = next(d.value for d in page.dataframe if "evidence" in d.value.columns)
    assert "the alignment" in set(rows["evidence"])
    page.button(key="remove_profile").click().run()
    assert "Of the result" not in captions(page)


def opened(run):
    """The protein of a screen's run."""
    return RunStore(Settings.from_environment().runs).inputs(run).proteins[0]


def test_a_gene_and_a_variant_are_looked_up_and_analysed(page):
    page.text_input(key="variant").set_value("TP53 R175H")
    page.button(key="analyse").click().run()
    assert not page.exception and not page.error
    assert "R175H" in headline(page)
    assert page.session_state["annotation"].accession == "P04637"


def test_a_name_of_dbsnp_leads_to_its_variant(page):
    page.text_input(key="variant").set_value("rs28934578")
    page.button(key="analyse").click().run()
    assert not page.exception
    assert page.error or "R175" in headline(page)


def test_a_variant_that_fits_another_numbering_is_offered(page):
    """HBB's E7V, as the literature has it: E6V, the first methionine not counted."""
    page.text_area(key="wild").set_value("MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFF")
    page.text_input(key="variant").set_value("E6V")
    page.button(key="analyse").click().run()
    assert "position 6 is P, not E" in page.error[0].value
    assert "E7" in words(page)
    page.button(key="proposal 0").click().run()
    assert not page.exception and not page.error
    assert "E6V" in headline(page), "the user's own number leads"
    page.text_input(key="variant").set_value("K8A")
    page.button(key="analyse").click().run()
    assert "K8A" in headline(page), "and stays for the next variant"


def test_nucleotides_are_translated_when_that_is_wanted(page):
    page.text_input(key="variant").set_value("ATGGTGCATCTGACTCCTGAGGAGAAGTCTGCCGTTACTGCCTGA")
    page.button(key="analyse").click().run()
    assert "nucleotides" in page.error[0].value
    page.button(key="translation").click().run()
    assert page.text_area(key="wild").value.split()[-1] == "MVHLTPEEKSAVTA"


def test_a_protein_alone_waits_for_its_variant(page):
    page.text_input(key="variant").set_value("P04637")
    page.button(key="analyse").click().run()
    assert not page.exception and not page.error
    assert "Cellular tumor antigen p53" in page.info[0].value
    assert "Which variant of it?" in page.info[0].value
    page.text_input(key="variant").set_value("R175H")
    page.button(key="analyse").click().run()
    assert "R175H" in headline(page)
    assert not any("Which variant" in i.value for i in page.info)


def test_a_protein_that_waits_can_be_screened(page):
    page.text_area(key="wild").set_value(ARF).run()
    page.button(key="screen_waiting").click().run()
    assert not page.exception
    assert page.text_area(key="screen_wild").value == ARF
    assert page.query_params["run"]
