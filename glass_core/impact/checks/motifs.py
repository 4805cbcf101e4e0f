"""What sequence and annotation say of a site; these need no structure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from glass_core.impact.checks.base import Rule
from glass_core.impact.checks.site import Site, Verdict
from glass_core.protein.annotation import Feature

_SEQUON = re.compile(r"(?=N[^PX][ST])")
_SEQUON_REACH = 2
"""Residues from the asparagine of a sequon to its end."""
_SITES = ("Active site", "Binding site", "Site", "Modified residue", "Disulfide bond", "Cross-link")
_BONDS = ("Disulfide bond", "Cross-link")
"""Kinds whose start and end are the two residues bonded, not a stretch."""
_GAVEL = "Gavel & von Heijne, Protein Eng. 3, 433 (1990)"
_UNIPROT = "UniProt's annotation"


def sequon_lost(site: Site) -> Verdict:
    """A motif at which asparagines are glycosylated, gone."""
    return _changed(site, *_sequons(site), "loses")


def sequon_gained(site: Site) -> Verdict:
    """A motif at which asparagines are glycosylated, new."""
    wild, mutant = _sequons(site)
    return _changed(site, mutant, wild, "gains")


def phosphorylation_lost(site: Site) -> Verdict:
    """A phosphorylated residue."""
    return _told(site, [f for f in _features(site) if _is_phosphorylation(f)], "phosphorylation")


def glycosylation_lost(site: Site) -> Verdict:
    """A residue that carries a sugar."""
    return _told(site, [f for f in _features(site) if f.kind == "Glycosylation"], "glycosylation")


def annotated_site(site: Site) -> Verdict:
    """A residue with a task of its own."""
    return _told(site, _tasks(site), "task")


def _sequons(site: Site) -> tuple[set[int], set[int]]:
    """1-based positions of the sequons' asparagines before and after the substitution."""
    letters = site.protein.sequence
    first = max(site.position - 1 - _SEQUON_REACH, 0)
    before = letters[first : site.position + _SEQUON_REACH]
    own = site.position - 1 - first
    after = before[:own] + site.mutant + before[own + 1 :]
    wild, mutant = (
        {first + hit.start() + 1 for hit in _SEQUON.finditer(window)} for window in (before, after)
    )
    return wild, mutant


def _changed(site: Site, have: set[int], lack: set[int], verb: str) -> Verdict:
    """Whether a sequon of `have` is not in `lack`."""
    only = sorted(have - lack)
    if not only:
        return False, f"{site.label} → {site.mutant} {verb} no N-X-S/T motif."
    places = " and ".join(f"N{site.protein.label(n)}" for n in only)
    return True, (
        f"{site.label} → {site.mutant} {verb} the N-X-S/T motif at {places}, where proteins that "
        "are secreted or in membranes may be glycosylated."
    )


def _features(site: Site) -> Iterator[Feature]:
    """What is annotated at the position."""
    known, number = site.protein.annotation, site.protein.uniprot_position(site.position - 1)
    if known is None or number is None:
        return
    for feature in known.features:
        ends = (feature.start, feature.end)
        inside = number in ends if feature.kind in _BONDS else ends[0] <= number <= ends[1]
        if inside:
            yield feature


def _tasks(site: Site) -> list[Feature]:
    return [f for f in _features(site) if f.kind in _SITES and not _is_phosphorylation(f)]


def _is_phosphorylation(feature: Feature) -> bool:
    return feature.kind == "Modified residue" and feature.description.startswith("Phospho")


def _told(site: Site, found: list[Feature], what: str) -> Verdict:
    if not found:
        return False, f"UniProt lists no {what} at {site.label}."
    listed = "; ".join(
        f"{f.kind.lower()}{f' ({f.description})' if f.description else ''}" for f in found
    )
    return True, f"UniProt lists at {site.label}: {listed}."


RULES = (
    Rule(
        "sequon_lost",
        "the motif N-X-S/T, X not P; a motif, no proof of a site",
        _GAVEL,
        lambda site: bool(_sequons(site)[0]),
        sequon_lost,
        "sequence",
    ),
    Rule(
        "sequon_gained",
        "the motif N-X-S/T, X not P; a motif, no proof of a site",
        _GAVEL,
        lambda site: bool(_sequons(site)[1] - _sequons(site)[0]),
        sequon_gained,
        "sequence",
    ),
    Rule(
        "phosphorylation_lost",
        "listed as a phosphorylated residue",
        _UNIPROT,
        lambda site: site.protein.annotation is not None and site.wild in "STY",
        phosphorylation_lost,
        "annotation",
    ),
    Rule(
        "glycosylation_lost",
        "listed as a glycosylated residue",
        _UNIPROT,
        lambda site: any(f.kind == "Glycosylation" for f in _features(site)),
        glycosylation_lost,
        "annotation",
    ),
    Rule(
        "annotated_site",
        "listed as a residue that does something",
        _UNIPROT,
        lambda site: bool(_tasks(site)),
        annotated_site,
        "annotation",
    ),
)
