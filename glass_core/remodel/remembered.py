"""What relaxations gave, on disk: another substitution of the same sites begins with it.

The start, the reference and the noise floor of a replicate do not depend on the new letters.
They are written to the 0.001 Å that structures have, so that a mutant made from them is the
same as one for which everything was made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from glass_core.protein.structure.write import write_structure
from glass_core.remodel.base import START, RemodelRequest

PROTONATION_FILE = "protonation.json"
_FILES = (f"{START}.cif", "reference.cif", "floor.cif", PROTONATION_FILE)
_OWN = ("threads", "timeout_s")
"""Settings that change nothing about the result."""
MOST = 500
"""Replicates that are kept, some 0.3 MB each; those that were not asked for longest go."""


class RememberedRelaxations:
    """A folder of them, which several processes may share; made where missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, key: str, into: Path) -> bool:
        """Put what is kept under `key` into the folder `into`; whether there was anything."""
        kept = self._folder / key
        if not (kept / PROTONATION_FILE).is_file():
            return False
        with contextlib.suppress(OSError):  # whoever tidies up meanwhile is right
            for name in _FILES:
                if (kept / name).is_file():
                    shutil.copyfile(kept / name, into / name)
            os.utime(kept)
            return (into / PROTONATION_FILE).is_file()
        return False

    def keep(self, key: str, made: Path) -> None:
        """Keep what lies in the folder `made`; a disk without room only makes this forget."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            if (self._folder / key).exists():
                return
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".") as half:
                for name in _FILES:
                    if (made / name).is_file():
                        shutil.copyfile(made / name, Path(half) / name)
                os.rename(half, self._folder / key)
                Path(half).mkdir()  # for its own clearing up
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        kept = sorted(
            (one for one in self._folder.iterdir() if not one.name.startswith(".")),
            key=lambda one: one.stat().st_mtime,
        )
        for one in kept[: max(len(kept) - MOST, 0)]:
            shutil.rmtree(one, ignore_errors=True)


@cache
def _code() -> str:
    """SHA-256 of the code that makes them."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def relaxation_key(engine: str, request: RemodelRequest) -> str:
    """SHA-256 of all that start, reference and floor depend on.

    Parameters
    ----------
    engine : str
        With its version.
    """
    settings = {k: v for k, v in request.settings.to_dict().items() if k not in _OWN}
    content = {
        "engine": engine,
        "code": _code(),
        "wild": write_structure(request.wild, "mmcif", with_ligands=True),
        "sites": list(request.sites),
        "settings": settings,
        "seed": request.seed,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
