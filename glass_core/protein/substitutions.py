"""Tables of single substitutions: a row per position, a column per letter of `STANDARD`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant

CONSERVATIVE = 1
"""BLOSUM62 of a conservative substitution, at least."""


def no_substitution(sequence: str) -> NDArray[np.bool_]:
    """Which cells of the table stand for no substitution, shape=(L, 20).

    The wild type's own letter, and every cell of a position whose letter is none of the 20.
    """
    own = np.array([STANDARD.find(letter) for letter in sequence])[:, None]
    return np.asarray((own < 0) | (own == np.arange(len(STANDARD))))


def substitution_places(
    variant: Variant, values: NDArray[np.floating], wild_type: str
) -> list[tuple[int, int]]:
    """Position and letter of each substitution of a variant in a table.

    Parameters
    ----------
    variant : Variant
    values : ndarray, shape=(L, 20)
        NaN = no value.
    wild_type : str
        Of the table.

    Returns
    -------
    list of (index, letter)
        Empty where the table cannot tell of `variant`: another wild type, gaps, or a
        substitution without a value.
    """
    if variant.wild_type != wild_type or not variant.only_substitutions:
        return []
    places = [(change.position - 1, STANDARD.find(change.mutant)) for change in variant.changes]
    told = all(letter >= 0 and not np.isnan(values[index, letter]) for index, letter in places)
    return places if told else []


def ascending(values: NDArray[np.floating]) -> NDArray[Any]:
    """The known ones of any values in order, for `percentile`."""
    return np.sort(values[~np.isnan(values)])


def percentile(value: float, others: NDArray[np.floating]) -> float:
    """Percent of `others`, as `ascending` gives them, that lie below `value`."""
    return 100 * float(np.searchsorted(others, value)) / len(others)


def conservative_mutants(sequence: str, count: int, seed: int) -> list[str]:
    """The sequence with one residue each exchanged for one much like it, at random places.

    What such substitutions change is what a prediction cannot tell from nothing.

    Parameters
    ----------
    count : int
        How many, where there are as many places.
    """
    rng, table = np.random.default_rng(seed), blosum62_matrix()
    found: list[str] = []
    for place in rng.permutation(len(sequence)):
        wild = sequence[place]
        if wild not in STANDARD:
            continue
        alike = [x for x in STANDARD if x != wild and table[wild, x] >= CONSERVATIVE]
        if alike:
            letter = alike[int(rng.integers(len(alike)))]
            found.append(sequence[:place] + letter + sequence[place + 1 :])
        if len(found) == count:
            break
    return found
