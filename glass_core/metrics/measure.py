"""Measurement: everything that two structures of one protein say about their difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics import distances
from glass_core.metrics.lddt import INCLUSION_RADIUS, THRESHOLDS, lddt
from glass_core.metrics.strain import NEIGHBOUR_RADIUS, effective_strain
from glass_core.metrics.tmalign import Correspondence, StructuralAlignment, tm_align
from glass_core.protein.alignment import global_alignment
from glass_core.protein.structure.structure import Structure
from glass_core.records import frozen_array, known_mean, score_array

DEFINITIONS: dict[str, str] = {
    "tm_score": "TM-align on C-alpha, normalised by the reference (wild type)",
    "lddt": (
        f"C-alpha lDDT, weights d^-3, inclusion radius {INCLUSION_RADIUS:g} Å in the reference, "
        f"thresholds {'/'.join(f'{t:g}' for t in THRESHOLDS)} Å, aligned residues only"
    ),
    "strain": f"effective strain, neighbours within {NEIGHBOUR_RADIUS:g} Å in the reference",
    "distance_change": f"mean |d - d'| over neighbours within {INCLUSION_RADIUS:g} Å, in Å",
    "no_value": "NaN (null): no aligned partner or no neighbour",
}
"""What the numbers of a `Measurement` mean, for exports."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """How a subject structure differs from a reference structure.

    Attributes
    ----------
    reference, subject : str
        Names of the two structures, with how they came about.
    alignment : StructuralAlignment
    lddt, strain, distance_change : ndarray, shape=(n,), dtype=float
        One value per reference residue with coordinates (see `DEFINITIONS`);
        NaN = no value. `distance_change` is in Å.
    """

    reference: str
    subject: str
    alignment: StructuralAlignment
    lddt: NDArray[np.float64]
    strain: NDArray[np.float64]
    distance_change: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.alignment.reference_row.replace("-", ""))
        object.__setattr__(self, "lddt", score_array(self.lddt, n, "lddt"))
        for field in ("strain", "distance_change"):
            object.__setattr__(self, field, frozen_array(getattr(self, field), (n,), field))

    @property
    def mean_lddt(self) -> float:
        """Mean over residues with a value."""
        return known_mean(self.lddt)


def measure(
    reference: Structure, subject: Structure, *, correspondence: Correspondence = "tmalign"
) -> Measurement:
    """Measure `subject` against `reference`; the order matters.

    Parameters
    ----------
    reference, subject : Structure
        Wild type and mutant. lDDT's neighbours and the TM-score's length are
        the reference's.
    correspondence : {"tmalign", "sequence"}
        Pair residues by TM-align (as the paper does) or by the global sequence
        alignment of the two chains.

    Raises
    ------
    InputError
        Fewer than three residues on a side.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tmtools.testing import get_pdb_path
    >>> from glass_core import read_structure
    >>> from glass_core.metrics.measure import measure
    >>> file = Path(get_pdb_path("2gtl"))
    >>> chains = [read_structure(file, chain=chain) for chain in "AB"]  # homologues
    >>> measurement = measure(*chains)
    >>> round(measurement.alignment.tm_score, 2), round(measurement.mean_lddt, 2)
    (0.88, 0.91)
    """
    rows = None
    if correspondence == "sequence":
        rows = global_alignment(reference.sequence, subject.sequence, free_ends=True)
    alignment = tm_align(reference.ca, subject.ca, reference.sequence, subject.sequence, rows=rows)
    placed = distances.place_on_reference(subject.ca, alignment.pairs, len(reference))
    return Measurement(
        reference=reference.name,
        subject=subject.name,
        alignment=alignment,
        lddt=lddt(reference.ca, placed),
        strain=effective_strain(reference.ca, placed),
        distance_change=distances.local_distance_difference(reference.ca, placed, INCLUSION_RADIUS),
    )
