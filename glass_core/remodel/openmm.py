"""Open remodelling: PDBFixer rebuilds the side chain, OpenMM relaxes the fold around it.

OpenMM: Eastman et al., J. Phys. Chem. B 128, 109 (2024). AMBER14 (ff14SB):
Maier et al., J. Chem. Theory Comput. 11, 3696 (2015). In vacuum with a cut-off
and reaction field; the template's C-alpha distances are kept by restraints
that are soft near the mutated site and stiffen with distance from it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import random
import string
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import RemodelError
from glass_core.remodel.base import Progress, RemodelSettings, Replicate
from glass_core.sequence import THREE_LETTER
from glass_core.structure import Structure

PERTURBATION = 0.05
"""Å, standard deviation of the noise on the start, so that there is a noise floor."""
RESTRAINT_RADIUS = 12.0
"""Å; C-alpha pairs closer than this in the template are restrained."""
RESTRAINT_STIFFNESS = 2000.0
"""kJ/mol/nm^2 far from the site."""
SOFT_RADIUS = 12.0
"""Å from the site within which restraints are softened, with the fourth power of distance."""
CUTOFF = 10.0
"""Å for non-bonded interactions."""
ITERATIONS = 800
"""Most steps of one minimisation."""
_TOLERANCE = 5.0
HEATING = (150, 250, 400, 600)
COOLING = (500, 400, 300, 200, 100)
_STEPS_PER_TEMPERATURE = 200
_TIME_STEP_PS, _FRICTION = 0.001, 5.0
_BACKBONE = ("N", "CA", "C", "O", "OXT")


class OpenMMRemodeller:
    """The default backend; implements `Remodeller`."""

    name = "openmm"

    def unavailable_reason(self) -> str | None:
        """None, or how to install what is missing."""
        for package in ("openmm", "pdbfixer"):
            if importlib.util.find_spec(package) is None:
                return f"{package} is not installed; run: pip install openmm pdbfixer"
        return None

    def version(self) -> str:
        """OpenMM and PDBFixer with their versions."""
        return " ".join(
            f"{package} {importlib.metadata.version(package)}" for package in ("openmm", "pdbfixer")
        )

    def remodel(
        self,
        wild: Structure,
        substitutions: Mapping[int, str],
        settings: RemodelSettings,
        seed: int,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Replicate:
        """One seed, in a process of its own; see `runner.run_backend`."""
        from glass_core.remodel.runner import run_backend

        return run_backend(
            self.name, wild, substitutions, settings, seed, progress, cancelled
        )


def relax(
    wild: Structure,
    rebuilt: Mapping[int, str],
    settings: RemodelSettings,
    start_seed: tuple[int, int],
    stage: Callable[[str, float], None],
) -> Structure:
    """Rebuild the residues in `rebuilt`, then run the protocol from a perturbed start.

    Parameters
    ----------
    rebuilt : mapping
        0-based structure index -> residue letter whose side chain is built anew.
    start_seed : (int, int)
        Seed and number of the start; equal pairs give equal noise on all atoms
        that the wild type has.
    """
    import openmm
    from openmm import app, unit

    platform = _platform(settings.threads)
    random.seed(start_seed[0])
    stage("building side chains", 0.05)
    topology, positions = _build(wild, rebuilt, start_seed, platform)
    residues = list(topology.residues())
    if len(residues) != len(wild):
        raise RemodelError(f"{wild.name}: the chain changed its length while being rebuilt.")
    force_field = app.ForceField("amber14/protein.ff14SB.xml")
    try:
        system = force_field.createSystem(
            topology, nonbondedMethod=app.CutoffNonPeriodic,
            nonbondedCutoff=CUTOFF * unit.angstrom, constraints=None, rigidWater=False,
        )
    except ValueError as error:
        raise RemodelError(f"{wild.name}: the force field cannot describe it ({error}).") from error
    system.addForce(_restraints(wild, sorted(rebuilt), topology))
    _freeze_outside(system, topology, wild, sorted(rebuilt), settings.sphere_radius)
    integrator = openmm.LangevinMiddleIntegrator(300, _FRICTION, _TIME_STEP_PS)
    integrator.setRandomNumberSeed(1 + 2 * start_seed[0] + start_seed[1])
    context = openmm.Context(system, integrator, platform)
    context.setPositions(positions)
    stage("minimising", 0.25)
    openmm.LocalEnergyMinimizer.minimize(context, _TOLERANCE, ITERATIONS)
    if settings.protocol == "anneal":
        _anneal(context, integrator, start_seed, stage)
        openmm.LocalEnergyMinimizer.minimize(context, _TOLERANCE, ITERATIONS)
    state = context.getState(getPositions=True)
    coord = state.getPositions(asNumpy=True).value_in_unit(unit.angstrom)
    if not np.isfinite(coord).all():
        raise RemodelError(f"{wild.name}: the simulation became unstable; try another seed.")
    return _to_structure(wild, topology, np.asarray(coord, dtype=float))


def _platform(threads: int) -> Any:
    import openmm

    names = {openmm.Platform.getPlatform(i).getName()
             for i in range(openmm.Platform.getNumPlatforms())}
    for name in ("CUDA", "CPU", "Reference"):
        if name in names:
            platform = openmm.Platform.getPlatformByName(name)
            properties = platform.getPropertyNames()
            if "DeterministicForces" in properties:
                platform.setPropertyDefaultValue("DeterministicForces", "true")
            if "Threads" in properties:
                platform.setPropertyDefaultValue("Threads", str(threads))
            return platform
    raise RemodelError("OpenMM has no usable platform; reinstall openmm.")


def _build(
    wild: Structure, rebuilt: Mapping[int, str], start_seed: tuple[int, int], platform: Any
) -> tuple[Any, Any]:
    """Topology with hydrogens and positions of the perturbed, rebuilt chain."""
    from biotite.structure.io import pdb
    from pdbfixer import PDBFixer

    atoms = wild.atoms.copy()
    noise = np.random.default_rng([*start_seed]).normal(0, PERTURBATION, atoms.coord.shape)
    atoms.coord = (atoms.coord + noise).astype(np.float32)
    index = np.cumsum(np.isin(np.arange(len(atoms)), wild.residue_starts)) - 1
    keep = np.ones(len(atoms), dtype=bool)
    for residue, letter in rebuilt.items():
        inside = index == residue
        keep &= ~inside | np.isin(atoms.atom_name, _BACKBONE)
        atoms.res_name[inside] = THREE_LETTER[letter].upper()
    # Segments between chain breaks get their own chain, so that nothing bonds across a gap.
    segment = np.searchsorted(np.array(wild.breaks, dtype=int), index, side="left")
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits
    if segment.max() >= len(letters):
        raise RemodelError(f"{wild.name}: has {segment.max()} chain breaks, too many to remodel.")
    atoms.chain_id = np.array([letters[s] for s in segment])
    atoms.res_id, atoms.ins_code[:] = index % 9999 + 1, ""
    file, text = pdb.PDBFile(), io.StringIO()
    pdb.set_structure(file, atoms[keep])
    file.write(text)
    text.seek(0)
    fixer = PDBFixer(pdbfile=text, platform=platform)
    fixer.missingResidues = {}
    fixer.findMissingAtoms()
    fixer.addMissingAtoms(seed=start_seed[0])
    fixer.addMissingHydrogens(7.0)
    return fixer.topology, fixer.positions


def site_distance(wild: Structure, sites: list[int]) -> NDArray[np.float64]:
    """Å from each residue's C-alpha to the nearest site's, shape=(n,); inf without sites."""
    if not sites:
        return np.full(len(wild), np.inf)
    gaps = wild.ca[:, None] - wild.ca[sites][None]
    return np.asarray(np.linalg.norm(gaps, axis=-1).min(axis=1))


def _restraints(wild: Structure, sites: list[int], topology: Any) -> Any:
    """Harmonic C-alpha distance restraints to the template, soft near the sites."""
    import openmm

    force = openmm.CustomBondForce("0.5*k*(r-r0)^2")
    force.addPerBondParameter("k")
    force.addPerBondParameter("r0")
    ca = [next(a.index for a in r.atoms() if a.name == "CA") for r in topology.residues()]
    distance = np.linalg.norm(wild.ca[:, None] - wild.ca[None], axis=-1)
    away = site_distance(wild, sites)
    softness = np.minimum(1.0, (away / SOFT_RADIUS) ** 4)
    for i, j in np.argwhere(np.triu(distance <= RESTRAINT_RADIUS, k=2)):
        stiffness = RESTRAINT_STIFFNESS * min(softness[i], softness[j])
        force.addBond(ca[i], ca[j], [stiffness, distance[i, j] / 10])
    return force


def _freeze_outside(
    system: Any, topology: Any, wild: Structure, sites: list[int], radius: float
) -> None:
    """Atoms of residues further than `radius` Å from every site do not move."""
    away = site_distance(wild, sites)
    for residue, distance in zip(topology.residues(), away, strict=True):
        if np.isfinite(distance) and distance > radius:
            for atom in residue.atoms():
                system.setParticleMass(atom.index, 0.0)


def _anneal(
    context: Any,
    integrator: Any,
    start_seed: tuple[int, int],
    stage: Callable[[str, float], None],
) -> None:
    temperatures = (*HEATING, *COOLING)
    context.setVelocitiesToTemperature(temperatures[0], 1 + 2 * start_seed[0] + start_seed[1])
    for number, temperature in enumerate(temperatures):
        words = "heating" if number < len(HEATING) else "cooling"
        stage(f"{words}, {temperature} K", 0.4 + 0.5 * number / len(temperatures))
        integrator.setTemperature(temperature)
        integrator.step(_STEPS_PER_TEMPERATURE)


def _to_structure(wild: Structure, topology: Any, coord: NDArray[np.float64]) -> Structure:
    """Heavy atoms with the wild type's chain and numbering, superposed on it."""
    import biotite.structure as struc

    starts = wild.residue_starts
    atoms = []
    for residue, start in zip(topology.residues(), starts, strict=True):
        name = {"HID": "HIS", "HIE": "HIS", "HIP": "HIS", "CYX": "CYS"}.get(
            residue.name, residue.name
        )
        for atom in residue.atoms():
            if atom.element is None or atom.element.symbol == "H":
                continue
            atoms.append(struc.Atom(
                coord[atom.index], chain_id=wild.chain, res_id=int(wild.atoms.res_id[start]),
                ins_code=str(wild.atoms.ins_code[start]), res_name=name, atom_name=atom.name,
                element=atom.element.symbol.upper(), hetero=False, b_factor=0.0,
            ))
    array = struc.array(atoms)
    is_ca = array.atom_name == "CA"
    _, transformation = struc.superimpose(
        wild.atoms[wild.ca_mask].coord, array.coord[is_ca]
    )
    array.coord = transformation.apply(array.coord)
    return Structure.from_atoms(array, wild.name, "remodelled")
