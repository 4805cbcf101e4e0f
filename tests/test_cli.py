"""The command line: contracts, exit codes, and one line for every bad input."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from glass_core.cli.dashboard import streamlit_arguments
from glass_core.cli.main import main
from glass_core.impact.as_json import from_json
from glass_core.protein.structure.write import write_structure

WILD = "MKTAYIAKQRQISFVKSHFSRQ"


@pytest.fixture(scope="module")
def chain_file(globin, tmp_path_factory):
    path = tmp_path_factory.mktemp("chain") / "a.cif"
    path.write_text(write_structure(globin, "mmcif"))
    return path


def test_summary_for_people(run):
    code, out, _ = run("impact", "--wild", WILD, "--variant", "K2R")
    assert code == 0
    assert "Predicted by compact" in out
    assert "symmetric" in out


def test_measured_summary_names_parts_with_strain(run, globin, chain_file, tmp_path):
    from glass_core.protein.structure.structure import Structure

    atoms = globin.atoms.copy()
    atoms.res_name[atoms.res_id == int(globin.residue_numbers[30])] = "PRO"
    mutant = tmp_path / "mutant.pdb"
    mutant.write_text(write_structure(Structure.from_atoms(atoms, "mine"), "pdb"))
    code, out, err = run(
        "impact", "--structure", chain_file, "--variant", "V31P", "--mutant-structure", mutant
    )
    assert code == 0, err
    assert "measured against the given mutant structure" in out
    assert "mean strain 0.0000" in out


def test_impact_json_contract(run):
    code, out, _ = run("impact", "--wild", WILD, "--variant", "K2R", "--json")
    assert code == 0
    content = json.loads(out)
    assert content["variant"] == "K2R"
    assert content["measurement"] is None
    assert content["noise_floor"] is None
    assert len(content["residues"]) == len(WILD)
    assert content["residues"][1]["mutant"] == "R"
    assert from_json(out).variant.text == "K2R"


def test_fasta_file_and_whole_mutant(run, tmp_path):
    fasta = tmp_path / "wild.fasta"
    fasta.write_text(f">p\n{WILD}\n")
    code, out, _ = run("impact", "--wild", fasta, "--mutant", WILD.replace("Y", "W"), "--json")
    assert code == 0
    assert json.loads(out)["variant"] == "Y5W"


def test_out_writes_every_export(run, chain_file, tmp_path):
    out = tmp_path / "new" / "folder"
    code, _, _ = run("impact", "--structure", chain_file, "--variant", "V31P", "--out", out)
    assert code == 0
    names = sorted(p.name for p in out.iterdir())
    assert names == [
        "glass-V31P-report.html",
        "glass-V31P-residues.csv",
        "glass-V31P-superposed.cif",
        "glass-V31P-superposed.pdb",
        "glass-V31P.json",
        "glass-V31P.mvsj",
        "glass-V31P.pml",
    ]
    with (out / "glass-V31P-residues.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 147


def test_out_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run(
        "impact", "--wild", WILD, "--variant", "K2R", "--out", tmp_path / "file" / "x"
    )
    assert code == 2
    assert "cannot be written" in err


@pytest.mark.slow
def test_remodelled_impact_json(run, chain_file, tmp_path):
    code, out, err = run(
        "impact",
        "--structure",
        chain_file,
        "--variant",
        "V31P",
        "--remodel",
        "openmm",
        "--seeds",
        "1",
        "--sphere-radius",
        "12",
        "--json",
    )
    assert code == 0, err
    content = json.loads(out)
    assert content["measurement"]["tm_score"] > 0.9
    assert len(content["noise_floor"]["lddt"]) == 147
    assert content["provenance"]["protocol"]["seeds"] == "1"
    assert from_json(out).noise_floor is not None


def test_measure_json_contract(run, globin_file):
    code, out, _ = run(
        "measure",
        globin_file,
        globin_file,
        "--reference-chain",
        "A",
        "--subject-chain",
        "B",
        "--json",
    )
    assert code == 0
    content = json.loads(out)
    assert {
        "tm_score",
        "tm_score_by_subject",
        "rmsd",
        "aligned_length",
        "sequence_identity",
        "alignment",
        "lddt",
        "strain",
        "rotation",
        "translation",
    } <= set(content)
    assert content["tm_score"] == pytest.approx(0.8847, abs=1e-3)
    assert len(content["lddt"]) == len(content["strain"]) == 147
    assert content["lddt"].count(None) == 147 - content["aligned_length"] == 4
    assert np.array(content["rotation"]).shape == (3, 3)
    assert len(content["translation"]) == 3
    rows = content["alignment"]
    assert len(rows["reference"]) == len(rows["subject"]) == len(rows["match"])


def test_measure_summary(run, globin_file):
    code, out, _ = run(
        "measure", globin_file, globin_file, "--reference-chain", "A", "--subject-chain", "A"
    )
    assert code == 0
    assert "TM-score 1.0000 by the reference" in out


def test_models(run):
    code, out, _ = run("models")
    assert code == 0
    assert "compact" in out
    assert "glass models get prott5" in out
    code, out, _ = run("models", "--json")
    assert json.loads(out)[0]["available"] is True


def test_embed(run, tmp_path):
    code, _, _ = run("embed", f">a\n{WILD}\n>b\nMKT\n", "--out", tmp_path / "e.npz")
    assert code == 0
    with np.load(tmp_path / "e.npz") as archive:
        assert archive["0001"].shape == (len(WILD), 16)
        assert archive["0002"].shape == (3, 16)
        assert archive["names"].tolist() == ["a", "b"]


BAD = {
    "empty": (["--wild", "", "--variant", "K2R"], "wild type: is empty"),
    "non-letters": (["--wild", "MK!T", "--variant", "K2R"], "'!' at position 3 is no residue"),
    "digits": (["--wild", "MK1T", "--variant", "K2R"], "'1' at position 3 is a digit"),
    "gap": (["--wild", "MK-T", "--variant", "K2R"], "'-' at position 3 is a gap"),
    "stop inside": (["--wild", "MK*T", "--variant", "K2R"], "'*' at position 3 is a stop"),
    "two records": (["--wild", ">a\nMK\n>b\nMT", "--variant", "K2R"], "2 FASTA records"),
    "no variant": (["--wild", WILD], "variant: is empty"),
    "wrong wild residue": (["--wild", WILD, "--variant", "R2K"], "position 2 is K, not R"),
    "out of range": (["--wild", WILD, "--variant", "K99R"], "residues 1 to 22"),
    "changes nothing": (["--wild", WILD, "--variant", "K2K"], "changes nothing"),
    "identical mutant": (["--wild", WILD, "--mutant", WILD], "identical to the wild type"),
    "contradiction": (["--wild", WILD, "--variant", "K2R", "--mutant", WILD[:-1]], "one of the"),
    "unknown model": (["--wild", WILD, "--variant", "K2R", "--model", "x"], "not installed"),
    "unknown remodeller": (["--wild", WILD, "--variant", "K2R", "--remodel", "x"], "not known"),
    "remodel without structure": (
        ["--wild", WILD, "--variant", "K2R", "--remodel", "openmm"],
        "needs a wild-type structure",
    ),
    "no such file": (["--structure", "nothing.pdb", "--variant", "K2R"], "nothing.pdb"),
    "no such sequence": (["--wild", "nothing.fasta", "--variant", "K2R"], "no such file"),
}
BAD_FILES = {
    "html": (b"<html><body>Not found</body></html>", [], "web page"),
    "binary": (bytes(range(256)) * 20, [], "binary file"),
    "empty file": (b"", [], "is empty"),
    "text": (b"hello", [], "neither mmCIF nor PDB"),
    "no protein": (
        b"HETATM    1  O   HOH A   1       1.000   1.000   1.000  1.00 20.00           O\nEND\n",
        [],
        "no protein",
    ),
    "cut gzip": (gzip.compress(b"ATOM" * 1000)[:20], [], "damaged gzip"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_2(run, case):
    arguments, says = BAD[case]
    code, out, err = run("impact", *arguments)
    assert code == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_one_line_and_exit_2(run, case, tmp_path):
    content, more, says = BAD_FILES[case]
    path = tmp_path / "bad.pdb"
    path.write_bytes(content)
    for command in (
        ["impact", "--structure", path, "--variant", "K2R", *more],
        ["measure", path, path],
    ):
        code, _, err = run(*command)
        assert code == 2
        assert says in err
        assert err.count("\n") == 1


def test_several_chains_and_none_chosen(run, globin_file):
    code, _, err = run("impact", "--structure", globin_file, "--variant", "V31P")
    assert code == 2
    assert "choose one: A (147 residues)" in err


def test_sequence_and_structure_that_disagree(run, chain_file):
    code, _, err = run("impact", "--wild", WILD * 5, "--structure", chain_file, "--variant", "K2R")
    assert code == 2
    assert "disagree" in err


STEPS = [
    "corpus",
    "assays",
    "encoder",
    "tune",
    "relatives",
    "pairs",
    "siamese",
    "fold",
    "alignment",
    "effect",
    "sites",
    "stability",
    "structure-effect",
    "alignments",
    "combined",
    "change",
    "exact",
    "estimate",
    "fold-chance",
    "database",
    "joint",
    "space",
    "space-record",
    "background",
    "property",
    "ablation",
    "encoders",
    "card",
]


def test_train_lists_its_steps_in_order(run):
    code, out, _ = run("train", "--help")
    assert code == 0
    steps = out.partition("Commands:")[2].split("\n")
    assert [line.split()[0] for line in steps if line.strip()] == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_every_step_answers_help(run, step):
    code, out, _ = run("train", step, "--help")
    assert code == 0 and "Usage" in out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["train", "--pairs", "{}", "--preset", "x", "--out", "{}"], ["siamese"]),
        (["train-fold", "--pairs", "{}", "--model", "{}"], ["fold"]),
        (["train-effect", "{}/effects.parquet", "--model", "{}"], ["effect"]),
        (["build-pairs", "{}/none.parquet", "--out", "{}/pairs"], ["pairs"]),
    ],
    ids=lambda words: words[0],
)
def test_old_names_of_steps_go_on_working(run, tmp_path, old, new):
    """Both ways reach the same step, which refuses what it is given in the same words."""
    words = [word.format(tmp_path) for word in old[1:]]
    assert run(old[0], *words) == run("train", *new, *words)
    code, _, err = run(old[0], *words)
    assert code == 2 and "Usage" not in err


@pytest.mark.parametrize(
    ("command", "missing", "package"),
    [
        ("evaluate tiny --out records", "lightning_fabric", "lightning-fabric"),
        (
            f"screen --wild {WILD} --all --out a.csv --scheduler tcp://localhost:1",
            "distributed",
            "dask[distributed]",
        ),
        ("train pairs chains --out o", "distributed", "dask[distributed]"),
    ],
)
def test_without_the_training_packages(run, monkeypatch, command, missing, package):
    """As on a machine with requirements.txt alone: how to install them, and nothing is begun."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else found(name)
    )
    code, out, err = run(*command.split())
    assert code == 2
    assert out == ""
    assert f"needs {package}; run: pip install -r requirements-train.txt" in err
    assert err.count("\n") == 1


