"""TM-align of two C-alpha traces, by the tmtools binding of the original program.

TM-align: Zhang & Skolnick, Nucleic Acids Res. 33, 2302 (2005).
TM-score: Zhang & Skolnick, Proteins 57, 702 (2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError
from glass_core.protein.alignment import aligned_pairs, check_rows
from glass_core.records import frozen_array, require

Correspondence = Literal["tmalign", "sequence"]

_MIN_RESIDUES = 3
"""TM-align superposes at least three points."""


@dataclass(frozen=True, eq=False)
class StructuralAlignment:
    """A superposition of a reference (chain 1) and a subject (chain 2).

    Attributes
    ----------
    tm_score : float
        TM-score normalised by the length of the reference: *the* TM-score.
    tm_score_by_subject : float
        The same superposition scored with the length of the subject.
    rmsd : float
        C-alpha RMSD over the aligned residues, in Å.
    sequence_identity : float
        Identical residues / aligned residues, 0 to 1.
    reference_row, subject_row, match_row : str
        Alignment strings of equal length; in `match_row` ``:`` marks a pair
        closer than 5 Å, ``.`` any other aligned pair.
    rotation : ndarray, shape=(3, 3), dtype=float
    translation : ndarray, shape=(3,), dtype=float
        ``reference @ rotation.T + translation`` lies on the subject (the
        convention of TM-align's own output), in Å.
    correspondence : {"tmalign", "sequence"}
        Whether TM-align chose the residue pairs or a sequence alignment did.
    """

    tm_score: float
    tm_score_by_subject: float
    rmsd: float
    sequence_identity: float
    reference_row: str
    subject_row: str
    match_row: str
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    correspondence: Correspondence = "tmalign"

    def __post_init__(self) -> None:
        require(0 <= self.tm_score <= 1 + 1e-6, "tm_score", "lies between 0 and 1")
        require(self.rmsd >= 0, "rmsd", "is not negative")
        check_rows(self.reference_row, self.subject_row, self.match_row)
        object.__setattr__(self, "rotation", frozen_array(self.rotation, (3, 3), "rotation"))
        object.__setattr__(self, "translation", frozen_array(self.translation, (3,), "translation"))

    @property
    def pairs(self) -> NDArray[np.int64]:
        """Index pairs (reference, subject) of the aligned residues, shape=(n, 2)."""
        return aligned_pairs(self.reference_row, self.subject_row)

    @property
    def aligned_length(self) -> int:
        """Number of aligned residue pairs."""
        return len(self.pairs)

    def onto_reference(self, coord: NDArray[np.floating]) -> NDArray[np.float64]:
        """Move coordinates of the subject's frame, shape=(n, 3) in Å, onto the reference."""
        return (np.asarray(coord, dtype=float) - self.translation) @ self.rotation


def tm_align(
    reference: NDArray[np.floating],
    subject: NDArray[np.floating],
    reference_sequence: str,
    subject_sequence: str,
    rows: tuple[str, str] | None = None,
) -> StructuralAlignment:
    """Superpose `subject` and `reference` by TM-align.

    Parameters
    ----------
    reference, subject : ndarray, shape=(n, 3) and (m, 3), dtype=float
        C-alpha coordinates in Å, no NaN.
    reference_sequence, subject_sequence : str
        One letter per coordinate row.
    rows : tuple of str, optional
        A fixed alignment, two rows of equal length with ``-`` for gaps; the
        correspondence is then ``"sequence"`` and only the superposition is
        searched for.

    Raises
    ------
    InputError
        Fewer than three residues on a side, or coordinates that are not finite.
    """
    import tmtools

    for side, coord, sequence in (
        ("reference", reference, reference_sequence),
        ("subject", subject, subject_sequence),
    ):
        require(np.shape(coord) == (len(sequence), 3), side, "has one C-alpha per residue")
        if len(sequence) < _MIN_RESIDUES:
            raise InputError(
                f"The {side} has {len(sequence)} residue(s) with a C-alpha; "
                f"TM-align needs at least {_MIN_RESIDUES}."
            )
        if not np.isfinite(coord).all():
            raise InputError(f"The {side} has C-alpha coordinates that are not finite numbers.")

    result = tmtools.tm_align(
        np.ascontiguousarray(reference, dtype=np.float64),
        np.ascontiguousarray(subject, dtype=np.float64),
        reference_sequence,
        subject_sequence,
        list(rows) if rows is not None else None,
    )
    pairs = aligned_pairs(result.seqxA, result.seqyA)
    identical = sum(reference_sequence[i] == subject_sequence[j] for i, j in pairs)
    return StructuralAlignment(
        tm_score=min(float(result.tm_norm_chain1), 1.0),
        tm_score_by_subject=min(float(result.tm_norm_chain2), 1.0),
        rmsd=max(float(result.rmsd), 0.0),
        sequence_identity=identical / len(pairs) if len(pairs) else float("nan"),
        reference_row=result.seqxA,
        subject_row=result.seqyA,
        match_row=result.seqM,
        rotation=np.array(result.u, dtype=float),
        translation=np.array(result.t, dtype=float),
        correspondence="tmalign" if rows is None else "sequence",
    )
