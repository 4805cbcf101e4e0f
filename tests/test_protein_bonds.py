"""Cycles, cross-links and metal sites: told by distance, kept by the remodel or refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glass_core.errors import RemodelError
from glass_core.protein.structure.bonds import bonded_ligands, cross_links, is_cyclic, metal_sites
from glass_core.protein.structure.file import read_structure
from glass_core.remodel import get_remodeller
from glass_core.remodel.base import RemodelRequest, RemodelSettings
from glass_core.remodel.modeller import relax_all as relax_by_modeller
from tests.tools.atoms import Atom, pdb, peptide

PEPTIDE = peptide()


def moved_to(atoms, number, name, place):
    return [
        replace(a, xyz=tuple(place)) if (a.number, a.name) == (number, name) else a for a in atoms
    ]


def coord(structure, number, name):
    atoms = structure.atoms
    return atoms.coord[(atoms.res_id == number) & (atoms.atom_name == name)][0].astype(float)


def test_an_ordinary_chain_has_none_of_them(globin):
    assert not is_cyclic(globin)
    assert cross_links(globin) == ()


def test_the_iron_of_the_haem_is_held_by_its_histidine_alone(globin):
    assert globin.ligands is not None
    assert "FE" in globin.ligands.element
    assert metal_sites(globin) == ()  # one atom of the chain holds nothing together


def test_a_metal_site_names_its_metal_and_holders():
    plain = read_structure(pdb(PEPTIDE))
    one, two = (coord(plain, n, "OD1") for n in (1, 7))
    middle = (one + two) / 2
    step = (two - one) / np.linalg.norm(two - one)
    atoms = moved_to(PEPTIDE, 1, "OD1", middle - 2.0 * step)
    atoms = moved_to(atoms, 7, "OD1", middle + 2.0 * step)
    zinc = Atom("ZN", "ZN", 401, tuple(middle), element="ZN", hetero=True)
    (site,) = metal_sites(read_structure(pdb(atoms, "TER", [zinc])))
    assert site.metal == "ZN 401"
    assert len(site.atoms) >= 2


def test_a_ligand_that_is_bonded_is_named():
    x, y, z = next(a.xyz for a in PEPTIDE if (a.number, a.name) == (2, "SG"))
    for away, wanted in ((1.8, True), (30.0, False)):
        atom = Atom("C1", "LIG", 400, (x + away, y, z), hetero=True)
        named = bonded_ligands(read_structure(pdb(PEPTIDE, "TER", [atom])))
        assert ("LIG 400 (Cys2)" in named) == wanted


@pytest.mark.parametrize(
    ("residues", "first", "second", "length", "kind"),
    [
        ({8: "LYS"}, (8, "NZ"), (17, "CG"), 1.33, "isopeptide bond"),
        ({4: "SER"}, (4, "OG"), (10, "CD"), 1.35, "ester"),
        ({}, (2, "SG"), (10, "CD"), 1.80, "thioester"),
        ({}, (2, "SG"), (5, "CE1"), 1.75, "thioether"),
        ({}, (1, "N"), (10, "CD"), 1.33, "isopeptide bond"),
    ],
)
def test_cross_links_are_refused_by_name(residues, first, second, length, kind):
    atoms = [replace(a, residue=residues.get(a.number, a.residue)) for a in PEPTIDE]
    x, y, z = next(a.xyz for a in atoms if (a.number, a.name) == second)
    number, name = first
    if not any((a.number, a.name) == first for a in atoms):
        like = next(a for a in atoms if (a.number, a.name) == (number, "CB"))
        atoms.insert(atoms.index(like) + 1, replace(like, name=name, element=name[0]))
    for away, found in ((length, True), (30.0, False)):
        read = read_structure(pdb(moved_to(atoms, number, name, (x, y, z + away))))
        links = cross_links(read)
        assert (kind in {link.kind for link in links}) == found
        if found:
            with pytest.raises(RemodelError, match=f"{kind} between .* cannot keep such bonds"):
                RemodelRequest(read, {14: "A"})


def test_modeller_refuses_what_it_would_tear_apart(cycle):
    with pytest.raises(RemodelError, match="closes the chain head to tail; use openmm"):
        relax_by_modeller(RemodelRequest(cycle, {6: "A"}), lambda *_: None)


@pytest.fixture(scope="module")
def cycle():
    """Fourteen glycines and alanines on a circle, ends at bonding distance."""
    count = 14
    radius = 3.8 / (2 * np.sin(np.pi / count))
    atoms = []
    for place in range(count):
        turn = 2 * np.pi * place / count
        step = 2 * np.pi / count
        ca = radius * np.array([np.cos(turn), np.sin(turn), 0])
        following = radius * np.array([np.cos(turn + step), np.sin(turn + step), 0])
        before = radius * np.array([np.cos(turn - step), np.sin(turn - step), 0])
        lift = np.array([0, 0, 0.35 * (-1) ** place])
        c = ca + (following - ca) * 1.45 / 3.8 + lift
        n = ca + (before - ca) * 1.38 / 3.8 + lift
        outwards = ca / np.linalg.norm(ca)
        for name, xyz in (("N", n), ("CA", ca), ("C", c), ("O", c + np.array([0, 0, 1.23]))):
            atoms.append(Atom(name, "GLY", place + 1, tuple(xyz), element=name[0]))
        if place % 2:
            atoms[-4:] = [replace(a, residue="ALA") for a in atoms[-4:]]
            atoms.append(Atom("CB", "ALA", place + 1, tuple(ca + 1.53 * outwards)))
    return read_structure(pdb(atoms), name="ring")


@pytest.mark.slow
@pytest.mark.parametrize("site", [6, 0, 13])
def test_a_cycle_stays_closed(cycle, site):
    assert is_cyclic(cycle)
    settings = RemodelSettings(timeout_s=600)
    made = get_remodeller("openmm").remodel(RemodelRequest(cycle, {site: "S"}, settings))
    for structure in (made.reference, made.mutant, made.floor):
        assert is_cyclic(structure)
        length = np.linalg.norm(coord(structure, 1, "N") - coord(structure, 14, "C"))
        assert length == pytest.approx(1.335, abs=0.05)
        assert "OXT" not in structure.atoms.atom_name
    assert made.mutant.sequence[site] == "S"


@pytest.mark.slow
def test_the_holders_of_a_metal_stay_where_they_are():
    """Two acids at an ion repel each other; the remodel, which has no ion, keeps them."""
    plain = read_structure(pdb(PEPTIDE))
    one, two = coord(plain, 1, "OD1"), coord(plain, 7, "OD1")
    step = (two - one) / np.linalg.norm(two - one)
    atoms = moved_to(PEPTIDE, 1, "OD1", two - 4.0 * step)
    zinc = Atom("ZN", "ZN", 401, tuple(two - 2.0 * step), element="ZN", hetero=True)
    parted = {}
    for ions in ([zinc], []):
        read = read_structure(pdb(atoms, "TER", ions))
        made = get_remodeller("openmm").remodel(RemodelRequest(read, {14: "A"}))
        parted[bool(ions)] = max(
            abs(np.linalg.norm(coord(role, 1, "OD1") - coord(role, 7, "OD1")) - 4.0)
            for role in (made.reference, made.mutant, made.floor)
        )
    assert parted[True] < 0.3 < parted[False]
