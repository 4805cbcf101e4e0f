"""The face of the package: its names, when they load, and their examples."""

from __future__ import annotations

import ast
import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import glass_core
from glass_core.impact.analyse import analyse
from glass_core.metrics.lddt import lddt
from glass_core.metrics.measure import measure
from glass_core.models.registry import load_predictor
from glass_core.protein.alignment import global_alignment
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from glass_core.protein.variant import Variant
from glass_core.remodel import get_remodeller
from glass_core.screen.stream import screen

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "openmm", "streamlit", "pandas", "numpy", "biotite", "gemmi"}


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_loads_nothing():
    loaded = python(
        "import sys, glass_core; dir(glass_core); print(*{n.split('.')[0] for n in sys.modules})"
    )
    assert not HEAVY & set(loaded.split())
    ours = python(
        "import sys, glass_core; print(*[n for n in sys.modules if n.startswith('glass_core.')])"
    )
    assert ours == ""


@pytest.mark.parametrize("name", glass_core.__all__)
def test_every_name_can_be_had(name):
    assert callable(getattr(glass_core, name))
    assert name in dir(glass_core)


def test_the_type_checker_sees_the_same_names():
    tree = ast.parse((ROOT / "glass_core/__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module.removeprefix("glass_core.")
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    assert seen == glass_core._HOMES
    assert sorted(seen) == sorted(glass_core.__all__)


def test_other_names_are_refused_in_python_s_words():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = glass_core.nonsense


WAYS = {
    "face": "from glass_core import screen",
    "attribute": "import glass_core; glass_core.screen",
    "module": "import glass_core.screen.stream",
    "alias": "import glass_core.screen.stream as stream",
    "room": "import glass_core.screen",
    "sibling": "from glass_core.screen.request import ScreenRequest",
    "command line": "import glass_core.cli.screen",
    "star": "from glass_core import *",
}
"""Ways in which `screen`, the room or the function, comes to be imported."""
IN_ANY_ORDER = """
import inspect, sys
from itertools import permutations

for order in permutations(WAYS, 2):
    for name in [n for n in sys.modules if n.partition(".")[0] == "glass_core"]:
        del sys.modules[name]
    for way in order:
        exec(WAYS[way], {})
    import glass_core.screen.stream
    import glass_core.screen.rows as rows
    from glass_core import screen
    from glass_core.screen import stream
    assert screen is glass_core.screen, order
    assert glass_core.screen.stream is stream and rows.ScreenRow, order
    assert list(screen([], predictor=None)) == [], order
    assert inspect.signature(screen) == inspect.signature(stream.screen), order
print("done")
"""


def test_screen_is_the_same_after_any_order_of_imports():
    assert python(f"WAYS = {WAYS}\n{IN_ANY_ORDER}") == "done"


def test_called_with_what_it_does_not_know_it_says_so():
    with pytest.raises(TypeError, match=r"screen\(\) got an unexpected keyword"):
        glass_core.screen([], predictor=None, nonsense=1)


EXAMPLES = {
    "analyse": analyse,
    "screen": screen,
    "Protein": Protein,
    "Variant.parse": Variant.parse,
    "read_structure": read_structure,
    "load_predictor": load_predictor,
    "get_remodeller": get_remodeller,
    "measure": measure,
    "lddt": lddt,
    "global_alignment": global_alignment,
}
"""What a reader meets first, each with an example in its docstring."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_is_right(name):
    (test,) = doctest.DocTestFinder(recurse=False).find(EXAMPLES[name], name, globs={})
    assert test.examples, "has no example"
    said: list[str] = []
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.failed == 0, "".join(said)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_in_an_example_is_skipped(name):
    assert "+SKIP" not in (inspect.getdoc(EXAMPLES[name]) or "")
