"""Accessions: which database an identifier belongs to, told by its form alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from glass_core.errors import InputError, shown
from glass_core.records import require

Database = Literal["uniprot", "pdb"]

_UNIPROT = r"(?:[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})"
_FORMS: tuple[tuple[Database, re.Pattern[str]], ...] = (
    (
        "uniprot",
        re.compile(
            rf"(?:AF-)?(?P<id>{_UNIPROT})(?:-(?P<isoform>[1-9]\d{{0,2}}))?"
            r"(?:-F1(?:-MODEL_V\d+)?)?"
        ),
    ),
    ("pdb", re.compile(r"(?P<id>[1-9][A-Z0-9]{3})")),
    ("pdb", re.compile(r"PDB_0000(?P<id>[1-9][A-Z0-9]{3})")),
)
ACCESSION_EXAMPLES = "P04637, Q8N726-1, AF-P62593-F1 or 2OCJ"


@dataclass(frozen=True)
class Accession:
    """An entry of a database.

    Attributes
    ----------
    database : {"uniprot", "pdb"}
    id : str
        In capitals; of UniProt without the isoform, of PDB four characters.
    isoform : int or None
        UniProt's number of an isoform, as in ``P04637-2``.
    """

    database: Database
    id: str
    isoform: int | None = None

    def __post_init__(self) -> None:
        require(bool(re.fullmatch(r"[A-Z0-9]{4,10}", self.id)), "id", "is letters and digits")

    def __str__(self) -> str:
        return self.id if self.isoform is None else f"{self.id}-{self.isoform}"


def read_accession(text: str) -> Accession:
    """The accession `text` is.

    UniProt's (also of an isoform, or as AlphaFold DB writes it) or a PDB entry.

    Raises
    ------
    InputError
        It has the form of neither.
    """
    accession = _find(text)
    if accession is None:
        raise InputError(
            f"accession '{shown(text, 40)}': is neither a UniProt accession nor a PDB entry; write "
            f"for example {ACCESSION_EXAMPLES}."
        )
    return accession


def leading_accession(text: str) -> tuple[Accession | None, str]:
    """``P04637 R175H`` as accession and the rest; no accession where the first word is none.

    ``P04637:p.Arg175His`` and ``P04637:R175H`` are read likewise.
    """
    match = re.match(r"\s*([A-Za-z0-9_-]+)(?:\s+|:|$)", text)
    accession = _find(match[1]) if match else None
    if (
        match is None
        or accession is None
        or (accession.database == "pdb" and _is_variant(match[1]))
    ):
        return None, text.strip()
    return accession, text[match.end() :].strip()


def _find(text: str) -> Accession | None:
    word = text.strip().upper()
    for database, form in _FORMS:
        match = form.fullmatch(word)
        if match is not None:
            isoform = match.groupdict().get("isoform")
            return Accession(database, match["id"], int(isoform) if isoform else None)
    return None


def _is_variant(word: str) -> bool:
    """Digits alone are a position, not an entry."""
    return word.isdigit()
