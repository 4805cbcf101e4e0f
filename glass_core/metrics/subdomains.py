"""Which parts of the fold a variant hits: elements, compact subdomains, stretches of a track.

Compact subdomains are communities of the C-alpha contact graph (Louvain:
Blondel et al., J. Stat. Mech. P10008 (2008)), found with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics.distances import distance_matrix, neighbour_mask
from glass_core.metrics.secondary import KIND_NAMES, elements
from glass_core.protein.writing import Label
from glass_core.records import known_mean, require

CONTACT_RADIUS = 8.0
"""Å between C-alphas in contact."""
_RESOLUTION = 1.0
_SEED = 0
_MIN_SUBDOMAIN = 8
_MIN_STRETCH = 3
_STRETCH_QUANTILE = 0.85

SubdomainKind = Literal["element", "compact", "stretch"]


@dataclass(frozen=True)
class Subdomain:
    """A part of the protein and how much it is affected.

    Attributes
    ----------
    name : str
        Such as ``helix 3 (54-71)``, by what labels the positions.
    kind : {"element", "compact", "stretch"}
        Secondary-structure element, community of the contact graph, or (when
        there is no structure) a stretch of high deficit along the sequence.
    segments : tuple of (int, int)
        First and last 1-based position of each stretch.
    mean_deficit : float
        Mean of 1 - lDDT over its residues with a value; NaN without any.
    p_value : float
        Fraction of placements of equally long stretches elsewhere in the chain
        with at least this mean deficit, this one included; NaN for a stretch
        (chosen for its deficit) and where there is nothing to compare with.
    mutated : bool
        Whether a changed position lies inside.
    mean_strain, strain_p_value : float
        The same two for effective strain, which also sees shifts too small for
        lDDT; NaN where nothing was measured.
    mean_change, change_p_value : float
        The same two for the predicted change of distances in Å; NaN without one.
    """

    name: str
    kind: SubdomainKind
    segments: tuple[tuple[int, int], ...]
    mean_deficit: float
    p_value: float
    mutated: bool
    mean_strain: float = float("nan")
    strain_p_value: float = float("nan")
    mean_change: float = float("nan")
    change_p_value: float = float("nan")

    def __post_init__(self) -> None:
        require(bool(self.segments), "segments", "is not empty")
        require(all(1 <= a <= b for a, b in self.segments), "segments", "is in order")

    @property
    def size(self) -> int:
        """Number of positions."""
        return sum(b - a + 1 for a, b in self.segments)


def subdomains(
    deficit: NDArray[np.floating],
    changed: Iterable[int],
    letters: str | None = None,
    coord: NDArray[np.floating] | None = None,
    strain: NDArray[np.floating] | None = None,
    change: NDArray[np.floating] | None = None,
    label: Label = str,
) -> tuple[Subdomain, ...]:
    """Rank the parts of a protein, most affected first.

    They are ranked by mean strain where it is given, else by mean change where that is,
    else by mean deficit.

    Parameters
    ----------
    deficit : ndarray, shape=(L,), dtype=float
        1 - lDDT per sequence position, NaN = no value.
    changed : iterable of int
        1-based positions the variant changes.
    letters : str, optional
        Secondary structure per position (``H E C``, ``-`` = no coordinates).
    coord : ndarray, shape=(L, 3), optional
        C-alpha coordinates in Å of the reference, NaN rows allowed. Without it
        (and `letters`) the stretches of the track itself are returned.
    strain : ndarray, shape=(L,), dtype=float, optional
        Measured effective strain per sequence position, NaN = no value.
    change : ndarray, shape=(L,), dtype=float, optional
        Predicted change of distances in Å per sequence position, NaN = no value.
    label : callable
        The number of a 1-based position in the parts' names.
    """
    sites = frozenset(changed)
    parts: list[tuple[str, SubdomainKind, NDArray[np.int64]]] = []
    if letters is not None:
        count: dict[str, int] = {}
        for element in elements(letters):
            count[element.kind] = count.get(element.kind, 0) + 1
            name = f"{KIND_NAMES[element.kind]} {count[element.kind]}"
            parts.append((name, "element", np.arange(element.start, element.stop)))
    if coord is not None:
        parts += [
            (f"subdomain {number}", "compact", members)
            for number, members in enumerate(compact_subdomains(coord), start=1)
        ]
    if letters is None and coord is None:
        parts = [
            (f"stretch {number}", "stretch", members)
            for number, members in enumerate(high_stretches(deficit), start=1)
        ]
    found = [_describe(*part, deficit, strain, change, sites, label) for part in parts]

    def order(part: Subdomain) -> tuple[bool, float]:
        rank = part.mean_deficit
        if strain is not None:
            rank = part.mean_strain
        elif change is not None:
            rank = part.mean_change
        return bool(np.isnan(rank)), -rank

    return tuple(sorted(found, key=order))


def compact_subdomains(coord: NDArray[np.floating]) -> list[NDArray[np.int64]]:
    """Communities of the contact graph, as sorted index arrays, in chain order.

    Communities under eight residues are left out; the chain itself counts as
    contact, so that stretches stay together.
    """
    import networkx as nx

    contacts = neighbour_mask(distance_matrix(coord), CONTACT_RADIUS)
    graph = nx.Graph()
    graph.add_nodes_from(np.flatnonzero(~np.isnan(coord).any(axis=1)).tolist())
    graph.add_edges_from(np.argwhere(np.triu(contacts)).tolist())
    if not graph.number_of_edges():
        return []
    communities = nx.community.louvain_communities(graph, resolution=_RESOLUTION, seed=_SEED)
    members = [np.array(sorted(c)) for c in communities if len(c) >= _MIN_SUBDOMAIN]
    return sorted(members, key=lambda m: int(m[0]))


def high_stretches(deficit: NDArray[np.floating]) -> list[NDArray[np.int64]]:
    """Stretches of at least three positions in the top 15% of the track."""
    known = deficit[~np.isnan(deficit)]
    if not len(known) or known.max() <= 0:
        return []
    high = np.nan_to_num(deficit, nan=-1.0) >= max(
        float(np.quantile(known, _STRETCH_QUANTILE)), 1e-9
    )
    return [one for one in _stretches(np.flatnonzero(high)) if len(one) >= _MIN_STRETCH]


def placement_p_value(deficit: NDArray[np.floating], members: NDArray[np.int64]) -> float:
    """How often the same stretches, shifted along the chain, have at least this mean.

    All shifts that keep every stretch in one piece are counted, the observed
    one included, so the smallest possible value is 1 / number of shifts. For a
    single stretch these are all contiguous segments of its length.

    Returns NaN when the members have no value or nothing else does.
    """
    length = len(deficit)
    ends = [(one[0], one[-1]) for one in _stretches(members)]
    shifts = [
        shift
        for shift in range(length)
        if all((first + shift) % length <= (last + shift) % length for first, last in ends)
    ]
    placed = deficit[(members[None, :] + np.array(shifts)[:, None]) % length]
    known = ~np.isnan(placed)
    counted = known.sum(axis=1)
    # A placement over too few values says nothing about an equally long stretch.
    usable = counted >= max(1, len(members) // 2)
    if not usable[0] or usable.sum() < 2:
        return float("nan")
    mean = np.where(known, placed, 0.0).sum(axis=1)[usable] / counted[usable]
    return float(np.mean(mean >= mean[0] - 1e-12))


def _stretches(indices: Sequence[int] | NDArray[np.int64]) -> list[NDArray[np.int64]]:
    array = np.asarray(indices, dtype=int)
    return np.split(array, np.flatnonzero(np.diff(array) > 1) + 1) if len(array) else []


def _describe(
    name: str,
    kind: SubdomainKind,
    members: NDArray[np.int64],
    deficit: NDArray[np.floating],
    strain: NDArray[np.floating] | None,
    change: NDArray[np.floating] | None,
    sites: frozenset[int],
    label: Label,
) -> Subdomain:
    segments = tuple((int(one[0]) + 1, int(one[-1]) + 1) for one in _stretches(members))
    places = ", ".join(f"{label(a)}-{label(b)}" if a != b else label(a) for a, b in segments)

    def described(track: NDArray[np.floating] | None) -> tuple[float, float]:
        if track is None:
            return float("nan"), float("nan")
        return known_mean(track[members]), placement_p_value(track, members)

    mean_deficit, p_value = described(deficit)
    mean_strain, strain_p_value = described(strain)
    mean_change, change_p_value = described(change)
    return Subdomain(
        name=f"{name} ({places})",
        kind=kind,
        segments=segments,
        mean_deficit=mean_deficit,
        p_value=float("nan") if kind == "stretch" else p_value,
        mutated=any(a <= site <= b for a, b in segments for site in sites),
        mean_strain=mean_strain,
        strain_p_value=strain_p_value,
        mean_change=mean_change,
        change_p_value=change_p_value,
    )
