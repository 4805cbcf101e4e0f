"""What the 3D view of a page is given: models, colours, what is drawn at the site, values.

The view itself is ``assets/linked/structure.js``, which draws with 3Dmol.js.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.checks.site import Site, Surroundings
from glass_core.impact.contacts import (
    SiteContact,
    near_residues,
    new_side_chain,
    side_chain_contacts,
)
from glass_core.impact.record import Impact
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import THREE_LETTER
from glass_core.protein.structure.backbone import BACKBONE_ATOMS, Backbone
from glass_core.protein.structure.residues import WATER
from glass_core.protein.structure.write import write_atoms
from glass_core.report import style
from glass_core.report.colouring import ChangeBy, Colouring, colourings
from glass_core.report.impact.exports import file_stem
from glass_core.report.impact.matrices import residue_names
from glass_core.report.viewer import mutant_text, wild_text

Role = Literal["wild", "mutant", "rotamer", "ligand", "partner", "neighbour"]
PARTNER = "#999999"
AROUND = 11.0
"""Å between C-alphas, of what is shown with a site."""
KEPT = 16
"""Scenes that are kept, for a page draws the same one at every rerun."""
_PDB_LETTERS = "BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class SceneModel:
    """One set of atoms.

    Attributes
    ----------
    role : {"wild", "mutant", "rotamer", "ligand", "partner", "neighbour"}
    name : str
    pdb : str
        PDB text.
    colour : str
    numbered : bool
        Whether its residue numbers are sequence positions.
    """

    role: Role
    name: str
    pdb: str
    colour: str
    numbered: bool = True


@dataclass(frozen=True)
class Line:
    """Two atoms that are joined by a line: ends in Å, colour, and what it is."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    colour: str
    words: str


@dataclass(frozen=True, eq=False)
class Scene:
    """All that the view draws and says.

    Attributes
    ----------
    view : str
        The camera stays from one scene to the next where this is the same.
    models : tuple of SceneModel
    colourings : tuple of Colouring
    colour : str
        Name of the one to begin with.
    sites : tuple of int
        1-based.
    site_labels : tuple of str
    near : tuple of int
        Positions whose side chains are drawn with the sites'.
    contacts : tuple of Line
    residues : tuple of str
        Names of all positions.
    values : tuple of (name, texts)
        Per quantity a text for each position; None = no value.
    stem : str
        Begins the names of files.
    at_site : bool
        Whether it is of the sites and what is near alone.
    hint : str
        Said while no residue is pointed at.
    """

    view: str
    models: tuple[SceneModel, ...]
    colourings: tuple[Colouring, ...]
    colour: str
    sites: tuple[int, ...]
    site_labels: tuple[str, ...]
    near: tuple[int, ...]
    contacts: tuple[Line, ...]
    residues: tuple[str, ...]
    values: tuple[tuple[str, tuple[str | None, ...]], ...]
    stem: str
    at_site: bool = False
    hint: str = "Point at a residue for its values; click it to choose it in every view."

    def data(self) -> dict[str, Any]:
        """Plain values, under the names that ``structure.js`` reads."""
        return {
            "view": self.view,
            "models": [asdict(model) for model in self.models],
            "colourings": [_colouring_data(one) for one in self.colourings],
            "colour": self.colour,
            "sites": list(self.sites),
            "siteLabels": list(self.site_labels),
            "near": list(self.near),
            "contacts": [asdict(line) for line in self.contacts],
            "residues": list(self.residues),
            "values": [{"name": name, "values": list(texts)} for name, texts in self.values],
            "selectedColour": style.SELECTED,
            "file": self.stem,
            "atSite": self.at_site,
            "hint": self.hint,
        }


@lru_cache(maxsize=KEPT)
def scene(impact: Impact, lead: ChangeBy = "change") -> Scene:
    """The scene of one variant: the whole chain and what is around it.

    Parameters
    ----------
    lead : {"change", "deficit"}
        As in `colourings`.

    Raises
    ------
    InputError
        There is no structure.
    """
    protein = impact.protein
    models = [SceneModel("wild", "wild type", wild_text(impact), style.WILD)]
    if impact.measured:
        models.append(SceneModel("mutant", "mutant", mutant_text(impact), style.MUTANT))
    return _scene(impact, (*models, *beside(protein)), lead)


