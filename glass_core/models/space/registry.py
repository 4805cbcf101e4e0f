"""Which spaces there are, and loading one."""

from __future__ import annotations

from pathlib import Path

from glass_core.embedders.device import resolve_device
from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import UnavailableError
from glass_core.models.registry import DEFAULT_MODEL, load_siamese
from glass_core.models.space.base import Space
from glass_core.models.space.clss import SUFFIX, ClssSpace
from glass_core.models.space.own import OwnSpace, read_card
from glass_core.models.space.structures import MpnnReader, StructureReader
from glass_core.settings import Settings

DEFAULT_SPACE = "compact"


def list_spaces(settings: Settings) -> dict[str, Path]:
    """Every space by name: folders of the assets, and checkpoints of CLSS among the models."""
    found: dict[str, Path] = {}
    root = settings.assets / "spaces"
    if root.is_dir():
        found |= {path.name: path for path in sorted(root.iterdir()) if path.is_dir()}
    models = settings.models.expanduser()
    if models.is_dir():
        for path in sorted(models.glob(f"*{SUFFIX}")):
            found.setdefault(path.stem, path)
    return found


def load_space(settings: Settings, name: str | Path = DEFAULT_SPACE) -> Space:
    """Load a space by name, or the one at a path, onto the settings' device.

    Raises
    ------
    UnavailableError
        No such space.
    ModelError
        Its files are damaged, or stand on other weights than are installed.

    Examples
    --------
    >>> from glass_core import Settings
    >>> from glass_core.models.space.registry import load_space
    >>> load_space(Settings(device="cpu")).info.dim
    32
    """
    if isinstance(name, Path):
        path = name
    else:
        spaces = list_spaces(settings)
        if name not in spaces:
            raise UnavailableError(
                f"space '{name}': there is none of that name; installed: "
                f"{', '.join(spaces) or 'none'}."
            )
        path = spaces[name]
    device = resolve_device(settings.device)
    if path.suffix == SUFFIX:
        return ClssSpace.load(path, device)

    def structures() -> StructureReader:
        return MpnnReader(StructureEmbedder.load(settings, device))

    model = str(read_card(path)["sequences"]["name"]).split()[0] or DEFAULT_MODEL
    return OwnSpace.load(path, load_siamese(settings, model), structures)
