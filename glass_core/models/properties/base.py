"""What is told of a protein's properties, and of how a variant changes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.records import require

SURE = 1.645
"""Standard deviations to either side that hold 90 of 100 of a normal distribution."""


@dataclass(frozen=True)
class PropertyValue:
    """One number.

    Attributes
    ----------
    head : str
        That tells it, such as ``thermostability``.
    name : str
        Of what it tells, such as ``EC 4.2.1.1``.
    unit : str
        Such as ``°C``; '' for chances and shares.
    value, low, high : float
        With an interval: of a number, what holds 90 of 100 measurements of unseen proteins; of
        a chance, how far the head's members differ.
    """

    head: str
    name: str
    unit: str
    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        require(self.low <= self.value <= self.high, "value", "lies in its interval")


@dataclass(frozen=True)
class PropertyChange:
    """What a variant changes.

    Attributes
    ----------
    head, name, unit : str
        As of `PropertyValue`.
    wild, mutant : float
        NaN where only the difference is told.
    difference, low, high : float
        Mutant less wild type, and how far the head's members differ on it.
    noise : float
        What conservative substitutions change it by, at most, 95 times in 100; NaN for a variant
        that is no substitution, of which nobody measured it.
    """

    head: str
    name: str
    unit: str
    wild: float
    mutant: float
    difference: float
    low: float
    high: float
    noise: float

    @property
    def distinguishable(self) -> bool:
        """Whether it is told from none: beyond the noise, and its members agree on the sign.

        Never where the noise is not known.
        """
        return abs(self.difference) > self.noise and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each residue speaks for a class.

    Attributes
    ----------
    head, name : str
    share : ndarray, shape=(L,)
        0 or more, 1 in sum; all zeros where nothing speaks for it.
    """

    head: str
    name: str
    share: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Properties:
    """All that is told of a protein, and of a variant where one was asked for.

    Attributes
    ----------
    values : tuple of PropertyValue
    changes : tuple of PropertyChange
    attributions : tuple of Attribution
    with_structure : bool
        Whether the structure was read.
    notes : tuple of str
        What was not told, and why.
    """

    values: tuple[PropertyValue, ...]
    changes: tuple[PropertyChange, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    with_structure: bool = False
    notes: tuple[str, ...] = ()


def change_of(
    value: PropertyValue, wild: NDArray[np.float64], mutant: NDArray[np.float64], noise: float
) -> PropertyChange:
    """The change of a number from what every member says of both, shape=(M,) each."""
    apart = mutant - wild
    middle, spread = float(apart.mean()), SURE * float(apart.std())
    return PropertyChange(
        value.head,
        value.name,
        value.unit,
        float(wild.mean()),
        float(mutant.mean()),
        middle,
        middle - spread,
        middle + spread,
        noise,
    )
