"""Checks that explain a substitution: known proteins, both sides of thresholds, what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from scipy.stats import qmc

from glass_core.errors import RecordError
from glass_core.impact.checks.base import Check
from glass_core.impact.checks.packing import OVERLAP, best_fit
from glass_core.impact.checks.rotamers import library, side_chain_names
from glass_core.impact.checks.run import RULES, structural_checks
from glass_core.impact.checks.site import LARGEST_AREA, Site, Surroundings
from glass_core.impact.checks.templates import template
from glass_core.protein.annotation import Annotation, Feature
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD, THREE_LETTER
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.remodel.rotamers import chi_angles, dihedral

MISMATCH = 5


@pytest.fixture(scope="module")
def protein(globin):
    return Protein.from_structure(globin)


@pytest.fixture(scope="module")
def around(globin):
    return Surroundings.of(globin)


def told(protein, text, around=None):
    """Name -> check of a variant in one-letter notation, in which X may stand here."""
    if text.endswith("X"):
        change = Change(int(text[1:-1]), text[0], "X")
        variant = Variant(protein.sequence, (change,))
    else:
        variant = Variant.parse(text, protein.sequence)
    return {check.name: check for check in structural_checks(protein, variant, around)}


def substitution(protein, position, mutant):
    return f"{protein.sequence[position - 1]}{position}{mutant}"


def site(around, position, wild, mutant):
    """A site whose letters are given, in a structure of any letters."""
    letters = list(around.structure.sequence)
    letters[position - 1] = wild
    protein = Protein("".join(letters), "made", around.structure, np.arange(len(around.structure)))
    return Site(protein, Change(position, wild, mutant), around)


def verdict(name, where):
    """Whether a rule holds at a site; it applies."""
    rule = next(rule for rule in RULES if rule.name == name)
    assert rule.applies(where)
    return rule.judge(where)[0]


def changed(track, **values):
    """A copy of a track with values at 1-based positions, such as ``p5=1.0``."""
    track = np.array(track)
    for place, value in values.items():
        track[int(place[1:]) - 1] = value
    return track


def with_atoms(structure, change):
    """The structure after `change(atoms, residue of each atom)` on a copy."""
    atoms = structure.atoms.copy()
    atoms.coord = atoms.coord.copy()
    made = change(atoms, structure.residue_of_atom)
    return replace(structure, atoms=atoms if made is None else made, contacts=())


def open_file(shared_data, name):
    path = shared_data / "structures" / "fullatom" / f"{name}.pdb.gz"
    return Protein.from_structure(read_structure(path))


# The surroundings


def test_accessibility_is_that_of_a_plain_computation(globin, around):
    """Shrake and Rupley with Sobol's points instead of a spiral."""
    height, turn = qmc.Sobol(2, rng=0).random(1024).T * [[2], [2 * np.pi]] - [[1], [0]]
    flat = np.sqrt(1 - height**2)
    points = np.column_stack([flat * np.cos(turn), flat * np.sin(turn), height])
    reach = around.radii + 1.4
    tree = cKDTree(around.coord)
    area = np.zeros(len(globin))
    for row, place in enumerate(globin.residue_of_atom):
        near = [j for j in tree.query_ball_point(around.coord[row], 2 * reach.max()) if j != row]
        shell = around.coord[row] + reach[row] * points
        away = np.linalg.norm(shell[:, None] - around.coord[near][None], axis=-1)
        free = (away >= reach[near]).all(axis=1).mean()
        area[place] += free * 4 * np.pi * reach[row] ** 2
    plain = area / [LARGEST_AREA[letter] for letter in globin.sequence]
    assert np.abs(plain - around.accessibility).max() < 0.03


def test_torsions_are_those_of_four_atoms(globin, around):
    for place in (1, 20, 77, 140):
        c, n, ca = (around.atom(place - 1, "C"), around.atom(place, "N"), around.atom(place, "CA"))
        before, own = around.atom(place - 1, "CA"), around.atom(place, "C")
        after = around.atom(place + 1, "N")
        assert dihedral(c, n, ca, own) == pytest.approx(around.phi[place], abs=0.01)
        assert dihedral(n, ca, own, after) == pytest.approx(around.psi[place], abs=0.01)
        assert dihedral(before, c, n, ca) == pytest.approx(around.omega[place], abs=0.01)
    assert np.isnan([around.phi[0], around.omega[0], around.psi[-1]]).all()


