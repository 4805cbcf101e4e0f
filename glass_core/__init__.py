"""GLASS: what a mutation does to a protein's structure.

The universal length unit is Å. Positions are 1-based in everything a user sees
and 0-based indices inside. NaN means 'no value', never 0.

Importing this package loads no model, no torch and no simulation engine: what stands in
`__all__` is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glass_core.impact.analyse import analyse
    from glass_core.impact.record import Impact
    from glass_core.models.registry import load_predictor
    from glass_core.protein.protein import Protein
    from glass_core.protein.structure.file import read_structure
    from glass_core.protein.structure.structure import Structure
    from glass_core.protein.variant import Variant
    from glass_core.remodel import get_remodeller
    from glass_core.remodel.base import Remodelling
    from glass_core.screen.stream import screen
    from glass_core.search.packing import embedded_database
    from glass_core.search.relatives import find_relatives
    from glass_core.settings import Settings

__version__ = "0.2.0"
__all__ = [
    "Impact",
    "Protein",
    "Remodelling",
    "Settings",
    "Structure",
    "Variant",
    "analyse",
    "embedded_database",
    "find_relatives",
    "get_remodeller",
    "load_predictor",
    "read_structure",
    "screen",
]
_HOMES = {
    "Impact": "impact.record",
    "Protein": "protein.protein",
    "Remodelling": "remodel.base",
    "Settings": "settings",
    "Structure": "protein.structure.structure",
    "Variant": "protein.variant",
    "analyse": "impact.analyse",
    "embedded_database": "search.packing",
    "find_relatives": "search.relatives",
    "get_remodeller": "remodel",
    "load_predictor": "models.registry",
    "read_structure": "protein.structure.file",
    "screen": "screen.stream",
}
"""Name of the face -> the module where it lives."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    # The import has bound the room `screen` to this name, which can be called; see there.
    return globals().setdefault(name, value)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
