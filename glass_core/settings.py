"""Where things lie and how much may be used; read once, passed down, never global.

Every field can be set by an environment variable named ``GLASS_`` plus the
field in capitals, such as ``GLASS_MODELS``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Paths and limits.

    Attributes
    ----------
    assets : Path
        The models and scripts that come with GLASS.
    models : Path
        Folder for models of your own: one folder each, or the authors'
        checkpoint files.
    prott5 : str
        Folder or Hugging Face repository of the ProtT5 weights.
    cache : Path
        Folder that keeps embeddings.
    runs : Path
        The file that keeps analyses and screens.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    """

    assets: Path = PROJECT / "assets"
    models: Path = Path("~/.glass/models")
    prott5: str = "Rostlab/prot_t5_xl_half_uniref50-enc"
    cache: Path = Path("~/.glass/embeddings")
    runs: Path = Path("~/.glass/runs.sqlite")
    device: str = "auto"

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
        """Defaults, overridden by ``GLASS_*`` variables."""
        environment = os.environ if environment is None else environment
        given: dict[str, object] = {}
        for field in fields(Settings):
            value = environment.get(f"GLASS_{field.name.upper()}")
            if value:
                given[field.name] = Path(value) if field.type == "Path" else value
        return Settings(**given)  # type: ignore[arg-type]

    def on(self, device: str | None) -> Settings:
        """These settings with another device; the same where `device` is None or empty."""
        return replace(self, device=device) if device else self
