"""The installable package: one list of versions, and what travels in the wheel."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import pytest

import glass_core

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LARGEST_WHEEL_MB = 55


def listed(file: str) -> list[str]:
    """The packages that a requirements file names itself."""
    lines = (ROOT / file).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


@pytest.mark.parametrize(
    ("file", "dependencies"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        ("requirements-train.txt", EXTRAS["train"]),
        ("requirements-dev.txt", EXTRAS["dev"]),
    ],
    ids=["run", "train", "dev"],
)
def test_requirements_repeat_the_one_list(file, dependencies):
    assert listed(file) == [d for d in dependencies if d != "glass[train]"]


def test_versions_are_exact_and_modeller_is_no_package_of_pypi():
    for requirement in [*PROJECT["dependencies"], *EXTRAS["train"], *EXTRAS["dev"]]:
        assert requirement == "glass[train]" or "==" in requirement
        assert not re.match("modeller", requirement, re.IGNORECASE)


def test_newer_pythons_are_not_shut_out():
    assert PROJECT["requires-python"] == ">=3.11"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    pytest.importorskip("hatchling", reason="builds a wheel: see requirements-dev.txt")
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(path)


def test_the_wheel_holds_the_package_the_dashboard_and_the_model(wheel):
    assert wheel.name == f"glass-{glass_core.__version__}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = "glass_core/_dashboard"
    assert {
        "glass_core/cli/main.py",
        f"{inside}/app.py",
        f"{inside}/.streamlit/config.toml",
        f"{inside}/pages/impact.py",
        f"{inside}/pages/parts/common.py",
        f"{inside}/assets/icon.png",
        f"{inside}/assets/models/compact/card.json",
        f"{inside}/assets/models/compact/encoder.safetensors",
    } <= names
    script = "assets/vendor/3Dmol-min.js"
    assert (f"{inside}/{script}" in names) == (ROOT / script).is_file()


def test_the_wheel_holds_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"glass_core", f"glass-{glass_core.__version__}.dist-info"}
    suffixes = {Path(n).suffix for n in names if n.startswith("glass_core/")}
    kinds = {".py", ".toml", ".json", ".safetensors", ".png", ".js", ".css", ".html"}
    assert suffixes == kinds | {".npy", ".parquet", ".csv"}, "of the database; names of enzymes"
    linked = {Path(n).name for n in names if "assets/linked/" in n}
    assert linked == {path.name for path in (ROOT / "assets" / "linked").iterdir()}
    assert wheel.stat().st_size < LARGEST_WHEEL_MB * 2**20
