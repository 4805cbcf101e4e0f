"""Open remodelling: PDBFixer rebuilds the side chain, OpenMM relaxes the fold around it.

OpenMM: Eastman et al., J. Phys. Chem. B 128, 109 (2024). AMBER14 (ff14SB):
Maier et al., J. Chem. Theory Comput. 11, 3696 (2015). In vacuum with a cut-off
and reaction field: Generalised Born costs 15 times more on a CPU. The
template's C-alpha distances are restrained, see `restraints`.

The wild type is relaxed first, by minimisation. The relaxed wild type is then
edited three times, its side chains at the sites built anew, and relaxed by the
protocol: to itself (the reference), to the mutant and to itself again (the
floor). Mutant and floor start from one perturbation, the reference from another.
"""

from __future__ import annotations

import copy
import importlib.metadata
import importlib.util
import io
import os
import random
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import RemodelError
from glass_core.progress import Stage
from glass_core.protein.structure.bonds import is_cyclic
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_atoms
from glass_core.remodel.base import (
    ROLES,
    START,
    Relaxed,
    RemodelRequest,
    RemodelSettings,
    RoleStage,
)
from glass_core.remodel.coordinates import as_structure, start_atoms
from glass_core.remodel.kept import (
    CAPS,
    close_cycle,
    join_disulfides,
    metal_histidines,
    metal_pairs,
)
from glass_core.remodel.restraints import site_distance, template_restraints
from glass_core.remodel.rotamers import chi_angles, rotamers, side_chain_turns
from glass_core.remodel.runner import SubprocessRemodeller

PERTURBATION = 0.05
"""Å, standard deviation of the noise on every start, so that there is a noise floor."""
CUTOFF = 10.0
"""Å for non-bonded interactions."""
CHARGE_SCALE = 0.5
"""Factor on all partial charges; the root of 1 / (dielectric constant of the inside)."""
ITERATIONS = 800
"""Most steps of one minimisation."""
TOLERANCE = 0.5
"""kJ/mol/Å; a minimisation ends when the root mean square force is smaller."""
ROTAMER_MARGIN = 30.0
"""kJ/mol by which another rotamer must beat the inherited one."""
METAL_STIFFNESS = 400.0
"""kJ/mol/Å^2 on the distances between atoms that hold a metal, which itself is left out."""
HEATING, COOLING = (0.25, 0.5, 0.75, 1.0), (0.75, 0.5, 0.25, 0.1)
"""Temperatures of `anneal` as fractions of its peak."""
_TIME_STEP_PS, _FRICTION_PER_PS, _HYDROGEN_MASS = 0.002, 5.0, 4.0
_PH = 7.0
_BACKBONE = ("N", "CA", "C", "O", "OXT")
_HELD = ("N", "CA", "C", "O", "OXT", "H", "HA", "HA2", "HA3", "H2", "H3")
_ROTAMER_ITERATIONS = 40
_REPORT_EVERY = 25
_START_SHARE = {"minimise": 0.4, "anneal": 0.14}
"""Share of the time that the first relaxation takes, from which all others start."""
_one_at_a_time = threading.Lock()
"""Building draws on Python's global random numbers, and is Python code anyway."""


class OpenMMRemodeller(SubprocessRemodeller):
    """The default backend; implements `Remodeller`."""

    name = "openmm"
    module = __name__

    def unavailable_reason(self) -> str | None:
        """None, or how to install what is missing."""
        for package in ("openmm", "pdbfixer"):
            if importlib.util.find_spec(package) is None:
                return f"{package} is not installed; run: pip install openmm pdbfixer"
        return None

    def version(self) -> str:
        """OpenMM and PDBFixer with their versions."""
        self.require()
        return " ".join(
            f"{package} {importlib.metadata.version(package)}" for package in ("openmm", "pdbfixer")
        )


@dataclass(frozen=True, eq=False)
class _Start:
    """Where a relaxation begins.

    Attributes
    ----------
    structure : Structure
    rebuilt : mapping of int to str
        0-based residue index -> letter whose side chain is built anew.
    noise_seed : (int, int)
        Equal seeds put equal noise on all atoms that the structure has.
    """

    structure: Structure
    rebuilt: Mapping[int, str]
    noise_seed: tuple[int, int]


def shares(settings: RemodelSettings) -> dict[str, float]:
    """See `worker.Backend`; the relaxations of the roles go on at the same time."""
    first = _START_SHARE[settings.protocol]
    return {START: first} | dict.fromkeys(ROLES, (1 - first) / len(ROLES))


