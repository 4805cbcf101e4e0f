"""Bonds of the side chain that the chain loses, or might gain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glass_core.impact.checks.base import Rule
from glass_core.impact.checks.burial import MISSENSE3D, NO_ATOMS
from glass_core.impact.checks.packing import NO_BACKBONE, frame
from glass_core.impact.checks.rotamers import placed
from glass_core.impact.checks.site import Site, Surroundings, Verdict
from glass_core.impact.checks.templates import BACKBONE, bonded
from glass_core.protein.sequence import STANDARD
from glass_core.remodel.kept import DISULFIDE

SALT_BRIDGE = 4.0
"""Å between a charged N and a charged O at most."""
HYDROGEN_BOND = 3.5
"""Å between donor and acceptor at most."""
BOND_ANGLE = 90.0
"""Degrees at least between either atom of a hydrogen bond, its own neighbour, and the other."""
CYSTEINE_CA, CYSTEINE_CB = 6.5, 4.5
"""Å between the C-alphas, and the C-betas, of two cysteines that can bond."""
NEGATIVE: dict[str, tuple[str, ...]] = {"D": ("OD1", "OD2"), "E": ("OE1", "OE2")}
POSITIVE: dict[str, tuple[str, ...]] = {
    "K": ("NZ",),
    "R": ("NE", "NH1", "NH2"),
    "H": ("ND1", "NE2"),
}
DONORS = {
    "S": ("OG",),
    "T": ("OG1",),
    "Y": ("OH",),
    "K": ("NZ",),
    "R": ("NE", "NH1", "NH2"),
    "H": ("ND1", "NE2"),
    "N": ("ND2",),
    "Q": ("NE2",),
    "W": ("NE1",),
}
ACCEPTORS = {
    "S": ("OG",),
    "T": ("OG1",),
    "Y": ("OH",),
    "D": ("OD1", "OD2"),
    "E": ("OE1", "OE2"),
    "N": ("OD1",),
    "Q": ("OE1",),
    "H": ("ND1", "NE2"),
}
"""Of side chains; sulfur, which bonds weakly, is left out."""
POLAR = "".join(sorted({*DONORS, *ACCEPTORS}))
_ALIKE = ("ST", "DN", "EQ", "KR")
"""Residues that can take over each other's hydrogen bonds, or most of them."""
_SHOWN = 3
"""Partners named at most."""


@dataclass(frozen=True)
class Partner:
    """An atom that a side chain is bonded to: its index, and Å to it."""

    row: int
    distance: float


def disulphide_lost(site: Site) -> Verdict:
    """A cysteine that another one is bonded to."""
    if site.around.atom(site.place, "SG") is None:
        return site.untold(NO_ATOMS)
    partner = disulphide(site.around, site.place)
    if partner is None:
        return False, f"{site.label} has no disulphide bond within the chain."
    other = _residue(site, partner.row)
    return True, f"{site.label} is bonded to {other} (S–S {partner.distance:.1f} Å)."


def disulphide_gained(site: Site) -> Verdict:
    """A cysteine that comes to lie beside a free one."""
    own = frame(site.around, site.place)
    if own is None:
        return site.untold(NO_BACKBONE)
    beta = placed("C", own)[0, 0]
    for place, letter in enumerate(site.around.structure.sequence):
        if letter != "C" or abs(place - site.place) < 2:
            continue
        other = [site.around.atom(place, name) for name in ("CA", "CB")]
        if other[0] is None or other[1] is None or disulphide(site.around, place) is not None:
            continue
        alphas, betas = np.linalg.norm(other[0] - own[1]), np.linalg.norm(other[1] - beta)
        if alphas <= CYSTEINE_CA and betas <= CYSTEINE_CB:
            return True, (
                f"C at {site.label} may bond to the free {site.name_of(place)} "
                f"(C-betas {betas:.1f} Å apart)."
            )
    return False, f"No free cysteine lies beside {site.label}."


def salt_bridge_lost(site: Site) -> Verdict:
    """A charge that loses the opposite one beside it."""
    if not site.around.complete(site.place):
        return site.untold(NO_ATOMS)
    found = [partner for _, partner in salt_bridges(site.around, site.place)]
    if not found:
        return False, f"{site.label} has no salt bridge within the chain."
    return True, f"{site.label} has a salt bridge with {_listed(site, found)}."


def hydrogen_bond_lost(site: Site) -> Verdict:
    """A hydrogen bond of the side chain, told by heavy atoms alone."""
    if not site.around.complete(site.place):
        return site.untold(NO_ATOMS)
    found = [partner for _, partner in hydrogen_bonds(site.around, site.place)]
    if not found:
        return False, f"The side chain of {site.label} has no hydrogen bond within the chain."
    return True, f"The side chain of {site.label} has a hydrogen bond with {_listed(site, found)}."


def salt_bridges(around: Surroundings, place: int) -> list[tuple[int, Partner]]:
    """Those of a residue's side chain: index of its own atom, and the partner."""
    letter = around.structure.sequence[place]
    for own, others in ((NEGATIVE, POSITIVE), (POSITIVE, NEGATIVE)):
        if letter in own:
            near = _near(around, place, own[letter], SALT_BRIDGE)
            return [pair for pair in near if _is_one_of(around, pair[1].row, others)]
    return []


