"""How the residues of a structure are coloured: fixed scales, each with its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.record import Impact
from glass_core.metrics.noise import AboveFloor
from glass_core.protein.protein import Protein
from glass_core.records import frozen_array, require
from glass_core.report import style

ColourBy = Literal["strain", "change", "deficit", "chain", "pLDDT", "mean"]
ChangeBy = Literal["change", "deficit"]
"""The predicted ones that say where a structure changes."""
FULL: Mapping[ColourBy, float] = {"strain": 0.05, "change": 1.5, "deficit": 0.2}
"""Strain, Å and 1 - lDDT from which on a residue has the darkest colour, in every protein and
for every variant, so that pictures can be compared and noise is pale."""


@dataclass(frozen=True)
class Scale:
    """What the palest and the darkest colour stand for, in words, and the colours between."""

    low: str
    high: str
    stops: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Colouring:
    """A colour for each position.

    Attributes
    ----------
    name : str
        One of `ColourBy`.
    title : str
        Of what is shown, and whether it was predicted or measured.
    values : ndarray, shape=(L,)
        What is shown; NaN = no value, and for colourings without a scale.
    colours : tuple of str
        Hex, one per position.
    scale : Scale or None
        None where the colours stand for no number.
    keys : tuple of (colour, words)
        What single colours mean.
    """

    name: ColourBy
    title: str
    values: NDArray[np.float64]
    colours: tuple[str, ...]
    scale: Scale | None = None
    keys: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        values = frozen_array(self.values, (len(self.colours),), "values")
        object.__setattr__(self, "values", values)
        require(bool(self.colours), "colours", "has one per position")

    @property
    def words(self) -> str:
        """The key as a sentence, for captions."""
        parts = []
        if self.scale is not None:
            parts.append(f"pale at {self.scale.low} to darkest at {self.scale.high}")
        parts += [f"{_COLOUR_WORDS.get(colour, colour)}: {words}" for colour, words in self.keys]
        return f"{self.title}: {'; '.join(parts)}." if parts else f"{self.title}."


_ORDER: tuple[ColourBy, ...] = ("strain", "deficit", "change", "chain", "pLDDT")
"""Where predicted lDDT leads."""
_COLOUR_WORDS = {
    style.NO_VALUE: "grey",
    style.WITHIN_NOISE: "light grey",
    style.WILD: "light blue",
    style.MUTANT: "orange",
}


def colourings(impact: Impact, lead: ChangeBy = "change") -> tuple[Colouring, ...]:
    """All that there are values for, the most telling first.

    Parameters
    ----------
    lead : {"change", "deficit"}
        Which of these stands first, behind what was measured; see
        `evidence.defaults.leading_change`.
    """
    made = list(_colourings(impact))
    strain, deficit = impact.strain_above_floor, impact.deficit_above_floor
    by_lddt = deficit is not None and bool(deficit.significant.any())
    if by_lddt and strain is not None and not strain.significant.any():
        made.sort(key=lambda one: one.name != "deficit")  # else it begins with a grey picture
        return tuple(made)
    if lead == "deficit":
        made.sort(key=lambda one: _ORDER.index(one.name))
    return tuple(made)


def _colourings(impact: Impact) -> Iterator[Colouring]:
    protein = impact.protein
    if impact.measured:
        strain = _above(protein, impact.strain_above_floor)
        yield _changed("strain", "effective strain (measured)", impact.strain, "", strain)
    if impact.predicted_change is not None:
        title = "change of distances (predicted)"
        yield _changed("change", title, impact.predicted_change, " Å")
    above = _above(protein, impact.deficit_above_floor)
    title = f"1 - lDDT ({impact.deficit_basis})"
    yield _changed("deficit", title, impact.deficit, "", above)
    keys = ((style.WILD, "wild type"), (style.MUTANT, "mutant"))
    yield Colouring(
        "chain",
        "wild type and mutant" if impact.measured else "one colour",
        np.full(len(protein), np.nan),
        (style.MUTANT if impact.measured else style.WILD,) * len(protein),
        keys=keys if impact.measured else keys[:1],
    )
    structure = protein.structure
    if structure is not None and structure.plddt is not None:
        plddt = protein.track(structure.plddt)
        yield Colouring(
            "pLDDT",
            "confidence of the structure's model (pLDDT), not an effect",
            plddt,
            tuple(style.plddt_colour(float(value)) for value in plddt),
            keys=tuple((colour, f"from {limit:.0f}") for limit, colour in style.PLDDT),
        )


def _changed(
    name: ColourBy,
    title: str,
    values: NDArray[np.float64],
    unit: str,
    above: NDArray[np.bool_] | None = None,
) -> Colouring:
    """Pale to dark; grey where `above`, shape=(L,), says that it is within the noise."""
    full = FULL[name]
    colours = [style.change_colour(float(value) / full) for value in values]
    keys = [(style.NO_VALUE, "no value")] if np.isnan(values).any() else []
    if above is not None:
        for index in np.flatnonzero(~above & ~np.isnan(values)):
            colours[index] = style.WITHIN_NOISE
        keys.append((style.WITHIN_NOISE, "within the noise floor"))
    scale = Scale(f"0{unit}", f"{full:g}{unit} and more", style.CHANGE_SCALE)
    return Colouring(name, title, values, tuple(colours), scale, tuple(keys))


def _above(protein: Protein, floor: AboveFloor | None) -> NDArray[np.bool_] | None:
    """Which positions rise above the noise floor, shape=(L,); None without a floor."""
    if floor is None:
        return None
    return np.nan_to_num(protein.track(floor.significant.astype(float))) > 0