def relax_all(request: RemodelRequest, stage: RoleStage, known: Relaxed | None = None) -> Relaxed:
    """Reference, mutant and floor; see `worker.Backend`.

    Each relaxation runs on one thread, since OpenMM's CPU forces differ in
    their last digits from run to run with several; up to `settings.threads`
    relaxations run at the same time. So the result does not depend on it.
    """
    wild, settings, seed = request.wild, request.settings, request.seed
    to_mutant = {place: request.substitutions[place] for place in request.sites}
    to_itself = {place: wild.sequence[place] for place in request.sites}
    made = {} if known is None else dict(known.structures)
    histidines = metal_histidines(wild) if known is None else dict(known.protonation)
    if START not in made:
        made[START] = _relax(
            replace(request, settings=replace(settings, protocol="minimise")),
            _Start(wild, {}, (seed, 0)),
            histidines,
            partial(stage, START),
        )
    begin = made[START]

    def edit(role: str, rebuilt: Mapping[int, str], noise: int) -> Structure:
        return _relax(
            request, _Start(begin, rebuilt, (seed, noise)), dict(histidines), partial(stage, role)
        )

    plan = {"reference": (to_itself, 1), "mutant": (to_mutant, 2), "floor": (to_itself, 2)}
    left = {role: how for role, how in plan.items() if role not in made}
    workers = min(settings.threads or os.cpu_count() or 1, len(left))
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = {role: pool.submit(edit, role, *how) for role, how in left.items()}
        made |= {role: future.result() for role, future in futures.items()}
    return Relaxed(made, histidines)


def _relax(
    request: RemodelRequest, start: _Start, histidines: dict[int, str], stage: Stage
) -> Structure:
    """Rebuild side chains on `start`, perturb it and run the protocol towards the wild type.

    Parameters
    ----------
    histidines : dict of int to str
        0-based residue index -> protonation (HID or HIE); those not named are
        chosen by hydrogen bonds, and entered.
    """
    from openmm import unit

    wild, sites, settings = request.wild, request.sites, request.settings
    stage("building side chain" if start.rebuilt else "building hydrogens", 0.02)
    movable = site_distance(wild.ca, sites) <= settings.sphere_radius
    with _one_at_a_time:
        topology, positions = _build(wild, start, movable, histidines)
    residues = [r for r in topology.residues() if r.name not in CAPS]
    if len(residues) != len(wild):
        raise RemodelError(f"{wild.name}: the chain changed its length while being rebuilt.")
    system = _system(wild, topology, residues, sites, movable)
    random_seed = 1 + 2 * start.noise_seed[0] + start.noise_seed[1]
    if start.rebuilt:
        stage("choosing rotamers", 0.1)
        positions = _best_rotamers(
            system, positions, {residues[i]: _chi(start.structure, i) for i in start.rebuilt}
        )
    context = _context(system, random_seed)
    context.setPositions(positions)
    annealed = settings.protocol == "anneal"
    _minimise(context, stage, 0.15, 0.4 if annealed else 1.0)
    if annealed:
        _anneal(context, settings, random_seed, stage)
        _minimise(context, stage, 0.75, 1.0)
    coord = context.getState(getPositions=True).getPositions(asNumpy=True)
    coord = np.asarray(coord.value_in_unit(unit.angstrom), dtype=float)
    if not np.isfinite(coord).all():
        raise RemodelError(
            f"{wild.name}: the simulation became unstable; try another seed, a lower peak "
            "temperature or the protocol 'minimise'."
        )
    stage("done", 1.0)
    return _to_structure(wild, residues, coord)


