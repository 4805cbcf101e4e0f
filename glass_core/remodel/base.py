"""What every remodelling backend takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import numpy as np

from glass_core.errors import InputError, RemodelError
from glass_core.progress import Stage
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.records import require

ProtocolName = Literal["minimise", "anneal"]
ROLES = ("reference", "mutant", "floor")
"""The three structures of a replicate, in the order in which they are made."""
BACKBONE = ("N", "CA", "C")
MAX_SEED = 10**6
_FEWEST_RESIDUES = 3


@dataclass(frozen=True)
class RemodelSettings:
    """How to remodel.

    Attributes
    ----------
    protocol : {"minimise", "anneal"}
        Long minimisation, or the paper's spirit: minimise, heat, cool, minimise.
    sphere_radius : float
        Å; residues whose C-alpha lies within it of a mutated residue's may
        move, the rest is fixed. The paper's 100 Å lets a small protein move as
        a whole.
    peak_temperature : float
        K; the hottest stage of `anneal` with OpenMM. MODELLER's schedule
        reaches 1000 K on an objective that is not an energy; with a force field
        600 K is hot.
    anneal_steps : int
        Dynamics steps at each temperature of `anneal` with OpenMM.
    timeout_s : float
        Seconds one replicate (three relaxations) may take.
    threads : int or None
        CPU threads, at most; None for one per core. Has no influence on the
        result.
    """

    protocol: ProtocolName = "minimise"
    sphere_radius: float = 100.0
    peak_temperature: float = 600.0
    anneal_steps: int = 300
    timeout_s: float = 1800.0
    threads: int | None = None

    def __post_init__(self) -> None:
        require(self.protocol in ("minimise", "anneal"), "protocol", "is minimise or anneal")
        require(self.sphere_radius > 0, "sphere_radius", "is positive")
        require(150 <= self.peak_temperature <= 2000, "peak_temperature", "lies in 150..2000 K")
        require(self.anneal_steps >= 1, "anneal_steps", "is at least 1")
        require(self.timeout_s > 0, "timeout_s", "is positive")
        require(self.threads is None or self.threads >= 1, "threads", "is at least 1")

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Replicate:
    """One seed: three structures that went through the same protocol.

    `measure(reference, mutant)` and `measure(reference, floor)` differ by the
    mutation alone: mutant and floor are made from the same start, with the
    same random numbers, by the same steps; the reference from another start.

    Attributes
    ----------
    seed : int
    reference : Structure
        The wild type after the protocol.
    mutant : Structure
    floor : Structure or None
        The wild type mutated to itself (side chain rebuilt); None where no
        protocol was run (a mutant structure from a file).
    """

    seed: int
    reference: Structure
    mutant: Structure
    floor: Structure | None

    def __post_init__(self) -> None:
        if self.floor is not None:
            require(len(self.mutant) == len(self.reference), "mutant", "has the reference's length")
            require(self.floor.sequence == self.reference.sequence, "floor", "is of the wild type")


class Remodeller(Protocol):
    """A way to a mutant structure."""

    name: str

    def unavailable_reason(self) -> str | None:
        """Why it cannot be used here and how to mend that; None when it can.

        Cheap: nothing heavy is imported.
        """
        ...

    def version(self) -> str:
        """Name and version of the engine, for provenance.

        Raises
        ------
        UnavailableError
            It cannot be used here.
        """
        ...

    def remodel(
        self,
        wild: Structure,
        substitutions: Mapping[int, str],
        settings: RemodelSettings,
        seed: int,
        progress: Stage | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Replicate:
        """Run one seed.

        Parameters
        ----------
        wild : Structure
            All residues standard, each with N, CA and C.
        substitutions : mapping of int to str
            0-based index into the structure's residues -> one-letter residue.
        seed : int
            0 to 1,000,000; equal seeds give equal structures on one machine.
        progress, cancelled : callable, optional
            Called from the calling thread, several times a second at most.

        Raises
        ------
        InputError
            Substitutions that do not fit the structure.
        RemodelError
            The structure is unfit, the engine failed, or time ran out.
        UnavailableError
            The engine is missing.
        Cancelled
            `cancelled` answered True.
        """
        ...


def structure_substitutions(variant: Variant, index: Mapping[int, int]) -> dict[int, str]:
    """The variant's substitutions by 0-based index into the structure's residues.

    Parameters
    ----------
    index : mapping
        0-based sequence index -> structure index, -1 or absent without coordinates.

    Raises
    ------
    RemodelError
        Insertions or deletions, or a position without coordinates.
    """
    if not variant.only_substitutions:
        raise RemodelError(
            f"{variant.text}: remodelling rebuilds substitutions only; for insertions and "
            "deletions bring a mutant structure file."
        )
    found = {}
    for change in variant.changes:
        place = index.get(change.position - 1, -1)
        if place < 0:
            raise RemodelError(
                f"{variant.text}: position {change.position} has no coordinates in the structure, "
                "so it cannot be remodelled; use a structure that covers it."
            )
        found[place] = change.mutant
    return found


def mutated_sequence(sequence: str, substitutions: Mapping[int, str]) -> str:
    """`sequence` with the residues at the 0-based indices replaced."""
    return "".join(substitutions.get(i, letter) for i, letter in enumerate(sequence))


def check_request(wild: Structure, substitutions: Mapping[int, str], seed: int) -> None:
    """Refuse what no backend can do.

    Raises
    ------
    InputError
        No substitution, an index outside the structure, a letter that is none
        of the 20 residues, or a seed out of range.
    RemodelError
        The structure has unknown residues or lacks backbone atoms.
    """
    if not substitutions:
        raise InputError("substitutions: is empty; give at least one residue to change.")
    for place, letter in substitutions.items():
        if not 0 <= place < len(wild):
            raise InputError(
                f"substitutions: index {place} lies outside the {len(wild)} residues of "
                f"{wild.name}; indices start at 0."
            )
        if letter not in STANDARD or len(letter) != 1:
            raise InputError(
                f"substitutions: '{letter}' at residue {wild.residue_numbers[place]} is not one of "
                f"the 20 standard residues ({STANDARD})."
            )
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed: {seed} is out of range; use 0 to {MAX_SEED:,}.")
    check_remodellable(wild)


def check_remodellable(wild: Structure) -> None:
    """Raise `RemodelError` unless every residue is known and has its backbone."""
    if len(wild) < _FEWEST_RESIDUES:
        raise RemodelError(
            f"{wild.name}: has {len(wild)} residue(s); remodelling needs {_FEWEST_RESIDUES}."
        )
    for index, letter in enumerate(wild.sequence):
        if letter not in STANDARD:
            raise RemodelError(
                f"{wild.name}: residue {wild.residue_numbers[index]} is not a standard one; "
                "remodelling needs the 20 standard residues."
            )
    if len(wild.atoms) == len(wild):
        raise RemodelError(
            f"{wild.name}: has C-alpha atoms only; remodelling needs at least the backbone atoms "
            "N, CA and C of every residue, so give a full-atom structure."
        )
    residue = wild.residue_of_atom
    for atom in BACKBONE:
        present = np.zeros(len(wild), dtype=bool)
        present[residue[wild.atoms.atom_name == atom]] = True
        if not present.all():
            number = wild.residue_numbers[int(np.argmin(present))]
            raise RemodelError(
                f"{wild.name}: residue {number} lacks {atom} ({int((~present).sum())} residue(s) "
                "do); remodelling needs the backbone atoms N, CA and C of every residue."
            )
