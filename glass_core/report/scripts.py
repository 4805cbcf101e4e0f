"""The 3D view as scripts for other viewers: PyMOL, and MolViewSpec, which Mol* and others read."""

from __future__ import annotations

import base64
import json
import re
import warnings

from glass_core.impact.record import Impact
from glass_core.protein.protein import Protein
from glass_core.report import style
from glass_core.report.colouring import Colouring
from glass_core.report.viewer import mutant_text, wild_text

_RESIDUE_NUMBER = re.compile(r"-?\d+[A-Za-z]?")


def pymol_script(impact: Impact, colouring: Colouring) -> str:
    """A ``.pml`` file that holds the structures and colours them.

    Residues are numbered as the protein's user counts, by sequence position where that is no
    number. Run it with ``pymol FILE``.

    Raises
    ------
    InputError
        There is no structure.
    """
    painted = "mutant" if impact.measured else "wild"
    labels = _labels(impact.protein)
    sites = [labels[position].replace("-", "\\-") for position in impact.variant.positions]
    lines = [
        f"# GLASS: {_one_line(impact.protein.name)} {impact.written}; {colouring.words}",
        "python",
        f"cmd.read_pdbstr({wild_text(impact)!r}, 'wild')",
    ]
    if impact.measured:
        lines.append(f"cmd.read_pdbstr({mutant_text(impact)!r}, 'mutant')")
    lines += [
        f"for position, colour in enumerate({list(colouring.colours)!r}, start=1):",
        f"    cmd.color(colour.replace('#', '0x'), f'{painted} and resi {{position}}')",
        f"labels = {labels!r}",
        "cmd.alter('all', 'resi=labels[int(resi)]', space={'labels': labels, 'int': int})",
        "cmd.sort()",
        "python end",
        "hide everything",
        "show cartoon",
        f"show sticks, resi {'+'.join(sites)}",
    ]
    if impact.measured:
        lines += [
            f"color {style.WILD.replace('#', '0x')}, wild",
            "set cartoon_transparency, 0.5, wild",
        ]
    for site, position in zip(sites, impact.variant.positions, strict=True):
        lines.append(f"label wild and resi {site} and name CA, {impact.site_label(position)!r}")
    return "\n".join([*lines, "orient wild", ""])


def _labels(protein: Protein) -> dict[int, str]:
    """The user's number of each position, where it is one that a structure's residue can have."""
    numbers = {position: protein.label(position) for position in range(1, len(protein) + 1)}
    return {p: n if _RESIDUE_NUMBER.fullmatch(n) else str(p) for p, n in numbers.items()}


def molviewspec(impact: Impact, colouring: Colouring) -> str:
    """A MolViewSpec state (``.mvsj``) that holds the structures and colours them.

    Raises
    ------
    InputError
        There is no structure.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its use of pydantic, on import
        import molviewspec as mvs

    builder = mvs.create_builder()
    texts = {"wild": wild_text(impact)}
    if impact.measured:
        texts["mutant"] = mutant_text(impact)
    for name, text in texts.items():
        content = base64.b64encode(text.encode()).decode()
        structure = (
            builder.download(url=f"data:text/plain;base64,{content}")
            .parse(format="pdb")
            .model_structure()
        )
        cartoon = structure.component(selector="polymer").representation(type="cartoon")
        if impact.measured and name == "wild":
            cartoon.color(color=style.WILD).opacity(opacity=0.5)
        else:
            for first, last, colour in _stretches(colouring.colours):
                cartoon.color(
                    color=colour,
                    selector=mvs.ComponentExpression(beg_auth_seq_id=first, end_auth_seq_id=last),
                )
        for position in impact.variant.positions:
            site = structure.component(selector=mvs.ComponentExpression(auth_seq_id=position))
            site.representation(type="ball_and_stick")
            if name == "wild":
                site.label(text=impact.site_label(position))
    state = builder.get_state(
        title=f"GLASS: {_one_line(impact.protein.name)} {impact.written}",
        description=colouring.words,
    )
    return json.dumps(json.loads(state.model_dump_json(exclude_none=True)), indent=1)


def _stretches(colours: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Runs of one colour: first and last position, colour."""
    runs: list[tuple[int, int, str]] = []
    for position, colour in enumerate(colours, start=1):
        if runs and runs[-1][2] == colour:
            runs[-1] = (runs[-1][0], position, colour)
        else:
            runs.append((position, position, colour))
    return runs


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "protein"