def _build(
    wild: Structure, start: _Start, movable: NDArray[np.bool_], histidines: dict[int, str]
) -> tuple[Any, Any]:
    """Topology with hydrogens, and positions, of the perturbed start with new side chains.

    Every unbroken segment becomes a chain of its own, capped where the chain is
    broken, so that nothing is bonded or charged across a gap.
    """
    from openmm import app
    from pdbfixer import PDBFixer

    residue = start.structure.residue_of_atom
    noise = np.random.default_rng(start.noise_seed).normal(0, PERTURBATION, (len(residue), 3))
    atoms = start_atoms(
        wild, start.structure, start.rebuilt, _BACKBONE, noise * movable[residue, None]
    )
    fixer = PDBFixer(pdbfile=io.StringIO(write_atoms(atoms, "pdb")), platform=_exact())
    chains = list(fixer.topology.chains())
    fixer.missingResidues = {}
    for chain in chains[1:]:
        fixer.missingResidues[chain.index, 0] = ["ACE"]
    for chain in chains[:-1]:
        fixer.missingResidues[chain.index, len(list(chain.residues()))] = ["NME"]
    fixer.findMissingAtoms()
    cyclic = is_cyclic(wild)
    if cyclic:
        fixer.missingTerminals = {}
    fixer.addMissingAtoms(seed=start.noise_seed[0] + 1)
    join_disulfides(wild, fixer.topology)
    # Hydrogens are first put at random places by the global generator, then relaxed.
    random.seed(start.noise_seed[0])
    modeller = app.Modeller(fixer.topology, fixer.positions)
    own = [r for r in modeller.topology.residues() if r.name not in CAPS]
    wanted: list[str | None] = [None] * modeller.topology.getNumResidues()
    for place, variant in histidines.items():
        if own[place].name == "HIS":
            wanted[own[place].index] = variant
    chosen = modeller.addHydrogens(pH=_PH, variants=wanted, platform=_exact())
    for place, histidine in enumerate(own):
        if histidine.name == "HIS":
            histidines[place] = chosen[histidine.index]
    if cyclic:
        close_cycle(modeller)
    return modeller.topology, modeller.positions


def _system(
    wild: Structure,
    topology: Any,
    residues: list[Any],
    sites: list[int],
    movable: NDArray[np.bool_],
) -> Any:
    """Force field, restraints to the template, and what lies outside the sphere held."""
    import openmm
    from openmm import app, unit

    try:
        system = app.ForceField("amber14/protein.ff14SB.xml").createSystem(
            topology,
            nonbondedMethod=app.CutoffNonPeriodic,
            nonbondedCutoff=CUTOFF * unit.angstrom,
            constraints=None,
            hydrogenMass=_HYDROGEN_MASS * unit.amu,
        )
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise RemodelError(f"{wild.name}: the force field cannot describe it ({reason})") from error
    if CHARGE_SCALE != 1.0:
        _scale_charges(system)
    restraints = template_restraints(wild.ca, sites)
    ca = [next(a.index for a in r.atoms() if a.name == "CA") for r in residues]
    force = openmm.HarmonicBondForce()
    for (i, j), length, stiffness in zip(
        restraints.pairs, restraints.distance, restraints.stiffness, strict=True
    ):
        force.addBond(
            ca[i],
            ca[j],
            length * unit.angstrom,
            stiffness * unit.kilojoule_per_mole / unit.angstrom**2,
        )
    for first, second, length in metal_pairs(wild, residues):
        force.addBond(
            first,
            second,
            length * unit.angstrom,
            METAL_STIFFNESS * unit.kilojoule_per_mole / unit.angstrom**2,
        )
    system.addForce(force)
    for residue, moves in zip(residues, movable, strict=True):
        if not moves:
            for atom in residue.atoms():
                system.setParticleMass(atom.index, 0.0)
    return system


