"""Which residues make the protein chains of a file, in which order, and what stands beside them.

What a file says of its polymers decides (mmCIF's entities and label_seq_id; SEQRES), else the
peptide bond: a modified residue that is bonded belongs to the chain wherever its records
stand, a free amino acid or an inhibitor with a backbone does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.structure.conformation import one_conformation
from glass_core.protein.structure.polymer import Ordered, Residue, in_order
from glass_core.protein.structure.residues import WATER, is_amino_acid, letter_of
from glass_core.protein.structure.table import AtomTable, FileContent

Rows = list[NDArray[np.int64]]
TOUCHING = 4.0
"""Å between a chain and a ligand of it that has another chain's name."""


@dataclass(frozen=True, eq=False)
class ProteinChain:
    """A protein chain of a file.

    Attributes
    ----------
    id : str
        The author's chain, or the segment where one chain's name covers several.
    residues : tuple of Residue
        In the order of the chain.
    ligands : ndarray of int
        Rows of what else stands under the chain's name, water left out.
    notes : tuple of str
        What was left out, and why.
    """

    id: str
    residues: tuple[Residue, ...]
    ligands: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of all its atoms."""
        return np.concatenate([residue.rows for residue in self.residues])

    @property
    def sequence(self) -> str:
        """One letter for each residue that has a C-alpha."""
        return "".join(letter_of(one.name) for one in self.residues if one.has_ca)


def protein_chains(file: FileContent) -> tuple[ProteinChain, ...]:
    """The protein chains of a file, in file order."""
    atoms = file.atoms
    groups = _groups(atoms)
    protein = [_is_protein(atoms, rows) for rows in groups]
    by_chain: dict[str, tuple[Rows, Rows]] = {}
    for name, rows, inside in zip(
        _chain_names(atoms, groups, protein), groups, protein, strict=True
    ):
        by_chain.setdefault(name, ([], []))[0 if inside else 1].append(rows)
    chains, beside = [], []
    for name, (residues, others) in by_chain.items():
        chain = _one_chain(name, residues, others, file)
        if any(residue.has_ca for residue in chain.residues):
            chains.append(chain)
        else:
            listed = sorted((*residues, *others), key=lambda rows: int(rows[0]))
            beside += [rows for rows in listed if _is_hetero_group(atoms, rows)]
    return tuple(_with_near_groups(chain, beside, atoms) for chain in chains)


def _is_hetero_group(atoms: AtomTable, rows: NDArray[np.int64]) -> bool:
    """Whether a group is a ligand or an ion: neither of a polymer nor water."""
    first = rows[0]
    listed = bool(atoms.hetero[rows].all()) and atoms.place[first] <= 0
    return listed and str(atoms.residue[first]) not in WATER


def _with_near_groups(
    chain: ProteinChain, groups: Sequence[NDArray[np.int64]], atoms: AtomTable
) -> ProteinChain:
    """The chain with the hetero groups of chains without protein that touch it.

    Many programs put each ligand and ion in a chain of its own.
    """
    from scipy.spatial import cKDTree

    own = atoms.coord[chain.rows]
    finite = own[np.isfinite(own).all(axis=1)]
    if not groups or not len(finite):
        return chain
    tree = cKDTree(finite)
    near = [
        one_conformation(atoms, rows)
        for rows in groups
        if np.isfinite(atoms.coord[rows]).all()
        and tree.query(atoms.coord[rows], distance_upper_bound=TOUCHING)[0].min() <= TOUCHING
    ]
    return replace(chain, ligands=np.concatenate([chain.ligands, *near]))


def _groups(atoms: AtomTable) -> list[NDArray[np.int64]]:
    """Rows of consecutive atoms that have chain, number and residue type in common."""
    if not len(atoms):
        return []
    columns = (atoms.chain, atoms.subchain, atoms.segment, atoms.number, atoms.code, atoms.residue)
    change = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return np.split(np.arange(len(atoms)), np.flatnonzero(change) + 1)


def _is_protein(atoms: AtomTable, rows: NDArray[np.int64]) -> bool:
    """By its name, by a backbone, or as a part of a polymer with N and C-alpha."""
    place = atoms.place[rows[0]]
    name = str(atoms.residue[rows[0]])
    if place == 0 or name in WATER:
        return False
    if is_amino_acid(name):
        return True
    present = set(zip(atoms.atom[rows].tolist(), atoms.element[rows].tolist(), strict=True))
    return {("N", "N"), ("CA", "C")} <= present and (place > 0 or ("C", "C") in present)


def _chain_names(atoms: AtomTable, groups: Rows, protein: Sequence[bool]) -> list[str]:
    """The author's chain of each group; its segment where chains are blank or segments overlap."""
    sites: dict[str, dict[str, set[tuple[int, str]]]] = {}
    for rows, inside in zip(groups, protein, strict=True):
        first = rows[0]
        if atoms.segment[first] and inside:
            segments = sites.setdefault(str(atoms.chain[first]), {})
            segments.setdefault(str(atoms.segment[first]), set()).add(
                (int(atoms.number[first]), str(atoms.code[first]))
            )
    parted = {
        chain
        for chain, segments in sites.items()
        if _overlap(segments.values()) or (not chain and len(segments) > 1)
    }
    names = []
    for rows in groups:
        chain, segment = str(atoms.chain[rows[0]]), str(atoms.segment[rows[0]])
        if chain in parted and segment:
            chain = f"{chain}:{segment}" if chain else segment
        names.append(chain)
    return names


def _overlap(sets: Iterable[set[tuple[int, str]]]) -> bool:
    """Whether any two of the sets have a member in common."""
    members = [member for one in sets for member in one]
    return len(set(members)) < len(members)


