"""Every file that can be downloaded, by name."""

from __future__ import annotations

from glass_core.impact.as_json import to_json
from glass_core.impact.record import Impact
from glass_core.protein.structure.write import why_no_pdb
from glass_core.report.colouring import colourings
from glass_core.report.export import Export, safe_stem
from glass_core.report.impact.html import impact_report
from glass_core.report.impact.structures import superposed
from glass_core.report.impact.tables import residue_csv
from glass_core.report.scripts import molviewspec, pymol_script


def exports(impact: Impact, script: str | None) -> tuple[Export, ...]:
    """The files of an impact; structures only where there is one.

    Parameters
    ----------
    script : str or None
        Text of 3Dmol.js for the report.
    """
    stem = file_stem(impact)
    files = [
        Export("Residue CSV", f"{stem}-residues.csv", "text/csv", lambda: residue_csv(impact)),
        Export("JSON", f"{stem}.json", "application/json", lambda: to_json(impact)),
        Export(
            "Report (HTML)",
            f"{stem}-report.html",
            "text/html",
            lambda: impact_report([impact], script),
        ),
    ]
    structure = impact.protein.structure
    if structure is not None:
        files.append(
            Export(
                "mmCIF",
                f"{stem}-superposed.cif",
                "chemical/x-mmcif",
                lambda: superposed(impact, "mmcif"),
            )
        )
        files.append(
            Export(
                "PDB",
                f"{stem}-superposed.pdb",
                "chemical/x-pdb",
                lambda: superposed(impact, "pdb"),
                why_no_pdb(structure.atoms),
            )
        )
        shown = colourings(impact)[0]
        files.append(
            Export("PyMOL script", f"{stem}.pml", "text/plain", lambda: pymol_script(impact, shown))
        )
        files.append(
            Export(
                "MolViewSpec",
                f"{stem}.mvsj",
                "application/json",
                lambda: molviewspec(impact, shown),
            )
        )
    return tuple(files)


def file_stem(impact: Impact) -> str:
    """Begins the names of all its files."""
    return safe_stem("glass", impact.written, "variant")