def test_no_angle_reaches_over_a_break(globin):
    cut = with_atoms(globin, lambda atoms, residue: atoms[(residue < 40) | (residue >= 50)])
    around = Surroundings.of(cut)
    assert cut.breaks == (39,)
    assert np.isnan([around.psi[39], around.phi[40], around.omega[40]]).all()
    assert around.step(39, 1) is None
    assert around.step(38, 1) == 39


# What rotamers there are


def test_every_rotamer_keeps_the_bonds_and_covers_the_staggered_values():
    for letter in STANDARD.replace("G", ""):
        atoms, names = template(letter), side_chain_names(letter)
        rows = [list(atoms.atom_name).index(name) for name in names]
        pairs = [
            (names.index(atoms.atom_name[i]), names.index(atoms.atom_name[j]))
            for i, j, _ in atoms.bonds.as_array()
            if i in rows and j in rows
        ]
        made = library(letter)
        for i, j in pairs:
            ideal = np.linalg.norm(atoms.coord[rows[i]] - atoms.coord[rows[j]])
            lengths = np.linalg.norm(made[:, i] - made[:, j], axis=-1)
            np.testing.assert_allclose(lengths, ideal, atol=1e-4)
    assert library("G").size == 0
    assert {letter: len(library(letter)) for letter in "APVLMKW"} == {
        "A": 1,
        "P": 1,
        "V": 9,
        "L": 81,
        "M": 243,
        "K": 729,
        "W": 162,
    }
    leucine = template("L")
    backbone = {n: leucine.coord[leucine.atom_name == n][0] for n in ("N", "CA", "C", "O")}
    found = {
        tuple(
            round(chi) % 360
            for chi in chi_angles(backbone | dict(zip(side_chain_names("L"), r, strict=True)))
        )
        for r in library("L")
    }
    assert {(a, b) for a in (60, 180, 300) for b in (60, 180, 300)} <= found


# Known proteins


def test_what_is_known_of_a_globin(protein, around):
    assert "C134" in told(protein, "C3S", around)["disulphide_lost"].text
    assert "chain G" in told(protein, "D1A", around)["interface_contact"].text
    touching = {}
    for position, letter in enumerate(protein.sequence, start=1):
        mutant = "A" if letter == "G" else "G"
        found = told(protein, f"{letter}{position}{mutant}", around)["ligand_contact"]
        if found.holds:
            touching[position] = found.text
    haem = {position for position, text in touching.items() if "HEM 160" in text}
    monoxide = {position for position, text in touching.items() if "CMO 161" in text}
    assert haem | monoxide == touching.keys()
    assert 97 in haem  # the proximal histidine, and across the haem the distal one:
    assert 65 in monoxide
    assert protein.sequence[96] == protein.sequence[64] == "H"
    assert 10 <= len(haem) <= 20


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "text", "check", "words"),
    [
        ("123l_A", "L99A", "cavity_opened", "78 Å³"),
        ("123l_A", "L99A", "buried", "0 %"),
        ("123l_A", "M102K", "buried_charge_introduced", "K puts a charge at M102"),
        ("123l_A", "A98V", "clash", "T152"),
        ("123l_A", "A129W", "clash", "No rotamer of W"),
        ("123l_A", "S38A", "helix_n_cap_lost", "S38"),
        ("123l_A", "T59A", "helix_n_cap_lost", "T59"),
        ("123l_A", "G12A", "helix_c_cap_lost", "G12"),
        ("123l_A", "A134P", "proline_in_helix", "A134"),
        ("123l_A", "D70N", "salt_bridge_lost", "H31"),
        ("123l_A", "T157I", "hydrogen_bond_lost", "T155"),
        ("1a2p_A", "D91N", "salt_bridge_lost", "R67"),  # D93 and R69 by their author
        ("1a2p_A", "I94A", "cavity_opened", "78 Å³"),
        ("2sns_A", "P117G", "cis_proline_lost", "P117"),
        ("1kf3_A", "P93A", "cis_proline_lost", "P93"),
        ("1kf3_A", "P114A", "cis_proline_lost", "P114"),
        ("1kf3_A", "C26A", "disulphide_lost", "C84"),
        ("1kf3_A", "C40A", "disulphide_lost", "C95"),
        ("1kf3_A", "C58A", "disulphide_lost", "C110"),
        ("1kf3_A", "C65A", "disulphide_lost", "C72"),
    ],
)
def test_known_effects_are_explained(shared_data, name, text, check, words):
    found = told(open_file(shared_data, name), text)[check]
    assert found.holds
    assert words in found.text


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "text", "check"),
    [
        ("123l_A", "P86A", "cis_proline_lost"),
        ("123l_A", "K60P", "proline_in_helix"),
        ("123l_A", "T115A", "helix_n_cap_lost"),
        ("123l_A", "M102K", "clash"),  # whose room is told, and whose crystal shows it
        ("1kf3_A", "K7A", "salt_bridge_lost"),
    ],
)
def test_what_is_known_not_to_be(shared_data, name, text, check):
    assert told(open_file(shared_data, name), text)[check].holds is False


