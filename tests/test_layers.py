"""The order of the rooms is a line: imports point down it, and heavy packages stay at home."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import glass_core

ROOT = Path(__file__).parents[1]
CORE = ROOT / "glass_core"
LINE = (
    "errors settings records compute progress < protein"
    " < inputs sources metrics embedders remodel < models < search impact"
    " < space screen training < report < runs < cli pages app"
)
"""Rooms between two ``<`` do not import each other."""
SIDEWAYS = {("records", "errors"), ("compute", "errors"), ("progress", "errors"), ("app", "pages")}
"""What may be imported beside the line, and nothing else: (from, what)."""
HOMES = {
    "streamlit": ("app.py", "pages"),
    "torch": (
        "glass_core/embedders",
        "glass_core/models",
        "glass_core/training",
        "glass_core/search",
    ),
    "transformers": (
        "glass_core/embedders/prott5.py",
        "glass_core/embedders/esm2.py",
        "glass_core/models/space/clss.py",
    ),
    "lightning_fabric": ("glass_core/training",),
    "dask": ("glass_core/compute.py",),
    "diskcache": ("glass_core/embedders/cache.py",),
    "openmm": ("glass_core/remodel/openmm.py",),
    "pdbfixer": ("glass_core/remodel/openmm.py",),
    "modeller": ("glass_core/remodel/modeller.py",),
    "kaleido": ("glass_core/report/space/pictures.py",),
    "openTSNE": ("glass_core/space/projection.py",),
    "gemmi": ("glass_core/protein/structure",),
    "molviewspec": ("glass_core/report/scripts.py",),
}
"""Heavy package -> the only places that import it."""
TOP_ENTRIES, TOP_FILES = 20, 5
"""Most entries and files at the top of the package, ``__init__`` and ``__main__`` aside."""


def rank_of_rooms() -> dict[str, int]:
    return {room: rank for rank, level in enumerate(LINE.split(" < ")) for room in level.split()}


def sources() -> list[Path]:
    return [*CORE.rglob("*.py"), ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]


def imported(tree: ast.AST) -> set[str]:
    """Dotted names of everything a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module is not None:
                names.add(node.module)
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path: Path) -> str:
    """The room a file lies in."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "glass_core" else parts[0]


def room_named(name: str) -> str | None:
    """The room an imported name belongs to; None for other packages and the door itself."""
    parts = name.split(".")
    if parts[0] in ("pages", "app"):
        return parts[0]
    return parts[1] if parts[0] == "glass_core" and len(parts) > 1 else None


def wrong_imports(here: str, text: str) -> list[str]:
    """What a file of room `here` with this text must not import."""
    rank = rank_of_rooms()
    found = []
    for name in sorted(imported(ast.parse(text))):
        there = room_named(name)
        if there in glass_core.__all__ and there not in rank:
            found.append(f"{here} imports {name} from the face, which is for users")
        if there is None or there == here or there not in rank:
            continue
        if rank[there] >= rank[here] and (here, there) not in SIDEWAYS:
            found.append(f"{here} imports {name}")
    return found


def test_every_room_stands_in_the_line():
    rooms = {room_of(p) for p in sources()} - {"__init__", "__main__"}
    assert rooms <= set(rank_of_rooms())


def test_the_hallway_is_short():
    entries = [p for p in CORE.iterdir() if not p.name.startswith("__")]
    assert len(entries) <= TOP_ENTRIES
    assert sum(p.is_file() for p in entries) <= TOP_FILES


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    here = room_of(path)
    if here in ("__init__", "__main__"):
        return
    assert not wrong_imports(here, path.read_text())


@pytest.mark.parametrize(
    ("here", "text"),
    [
        ("protein", "from glass_core.inputs.analysis import read_analysis"),
        ("metrics", "def f():\n    import glass_core.remodel.openmm"),
        ("report", "from glass_core.runs.store import RunStore"),
        ("settings", "from glass_core import records"),
        ("cli", "from pages.parts.common import runs"),
        ("metrics", "from glass_core import analyse"),
    ],
    ids=[
        "upwards",
        "sideways, inside a function",
        "report to runs",
        "on the ground",
        "cli, pages",
        "by the face",
    ],
)
def test_a_wrong_import_is_found(here, text):
    assert wrong_imports(here, text)


@pytest.mark.parametrize("package", HOMES)
def test_heavy_packages_stay_at_home(package):
    for path in sources():
        relative = path.relative_to(ROOT).as_posix()
        if relative.startswith(HOMES[package]):
            continue
        tops = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
        assert package not in tops, f"{relative} imports {package}"


def test_reports_need_no_embedder():
    """Reports are made of records; what needs torch must not be loaded for them."""
    for path in (CORE / "report").rglob("*.py"):
        names = imported(ast.parse(path.read_text()))
        assert not any(n.startswith("glass_core.training") for n in names), path
        if path.name != "models.py":  # which says what is installed
            assert not any(n.startswith("glass_core.embedders") for n in names), path


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv=['glass','--help']\n"
        "from glass_core.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy={'torch','transformers','openmm','streamlit','pandas','numpy','biotite','gemmi'}"
        "&set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