@lru_cache(maxsize=KEPT)
def site_scene(impact: Impact) -> Scene | None:
    """The scene of the substituted sites and what is near; None where none can be seen."""
    protein = impact.protein
    sites = [p for p in impact.variant.positions if protein.covered[p - 1]]
    if not sites:
        return None
    near = _around(protein, sites)
    models = [SceneModel("wild", "wild type", wild_text(impact, near), style.WILD)]
    if impact.measured:
        models.append(SceneModel("mutant", "mutant", mutant_text(impact, near), style.MUTANT))
    return _scene(
        impact, (*models, *beside(protein, protein.ca[np.array(sites) - 1])), at_site=True
    )


def _scene(
    impact: Impact,
    models: Sequence[SceneModel],
    lead: ChangeBy = "change",
    *,
    at_site: bool = False,
) -> Scene:
    protein, shown = impact.protein, colourings(impact, lead)
    sites = impact.variant.positions
    lines, rotamers = _at_sites(impact)
    plain = next(one for one in shown if one.name == "chain")
    return Scene(
        view=impact.provenance.inputs.get("structure_sha256", "") + f"-{sites}" * at_site,
        models=(*models, *rotamers),
        colourings=shown,
        colour=(plain if at_site else shown[0]).name,
        sites=sites,
        site_labels=tuple(impact.site_label(position) for position in sites),
        near=_near(protein, sites),
        contacts=tuple(lines),
        residues=tuple(residue_names(impact)),
        values=tuple(_values(impact)),
        stem=file_stem(impact),
        at_site=at_site,
    )


def _around(protein: Protein, sites: Sequence[int]) -> frozenset[int]:
    """Positions with a C-alpha within `AROUND` Å of one of the sites'."""
    apart = np.linalg.norm(protein.ca[:, None] - protein.ca[np.array(sites) - 1], axis=2)
    near = np.nan_to_num(apart, nan=np.inf).min(axis=1) <= AROUND
    return frozenset(int(i) + 1 for i in np.flatnonzero(near))


@lru_cache(maxsize=KEPT)
def _at_sites(impact: Impact) -> tuple[list[Line], list[SceneModel]]:
    """What is drawn at the substituted sites: lines between atoms, and new side chains."""
    protein, structure = impact.protein, impact.protein.structure
    lines: list[Line] = []
    models: list[SceneModel] = []
    if structure is None:
        return lines, models
    around = Surroundings.of(structure)
    for change in impact.variant.changes:
        if not change.is_substitution:
            continue
        site = Site(protein, change, around)
        if site.gap:
            continue
        lines += [_line(one, site) for one in side_chain_contacts(around, site.place)]
        made = None if impact.measured else new_side_chain(site)
        if made is not None:
            name = f"{site.mutant} in its best rotamer, nothing else moved"
            text = _rotamer_text(site, made.names, made.coordinates)
            models.append(SceneModel("rotamer", name, text, style.MUTANT, numbered=False))
            if made.clash is not None:
                lines.append(_line(made.clash, site))
    return lines, models


def _line(contact: SiteContact, site: Site) -> Line:
    ends = (tuple(map(float, end)) for end in (contact.start, contact.end))
    words = f"{contact.kind} with {site.name_of(contact.partner)}, {contact.distance:.1f} Å"
    start, end = ends
    return Line(start, end, style.CONTACTS[contact.kind], words)  # type: ignore[arg-type]


def _rotamer_text(site: Site, names: Sequence[str], coordinates: NDArray[np.float64]) -> str:
    """PDB text of a side chain with the C-alpha that it hangs on."""
    import biotite.structure as struc

    alpha = site.around.atom(site.place, "CA")
    atoms = struc.AtomArray(len(names) + (alpha is not None))
    atoms.coord = np.array([*coordinates, *([] if alpha is None else [alpha])], dtype=np.float32)
    atoms.atom_name[:] = [*names, *([] if alpha is None else ["CA"])]
    atoms.element[:] = [name[0] for name in atoms.atom_name]
    atoms.res_name[:] = THREE_LETTER[site.mutant].upper()
    atoms.res_id[:], atoms.chain_id[:] = site.position, "R"
    return write_atoms(atoms, "pdb")