@pytest.mark.data
@pytest.mark.slow
def test_the_wild_type_itself_hardly_ever_clashes(shared_data):
    """Each side chain built anew in place of itself; measured over all 200 chains: 0.06 %."""
    files = sorted((shared_data / "structures" / "fullatom").glob("*.pdb.gz"))[::20]
    overlaps, tight = [], []
    for path in files:
        around = Surroundings.of(read_structure(path))
        for place, letter in enumerate(around.structure.sequence):
            if letter not in "GPX":
                overlaps.append(best_fit(around, place, letter).overlap)
            if letter in "AG" and around.accessibility[place] < 0.05:
                tight.append(best_fit(around, place, "W").overlap)
    assert len(overlaps) > 700
    assert np.mean(np.array(overlaps) > OVERLAP) < 0.005
    assert np.mean(np.array(tight) > OVERLAP) > 0.5  # while the core has no room for Trp


# Both sides of each threshold


@pytest.mark.parametrize(
    ("name", "wild", "mutant"),
    [
        ("buried", "L", "I"),
        ("buried_charge_introduced", "L", "D"),
        ("buried_charge_lost", "K", "A"),
        ("buried_charge_switched", "K", "E"),
        ("buried_hydrophilic_introduced", "L", "Q"),
        ("cavity_opened", "L", "A"),
    ],
)
def test_burial_decides(around, name, wild, mutant):
    for share, holds in ((0.089, True), (0.091, False), (np.nan, None)):
        here = replace(around, accessibility=changed(around.accessibility, p50=share))
        assert verdict(name, site(here, 50, wild, mutant)) is holds


def test_a_cavity_wants_seventy_cubic_angstrom():
    rule = next(rule for rule in RULES if rule.name == "cavity_opened")
    sequence = Protein.from_sequence("LVFIW")
    applies = {
        text: rule.applies(Site(sequence, Variant.parse(text, "LVFIW").changes[0]))
        for text in ("L1A", "V2A", "F3L", "I4V", "I4A", "W5F", "W5A")
    }
    assert [text for text, yes in applies.items() if yes] == ["L1A", "I4A", "W5A"]


