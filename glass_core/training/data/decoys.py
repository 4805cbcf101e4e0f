"""Wrong structures whose distance to the right one is known, to learn what a good one is.

They are made here from chains of known structure: bent at hinges, with torsions changed, with
residues shaken, with the sequence shifted along its own backbone, and threaded onto another
fold. Predictors of structures make other mistakes; what is learnt here says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from glass_core.metrics.gdt import gdt_ts
from glass_core.protein.structure.backbone import Backbone
from glass_core.records import require
from glass_core.training.data.backbones import BackboneChain

DecoyKind = Literal["native", "hinge", "torsions", "shaken", "shifted", "threaded"]
DECOY_KINDS: tuple[DecoyKind, ...] = get_args(DecoyKind)
EACH: dict[DecoyKind, int] = {
    "native": 1,
    "hinge": 5,
    "torsions": 6,
    "shaken": 6,
    "shifted": 3,
    "threaded": 3,
}
"""Of each target."""
N, CA, C = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Decoy:
    """A structure of a target.

    Attributes
    ----------
    target : str
        Id of the chain that it is to be.
    kind : str
        How it was made, one of `DECOY_KINDS`.
    backbone : Backbone
        With the letters of the target; where it is shifted, residues at an end are missing.
    gdt : float
        GDT_TS to the target's own structure, 0 to 1.
    """

    target: str
    kind: DecoyKind
    backbone: Backbone
    gdt: float

    def __post_init__(self) -> None:
        require(self.kind in DECOY_KINDS, "kind", f"is one of {', '.join(DECOY_KINDS)}")
        require(0 <= self.gdt <= 1, "gdt", "lies between 0 and 1")


def decoys_of(target: BackboneChain, others: Sequence[BackboneChain], seed: int) -> Iterator[Decoy]:
    """The decoys of a chain, itself among them; the same for the same seed.

    Parameters
    ----------
    others : sequence of BackboneChain
        Onto which it is threaded: those of another group that are as long.
    """
    rng = np.random.default_rng(seed)
    coordinates = target.backbone.coordinates.astype(np.float64)
    length = len(coordinates)
    strange = [o for o in others if o.group != target.group and len(o.sequence) >= length]
    for kind, count in EACH.items():
        for _ in range(count):
            first = 0  # of the residues that have coordinates
            match kind:
                case "native":
                    made = coordinates
                case "hinge":
                    made = bent(coordinates, rng)
                case "torsions":
                    made = twisted(coordinates, np.exp(rng.uniform(-1.2, 2.2)), rng)
                case "shaken":
                    made = shaken(coordinates, np.exp(rng.uniform(-1.2, 1.6)), rng)
                case "shifted":
                    shift = int(rng.integers(1, 9))
                    first = shift * int(rng.integers(2))
                    made = coordinates[:-shift] if first else coordinates[shift:]
                case "threaded":
                    if not strange:
                        continue
                    other = strange[rng.integers(len(strange))].backbone.coordinates
                    begin = int(rng.integers(len(other) - length + 1))
                    made = other[begin : begin + length].astype(np.float64)
            yield _decoy(target, kind, made, first)


def bent(coordinates: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """With one to three hinges: all that comes behind is turned by tens of degrees."""
    angles = np.zeros((len(coordinates), 2))
    for place in rng.integers(5, len(coordinates) - 5, size=rng.integers(1, 4)):
        angles[place] = rng.normal(scale=np.deg2rad(rng.uniform(5, 50)), size=2)
    return turned(coordinates, angles)


def twisted(
    coordinates: NDArray[np.float64], degrees: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """With every phi and psi changed, by a standard deviation in degrees."""
    angles = rng.normal(scale=np.deg2rad(degrees), size=(len(coordinates), 2))
    return turned(coordinates, angles)


def turned(coordinates: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """With phi and psi of each residue changed by angles, shape=(n, 2), in radians."""
    made = coordinates.copy()
    for row, (phi, psi) in enumerate(angles):
        for begin, end, angle in ((N, CA, phi), (CA, C, psi)):
            if angle == 0:
                continue
            origin = made[row, end]
            axis = origin - made[row, begin]
            rotation = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis))
            made[row, end + 1 :] = rotation.apply(made[row, end + 1 :] - origin) + origin
            behind = made[row + 1 :].reshape(-1, 3)
            made[row + 1 :] = (rotation.apply(behind - origin) + origin).reshape(-1, 4, 3)
    return made


def shaken(
    coordinates: NDArray[np.float64], spread: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """With every residue moved as a whole, neighbours along the chain by much the same.

    Parameters
    ----------
    spread : float
        Standard deviation along each axis, in Å.
    """
    width = rng.uniform(0.3, 8)
    reach = np.arange(-24, 25)
    kernel = np.exp(-0.5 * (reach / width) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    noise = rng.normal(size=(len(coordinates) + 2 * 24, 3))
    smooth = np.stack([np.convolve(one, kernel, mode="valid") for one in noise.T], axis=1)
    made: NDArray[np.float64] = coordinates + spread * smooth[:, None]
    return made


def _decoy(target: BackboneChain, kind: DecoyKind, made: NDArray[np.float64], first: int) -> Decoy:
    """A decoy whose coordinates begin with those of residue `first`."""
    subject = np.full((len(target.sequence), 3), np.nan)
    subject[first : first + len(made)] = made[:, CA]
    letters = target.sequence[first : first + len(made)]
    backbone = Backbone.of_chain(letters, made.astype(np.float32), np.arange(len(made)))
    return Decoy(target.id, kind, backbone, gdt_ts(target.backbone.ca, subject))
