"""One protein chain in three dimensions, with the numbering its file gave it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import StructureError
from glass_core.protein.placement import ChainResidues
from glass_core.protein.sequence import ONE_LETTER, UNKNOWN, check_residues
from glass_core.protein.structure.backbone import CA_STEP, Backbone
from glass_core.records import frozen_array, require

if TYPE_CHECKING:
    from biotite.structure import AtomArray

Origin = Literal["experiment", "alphafold", "predicted", "model", "remodelled", "unknown"]
"""Where coordinates come from; only of "alphafold" and "predicted" the B-factors are pLDDT."""

CONTACT = 5.0
"""Å between heavy atoms of two chains that touch."""
DECIMALS = 3
"""Coordinates are kept to 0.001 Å, the precision of the file formats."""


@dataclass(frozen=True, eq=False)
class Structure:
    """The residues of one protein chain that have a C-alpha.

    Build with `Structure.from_atoms` or `file.read_structure`.

    Attributes
    ----------
    atoms : biotite.structure.AtomArray
        The chain's protein heavy atoms in author numbering (`chain_id`,
        `res_id`, `ins_code`), hydrogens left out, modified residues renamed to
        their parents, coordinates in Å to 0.001. Treat as read-only.
    name : str
        File or entry name, for people.
    origin : {"experiment", "alphafold", "predicted", "model", "remodelled", "unknown"}
        "predicted": a model of another program than AlphaFold that gives pLDDT.
    notes : tuple of str
        What was changed or left out while reading, one sentence each.
    ligands : AtomArray or None
        Hetero atoms of the same chain, for display only.
    contacts : tuple of str
        Per residue the other chains with an atom within `CONTACT` Å, such as ``B C'``
        (a prime marks a symmetry copy); empty where nothing is known of other chains.
    partners : Backbone or None
        The residues of those chains near this one, as a network reads them.
    """

    atoms: AtomArray
    name: str
    origin: Origin = "unknown"
    notes: tuple[str, ...] = ()
    ligands: AtomArray | None = None
    contacts: tuple[str, ...] = ()
    partners: Backbone | None = None

    def __post_init__(self) -> None:
        require(self.atoms.array_length() > 0, "atoms", "is not empty")
        require(len(set(self.atoms.chain_id)) == 1, "atoms", "belongs to one chain")
        require(len(self.residue_starts) == len(self.ca), "atoms", "has one C-alpha per residue")
        require("b_factor" in self.atoms.get_annotation_categories(), "atoms", "has B-factors")
        require(
            len(self.contacts) in (0, len(self.residue_starts)),
            "contacts",
            "has an entry per residue",
        )
        atoms = self.atoms.copy()  # the caller's coordinates stay writable
        atoms.coord.setflags(write=False)
        object.__setattr__(self, "atoms", atoms)

    @staticmethod
    def from_atoms(
        atoms: AtomArray,
        name: str,
        origin: Origin = "unknown",
        notes: tuple[str, ...] = (),
        ligands: AtomArray | None = None,
        others: AtomArray | None = None,
    ) -> Structure:
        """Keep the residues that have a C-alpha, drop hydrogens, round coordinates.

        `others` are the atoms of other protein chains, from which `contacts` and `partners`
        come; their `chain_id` is how they are to be called.

        Raises
        ------
        StructureError
            No residue with a C-alpha, or coordinates that are not finite.
        """
        import biotite.structure as struc

        atoms = atoms[~np.isin(atoms.element, ("H", "D"))]
        starts = struc.get_residue_starts(atoms)
        has_ca = (
            struc.apply_residue_wise(
                atoms, (atoms.atom_name == "CA") & (atoms.element != "CA"), np.any
            )
            if len(starts)
            else np.zeros(0, dtype=bool)
        )
        if not has_ca.any():
            raise StructureError(f"{name}: has no protein residue with a C-alpha atom.")
        if not has_ca.all():
            missing = int((~has_ca).sum())
            notes = (*notes, f"{missing} residue(s) without C-alpha left out.")
            atoms = atoms[struc.spread_residue_wise(atoms, has_ca)]
        if not np.isfinite(atoms.coord).all():
            raise StructureError(f"{name}: has coordinates that are not finite numbers.")
        atoms.box = None  # the crystal's unit cell says nothing about one chain
        atoms.coord = np.round(atoms.coord.astype(np.float64), DECIMALS).astype(np.float32)
        if "b_factor" not in atoms.get_annotation_categories():
            atoms.set_annotation("b_factor", np.zeros(atoms.array_length(), dtype=np.float32))
        if "occupancy" not in atoms.get_annotation_categories():
            atoms.set_annotation("occupancy", np.ones(atoms.array_length(), dtype=np.float32))
        if ligands is not None:
            ligands = ligands.copy()
            ligands.box = None
        partners = None
        if others is not None and len(others):
            near = Backbone.of(others).near(atoms.coord[atoms.atom_name == "CA"])
            partners = near if len(near) else None
        return Structure(atoms, name, origin, notes, ligands, contacts(atoms, others), partners)

    def __len__(self) -> int:
        return len(self.residue_starts)

    @cached_property
    def residue_starts(self) -> NDArray[np.int64]:
        """Index of the first atom of each residue, shape=(n,)."""
        import biotite.structure as struc

        return np.asarray(struc.get_residue_starts(self.atoms))

    @cached_property
    def residue_of_atom(self) -> NDArray[np.int64]:
        """0-based residue index of each atom, shape=(n_atoms,)."""
        import biotite.structure as struc

        return np.asarray(struc.get_all_residue_positions(self.atoms))

    @property
    def chain(self) -> str:
        """Author chain identifier."""
        return str(self.atoms.chain_id[0])

    @cached_property
    def ca_mask(self) -> NDArray[np.bool_]:
        """Which atoms are the C-alphas, shape=(n_atoms,)."""
        mask = self.atoms.atom_name == "CA"
        return np.asarray(mask & (self.atoms.element != "CA"), dtype=bool)

    @cached_property
    def ca(self) -> NDArray[np.float64]:
        """C-alpha coordinates, shape=(n, 3), in Å, never NaN."""
        return frozen_array(
            np.round(self.atoms.coord[self.ca_mask].astype(float), DECIMALS), (None, 3), "ca"
        )

    @cached_property
    def backbone(self) -> Backbone:
        """N, CA, C and O of each residue."""
        return Backbone.of(self.atoms)

    @cached_property
    def sequence(self) -> str:
        """One letter per residue with coordinates; unknown residues are X."""
        names = self.atoms.res_name[self.residue_starts]
        return check_residues("".join(ONE_LETTER.get(str(n), UNKNOWN) for n in names), "structure")

    @cached_property
    def residue_numbers(self) -> tuple[str, ...]:
        """Author residue number with insertion code, such as '52' or '52A'."""
        starts = self.residue_starts
        return tuple(
            f"{number}{code.strip()}"
            for number, code in zip(
                self.atoms.res_id[starts], self.atoms.ins_code[starts], strict=True
            )
        )

    @property
    def chain_residues(self) -> ChainResidues:
        """What places the chain in a whole sequence: letters, breaks and numbers."""
        return ChainResidues(
            self.sequence, self.breaks, tuple(map(int, self.atoms.res_id[self.residue_starts]))
        )

    @cached_property
    def accession(self) -> str:
        """UniProt accession that most residues are mapped to; '' where the file tells none.

        From SIFTS, which PDBe's updated mmCIF carries.
        """
        names, counts = np.unique(self._mapped[0], return_counts=True)
        counts = counts[names != ""]
        names = names[names != ""]
        return str(names[counts.argmax()]) if len(names) else ""

    @cached_property
    def uniprot_positions(self) -> NDArray[np.int64]:
        """UniProt position of each residue in `accession`, shape=(n,); -1 = none."""
        names, numbers = self._mapped
        own = (names == self.accession) & (names != "") & (numbers >= 1)
        return frozen_array(np.where(own, numbers, -1), (None,), "uniprot_positions", int)

    @property
    def _mapped(self) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
        """Accession and position per residue, as the file gives them."""
        if "uniprot_accession" not in self.atoms.get_annotation_categories():
            return np.full(len(self), ""), np.full(len(self), -1)
        starts = self.residue_starts
        return self.atoms.uniprot_accession[starts], self.atoms.uniprot_position[starts]

    @cached_property
    def b_factor(self) -> NDArray[np.float64]:
        """B-factor of each C-alpha, shape=(n,); what it means depends on `origin`."""
        return frozen_array(self.atoms.b_factor[self.ca_mask], (None,), "b_factor")

    @cached_property
    def plddt(self) -> NDArray[np.float64] | None:
        """The model's confidence 0..100 per residue, or None where the file gives none.

        Confidence of the model, not an effect of a mutation.
        """
        return self.b_factor if self.origin in ("alphafold", "predicted") else None

    @cached_property
    def breaks(self) -> tuple[int, ...]:
        """Indices i whose next residue does not follow: C-alphas over 4.5 Å apart."""
        gap = np.linalg.norm(np.diff(self.ca, axis=0), axis=1)
        return tuple(int(i) for i in np.flatnonzero(gap > CA_STEP))


def contacts(atoms: AtomArray, others: AtomArray | None) -> tuple[str, ...]:
    """Per residue of `atoms` the chains of `others` with a heavy atom within `CONTACT` Å."""
    import biotite.structure as struc
    from scipy.spatial import cKDTree

    if others is None:
        return ()
    starts = struc.get_residue_starts(atoms)
    touching: list[set[str]] = [set() for _ in starts]
    others = others[~np.isin(others.element, ("H", "D")) & np.isfinite(others.coord).all(axis=1)]
    if len(others):
        near = cKDTree(others.coord).query_ball_point(atoms.coord, CONTACT)
        residue = struc.get_all_residue_positions(atoms)
        for place, hits in zip(residue, near, strict=True):
            touching[place].update(str(others.chain_id[hit]) for hit in hits)
    return tuple(" ".join(sorted(chains)) for chains in touching)
