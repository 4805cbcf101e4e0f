"""Names of the classes that proteins of known structure have: CATH's classes and architectures.

Names as of CATH 4.3 (CC BY 4.0; Sillitoe et al., doi:10.1093/nar/gkaa1079). Folds and
superfamilies are too many and have codes alone.
"""

from __future__ import annotations

LEVELS = ("class", "architecture", "fold", "superfamily")
"""From wide to narrow; a fold is CATH's topology."""
CLASS_NAMES = {
    "1": "mainly alpha",
    "2": "mainly beta",
    "3": "alpha and beta",
    "4": "few secondary structures",
    "6": "special",
}
_ARCHITECTURES = {
    "1.10": "orthogonal bundle",
    "1.20": "up-down bundle",
    "1.25": "alpha horseshoe",
    "1.40": "alpha solenoid",
    "1.50": "alpha/alpha barrel",
    "2.10": "ribbon",
    "2.20": "single sheet",
    "2.30": "roll",
    "2.40": "beta barrel",
    "2.50": "clam",
    "2.60": "sandwich",
    "2.70": "distorted sandwich",
    "2.80": "trefoil",
    "2.90": "orthogonal prism",
    "2.100": "aligned prism",
    "2.102": "3-layer sandwich",
    "2.105": "3 propeller",
    "2.110": "4 propeller",
    "2.115": "5 propeller",
    "2.120": "6 propeller",
    "2.130": "7 propeller",
    "2.140": "8 propeller",
    "2.150": "2 solenoid",
    "2.160": "3 solenoid",
    "2.170": "beta complex",
    "2.180": "shell",
    "3.10": "roll",
    "3.15": "super roll",
    "3.20": "alpha-beta barrel",
    "3.30": "2-layer sandwich",
    "3.40": "3-layer (aba) sandwich",
    "3.50": "3-layer (bba) sandwich",
    "3.55": "3-layer (bab) sandwich",
    "3.60": "4-layer sandwich",
    "3.65": "alpha-beta prism",
    "3.70": "box",
    "3.75": "5-stranded propeller",
    "3.80": "alpha-beta horseshoe",
    "3.90": "alpha-beta complex",
    "3.100": "ribosomal protein L15",
    "4.10": "irregular",
    "6.10": "helix, non-globular",
    "6.20": "other non-globular",
}


def with_name(code: str) -> str:
    """The code of a class or architecture with its name behind; of others, the code.

    Examples
    --------
    >>> from glass_core.protein.fold_classes import with_name
    >>> with_name("3.20"), with_name("3.20.20")
    ('3.20 alpha-beta barrel', '3.20.20')
    """
    name = CLASS_NAMES.get(code) or _ARCHITECTURES.get(code)
    return f"{code} {name}" if name else code


def of_fold(code: str) -> str:
    """A fold's code with what it belongs to, such as ``3.20.20, alpha-beta barrel``."""
    architecture = ".".join(code.split(".")[:2])
    name = _ARCHITECTURES.get(architecture)
    return f"{code}, {name}" if name else code
