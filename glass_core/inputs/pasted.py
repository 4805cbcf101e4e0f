"""Letters that were pasted: protein sequences, FASTA, or nucleotides in place of them."""

from __future__ import annotations

import re

from glass_core.errors import SequenceError, shown
from glass_core.protein.nucleotides import looks_like_nucleotides, translated
from glass_core.protein.sequence import NONSTANDARD, ONE_LETTER, NamedSequence, read_sequences
from glass_core.protein.understood import Understood

SHORTEST_SEQUENCE = 8
"""Letters in a row from which on they are a sequence and no name."""
_ODD_SHARE = 0.1
"""Of letters that stand for no single residue: more are in words, not in sequences."""


def may_be_sequence(text: str) -> bool:
    """Whether a text without a header is meant as a sequence, right or wrong, and not as words."""
    words = text.split()
    joined = "".join(words).upper()
    if looks_like_nucleotides(joined):
        return True
    if len(words) > 2 and all(word.upper() in ONE_LETTER for word in words):
        return True  # three-letter codes, which are refused by name
    odd = sum(joined.count(letter) for letter in NONSTANDARD if letter != "X")
    in_a_row = re.search(rf"[A-Za-z]{{{SHORTEST_SEQUENCE},}}", text)
    plain = re.fullmatch(r"[A-Z0-9*.~-]+", joined)
    return bool(in_a_row and plain) and odd <= _ODD_SHARE * len(joined)


def pasted_sequences(text: str) -> Understood:
    """One sequence, or the records of FASTA; nucleotides with their translation on offer."""
    letters = "".join(text.partition("\n")[2].split() if text[0] == ">" else text.split()).upper()
    if looks_like_nucleotides(letters):
        return _nucleotides(letters)
    try:
        records = tuple(read_sequences(text))
    except SequenceError as error:
        return Understood("problem", str(error))
    if len(records) == 1:
        one = records[0]
        name = f" {shown(one.name)}" if one.name else ""
        preview = f"protein sequence{name}, {len(one.residues):,} residues"
    else:
        names = ", ".join(shown(one.name.split()[0], 20) for one in records[:3] if one.name)
        preview = f"{len(records):,} protein sequences" + (f": {names}" if names else "")
    return Understood("sequences", preview, records)


def _nucleotides(letters: str) -> Understood:
    """DNA or RNA, with its translation where it is one open reading frame."""
    said = f"these are nucleotides ({letters[:12]}...), and a protein is meant"
    protein = translated(letters)
    if not protein:
        return Understood("problem", f"{said}; give the protein's sequence.")
    offer = NamedSequence(protein, "translation")
    return Understood(
        "problem",
        f"{said}; they are one open reading frame of {len(protein):,} residues "
        f"({protein[:10]}...), which can be taken.",
        offer=offer,
    )
