"""Remodelling with MODELLER (Sali & Blundell, J. Mol. Biol. 234, 779 (1993)).

NOT EXERCISED in continuous integration: MODELLER needs a licence key. Written
against its documented API (10.x): `Environ`, `AutoModel`, `Selection`,
`ConjugateGradients`, `MolecularDynamics`.

The paper's protocol: a model of the mutant sequence on the wild-type structure
in which the atoms within a sphere (100 Å) around the mutated residues are
optimised. `minimise` uses conjugate gradients only; `anneal` adds molecular
dynamics from 150 to 1000 K and back.

The PyPI package named ``modeller`` is an unrelated schema library.
"""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glass_core.errors import RemodelError, UnavailableError
from glass_core.remodel.base import Progress, RemodelSettings, Replicate
from glass_core.structure import Structure
from glass_core.structure_file import read_structure, write_structure

INSTALL = "conda install -c salilab modeller"
LICENCE = "set KEY_MODELLER to your key before installing (free for academics, salilab.org)"
PERTURBATION = 0.05
HEATING, COOLING = (150, 250, 400, 700, 1000), (800, 600, 500, 400, 300)
_STEPS = 200


class ModellerRemodeller:
    """Used when MODELLER is importable and licensed; implements `Remodeller`."""

    name = "modeller"

    def unavailable_reason(self) -> str | None:
        """None, or which of package, right package or licence is missing."""
        spec = importlib.util.find_spec("modeller")
        if spec is None:
            return f"MODELLER is not installed; run: {INSTALL}, and {LICENCE}."
        folders = [Path(p) for p in spec.submodule_search_locations or []]
        if not any((folder / "automodel").is_dir() for folder in folders):
            return (
                "the package 'modeller' found here is the unrelated one from PyPI; uninstall it "
                f"and run: {INSTALL}."
            )
        for folder in folders:
            config = folder / "config.py"
            if config.is_file():
                key = re.search(r"license\s*=\s*r?['\"]([^'\"]*)", config.read_text())
                if key and key[1] not in ("", "XXXX"):
                    return None
        if os.environ.get("KEY_MODELLER"):
            return None
        return f"MODELLER is installed but has no licence key; {LICENCE}."

    def version(self) -> str:
        """MODELLER with its version."""
        reason = self.unavailable_reason()
        if reason is not None:
            raise UnavailableError(f"modeller: {reason}")
        from modeller import info

        return f"MODELLER {info.version}"

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

        reason = self.unavailable_reason()
        if reason is not None:
            raise UnavailableError(f"modeller: {reason}")
        return run_backend(self.name, wild, substitutions, settings, seed, progress, cancelled)


def relax(
    wild: Structure,
    rebuilt: Mapping[int, str],
    settings: RemodelSettings,
    start_seed: tuple[int, int],
    stage: Callable[[str, float], None],
) -> Structure:
    """Model the chain with the residues in `rebuilt` on the perturbed wild type."""
    target = "".join(rebuilt.get(i, letter) for i, letter in enumerate(wild.sequence))
    stage("building the model", 0.1)
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="glass-modeller-") as name:
        folder = Path(name)
        (folder / "template.pdb").write_text(_template(wild, start_seed))
        (folder / "alignment.ali").write_text(_alignment(wild, target))
        os.chdir(folder)  # MODELLER writes into the working directory; this process is ours alone
        try:
            made = _make_model(wild, sorted(rebuilt), settings, start_seed)
            model = read_structure(folder / made)
        finally:
            os.chdir(here)
    if model.sequence != target:
        raise RemodelError(f"{wild.name}: MODELLER returned another sequence than asked for.")
    return _renumbered(model, wild)


def _template(wild: Structure, start_seed: tuple[int, int]) -> str:
    atoms = wild.atoms.copy()
    noise = np.random.default_rng([*start_seed]).normal(0, PERTURBATION, atoms.coord.shape)
    atoms.coord = (atoms.coord + noise).astype(np.float32)
    atoms.res_id = np.cumsum(np.isin(np.arange(len(atoms)), wild.residue_starts))
    atoms.chain_id[:], atoms.ins_code[:] = "A", ""
    return write_structure(Structure.from_atoms(atoms, wild.name), "pdb")


def _alignment(wild: Structure, target: str) -> str:
    """PIR alignment; ``/`` marks chain breaks on both sides."""
    def rows(sequence: str) -> str:
        return "".join(
            letter + ("/" if i in wild.breaks else "") for i, letter in enumerate(sequence)
        )

    return (
        f">P1;template\nstructureX:template.pdb:1:A:{len(wild)}:A::::\n{rows(wild.sequence)}*\n"
        f">P1;target\nsequence:target:::::::0.00: 0.00\n{rows(target)}*\n"
    )


def _make_model(
    wild: Structure, sites: list[int], settings: RemodelSettings, start_seed: tuple[int, int]
) -> str:
    """Run AutoModel in the working directory; the name of the PDB file it wrote."""
    from modeller import Environ, Selection, log
    from modeller.automodel import AutoModel
    from modeller.optimizers import (
        ConjugateGradients,
        MolecularDynamics,
    )

    def schedule(selection: Any, actions: Any) -> None:
        ConjugateGradients().optimize(selection, max_iterations=_STEPS, actions=actions)
        if settings.protocol == "anneal":
            dynamics = MolecularDynamics(
                cap_atom_shift=0.39, md_time_step=4.0, md_return="FINAL"
            )
            for number, temperature in enumerate((*HEATING, *COOLING)):
                dynamics.optimize(
                    selection, init_velocities=number == 0, temperature=temperature,
                    max_iterations=_STEPS, actions=actions,
                )
        ConjugateGradients().optimize(selection, max_iterations=_STEPS, actions=actions)

    class SphereModel(AutoModel):
        def select_atoms(self) -> Any:
            if not sites:
                return Selection(self)
            chosen = Selection()
            residues = list(self.residues)
            for site in sites:
                chosen |= Selection(residues[site]).select_sphere(settings.sphere_radius)
            return chosen

    log.none()
    # MODELLER takes seeds from -50000 to -2.
    seed = -(2 + (2 * start_seed[0] + start_seed[1]) % 49_998)
    environment = Environ(rand_seed=seed)
    environment.io.atom_files_directory = ["."]
    model = SphereModel(
        environment, alnfile="alignment.ali", knowns="template", sequence="target"
    )
    model.starting_model = model.ending_model = 1
    model.md_level = schedule
    model.make()
    output = model.outputs[0]
    if output["failure"] is not None:
        raise RemodelError(f"{wild.name}: MODELLER failed ({output['failure']}).")
    return str(output["name"])


def _renumbered(model: Structure, wild: Structure) -> Structure:
    atoms = model.atoms.copy()
    index = np.cumsum(np.isin(np.arange(len(atoms)), model.residue_starts)) - 1
    starts = wild.residue_starts[index]
    atoms.chain_id[:] = wild.chain
    atoms.res_id, atoms.ins_code = wild.atoms.res_id[starts], wild.atoms.ins_code[starts]
    return Structure.from_atoms(atoms, wild.name, "remodelled")
