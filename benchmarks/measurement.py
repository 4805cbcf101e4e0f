"""lDDT, vectorised, beside the double loop of the paper's Algorithm 2."""

from __future__ import annotations

import numpy as np

from benchmarks.algorithm_2 import algorithm_2
from benchmarks.timing import Row, pair
from glass_core.metrics.lddt import lddt

TARGET = 20.0
"""Times faster than the loop at 300 residues."""


def chain(n: int) -> np.ndarray:
    """A compact random walk of `n` C-alphas."""
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(n, 3))
    walk = np.cumsum(3.8 * steps / np.linalg.norm(steps, axis=1, keepdims=True), axis=0)
    return walk * 0.6


def run() -> list[Row]:
    """One row: 300 residues."""
    reference = chain(300)
    subject = reference + np.random.default_rng(1).normal(0, 0.5, reference.shape)
    fast, slow = pair(lambda: lddt(reference, subject), lambda: algorithm_2(reference, subject), 3)
    return [
        (
            "lDDT, 300 residues",
            f"{1000 * fast:.1f} ms vectorised",
            f"{1000 * slow:.0f} ms loop",
            f"{slow / fast:.0f} x",
            f"at least {TARGET:.0f} x",
        )
    ]
