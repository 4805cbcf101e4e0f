"""A protein in three dimensions, coloured by the mean over the substitutions of each position."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError
from glass_core.protein.protein import Protein
from glass_core.report import style
from glass_core.report.colouring import Colouring, Scale
from glass_core.report.scene import Scene, SceneModel, beside
from glass_core.report.viewer import by_position


def position_scene(
    protein: Protein, values: NDArray[np.float64], title: str, *, external: bool = False
) -> Scene:
    """The scene of a screened protein, pale at the 5th percentile of `values` to darkest at
    the 97th.

    Parameters
    ----------
    values : ndarray, shape=(L,)
        NaN = grey.
    title : str
        Of the values.
    external : bool
        Whether they are other people's, which have a scale of their own.

    Raises
    ------
    InputError
        There is no structure.
    """
    if protein.structure is None:
        raise InputError("3D view: needs a structure; give a structure file.")
    low, high = colour_range(values)
    colours = [style.change_colour(float((v - low) / (high - low)), external) for v in values]
    unknown = ((style.NO_VALUE, "no value"),) if np.isnan(values).any() else ()
    scale = Scale(f"{low:.2g} and less", f"{high:.2g} and more", style.scale(external))
    text = by_position(protein, protein.structure)
    names = tuple(protein.named(position) for position in range(1, len(protein) + 1))
    return Scene(
        view=hashlib.sha256(text.encode()).hexdigest(),
        models=(SceneModel("wild", "wild type", text, style.WILD), *beside(protein)),
        colourings=(Colouring("mean", f"mean {title}", values, tuple(colours), scale, unknown),),
        colour="mean",
        sites=(),
        site_labels=(),
        near=(),
        contacts=(),
        residues=names,
        values=((f"mean {title}", tuple(None if np.isnan(v) else f"{v:.3g}" for v in values)),),
        stem=f"{protein.short_name}-mean",
        hint="Point at a residue for its mean.",
    )


def colour_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """What the palest and the darkest colour stand for."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = (float(q) for q in np.quantile(known, (0.05, 0.97)))
    return low, max(high, low + 1e-6)