def beside(protein: Protein, points: NDArray[np.float64] | None = None) -> Iterator[SceneModel]:
    """Ligands but water, and the residues of other chains near this one, as the file has them.

    Only what is within `AROUND` of `points`, shape=(m, 3), where they are given.
    """
    structure = protein.structure
    if structure is None:
        return
    ligands = structure.ligands
    if ligands is not None:
        kept = ligands[
            ~np.isin(ligands.res_name, sorted(WATER)) & np.isfinite(ligands.coord).all(1)
        ]
        if points is not None:
            kept = kept[_within(kept.coord, points)]
        if len(kept):
            kept.chain_id[:] = "L"
            kept.res_id[:] = np.clip(kept.res_id, -999, 9999)
            yield SceneModel(
                "ligand", "ligands", write_atoms(kept, "pdb"), style.ALIGNED, numbered=False
            )
    partners = structure.partners
    if partners is not None and points is not None:
        partners = partners.only(_within(partners.ca, points))
    if partners is not None and len(partners):
        yield SceneModel("partner", "other chains", _partner_text(partners), PARTNER, False)


def _within(places: NDArray[np.floating], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of `places`, shape=(n, 3), are within `AROUND` of one of `points`, shape=(n,)."""
    apart = np.linalg.norm(places[:, None] - points, axis=2)
    return np.asarray(apart.min(axis=1) <= AROUND)


def _partner_text(partners: Backbone) -> str:
    """PDB text of the backbone of residues of other chains."""
    import biotite.structure as struc

    letter_of = dict(zip(dict.fromkeys(partners.chains), _PDB_LETTERS * 99, strict=False))
    there = np.isfinite(partners.coordinates).all(axis=2)
    residue, atom = np.nonzero(there)
    atoms = struc.AtomArray(len(residue))
    atoms.coord = partners.coordinates[residue, atom]
    atoms.atom_name[:] = np.array(BACKBONE_ATOMS)[atom]
    atoms.element[:] = np.array([name[0] for name in BACKBONE_ATOMS])[atom]
    atoms.res_name[:] = [THREE_LETTER.get(partners.letters[i], "UNK").upper() for i in residue]
    atoms.res_id[:] = np.clip(partners.numbers[residue] % 9999 + 1, 1, 9999)
    atoms.chain_id[:] = [letter_of[partners.chains[i]] for i in residue]
    return write_atoms(atoms, "pdb")


def _near(protein: Protein, sites: Sequence[int]) -> tuple[int, ...]:
    """Positions of the residues around the sites."""
    structure = protein.structure
    if structure is None:
        return ()
    around = Surroundings.of(structure)
    position_of = protein.position_of_residue
    found: set[int] = set()
    for site in sites:
        place = int(protein.structure_index[site - 1])
        if place >= 0:
            found.update(position_of.get(j, 0) for j in near_residues(around, place))
    return tuple(sorted(found - {0, *sites}))


def _values(impact: Impact) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    """What is told of the residue under the mouse, in text."""
    tracks: list[tuple[str, NDArray[np.float64] | None, str]] = [
        ("effective strain (measured)", impact.strain if impact.measured else None, ".3f"),
        ("lDDT (measured)", impact.measured_lddt if impact.measured else None, ".3f"),
        ("change in Å (predicted)", impact.predicted_change, ".2f"),
        ("lDDT (predicted)", impact.predicted_lddt, ".3f"),
        (
            "mean effect score of its substitutions",
            impact.prediction.tracks.get("sensitivity"),
            ".1f",
        ),
        ("conservation", impact.conservation, ".2f"),
    ]
    for name, track, digits in tracks:
        if track is not None:
            texts = tuple(None if np.isnan(v) else f"{v:{digits}}" for v in track)
            yield name, texts


def _colouring_data(one: Colouring) -> dict[str, Any]:
    scale = one.scale
    return {
        "name": one.name,
        "title": one.title,
        "colours": list(one.colours),
        "one": one.name == "chain",
        "low": "" if scale is None else scale.low,
        "high": "" if scale is None else scale.high,
        "stops": [] if scale is None else list(scale.stops),
        "keys": [list(key) for key in one.keys],
    }
