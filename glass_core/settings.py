"""Where things lie and how much may be used; read once, passed down, never global.

Every field can be set by an environment variable named ``GLASS_`` plus the
field in capitals, such as ``GLASS_MODELS``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PACKED = _PACKAGE / "_dashboard"
PROJECT = _PACKED if _PACKED.is_dir() else _PACKAGE.parent
"""Where app.py, pages and assets lie: inside an installed package, beside it in a checkout."""
_YES = ("1", "true", "yes", "on")
_READ: dict[str, Callable[[str], object]] = {
    "Path": Path,
    "bool": lambda word: word.strip().lower() in _YES,
}
"""How the text of a variable becomes a field of that type."""


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
    weights : Path
        Folder of weights that others published, fetched by ``glass models get``.
    prott5 : str
        Folder or Hugging Face repository of the ProtT5 weights.
    esm2 : str
        Folder or Hugging Face repository of ESM-2 weights, or their name among what
        ``glass models get`` fetches; '' = the largest that was fetched.
    cache : Path
        Folder that keeps embeddings.
    relaxed : Path
        Folder that keeps relaxed wild types, from which remodelling may begin.
    databases : Path
        Folder of databases of your own, which the Search page offers.
    runs : Path
        The file that keeps analyses and screens.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    downloads : Path
        Folder that keeps what web services answered.
    offline : bool
        Whether to stay off the network and live on what is kept.
    uniprot, alphafold, rcsb, pdbe, ebi, ensembl : str
        Base addresses of the web services. Nothing is ever fetched from another host.
    """

    assets: Path = PROJECT / "assets"
    models: Path = Path("~/.glass/models")
    weights: Path = Path("~/.glass/weights")
    prott5: str = "Rostlab/prot_t5_xl_half_uniref50-enc"
    esm2: str = ""
    cache: Path = Path("~/.glass/embeddings")
    relaxed: Path = Path("~/.glass/relaxed")
    databases: Path = Path("~/.glass/databases")
    runs: Path = Path("~/.glass/runs.sqlite")
    device: str = "auto"
    downloads: Path = Path("~/.glass/downloads")
    offline: bool = False
    uniprot: str = "https://rest.uniprot.org"
    alphafold: str = "https://alphafold.ebi.ac.uk"
    rcsb: str = "https://files.rcsb.org"
    pdbe: str = "https://www.ebi.ac.uk/pdbe"
    ebi: str = "https://www.ebi.ac.uk/proteins"
    ensembl: str = "https://rest.ensembl.org"

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
        """Defaults, overridden by ``GLASS_*`` variables."""
        environment = os.environ if environment is None else environment
        given: dict[str, object] = {}
        for field in fields(Settings):
            value = environment.get(f"GLASS_{field.name.upper()}")
            if value:
                given[field.name] = _READ.get(str(field.type), str)(value)
        return Settings(**given)  # type: ignore[arg-type]

    def on(self, device: str | None) -> Settings:
        """These settings with another device; the same where `device` is None or empty."""
        return replace(self, device=device) if device else self
