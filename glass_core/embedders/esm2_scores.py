"""ESM-2's log-odds among what is known of a protein, where the user asks for them.

Importing this loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

from glass_core.embedders.esm2_files import find_source
from glass_core.errors import UnavailableError
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.external import ExternalScores
from glass_core.protein.protein import Protein
from glass_core.settings import Settings

if TYPE_CHECKING:
    from glass_core.embedders.esm2 import Esm2

Marginals = Literal["wild-type", "masked"]
"""From one pass over the wild type, or from a pass for each position, which is hidden in it."""
MARGINALS: tuple[Marginals, ...] = get_args(Marginals)
_KEPT = 32
"""Answers of this process that are kept."""


def with_esm2(
    protein: Protein, marginals: Marginals, settings: Settings, watch: Watch = UNWATCHED
) -> Protein:
    """The protein with ESM-2's scores in `Protein.external`.

    Those of the same wild type are kept, and the weights stay loaded.

    Raises
    ------
    UnavailableError
        There are no weights, or they do not fit into memory; the message says what to do.
    ModelError
        The weights are another model's, or damaged.
    Cancelled
        That was asked for.
    """
    return protein.with_computed(_answer(_Question(protein.sequence, marginals, settings, watch)))


def esm2_title(settings: Settings) -> str:
    """What the weights that would be used are called; '' where there are none."""
    try:
        return find_source(settings.esm2).title
    except UnavailableError:
        return ""


@dataclass(frozen=True)
class _Question:
    """Equal ones have the same answer, whoever watches."""

    sequence: str
    marginals: Marginals
    settings: Settings
    watch: Watch = field(compare=False)


@lru_cache(maxsize=_KEPT)
def _answer(asked: _Question) -> ExternalScores:
    model = _loaded(asked.settings)
    if asked.marginals == "masked":
        return model.masked_marginals(asked.sequence, asked.watch)
    return model.wild_type_marginals(asked.sequence, asked.watch)


@lru_cache(maxsize=1)
def _loaded(settings: Settings) -> Esm2:
    from glass_core.embedders.device import resolve_device
    from glass_core.embedders.esm2 import Esm2

    return Esm2.load(settings, resolve_device(settings.device))
