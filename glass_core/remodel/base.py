"""What every remodelling backend takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from glass_core.errors import InputError, RemodelError, one_line
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.bonds import cross_links
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.protein.writing import Label, write_changes
from glass_core.records import require

ProtocolName = Literal["minimise", "anneal"]
RoleStage = Callable[[str, str, float], None]
"""Called with (role, stage in words, fraction of this role's structure done), by any thread."""
ROLES = ("reference", "mutant", "floor")
"""The three structures of a replicate, in the order in which they are made."""
START = "start"
"""What a backend may relax first and begin all three with."""
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


_SETTINGS: Mapping[str, Callable[[str], Any]] = {
    "protocol": str,
    "sphere_radius": float,
    "peak_temperature": float,
    "anneal_steps": int,
    "timeout_s": float,
    "threads": int,
}
"""How to read each of them."""


@dataclass(frozen=True, eq=False)
class RemodelRequest:
    """One seed of remodelling; nothing that no backend can do gets past its construction.

    Attributes
    ----------
    wild : Structure
        All residues standard, each with N, CA and C.
    substitutions : mapping of int to str
        0-based index into the structure's residues -> one-letter residue.
    settings : RemodelSettings
    seed : int
        0 to 1,000,000; equal seeds give equal structures on one machine.

    Raises
    ------
    InputError
        No substitution, an index outside the structure, a letter that is none
        of the 20 residues, or a seed out of range.
    RemodelError
        The structure has unknown residues or lacks backbone atoms.
    """

    wild: Structure
    substitutions: Mapping[int, str]
    settings: RemodelSettings = RemodelSettings()
    seed: int = 1

    def __post_init__(self) -> None:
        wild, substitutions = self.wild, self.substitutions
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
                    f"substitutions: '{letter}' at residue {wild.residue_numbers[place]} is not "
                    f"one of the 20 standard residues ({STANDARD})."
                )
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError(f"seed: {self.seed} is out of range; use 0 to {MAX_SEED:,}.")
        check_remodellable(wild)

    @property
    def sites(self) -> list[int]:
        """Indices of the residues that change, in order."""
        return sorted(self.substitutions)

    @property
    def mutant_sequence(self) -> str:
        """The structure's sequence with the substitutions."""
        return "".join(self.substitutions.get(i, a) for i, a in enumerate(self.wild.sequence))


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


@dataclass(frozen=True)
class Relaxed:
    """What a backend made of a request, or what is known of it beforehand.

    Attributes
    ----------
    structures : mapping of str to Structure
        By role, and by `START` where there is one.
    protonation : mapping of int to str
        Residues of the start, 0-based, whose protonation was chosen -> its name.
    """

    structures: Mapping[str, Structure]
    protonation: Mapping[int, str] = field(default_factory=dict)


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

    def remodel(self, request: RemodelRequest, watch: Watch = UNWATCHED) -> Replicate:
        """Run one seed.

        Parameters
        ----------
        request : RemodelRequest
        watch : Watch
            Told and asked from the calling thread, several times a second at most.

        Raises
        ------
        RemodelError
            The engine failed, or time ran out.
        UnavailableError
            The engine is missing.
        Cancelled
            That was asked for.
        """
        ...


@dataclass(frozen=True)
class Remodelling:
    """How the mutant's structure is to be made: by what, how, and how often.

    Attributes
    ----------
    remodeller : Remodeller
        See `remodel.get_remodeller`.
    seeds : tuple of int
        One replicate each; a number n stands for the seeds 1 to n.
    settings : RemodelSettings

    Raises
    ------
    InputError
        No seed.
    """

    remodeller: Remodeller
    seeds: int | Sequence[int] = 1
    settings: RemodelSettings = RemodelSettings()

    def __post_init__(self) -> None:
        seeds = range(1, self.seeds + 1) if isinstance(self.seeds, int) else self.seeds
        if not len(seeds):
            raise InputError("seeds: at least one is needed to remodel.")
        object.__setattr__(self, "seeds", tuple(seeds))

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds, in order."""
        return tuple(self.seeds) if not isinstance(self.seeds, int) else (self.seeds,)

    def protocol(self) -> dict[str, str]:
        """What is needed to do it again, in words, for provenance; see `from_protocol`."""
        return {
            "remodeller": self.remodeller.version(),
            "seeds": ",".join(map(str, self.seed_list)),
            **{key: str(value) for key, value in self.settings.to_dict().items()},
        }

    @staticmethod
    def from_protocol(
        words: Mapping[str, str], remodeller: Callable[[str], Remodeller]
    ) -> Remodelling:
        """What `protocol` put into words, by the backend of that name as it is here.

        Parameters
        ----------
        words : mapping
            Of an earlier version, too: settings that it did not have are today's.
        remodeller : callable
            Gives the backend of a name; see `remodel.get_remodeller`.

        Raises
        ------
        InputError
            They are not such words, or name a setting that is not known here.
        UnavailableError
            The backend cannot be used here.
        """
        settings = dict(words)
        try:
            name = settings.pop("remodeller").split()[0].lower()
            seeds = tuple(map(int, settings.pop("seeds").split(",")))
            read = {key: _SETTINGS[key](text) for key, text in settings.items() if text != "None"}
        except (KeyError, ValueError, IndexError) as error:
            raise InputError(
                f"protocol: cannot be read ({one_line(error, 60)}); another version of GLASS wrote "
                "it."
            ) from error
        return Remodelling(remodeller(name), seeds, RemodelSettings(**read))


def structure_substitutions(
    variant: Variant, index: Mapping[int, int], label: Label = str
) -> dict[int, str]:
    """The variant's substitutions by 0-based index into the structure's residues.

    Parameters
    ----------
    index : mapping
        0-based sequence index -> structure index, -1 or absent without coordinates.
    label : callable
        The number of a 1-based position in messages.

    Raises
    ------
    RemodelError
        Insertions or deletions, or a position without coordinates.
    """
    written = write_changes(variant.changes, variant.wild_type, label)
    if not variant.only_substitutions:
        raise RemodelError(
            f"{written}: remodelling rebuilds substitutions only; for insertions and "
            "deletions bring a mutant structure file."
        )
    by_index = {}
    for change in variant.changes:
        place = index.get(change.position - 1, -1)
        if place < 0:
            raise RemodelError(
                f"{written}: residue {label(change.position)} has no coordinates in the structure, "
                "so it cannot be remodelled; use a structure that covers it."
            )
        by_index[place] = change.mutant
    return by_index


def check_remodellable(wild: Structure) -> None:
    """Raise `RemodelError` unless every residue is known, has its backbone and common bonds."""
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
    links = cross_links(wild)
    if links:
        raise RemodelError(
            f"{wild.name}: {'; '.join(map(str, links[:3]))}: the remodel cannot keep such bonds; "
            "bring a mutant structure file."
        )
