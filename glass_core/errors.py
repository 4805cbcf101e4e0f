"""The errors GLASS raises on purpose.

Every message is one line for the user: what was wrong, where, and what to do.
Anything that is not a `GlassError` is a bug.
"""

from __future__ import annotations

import importlib.util

_PACKAGE_OF = {
    "distributed": "dask[distributed]",
    "faiss": "faiss-cpu",
    "lightning_fabric": "lightning-fabric",
}


class GlassError(Exception):
    """Base of all errors that GLASS raises on purpose."""


class InputError(GlassError):
    """What the user gave cannot be used as it is."""


class SequenceError(InputError):
    """A sequence that is empty, ambiguous or holds letters that are no residues."""


class VariantError(InputError):
    """A variant that cannot be read or does not fit its sequence."""


class SeveralVariantsError(VariantError):
    """A text that names several variants where one is meant."""


class StructureError(InputError):
    """A structure file that cannot be read or used."""


class SourceError(GlassError):
    """A web service that cannot be reached, or answers what cannot be used."""


class NotFoundError(SourceError):
    """A web service that answers, and does not know what was asked for."""


class RecordError(GlassError):
    """A record was built from values that contradict each other; names the field."""


class UnavailableError(GlassError):
    """An optional tool or its weights are missing; the message says how to get them."""


class ModelError(GlassError):
    """A model file that is not what it claims to be, or a model used outside its format."""


class RemodelError(GlassError):
    """Remodelling failed or ran out of time."""


class RunError(GlassError):
    """The store of runs cannot be read or written, or a run is not known."""


class Cancelled(GlassError):
    """The user asked to stop."""


def one_line(error: BaseException, longest: int = 120) -> str:
    """What another library's error says, in one line; its kind where it says nothing."""
    return shown(str(error), longest) or type(error).__name__


def shown(text: str, longest: int = 60) -> str:
    """What a user wrote, in one line and short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}..."


def require_training_packages(what: str, *modules: str) -> None:
    """Hold that the packages of the extra ``train`` are installed.

    Parameters
    ----------
    what : str
        What needs them, as the user calls it.
    modules : str
        The names they are imported by.

    Raises
    ------
    UnavailableError
        One is missing; says how to install it.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            package = _PACKAGE_OF.get(module, module)
            raise UnavailableError(
                f"{what} needs {package}; run: pip install -r requirements-train.txt, or "
                "install GLASS with its extra 'train'."
            )
