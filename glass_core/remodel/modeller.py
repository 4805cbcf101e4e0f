"""Remodelling with MODELLER (Šali & Blundell, J. Mol. Biol. 234, 779 (1993)).

NOT EXERCISED in continuous integration, for want of a licence: MODELLER is
closed source and needs a key. Written against its documented API (10.x):
`Environ`, `AutoModel`, `Selection`, `ConjugateGradients`, `MolecularDynamics`.

The paper's protocol: a model of the mutant sequence on the wild-type structure
in which the atoms within a sphere (100 Å) around the mutated residues are
optimised. `anneal` follows the schedule of the salilab wiki's model of point
mutants: conjugate gradients, molecular dynamics from 150 to 1000 K and down,
conjugate gradients. `minimise` leaves the dynamics out and starts from the
template's coordinates instead of randomised ones.

The PyPI package named ``modeller`` is an unrelated schema library.
"""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glass_core.errors import RemodelError
from glass_core.protein.structure.bonds import is_cyclic, metal_sites
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_atoms
from glass_core.remodel.base import ROLES, Relaxed, RemodelRequest, RemodelSettings, RoleStage
from glass_core.remodel.coordinates import SEGMENT_CHAINS, as_structure, segments, start_atoms
from glass_core.remodel.runner import SubprocessRemodeller

if TYPE_CHECKING:
    from biotite.structure import AtomArray

INSTALL = "conda install -c salilab modeller"
LICENCE = "set KEY_MODELLER to your licence key (free for academics, salilab.org/modeller)"
PERTURBATION = 0.05
"""Å, standard deviation of the noise on the template, so that `minimise` has a noise floor."""
HEATING = (150.0, 250.0, 400.0, 700.0, 1000.0)
COOLING = (800.0, 600.0, 500.0, 400.0, 300.0)
_EQUILIBRATION_STEPS, _STEPS = 200, 600
_RESCALE_EVERY = 20
"""Steps between two scalings of the velocities to the temperature."""
_CONJUGATE_STEPS = 200
_CAP_ATOM_SHIFT, _TIME_STEP_FS = 0.39, 4.0
_KEPT_AT_SITE = ("N", "CA", "C", "O", "CB")


class ModellerRemodeller(SubprocessRemodeller):
    """Used when MODELLER is importable and licensed; implements `Remodeller`."""

    name = "modeller"
    module = __name__

    def unavailable_reason(self) -> str | None:
        """None, or which of package, right package or licence is missing."""
        try:
            spec = importlib.util.find_spec("modeller")
        except ValueError:  # imported already, by hand and without a specification
            spec = None
        if spec is None:
            return f"MODELLER is not installed; {LICENCE}, then run: {INSTALL}"
        folders = [Path(p) for p in spec.submodule_search_locations or []]
        if not any((folder / "automodel").is_dir() for folder in folders):
            return (
                "the package 'modeller' installed here is an unrelated one from PyPI; run: "
                f"pip uninstall modeller; then {LICENCE} and run: {INSTALL}"
            )
        for config in (folder / "config.py" for folder in folders):
            if config.is_file():
                text = config.read_text(encoding="utf-8", errors="replace")
                key = re.search(r"^\s*license\s*=\s*r?['\"]([^'\"]*)", text, re.MULTILINE)
                if key is None or key[1].strip("X") == "":
                    return (
                        f"MODELLER is installed without a licence key; {LICENCE} and install it "
                        f"again ({INSTALL}), or write the key into modeller/config.py"
                    )
        return None

    def version(self) -> str:
        """MODELLER with its version."""
        self.require()
        from modeller import info

        return f"MODELLER {info.version}"


def shares(settings: RemodelSettings) -> dict[str, float]:
    """See `worker.Backend`; one role after the other."""
    return dict.fromkeys(ROLES, 1 / len(ROLES))


def relax_all(request: RemodelRequest, stage: RoleStage, known: Relaxed | None = None) -> Relaxed:
    """Reference, mutant and floor; see `worker.Backend`.

    Every model has the same sphere, and a template without side chains at the
    sites. Mutant and floor share noise and random seed, the reference has others.
    The schedule is MODELLER's own: of the settings, protocol and sphere count.
    """
    wild, sites, seed = request.wild, request.sites, request.seed
    _check_bonds(wild)
    structures = {} if known is None else dict(known.structures)
    for role, target, start in (
        ("reference", wild.sequence, 0),
        ("mutant", request.mutant_sequence, 1),
        ("floor", wild.sequence, 1),
    ):
        if role in structures:
            continue
        stage(role, "building the model", 0.1)
        noise = np.random.default_rng((seed, start)).normal(0, PERTURBATION, wild.atoms.coord.shape)
        template = start_atoms(
            wild, wild, {site: wild.sequence[site] for site in sites}, _KEPT_AT_SITE, noise
        )
        structures[role] = _model(request, template, target, 2 * seed + start)
        stage(role, "done", 1.0)
    return Relaxed(structures)


