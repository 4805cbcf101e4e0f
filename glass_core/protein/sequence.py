"""Protein sequences as text: pasted letters or FASTA, checked letter by letter."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from glass_core.errors import SequenceError
from glass_core.protein.nucleotides import looks_like_nucleotides

STANDARD = "ACDEFGHIKLMNPQRSTVWY"
"""The 20 standard residues, in alphabetical order of their letters."""
NONSTANDARD = "UOBZJX"
"""Letters accepted in a sequence but unknown to every model: read as X there."""
UNKNOWN = "X"

_TO_UNKNOWN = str.maketrans(NONSTANDARD, UNKNOWN * len(NONSTANDARD))
_THREE = (
    "Ala",
    "Cys",
    "Asp",
    "Glu",
    "Phe",
    "Gly",
    "His",
    "Ile",
    "Lys",
    "Leu",
    "Met",
    "Asn",
    "Pro",
    "Gln",
    "Arg",
    "Ser",
    "Thr",
    "Val",
    "Trp",
    "Tyr",
)
THREE_LETTER: dict[str, str] = dict(zip(STANDARD, _THREE, strict=True)) | {
    "U": "Sec",
    "O": "Pyl",
    "B": "Asx",
    "Z": "Glx",
    "J": "Xle",
    "X": "Xaa",
}
ONE_LETTER: dict[str, str] = {three.upper(): one for one, three in THREE_LETTER.items()}


@dataclass(frozen=True)
class NamedSequence:
    """A checked sequence and the name it came with ('' when pasted without one)."""

    residues: str
    name: str = ""

    def __post_init__(self) -> None:
        check_residues(self.residues, "sequence")

    @property
    def fasta(self) -> str:
        """As a FASTA record."""
        return f">{self.name}\n{self.residues}\n"


def check_residues(residues: str, field: str) -> str:
    """Return `residues` unchanged if every letter is a residue.

    Parameters
    ----------
    residues : str
        Upper-case one-letter codes; the 20 standard ones or ``U O B Z J X``.
    field : str
        What the user calls this input, for the message.

    Raises
    ------
    SequenceError
        Empty, or a character that is no residue; names it and its position.
    """
    if not residues:
        raise SequenceError(f"{field}: is empty; paste one-letter residue codes or a FASTA record.")
    for position, letter in enumerate(residues, start=1):
        if letter in STANDARD or letter in NONSTANDARD:
            continue
        if letter == "*":
            what, cure = "a stop", "give the translated protein up to its stop"
        elif letter in "-.~":
            what, cure = "a gap", "give the sequence without alignment gaps"
        elif letter.isdigit():
            what, cure = "a digit", "remove numbering from the sequence"
        else:
            what, cure = "no residue", "use one-letter residue codes"
        shown = letter if letter.isprintable() else repr(letter)[1:-1]
        raise SequenceError(f"{field}: '{shown}' at position {position} is {what}; {cure}.")
    return residues


def read_sequences(text: str, field: str = "sequence") -> list[NamedSequence]:
    """All sequences of a FASTA text, or the one sequence of a pasted text.

    White space is ignored, lower case is upper-cased and one stop ``*`` at the
    very end is dropped.

    Raises
    ------
    SequenceError
        Nothing to read, or a record that is no protein sequence.
    """
    from Bio.SeqIO.FastaIO import SimpleFastaParser

    text = text.lstrip("\ufeff").strip()
    words = text.split()
    if len(words) > 2 and all(word.upper() in ONE_LETTER for word in words):
        raise SequenceError(
            f"{field}: is written in three-letter codes; give one letter for each residue."
        )
    if ">" not in text:
        return [NamedSequence(_clean(text, field))]
    if not text.startswith(">"):
        raise SequenceError(
            f"{field}: has text before the first '>' of a FASTA record; "
            "give FASTA records only, or one sequence without a header."
        )
    records = [(title.strip(), letters) for title, letters in SimpleFastaParser(io.StringIO(text))]
    several = len(records) > 1
    return [
        NamedSequence(
            _clean(letters, f"{field} (record {number} '{title}')" if several else field), title
        )
        for number, (title, letters) in enumerate(records, start=1)
    ]


def read_sequence(text: str, field: str = "sequence") -> NamedSequence:
    """The one sequence of `text`; see `read_sequences`.

    Raises
    ------
    SequenceError
        Also when the text holds several FASTA records.
    """
    records = read_sequences(text, field)
    if len(records) > 1:
        names = ", ".join(repr(r.name) for r in records[:3]) + (", ..." if len(records) > 3 else "")
        raise SequenceError(
            f"{field}: holds {len(records)} FASTA records ({names}) where one is meant; "
            "keep one of them."
        )
    return records[0]


def _clean(letters: str, field: str) -> str:
    joined = "".join(letters.split()).upper()
    if looks_like_nucleotides(joined):
        raise SequenceError(
            f"{field}: looks like DNA or RNA ({joined[:12]}...); give the protein's sequence."
        )
    return check_residues(joined.removesuffix("*"), field)


def for_embedding(residues: str) -> str:
    """`residues` as every model reads them: ``U O B Z J`` become ``X``."""
    return residues.translate(_TO_UNKNOWN)


def unknown_positions(residues: str) -> tuple[int, ...]:
    """1-based positions of letters that no model knows."""
    return tuple(p for p, letter in enumerate(residues, start=1) if letter in NONSTANDARD)


def names_in_header(header: str) -> tuple[str, ...]:
    """What a FASTA header names its protein by, besides its first word.

    UniProt's ``sp|P04637|P53_HUMAN Cellular tumor antigen p53 OS=... GN=TP53 PE=1`` has an
    accession, an entry name and a gene; others may have an accession with a version.

    Examples
    --------
    >>> from glass_core.protein.sequence import names_in_header
    >>> names_in_header("sp|P04637|P53_HUMAN Cellular tumor antigen p53 GN=TP53 PE=1")
    ('P04637', 'P53_HUMAN', 'TP53')
    """
    uniprot = re.match(r"(?:sp|tr)\|([^|\s]+)\|(\S+)", header)
    names = list(uniprot.groups()) if uniprot else []
    gene = re.search(r"\bGN=(\S+)", header)
    names += [gene[1]] if gene else []
    versioned = re.match(r"((?:[NXY]P_|ENSP)\d+)\.\d+\b", header)
    return (*names, *([versioned[1]] if versioned else []))
