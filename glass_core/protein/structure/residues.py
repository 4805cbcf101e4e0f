"""Names of residues and the standard ones they stand for."""

from __future__ import annotations

from functools import cache

from glass_core.protein.sequence import ONE_LETTER, STANDARD, THREE_LETTER, UNKNOWN

PROTONATED = {
    "HSD": "HIS",
    "HSE": "HIS",
    "HSP": "HIS",
    "HID": "HIS",
    "HIE": "HIS",
    "HIP": "HIS",
    "CYX": "CYS",
    "CYM": "CYS",
    "ASH": "ASP",
    "GLH": "GLU",
    "LYN": "LYS",
    "HSC": "HIS",
    "LYP": "LYS",
    "LSN": "LYS",
    "ARN": "ARG",
    "AS4": "ASP",
    "GL4": "GLU",
    "CYSH": "CYS",
    "CYS2": "CYS",
    "HISA": "HIS",
    "HISB": "HIS",
    "HISD": "HIS",
    "HISE": "HIS",
    "HISH": "HIS",
    "HISP": "HIS",
    "HIS1": "HIS",
    "HIS2": "HIS",
    "LYSH": "LYS",
    "LYSN": "LYS",
    "ARGN": "ARG",
    "ASPH": "ASP",
    "ASPP": "ASP",
    "GLUH": "GLU",
    "GLUP": "GLU",
}
"""What force fields call the 20 by their protons."""
_ENDS = ("N", "C")
"""Put before the name of a chain's first and last residue by AMBER."""
PLAIN_NAMES = frozenset(
    {*(THREE_LETTER[letter].upper() for letter in STANDARD), *PROTONATED, "MSE"}
)
"""Residues that no file lists as anything but a part of a chain, unless as a hetero group."""
WATER = frozenset({"HOH", "DOD", "WAT", "H2O", "SOL", "TIP", "TIP3", "TIP4"})
_UNKNOWN_RESIDUES = frozenset({"UNK"})
_PARENTS = PROTONATED | {
    "MSE": "MET",
    "SEP": "SER",
    "TPO": "THR",
    "PTR": "TYR",
    "CSO": "CYS",
    "CME": "CYS",
    "CSD": "CYS",
    "OCS": "CYS",
    "CSX": "CYS",
    "CAS": "CYS",
    "SMC": "CYS",
    "HYP": "PRO",
    "MLY": "LYS",
    "M3L": "LYS",
    "MLZ": "LYS",
    "KCX": "LYS",
    "ALY": "LYS",
    "LLP": "LYS",
    "PCA": "GLU",
    "CGU": "GLU",
    "TYS": "TYR",
    "HIC": "HIS",
    "NEP": "HIS",
    "FME": "MET",
    "MHO": "MET",
    "SAC": "SER",
    "TRN": "TRP",
    "FTR": "TRP",
    "AGM": "ARG",
    "MEN": "ASN",
}
"""Modified and protonated residues whose parent the chemical dictionary does not give."""


@cache
def parent(name: str) -> str:
    """The standard residue a modified one derives from, or `name` itself."""
    if name in ONE_LETTER:
        return name
    if name in _PARENTS:
        return _PARENTS[name]
    if _is_end(name):
        return parent(name[1:])
    from biotite.structure.info import link_type, one_letter_code

    # Nucleotides have letters too: a modified adenine is no alanine.
    nucleotide = any(kind in (link_type(name) or "") for kind in ("DNA", "RNA"))
    letter = None if nucleotide else one_letter_code(name)
    return THREE_LETTER[letter].upper() if letter and letter in STANDARD else name


def is_plain(name: str) -> bool:
    """Whether a residue is one of the 20, in whatever protonation or at an end, or MSE."""
    return name in PLAIN_NAMES or _is_end(name)


def _is_end(name: str) -> bool:
    return len(name) == 4 and name.startswith(_ENDS) and name[1:] in PLAIN_NAMES


def is_amino_acid(name: str) -> bool:
    """Whether the name alone says that it is one, standard or modified."""
    return name in _UNKNOWN_RESIDUES or (parent(name) in ONE_LETTER and parent(name) != "XAA")


def letter_of(name: str) -> str:
    """One letter of a residue's parent; X where it has none."""
    return ONE_LETTER.get(parent(name), UNKNOWN)
