"""Databases that TM-Vec made, searched with the checkpoint that made them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from glass_core.errors import InputError
from glass_core.models.registry import load_predictor
from glass_core.search.tmvec_database import take_over
from tests.test_models_tmvec import settings, theirs  # noqa: F401
from tests.test_search_database import Evil, some
from tests.tools.dashboard import ROOT
from tests.tools.pace import patience


@pytest.fixture
def predictor(settings):  # noqa: F811
    return load_predictor(settings, "tm_vec_tiny")


@pytest.fixture
def made(predictor, tmp_path):
    """db.npy, meta.npy and the FASTA, as TM-Vec's build-database leaves them."""
    vectors = predictor.vectors([one.sequence for one in some(9)]) * np.arange(1, 10)[:, None]
    np.save(tmp_path / "db.npy", vectors.astype(np.float32))
    np.save(tmp_path / "meta.npy", np.array([f"{one.id} {one.description}" for one in some(9)]))
    (tmp_path / "x.fasta").write_text("".join(one.fasta for one in some(9)))
    return tmp_path


def test_its_vectors_are_taken_over_and_searched(made, predictor, run, settings):  # noqa: F811
    environment = {"GLASS_MODELS": str(settings.models), "GLASS_PROTT5": settings.prott5}
    code, out, told = run(
        "database", "import", made / "db.npy", made / "meta.npy", "--model", "tm_vec_tiny",
        "--fasta", made / "x.fasta", "--out", made / "db", **environment,
    )  # fmt: skip
    assert (code, "9 sequences, 270 residues" in out) == (0, True), told
    code, out, told = run(
        "search", some(4)[3].sequence, "--database", made / "db", "--model", "tm_vec_tiny",
        "--align", "--json", **environment,
    )  # fmt: skip
    assert code == 0, told
    first, *_ = json.loads(out)
    assert (first["database_id"], first["is_query"], first["identity"]) == ("s3", True, 1)
    assert first["tm_score"] == pytest.approx(1, abs=1e-3)
    code, _, told = run("search", "MKTAYIAK", "--database", made / "db", **environment)
    assert (code, "--model tm_vec_tiny" in told) == (2, True)


def test_the_forks_archive_without_sequences(made, predictor):
    np.savez_compressed(
        made / "db.npz",
        headers=np.load(made / "meta.npy"),
        embeddings=np.load(made / "db.npy"),
        input_fasta="/somewhere/else.fasta",
    )
    there = take_over(made / "db.npz", None, made / "out", predictor)
    assert there.entries([2])[0].id == "s2"
    assert there.entries([2])[0].sequence == ""
    np.testing.assert_allclose(np.linalg.norm(there.vectors.astype(float), axis=1), 1, atol=1e-2)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("no headers", "give meta.npy"),
        ("width", "name the model that made them"),
        ("count", "different databases"),
        ("pickled headers", "cannot be read as a database of TM-Vec"),
        ("pickled vectors", "cannot be read as a database of TM-Vec"),
        ("nan", "no numbers"),
        ("fasta", "give those that the vectors were made of"),
        ("left out", "joined to it by position"),
        ("text", "cannot be read as a database of TM-Vec"),
    ],
)
def test_other_files_are_refused(damage, words, made, predictor, capsys):
    headers, fasta = made / "meta.npy", None
    vectors = np.load(made / "db.npy")
    if damage == "no headers":
        headers = None
    elif damage == "width":
        np.save(made / "db.npy", vectors[:, :7])
    elif damage == "count":
        np.save(made / "db.npy", vectors[:7])
    elif damage == "pickled headers":
        np.save(made / "meta.npy", np.array([Evil()] * 9, dtype=object), allow_pickle=True)
    elif damage == "pickled vectors":
        np.save(made / "db.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    elif damage == "nan":
        vectors[3, 3] = np.nan
        np.save(made / "db.npy", vectors)
    elif damage == "fasta":
        fasta = made / "short.fasta"
        fasta.write_text(some(1)[0].fasta)
    elif damage == "left out":
        fasta = made / "bad.fasta"
        fasta.write_text((made / "x.fasta").read_text() + ">bad\nMK1\n")
    elif damage == "text":
        (made / "db.npy").write_text("no")
    with pytest.raises(InputError, match=words) as caught:
        take_over(made / "db.npy", headers, made / "out", predictor, fasta)
    assert "\n" not in str(caught.value)
    assert "owned" not in capsys.readouterr().out


@pytest.fixture
def page(made, predictor, settings, tmp_path, monkeypatch):  # noqa: F811
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    take_over(
        made / "db.npy", made / "meta.npy", tmp_path / "databases" / "tv", predictor,
        made / "x.fasta",
    )  # fmt: skip
    for name, value in {
        "ASSETS": settings.assets,
        "MODELS": settings.models,
        "PROTT5": settings.prott5,
        "DATABASES": tmp_path / "databases",
        "RUNS": tmp_path / "runs.sqlite",
        "DEVICE": "cpu",
    }.items():
        monkeypatch.setenv(f"GLASS_{name}", str(value))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience(60)).run()
    st.cache_resource.clear()


def test_its_predictor_is_one_of_the_models_of_a_page(page):
    page.selectbox(key="model").set_value("tm_vec_tiny")
    page.text_area(key="wild").set_value(some(1)[0].sequence)
    page.text_input(key="variant").set_value(f"{some(1)[0].sequence[4]}5P")
    page.button(key="analyse").click().run()
    assert not page.exception and not page.error
    for tab in ("The method's numbers", "All evidence", "Parts of the fold", "This residue"):
        page.session_state["more"] = tab
        page.run()
        assert not page.exception, tab
        if tab == "The method's numbers":
            told = {one.label: one.value for one in page.metric}
            assert told["Chance of being damaging"] == "none", "it has no such head"
            assert 0 < float(told["TM-score, predicted"]) <= 1
    said = " ".join(str(one.value) for one in page.markdown).replace("\\", "")
    assert "there is no predicted lDDT" in said


def test_its_database_is_searched_on_the_page_with_the_model_that_made_it(page):
    page.switch_page("pages/search.py").run()
    assert page.selectbox(key="search_database").options == ["tv"]
    page.text_area(key="search_wild").set_value(some(4)[3].sequence)
    page.button(key="search_start").click().run()
    assert not page.exception and not page.error
    table = page.dataframe[0].value
    assert table["neighbour"][0] == "s3"
    assert table["TM-score (predicted)"][0] == pytest.approx(1, abs=1e-3)
    assert "chance of the same fold" not in table, "nobody has counted"
    assert page.header[0].value.replace("\\", "").startswith("Nearest: ")