def hydrogen_bonds(around: Surroundings, place: int) -> list[tuple[int, Partner]]:
    """Those of a residue's side chain: index of its own atom, and the partner."""
    letter = around.structure.sequence[place]
    names = (*DONORS.get(letter, ()), *ACCEPTORS.get(letter, ()))
    near = _near(around, place, names, HYDROGEN_BOND)
    return [pair for pair in near if _bonds(around, pair[0], pair[1].row)]


def _near(
    around: Surroundings, place: int, names: tuple[str, ...], longest: float
) -> Iterator[tuple[int, Partner]]:
    """Atoms of other residues within reach of the named ones: (own index, partner)."""
    for row in around.rows(place, names).values():
        for other in sorted(around.tree.query_ball_point(around.coord[row], longest)):
            if around.structure.residue_of_atom[other] != place:
                distance = float(np.linalg.norm(around.coord[row] - around.coord[other]))
                yield row, Partner(other, distance)


def disulphide(around: Surroundings, place: int) -> Partner | None:
    """The sulfur that a cysteine's is bonded to."""
    near = (partner for _, partner in _near(around, place, ("SG",), DISULFIDE))
    sulfurs = [p for p in near if _is_one_of(around, p.row, {"C": ("SG",)})]
    return min(sulfurs, key=lambda partner: partner.distance, default=None)


def _is_one_of(around: Surroundings, row: int, kinds: dict[str, tuple[str, ...]]) -> bool:
    letter = around.structure.sequence[around.structure.residue_of_atom[row]]
    return str(around.structure.atoms.atom_name[row]) in kinds.get(letter, ())


def _bonds(around: Surroundings, one: int, other: int) -> bool:
    """Whether one of two atoms gives a hydrogen and the other takes it, at fair angles."""
    pairs = ((one, other), (other, one))
    shared = any(_gives(around, a) and _takes(around, b) for a, b in pairs)
    return shared and all(_fair(around, a, b) for a, b in pairs)


def _gives(around: Surroundings, row: int) -> bool:
    letter = around.structure.sequence[around.structure.residue_of_atom[row]]
    backbone = str(around.structure.atoms.atom_name[row]) == "N" and letter != "P"
    return backbone or _is_one_of(around, row, DONORS)


def _takes(around: Surroundings, row: int) -> bool:
    backbone = str(around.structure.atoms.atom_name[row]) in ("O", "OXT")
    return backbone or _is_one_of(around, row, ACCEPTORS)


def _fair(around: Surroundings, row: int, other: int) -> bool:
    """Whether every neighbour of an atom stands well off the line to its partner."""
    import biotite.structure as struc

    place = int(around.structure.residue_of_atom[row])
    letter = around.structure.sequence[place]
    name = str(around.structure.atoms.atom_name[row])
    if letter not in STANDARD:
        return True
    beside = around.rows(place, bonded(letter, "O" if name == "OXT" else name)).values()
    ends = (around.coord[row], around.coord[other])
    with np.errstate(invalid="ignore"):  # atoms on top of each other have no angle
        angles = [np.degrees(struc.angle(around.coord[i], *ends)) for i in beside]
    return all(angle >= BOND_ANGLE for angle in angles)


def _residue(site: Site, row: int) -> str:
    return site.name_of(int(site.around.structure.residue_of_atom[row]))


def _listed(site: Site, partners: list[Partner]) -> str:
    """The nearest partners, a residue once, such as ``D93 (2.8 Å) and Y15 (backbone, 3.0 Å)``."""
    told: dict[str, str] = {}
    for partner in sorted(partners, key=lambda p: p.distance):
        name = str(site.around.structure.atoms.atom_name[partner.row])
        where = "backbone, " if name in BACKBONE else ""
        told.setdefault(_residue(site, partner.row), f"({where}{partner.distance:.1f} Å)")
    words = [f"{residue} {how}" for residue, how in told.items()]
    shown, more = words[:_SHOWN], len(words) - _SHOWN
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _charge_goes(site: Site) -> bool:
    """Whether a charge is replaced by none or by the opposite one."""
    return any(site.wild in kind and site.mutant not in kind for kind in (NEGATIVE, POSITIVE))


def _polar_goes(site: Site) -> bool:
    """Whether a polar side chain is replaced by one that bonds otherwise."""
    alike = any({site.wild, site.mutant} <= set(pair) for pair in _ALIKE)
    return site.wild in POLAR and not alike


RULES = (
    Rule(
        "disulphide_lost",
        f"S–S at most {DISULFIDE} Å",
        MISSENSE3D,
        lambda site: site.wild == "C",
        disulphide_lost,
    ),
    Rule(
        "disulphide_gained",
        f"a free C with its C-alpha within {CYSTEINE_CA} Å and its C-beta within {CYSTEINE_CB} Å",
        "Sowdhamini et al., Protein Eng. 3, 95 (1989)",
        lambda site: site.mutant == "C",
        disulphide_gained,
    ),
    Rule(
        "salt_bridge_lost",
        f"charged N and O at most {SALT_BRIDGE} Å apart",
        "Barlow & Thornton, J. Mol. Biol. 168, 867 (1983)",
        _charge_goes,
        salt_bridge_lost,
    ),
    Rule(
        "hydrogen_bond_lost",
        f"donor and acceptor at most {HYDROGEN_BOND} Å apart, both angles with the atoms before "
        f"them at least {BOND_ANGLE:.0f}° (no hydrogens are placed)",
        "Baker & Hubbard, Prog. Biophys. Mol. Biol. 44, 97 (1984); McDonald & Thornton, "
        "J. Mol. Biol. 238, 777 (1994)",
        _polar_goes,
        hydrogen_bond_lost,
    ),
)
