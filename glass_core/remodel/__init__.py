"""Remodelling: a mutant structure from the wild type's, by an engine or from a file.

Importing this loads neither OpenMM nor MODELLER. A mutant structure that the
user brings needs no engine: see `glass_core.remodel.file`.
"""

from __future__ import annotations

from pathlib import Path

from glass_core.errors import UnavailableError
from glass_core.remodel.base import Remodeller

DEFAULT_REMODELLER = "openmm"


def remodellers(remembered: Path | None = None) -> tuple[Remodeller, ...]:
    """Every backend, the default first; ask each for its `unavailable_reason`."""
    from glass_core.remodel.modeller import ModellerRemodeller
    from glass_core.remodel.openmm import OpenMMRemodeller

    return OpenMMRemodeller(remembered), ModellerRemodeller(remembered)


def unavailable_remodellers() -> dict[str, str | None]:
    """Name of every backend -> None, or why it cannot be used here and the cure."""
    return {backend.name: backend.unavailable_reason() for backend in remodellers()}


def get_remodeller(name: str = DEFAULT_REMODELLER, remembered: Path | None = None) -> Remodeller:
    """The backend called `name`.

    Parameters
    ----------
    remembered : Path, optional
        Folder that keeps what another substitution of the same sites may begin with, such as
        `Settings.relaxed`; without it everything is made anew. The results are the same.

    Raises
    ------
    UnavailableError
        Unknown, or not usable here; the message says what to do.

    Examples
    --------
    >>> from glass_core import get_remodeller
    >>> get_remodeller("openmm").name
    'openmm'
    """
    known = {backend.name: backend for backend in remodellers(remembered)}
    if name not in known:
        raise UnavailableError(f"remodeller '{name}': is not known; use {' or '.join(known)}.")
    reason = known[name].unavailable_reason()
    if reason is not None:
        raise UnavailableError(f"remodeller '{name}': {reason}")
    return known[name]
