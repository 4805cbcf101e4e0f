"""Which of a chain's amino acids are bonded into it, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.structure.backbone import CA_STEP
from glass_core.protein.structure.residues import is_amino_acid, is_plain
from glass_core.protein.structure.table import AtomTable

PEPTIDE_BOND = 2.0
"""Å between C and N of bonded residues at most; ideal is 1.33, models are often strained."""
_SAME_CHAIN = 0.9
"""Share of residues at least that a numbering along the chain's sequence has right."""


@dataclass(frozen=True, eq=False)
class Residue:
    """One residue in the conformation that was kept.

    Attributes
    ----------
    rows : ndarray of int
        Of the file's atoms.
    name, number, code : str, int, str
    hetero : bool
    subchain, place, part : str, int, int
        See `AtomTable`.
    n, ca, c : ndarray, shape=(3,)
        In Å, NaN where the atom is missing.
    """

    rows: NDArray[np.int64]
    name: str
    number: int
    code: str
    hetero: bool
    subchain: str
    place: int
    part: int
    n: NDArray[np.float64]
    ca: NDArray[np.float64]
    c: NDArray[np.float64]

    @staticmethod
    def of(atoms: AtomTable, rows: NDArray[np.int64]) -> Residue:
        """The residue of some rows."""
        first = rows[0]
        found = {"N": np.full(3, np.nan), "CA": np.full(3, np.nan), "C": np.full(3, np.nan)}
        for row, atom in zip(rows.tolist(), atoms.atom[rows].tolist(), strict=True):
            if atom in found and atoms.element[row] == atom[0]:
                found[atom] = atoms.coord[row]
        return Residue(
            rows,
            str(atoms.residue[first]),
            int(atoms.number[first]),
            str(atoms.code[first]),
            bool(atoms.hetero[rows].all()),
            str(atoms.subchain[first]),
            int(atoms.place[first]),
            int(atoms.part[first]),
            found["N"],
            found["CA"],
            found["C"],
        )

    @property
    def label(self) -> str:
        """Number with insertion code."""
        return f"{self.number}{self.code}"

    @property
    def has_ca(self) -> bool:
        """Whether it has a C-alpha."""
        return not np.isnan(self.ca).any()

    @property
    def is_plain(self) -> bool:
        """Not listed as a hetero group, and one of the 20 in whatever protonation, or MSE.

        Such a residue is of the chain without more evidence.
        """
        return not self.hetero and is_plain(self.name)

    @property
    def key(self) -> tuple[int, str]:
        """What it is sorted by among residues of one chain."""
        return self.number, self.code

    def precedes(self, other: Residue) -> bool:
        """Whether a peptide bond leads from this residue to the other."""
        if not (np.isnan(self.c).any() or np.isnan(other.n).any()):
            return bool(np.linalg.norm(self.c - other.n) <= PEPTIDE_BOND)
        if not (self.has_ca and other.has_ca):
            return False
        return 0 <= other.number - self.number <= 1 and bool(
            np.linalg.norm(self.ca - other.ca) <= CA_STEP
        )


@dataclass(frozen=True, eq=False)
class Ordered:
    """The residues of a chain from its beginning to its end.

    Attributes
    ----------
    chain : list of Residue
    free : list of Residue
        Amino acids that are bonded to none of them.
    inferred : list of Residue
        Those of the chain that are bonded to none either, and stand where their number or
        the chain's sequence puts them.
    """

    chain: list[Residue]
    free: list[Residue]
    inferred: list[Residue]


def in_order(residues: Sequence[Residue], sequence: Sequence[str] = ()) -> Ordered:
    """Put the residues of a chain in order, and part the free ones from them.

    Parameters
    ----------
    residues : sequence of Residue
        In file order.
    sequence : sequence of str
        Names of the whole chain's residues, where the file gives them.
    """
    if residues and all(residue.place > 0 for residue in residues):
        order = {name: i for i, name in enumerate(dict.fromkeys(r.subchain for r in residues))}
        placed = sorted(residues, key=lambda one: (order[one.subchain], one.place))
        return Ordered(placed, [], [])
    runs = _runs(residues)
    solid = [any(residue.is_plain for residue in run) for run in runs]
    if not any(solid):
        solid = [len(run) > 1 for run in runs]
    chain = [residue for run, kept in zip(runs, solid, strict=True) for residue in run if kept]
    loose = [run for run, kept in zip(runs, solid, strict=True) if not kept]
    if not chain:
        return Ordered([], list(residues), [])
    expected = _expected(chain, sequence)
    free: list[Residue] = []
    inferred: list[Residue] = []
    while True:
        waiting = []
        for run in loose:
            at = _bonded_place(run, chain, sequence)
            if at is None:
                waiting.append(run)
            else:
                chain[at:at] = run
        if len(waiting) == len(loose):
            break
        loose = waiting
    for run in loose:
        at = _numbered_place(run, chain)
        told = bool(expected) and all(expected.get(one.number) == one.name for one in run)
        if told or _fills_a_gap(run, chain, at):
            inferred += run
            chain[at:at] = run
        else:
            free += run
    return Ordered(chain, free, inferred)


def _runs(residues: Sequence[Residue]) -> list[list[Residue]]:
    """Residues that follow each other in the file, parted where no bond leads on."""
    runs: list[list[Residue]] = []
    for residue in residues:
        if runs and runs[-1][-1].precedes(residue):
            runs[-1].append(residue)
        else:
            runs.append([residue])
    return runs


def _bonded_place(
    run: Sequence[Residue], chain: Sequence[Residue], sequence: Sequence[str]
) -> int | None:
    """Where in the chain the run is bonded; None where it is not."""
    before = [i for i, residue in enumerate(chain) if residue.precedes(run[0])]
    behind = [i for i, residue in enumerate(chain) if run[-1].precedes(residue)]
    if not before and not behind:
        return None
    known = not sequence or all(residue.name in sequence for residue in run)
    if not known and not (before and behind):
        return None
    return before[0] + 1 if before else behind[0]


def _numbered_place(run: Sequence[Residue], chain: Sequence[Residue]) -> int:
    """Where the run's number puts it: at the first break before a higher number."""
    for place, residue in enumerate(chain):
        if residue.key > run[0].key and (place == 0 or not chain[place - 1].precedes(residue)):
            return place
    return len(chain)


def _expected(chain: Sequence[Residue], sequence: Sequence[str]) -> dict[int, str]:
    """Names of the whole chain's residues by number, where the numbers follow its sequence."""
    first = chain[0].number
    for start in range(len(sequence)):
        places = [start + residue.number - first for residue in chain]
        if min(places) >= 0 and max(places) < len(sequence):
            alike = sum(sequence[i] == r.name for i, r in zip(places, chain, strict=True))
            if alike >= _SAME_CHAIN * len(chain):
                return {first - start + i: name for i, name in enumerate(sequence)}
    return {}


def _fills_a_gap(run: Sequence[Residue], chain: Sequence[Residue], at: int) -> bool:
    """Whether amino acids stand, by number and distance, where the chain lacks residues."""
    if not 0 < at < len(chain) or not all(is_amino_acid(residue.name) for residue in run):
        return False
    return _within_reach(chain[at - 1], run[0]) and _within_reach(run[-1], chain[at])


def _within_reach(before: Residue, behind: Residue) -> bool:
    """Whether the residues between two can span the distance."""
    steps = behind.number - before.number
    if steps < 1 or not (before.has_ca and behind.has_ca):
        return False
    return bool(np.linalg.norm(before.ca - behind.ca) <= steps * CA_STEP)
