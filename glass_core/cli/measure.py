"""The command that measures one structure file against another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from glass_core.cli.options import correspondence_option, json_option


@click.command("measure")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("subject", type=click.Path(path_type=Path))
@click.option("--reference-chain", help="Needed when REFERENCE has several protein chains.")
@click.option("--subject-chain", help="Needed when SUBJECT has several protein chains.")
@correspondence_option
@json_option
def measure_command(
    reference: Path,
    subject: Path,
    reference_chain: str | None,
    subject_chain: str | None,
    correspondence: Any,
    as_json: bool,
) -> None:
    """Measure how SUBJECT differs from REFERENCE (two structure files)."""
    from glass_core.impact.as_json import measurement_dict
    from glass_core.metrics.measure import measure
    from glass_core.protein.structure.file import read_structure

    structures = (
        read_structure(reference, chain=reference_chain),
        read_structure(subject, chain=subject_chain),
    )
    for structure in structures:
        for note in structure.notes:
            click.echo(f"{structure.name}: {note}", err=True)
    result = measure(*structures, correspondence=correspondence)
    if as_json:
        click.echo(json.dumps(measurement_dict(result), allow_nan=False))
        return
    alignment = result.alignment
    click.echo(
        f"TM-score {alignment.tm_score:.4f} by the reference, "
        f"{alignment.tm_score_by_subject:.4f} by the subject"
    )
    click.echo(
        f"RMSD {alignment.rmsd:.2f} Å over {alignment.aligned_length} residues, "
        f"sequence identity {alignment.sequence_identity:.3f}"
    )
    click.echo(f"mean lDDT {result.mean_lddt:.4f} (C-alpha, inverse-cubic, by the reference)")
    click.echo("\n".join((alignment.reference_row, alignment.match_row, alignment.subject_row)))
