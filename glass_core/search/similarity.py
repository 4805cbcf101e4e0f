"""How alike the residues of two sequences are, by their embeddings.

Shape notation: N residues of the query, M of the target, D width of the embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.records import require, require_one_of

Measure = Literal["cosine", "distance"]
MEASURES: tuple[Measure, ...] = ("cosine", "distance")
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Similarity:
    """A way to compare residues.

    Attributes
    ----------
    measure : {"cosine", "distance"}
        Cosine of the embeddings, or exp(-scale * Euclidean distance).
    scale : float
        Of the distance; the wider the embedding, the smaller it must be.
    enhanced : bool
        Whether what stands out from its row and from its column counts: the mean of both
        z-scores (Pantolini et al., Bioinformatics 40, btad786 (2024)).
    """

    measure: Measure = "cosine"
    scale: float = 1.0
    enhanced: bool = True

    def __post_init__(self) -> None:
        require_one_of(self.measure, MEASURES, "measure")
        require(self.scale > 0, "scale", "is positive")

    def matrix(self, query: NDArray[np.floating], target: NDArray[np.floating]) -> Matrix:
        """Similarity of each residue to each, of embeddings of shapes (N, D) and (M, D).

        Returns
        -------
        ndarray, shape=(N, M)
        """
        a, b = np.asarray(query, np.float64), np.asarray(target, np.float64)
        if self.measure == "cosine":
            alike = _unit(a) @ _unit(b).T
        else:
            squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
            alike = np.exp(-self.scale * np.sqrt(squares.clip(min=0)))
        return enhanced(alike) if self.enhanced else alike


def enhanced(alike: Matrix) -> Matrix:
    """The mean of the z-scores of each value in its row and in its column; 0 where all are equal.

    With the standard deviation of a sample, as its authors have it; a row of one value has none.
    """
    return (_z_scores(alike, 1) + _z_scores(alike, 0)) / 2


def _z_scores(values: Matrix, axis: int) -> Matrix:
    off = values - values.mean(axis=axis, keepdims=True)
    if values.shape[axis] < 2:
        return off
    spread = values.std(axis=axis, ddof=1, keepdims=True)
    return np.divide(off, spread, out=np.zeros_like(off), where=spread > 0)


def _unit(vectors: Matrix) -> Matrix:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.finfo(np.float64).tiny)
