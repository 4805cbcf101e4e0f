"""What a substitution puts into the core or takes out of it."""

from __future__ import annotations

import numpy as np

from glass_core.impact.checks.base import Rule
from glass_core.impact.checks.site import Site, Verdict

BURIED = 0.09
"""Relative accessibility under which a residue is buried.

Ittisoponpisan et al., J. Mol. Biol. 431, 2197 (2019).
"""
VOLUME_LOST = 70.0
"""Å³ by which a buried residue must shrink to leave a cavity; the same paper."""
HYDROPHOBIC, HYDROPHILIC = "ACFILMV", "HNQ"
"""Hydropathy of at least 1.8, and of at most -3.2 without the charged (Kyte & Doolittle)."""
CHARGE = {"D": -1, "E": -1, "K": 1, "R": 1}
"""At pH 7; histidine is mostly neutral there."""
VOLUME = {
    "A": 88.6,
    "R": 173.4,
    "N": 114.1,
    "D": 111.1,
    "C": 108.5,
    "Q": 143.8,
    "E": 138.4,
    "G": 60.1,
    "H": 153.2,
    "I": 166.7,
    "L": 166.7,
    "K": 168.6,
    "M": 162.9,
    "F": 189.9,
    "P": 112.7,
    "S": 89.0,
    "T": 116.1,
    "W": 227.8,
    "Y": 193.6,
    "V": 140.0,
}
"""Å³ of a residue in solution: Zamyatnin, Prog. Biophys. Mol. Biol. 24, 107 (1972)."""
MISSENSE3D = "Ittisoponpisan et al., J. Mol. Biol. 431, 2197 (2019)"
_UNDER = f"relative accessibility under {100 * BURIED:.0f} %"
NO_ATOMS = "the residue lacks atoms in the structure"


def buried(site: Site) -> Verdict:
    """Whether solvent hardly reaches the residue."""
    return _judge(site, site.label)


def charge_introduced(site: Site) -> Verdict:
    """A charge where there was none, in the core."""
    return _judge(site, f"{site.mutant} puts a charge at {site.label}, which")


def charge_lost(site: Site) -> Verdict:
    """A charge taken from the core, where something answers it."""
    return _judge(site, f"{site.mutant} takes away the charge of {site.label}, which")


def charge_switched(site: Site) -> Verdict:
    """The opposite charge, in the core."""
    return _judge(site, f"{site.mutant} has the opposite charge of {site.label}, which")


def hydrophilic_introduced(site: Site) -> Verdict:
    """A polar side chain instead of an oily one, in the core."""
    return _judge(site, f"{site.mutant} has a polar side chain, unlike {site.label}, which")


def cavity_opened(site: Site) -> Verdict:
    """Room left empty in the core."""
    lost = VOLUME[site.wild] - VOLUME[site.mutant]
    return _judge(site, f"{site.mutant} is {lost:.0f} Å³ smaller than {site.label}, which")


def _judge(site: Site, subject: str) -> Verdict:
    """Whether the site is buried, said of `subject`."""
    share = site.accessibility
    if np.isnan(share):
        return site.untold(NO_ATOMS)
    holds = share < BURIED
    where = "buried" if holds else "not buried"
    return holds, f"{subject} is {where} (relative accessibility {100 * share:.0f} %)."


RULES = (
    Rule("buried", _UNDER, MISSENSE3D, lambda site: True, buried),
    Rule(
        "buried_charge_introduced",
        _UNDER,
        MISSENSE3D,
        lambda site: site.wild not in CHARGE and site.mutant in CHARGE,
        charge_introduced,
    ),
    Rule(
        "buried_charge_lost",
        _UNDER,
        MISSENSE3D,
        lambda site: site.wild in CHARGE and site.mutant not in CHARGE,
        charge_lost,
    ),
    Rule(
        "buried_charge_switched",
        _UNDER,
        MISSENSE3D,
        lambda site: CHARGE.get(site.wild, 0) * CHARGE.get(site.mutant, 0) < 0,
        charge_switched,
    ),
    Rule(
        "buried_hydrophilic_introduced",
        f"{_UNDER}, hydropathy from 1.8 or more to -3.2 or less",
        f"{MISSENSE3D}; Kyte & Doolittle, J. Mol. Biol. 157, 105 (1982)",
        lambda site: site.wild in HYDROPHOBIC and site.mutant in HYDROPHILIC,
        hydrophilic_introduced,
    ),
    Rule(
        "cavity_opened",
        f"{_UNDER}, and at least {VOLUME_LOST:.0f} Å³ less volume",
        f"{MISSENSE3D}; Zamyatnin, Prog. Biophys. Mol. Biol. 24, 107 (1972)",
        lambda site: VOLUME[site.wild] - VOLUME[site.mutant] >= VOLUME_LOST,
        cavity_opened,
    ),
)
