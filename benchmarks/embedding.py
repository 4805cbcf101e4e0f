"""The compact embedder: one 300-residue protein, and batches beside one at a time."""

from __future__ import annotations

import numpy as np

from benchmarks.timing import Row, pair
from glass_core.models.registry import load_embedder
from glass_core.protein.sequence import STANDARD
from glass_core.settings import Settings


def run() -> list[Row]:
    """Two rows."""
    embedder = load_embedder(Settings(device="cpu"), "compact")
    rng = np.random.default_rng(0)

    def sequence(n: int) -> str:
        return "".join(rng.choice(list(STANDARD), n))

    one = [sequence(300)]
    many = [sequence(150) for _ in range(40)]
    single, _ = pair(lambda: embedder.embed(one), lambda: None)
    batched, alone = pair(
        lambda: embedder.embed(many), lambda: [embedder.embed([s]) for s in many], 3
    )
    return [
        ("embed, 300 residues", f"{1000 * single:.0f} ms", "", "", "at most 150 ms"),
        (
            "embed, 40 x 150 residues",
            f"{batched:.2f} s batched",
            f"{alone:.2f} s one by one",
            f"{alone / batched:.1f} x",
            "",
        ),
    ]
