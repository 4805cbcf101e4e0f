"""From a space to a plane: layouts that are made once, and places of new points in them.

Principal components, and t-SNE (van der Maaten & Hinton, JMLR 9, 2579 (2008)) by openTSNE
(Poličar et al., J. Stat. Softw. 109 (2024)), which lays new points among those that are there
and moves none of these. A plane distorts: near means near, far means little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from glass_core.records import frozen_array, require

Layout = Literal["tsne", "pca"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
PERPLEXITY, NEW_PERPLEXITY, SEED = 30, 5, 0
"""Neighbours that count for a point of the background; for a new one; of all chance."""

Vectors = NDArray[np.float32]
Plane = NDArray[np.float32]


class Projection(Protocol):
    """A plane and what lies in it.

    Attributes
    ----------
    layout : {"tsne", "pca"}
    plane : ndarray, shape=(n, 2)
        Places of the background.
    """

    @property
    def layout(self) -> Layout:
        """Which it is."""
        ...

    @property
    def plane(self) -> Plane:
        """Places of the background, shape=(n, 2)."""
        ...

    def place(self, vectors: Vectors) -> Plane:
        """Places of new points, (m, Z) -> (m, 2); the same ones each time."""
        ...


@dataclass(frozen=True, eq=False)
class Pca:
    """Principal components: linear, so that directions mean the same everywhere.

    Attributes
    ----------
    centre : ndarray, shape=(Z,)
    axes : ndarray, shape=(Z, 2)
    plane : ndarray, shape=(n, 2)
    share : float
        Of the variance, that the plane shows.
    """

    centre: Vectors
    axes: NDArray[np.float32]
    plane: Plane
    share: float
    layout: Layout = "pca"

    @staticmethod
    def of(vectors: Vectors) -> Pca:
        """The components of a background; the largest part of each axis is positive."""
        centre = vectors.mean(axis=0)
        _, values, rows = np.linalg.svd(vectors - centre, full_matrices=False)
        axes = rows[:2].T
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
        share = float((values[:2] ** 2).sum() / (values**2).sum())
        plane = ((vectors - centre) @ axes).astype(np.float32)
        return Pca(centre, axes.astype(np.float32), plane, share)

    def place(self, vectors: Vectors) -> Plane:
        """See `Projection.place`."""
        return np.asarray((vectors - self.centre) @ self.axes, dtype=np.float32)


class Tsne:
    """t-SNE of a background, and new points among it."""

    layout: Layout = "tsne"

    def __init__(self, vectors: Vectors, plane: Plane) -> None:
        require(len(vectors) == len(plane), "plane", "has a row for each vector")
        self._vectors = vectors
        self._plane = frozen_array(plane, (None, 2), "plane", np.float32)
        self._embedding: Any = None

    @staticmethod
    def of(vectors: Vectors) -> Tsne:
        """Lay a background out; takes minutes for tens of thousands."""
        from openTSNE import TSNE

        made = TSNE(
            perplexity=PERPLEXITY, metric="cosine", initialization="pca", random_state=SEED
        ).fit(vectors.astype(np.float64))
        return Tsne(vectors, np.asarray(made, dtype=np.float32))

    @property
    def plane(self) -> Plane:
        """Places of the background, shape=(n, 2)."""
        return self._plane

    def place(self, vectors: Vectors) -> Plane:
        """See `Projection.place`; each point is placed by itself, whatever comes with it."""
        if not len(vectors):
            return np.empty((0, 2), np.float32)
        if self._embedding is None:
            from openTSNE import TSNEEmbedding
            from openTSNE.affinity import PerplexityBasedNN

            near = PerplexityBasedNN(
                self._vectors.astype(np.float64),
                perplexity=PERPLEXITY,
                metric="cosine",
                random_state=SEED,
            )
            self._embedding = TSNEEmbedding(self._plane.astype(np.float64), near, random_state=SEED)
        placed = self._embedding.transform(
            vectors.astype(np.float64), perplexity=NEW_PERPLEXITY, initialization="weighted"
        )
        return np.asarray(placed, dtype=np.float32)


def restored(layout: Layout, vectors: Vectors, plane: Plane) -> Projection:
    """A projection whose plane was kept; components are computed anew."""
    return Tsne(vectors, plane) if layout == "tsne" else Pca.of(vectors)
