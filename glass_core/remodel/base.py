"""What every remodelling backend takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from glass_core.errors import RemodelError
from glass_core.records import require
from glass_core.sequence import STANDARD
from glass_core.structure import Structure
from glass_core.variant import Variant

Protocol_ = Literal["minimise", "anneal"]
Progress = Callable[[str, float], None]
"""Called with (stage in words, fraction done)."""
BACKBONE = ("N", "CA", "C")


@dataclass(frozen=True)
class RemodelSettings:
    """How to remodel.

    Attributes
    ----------
    protocol : {"minimise", "anneal"}
        Long minimisation, or the paper's spirit: minimise, heat, cool, minimise.
    sphere_radius : float
        Å; atoms within it of a mutated residue may move, the rest is fixed.
        The paper's 100 Å lets a small protein move as a whole.
    timeout : float
        Seconds one replicate may take.
    threads : int
        CPU threads of the simulation engine.
    """

    protocol: Protocol_ = "minimise"
    sphere_radius: float = 100.0
    timeout: float = 1800.0
    threads: int = 2

    def __post_init__(self) -> None:
        require(self.protocol in ("minimise", "anneal"), "protocol", "is minimise or anneal")
        require(self.sphere_radius > 0, "sphere_radius", "is positive")
        require(self.timeout > 0, "timeout", "is positive")
        require(self.threads >= 1, "threads", "is at least 1")

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Replicate:
    """One seed: three structures that went through the same protocol.

    Every seed gives two starts, slightly perturbed and independent. The
    reference is relaxed from the first; the mutant and the floor both from the
    second. `measure(reference, mutant)` and `measure(reference, floor)`
    therefore differ by the mutation alone.

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


class Remodeller(Protocol):
    """A way to a mutant structure."""

    name: str

    def unavailable_reason(self) -> str | None:
        """Why it cannot be used here and how to mend that; None when it can."""
        ...

    def version(self) -> str:
        """Name and version of the engine, for provenance."""
        ...

    def remodel(
        self,
        wild: Structure,
        substitutions: Mapping[int, str],
        settings: RemodelSettings,
        seed: int,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Replicate:
        """Run one seed; `substitutions` maps 0-based structure indices to residue letters."""
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


def check_remodellable(wild: Structure, substitutions: Mapping[int, str]) -> None:
    """Raise `RemodelError` unless every residue is known and has its backbone."""
    import biotite.structure as struc

    for letter in substitutions.values():
        if letter not in STANDARD:
            raise RemodelError(f"'{letter}' is no standard residue; remodelling needs one.")
    for index, letter in enumerate(wild.sequence):
        if letter not in STANDARD:
            raise RemodelError(
                f"{wild.name}: residue {wild.residue_numbers[index]} is not a standard one; "
                "remodelling needs the 20 standard residues."
            )
    for index, residue in enumerate(struc.residue_iter(wild.atoms)):
        missing = [atom for atom in BACKBONE if atom not in residue.atom_name]
        if missing:
            raise RemodelError(
                f"{wild.name}: residue {wild.residue_numbers[index]} lacks "
                f"{' and '.join(missing)}; remodelling needs N, CA and C of every residue."
            )
