"""What a substitution does to the backbone: prolines, glycines, the ends of helices."""

from __future__ import annotations

import numpy as np

from glass_core.impact.checks.base import Rule
from glass_core.impact.checks.burial import MISSENSE3D
from glass_core.impact.checks.site import Site, Verdict
from glass_core.metrics.secondary import HELIX, KIND_NAMES, STRAND

FIRST_TURN = 4
"""Residues of a helix whose N-H nothing of the helix accepts, so that proline fits there."""
PROLINE_PHI = (-105.0, -35.0)
"""Degrees; 99.7 % of the 882 prolines in 200 X-ray chains lie within."""
BEFORE_PROLINE_PSI = (-40.0, 0.0)
"""Degrees, with negative phi; 0.9 % of the residues before those prolines, 24 % of all others."""
CIS = 30.0
"""Degrees of omega at most in a cis peptide bond."""
LEFT_HANDED_PHI = 90.0
"""Degrees of phi up to which Asn and Asp are often found where it is positive."""
HELIX_AROUND = 4
"""Helical residues in a row that make a helix to be capped."""
_PROLINE = "MacArthur & Thornton, J. Mol. Biol. 218, 397 (1991)"
_CAPS = "Aurora & Rose, Protein Sci. 7, 21 (1998)"
NO_ANGLE = "the backbone beside it is missing"


def proline_in_helix(site: Site) -> Verdict:
    """A proline that breaks a helix: no N-H, and no room for its ring."""
    around, place = site.around, site.place
    start = place
    while start > 0 and around.secondary[start - 1] == HELIX:
        start -= 1
    kind = around.secondary[place]
    if kind != HELIX:
        return False, f"{site.label} is in a {KIND_NAMES[kind]}, not in a helix."
    before = place - start
    holds = before >= FIRST_TURN
    where = "beyond" if holds else "within"
    return holds, (
        f"{site.label} is in a helix {where} its first turn (residue {before + 1} of it), where "
        f"P {'cannot give' if holds else 'need not give'} the hydrogen bond of its N-H."
    )


def proline_in_strand(site: Site) -> Verdict:
    """A proline where strands pair by their N-H."""
    kind = site.around.secondary[site.place]
    holds = kind == STRAND
    end = ", whose hydrogen bonds P interrupts" if holds else ", not in a strand"
    return holds, f"{site.label} is in a {KIND_NAMES[kind]}{end}."


def proline_phi(site: Site) -> Verdict:
    """A proline where the ring does not allow phi."""
    phi = site.around.phi[site.place]
    if np.isnan(phi):
        return site.untold(NO_ANGLE)
    low, high = PROLINE_PHI
    holds = not low <= phi <= high
    return (
        holds,
        f"{site.label} has phi {phi:.0f}°, which P {'does not allow' if holds else 'allows'}.",
    )


def before_proline(site: Site) -> Verdict:
    """A proline whose ring meets the residue before it."""
    before = site.around.step(site.place, -1)
    if before is None:
        return site.untold(NO_ANGLE)
    phi, psi = site.around.phi[before], site.around.psi[before]
    if np.isnan(phi) or np.isnan(psi):
        return site.untold(NO_ANGLE)
    low, high = BEFORE_PROLINE_PSI
    holds = bool(phi < 0 and low < psi < high)
    return holds, (
        f"{site.name_of(before)} before {site.label} has phi {phi:.0f}° and psi {psi:.0f}°, which "
        f"a P after it {'hardly ' if holds else ''}allows."
    )


def glycine_lost(site: Site) -> Verdict:
    """A glycine where other residues' side chains meet the backbone."""
    phi = site.around.phi[site.place]
    if np.isnan(phi):
        return site.untold(NO_ANGLE)
    holds = bool(phi > 0 and not (site.mutant in "ND" and phi <= LEFT_HANDED_PHI))
    if holds:
        end = f"which is strained in {site.mutant}"
    else:
        end = f"which {site.mutant} allows" if phi <= 0 else f"which {site.mutant} often has"
    return holds, f"{site.label} has phi {phi:.0f}°, {end}."