def _one_chain(name: str, protein: Rows, others: Rows, file: FileContent) -> ProteinChain:
    atoms = file.atoms
    sites, copied = _without_copies(protein, atoms)
    residues = [Residue.of(atoms, one_conformation(atoms, rows)) for rows in sites]
    ordered = in_order(residues, file.sequences.get(name.partition(":")[0], ()))
    notes = [
        *_notes_of_chain(name or "(blank)", ordered, copied),
        *_notes_of_locations(atoms, sites, residues),
    ]
    ligands = [
        one_conformation(atoms, rows) for rows in others if str(atoms.residue[rows[0]]) not in WATER
    ]
    ligands += [residue.rows for residue in ordered.free]
    beside = np.concatenate(ligands) if ligands else np.zeros(0, dtype=np.int64)
    return ProteinChain(name, tuple(ordered.chain), beside, tuple(notes))


def _notes_of_chain(name: str, ordered: Ordered, copied: int) -> Iterator[str]:
    """What was left out of the chain, put into it, or may be two of them."""
    if copied:
        yield (
            f"Chain {name} holds several copies under one name: "
            f"{copied} more residue(s) numbered like earlier ones were left out."
        )
    for residue in ordered.free:
        yield (
            f"{residue.name} {residue.label} is bonded to no residue of the chain and was read "
            "as a ligand."
        )
    for residue in ordered.inferred:
        yield (
            f"{residue.name} {residue.label} is bonded to no other residue; it was put where its "
            "number belongs."
        )
    ended = [
        before.label
        for before, residue in pairwise(ordered.chain)
        if before.is_plain and residue.is_plain and residue.part > before.part
    ]
    if ended:
        yield (
            f"TER stands inside chain {name}, after {', '.join(ended[:5])}: if these "
            "are several chains under one name, give each its own."
        )


def _notes_of_locations(
    atoms: AtomTable, sites: Rows, residues: Sequence[Residue]
) -> Iterator[str]:
    """Where the file gives several conformations or residue types of which one was read."""
    several = [
        residue.label
        for rows, residue in zip(sites, residues, strict=True)
        if len(set(map(str, atoms.location[rows]))) > 1
    ]
    if several:
        yield (
            f"{len(several)} residue(s) have alternative locations ({', '.join(several[:5])}"
            f"{', ...' if len(several) > 5 else ''}); of each the likeliest was read."
        )
    for rows, residue in zip(sites, residues, strict=True):
        types = dict.fromkeys(map(str, atoms.residue[rows]))
        if len(types) > 1:
            yield (
                f"Residue {residue.label} is {' and '.join(types)} at once; {residue.name} was "
                "read."
            )


def _without_copies(
    groups: Sequence[NDArray[np.int64]], atoms: AtomTable
) -> tuple[list[NDArray[np.int64]], int]:
    """Rows of each residue, all its locations together, and how many residues were copies.

    Groups are taken by stretches of rising numbers. A stretch with an atom that an earlier one
    has too, in the same location, is another copy under the same name; hetero groups of their
    own type only happen to have a residue's number.
    """
    sites: dict[tuple[int, str, int, str], list[NDArray[np.int64]]] = {}
    copied = 0
    for stretch in _stretches(groups, atoms):
        keys = [_site(rows, atoms) for rows in stretch]
        taken = [
            key in sites and _conflict(atoms, np.concatenate(sites[key]), rows)
            for key, rows in zip(keys, stretch, strict=True)
        ]
        if any(
            clash and not _is_other_group(atoms, sites[key][0], rows)
            for key, rows, clash in zip(keys, stretch, taken, strict=True)
        ):
            copied += len(dict.fromkeys(keys))
            continue
        for key, rows, clash in zip(keys, stretch, taken, strict=True):
            own = (*key[:3], str(atoms.residue[rows[0]])) if clash else key
            sites.setdefault(own, []).append(rows)
    return [np.concatenate(parts) for parts in sites.values()], copied


def _site(rows: NDArray[np.int64], atoms: AtomTable) -> tuple[int, str, int, str]:
    """What a residue is told apart by; the last part is for hetero groups that share a number."""
    first = rows[0]
    return int(atoms.number[first]), str(atoms.code[first]), max(int(atoms.place[first]), 0), ""


def _stretches(
    groups: Sequence[NDArray[np.int64]], atoms: AtomTable
) -> list[list[NDArray[np.int64]]]:
    """Groups parted where the numbers go back, or the subchain changes."""
    stretches: list[list[NDArray[np.int64]]] = [[groups[0]]] if groups else []
    for before, rows in pairwise(groups):
        back = atoms.number[rows[0]] < atoms.number[before[0]]
        if back or atoms.subchain[rows[0]] != atoms.subchain[before[0]]:
            stretches.append([])
        stretches[-1].append(rows)
    return stretches


def _conflict(atoms: AtomTable, before: NDArray[np.int64], rows: NDArray[np.int64]) -> bool:
    """Whether two groups of one number cannot be locations of one residue."""
    known = set(zip(atoms.atom[before].tolist(), atoms.location[before].tolist(), strict=True))
    own = zip(atoms.atom[rows].tolist(), atoms.location[rows].tolist(), strict=True)
    return any(atom in known for atom in own)


def _is_other_group(atoms: AtomTable, residue: NDArray[np.int64], rows: NDArray[np.int64]) -> bool:
    """Whether a hetero group only happens to have a residue's number."""
    return bool(atoms.hetero[rows].all()) and atoms.residue[rows[0]] != atoms.residue[residue[0]]
