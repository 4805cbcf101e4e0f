"""What is needed to make the same numbers again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import glass_core
from glass_core.metrics.measure import DEFINITIONS
from glass_core.protein.protein import Protein
from glass_core.protein.structure.write import write_structure
from glass_core.records import require

_PACKAGES = (
    "torch",
    "transformers",
    "biotite",
    "biopython",
    "tmtools",
    "numpy",
    "scipy",
    "networkx",
    "openmm",
    "pdbfixer",
)


@dataclass(frozen=True)
class Provenance:
    """Where an `Impact` comes from.

    Attributes
    ----------
    date : str
        UTC, ISO 8601.
    versions : mapping
        Package -> version.
    inputs : mapping
        Input -> SHA-256, and the structure's origin.
    protocol : mapping
        Remodelling backend, protocol, seeds and parameters; empty without one.
    definitions : mapping
        What each measured number means.
    """

    date: str
    versions: Mapping[str, str]
    inputs: Mapping[str, str]
    protocol: Mapping[str, str] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=lambda: dict(DEFINITIONS))

    def __post_init__(self) -> None:
        for field_name in ("versions", "inputs", "protocol", "definitions"):
            texts = getattr(self, field_name)
            holds = isinstance(texts, Mapping) and all(isinstance(t, str) for t in texts.values())
            require(holds, field_name, "holds texts by name")

    @property
    def protocol_text(self) -> str:
        """The protocol in one line; '' without one."""
        return "; ".join(f"{name} {value}" for name, value in self.protocol.items())


def provenance(protein: Protein, mutant: str, protocol: Mapping[str, str]) -> Provenance:
    """Provenance of an analysis made now."""
    inputs = {"wild_type_sha256": sha256_of(protein.sequence), "mutant_sha256": sha256_of(mutant)}
    if protein.structure is not None:
        inputs["structure"] = f"{protein.structure.name}, chain {protein.structure.chain}"
        inputs["structure_origin"] = protein.structure.origin
        inputs["structure_sha256"] = sha256_of(write_structure(protein.structure, "mmcif"))
    if protein.accession:
        inputs["uniprot"] = protein.accession
    if protein.annotation is not None:
        inputs["retrieved"] = "; ".join(map(str, protein.annotation.retrieved))
    return Provenance(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={
            "glass": glass_core.__version__,
            "python": platform.python_version(),
            **_installed(),
        },
        inputs=inputs,
        protocol=dict(protocol),
    )


def _installed() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def sha256_of(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