def _check_bonds(wild: Structure) -> None:
    """Refuse what the model would tear apart."""
    held = [site.metal for site in metal_sites(wild)]
    torn = ["the bond that closes the chain head to tail"] if is_cyclic(wild) else []
    torn += [f"the site of {', '.join(held)}"] if held else []
    if torn:
        raise RemodelError(
            f"{wild.name}: MODELLER would not keep {' and '.join(torn)}; use openmm."
        )


def _model(request: RemodelRequest, template: AtomArray, target: str, seed: int) -> Structure:
    """One model of `target` on `template`, in a folder of its own."""
    from biotite.structure.io import pdb

    wild, here = request.wild, Path.cwd()
    with tempfile.TemporaryDirectory(prefix="glass-modeller-", dir=here) as name:
        folder = Path(name)
        (folder / "template.pdb").write_text(write_atoms(template, "pdb"))
        (folder / "alignment.ali").write_text(_alignment(wild, target))
        os.chdir(folder)  # MODELLER writes where it stands; this process is ours alone
        try:
            model_file = folder / _run_automodel(wild, request.sites, request.settings, seed)
            if not model_file.is_file():
                raise RemodelError(f"{wild.name}: MODELLER wrote no model.")
            atoms = pdb.PDBFile.read(str(model_file)).get_structure(model=1)
        finally:
            os.chdir(here)
    model = _renumbered(atoms, wild)
    if model.sequence != target:
        raise RemodelError(f"{wild.name}: MODELLER returned another sequence than asked for.")
    return model


def _alignment(wild: Structure, target: str) -> str:
    """PIR alignment; ``/`` marks chain breaks on both sides."""

    def rows(sequence: str) -> str:
        return "".join(
            letter + ("/" if i in wild.breaks else "") for i, letter in enumerate(sequence)
        )

    last = SEGMENT_CHAINS[segments(wild)[-1]]
    return (
        ">P1;template\n"
        f"structureX:template.pdb:1:A:{len(wild)}:{last}::::\n{rows(wild.sequence)}*\n"
        f">P1;target\nsequence:target::::::::\n{rows(target)}*\n"
    )


def _run_automodel(wild: Structure, sites: list[int], settings: RemodelSettings, seed: int) -> str:
    """Run AutoModel in the working directory; the name of the PDB file it wrote."""
    from modeller import Environ, Selection, log
    from modeller.automodel import AutoModel
    from modeller.optimizers import ConjugateGradients, MolecularDynamics

    def schedule(selection: Any, actions: Any) -> None:
        gradients = ConjugateGradients()
        gradients.optimize(selection, max_iterations=_CONJUGATE_STEPS, actions=actions)
        if settings.protocol == "anneal":
            dynamics = MolecularDynamics(
                cap_atom_shift=_CAP_ATOM_SHIFT, md_time_step=_TIME_STEP_FS, md_return="FINAL"
            )
            fresh = True
            for steps, temperatures in ((_EQUILIBRATION_STEPS, HEATING), (_STEPS, COOLING)):
                for temperature in temperatures:
                    dynamics.optimize(
                        selection,
                        init_velocities=fresh,
                        temperature=temperature,
                        max_iterations=steps,
                        equilibrate=_RESCALE_EVERY,
                        actions=actions,
                    )
                    fresh = False
        gradients.optimize(selection, max_iterations=_CONJUGATE_STEPS, actions=actions)

    class SphereModel(AutoModel):
        """A model whose atoms outside the sphere stay where the template has them."""

        def select_atoms(self) -> Any:
            return Selection(
                *(
                    Selection(self.residues[site]).select_sphere(settings.sphere_radius)
                    for site in sites
                )
            )

    log.none()
    # MODELLER takes seeds from -50000 to -2.
    environment = Environ(rand_seed=-(2 + seed % 49_998))
    environment.io.atom_files_directory = ["."]
    model = SphereModel(environment, alnfile="alignment.ali", knowns="template", sequence="target")
    model.starting_model = model.ending_model = 1
    model.md_level = schedule
    if settings.protocol == "minimise":
        model.rand_method = None
    model.make()
    output = model.outputs[0]
    if output["failure"] is not None:
        raise RemodelError(f"{wild.name}: MODELLER failed ({output['failure']}).")
    return str(output["name"])


def _renumbered(atoms: AtomArray, wild: Structure) -> Structure:
    """The model's residues, in order, under the wild type's chain and numbers."""
    import biotite.structure as struc

    starts = struc.get_residue_starts(atoms)
    if len(starts) != len(wild):
        raise RemodelError(
            f"{wild.name}: MODELLER returned {len(starts)} residues instead of {len(wild)}."
        )
    return as_structure(wild, atoms, struc.get_all_residue_positions(atoms))
