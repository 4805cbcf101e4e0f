"""Imports point one way, and heavy packages stay in their own files."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "glass_core"
LAYERS = {
    "errors": 0, "settings": 0, "records": 0, "memory": 0,
    "sequence": 1, "alignment": 1, "accession": 1, "annotation": 1, "numbering": 1, "change": 1,
    "notation": 1, "reading": 1, "variant": 1, "structure": 1, "structure_file": 1,
    "structure_guard": 1, "structure_parse": 1,
    "protein": 1, "inputs": 1, "jobs": 1, "variant_list": 1, "labels": 1,
    "table_file": 1, "table_columns": 1,
    "protein_json": 1,
    "metrics": 2, "sources": 2, "embedders": 2, "remodel": 2, "models": 2,
    "baselines": 3, "provenance": 3, "impact": 3, "training": 3,
    "evaluation": 3, "screen": 3,
    "compute": 3, "screen_rows": 4, "runs": 4, "screening": 4, "rows": 4, "impact_json": 4,
    "report": 4,
    "cli": 5, "cli_sources": 5, "cli_screen": 5, "cli_training": 5, "__main__": 5,
}
ALLOWED_SIDEWAYS = {("models", "embedders")}
HOMES = {
    "streamlit": ("app.py", "pages"),
    "torch": ("glass_core/embedders", "glass_core/models", "glass_core/training",
              "glass_core/cli_training.py"),
    "lightning_fabric": ("glass_core/training", "glass_core/cli_training.py"),
    "dask": ("glass_core/compute.py",),
    "diskcache": ("glass_core/embedders/cache.py",),
    "openmm": ("glass_core/remodel/openmm.py",),
    "pdbfixer": ("glass_core/remodel/openmm.py",),
    "modeller": ("glass_core/remodel/modeller.py",),
}


def sources() -> list[Path]:
    return [*CORE.rglob("*.py"), ROOT / "app.py", *(ROOT / "pages").glob("*.py")]


def imported(path: Path) -> set[str]:
    """Dotted names of everything a file imports at run time, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def test_every_room_has_a_layer():
    rooms = {room(p) for p in CORE.rglob("*.py")} - {"__init__"}
    assert rooms == set(LAYERS)


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda p: str(p.relative_to(CORE)))
def test_imports_point_down(path):
    here = room(path)
    if here == "__init__":
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "glass_core" or len(parts) < 2 or parts[1] not in LAYERS:
            continue
        there = parts[1]
        if there == here or (here, there) in ALLOWED_SIDEWAYS:
            continue
        sideways_allowed = LAYERS[here] != 2 and LAYERS[there] == LAYERS[here]
        assert LAYERS[there] < LAYERS[here] or sideways_allowed, f"{here} must not import {there}"


@pytest.mark.parametrize("package", HOMES)
def test_heavy_packages_stay_at_home(package):
    for path in sources():
        relative = path.relative_to(ROOT).as_posix()
        if relative.startswith(HOMES[package]):
            continue
        tops = {name.split(".")[0] for name in imported(path)}
        assert package not in tops, f"{relative} imports {package}"


def test_report_never_imports_models_code_that_needs_torch():
    for path in (CORE / "report").glob("*.py"):
        assert not any(
            name.startswith(("glass_core.embedders", "glass_core.training"))
            for name in imported(path)
        )


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv=['glass','--help']\n"
        "from glass_core.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy={'torch','transformers','openmm','streamlit','pandas','numpy','biotite'}"
        "&set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)


def test_help_answers_in_half_a_second():
    import time

    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "glass_core", "--help"], check=True,
                       capture_output=True, cwd=ROOT)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5