def cis_proline_lost(site: Site) -> Verdict:
    """A proline whose cis peptide bond other residues hardly ever have."""
    omega = site.around.omega[site.place]
    if np.isnan(omega):
        return site.untold(NO_ANGLE)
    holds = bool(abs(omega) <= CIS)
    end = f"which {site.mutant} hardly ever is" if holds else "as any residue has it"
    return holds, (
        f"The peptide bond before {site.label} is {'cis' if holds else 'trans'} "
        f"(omega {omega:.0f}°), {end}."
    )


def n_cap_lost(site: Site) -> Verdict:
    """The side chain that takes the first free N-H of a helix."""
    around, place = site.around, site.place
    if np.isnan(around.psi[place]):
        return site.untold(NO_ANGLE)
    follows = all(around.helical(around.step(place, k)) for k in range(1, HELIX_AROUND + 1))
    holds = follows and not around.helical(place)
    if holds:
        return True, f"{site.label} caps the start of a helix, which {site.mutant} does not do."
    return False, f"{site.label} is not the residue before a helix."


def c_cap_lost(site: Site) -> Verdict:
    """The glycine that turns the chain out of a helix."""
    around, place = site.around, site.place
    phi = around.phi[place]
    if np.isnan(phi):
        return site.untold(NO_ANGLE)
    # The residue between, C-cap, is half out of the helix.
    comes = all(around.helical(around.step(place, -k)) for k in range(2, HELIX_AROUND + 2))
    if comes and phi > 0:
        return True, f"{site.label} turns the chain out of a helix with phi {phi:.0f}°."
    return False, f"{site.label} is not the residue that turns the chain out of a helix."


RULES = (
    Rule(
        "proline_in_helix",
        f"at least {FIRST_TURN} residues of the helix before it",
        _PROLINE,
        lambda site: site.mutant == "P",
        proline_in_helix,
    ),
    Rule(
        "proline_in_strand",
        "in a strand",
        _PROLINE,
        lambda site: site.mutant == "P",
        proline_in_strand,
    ),
    Rule(
        "proline_phi",
        f"phi outside {PROLINE_PHI[0]:.0f}° to {PROLINE_PHI[1]:.0f}°",
        _PROLINE,
        lambda site: site.mutant == "P",
        proline_phi,
    ),
    Rule(
        "proline_residue_before",
        f"phi negative and psi {BEFORE_PROLINE_PSI[0]:.0f}° to {BEFORE_PROLINE_PSI[1]:.0f}° before",
        _PROLINE,
        lambda site: site.mutant == "P",
        before_proline,
    ),
    Rule(
        "glycine_lost",
        f"phi over 0°; for N and D over {LEFT_HANDED_PHI:.0f}°",
        "Hovmöller, Zhou & Ohlson, Acta Cryst. D58, 768 (2002)",
        lambda site: site.wild == "G",
        glycine_lost,
    ),
    Rule(
        "cis_proline_lost",
        f"omega within {CIS:.0f}° of 0°",
        f"{MISSENSE3D}; Jabs, Weiss & Hilgenfeld, J. Mol. Biol. 286, 291 (1999)",
        lambda site: site.wild == "P",
        cis_proline_lost,
    ),
    Rule(
        "helix_n_cap_lost",
        f"not helical, and {HELIX_AROUND} helical residues after it",
        _CAPS,
        lambda site: site.wild in "STDN" and site.mutant not in "STDNG",
        n_cap_lost,
    ),
    Rule(
        "helix_c_cap_lost",
        f"phi over 0°, and {HELIX_AROUND} helical residues up to two before it",
        _CAPS,
        lambda site: site.wild == "G",
        c_cap_lost,
    ),
)
