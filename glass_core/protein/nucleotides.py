"""Nucleotides where a protein is meant: told by their letters, and translated."""

from __future__ import annotations

_SHORTEST = 15
"""Letters from which on a sequence of A, C, G, T or U and N alone is no protein's."""


def looks_like_nucleotides(letters: str) -> bool:
    """Whether upper-case letters without white space are DNA or RNA rather than residues."""
    kinds = set(letters)
    return len(letters) >= _SHORTEST and kinds <= set("ACGTUN") and set("ACG") <= kinds


def translated(letters: str) -> str:
    """The protein of letters that are one open reading frame from start to stop; '' of others.

    The stop may be missing. By the standard code.

    Examples
    --------
    >>> from glass_core.protein.nucleotides import translated
    >>> translated("ATGGTGCATCTGACTTAA")
    'MVHLT'
    >>> translated("GATGGTGCATCTGACTTAA")  # out of frame
    ''
    """
    from Bio.Seq import Seq

    if len(letters) % 3:
        return ""
    protein = str(Seq(letters).translate()).removesuffix("*")
    return protein if protein.startswith("M") and "*" not in protein else ""
