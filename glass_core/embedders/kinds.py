"""Which kinds of embedders there are; importing this loads no torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from glass_core.errors import ModelError

if TYPE_CHECKING:
    from glass_core.embedders.base import InstalledEmbedder

COMPACT, PROTT5 = "compact", "prott5"
_CLASSES = {
    COMPACT: ("glass_core.embedders.compact", "CompactEmbedder"),
    PROTT5: ("glass_core.embedders.prott5", "ProtT5Embedder"),
}
EMBEDDER_KINDS = tuple(_CLASSES)


def embedder_class(kind: str) -> type[InstalledEmbedder]:
    """The class of a kind of embedder.

    Raises
    ------
    ModelError
        This version of GLASS knows no such kind.
    """
    if kind not in _CLASSES:
        raise ModelError(
            f"embedder '{kind}': is not known to this version of GLASS; known are "
            f"{', '.join(_CLASSES)}."
        )
    module, name = _CLASSES[kind]
    found: type[InstalledEmbedder] = getattr(importlib.import_module(module), name)
    return found
