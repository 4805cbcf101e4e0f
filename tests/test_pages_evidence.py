"""The Evidence and Models pages through Streamlit's AppTest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from glass_core.models.evaluation import read_evaluations
from glass_core.report.evidence import names, words
from tests.tools.pace import patience

ROOT = Path(__file__).parents[1]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASS_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("GLASS_DEVICE", "cpu")
    monkeypatch.setenv("GLASS_RUNS", str(tmp_path / "runs.sqlite"))
    return tmp_path / "models"


def open_page(name: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience(60)).run()
    page.switch_page(f"pages/{name}").run()
    assert not page.exception
    return page


def test_evidence_is_drawn_from_the_committed_records(settings):
    page = open_page("evidence.py")
    said = " ".join(m.value for m in page.markdown)
    assert "can and cannot tell" in said
    assert "AUROC" in said and "symmetric" in said
    for question in (names.DAMAGING, names.FOLDS, names.WORKS, names.CHANGES, names.PAIRS):
        assert f"#### {question}" in said
    assert names.OTHERS not in said
    assert f"#### {names.SPACE}" in said
    assert "discovers nothing" in said
    shown = " ".join(c.value for c in page.caption)
    assert "structures: 14 AlphaFold, 5 another model, 4 crystal" in shown
    tables = [d.value for d in page.dataframe]
    for column in ("bias (kcal/mol)", "90% interval holds", "structure", "distance change, site"):
        assert any(column in t.columns for t in tables), column
    assert any("Welch p" in t.columns for t in tables)
    assert any("predictor" in t.columns and "BLOSUM62" in set(t["predictor"]) for t in tables)
    published = next(t for t in tables if "set of the paper" in t.columns)
    assert published["TM MAE"].tolist() == ["0.0741", "0.0583"]
    page.selectbox(key="set").set_value("point_mutant").run()
    page.selectbox(key="against").set_value("coverage").run()
    page.selectbox(key="clinical_set").set_value("clinical-structure").run()
    page.selectbox(key="fold_set").set_value("ddg").run()
    assert not page.exception


def test_evidence_and_models_say_it_alike(settings):
    said = words.can_and_cannot(read_evaluations(ROOT / "assets" / "models" / "compact"))
    assert len(said) > 10
    for name in ("evidence.py", "models.py"):
        shown = "\n".join(m.value for m in open_page(name).markdown)
        assert all(f"- {sentence}" in shown for sentence in said), name
        assert shown.count("points only weakly to the residues that move") == 1
        assert "- Trained on windows of at most 320 residues" in shown


def test_records_of_sets_without_a_name_get_a_section(mine):
    (mine / "evaluation").mkdir()
    of_scan = ROOT / "assets" / "models" / "compact" / "evaluation" / "scan-structure.json"
    made = of_scan.read_text().replace('"scan-structure"', '"binding-docked"')
    (mine / "evaluation" / "binding.json").write_text(made)
    page = open_page("evidence.py")
    page.selectbox(key="evidence_model").set_value("mine").run()
    assert not page.exception
    assert f"#### {names.OTHERS}" in [m.value for m in page.markdown]
    assert "Spearman, binding-docked" in page.dataframe[0].value.columns


@pytest.fixture
def mine(settings, tiny_assets):
    """The folder of an installed model without evaluation records."""
    settings.mkdir()
    return Path(shutil.copytree(tiny_assets / "models" / "compact", settings / "mine"))


def test_a_model_without_records_says_how_to_make_them(mine):
    page = open_page("evidence.py")
    page.selectbox(key="evidence_model").set_value("mine").run()
    assert not page.exception
    assert "no evaluation records" in page.info[0].value


def test_a_broken_record_is_one_line(mine):
    (mine / "evaluation").mkdir()
    (mine / "evaluation" / "x.json").write_text("{")
    page = open_page("evidence.py")
    page.selectbox(key="evidence_model").set_value("mine").run()
    assert not page.exception
    assert "x.json" in page.error[0].value


def test_the_models_page_says_which_record_is_broken(mine):
    (mine / "evaluation").mkdir()
    (mine / "evaluation" / "x.json").write_text("{")
    page = open_page("models.py")
    assert any("x.json" in m.value for m in page.markdown)


def test_models_page_lists_what_is_here_and_what_is_missing(settings, monkeypatch):
    settings.mkdir()
    (settings / "broken").mkdir()
    monkeypatch.setenv("GLASS_PROTT5", "Rostlab/prot_t5_xl_half_uniref50-enc")
    page = open_page("models.py")
    said = " ".join(m.value for m in page.markdown)
    assert "**compact**" in said and "has no card.json" in said
    assert "not installed" in said and "2.4 GB" in said
    assert page.code[0].value.startswith("hf download Rostlab/")
    assert "cpu" in said
