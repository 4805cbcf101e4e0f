"""Entries that may be meant, as services find them."""

from __future__ import annotations

from dataclasses import dataclass

from glass_core.protein.accession import Accession


@dataclass(frozen=True)
class Candidate:
    """An entry that may be meant.

    Attributes
    ----------
    accession : Accession
    variants : str
        Variants of it, '' for none.
    title : str
        What it is, in one line, to choose by.
    """

    accession: Accession
    variants: str
    title: str


@dataclass(frozen=True)
class Candidates:
    """All that were found, the best first; `chosen` where one is clearly meant."""

    all: tuple[Candidate, ...]
    chosen: Candidate | None
    notes: tuple[str, ...] = ()
