"""One colour for one meaning, distinguishable with any colour vision (Okabe & Ito, Tol).

And what the layout of all figures has in common.
"""

from __future__ import annotations

from typing import Any

PREDICTED = "#0072B2"
MEASURED = "#D55E00"
FLOOR = "#7F7F7F"
STRAIN = "#AA4499"
"""Measured too, and no lDDT."""
ALIGNED = "#A65628"
"""What homologues say."""
NEIGHBOUR = "#117733"
"""What stands in proteins of the same fold, faced by a predicted alignment."""
EVALUATED, BESIDE = "#6F5FD0", "#999933"
"""Of the Evidence page: what belongs to the evaluated model, and a second quantity or a trend.
Neither stands for predicted or measured."""
EXTERNAL = "#997700"
"""Other people's scores."""
SITE = "#808080"
SELECTED = "#009E73"
WILD, MUTANT = "#56B4E9", "#E69F00"
CONTACTS = {
    "hydrogen bond": "#0072B2",
    "salt bridge": "#CC79A7",
    "disulphide": "#B8A000",
    "clash": "#D55E00",
}
"""Lines between atoms, by what they are."""
SECONDARY = {"H": "#CC79A7", "E": "#E69F00", "C": "#D9D9D9", "-": "#FFFFFF"}

CHANGE_SCALE = ("#F7F7F7", "#FDD49E", "#FC8D59", "#D7301F", "#7F0000")
"""Low to high deficit or strain; never used for confidence."""
EXTERNAL_SCALE = ("#F7F7F7", "#E6DFAF", "#C2B04A", "#8A7300", "#3D3300")
"""Low to high by other people's scores."""
DIFFERENCE_SCALE = "RdBu_r"
DISTANCE_SCALE = "Cividis"
ERROR_SCALE = "Greens_r"
"""Predicted aligned error, as AlphaFold DB shows it: dark = confident."""
STRETCHES = ("#77AADD", "#EEDD88", "#BBCC33", "#99DDFF", "#DDDDDD", "#EE8866")
"""Kinds of annotated stretches, in the order in which they come."""
DAMAGING, HARMLESS, UNCLEAR = "#882255", "#44AA99", "#7F7F7F"
"""What databases call a known variant."""
NO_VALUE = "#B0B0B0"
COMPARED = ("#D55E00", "#0072B2", "#117733", "#AA4499", "#B8A000", "#555555")
"""Variants side by side, in their order."""
WITHIN_NOISE = "#E3E3E3"
"""Measured, and not told from the noise floor."""

PLDDT = ((90.0, "#0053D6"), (70.0, "#65CBF3"), (50.0, "#FFDB13"), (0.0, "#FF7D45"))
"""AlphaFold's own four confidence colours, from these values up."""


def plddt_colour(value: float) -> str:
    """AlphaFold's colour of a pLDDT; grey for NaN."""
    return next((colour for limit, colour in PLDDT if value >= limit), NO_VALUE)


def scale(external: bool) -> tuple[str, ...]:
    """Pale to dark, of other people's scores or of ours."""
    return EXTERNAL_SCALE if external else CHANGE_SCALE


def change_colour(fraction: float, external: bool = False) -> str:
    """Colour of a value scaled to 0..1; grey for NaN."""
    steps = scale(external)
    if fraction != fraction:
        return NO_VALUE
    place = min(max(fraction, 0.0), 1.0) * (len(steps) - 1)
    low = min(int(place), len(steps) - 2)
    mix = place - low
    a, b = ([int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in steps[low : low + 2])
    return "#" + "".join(f"{round(x + (y - x) * mix):02X}" for x, y in zip(a, b, strict=True))


AXIS = {"showgrid": True, "gridcolor": "rgba(128,128,128,0.25)", "zeroline": False}
"""Of figures that show values."""


LEGEND_ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}


def layout(**more: Any) -> dict[str, Any]:
    """What all figures share, with `more` of Plotly's layout."""
    return {"margin": {"l": 60, "r": 20, "t": 40, "b": 45}, "font": {"size": 13}, **more}
