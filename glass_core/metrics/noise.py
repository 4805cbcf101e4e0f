"""The noise floor: how much a protocol moves a protein that was not mutated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics.measure import Measurement
from glass_core.records import require

FALSE_DISCOVERY_RATE = 0.05
WINDOW = 7
"""Residues on either side whose floor deficits estimate the noise of one residue."""
_SMALLEST_DEFICIT = 0.002
"""lDDT is a count over thresholds and saturates, so its floor is often exactly 0."""
_SMALLEST_STRAIN = 0.002
"""Shifts of a hundredth of an Å among neighbours are below what the protocol means."""


def replicate_mean(tracks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean over replicates per residue, shape=(n,); NaN where no replicate has a value."""
    stacked = np.stack(tracks)
    known = ~np.isnan(stacked)
    count = known.sum(axis=0)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def replicate_sd(tracks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Sample standard deviation over replicates, shape=(n,); NaN with fewer than two."""
    if len(tracks) < 2:
        return np.full(len(tracks[0]), np.nan)
    return np.asarray(np.std(np.stack(tracks), axis=0, ddof=1))


@dataclass(frozen=True, eq=False)
class NoiseFloor:
    """The wild type against itself, mutated to itself, by the same protocol and seeds.

    Attributes
    ----------
    replicates : tuple of Measurement
        One per seed, reference against the wild type with its side chain rebuilt.
    """

    replicates: tuple[Measurement, ...]

    def __post_init__(self) -> None:
        require(bool(self.replicates), "replicates", "is not empty")

    @property
    def tm_score(self) -> float:
        """Mean over replicates."""
        return float(np.mean([m.alignment.tm_score for m in self.replicates]))

    @property
    def lddt(self) -> NDArray[np.float64]:
        """Replicate mean per reference residue, shape=(n,); NaN = no value."""
        return replicate_mean([m.lddt for m in self.replicates])

    @property
    def strain(self) -> NDArray[np.float64]:
        """Replicate mean per reference residue, shape=(n,); NaN = no value."""
        return replicate_mean([m.strain for m in self.replicates])


@dataclass(frozen=True, eq=False)
class AboveFloor:
    """What is left of a measured change when the floor's is taken off.

    Attributes
    ----------
    amount : ndarray, shape=(n,)
        Replicate mean minus that of the floor, high = changed; NaN = no value.
    z : ndarray, shape=(n,)
        `amount` over the noise of the floor, estimated as the root mean
        square floor of the residues within `WINDOW`, over the root of the
        number of replicates.
    significant : ndarray, shape=(n,), dtype=bool
        Whether it rises above the floor: one-sided normal test, Benjamini-Hochberg at
        `FALSE_DISCOVERY_RATE` (J. R. Stat. Soc. B 57, 289 (1995)).
    """

    amount: NDArray[np.float64]
    z: NDArray[np.float64]
    significant: NDArray[np.bool_]


def deficit_above_floor(replicates: tuple[Measurement, ...], floor: NoiseFloor) -> AboveFloor:
    """The lDDT deficit above the floor. lDDT saturates: shifts under 0.5 Å do not show."""
    return _above_floor(
        [1 - m.lddt for m in replicates], [1 - m.lddt for m in floor.replicates], _SMALLEST_DEFICIT
    )


def strain_above_floor(replicates: tuple[Measurement, ...], floor: NoiseFloor) -> AboveFloor:
    """The effective strain above the floor: sees shifts that are too small for lDDT."""
    return _above_floor(
        [m.strain for m in replicates], [m.strain for m in floor.replicates], _SMALLEST_STRAIN
    )


def _above_floor(
    tracks: list[NDArray[np.float64]], floors: list[NDArray[np.float64]], smallest: float
) -> AboveFloor:
    from scipy.stats import false_discovery_control, norm

    require(len(tracks) == len(floors), "floor", "has the measurement's seeds")
    floor = replicate_mean(floors)
    amount = replicate_mean(tracks) - floor
    kernel = np.ones(2 * WINDOW + 1)
    known = ~np.isnan(floor)
    squares = np.convolve(np.where(known, floor, 0.0) ** 2, kernel, mode="full")
    counts = np.convolve(known.astype(float), kernel, mode="full")
    inside = slice(WINDOW, WINDOW + len(amount))
    noise = np.sqrt(squares[inside] / np.maximum(counts[inside], 1))
    noise = np.maximum(noise, smallest) / np.sqrt(len(tracks))
    z = amount / noise
    significant = np.zeros(len(z), dtype=bool)
    tested = ~np.isnan(z)
    if tested.any():
        adjusted = false_discovery_control(norm.sf(z[tested]))
        significant[tested] = adjusted <= FALSE_DISCOVERY_RATE
    return AboveFloor(amount, z, significant)
