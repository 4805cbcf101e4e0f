"""Sequences without a structure, each with a mutated copy: kinship where no pair was measured.

Measured pairs are few. A copy with some residues exchanged the way evolution does and a
stretch left out keeps its fold; how well is known from measured pairs of that identity.
Two sequences of different clusters are unrelated, which the contrast uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.sequence import STANDARD, for_embedding

IDENTITY = (0.3, 0.45, 0.55, 0.7, 0.95, 1.0)
TM_AT_IDENTITY = (0.80, 0.885, 0.933, 0.94, 0.963, 1.0)
"""Median TM-score of training pairs of one group by sequence identity, at 90% coverage or more."""
MOST_EXCHANGED, MOST_CUT = 0.65, 0.15
SHORTEST = 40


@dataclass(frozen=True)
class Copies:
    """Some sequences with a copy each.

    Attributes
    ----------
    original, copy : tuple of str
    tm : tuple of float
        Expected TM-score, normalised by the original.
    group : tuple of str
        Of the originals.
    """

    original: tuple[str, ...]
    copy: tuple[str, ...]
    tm: tuple[float, ...]
    group: tuple[str, ...]


class Unpaired:
    """Draws sequences and their copies; what it draws is a function of the batch's number.

    Parameters
    ----------
    table : DataFrame
        ``sequence`` and ``cluster``; long sequences give their first `longest` residues.
    pool : int
        So many clusters are used, one sequence of each: their embeddings are worth keeping.
    """

    def __init__(self, table: pd.DataFrame, longest: int, pool: int, seed: int = 0) -> None:
        fits = table[table["sequence"].str.len() >= SHORTEST]
        chosen = fits.drop_duplicates("cluster").sample(frac=1, random_state=seed).iloc[:pool]
        self.sequences = [for_embedding(s)[:longest] for s in chosen["sequence"]]
        self.groups = [f"unpaired {c}" for c in chosen["cluster"]]
        self.seed = seed
        self._exchange = exchange_rates()

    def draw(self, number: int, count: int) -> Copies:
        """`count` sequences of batch `number`; a sequence has the same copy each time."""
        rng = np.random.default_rng([self.seed, 4, number])
        count = min(count, len(self.sequences))
        rows = rng.choice(len(self.sequences), count, replace=False)
        made = [
            mutated(self.sequences[i], self._exchange, np.random.default_rng([self.seed, 5, i]))
            for i in rows
        ]
        return Copies(
            tuple(self.sequences[i] for i in rows),
            tuple(c for c, _ in made),
            tuple(tm for _, tm in made),
            tuple(self.groups[i] for i in rows),
        )


def exchange_rates() -> NDArray[np.float64]:
    """Chance of each other residue where one is exchanged, shape=(20, 20), by BLOSUM62.

    BLOSUM62 is in half bits: p(b | a) ~ 2 ** (S_ab / 2), with even background.
    """
    matrix = blosum62_matrix()
    score = np.array([[matrix[a, b] for b in STANDARD] for a in STANDARD], dtype=float)
    odds = 2.0 ** (score / 2)
    np.fill_diagonal(odds, 0.0)
    return odds / odds.sum(axis=1, keepdims=True)


def mutated(
    sequence: str, exchange: NDArray[np.float64], rng: np.random.Generator
) -> tuple[str, float]:
    """A copy with residues exchanged and a stretch left out, and its expected TM-score."""
    share, cut = rng.uniform(0, MOST_EXCHANGED), int(rng.uniform(0, MOST_CUT) * len(sequence))
    letters: list[str] = list(sequence)
    places = np.flatnonzero(rng.random(len(letters)) < share)
    exchanged = 0
    for i in places:
        own = STANDARD.find(letters[i])
        if own >= 0:
            letters[i] = STANDARD[rng.choice(len(STANDARD), p=exchange[own])]
            exchanged += 1
    start = int(rng.integers(len(sequence) - cut + 1))
    identity = 1 - exchanged / len(sequence)
    tm = float(np.interp(identity, IDENTITY, TM_AT_IDENTITY)) * (1 - cut / len(sequence))
    return "".join(letters[:start] + letters[start + cut :]), tm
