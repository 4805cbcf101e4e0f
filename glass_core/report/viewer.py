"""3D superposition with py3Dmol (3Dmol.js: Rego & Koes, Bioinformatics 31, 1322 (2015))."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glass_core.errors import InputError
from glass_core.impact.record import Impact
from glass_core.protein.protein import Protein
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure
from glass_core.report import style
from glass_core.report.colouring import ColourBy, colourings

SCRIPT = Path("vendor") / "3Dmol-min.js"
"""Inside the assets folder; put there by ``make``."""


@dataclass(frozen=True)
class ViewOptions:
    """What the 3D view shows."""

    colour_by: ColourBy
    spin: bool = False
    labels: bool = True
    selected: int | None = None
    height: int = 520


def read_script(assets: Path) -> str | None:
    """The text of 3Dmol.js where it was installed, else None: browsers then fetch it."""
    path = assets / SCRIPT
    return path.read_text(encoding="utf-8") if path.is_file() else None


def viewer_html(impact: Impact, options: ViewOptions, script: str | None) -> str:
    """HTML of the superposition; needs no network when `script` is given.

    Residues are numbered by sequence position; the mutant lies on the wild
    type by TM-align.

    Raises
    ------
    InputError
        There is no structure.
    """
    import py3Dmol

    wild = impact.protein.structure
    if wild is None:
        raise InputError("3D view: needs a structure; give a structure file.")
    view = py3Dmol.view(width="100%", height=options.height)
    colouring = next(one for one in colourings(impact) if one.name == options.colour_by)
    palette = dict(enumerate(colouring.colours, start=1))
    view.addModel(wild_text(impact), "pdb")
    painted = {"colorscheme": {"prop": "resi", "map": palette}}
    if impact.measured:
        view.setStyle({"model": 0}, {"cartoon": {"color": style.WILD, "opacity": 0.55}})
        view.addModel(mutant_text(impact), "pdb")
        drawn = {"color": style.MUTANT} if options.colour_by == "chain" else painted
        view.setStyle({"model": 1}, {"cartoon": drawn})
    else:
        view.setStyle({"model": 0}, {"cartoon": painted})
    for number, position in enumerate(impact.variant.positions):
        sticks = {"stick": {"radius": 0.18}}
        view.addStyle({"resi": position}, sticks)
        if options.labels and number < 20:
            view.addLabel(
                impact.site_label(position),
                {"fontSize": 13, "backgroundOpacity": 0.75, "inFront": True},
                {"resi": position, "atom": "CA", "model": 0},
            )
    if options.selected is not None:
        view.addStyle(
            {"resi": options.selected, "atom": "CA"},
            {"sphere": {"color": style.SELECTED, "radius": 1.2}},
        )
    view.zoomTo()
    if options.spin:
        view.spin(True)
    return page(view, script)


def wild_text(impact: Impact, only: Collection[int] | None = None) -> str:
    """PDB text of the wild type that is shown, numbered by position; relaxed where measured.

    Parameters
    ----------
    only : collection of int, optional
        1-based positions that are wanted; by default all.

    Raises
    ------
    InputError
        There is no structure.
    """
    structure = impact.replicates[0].reference if impact.measured else impact.protein.structure
    if structure is None:
        raise InputError("3D view: needs a structure; give a structure file.")
    return by_position(impact.protein, structure, only=only)


def mutant_text(impact: Impact, only: Collection[int] | None = None) -> str:
    """PDB text of the first replicate's mutant, laid on the wild type by TM-align.

    Parameters
    ----------
    only : collection of int, optional
        1-based positions that are wanted; by default all.

    Raises
    ------
    InputError
        Nothing was measured.
    """
    if not impact.measured:
        raise InputError("3D view: there is no mutant structure; remodel it, or give one.")
    alignment = impact.measurements[0].alignment
    subject = impact.replicates[0].mutant
    moved = subject.atoms.copy()
    moved.coord = alignment.onto_reference(moved.coord).astype(np.float32)
    on_reference = dict(map(tuple, alignment.pairs[:, ::-1].tolist()))
    mutant = Structure.from_atoms(moved, subject.name)
    return by_position(impact.protein, mutant, on_reference, only)


def by_position(
    protein: Protein,
    structure: Structure,
    index: dict[int, int] | None = None,
    only: Collection[int] | None = None,
) -> str:
    """PDB text numbered by sequence position; residues without one are left out.

    `index` maps the structure's residues to the wild type structure's; `only` are the positions
    that are wanted, by default all.
    """
    position_of = protein.position_of_residue
    atoms = structure.atoms.copy()
    residue = structure.residue_of_atom
    numbers = np.array(
        [
            position_of.get(index.get(int(j), -1) if index is not None else int(j), 0)
            for j in residue
        ]
    )
    keep = (numbers > 0) & (numbers <= 9999)
    if only is not None:
        keep &= np.isin(numbers, sorted(only))
    atoms.res_id, atoms.ins_code[:], atoms.chain_id[:] = numbers, "", "A"
    return write_structure(Structure.from_atoms(atoms[keep], structure.name), "pdb")


def page(view: object, script: str | None) -> str:
    """A whole page around a py3Dmol view; without `script` the browser fetches 3Dmol.js."""
    body = view._make_html()  # type: ignore[attr-defined]
    name = f"viewer_{view.uniqueid}"  # type: ignore[attr-defined]
    inline = ""
    if script is not None:
        safe = script.replace("</script", "<\\/script")
        inline = f"<script>{safe}</script><script>var $3Dmolpromise=Promise.resolve();</script>"
    return f"""{inline}
<div style="font:13px sans-serif">{body}
<button type="button" style="margin-top:6px" onclick="
 const link=document.createElement('a');link.href={name}.pngURI();
 link.download='glass-3d.png';link.click();">Save picture</button>
<span id="no3d" style="display:none;color:#B22222"> 3Dmol.js could not be loaded: there is no
 network and no local copy. To keep one, run <code>make assets/vendor/3Dmol-min.js</code> in the
 source folder where npm is installed; then start GLASS there or install it again.</span></div>
<script>setTimeout(function(){{if(typeof $3Dmol==='undefined')
 document.getElementById('no3d').style.display='inline';}},6000);</script>"""