def _scale_charges(system: Any) -> None:
    import openmm

    force = next(f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    for i in range(force.getNumParticles()):
        charge, sigma, epsilon = force.getParticleParameters(i)
        force.setParticleParameters(i, charge * CHARGE_SCALE, sigma, epsilon)
    for i in range(force.getNumExceptions()):
        first, second, product, sigma, epsilon = force.getExceptionParameters(i)
        force.setExceptionParameters(i, first, second, product * CHARGE_SCALE**2, sigma, epsilon)


def _exact() -> Any:
    """The platform for small jobs: one thread, the same answer everywhere."""
    import openmm

    return openmm.Platform.getPlatformByName("Reference")


def _context(system: Any, random_seed: int) -> Any:
    """A context, with its integrator, on the fastest platform that repeats its results."""
    import openmm

    found = {
        openmm.Platform.getPlatform(i).getName(): openmm.Platform.getPlatform(i)
        for i in range(openmm.Platform.getNumPlatforms())
    }
    wanted = {
        "CUDA": {"DeterministicForces": "true", "Precision": "mixed"},
        "CPU": {"DeterministicForces": "true", "Threads": "1"},
        "Reference": {},
    }
    reasons = []
    for name in [name for name in wanted if name in found]:
        integrator = openmm.LangevinMiddleIntegrator(300, _FRICTION_PER_PS, _TIME_STEP_PS)
        integrator.setRandomNumberSeed(random_seed)
        try:
            return openmm.Context(system, integrator, found[name], wanted[name])
        except openmm.OpenMMException as error:
            reasons.append(f"{name}: {error}")  # a driver that does not fit; the next will do
    raise RemodelError(f"OpenMM has no usable platform ({'; '.join(reasons)}); reinstall openmm.")


def _best_rotamers(system: Any, positions: Any, rebuilt: Mapping[Any, list[float]]) -> Any:
    """Positions with each rebuilt side chain in its best rotamer, one after the other.

    Parameters
    ----------
    rebuilt : mapping of residue to list of float
        The chi angles of the side chain that was there before, in degrees.
    """
    import openmm
    from openmm import unit

    coord = np.array(positions.value_in_unit(unit.nanometer), dtype=float)
    for residue, inherited in rebuilt.items():
        atoms = list(residue.atoms())
        turns = side_chain_turns(
            [a.name for a in atoms],
            [a.index for a in atoms],
            [(b[0].index, b[1].index) for b in residue.internal_bonds()],
        )
        if not turns:
            continue
        held = copy.deepcopy(system)
        side_chain = {a.index for a in atoms} - {a.index for a in atoms if a.name in _HELD}
        for index in set(range(system.getNumParticles())) - side_chain:
            held.setParticleMass(index, 0.0)
        context = _context(held, 1)
        best, chosen = np.inf, coord
        for number, turned in enumerate(rotamers(coord, turns, inherited)):
            context.setPositions(turned)
            openmm.LocalEnergyMinimizer.minimize(context, 10 * TOLERANCE, _ROTAMER_ITERATIONS)
            state = context.getState(getEnergy=True, getPositions=True)
            energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
            if number == 0 and inherited:
                energy -= ROTAMER_MARGIN
            if energy < best:
                best = energy
                made = state.getPositions(asNumpy=True).value_in_unit(unit.nanometer)
                chosen = np.array(made, dtype=float)
        coord = chosen
    return coord * unit.nanometer


def _chi(start: Structure, place: int) -> list[float]:
    own = start.residue_of_atom == place
    return chi_angles(
        {
            str(name): np.asarray(at, dtype=float)
            for name, at in zip(start.atoms.atom_name[own], start.atoms.coord[own], strict=True)
        }
    )


def _minimise(context: Any, stage: Stage, begin: float, end: float) -> None:
    import openmm

    class Reporter(openmm.MinimizationReporter):
        """Passes on how far a minimisation is."""

        def report(self, iteration: int, x: Any, grad: Any, args: Any) -> bool:
            if iteration % _REPORT_EVERY == 0:
                stage("minimising", begin + (end - begin) * min(1.0, iteration / ITERATIONS))
            return False

    stage("minimising", begin)
    openmm.LocalEnergyMinimizer.minimize(context, 10 * TOLERANCE, ITERATIONS, Reporter())


def _anneal(context: Any, settings: RemodelSettings, random_seed: int, stage: Stage) -> None:
    fractions = (*HEATING, *COOLING)
    context.setVelocitiesToTemperature(HEATING[0] * settings.peak_temperature, random_seed)
    for number, fraction in enumerate(fractions):
        kelvin = fraction * settings.peak_temperature
        words = "heating" if number < len(HEATING) else "cooling"
        stage(f"{words}, {kelvin:.0f} K", 0.4 + 0.35 * number / len(fractions))
        context.getIntegrator().setTemperature(kelvin)
        context.getIntegrator().step(settings.anneal_steps)


def _to_structure(wild: Structure, residues: list[Any], coord: NDArray[np.float64]) -> Structure:
    """Heavy atoms with the wild type's chain and numbering, superposed on it."""
    import biotite.structure as struc

    last = len(residues) - 1
    chosen = [
        (place, atom)
        for place, residue in enumerate(residues)
        for atom in residue.atoms()
        if atom.element.symbol != "H" and (atom.name != "OXT" or place == last)
    ]
    array = struc.AtomArray(len(chosen))
    array.coord = coord[[atom.index for _, atom in chosen]].astype(np.float32)
    array.res_name = np.array([atom.residue.name for _, atom in chosen])
    array.atom_name = np.array([atom.name for _, atom in chosen])
    array.element = np.array([atom.element.symbol.upper() for _, atom in chosen])
    return as_structure(wild, array, np.array([place for place, _ in chosen]))