def test_proline_wants_the_end_of_a_helix(around):
    coil = "C" * len(around.structure)
    here = replace(around, secondary=coil[:39] + "H" * 12 + coil[51:])
    assert [verdict("proline_in_helix", site(here, p, "A", "P")) for p in (39, 40, 43, 44, 51)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    here = replace(around, secondary=coil[:39] + "E" + coil[40:])
    assert verdict("proline_in_strand", site(here, 40, "A", "P"))
    assert not verdict("proline_in_strand", site(here, 41, "A", "P"))


@pytest.mark.parametrize(
    ("name", "wild", "mutant", "angles", "holds"),
    [
        ("proline_phi", "A", "P", {"phi": -34}, True),
        ("proline_phi", "A", "P", {"phi": -36}, False),
        ("proline_phi", "A", "P", {"phi": -104}, False),
        ("proline_phi", "A", "P", {"phi": -106}, True),
        ("proline_phi", "A", "P", {"phi": np.nan}, None),
        ("glycine_lost", "G", "A", {"phi": 1}, True),
        ("glycine_lost", "G", "A", {"phi": -1}, False),
        ("glycine_lost", "G", "N", {"phi": 60}, False),
        ("glycine_lost", "G", "N", {"phi": 91}, True),
        ("glycine_lost", "G", "A", {"phi": np.nan}, None),
        ("cis_proline_lost", "P", "A", {"omega": 29}, True),
        ("cis_proline_lost", "P", "A", {"omega": -31}, False),
        ("cis_proline_lost", "P", "A", {"omega": 179}, False),
        ("cis_proline_lost", "P", "A", {"omega": np.nan}, None),
    ],
)
def test_angles_decide(around, name, wild, mutant, angles, holds):
    tracks = {track: changed(getattr(around, track), p60=a) for track, a in angles.items()}
    assert verdict(name, site(replace(around, **tracks), 60, wild, mutant)) is holds


@pytest.mark.parametrize(
    ("phi", "psi", "holds"),
    [(-60, -39, True), (-60, -41, False), (-60, -1, True), (-60, 1, False), (60, -20, False)],
)
def test_the_residue_before_a_proline_must_not_be_bent(around, phi, psi, holds):
    here = replace(around, phi=changed(around.phi, p59=phi), psi=changed(around.psi, p59=psi))
    assert verdict("proline_residue_before", site(here, 60, "A", "P")) is holds
    assert verdict("proline_residue_before", site(here, 1, "A", "P")) is None


def test_caps_stand_at_the_ends_of_a_helix(around):
    phi, psi = np.full(len(around.phi), -120.0), np.full(len(around.phi), 130.0)
    phi[40:50], psi[40:50] = -63, -42  # positions 41 to 50
    phi[51] = 80
    here = replace(around, phi=phi, psi=psi)
    caps = [p for p in range(30, 60) if verdict("helix_n_cap_lost", site(here, p, "S", "A"))]
    assert caps == [40]
    ends = [p for p in range(30, 60) if verdict("helix_c_cap_lost", site(here, p, "G", "A"))]
    assert ends == [52]
    phi[43] = -63 + 31  # no four in a row after position 40
    here = replace(around, phi=phi)
    assert not verdict("helix_n_cap_lost", site(here, 40, "S", "A"))


def pair(letters, first, second, distance, away=1.0):
    """Two residues, the named atoms so far apart on a line through both C-alphas."""
    import biotite.structure as struc

    residues = []
    for number, (letter, name, side) in enumerate(
        zip(letters, (first, second), (-1, 1), strict=True), start=1
    ):
        atoms = template(letter).copy()
        atoms.res_id[:], atoms.chain_id[:], atoms.hetero[:] = 100 * number, "A", False
        tip = atoms.coord[atoms.atom_name == name][0]
        out = tip - atoms.coord[atoms.atom_name == "CA"][0]
        turn, _ = Rotation.align_vectors([[-side * away, 0, 0]], [out])
        atoms.coord = turn.apply(atoms.coord - tip).astype(np.float32)
        atoms.coord[:, 0] += side * distance / 2
        residues.append(atoms)
    made = Structure.from_atoms(struc.concatenate(residues), "pair")
    return Protein.from_structure(made)


@pytest.mark.parametrize(
    ("check", "letters", "atoms", "mutant", "nearer", "farther"),
    [
        ("disulphide_lost", "CC", ("SG", "SG"), "S", 2.9, 3.1),
        ("salt_bridge_lost", "DK", ("OD1", "NZ"), "N", 3.9, 4.1),
        ("salt_bridge_lost", "RE", ("NH1", "OE1"), "A", 3.9, 4.1),
        ("hydrogen_bond_lost", "SN", ("OG", "OD1"), "A", 3.4, 3.6),
        ("hydrogen_bond_lost", "YK", ("OH", "NZ"), "F", 3.4, 3.6),
    ],
)
def test_distances_decide(check, letters, atoms, mutant, nearer, farther):
    for distance, holds in ((nearer, True), (farther, False)):
        protein = pair(letters, *atoms, distance)
        found = told(protein, f"{letters[0]}1{mutant}")[check]
        assert found.holds is holds, found.text
        assert (f"{letters[1]}2" in found.text) is holds


def test_like_charges_make_no_salt_bridge_and_two_acceptors_no_hydrogen_bond():
    assert not told(pair("KR", "NZ", "NH1", 3.0), "K1A")["salt_bridge_lost"].holds
    assert not told(pair("DE", "OD1", "OE1", 3.0), "D1A")["hydrogen_bond_lost"].holds


def test_a_hydrogen_bond_wants_fair_angles():
    assert told(pair("SN", "OG", "OD1", 3.0), "S1A")["hydrogen_bond_lost"].holds
    behind = pair("SN", "OG", "OD1", -3.0)  # the partner lies behind each atom's own neighbour
    assert not told(behind, "S1A")["hydrogen_bond_lost"].holds


def test_a_residue_that_keeps_the_bond_has_no_such_check():
    protein = pair("SN", "OG", "OD1", 3.0)
    assert "hydrogen_bond_lost" not in told(protein, "S1T")
    assert "salt_bridge_lost" not in told(pair("DK", "OD1", "NZ", 3.0), "D1E")


def test_a_cysteine_may_bond_to_a_free_one_beside_it(globin, protein, around):
    # Position 3 is bonded to 134: with that taken for an alanine, 3 is free.
    partner = told(protein, "C3A", around)["disulphide_lost"]
    assert partner.holds

    def freed(atoms, residue):
        atoms.res_name[residue == 133] = "ALA"
        return atoms[(residue != 133) | (atoms.atom_name != "SG")]

    free = Protein.from_structure(with_atoms(globin, freed))
    assert told(free, "A134C")["disulphide_gained"].holds
    assert "C3" in told(free, "A134C")["disulphide_gained"].text
    assert not told(free, "A47C")["disulphide_gained"].holds


def test_room_decides_about_a_clash(around):
    """A helper that walls a residue in, nearer and nearer."""
    alone = template("G").copy()
    alone.chain_id[:] = "A"
    centre = alone.coord[alone.atom_name == "CA"][0]
    clashes = []
    for radius in (9.0, 4.0):
        wall = np.random.default_rng(0).normal(size=(400, 3))
        wall = radius * wall / np.linalg.norm(wall, axis=1, keepdims=True) + centre
        atoms = walled(alone, wall)
        protein = Protein.from_structure(Structure.from_atoms(atoms, "wall"))
        found = told(protein, "G1W")["clash"]
        clashes.append(found.holds)
        assert ("No rotamer of W" in found.text) is found.holds
    assert clashes == [False, True]


def walled(residue, wall):
    """The residue within carbons that belong to one other, far along the chain."""
    import biotite.structure as struc

    other = struc.AtomArray(len(wall))
    other.coord = wall.astype(np.float32)
    other.chain_id[:], other.res_id[:], other.res_name[:] = "A", 500, "ALA"
    other.element[:], other.atom_name[:] = "C", "CB"
    other.atom_name[0] = "CA"
    residue.res_id[:], residue.hetero[:] = 1, False
    return struc.concatenate([residue, other])


def ligand(globin, residue, element, distance):
    """The globin with one hetero atom so far from the side chain tip of position 50."""
    import biotite.structure as struc

    atoms = globin.atoms
    middle = atoms.coord.mean(axis=0)
    rows = np.flatnonzero(globin.residue_of_atom == 49)
    tip = rows[np.linalg.norm(atoms.coord[rows] - middle, axis=1).argmax()]
    made = struc.AtomArray(1)
    made.res_name[:], made.element[:], made.atom_name[:], made.res_id[:] = residue, element, "X", 7
    made.hetero[:] = True
    direction = np.array([1.0, 0, 0])
    best = 0.0
    for trial in np.random.default_rng(0).normal(size=(200, 3)):
        trial = trial / np.linalg.norm(trial)
        clear = np.linalg.norm(
            np.delete(atoms.coord, tip, axis=0) - (atoms.coord[tip] + distance * trial), axis=1
        ).min()
        if clear > best:
            best, direction = clear, trial
    made.coord[0] = atoms.coord[tip] + distance * direction
    return Protein.from_structure(replace(globin, ligands=made))


def test_a_ligand_touches_within_four_angstrom(globin):
    for name, distance, holds in (("LIG", 3.9, True), ("LIG", 4.6, False)):
        protein = ligand(globin, name, "C", distance)
        found = told(protein, substitution(protein, 50, "A"))["ligand_contact"]
        assert found.holds is holds, found.text
    protein = ligand(globin, "HOH", "O", 3.0)
    assert "ligand_contact" not in told(protein, substitution(protein, 50, "A"))


def test_a_metal_is_held_by_the_side_chains_beside_it(globin):
    import biotite.structure as struc

    protein = pair("DE", "OD1", "OE1", 4.0)
    zinc = struc.AtomArray(1)
    zinc.res_name[:], zinc.element[:], zinc.atom_name[:], zinc.res_id[:] = "ZN", "ZN", "ZN", 301
    zinc.coord[:] = 0
    held = Protein.from_structure(replace(protein.structure, ligands=zinc))
    found = told(held, "D1A")["metal_ligand_lost"]
    assert found.holds
    assert "ZN 301" in found.text
    zinc.coord[:] = (0, 3.0, 0)
    free = Protein.from_structure(replace(protein.structure, ligands=zinc))
    assert not told(free, "D1A")["metal_ligand_lost"].holds


# Sequence and annotation


@pytest.mark.parametrize(
    ("sequence", "text", "expected"),
    [
        ("MKNGSAYK", "S5A", {"sequon_lost": True}),
        ("MKNGSAYK", "S5T", {"sequon_lost": False}),
        ("MKNGSAYK", "G4P", {"sequon_lost": True}),
        ("MKNGSAYK", "N3D", {"sequon_lost": True}),
        ("MKNPSAYK", "P4A", {"sequon_gained": True}),
        ("MKDGSAYK", "D3N", {"sequon_gained": True}),
        ("MKNGSAYK", "K8A", {}),
        ("NGS", "N1X", {}),
        ("MKNXSAYK", "X4P", {}),
    ],
)
def test_sequons(sequence, text, expected):
    found = told(Protein.from_sequence(sequence), text)
    assert {name: check.holds for name, check in found.items()} == expected


def test_annotation_is_told_in_its_own_numbers():
    known = Annotation(
        "P12345",
        "M" * 10 + "MKAGSAYKCAAAC",
        features=(
            Feature("Modified residue", 15, 15, "Phosphoserine; by CK2"),
            Feature("Glycosylation", 13, 13, "O-linked"),
            Feature("Disulfide bond", 19, 23),
            Feature("Active site", 14, 14, "acid"),
            Feature("Domain", 11, 20, "fold"),
        ),
    )
    protein = Protein.from_sequence("MKAGSAYKCAAAC").annotated(known)
    assert "Phosphoserine; by CK2" in told(protein, "S5A")["phosphorylation_lost"].text
    assert told(protein, "Y7F")["phosphorylation_lost"].holds is False
    assert told(protein, "A3G")["glycosylation_lost"].holds
    assert told(protein, "C9S")["annotated_site"].holds
    assert told(protein, "G4X")["annotated_site"].holds  # of X only annotation says something
    assert told(protein, "A11G") == {}  # between the cysteines, and in a domain, is no site
    assert "annotated_site" not in told(protein, "S5A")


# What is missing, and what is not asked


def test_without_a_structure_only_motifs_are_told():
    assert told(Protein.from_sequence("MKLAGSAYIAK"), "L3D") == {}


def test_of_c_alphas_alone_little_can_be_told(globin):
    trace = Protein.from_structure(with_atoms(globin, lambda atoms, _: atoms[globin.ca_mask]))
    for mutant in "WPDC":
        found = told(trace, substitution(trace, 3, mutant) if mutant != "C" else "Y5C")
        kept = {"proline_in_helix", "proline_in_strand", "ligand_contact", "metal_ligand_lost"}
        assert found["buried"].holds is None
        assert {name for name, c in found.items() if c.holds is not None} <= kept
        assert all(
            c.text.endswith(".") and "cannot be told" in c.text
            for c in found.values()
            if c.holds is None
        )


def test_a_side_chain_that_lacks_atoms_is_not_judged(globin):
    def cut(atoms, residue):
        return atoms[(residue != 26) | np.isin(atoms.atom_name, ("N", "CA", "C", "O", "CB"))]

    protein = Protein.from_structure(with_atoms(globin, cut))
    assert protein.sequence[26] == "R"
    found = told(protein, "R27W")
    for name in ("buried", "buried_charge_lost", "salt_bridge_lost", "hydrogen_bond_lost"):
        assert found[name].holds is None
    assert found["clash"].holds is not None  # the new side chain needs the backbone alone


def test_atoms_on_top_of_each_other_have_no_angle(globin):
    def fold_up(atoms, residue):
        own = residue == 26
        atoms.coord[own] = atoms.coord[own & (atoms.atom_name == "CA")]

    protein = Protein.from_structure(with_atoms(globin, fold_up))
    for mutant in "WPD":
        found = told(protein, f"R27{mutant}")
        assert found["hydrogen_bond_lost"].holds is False
        assert all("nan" not in check.text for check in found.values())
    assert found["buried"].holds is not None


def test_the_first_residue_has_no_angles_before_it(protein, around):
    found = told(protein, "D1P", around)
    assert found["proline_phi"].holds is None
    assert found["proline_residue_before"].holds is None


def test_a_position_without_coordinates_says_so(globin):
    protein = Protein.combine("GSK" + globin.sequence, globin)
    found = told(protein, "K3P")
    assert found
    assert all(check.holds is None for check in found.values())
    assert all("no coordinates here" in check.text for check in found.values())


def test_a_residue_that_the_structure_shows_otherwise_is_not_judged(globin):
    letters = globin.sequence
    other = "W" if letters[MISMATCH] != "W" else "F"
    protein = Protein.combine(letters[:MISMATCH] + other + letters[MISMATCH + 1 :], globin)
    assert protein.mismatches
    found = told(protein, f"{other}{MISMATCH + 1}A")
    assert found["buried"].holds is None
    assert f"shows {letters[MISMATCH]} here" in found["buried"].text


def test_positions_are_those_of_the_sequence(globin, protein, around):
    tagged = Protein.combine("GS" + globin.sequence, globin)
    plain, moved = told(protein, "C3A", around), told(tagged, "C5A", around)
    assert moved["disulphide_lost"].position == 5
    assert "C136" in moved["disulphide_lost"].text
    assert [c.holds for c in plain.values()] == [c.holds for c in moved.values()]


def test_each_substitution_is_looked_at_and_nothing_else(protein, around):
    both = structural_checks(protein, Variant.parse("C3A:Y5W", protein.sequence), around)
    one, other = (told(protein, text, around) for text in ("C3A", "Y5W"))
    assert both == (*one.values(), *other.values())
    assert told(protein, "C3del", around) == {}
    mixed = structural_checks(protein, Variant.parse("C3A:Y5del", protein.sequence), around)
    assert mixed == tuple(one.values())


def test_every_substitution_of_a_chain_is_told_in_whole_sentences(protein, around):
    for position in (1, 2, 40, 98, 147):
        for mutant in STANDARD + "X":
            if mutant == protein.sequence[position - 1]:
                continue
            found = told(protein, substitution(protein, position, mutant), around)
            assert bool(found) == (mutant != "X")
            for check in found.values():
                assert check.position == position
                assert check.text.endswith(".")
                assert "nan" not in check.text
                assert protein.sequence[position - 1] + str(position) in check.text


def test_where_it_lies_in_space_does_not_matter(globin, protein, around):
    turn = Rotation.random(rng=np.random.default_rng(1))

    def move(atoms, _):
        atoms.coord = (turn.apply(atoms.coord) + np.array([10, -20, 5])).astype(np.float32)

    moved = with_atoms(globin, move)
    there = Surroundings.of(moved)
    np.testing.assert_allclose(there.phi, around.phi, atol=0.1)
    np.testing.assert_allclose(there.accessibility, around.accessibility, atol=0.03)
    for place, letter in ((10, "W"), (46, "F"), (80, "K")):
        one, other = best_fit(around, place, letter), best_fit(there, place, letter)
        assert one.overlap == pytest.approx(other.overlap, abs=0.02)


def test_records_hold_what_they_say(protein, around, globin_b):
    fields = {
        "name": "a",
        "holds": None,
        "position": 1,
        "text": "b",
        "threshold": "c",
        "source": "d",
    }
    assert Check(**fields).holds is None
    for wrong in ({"position": 0}, {"text": ""}, {"holds": "yes"}, {"source": ""}):
        with pytest.raises(RecordError):
            Check(**fields | wrong)
    with pytest.raises(RecordError, match="surroundings"):
        told(protein, "C3A", Surroundings.of(globin_b))
    with pytest.raises(RecordError, match="variant"):
        structural_checks(protein, Variant.parse("A1C", "AAA"))
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("letter", list(STANDARD))
def test_templates_are_those_of_the_chemical_dictionary(letter):
    from biotite.structure.info import residue

    from glass_core.impact.checks.templates import template

    known = residue(THREE_LETTER[letter].upper())
    known = known[(known.element != "H") & (known.atom_name != "OXT")]
    made = template(letter)
    assert list(made.atom_name) == list(known.atom_name)
    assert list(made.element) == list(known.element)
    np.testing.assert_array_equal(made.coord, known.coord)
    assert made.bonds == known.bonds
