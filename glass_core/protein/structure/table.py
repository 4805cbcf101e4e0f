"""The atoms of a structure file as it lists them, before anything is decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.structure.structure import Origin
from glass_core.records import require

if TYPE_CHECKING:
    from biotite.structure import AtomArray


@dataclass(frozen=True, eq=False)
class AtomTable:
    """Atoms of one model in file order, one array a column, shape=(n,) unless said.

    Attributes
    ----------
    hetero : bool
        Listed as HETATM.
    chain, subchain : str
        The author's chain; mmCIF's own finer one (label_asym_id), '' in PDB.
    segment : str
        Columns 73 to 76 of PDB, '' elsewhere.
    number, code : int, str
        Author residue number and insertion code.
    residue, atom, element, location : str
        `location`: alternative location, '' where there is none.
    coord : float64, shape=(n, 3)
        In Å.
    occupancy, b_factor : float64
        1 and 0 where the file leaves them out.
    place : int64
        Place in the polymer's sequence (label_seq_id); 0 = the file says that the residue is
        of no polymer; -1 = it does not say.
    part : int64
        How many TER records stand before the atom in PDB; 0 elsewhere.
    accession, accession_position : str, int64
        SIFTS' UniProt entry and position; '' and -1 where none.
    """

    hetero: NDArray[np.bool_]
    chain: NDArray[np.str_]
    subchain: NDArray[np.str_]
    segment: NDArray[np.str_]
    number: NDArray[np.int64]
    code: NDArray[np.str_]
    residue: NDArray[np.str_]
    atom: NDArray[np.str_]
    element: NDArray[np.str_]
    location: NDArray[np.str_]
    coord: NDArray[np.float64]
    occupancy: NDArray[np.float64]
    b_factor: NDArray[np.float64]
    place: NDArray[np.int64]
    part: NDArray[np.int64]
    accession: NDArray[np.str_] | None = None
    accession_position: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for column in fields(self):
            values = getattr(self, column.name)
            require(
                values is None or len(values) == len(self.hetero), column.name, "has a row per atom"
            )

    def __len__(self) -> int:
        return len(self.hetero)

    def array(
        self, rows: NDArray[np.int64], chain: str | NDArray[np.str_], coord: NDArray | None = None
    ) -> AtomArray:
        """The atoms of some rows in biotite's form, of the chain or chains named."""
        from biotite.structure import AtomArray

        atoms = AtomArray(len(rows))
        with np.errstate(over="ignore"):  # what is too large is infinite, and refused as such
            atoms.coord = (self.coord[rows] if coord is None else coord).astype(np.float32)
        annotations = {
            "chain_id": np.full(len(rows), chain) if isinstance(chain, str) else chain,
            "res_id": self.number[rows],
            "ins_code": self.code[rows],
            "res_name": self.residue[rows],
            "hetero": self.hetero[rows],
            "atom_name": self.atom[rows],
            "element": self.element[rows],
            "b_factor": self.b_factor[rows],
            "occupancy": self.occupancy[rows],
        }
        if self.accession is not None and self.accession_position is not None:
            annotations["uniprot_accession"] = self.accession[rows]
            annotations["uniprot_position"] = self.accession_position[rows]
        for name, values in annotations.items():
            atoms.set_annotation(name, values)
        return atoms


@dataclass(frozen=True, eq=False)
class Copy:
    """Chains of an assembly and where they are put: ``x -> rotation @ x + shift``."""

    chains: frozenset[str]
    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]
    of_subchains: bool = False

    @property
    def is_original(self) -> bool:
        """Whether it leaves the chains where they are."""
        return bool(np.allclose(self.rotation, np.eye(3)) and np.allclose(self.shift, 0))


@dataclass(frozen=True, eq=False)
class FileContent:
    """What a structure file holds: atoms, and what it says of them.

    Attributes
    ----------
    name : str
        For messages.
    atoms : AtomTable
    origin : {"experiment", "alphafold", "predicted", "model", "remodelled", "unknown"}
    sequences : mapping of str to tuple of str
        Residue names of each chain's whole sequence (SEQRES), where PDB gives it.
    assembly : tuple of Copy
        The first biological assembly; empty where the file describes none.
    notes : tuple of str
        What was passed over, such as further models, one sentence each.
    """

    name: str
    atoms: AtomTable
    origin: Origin
    sequences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assembly: tuple[Copy, ...] = ()
    notes: tuple[str, ...] = ()
