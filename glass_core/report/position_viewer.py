"""3D view of one protein coloured by a value per position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError
from glass_core.protein.protein import Protein
from glass_core.report import style
from glass_core.report.viewer import by_position, page


def position_viewer(
    protein: Protein, values: NDArray[np.float64], script: str | None, height: int = 460
) -> str:
    """HTML of the structure, pale at the 5th percentile of `values` to darkest at the 97th.

    Parameters
    ----------
    values : ndarray, shape=(L,)
        NaN = grey.
    script : str or None
        Text of 3Dmol.js; None: the browser fetches it.

    Raises
    ------
    InputError
        There is no structure.
    """
    import py3Dmol

    if protein.structure is None:
        raise InputError("3D view: needs a structure; give a structure file.")
    low, high = colour_range(values)
    palette = {
        index + 1: style.change_colour(float((value - low) / (high - low)))
        for index, value in enumerate(values)
    }
    view = py3Dmol.view(width="100%", height=height)
    view.addModel(by_position(protein, protein.structure), "pdb")
    view.setStyle({"model": 0}, {"cartoon": {"colorscheme": {"prop": "resi", "map": palette}}})
    view.zoomTo()
    return page(view, script)


def colour_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """What the palest and the darkest colour stand for."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = (float(q) for q in np.quantile(known, (0.05, 0.97)))
    return low, max(high, low + 1e-6)