def test_old_names_are_not_listed(run):
    _, out, _ = run("--help")
    assert "dashboard" in out and "train" in out
    assert not {"build-pairs", "train-fold", "train-effect"} & set(out.split())


def test_dashboard_starts_the_app_beside_the_assets(monkeypatch):
    started = []
    monkeypatch.setattr("sys.argv", ["glass"])
    monkeypatch.setattr("runpy.run_module", lambda name, **how: started.append((name, sys.argv)))
    words = ["dashboard", "--port", "8600", "--", "--server.baseUrlPath", "glass"]
    assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    ((name, argv),) = started
    assert name == "streamlit" and argv[:2] == ["streamlit", "run"]
    app = Path(argv[2])
    assert app.name == "app.py" and app.is_file()
    assert (app.parent / "pages").is_dir() and (app.parent / "assets").is_dir()
    assert (app.parent / ".streamlit" / "config.toml").is_file()
    assert argv[3:5] == ["--server.port", "8600"]
    assert argv[-2:] == ["--server.baseUrlPath", "glass"]


def test_dashboard_leaves_the_rest_to_its_settings():
    rest = streamlit_arguments(None, None, browser=False)[2:]
    assert rest == ["--server.headless", "true"]
    assert streamlit_arguments(None, "0.0.0.0", browser=True)[2:] == [
        "--server.address",
        "0.0.0.0",
        "--server.headless",
        "false",
    ]
